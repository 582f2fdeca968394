//! The loop and its order.
//!
//! Owns everything that a running node has, in one struct: the node, the parts of the driver, the clocks
//! and the timers. It routes: what a part needs of another it is lent for one call, and what a part hands
//! back goes to the node or to another part. It never names a part's fields, and decides nothing about the
//! protocol.
//!
//! One turn: sleep; note the time, and whether this process was away; signals; bounded reads
//! (datagrams, accepts, streams, stdin); timers; the user's commands; the end of the node's turn; then,
//! before the next sleep, write what is queued. Nothing in a turn waits, and each part is bounded, so
//! that no flood from anywhere starves the timers. What is left over is taken up in the next turn, after
//! a sleep of length zero.
//!
//! | file | subject |
//! | --- | --- |
//! | `opening` | the start |
//! | `complaining` | what others did, as far as it is said |
//! | `effects` | what the node wants done that only the loop can do |
//! | `farewell` | until when the end is waited for, and the exit status |
//! | `starting` | the time before the node's start, while a store is being read |
//! | `keeping` | when the store is written to, and tended |
//! | `reads` | what is read of the store, for peers and for stdout |
//! | `naming` | what is found of the peers that the user named |
//! | `sleep` | the sleep between two turns, and whether the process was away |
//! | `wake` | when the user's side wakes the loop |

mod complaining;
mod effects;
mod farewell;
mod keeping;
mod naming;
mod opening;
mod reads;
mod sleep;
mod starting;
mod wake;

use crate::limits::ACCEPTS_PER_TURN_MAX;
use crate::node::{Input, Node, Now, Outbox, Time};
use crate::timing;
use crate::ui::{DriverStatus, Ui};
use crate::wire::Message;

use super::carrier::{Door, Reach, Wake, bury, wake_for_names};
use super::complaints::Complaints;
use super::console::{Console, SignalRequest};
use super::keeper::Keeper;
use super::names::Names;
use super::network::Network;
use super::runner::Runner;
use super::start_error::StartError;
use super::status::STATUS_INTERRUPTED;
use super::streams::{Listener, Streams};
use super::tokens::{INTERFACES, LISTENER, SEARCH, SIGNALS, STDERR, STDIN, STDOUT, STORE};
use super::tracing::Tracing;
use super::wheel::Wheel;
use effects::EffectParts;
use farewell::Farewell;
use sleep::Sleeper;
use starting::{Starting, waiting_failed};

/// Effects that the outbox keeps room for between inputs.
const OUTBOX_KEPT: usize = 1_024;

/// Where the loop goes after a turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Flow {
    /// On.
    On,
    /// The node has left.
    Left,
    /// Out, at once.
    End,
    /// The room is locked, and this node has not its secret.
    LockedOut,
}

/// Everything that a running node has.
pub(super) struct Reactor {
    sleeper: Sleeper,
    /// The time of this turn.
    now: Now,
    wheel: Wheel<Wake>,
    node: Node,
    outbox: Outbox,
    ui: Ui,
    console: Console,
    streams: Streams,
    network: Network,
    names: Names,
    complaints: Complaints,
    runner: Runner,
    /// The store, if the history is kept.
    keeper: Option<Keeper>,
    listener: Listener,
    room: String,
    /// What is written down of what the node does.
    tracing: Tracing,
    /// The node has not started yet, since a store is being read.
    starting: Option<Starting>,
    /// The node has left: its last event was shown.
    left: bool,
}

impl Reactor {
    /// Runs the loop until the node has left or a second SIGINT came.
    pub(super) fn run(mut self) -> Result<u8, StartError> {
        loop {
            let flow = match self.starting {
                Some(_) => self.turn_before_start()?,
                None => self.turn()?,
            };
            match flow {
                Flow::On => {}
                Flow::Left => return self.farewell(),
                Flow::End => return Ok(STATUS_INTERRUPTED),
                Flow::LockedOut => {
                    return Err(StartError::Locked(self.room));
                }
            }
        }
    }

