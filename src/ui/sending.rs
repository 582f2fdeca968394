//! When a line of the user goes to the node, and when to leave.
//!
//! This module owns the lines that were read and not handed over, how long they wait, and how far
//! this node is on its way out. What a line means is decided in `commands`, what a command does in
//! `orders`. A line that was read is said, answered, or counted as not sent; none is ever
//! forgotten.

use std::time::Duration;

use crate::limits::{SAY_BYTES_MAX, SAY_LINES_MAX};
use crate::node::{Command, Now, Texts, Time};
use crate::timing::LEAVING_SAID;

use super::commands::{self, Meaning, UserCommand};
use super::config::UiConfig;
use super::event_data::Unsent;
use super::input_lines::{Line, LinePart};
use super::orders::{self, CommandParts};
use super::queued_lines::QueuedLines;
use super::room_state::RoomState;
use super::rooms::RoomWish;
use super::text::count;

/// What is said to whoever stops papo in the middle of a line.
const HALF_A_LINE: &str = "a last line without its end is not sent";

/// How far this node is on its way out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum LeavingStage {
    /// In the room, or on the way into it.
    Here,
    /// Told to stop: what was read is still handed over.
    Stopping {
        /// The time at which this node leaves at the latest.
        until: Time,
    },
    /// The node was told to leave.
    Leaving,
    /// The node has left.
    Gone,
}

/// The user's lines, and when they go.
#[derive(Debug)]
pub(super) struct Sending {
    lines: QueuedLines,
    stage: LeavingStage,
    /// Stdin is read, as the command line wants it.
    reads_stdin: bool,
    /// Lines that begin with `/` are commands.
    takes_commands: bool,
    /// This node stays in the room after the end of the input.
    stays: bool,
    /// How many other members are waited for.
    wait_members: usize,
    /// How long members and confirmations are waited for.
    timeout: Duration,
    /// No more lines will be read.
    input_ended: bool,
    /// Lines wait until enough members were in the room once.
    held: bool,
    /// Stdin or the command line has lines to say, and no prompt is shown.
    is_filter: bool,
    /// This is `papo send`: it says its lines, and prints nothing of what others say.
    only_sends: bool,
    /// So much waits before the room is joined that stdin is not read.
    is_stuck: bool,
    deadline: Option<Time>,
    /// A deadline has passed.
    expired: bool,
    /// A line went to the node.
    has_said: bool,
    /// Why lines are not sent, if a deadline has passed: the end of a line of text.
    late: Option<String>,
    /// When it is said what leaving waits for.
    wait_said_at: Option<Time>,
    /// It is to be said now.
    is_wait_due: bool,
    /// When the end of a filter is to be over.
    ends_at: Option<Time>,
    /// What was meant to be said could not even be sent.
    failed: bool,
    /// Lines read but never sent.
    unsent: u64,
    /// The rest of a refused line follows.
    refusing: bool,
}

impl Sending {
    /// Nothing was read yet.
    pub(super) fn new(config: &UiConfig) -> Sending {
        Sending {
            lines: QueuedLines::default(),
            stage: LeavingStage::Here,
            reads_stdin: config.reads_stdin,
            takes_commands: config.commands,
            stays: config.stay,
            wait_members: config.wait_members,
            timeout: config.timeout,
            input_ended: false,
            held: config.is_filter() && config.wait_members > 0,
            is_filter: config.is_filter(),
            only_sends: config.lines.is_some() || config.wanted.is_nothing(),
            is_stuck: false,
            deadline: None,
            expired: false,
            has_said: false,
            late: None,
            wait_said_at: None,
            is_wait_due: false,
            ends_at: None,
            failed: false,
            unsent: 0,
            refusing: false,
        }
    }

    /// Takes lines that stand for stdin. What had to be changed in them is returned in words.
    pub(super) fn take_lines(&mut self, lines: Vec<String>) -> Vec<String> {
        self.reads_stdin = false;
        self.takes_commands = false;
        let mut words = Vec::new();
        for line in lines {
            words.extend(self.lines.push((line + "\n").as_bytes()));
        }
        words.extend(self.lines.finish());
        self.input_ended = true;
        words
    }

