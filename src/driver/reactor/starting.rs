//! The start: the reactor is put together, and its node starts; after its store was read, if it has one.
//!
//! Owns what the user wanted of the node while the store is being read, which it gets once it runs. Commands
//! that ask how things are get their answer at once. Nobody in the room hears of this node yet.

use std::io;
use std::net::SocketAddr;

use crate::identity::{Credentials, Peer};
use crate::limits::HELD_COMMANDS_MAX;
use crate::node::{Command, Config, Input, Node, Outbox, Time};
use crate::ui::{DriverStatus, Listening, Mode, Ui};
use crate::wire::{Address, Key};

use super::super::clock::Clock;
use super::super::complaints::Complaints;
use super::super::config::DriverConfig;
use super::super::console::SignalRequest;
use super::super::keeper::Keeper;
use super::super::names::{self, Names};
use super::super::network::Network;
use super::super::runner::Runner;
use super::super::start_error::StartError;
use super::super::streams::Streams;
use super::super::tokens::LOOKUPS;
use super::super::tracing::Tracing;
use super::super::wheel::Wheel;
use super::opening::{Opened, system};
use super::sleep::Sleeper;
use super::{Flow, Reactor, wake};

/// What waits for the start.
#[derive(Debug, Default)]
pub(super) struct Starting {
    commands: Vec<Command>,
    /// The user wants to leave, and waits until then at the most.
    leaves_at: Option<Time>,
}

impl Starting {
    fn hold(&mut self, now: Time, command: Command) {
        if let Command::Leave { patience } = command {
            // With nothing to say there is nothing to wait for.
            let says = (self.commands.iter()).any(|c| matches!(c, Command::Say(_)));
            let at = if says { now + patience } else { now };
            self.leaves_at.get_or_insert(at);
        }
        self.commands.push(command);
    }

    fn has_room(&self) -> bool {
        self.commands.len() < HELD_COMMANDS_MAX
    }
}

impl Reactor {
    /// Opens everything, and starts the node.
    pub(in crate::driver) fn new(config: DriverConfig) -> Result<Reactor, StartError> {
        let opened = Opened::open(&config)?;
        let (network, reports) = (opened.network, opened.reports);
        let clock = Clock::new();
        let rng = fastrand::Rng::with_seed(entropy());
        let own =
            Credentials::new(&config.room, config.person.as_ref()).ok_or_else(no_randomness)?;
        let (key, owner) = (own.key(), own.owner());
        let now = clock.now();
        let mut node = Node::new(node_config(&config, key, &network, opened.at), rng);
        let tracing = Tracing::new(&config.trace, &config.room, now, &mut node)?;
        let registry = (opened.poll.registry().try_clone()).map_err(system("create a poll"))?;
        let names = (opened.poll.registry().try_clone()).map_err(system("create a poll"))?;
        let keeper = Keeper::open(&config, &registry, now)?;
        let mut reactor = Reactor {
            names: Names::new(names, LOOKUPS, &config.peers, config.ui.waits_for_room()),
            sleeper: Sleeper::new(opened.poll, clock, config.failure_timeout),
            wheel: Wheel::new(now.time),
            node,
            keeper,
            outbox: Outbox::new(),
            ui: Ui::new(config.ui.clone()),
            console: opened.console,
            complaints: Complaints::default(),
            runner: Runner::new(config.exec.clone()),
            streams: Streams::new(registry, network.sources(), own, config.secret.clone()),
            network,
            listener: opened.listener,
            room: config.room.clone(),
            tracing,
            starting: None,
            left: false,
            now,
        };
        let oneself = Peer { key, owner };
        reactor.ui.on_met(now, oneself, &reactor.node);
        reactor.start(&config, key, &reports);
        Ok(reactor)
    }

    fn start(&mut self, config: &DriverConfig, key: Key, reports: &[String]) {
        let tcp = self.network.candidates();
        let group = config.multicast.then(|| config.group.to_string());
        let listening = Listening {
            tcp: tcp.iter().map(Address::to_string).collect(),
            group: group.unwrap_or_else(|| "none".to_owned()),
            room: config.room.clone(),
            nick: config.nick.clone(),
            key,
        };
        self.ui.on_listening(self.now, &listening);
        if self.console.never_waits() {
            self.ui.keep_all_output();
        }
        if self.keeper.is_some() {
            self.ui.has_store();
        }
        if config.ui.mode == Mode::Interactive {
            (self.console).open_terminal(self.now, &mut self.ui, config.color, &listening);
        }
        if config.stdout_closed {
            self.console.note_stdout_closed(self.now, &mut self.ui);
        }
        for report in config.warnings.iter().chain(reports) {
            self.ui.warn(self.now, report);
        }
        if self.network.is_only_loopback() {
            let text = "no network interface is up but loopback: only nodes on this host are \
                        reached until one is";
            self.ui.warn(self.now, text);
        }
        if self.keeper.is_some() {
            self.starting = Some(Starting::default());
            self.flush_outputs();
        } else {
            self.start_node();
        }
    }

