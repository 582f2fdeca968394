//! When a line of the user goes to the node, what a command does, and when to leave.
//!
//! What a line means is decided in `commands`, how things are shown in `showing`. A line that
//! was read is said, answered, or counted as not sent; none is forgotten.

use crate::limits::{SAY_BYTES_MAX, SAY_LINES_MAX};
use crate::node::{Command, Now, Texts, Time};

use super::commands::{self, Meaning, Order};
use super::input_lines::{Line, Part};
use super::node_view::NodeView;
use super::text::{self, count};
use super::{DriverStatus, Mode, Ui, UiConfig, json};

/// How far this node is on its way out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// In the room, or on the way into it.
    Here,
    /// Told to stop: what was read is still handed over.
    Stopping {
        /// Not longer than until here.
        until: Time,
    },
    /// The node was told to leave.
    Leaving,
    /// The node has left.
    Gone,
}

/// What is known about the user's lines as a whole.
#[derive(Debug)]
pub(super) struct Sending {
    pub(super) stage: Stage,
    /// No more lines will be read.
    pub(super) input_ended: bool,
    /// Lines wait until enough members were in the room once.
    held: bool,
    pub(super) deadline: Option<Time>,
    /// A deadline has passed.
    expired: bool,
    /// What was meant to be said could not even be sent.
    pub(super) failed: bool,
    /// Lines read but never sent.
    pub(super) unsent: u64,
    /// The rest of a refused line follows.
    refusing: bool,
}

impl Sending {
    pub(super) fn new(config: &UiConfig) -> Sending {
        let speaks = config.reads_stdin || config.lines.is_some();
        Sending {
            stage: Stage::Here,
            input_ended: false,
            held: speaks && config.wait_members > 0 && config.mode != Mode::Interactive,
            deadline: None,
            expired: false,
            failed: false,
            unsent: 0,
            refusing: false,
        }
    }

    /// The wait for members begins.
    pub(super) fn start(&mut self, now: Time, config: &UiConfig) {
        if self.held && self.stage == Stage::Here {
            self.deadline = Some(now + config.timeout);
        }
    }

    pub(super) fn expire(&mut self, now: Time) {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.deadline = None;
            self.expired = true;
        }
    }
}

impl Ui {
    pub(super) fn next_command(
        &mut self,
        now: Now,
        node: &dyn NodeView,
        status: DriverStatus,
    ) -> Option<Command> {
        self.sending.expire(now.time);
        self.take_actions(now);
        self.show_progress(node);
        match self.sending.stage {
            Stage::Here => {
                if self.sending.held && self.has_members(node) {
                    self.sending.held = false;
                    self.sending.deadline = None;
                }
                if self.sending.held && self.sending.expired {
                    return Some(self.give_up(now, node));
                }
                let command = self.next_line(now, node, status);
                if command.is_none() && self.is_said_out() && node.is_joined() {
                    return Some(self.leave(now, now.time + self.config.timeout));
                }
                command
            }
            Stage::Stopping { until } => {
                let sendable = node.is_joined() && !self.sending.held && !self.sending.expired;
                if sendable && !self.pending.is_empty() {
                    return self.next_line(now, node, status);
                }
                Some(self.leave(now, until))
            }
            Stage::Leaving | Stage::Gone => None,
        }
    }

    /// Stops reading; what was read is still handed over, and then the node leaves.
    pub(super) fn stop(&mut self, now: Now) {
        if self.sending.stage != Stage::Here {
            return;
        }
        if self.pending.has_unfinished() && self.config.mode != Mode::Interactive {
            // Half a line may say something else than the whole one: nobody said it yet.
            self.warn(now, "a last line without its end is not sent");
        }
        let until = now.time + self.config.timeout;
        self.sending.stage = Stage::Stopping { until };
        self.sending.input_ended = true;
        self.sending.deadline = Some(until);
        self.sending.expired = false;
    }

    fn has_members(&self, node: &dyn NodeView) -> bool {
        node.is_joined() && node.members().len() > self.config.wait_members
    }

    /// True if nothing more will be said and there is no reason to stay.
    fn is_said_out(&self) -> bool {
        let sending = &self.sending;
        sending.input_ended && !sending.held && self.pending.is_empty() && !self.config.stay
    }

    /// Too few members came: nothing is sent.
    fn give_up(&mut self, now: Now, node: &dyn NodeView) -> Command {
        let wanted = self.config.wait_members;
        let others = node.members().len().saturating_sub(1) as u64;
        let seconds = self.config.timeout.as_secs_f64();
        let (came, remedy) = match others {
            0 => (
                "no other member".to_owned(),
                "; nobody answered: check --room and --group there and here, and name a member \
                 with --peer where multicast does not reach",
            ),
            others => (format!("only {}", count(others, "other member")), ""),
        };
        let text = format!(
            "--wait-members {wanted}: {came} came within {seconds} s; nothing was sent{remedy}"
        );
        self.warn(now, &text);
        self.sending.failed = true;
        self.leave(now, now.time + self.config.timeout)
    }

    fn leave(&mut self, now: Now, until: Time) -> Command {
        self.sending.unsent += self.pending.len() as u64;
        self.pending.clear();
        self.sending.stage = Stage::Leaving;
        self.sending.deadline = None;
        let patience = until.since(now.time);
        Command::Leave { patience }
    }