    /// The sockets are open: the wait for members begins, or that for the end if all was read.
    pub(super) fn start(&mut self, now: Time) {
        if self.held && self.stage == LeavingStage::Here {
            self.deadline = Some(now + self.timeout);
        } else {
            self.begin_end(now);
        }
    }

    /// Everything was read: from now on the others have so long to let this node in, and to confirm.
    fn begin_end(&mut self, now: Time) {
        let ends = self.input_ended && !self.held && !self.stays;
        if ends && self.stage == LeavingStage::Here {
            self.is_stuck = false;
            self.deadline = Some(now + self.timeout);
        }
    }

    /// Takes bytes of lines in, whoever made them. What had to be changed for the first time is
    /// returned in words.
    pub(super) fn take_bytes(&mut self, bytes: &[u8]) -> Vec<String> {
        self.lines.push(bytes)
    }

    /// Takes in a line that was pasted, which is never a command.
    pub(super) fn take_pasted(&mut self, line: &str) -> Vec<String> {
        let is_like_command = line.starts_with('/') && self.takes_commands;
        let slash = if is_like_command { "/" } else { "" };
        self.take_bytes(format!("{slash}{line}\n").as_bytes())
    }

    /// Stdin is at its end. The sum of what had to be changed is returned in words.
    pub(super) fn on_input_end(&mut self, now: Time) -> Vec<String> {
        if !self.reads_input() {
            return Vec::new();
        }
        let words = self.lines.finish();
        self.input_ended = true;
        self.begin_end(now);
        words
    }

