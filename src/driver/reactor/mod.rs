//! The loop and its order.
//!
//! Owns what a process has, and its rooms. It gives each room its turn, and decides nothing of what a room does in
//! it.
//!
//! One turn: sleep; note the time, and whether this process was away; signals; then, for each room, bounded reads
//! (datagrams, accepts, streams, stdin); timers; the user's commands; the end of the node's turn; then,
//! before the next sleep, write what is queued. Nothing in a turn waits, and each part is bounded, so
//! that no flood from anywhere starves the timers, those of another room included. What is left over is taken up in
//! the next turn, after a sleep of length zero.
//!
//! | file | subject |
//! | --- | --- |
//! | `process` | what a process has |
//! | `room` | what a room has, and its turn |
//! | `sleep` | the sleep between two turns, and whether the process was away |
//! | `farewell` | until when the end is waited for, and the exit status |

mod farewell;
mod process;
mod room;
mod sleep;

use crate::node::Time;

use super::config::DriverConfig;
use super::console::SignalRequest;
use super::start_error::StartError;
use super::status::STATUS_INTERRUPTED;
use process::Process;
use room::Room;

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
    rooms: Vec<Room>,
    /// The room to which stdin goes.
    front: usize,
}

impl Reactor {
    /// Opens everything, and starts the node.
    pub(in crate::driver) fn new(config: DriverConfig) -> Result<Reactor, StartError> {
        let mut process = Process::open(&config)?;
        let room = Room::open(&config, &mut process)?;
        Ok(Reactor {
            process,
            rooms: vec![room],
            front: 0,
        })
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
        for room in &mut self.rooms {
            room.begin_turn(&self.process);
        }
        if self.sort_events() == Some(SignalRequest::End) {
            return Ok(Flow::End);
        }
        self.process.console_mut().begin_turn();
        for (n, room) in self.rooms.iter_mut().enumerate() {
            room.turn(&mut self.process, n == self.front)?;
        }
        let ui = self.rooms[self.front].ui_mut();
        self.process.console_mut().stop_if_wanted(ui);
        Ok(if self.rooms.iter().all(Room::has_left) {
            Flow::Left
        } else {
            Flow::On
        })
    }

    /// When the next turn begins at the latest; now or in the past if there is something to do.
    fn next_deadline(&mut self) -> Option<Time> {
        let console = self.process.console();
        if console.has_work() && self.rooms[self.front].may_take() {
            return Some(self.process.now().time);
        }
        let rooms = self.rooms.iter_mut().enumerate();
        let deadlines = rooms.map(|(n, room)| room.next_deadline(console, n == self.front));
        deadlines.flatten().min()
    }

    /// Notes which sources are ready. What signals ask for is passed on.
    fn sort_events(&mut self) -> Option<SignalRequest> {
        let Reactor {
            process,
            rooms,
            front,
        } = self;
        let room = &mut rooms[*front];
        let signalled = process.sort_events(|event| room.on_event(event));
        let now = process.now();
        let console = process.console_mut();
        signalled
            .then(|| console.on_signals(now, room.ui_mut()))
            .flatten()
    }
}
