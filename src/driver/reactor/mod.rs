//! The loop and its order.
//!
//! Owns what a process has, and its rooms. It gives each room its turn, and decides nothing of what a room does in
//! it.
//!
//! One turn: sleep; note the time, and whether this process was away; signals; then a turn of each room, whose order
//! is that of [`Turn`](super::carrier::Turn): bounded reads (datagrams, accepts, streams, stdin); timers; the user's
//! commands; the end of the node's turn; then, before the next sleep, write what is queued. Nothing in a turn waits,
//! and each part is bounded, so that no flood from anywhere starves the timers, those of another room included. What is
//! left over is taken up in the next turn, after a sleep of length zero.
//!
//! | file | subject |
//! | --- | --- |
//! | `process` | what a process has |
//! | `room` | what a room has, and its turn |
//! | `rooms` | which rooms there are, and their order |
//! | `wishes` | what the user wants of the rooms |
//! | `seen` | which of them a terminal shows, and what it shows of the others |
//! | `sleep` | the sleep between two turns, and whether the process was away |
//! | `farewell` | until when the end is waited for, and the exit status |

mod farewell;
mod process;
mod room;
mod rooms;
mod seen;
mod sleep;
mod wishes;

use crate::node::Time;

use super::carrier::OwnPoll;
use super::config::{DriverConfig, Joins};
use super::console::SignalRequest;
use super::descriptors;
use super::start_error::{StartError, system};
use super::status::{STATUS_INTERRUPTED, STATUS_UNPRINTED};
use super::tokens::RoomNo;
use farewell::{Farewell, Peers};
use process::Process;
use room::Room;
use rooms::Rooms;
use seen::Seen;

/// Where the loop goes after a turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Flow {
    /// On.
    On,
    /// Each node has left.
    Left,
    /// Out, at once.
    End,
}

/// The process and its rooms.
pub(super) struct Reactor {
    process: Process,
    rooms: Rooms,
    joins: Joins,
    /// There was more than one room at some time: each line and each event names its room.
    is_named: bool,
    /// The worst that a room has ended with while others went on.
    worst: u8,
    seen: Seen,
}

impl Reactor {
    /// Opens everything, and starts a node in each room. What concerns the process is taken from the first.
    pub(in crate::driver) fn new(
        rooms: &[DriverConfig],
        joins: Joins,
    ) -> Result<Reactor, StartError> {
        let [first, ..] = rooms else {
            return Err(StartError::Option("--room: there is none".to_owned()));
        };
        let mut reactor = Reactor {
            process: Process::open(first)?,
            rooms: Rooms::new(),
            joins,
            is_named: rooms.len() > 1,
            worst: 0,
            seen: Seen::default(),
        };
        for config in rooms {
            reactor.open(config)?;
        }
        Ok(reactor)
    }

    /// Opens a room behind the others.
    fn open(&mut self, config: &DriverConfig) -> Result<(), StartError> {
        let no = self.rooms.next_no();
        let mut own_poll = None;
        if no != RoomNo(0) {
            descriptors::allow_all();
            let opened = OwnPoll::open(&self.process.registry()?, no.token());
            own_poll = Some(opened.map_err(system("create a poll"))?);
        }
        let is_named = self.is_named || self.rooms.len() > 0;
        let told = (self.rooms.len() == 0, is_named);
        let room = Room::open(config, &mut self.process, (no, own_poll), told)?;
        if is_named && !std::mem::replace(&mut self.is_named, true) {
            for room in self.rooms.iter_mut() {
                let name = room.name().to_owned();
                room.ui_mut().name_room(&name);
            }
        }
        self.rooms.add(room);
        Ok(())
    }

    /// Runs the loop until each node has left or a second SIGINT came.
    pub(super) fn run(mut self) -> Result<u8, StartError> {
        loop {
            match self.turn()? {
                Flow::On => {}
                Flow::Left => return self.farewell(),
                Flow::End => return Ok(STATUS_INTERRUPTED),
            }
        }
    }

    fn turn(&mut self) -> Result<Flow, StartError> {
        let planned = self.next_deadline();
        self.process.sleep(planned)?;
        let front = self.rooms.front();
        for (at, room) in self.rooms.iter_mut().enumerate() {
            room.begin_turn(&self.process, at == front);
        }
        if self.sort_events() == Some(SignalRequest::End) {
            return Ok(Flow::End);
        }
        let console = self.process.console_mut();
        console.begin_turn();
        if console.take_trace() {
            self.rooms.iter_mut().for_each(Room::wish_trace);
        }
        for at in self.rooms.round() {
            let turn = self.rooms.get_mut(at).turn(&mut self.process);
            match turn {
                Err(e) if self.rooms.len() == 1 => return Err(e),
                Err(e) => self.fail(at, &e),
                Ok(()) => {}
            }
        }
        self.follow_wishes();
        if self.rooms.len() > 1 {
            self.level();
        }
        if self.is_named {
            let (process, rooms) = (&mut self.process, &mut self.rooms);
            self.seen.show_others(process, rooms);
        }
        let ui = self.rooms.get_mut(self.rooms.front()).ui_mut();
        self.process.console_mut().stop_if_wanted(ui);
        if self.rooms.iter().all(Room::has_left) {
            return Ok(Flow::Left);
        }
        self.end_rooms();
        Ok(Flow::On)
    }

