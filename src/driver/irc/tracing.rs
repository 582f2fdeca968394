//! The trace of `papo irc`: one file with what the nodes of all clients do.
//!
//! Owns the file and the lines that wait for it; each node has a tap of its own. A trace that cannot be written ends, which
//! is said once; the clients notice nothing.

use std::collections::BTreeMap;
use std::path::Path;

use crate::irc::SeatId;
use crate::limits::TRACE_WAITING_MAX;
use crate::node::{Now, Time};

use super::super::config::TraceConfig;
use super::super::start_error::StartError;
use super::super::trace_file::TraceFile;
use super::super::tracing::{other_way, shown};
use super::room::Room;

type Rooms = BTreeMap<SeatId, Room>;

/// The trace, if there is one.
#[derive(Debug)]
pub(super) struct Tracing {
    file: Option<TraceFile>,
    max: u64,
    texts: bool,
    /// Lines that wait.
    lines: Vec<u8>,
}

impl Tracing {
    /// The trace that the command line wants.
    pub(super) fn new(config: &TraceConfig, now: Now) -> Result<Tracing, StartError> {
        let mut tracing = Tracing {
            file: None,
            max: config.max,
            texts: config.texts,
            lines: Vec::new(),
        };
        if let Some(path) = &config.path {
            let opened = tracing.open(path, now);
            opened.map_err(|words| StartError::Option(format!("--trace {words}")))?;
        }
        Ok(tracing)
    }

    fn open(&mut self, path: &Path, now: Now) -> Result<(), String> {
        let fail = |words: String| format!("{}: it {words}", shown(path));
        self.file = Some(TraceFile::open(path, self.max, now.time).map_err(fail)?);
        Ok(())
    }

    /// Whether a node that starts is traced, and with what is said.
    pub(super) fn wanted(&self) -> Option<bool> {
        self.file.as_ref().map(|_| self.texts)
    }

    /// What a signal asks for: a trace begins, or ends.
    pub(super) fn on_signal(&mut self, now: Now, rooms: &mut Rooms) {
        let way = other_way(self.file.is_some());
        if let Some(mut file) = self.file.take() {
            rooms.values_mut().for_each(|room| self.take_from(room));
            let ended = file.append(&self.lines);
            self.stop(rooms);
            let path = shown(file.path());
            match ended {
                Ok(()) => log::warn!("the trace ends; papo trace {path} draws it"),
                Err(e) => log::warn!("the trace ends: {path}: {e}"),
            }
            return;
        }
        match self.open(Path::new(&way), now) {
            Ok(()) => {
                for room in rooms.values_mut() {
                    room.begin_trace(now, self.texts, true);
                    self.take_from(room);
                }
                log::warn!("what the nodes of all clients do is written to {way}");
            }
            Err(words) => log::warn!("no trace is written: {words}"),
        }
    }

    fn stop(&mut self, rooms: &mut Rooms) {
        self.file = None;
        self.lines = Vec::new();
        rooms.values_mut().for_each(Room::end_trace);
    }

    /// What a node did waits for the file.
    pub(super) fn take_from(&mut self, room: &mut Room) {
        if let Some(lines) = room.traced() {
            self.lines.append(lines);
        }
    }

    /// When lines that wait are to be written.
    pub(super) fn deadline(&self) -> Option<Time> {
        let file = self.file.as_ref()?;
        (!self.lines.is_empty()).then(|| file.due_at())
    }

    /// At the end of each turn: writes what waits, if it is time to.
    pub(super) fn flush(&mut self, now: Now, rooms: &mut Rooms) {
        let Some(file) = &mut self.file else {
            return;
        };
        if !file.is_due(now.time, self.lines.len()) {
            return;
        }
        let mut heads = || {
            let mut all = Vec::new();
            for room in rooms.values_mut() {
                all.extend(room.trace_head(now));
            }
            all
        };
        let written = file.write(now.time, &self.lines, &mut heads);
        self.lines.clear();
        self.lines.shrink_to(2 * TRACE_WAITING_MAX);
        if let Err(e) = written {
            log::warn!("{}: the trace ends: {e}", shown(file.path()));
            self.stop(rooms);
        }
    }
}

impl Drop for Tracing {
    fn drop(&mut self) {
        if let Some(file) = &mut self.file {
            // Papo ends: there is nobody left to be told of a failure.
            let _ = file.append(&self.lines);
        }
    }
}