    /// Stops reading; what was read is still handed over, and then the node leaves. What is not sent
    /// is returned in words.
    pub(super) fn stop(&mut self, now: Time) -> Option<&'static str> {
        if self.stage != LeavingStage::Here {
            return None;
        }
        // Half a line may say something else than the whole one: nobody said it yet.
        let words = (self.lines.has_unfinished()).then_some(HALF_A_LINE);
        let until = now + self.timeout;
        self.stage = LeavingStage::Stopping { until };
        self.input_ended = true;
        self.deadline = Some(until);
        self.expired = false;
        words
    }

    /// The node has left: what was not sent, and why. `is_alone`: nobody else was in the room;
    /// `hears_other_secret`: somebody with another secret was there.
    pub(super) fn end(&mut self, is_alone: bool, hears_other_secret: bool) -> Unsent {
        self.stage = LeavingStage::Gone;
        (self.wait_said_at, self.is_wait_due) = (None, false);
        if is_alone && self.is_filter && self.has_said && self.late.is_none() {
            self.late = match hears_other_secret {
                true => Some("nobody who holds this secret was there to hear what was said"),
                false if self.only_sends => Some(
                    "nobody else was in the room to hear it; --wait-members 1 waits for somebody",
                ),
                false => None,
            }
            .map(str::to_owned);
        }
        Unsent {
            lines: self.unsent,
            why: self.late.take(),
            failed: self.failed,
        }
    }

    /// True if stdin or the command line has lines to say, and no prompt is shown.
    pub(super) fn is_filter(&self) -> bool {
        self.is_filter
    }

    /// Until when a filter that leaves has time; none for whoever is no filter, or is told to stay.
    pub(super) fn ends_at(&self) -> Option<Time> {
        self.ends_at
    }

    /// True if a deadline has passed and the node was not told to leave yet: nothing holds that up.
    pub(super) fn is_late(&self) -> bool {
        self.expired
            && matches!(
                self.stage,
                LeavingStage::Here | LeavingStage::Stopping { .. }
            )
    }

    /// Notes that the deadline has passed, if it has.
    pub(super) fn expire(&mut self, now: Time) {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.deadline = None;
            self.expired = true;
        }
        if self.wait_said_at.is_some_and(|at| at <= now) {
            self.wait_said_at = None;
            self.is_wait_due = true;
        }
    }

    /// True once, when it is to be said what leaving waits for.
    pub(super) fn take_wait_due(&mut self) -> bool {
        std::mem::take(&mut self.is_wait_due)
    }

    /// When [`expire`](Sending::expire) wants to be called, if at all.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.deadline.into_iter().chain(self.wait_said_at).min()
    }

    /// Whether more of stdin, or of the keys, is read.
    pub(super) fn reads_input(&self) -> bool {
        self.reads_stdin && !self.input_ended && self.stage == LeavingStage::Here
    }

    /// False while more lines could not be kept.
    pub(super) fn has_room(&self) -> bool {
        self.lines.has_room()
    }

    /// True once everything was read, and handed over.
    pub(super) fn has_said_all(&self) -> bool {
        self.input_ended && self.lines.is_empty()
    }

    /// True unless this node is on its way out.
    pub(super) fn stays(&self) -> bool {
        self.stage == LeavingStage::Here
    }

    /// True unless the node was told to leave.
    pub(super) fn takes_lines(&self) -> bool {
        !matches!(self.stage, LeavingStage::Leaving | LeavingStage::Gone)
    }

    /// The lines that wait, for another room.
    pub(super) fn hand_over(&mut self) -> QueuedLines {
        std::mem::take(&mut self.lines)
    }

    /// Takes lines that were read for another room.
    pub(super) fn take_over(&mut self, lines: QueuedLines) {
        self.lines.append(lines);
    }

    /// The lines that wait are not sent.
    pub(super) fn drop_lines(&mut self) {
        self.unsent += self.lines.len() as u64;
        self.lines.clear();
    }

    /// The next thing that the user wants of the node. None when there is nothing, or nothing yet.
    pub(super) fn next_command(&mut self, lent: &mut CommandParts<'_>) -> Option<Command> {
        let (now, node) = (lent.now, lent.node);
        match self.stage {
            LeavingStage::Here => {
                if self.held && self.has_members(node) {
                    self.held = false;
                    self.deadline = None;
                    self.begin_end(now.time);
                }
                if self.held && self.expired {
                    return Some(self.give_up(lent));
                }
                self.note_stuck(now.time, node);
                if self.expired {
                    return Some(self.run_out_of_time(now, node));
                }
                let command = self.next_line(lent);
                let is_answered = command.is_none() && !lent.waits_for_store();
                if is_answered && self.is_said_out() && node.is_joined() {
                    let until = self.deadline.unwrap_or(now.time + self.timeout);
                    return Some(self.leave(now, until));
                }
                command
            }
            LeavingStage::Stopping { until } => {
                let sendable = node.is_joined() && !self.held && !self.expired;
                if sendable && !self.lines.is_empty() {
                    let command = self.next_line(lent);
                    // A last line that was only answered holds nothing up.
                    if command.is_some() || !self.lines.is_empty() {
                        return command;
                    }
                }
                Some(self.leave(now, until))
            }
            LeavingStage::Leaving | LeavingStage::Gone => None,
        }
    }

    /// True once enough members are in the room.
    fn has_members(&self, node: &dyn RoomState) -> bool {
        node.is_joined() && node.members().len() > self.wait_members
    }

    /// True if nothing more will be said and there is no reason to stay.
    fn is_said_out(&self) -> bool {
        self.input_ended && !self.held && self.lines.is_empty() && !self.stays
    }

    /// Stdin stands still because nobody lets this node in: that has its time, too.
    fn note_stuck(&mut self, now: Time, node: &dyn RoomState) {
        let can_be = self.is_filter && !self.input_ended && !self.held && !self.stays;
        let is_stuck = can_be && !self.expired && !node.is_joined() && !self.lines.has_room();
        if is_stuck != self.is_stuck && can_be {
            self.is_stuck = is_stuck;
            self.deadline = is_stuck.then(|| now + self.timeout);
        }
    }

    /// What was read could not be handed over in time.
    fn run_out_of_time(&mut self, now: Now, node: &dyn RoomState) -> Command {
        let seconds = self.timeout.as_secs_f64();
        let (joined, waiting) = (node.is_joined(), self.lines.len());
        if !joined {
            self.failed = true;
            self.late = Some(format!(
                "nobody let this node into the room within {seconds} s (--timeout); papo scan lists who \
                 is there"
            ));
        } else if waiting > 0 {
            self.late = Some(format!(
                "the members took no more within {seconds} s (--timeout)"
            ));
        }
        self.leave(now, now.time)
    }

    /// Too few members came: nothing is sent. Why is said at the end, with how many lines that are.
    fn give_up(&mut self, lent: &mut CommandParts<'_>) -> Command {
        let (now, wanted) = (lent.now, self.wait_members);
        let others = lent.node.members().len().saturating_sub(1) as u64;
        let seconds = self.timeout.as_secs_f64();
        let (came, remedy) = match others {
            0 => (
                "no other member".to_owned(),
                "; nobody answered: check --room and --group there and here, and name a member \
                 with --peer where multicast does not reach",
            ),
            others => (format!("only {}", count(others, "other member")), ""),
        };
        let why =
            format!("--wait-members {wanted}: {came} came within {seconds} s (--timeout){remedy}");
        lent.display.warn_scripts(now, &why);
        self.late = Some(why);
        self.failed = true;
        self.leave(now, now.time + self.timeout)
    }

    /// Tells the node to leave; lines that wait are counted as not sent.
    fn leave(&mut self, now: Now, until: Time) -> Command {
        self.drop_lines();
        self.stage = LeavingStage::Leaving;
        self.deadline = None;
        self.wait_said_at = Some(now.time + LEAVING_SAID);
        self.ends_at = self.is_filter.then_some(until);
        let patience = until.since(now.time);
        Command::Leave { patience }
    }

    /// Whoever quits does not mean the lines behind.
    fn quit(&mut self, now: Now) -> Command {
        self.lines.clear();
        self.input_ended = true;
        self.leave(now, now.time + self.timeout)
    }

    /// Carries lines out until one is for the node.
    fn next_line(&mut self, lent: &mut CommandParts<'_>) -> Option<Command> {
        while let Some(front) = self.lines.front() {
            // A line that is none of the commands that are always ready waits for the room, and
            // so do those behind it: they are carried out in the order typed.
            let waits = self.held || !lent.node.wants_lines();
            if waits && !self.is_always_ready(front) {
                return None;
            }
            if self.is_plain(front) {
                return Some(self.say_plain(Texts::default()));
            }
            if self.is_command(front) && lent.display.stdout().is_backed_up() {
                return None;
            }
            let (text, part) = (front.text.to_owned(), front.part);
            self.lines.pop();
            let command = match self.meaning(text, part) {
                Meaning::Say(text) => Some(self.say_plain(Texts::from_iter([text]))),
                Meaning::Do(UserCommand::Quit) => {
                    *lent.wish = Some(RoomWish::Leave);
                    Some(self.quit(lent.now))
                }
                Meaning::Do(order) => orders::carry_out(lent, order),
                Meaning::Wrong(why) => {
                    orders::explain(lent, &why);
                    None
                }
            };
            // What follows may be for another room.
            if command.is_some() || lent.waits_for_store() || lent.wish.is_some() {
                return command;
            }
        }
        None
    }

    /// Says these lines, and those that come next as far as they are said as they stand.
    fn say_plain(&mut self, mut lines: Texts) -> Command {
        while lines.len() < SAY_LINES_MAX
            && lines.bytes() < SAY_BYTES_MAX
            && let Some(next) = self.lines.front()
            && self.is_plain(next)
        {
            lines.push(next.text);
            self.lines.pop();
            self.refusing = false;
        }
        self.has_said = true;
        Command::Say(lines)
    }

    /// True for a line that is said as it stands: no command, and no rest of one that was refused.
    fn is_plain(&self, line: Line<'_>) -> bool {
        let is_refused = line.part == LinePart::Next && self.refusing;
        !is_refused && !self.is_command(line)
    }

    /// True for a command. A piece from the middle of a line is none, whatever it begins with.
    fn is_command(&self, line: Line<'_>) -> bool {
        self.takes_commands && line.part != LinePart::Next && line.text.starts_with('/')
    }

    /// True for a command that does not wait for the room.
    fn is_always_ready(&self, line: Line<'_>) -> bool {
        self.is_command(line)
            && match commands::parse(line.text.to_owned()) {
                Meaning::Do(order) => order.is_always_ready(),
                Meaning::Wrong(_) => true,
                Meaning::Say(_) => false,
            }
    }

    /// What a line means that is not said as it stands.
    fn meaning(&mut self, text: String, part: LinePart) -> Meaning {
        match part {
            LinePart::Next => Meaning::Wrong(String::new()),
            LinePart::Whole => {
                self.refusing = false;
                commands::parse(text)
            }
            LinePart::First => {
                let meaning = commands::parse(text);
                self.refusing = !matches!(meaning, Meaning::Say(_));
                if self.refusing {
                    return Meaning::Wrong("that command is too long".to_owned());
                }
                meaning
            }
        }
    }
}