    /// A turn of the loop before the node's start.
    pub(super) fn turn_before_start(&mut self) -> Result<Flow, StartError> {
        let planned = self.next_deadline_before_start();
        self.now = self.sleeper.sleep(planned).map_err(waiting_failed)?;
        // Nobody has counted on this node yet.
        self.sleeper.take_away();
        if self.sort_events() == Some(SignalRequest::End) {
            return Ok(Flow::End);
        }
        self.read_stdin();
        wake::meet_user_deadline(&mut self.ui, self.now);
        self.hold_commands();
        let is_loaded = self.load_store()?;
        self.flush_outputs();
        self.console.stop_if_wanted(&mut self.ui);
        let gives_up = (self.starting.as_ref())
            .and_then(|s| s.leaves_at)
            .is_some_and(|at| at <= self.now.time);
        if let Some(keeper) = self.keeper.as_mut().filter(|_| gives_up && !is_loaded) {
            keeper.give_up(self.now, &mut self.node);
        }
        if is_loaded || gives_up {
            self.start_node();
        }
        Ok(Flow::On)
    }

    fn next_deadline_before_start(&mut self) -> Option<Time> {
        let now = self.now.time;
        let holds = self.starting.as_ref();
        let may_take = holds.is_none_or(Starting::has_room);
        if may_take && (self.console.has_work() || self.may_read_stdin()) {
            return Some(now);
        }
        let leaves_at = holds.and_then(|s| s.leaves_at);
        let store = self.keeper.as_ref().and_then(|k| k.loads_at(now));
        let user = wake::user_deadline(&self.ui, now);
        [user, store, leaves_at].into_iter().flatten().min()
    }

    /// Takes what the user wants; what the node is to do is kept for it.
    fn hold_commands(&mut self) {
        let Some(mut allowance) = self.console.begin_commands(false) else {
            return;
        };
        let status = DriverStatus {
            queued_bytes: 0,
            uptime: self.now.time.since(Time(0)),
        };
        let Some(starting) = &mut self.starting else {
            return;
        };
        // The wish to leave is the last one, and waits for no room.
        let leaves = self.ui.is_late() || self.console.is_stopping();
        while allowance.is_left() && (starting.has_room() || leaves) {
            let Some(command) = self.ui.poll_command(self.now, &self.node, status) else {
                return;
            };
            allowance.take(&command);
            starting.hold(self.now.time, command);
        }
        self.console.note_work();
    }

    /// Reads the store a piece further; true once everything is read.
    fn load_store(&mut self) -> Result<bool, StartError> {
        let (node, now) = (&mut self.node, self.now);
        let Some(keeper) = &mut self.keeper else {
            return Ok(true);
        };
        let load = keeper.load(now, node)?;
        for words in &load.words {
            self.ui.warn(now, words);
        }
        Ok(load.is_done)
    }

    /// The node starts to look for its room.
    pub(super) fn start_node(&mut self) {
        self.look_again();
        self.node.start(self.now, &mut self.outbox);
        self.carry_out();
        self.follow_names();
        let held = self.starting.take().unwrap_or_default();
        for command in held.commands {
            self.feed(Input::Command(command));
        }
        self.finish_turn();
    }
}

/// The loop cannot wait for events.
pub(super) fn waiting_failed(e: io::Error) -> StartError {
    StartError::System("wait for events", e)
}

/// The system gives no randomness, without which nobody can prove who they are.
fn no_randomness() -> StartError {
    StartError::System("make a key", io::Error::other("no randomness"))
}

/// Unpredictable bits: the standard library keys its hash maps from the system's entropy.
fn entropy() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}

fn node_config(config: &DriverConfig, key: Key, network: &Network, at: SocketAddr) -> Config {
    Config {
        room: config.room.clone(),
        nick: config.nick.clone(),
        key,
        port: at.port(),
        addresses: network.candidates(),
        peers: names::peers(&config.peers),
        heartbeat: config.heartbeat,
        failure_timeout: config.failure_timeout,
        history_max: config.history_max,
        // What is stored is the whole history: with a hole in it nobody could compare it.
        wants_history: config.wants_history || config.store.is_some(),
        confirms_printed: config.ui.confirms_printed,
        unstable_bytes_max: crate::limits::UNSTABLE_BYTES_MAX,
        waiting_max: crate::limits::WAITING_MAX,
        #[cfg(feature = "weaknesses")]
        weakened: None,
    }
}
