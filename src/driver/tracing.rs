//! The trace of a running node: from the command line, or from `/trace`.
//!
//! Owns the tap and the files, if there is a trace. A trace that cannot be written ends, and the user is told;
//! the node goes on. With no trace each call is one branch.

use std::io;
use std::net::SocketAddr;
use std::path::Path;

use crate::limits::TRACE_WAITING_MAX;
use crate::node::{Input, Node, Now, Outbox, Time};
use crate::platform::reason;
use crate::trace::Tap;
use crate::ui::visible::{Tab, visible};
use crate::wire::Key;

use super::config::TraceConfig;
use super::start_error::StartError;
use super::streams::Streams;
use super::trace_file::TraceFile;

/// The trace of one node.
#[derive(Debug)]
pub(super) struct Tracing {
    on: Option<Box<(Tap, TraceFile)>>,
    room: String,
    max: u64,
    texts: bool,
}

impl Tracing {
    /// The trace that the command line wants.
    pub(super) fn new(
        config: &TraceConfig,
        room: &str,
        now: Now,
        node: &mut Node,
    ) -> Result<Tracing, StartError> {
        let mut tracing = Tracing {
            on: None,
            room: room.to_owned(),
            max: config.max,
            texts: config.texts,
        };
        if let Some(path) = &config.path {
            let begun = tracing.begin(now, node, path, false);
            begun.map_err(|words| StartError::Option(format!("--trace {words}")))?;
        }
        Ok(tracing)
    }

    /// What a signal asks for: the end of the trace that there is, or one in a file that is named by the process.
    pub(super) fn other_way(&self) -> String {
        other_way(self.on.is_some())
    }

    /// What `/trace` asks for; the answer.
    pub(super) fn obey(&mut self, now: Now, node: &mut Node, wish: &str) -> String {
        match (wish, self.on.take()) {
            ("", None) => "no trace is written; /trace FILE begins one".to_owned(),
            ("", Some(on)) => {
                let words = format!(
                    "/trace: what this node does is written to {}",
                    shown(on.1.path())
                );
                self.on = Some(on);
                words
            }
            ("off", None) => "/trace off: no trace was written".to_owned(),
            ("off", Some(mut on)) => {
                let written = write_last(&mut on);
                node.set_traced(false);
                match written {
                    Ok(()) => format!("the trace ends; papo trace {} draws it", shown(on.1.path())),
                    Err(e) => format!("the trace ends: {}: {e}", shown(on.1.path())),
                }
            }
            (path, before) => {
                if let Some(mut on) = before {
                    // What it lacks is of no use to a trace that the user has given up.
                    let _ = write_last(&mut on);
                }
                match self.begin(now, node, Path::new(path), true) {
                    Ok(()) => format!(
                        "what this node does is written to {}",
                        visible(path, Tab::Escape)
                    ),
                    Err(words) => {
                        node.set_traced(false);
                        format!("/trace {words}; no trace is written")
                    }
                }
            }
        }
    }

    fn begin(&mut self, now: Now, node: &mut Node, path: &Path, late: bool) -> Result<(), String> {
        let fail = |words: String| format!("{}: it {words}", shown(path));
        let file = TraceFile::open(path, self.max, now.time).map_err(fail)?;
        let mut tap = Tap::new(node.key(), &self.room, self.texts);
        node.set_traced(true);
        tap.head(now, node, late);
        self.on = Some(Box::new((tap, file)));
        Ok(())
    }

    /// Before an input.
    pub(super) fn input(&mut self, now: Now, input: &Input, streams: &Streams) {
        if let Some(on) = &mut self.on {
            on.0.input(now, input, |link| {
                let ends = streams.ends(link);
                let dialled = matches!(input, Input::Connected { .. });
                ends.map(|ends| wire(ends, dialled)).unwrap_or_default()
            });
        }
    }

    /// After an input, and at the end of a turn.
    pub(super) fn output(&mut self, now: Now, node: &Node, effects: &Outbox) {
        if let Some(on) = &mut self.on {
            on.0.output(now, node, effects);
        }
    }

    /// What a lesson has done to the process.
    pub(super) fn fate(&mut self, now: Now, fate: &str, peer: Key) {
        if let Some(on) = &mut self.on {
            on.0.fate(now, fate, Some(peer));
        }
    }

    /// When lines that wait are to be written.
    pub(super) fn deadline(&mut self) -> Option<Time> {
        let on = self.on.as_mut()?;
        (!on.0.lines().is_empty()).then(|| on.1.due_at())
    }

    /// At the end of each turn: writes what waits, if it is time to, or the node's end. What the user is to be told of a
    /// failure.
    pub(super) fn flush(&mut self, now: Now, node: &mut Node, is_end: bool) -> Option<String> {
        let (tap, file) = &mut **self.on.as_mut()?;
        let waiting = tap.lines().len();
        if waiting == 0 || !(is_end || file.is_due(now.time, waiting)) {
            return None;
        }
        let mut lines = std::mem::take(tap.lines());
        let written = file.write(now.time, &lines, &mut || head(now, node, tap));
        // The next lines go where these were: that memory is in the processor's cache.
        lines.clear();
        lines.shrink_to(2 * TRACE_WAITING_MAX);
        *tap.lines() = lines;
        let error = written.err()?;
        let words = format!("{}: the trace ends: {}", shown(file.path()), reason(&error));
        self.on = None;
        node.set_traced(false);
        Some(words)
    }
}

/// How the node stands, for a new file.
fn head(now: Now, node: &Node, tap: &mut Tap) -> Vec<u8> {
    tap.head(now, node, false);
    std::mem::take(tap.lines())
}

/// Writes all that waits, at the end of a trace.
fn write_last((tap, file): &mut (Tap, TraceFile)) -> io::Result<()> {
    let lines = std::mem::take(tap.lines());
    file.append(&lines)
}

impl Drop for Tracing {
    fn drop(&mut self) {
        if let Some(on) = &mut self.on {
            // Papo ends: there is nobody left to be told of a failure.
            let _ = write_last(on);
        }
    }
}

/// What a signal asks for: the end of the trace that there is, or one in a file that is named by the process.
pub(super) fn other_way(is_on: bool) -> String {
    match is_on {
        true => "off".to_owned(),
        false => format!("papo-{}.trace", std::process::id()),
    }
}

/// The name of a link that both ends have: the dialler's address first.
pub(super) fn wire((own, peer): (SocketAddr, SocketAddr), dialled: bool) -> String {
    let plain = |at: SocketAddr| SocketAddr::new(at.ip().to_canonical(), at.port());
    let (from, to) = if dialled { (own, peer) } else { (peer, own) };
    format!("{}-{}", plain(from), plain(to))
}

pub(super) fn shown(path: &Path) -> String {
    visible(&path.to_string_lossy(), Tab::Escape)
}