    /// What one room met with that concerns all is told to the others.
    fn level(&mut self) {
        let now = self.process.now();
        if self.process.console().is_stopping() {
            self.leave_all(self.process.console().is_unread());
        }
        if self.rooms.get(self.rooms.front()).ui().has_said_all() {
            // Nothing more comes for any room.
            for room in self.rooms.iter_mut() {
                room.ui_mut().on_input_end(now);
            }
        }
        for at in 0..self.rooms.len() {
            let counted = self.rooms.get_mut(at).ui_mut().take_counted();
            if counted > 0 {
                let others = self.rooms.iter_mut().enumerate().filter(|(n, _)| *n != at);
                others.for_each(|(_, room)| room.ui_mut().count_elsewhere(now, counted));
            }
        }
    }

    /// When the next turn begins at the latest; now or in the past if there is something to do.
    fn next_deadline(&mut self) -> Option<Time> {
        let console = self.process.console();
        if console.has_work() && self.rooms.iter().any(Room::may_take) {
            return Some(self.process.now().time);
        }
        let deadlines = (self.rooms.iter_mut()).map(|room| room.next_deadline(console));
        deadlines.flatten().min()
    }

    /// Notes which sources are ready. What signals ask for is passed on.
    fn sort_events(&mut self) -> Option<SignalRequest> {
        let Reactor { process, rooms, .. } = self;
        let signalled = process.sort_events(|event| {
            rooms
                .iter_mut()
                .for_each(|room| room.on_process_event(event));
        });
        rooms.iter_mut().for_each(Room::sort_own_events);
        let now = process.now();
        let ui = rooms.get_mut(rooms.front()).ui_mut();
        let console = process.console_mut();
        signalled.then(|| console.on_signals(now, ui)).flatten()
    }

    /// Ends in good order; the result is the exit status. What is queued for peers is written, and their
    /// ends are waited for; then the outputs are written out.
    fn farewell(mut self) -> Result<u8, StartError> {
        self.rooms.iter_mut().for_each(Room::close);
        let ends_at = self.rooms.iter().map(|room| room.ui().ends_at());
        // As long as the longest takes.
        let ends_at = ends_at.max_by_key(|at| (at.is_none(), *at)).flatten();
        let mut farewell = Farewell::new(self.process.now().time, ends_at);
        loop {
            self.process.console_mut().begin_round();
            let (mut peers, mut closed) = (Peers::Gone, None);
            for room in self.rooms.iter_mut() {
                // What it has to say is written with the rest.
                let closes_at = room.go_on_closing(self.process.now());
                closed = [closed, closes_at].into_iter().flatten().min();
                peers = peers.max(room.say_farewell(&mut self.process));
            }
            let (now, console) = (self.process.now().time, self.process.console());
            farewell.on_round(now, console);
            let until = farewell.waits_until(now, console, peers, self.process.runner());
            let Some(until) = [until, closed].into_iter().flatten().min() else {
                break;
            };
            self.process.wait(until)?;
            if self.sort_events() == Some(SignalRequest::End) {
                return Ok(STATUS_INTERRUPTED);
            }
            self.rooms.iter_mut().for_each(Room::hear_nobody);
        }
        Ok(self.exit_status(&farewell))
    }

    /// What papo ends with: the worst of what its rooms end with.
    fn exit_status(&mut self, farewell: &Farewell) -> u8 {
        let (mut status, mut unrun) = (self.worst, self.process.runner().running() as u64);
        let mut dropped = 0;
        let console = self.process.console_mut();
        for room in self.rooms.iter_mut() {
            let ui = room.ui_mut();
            unrun += ui.waiting_runs();
            dropped += ui.dropped();
            status = status.max(ui.exit_status().unwrap_or(0));
        }
        let mut said = u8::from(unrun > 0);
        let has_terminal = console.has_terminal();
        let front = self.rooms.front();
        for (n, room) in self.rooms.iter_mut().enumerate() {
            let ui = room.ui_mut();
            if n == 0 && unrun > 0 {
                ui.say_unrun(unrun);
                console.flush_stderr(ui);
            }
            if n == 0
                && let Some(reason) = console.failure()
            {
                ui.say_failed(reason, dropped);
                console.flush_stderr(ui);
            }
            // What a terminal has not shown since another room was seen is missed by nobody.
            if n == front || !has_terminal {
                said = said.max(farewell.say_unprinted(ui, console));
            }
        }
        if console.failure().is_some() || console.is_stdin_left() {
            status.max(STATUS_UNPRINTED)
        } else {
            status.max(said)
        }
    }
}