    /// Ends in good order; the result is the exit status. What is queued for peers is written, and their
    /// ends are waited for; then the outputs are written out.
    fn farewell(mut self) -> Result<u8, StartError> {
        let mut store = self.keeper.take().map(|keeper| {
            let (ui, now) = (&mut self.ui, self.now);
            keeper.close(now, &mut self.node, |words| ui.warn(now, words))
        });
        self.streams.close_all();
        let mut farewell = Farewell::new(self.now.time, self.ui.ends_at());
        loop {
            self.console.begin_round();
            self.streams.flush(self.now.time);
            self.run_commands();
            self.flush_outputs();
            self.bury_streams();
            self.streams.forget_inputs();
            let (now, console) = (self.now.time, &self.console);
            farewell.on_round(now, console);
            let until = farewell.waits_until(now, console, &self.streams, &self.runner);
            let closed = store.as_mut().and_then(|s| s.step(now));
            let Some(until) = [until, closed].into_iter().flatten().min() else {
                break;
            };
            self.now = self.sleeper.wait(until).map_err(waiting_failed)?;
            if self.sort_events() == Some(SignalRequest::End) {
                return Ok(STATUS_INTERRUPTED);
            }
            let mut round = self.streams.round();
            while self.streams.next_in(&mut round).is_some() {}
        }
        Ok(farewell.exit_status(&mut self.ui, &mut self.console, &self.runner))
    }

    fn turn(&mut self) -> Result<Flow, StartError> {
        let planned = self.next_deadline();
        self.now = self.sleeper.sleep(planned).map_err(waiting_failed)?;
        self.note_absence();
        if self.sort_events() == Some(SignalRequest::End) {
            return Ok(Flow::End);
        }
        self.feed_stream_inputs();
        self.read_datagrams();
        let hears_group = self.node.hears_group();
        if self.network.is_locked_out(self.now.time, hears_group) {
            return Ok(Flow::LockedOut);
        }
        self.accept();
        if !self.is_storing() {
            self.read_streams();
            self.read_stdin();
        }
        self.fire_timers();
        self.follow_names();
        if !self.is_storing() || self.ui.is_late() {
            self.take_commands();
        }
        keeping::commit(&mut self.keeper, self.now, &mut self.node, &mut self.ui);
        self.node.end_turn(self.now, &mut self.outbox);
        self.carry_out();
        self.finish_turn();
        let (keeper, node) = (&mut self.keeper, &self.node);
        keeping::tidy(keeper, self.now, node, (&mut self.wheel, &mut self.ui));
        self.console.stop_if_wanted(&mut self.ui);
        Ok(if self.left { Flow::Left } else { Flow::On })
    }