    /// Carries lines out until one is for the node.
    fn next_line(
        &mut self,
        now: Now,
        node: &dyn NodeView,
        status: DriverStatus,
    ) -> Option<Command> {
        while let Some(front) = self.pending.front() {
            // A line that is none of the commands that are always ready waits for the room, and
            // so do those behind it: they are carried out in the order typed.
            let waits = self.sending.held || !node.wants_lines();
            if waits && !self.is_always_ready(front) {
                return None;
            }
            if self.is_plain(front) {
                return Some(self.say_plain(Texts::default()));
            }
            if self.is_command(front) && self.stdout.is_backed_up() {
                return None;
            }
            let (text, part) = (front.text.to_owned(), front.part);
            self.pending.pop();
            let command = match self.meaning(text, part) {
                Meaning::Say(text) => Some(self.say_plain(Texts::from_iter([text]))),
                Meaning::Do(order) => self.carry_out(now, order, node, status),
                Meaning::Wrong(why) => {
                    self.show_error(now, &why);
                    None
                }
            };
            if command.is_some() {
                return command;
            }
        }
        None
    }

    /// These lines are said, and those that come next as far as they are said as they stand.
    fn say_plain(&mut self, mut lines: Texts) -> Command {
        while lines.len() < SAY_LINES_MAX
            && lines.bytes() < SAY_BYTES_MAX
            && let Some(next) = self.pending.front()
            && self.is_plain(next)
        {
            lines.push(next.text);
            self.pending.pop();
            self.sending.refusing = false;
        }
        Command::Say(lines)
    }

    /// Said as it stands: no command, and no rest of one that was refused.
    fn is_plain(&self, line: Line<'_>) -> bool {
        let is_refused = line.part == Part::Next && self.sending.refusing;
        !is_refused && !self.is_command(line)
    }

    /// A piece from the middle of a line is no command, whatever it begins with.
    fn is_command(&self, line: Line<'_>) -> bool {
        self.config.commands && line.part != Part::Next && line.text.starts_with('/')
    }

    fn is_always_ready(&self, line: Line<'_>) -> bool {
        self.is_command(line)
            && match commands::parse(line.text.to_owned()) {
                Meaning::Do(order) => order.is_always_ready(),
                Meaning::Wrong(_) => true,
                Meaning::Say(_) => false,
            }
    }

    /// What a line means that is not said as it stands.
    fn meaning(&mut self, text: String, part: Part) -> Meaning {
        match part {
            Part::Next => Meaning::Wrong(String::new()),
            Part::Whole => {
                self.sending.refusing = false;
                commands::parse(text)
            }
            Part::First => {
                let meaning = commands::parse(text);
                self.sending.refusing = !matches!(meaning, Meaning::Say(_));
                if self.sending.refusing {
                    return Meaning::Wrong("that command is too long".to_owned());
                }
                meaning
            }
        }
    }

    fn carry_out(
        &mut self,
        now: Now,
        order: Order,
        node: &dyn NodeView,
        status: DriverStatus,
    ) -> Option<Command> {
        match order {
            Order::Nick(nick) => return Some(Command::Rename(nick)),
            Order::Elect => return Some(Command::Elect),
            Order::Msg(rest) => match commands::addressee(&rest, node.members(), node.key()) {
                Ok((to, text)) => {
                    self.addressee = Some(text::name_of(to, 0, node.members()));
                    let text = text.to_owned();
                    return Some(Command::Private { to, text });
                }
                Err(why) => self.show_error(now, &why),
            },
            Order::Quit => {
                // Whoever quits does not mean the lines behind.
                self.pending.clear();
                self.sending.input_ended = true;
                return Some(self.leave(now, now.time + self.config.timeout));
            }
            Order::History(count) => self.show_history(now, count, node),
            Order::Help if self.is_json() => {
                self.json(now, |out, at| json::remark(out, at, "help", commands::HELP));
            }
            Order::Help => self.answer(now, commands::HELP),
            Order::Members if self.is_json() => {
                self.json(now, |out, at| json::members(out, at, node));
            }
            Order::Members => self.answer(now, &text::members(node)),
            Order::Status if self.is_json() => {
                let room = self.room.clone();
                self.json(now, |out, at| json::status(out, at, &room, node, status));
            }
            Order::Status => {
                let answer = text::status(&self.room, node, status);
                self.answer(now, &answer);
            }
        }
        None
    }

    fn show_history(&mut self, now: Now, count: Option<usize>, node: &dyn NodeView) {
        /// People look at a screenful; scripts want all.
        const INTERACTIVE_COUNT: usize = 20;
        let count = count.unwrap_or(match self.config.mode {
            Mode::Interactive => INTERACTIVE_COUNT,
            Mode::Text | Mode::Json => usize::MAX,
        });
        let messages = node.newest(count);
        if self.is_json() {
            self.json(now, |out, at| json::history(out, at, node, &messages));
        } else {
            self.replay(now, messages, node);
        }
    }

    /// A mistake of the user's.
    fn show_error(&mut self, now: Now, why: &str) {
        if !why.is_empty() {
            self.show_remark(now, "error", why);
        }
    }
}
