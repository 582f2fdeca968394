//! One room of a process: a node with all that belongs to it, and the order of its turn.
//!
//! Owns the node, the parts of the driver that serve it alone, its timers and its user's side. It routes: what a
//! part needs of another it is lent for one call, and what a part hands back goes to the node or to another part.
//! What the process has is lent to it for each turn. It never names a part's fields, and decides nothing about the
//! protocol.
//!
//! | file | subject |
//! | --- | --- |
//! | `opening` | what has descriptors, opened at the start |
//! | `starting` | the start, and the time before the node's, while a store is being read |
//! | `order` | what is done for the user at the places that the order of a turn has for that |
//! | `effects` | what the node wants done that only the loop can do |
//! | `complaining` | what others did, as far as it is said |
//! | `keeping` | when the store is written to, and tended |
//! | `reads` | what is read of the store, for peers and for stdout |
//! | `wake` | when the user's side wakes the loop |
//! | `cutting` | what becomes of those whom a lesson cuts off |
//! | `ending` | the end, once the node has left |

mod complaining;
mod cutting;
mod effects;
mod ending;
mod keeping;
mod opening;
mod order;
mod reads;
mod starting;
mod wake;

use mio::event::Event;

use crate::node::{Input, Node, Now, Outbox, Time};
use crate::ui::{DriverStatus, Ui};

use super::super::carrier::{LockedOut, OwnPoll, Turn as _, Wake};
use super::super::complaints::Complaints;
use super::super::console::Console;
use super::super::cuts::Cuts;
use super::super::keeper::Keeper;
use super::super::names::Names;
use super::super::network::Network;
use super::super::start_error::StartError;
use super::super::streams::{Listener, Streams};
use super::super::tokens::{INTERFACES, LISTENER, RoomNo, SEARCH, STORE};
use super::super::tracing::Tracing;
use super::super::wheel::Wheel;
use super::process::Process;
use ending::End;
use starting::Starting;

/// Everything that one room has.
pub(super) struct Room {
    no: RoomNo,
    /// None of the first room of a process.
    own_poll: Option<OwnPoll>,
    /// The time of this turn.
    now: Now,
    wheel: Wheel<Wake>,
    node: Node,
    outbox: Outbox,
    ui: Ui,
    streams: Streams,
    network: Network,
    names: Names,
    complaints: Complaints,
    /// The store, if the history is kept.
    keeper: Option<Keeper>,
    listener: Listener,
    name: String,
    /// What is written down of what the node does.
    tracing: Tracing,
    /// Whom a lesson cuts off, in a process of that lesson.
    cuts: Option<Cuts>,
    /// A signal asks for a trace, or for its end.
    is_trace_wished: bool,
    /// The node has not started yet, since a store is being read.
    starting: Option<Starting>,
    /// The node has left: its last event was shown.
    left: bool,
    /// The user leaves this room, or has left it.
    is_parted: bool,
    /// It is the one where what is typed is said, and that a terminal shows.
    is_front: bool,
    /// How far it has ended.
    end: End,
    /// How often the process was away, as far as the node was told.
    absences: u64,
}

impl Room {
    /// One turn, in the order of [`Turn`].
    pub(super) fn turn(&mut self, process: &mut Process) -> Result<(), StartError> {
        if self.is_ending() {
            self.turn_after_leaving(process);
            return Ok(());
        }
        if self.starting.is_some() {
            return self.turn_before_start(process);
        }
        self.follow_cuts();
        let heard = self.hear(process);
        heard.map_err(|LockedOut| StartError::Locked(self.name.clone()))?;
        self.speak(process);
        Ok(())
    }

    /// True once the node has left.
    pub(super) fn has_left(&self) -> bool {
        self.left
    }

