//! The start: a room is put together, and its node starts; after its store was read, if it has one.
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

use super::super::super::carrier::{OwnPoll, Turn as _};
use super::super::super::complaints::Complaints;
use super::super::super::config::DriverConfig;
use super::super::super::console::Console;
use super::super::super::cuts::Cuts;
use super::super::super::keeper::Keeper;
use super::super::super::names::{self, Names};
use super::super::super::network::Network;
use super::super::super::start_error::{StartError, system};
use super::super::super::streams::Streams;
use super::super::super::tokens::{LOOKUPS, RoomNo};
use super::super::super::tracing::Tracing;
use super::super::super::wheel::Wheel;
use super::super::process::Process;
use super::opening::Opened;
use super::{End, Room, wake};

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

impl Room {
    /// Opens everything that a room has, and starts its node.
    /// A room without a poll of its own has its sources in that of the process. `is_named`: each line and each
    /// event is to name it; `is_front`: see [`Room::begin_turn`].
    pub(in super::super) fn open(
        config: &DriverConfig,
        process: &mut Process,
        (no, own_poll): (RoomNo, Option<OwnPoll>),
        (is_front, is_named): (bool, bool),
    ) -> Result<Room, StartError> {
        let another = || match &own_poll {
            Some(own) => own.registry().map_err(system("create a poll")),
            None => process.registry(),
        };
        let (registry, names) = (another()?, another()?);
        let opened = Opened::open(config, &registry)?;
        let (network, reports) = (opened.network, opened.reports);
        let rng = fastrand::Rng::with_seed(entropy());
        let own =
            Credentials::new(&config.room, config.person.as_ref()).ok_or_else(no_randomness)?;
        let (key, owner) = (own.key(), own.owner());
        let now = process.now();
        let mut node = Node::new(node_config(config, key, &network, opened.at), rng);
        let tracing = Tracing::new(&config.trace, &config.room, now, &mut node)?;
        let keeper = Keeper::open(config, &registry, now)?;
        let mut room = Room {
            no,
            own_poll,
            names: Names::new(names, LOOKUPS, &config.peers, config.ui.waits_for_room()),
            wheel: Wheel::new(now.time),
            node,
            keeper,
            outbox: Outbox::new(),
            ui: Ui::new(config.ui.clone()),
            complaints: Complaints::default(),
            streams: Streams::new(registry, network.sources(), own, config.secret.clone()),
            network,
            listener: opened.listener,
            name: config.room.clone(),
            tracing,
            cuts: config.cuts.clone().map(Cuts::new),
            is_trace_wished: false,
            starting: None,
            left: false,
            is_parted: false,
            is_front,
            end: End::default(),
            absences: process.absences(),
            now,
        };
        if is_named {
            room.ui.name_room(&config.room);
        }
        let oneself = Peer { key, owner };
        room.ui.on_met(now, oneself, &room.node);
        room.start(config, key, &reports, process);
        Ok(room)
    }

    fn start(
        &mut self,
        config: &DriverConfig,
        key: Key,
        reports: &[String],
        process: &mut Process,
    ) {
        let console = process.console_mut();
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
        if console.never_waits() {
            self.ui.keep_all_output();
        }
        if self.keeper.is_some() {
            self.ui.has_store();
        }
        if config.ui.mode == Mode::Interactive {
            console.open_terminal(self.now, &mut self.ui, config.color, &listening);
            if !self.is_front {
                // There is no prompt yet that would have to be taken away.
                self.ui.go_behind(&mut Vec::new());
            }
        }
        if config.stdout_closed {
            console.note_stdout_closed(self.now, &mut self.ui);
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
            self.flush_outputs(console);
        } else {
            self.start_node(process);
        }
    }

    /// A turn of the loop before the node's start.
    pub(super) fn turn_before_start(&mut self, process: &mut Process) -> Result<(), StartError> {
        let console = process.console_mut();
        if self.is_front {
            self.read_stdin(console);
        }
        wake::meet_user_deadline(&mut self.ui, self.now);
        self.hold_commands(console);
        let is_loaded = self.load_store()?;
        self.flush_outputs(console);
        let gives_up = (self.starting.as_ref())
            .and_then(|s| s.leaves_at)
            .is_some_and(|at| at <= self.now.time);
        if let Some(keeper) = self.keeper.as_mut().filter(|_| gives_up && !is_loaded) {
            keeper.give_up(self.now, &mut self.node);
        }
        if is_loaded || gives_up {
            self.start_node(process);
        }
        Ok(())
    }

    pub(super) fn next_deadline_before_start(&self, console: &Console) -> Option<Time> {
        let now = self.now.time;
        let holds = self.starting.as_ref();
        let may_take = holds.is_none_or(Starting::has_room);
        if may_take && self.is_front && self.may_read_stdin(console) {
            return Some(now);
        }
        let leaves_at = holds.and_then(|s| s.leaves_at);
        let store = self.keeper.as_ref().and_then(|k| k.loads_at(now));
        let user = wake::user_deadline(&self.ui, now);
        [user, store, leaves_at].into_iter().flatten().min()
    }

    /// False while nothing more can be kept for the node's start.
    pub(in super::super) fn may_take(&self) -> bool {
        self.starting.as_ref().is_none_or(Starting::has_room)
    }

    /// Takes what the user wants; what the node is to do is kept for it.
    fn hold_commands(&mut self, console: &mut Console) {
        let Some(mut allowance) = console.begin_commands(false) else {
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
        let leaves = self.ui.is_late() || console.is_stopping();
        while allowance.is_left() && (starting.has_room() || leaves) {
            let Some(command) = self.ui.poll_command(self.now, &self.node, status) else {
                return;
            };
            allowance.take(&command);
            starting.hold(self.now.time, command);
        }
        console.note_work();
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
    fn start_node(&mut self, process: &mut Process) {
        self.look_again();
        self.node.start(self.now, &mut self.outbox);
        self.carry_out();
        self.follow_names();
        let held = self.starting.take().unwrap_or_default();
        for command in held.commands {
            self.feed(Input::Command(command));
        }
        self.finish(process);
    }
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
        unstored_bytes_max: crate::limits::UNSTORED_BYTES_MAX,
        waiting_max: crate::limits::WAITING_MAX,
        #[cfg(feature = "weaknesses")]
        weakened: None,
    }
}