    /// When the next turn begins at the latest; now or in the past if there is something to do.
    fn next_deadline(&mut self) -> Option<Time> {
        let has_work = self.streams.has_ready()
            || self.streams.inputs_len() > 0
            || self.listener.is_ready()
            || self.network.has_ready()
            || self.console.has_work()
            || self.may_read_stdin()
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

    /// A node that was away is told so before anything else: it must not speak from the past.
    fn note_absence(&mut self) {
        if self.sleeper.take_away() {
            log::info!("this node was away");
            self.ui.on_absence();
            self.feed(Input::Away);
        }
    }

    /// Notes which sources are ready. What signals ask for is passed on.
    fn sort_events(&mut self) -> Option<SignalRequest> {
        let (mut signalled, mut network_changed) = (false, false);
        for event in self.sleeper.events() {
            match event.token() {
                LISTENER => self.listener.on_event(),
                INTERFACES => network_changed = true,
                SIGNALS => signalled = true,
                STORE => self.keeper.iter_mut().for_each(Keeper::on_event),
                SEARCH => self.keeper.iter_mut().for_each(Keeper::on_search_event),
                STDIN | STDOUT | STDERR => self.console.on_event(event),
                token if self.network.on_event(token) => {}
                token if self.names.on_event(token) => {}
                _ => self.streams.on_event(event),
            }
        }
        let look = network_changed.then(|| self.network.on_change(self.now.time));
        if let Some(at) = look.flatten() {
            self.wheel.set(Wake::Look, at);
        }
        let (console, ui) = (&mut self.console, &mut self.ui);
        signalled
            .then(|| console.on_signals(self.now, ui))
            .flatten()
    }

    /// Gives the node one input and does what it wants.
    fn feed(&mut self, input: Input) {
        self.tracing.input(self.now, &input, &self.streams);
        self.node.handle(self.now, input, &mut self.outbox);
        self.carry_out();
    }

    /// Carries out what is in the outbox, in its order. Its memory is kept, but not that of a rare flood.
    fn carry_out(&mut self) {
        self.tracing.output(self.now, &self.node, &self.outbox);
        let reach = Reach {
            now: self.now,
            node: &self.node,
            wheel: &mut self.wheel,
            streams: &mut self.streams,
            network: &mut self.network,
            names: &mut self.names,
        };
        let mut parts = EffectParts {
            reach,
            keeper: &mut self.keeper,
            ui: &mut self.ui,
            complaints: &mut self.complaints,
        };
        for effect in self.outbox.drain(..) {
            self.left |= effects::is_last(&effect);
            parts.carry_out(effect);
        }
        self.outbox.shrink_to(OUTBOX_KEPT);
    }

    /// What happened to streams since the last turn, or while they were written to. What comes of
    /// it meanwhile waits for the next call.
    fn feed_stream_inputs(&mut self) {
        for _ in 0..self.streams.inputs_len() {
            if let Some(input) = self.streams.next_input() {
                self.feed(input);
            }
        }
    }

    /// Takes in connections that wait, as many as one turn allows.
    fn accept(&mut self) {
        for _ in 0..ACCEPTS_PER_TURN_MAX {
            if !self.listener.is_ready() {
                break;
            }
            let mut door = Door {
                now: self.now.time,
                node: &mut self.node,
                listener: &mut self.listener,
                streams: &mut self.streams,
                network: &mut self.network,
            };
            match door.next() {
                Ok(Some(input)) => self.feed(input),
                Ok(None) => {}
                Err(_) => {
                    let at = self.now.time + timing::ACCEPT_RETRY;
                    self.wheel.set(Wake::Accept, at);
                }
            }
        }
    }

    /// Each stream that has something gets its share, those that have waited longest first.
    fn read_streams(&mut self) {
        let mut round = self.streams.round();
        while let Some((link, message)) = self.streams.next_in(&mut round) {
            if matches!(message, Message::Hello(_))
                && let Some(peer) = self.streams.peer_of(link)
            {
                self.node.on_person(link, peer.owner.map(|o| o.to_bytes()));
                self.ui.on_met(self.now, peer, &self.node);
            }
            self.feed(Input::Message { link, message });
        }
        self.feed_stream_inputs();
    }

    /// Whether stdin may have something, and is wanted, by the user's side and by every peer.
    fn may_read_stdin(&self) -> bool {
        // Keys are read at any time: only the lines that they make wait.
        let waits = || self.stdin_waits_until().is_some();
        self.console.is_stdin_ready()
            && self.ui.wants_input(&self.node)
            && (self.ui.has_prompt() || !waits())
    }

    /// Until when stdin waits for peers: for what is in their queues, or for those that catch up.
    fn stdin_waits_until(&self) -> Option<Time> {
        let queues = self.streams.stdin_waits_until(self.now.time);
        queues.max(self.node.chased_until(self.now.time))
    }

    fn read_stdin(&mut self) {
        if self.may_read_stdin() {
            self.console.read_stdin(self.now, &mut self.ui);
        }
    }

    /// Passes on what the user wants, as much as one turn allows. While peers have much in their
    /// queues, what was read from stdin waits too, unless papo is to leave.
    fn take_commands(&mut self) {
        let waits = self.stdin_waits_until().is_some() && !self.ui.is_late();
        let Some(mut allowance) = self.console.begin_commands(waits) else {
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
        self.console.note_work();
    }

    /// Renders and writes what stdout and stderr take.
    fn flush_outputs(&mut self) {
        let (keeper, now) = (&mut self.keeper, self.now);
        reads::search(keeper, now, &mut self.ui, &self.node);
        let fetch = |ui: &mut Ui, node: &Node| reads::fill_stdout(keeper, now, ui, node);
        (self.console).flush(now, &mut self.ui, &mut self.node, fetch);
    }

    /// True while what was taken in is still being stored: nothing more is taken in.
    fn is_storing(&self) -> bool {
        self.keeper.as_ref().is_some_and(Keeper::is_behind)
    }

    /// Takes in what look-ups have found, and goes on with those that are due.
    fn follow_names(&mut self) {
        while let Some(peer) = naming::next_found(&mut self.names, &mut self.ui, self.now) {
            self.feed(Input::PeerFound(peer));
        }
    }

    fn read_datagrams(&mut self) {
        let mut round = self.network.round();
        while let Some((from, datagram)) = self.network.next_in(self.now, &mut round) {
            self.feed(Input::Datagram { from, datagram });
        }
    }

    /// The interfaces are looked at after a while.
    fn look_again(&mut self) {
        let at = self.network.next_look(self.now.time);
        self.wheel.set(Wake::Look, at);
    }

    /// Looks at the interfaces, and again after a while.
    fn follow_network(&mut self) {
        let before = self.network.candidates();
        let (ui, now) = (&mut self.ui, self.now);
        if self.network.look(|words| ui.warn(now, words)) {
            self.streams.set_sources(self.network.sources());
            let network = &self.network;
            self.streams.drop_without_address(|ip| network.is_ours(ip));
        }
        self.look_again();
        // Links that have gone are known to be gone before the node tells anybody anything.
        self.feed_stream_inputs();
        let candidates = self.network.candidates();
        if candidates != before {
            self.feed(Input::Addresses(candidates));
        }
    }

    fn fire_timers(&mut self) {
        while let Some(wake) = self.wheel.pop_due(self.now.time) {
            match wake {
                Wake::Node(timer) => self.feed(Input::Timer(timer)),
                Wake::Accept => self.listener.on_event(),
                // Being awake is enough.
                Wake::Store | Wake::Names => {}
                Wake::Look => self.follow_network(),
                Wake::Expire(link) => self.streams.expire(link),
            }
        }
        wake::meet_user_deadline(&mut self.ui, self.now);
    }

    /// Before sleeping: writes what is queued for peers and for the user, and drops what ended.
    fn finish_turn(&mut self) {
        if let Some(now) = self.sleeper.was_stopped() {
            // Stopped in the middle of the turn: what it would write now is from the past.
            self.now = now;
            self.feed(Input::Away);
        }
        self.follow_trace();
        let node = &self.node;
        (self.streams).sort(self.now.time, |link| node.is_member_link(link));
        self.streams.flush(self.now.time);
        let heard = (&mut self.network, &mut self.streams);
        complaining::say(self.now, heard, &mut self.complaints, &mut self.ui);
        self.run_commands();
        self.flush_outputs();
        self.bury_streams();
        wake_for_names(&self.names, &mut self.wheel, self.now.time);
    }

    /// Writes the trace, if there is one, and does what the user wants of it.
    fn follow_trace(&mut self) {
        let signalled = self.console.take_trace().then(|| self.tracing.other_way());
        if let Some(wish) = self.ui.take_trace().or(signalled) {
            let words = self.tracing.obey(self.now, &mut self.node, &wish);
            self.ui.tell(self.now, &words);
        }
        if let Some(words) = self.tracing.flush(self.now, &mut self.node, self.left) {
            self.ui.warn(self.now, &words);
        }
    }

    /// Runs what is to be run for messages, and says what failed.
    fn run_commands(&mut self) {
        for words in self.runner.turn(&mut self.ui) {
            self.ui.warn(self.now, &words);
        }
    }

    fn bury_streams(&mut self) {
        bury(&mut self.streams, &mut self.wheel, self.now.time);
    }
}