    /// Its number.
    pub(super) fn no(&self) -> RoomNo {
        self.no
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The user's side of this room.
    pub(super) fn ui(&self) -> &Ui {
        &self.ui
    }

    /// The user's side of this room, to be told something.
    pub(super) fn ui_mut(&mut self) -> &mut Ui {
        &mut self.ui
    }

    /// When the next turn begins at the latest; now or in the past if there is something to do.
    pub(super) fn next_deadline(&mut self, console: &Console) -> Option<Time> {
        if self.is_ending() {
            return self.next_deadline_at_end();
        }
        if self.own_poll.as_ref().is_some_and(OwnPoll::is_woken) {
            return Some(self.now.time);
        }
        if self.starting.is_some() {
            return self.next_deadline_before_start(console);
        }
        let has_work = self.streams.has_ready()
            || self.streams.inputs_len() > 0
            || self.listener.is_ready()
            || self.network.has_ready()
            || (self.is_front && self.may_read_stdin(console))
            || self.keeper.as_ref().is_some_and(Keeper::has_work);
        if has_work {
            return Some(self.now.time);
        }
        let user = wake::user_deadline(&self.ui, self.now.time);
        let stdin = self.stdin_waits_until();
        let timers = self.wheel.next_deadline();
        let trace = self.tracing.deadline();
        [user, stdin, timers, trace].into_iter().flatten().min()
    }

    /// A turn begins. A node that was away is told so before anything else: it must not speak from the past.
    /// `is_front`: it is the one where what is typed is said, and that a terminal shows.
    pub(super) fn begin_turn(&mut self, process: &Process, is_front: bool) {
        self.now = process.now();
        self.is_front = is_front;
        let was_away = std::mem::replace(&mut self.absences, process.absences()) < self.absences;
        // Before its start nobody has counted on this node yet, and after its end nobody does any more.
        if was_away && self.starting.is_none() && !self.is_ending() {
            log::info!("this node was away");
            self.ui.on_absence();
            self.feed(Input::Away);
        }
    }

    /// Takes an event of the process's poll in, if it is one of this room's.
    pub(super) fn on_process_event(&mut self, event: &Event) {
        match &mut self.own_poll {
            None if RoomNo::has(event.token()) => {}
            None => self.on_event(event),
            Some(own) if own.is(event.token()) => own.wake(),
            Some(_) => {}
        }
    }

    /// Takes in what happened in the poll of its own.
    pub(super) fn sort_own_events(&mut self) {
        if let Some(mut own) = self.own_poll.take() {
            own.sort_events(|event| self.on_event(event));
            self.own_poll = Some(own);
        }
    }

    /// Notes that a source is ready.
    fn on_event(&mut self, event: &Event) {
        match event.token() {
            LISTENER => self.listener.on_event(),
            INTERFACES => {
                let look = self.network.on_change(self.now.time);
                look.into_iter()
                    .for_each(|at| self.wheel.set(Wake::Look, at));
            }
            STORE => self.keeper.iter_mut().for_each(Keeper::on_event),
            SEARCH => self.keeper.iter_mut().for_each(Keeper::on_search_event),
            token if self.network.on_event(token) => {}
            token if self.names.on_event(token) => {}
            _ => self.streams.on_event(event),
        }
    }

    /// Whether stdin may have something, and is wanted, by the user's side and by every peer.
    fn may_read_stdin(&self, console: &Console) -> bool {
        // Keys are read at any time: only the lines that they make wait.
        let waits = || self.stdin_waits_until().is_some();
        console.is_stdin_ready()
            && self.ui.wants_input(&self.node)
            && (self.ui.has_prompt() || !waits())
    }

    /// Until when stdin waits for peers: for what is in their queues, or for those that catch up.
    fn stdin_waits_until(&self) -> Option<Time> {
        let queues = self.streams.stdin_waits_until(self.now.time);
        queues.max(self.node.chased_until(self.now.time))
    }

    fn read_stdin(&mut self, console: &mut Console) {
        if self.may_read_stdin(console) {
            console.read_stdin(self.now, &mut self.ui);
        }
    }

    /// Passes on what the user wants, as much as one turn allows. While peers have much in their
    /// queues, what was read from stdin waits too, unless papo is to leave.
    fn pass_commands(&mut self, console: &mut Console) {
        let waits = self.stdin_waits_until().is_some() && !self.ui.is_late();
        let Some(mut allowance) = console.begin_commands(waits) else {
            return;
        };
        while allowance.is_left() {
            let status = DriverStatus {
                queued_bytes: self.streams.queued_bytes(),
                uptime: self.now.time.since(Time(0)),
            };
            let Some(command) = self.ui.poll_command(self.now, &self.node, status) else {
                return;
            };
            allowance.take(&command);
            self.feed(Input::Command(command));
        }
        console.note_work();
    }

    /// Renders and writes what stdout and stderr take.
    fn flush_outputs(&mut self, console: &mut Console) {
        let (keeper, now) = (&mut self.keeper, self.now);
        reads::search(keeper, now, &mut self.ui, &self.node);
        let mut fetch = |ui: &mut Ui, node: &Node| reads::fill_stdout(keeper, now, ui, node);
        if console.has_terminal() && !self.is_front {
            if fetch(&mut self.ui, &self.node) {
                console.note_work();
            }
            console.settle(self.no, &mut self.ui);
            self.ui.keep_behind();
            if !console.is_raw() {
                console.flush_stderr(&mut self.ui);
            }
            return;
        }
        console.flush(now, self.no, (&mut self.ui, &mut self.node), fetch);
    }

    /// A signal asks for a trace, or for its end.
    pub(super) fn wish_trace(&mut self) {
        self.is_trace_wished = true;
    }

    /// Writes the trace, if there is one, and does what the user wants of it.
    fn follow_trace(&mut self) {
        let signalled = std::mem::take(&mut self.is_trace_wished).then(|| {
            let wish = self.tracing.other_way();
            match self.no {
                RoomNo(0) => wish,
                RoomNo(n) => wish.replace(".trace", &format!("-{}.trace", n + 1)),
            }
        });
        if let Some(wish) = self.ui.take_trace().or(signalled) {
            let words = self.tracing.obey(self.now, &mut self.node, &wish);
            self.ui.tell(self.now, &words);
        }
        if let Some(words) = self.tracing.flush(self.now, &mut self.node, self.left) {
            self.ui.warn(self.now, &words);
        }
    }

    /// Runs what is to be run for messages, and says what failed.
    fn run_commands(&mut self, process: &mut Process) {
        for words in process.runner_mut().turn(&mut self.ui) {
            self.ui.warn(self.now, &words);
        }
    }
}
