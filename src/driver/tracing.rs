//! The trace of a running node: from the command line, or from `/trace`.
//!
//! Owns the tap and the files, if there is a trace. A trace that cannot be written ends, and the user is told;
//! the node goes on. With no trace each call is one branch.

use std::net::SocketAddr;
use std::path::Path;

use crate::limits::TRACE_WAITING_MAX;
use crate::node::{Input, Node, Now, Outbox, Time};
use crate::timing::{TRACE_WRITES_AT_ONCE, TRACE_WRITES_PER_SECOND, TRACE_WRITTEN_EVERY};
use crate::trace::{Ring, Tap};
use crate::ui::visible::{Tab, visible};

use super::bucket::{Allowed, Bucket};
use super::config::TraceConfig;
use super::start_error::StartError;
use super::streams::Streams;

/// The trace of one node.
#[derive(Debug)]
pub(super) struct Tracing {
    on: Option<Box<(Tap, Ring)>>,
    room: String,
    max: u64,
    texts: bool,
    /// When lines were last written.
    written: Time,
    /// How often they may be.
    pace: Bucket,
    /// What was written, for its memory.
    spare: Vec<u8>,
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
            written: Time(0),
            pace: Bucket::full(pace(), now.time),
            spare: Vec::new(),
        };
        if let Some(path) = &config.path {
            let begun = tracing.begin(now, node, path, false);
            begun.map_err(|words| StartError::Option(format!("--trace {words}")))?;
        }
        Ok(tracing)
    }

    /// What a signal asks for: the end of the trace that there is, or one in a file that is named by the process.
    pub(super) fn other_way(&self) -> String {
        match self.on {
            Some(_) => "off".to_owned(),
            None => format!("papo-{}.trace", std::process::id()),
        }
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
                let written = on.1.append(on.0.lines());
                node.set_traced(false);
                match written {
                    Ok(()) => format!("the trace ends; papo trace {} draws it", shown(on.1.path())),
                    Err(e) => format!("the trace ends: {}: {e}", shown(on.1.path())),
                }
            }
            (path, before) => {
                if let Some(mut on) = before {
                    // What it lacks is of no use to a trace that the user has given up.
                    let _ = on.1.append(on.0.lines());
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
        let ring = Ring::open(path, self.max).map_err(fail)?;
        let mut tap = Tap::new(node.key(), &self.room, self.texts);
        node.set_traced(true);
        tap.head(now, node, late);
        self.on = Some(Box::new((tap, ring)));
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

    /// When lines that wait are to be written.
    pub(super) fn deadline(&mut self) -> Option<Time> {
        let waits = !self.on.as_mut()?.0.lines().is_empty();
        waits.then(|| self.due_at())
    }

    fn due_at(&self) -> Time {
        (self.written + TRACE_WRITTEN_EVERY).max(self.pace.ready_at(pace()))
    }

    /// At the end of each turn: writes what waits, if it is time to, or the node's end. What the user is to be told of a
    /// failure.
    pub(super) fn flush(&mut self, now: Now, node: &mut Node, is_end: bool) -> Option<String> {
        let due_at = self.due_at();
        let (tap, ring) = &mut **self.on.as_mut()?;
        let waiting = tap.lines().len();
        let is_due = is_end || waiting >= TRACE_WAITING_MAX || now.time >= due_at;
        if waiting == 0 || !is_due {
            return None;
        }
        self.written = now.time;
        self.pace.take(pace(), now.time);
        std::mem::swap(tap.lines(), &mut self.spare);
        let mut rest = self.spare.as_slice();
        let mut written = Ok(());
        while !rest.is_empty() && written.is_ok() {
            let fit = ring.fits(rest);
            if fit == 0 {
                written = ring.turn();
                tap.head(now, node, false);
                let head = std::mem::take(tap.lines());
                written = written.and_then(|()| ring.head(&head));
                continue;
            }
            let (fitting, later) = rest.split_at(fit);
            written = ring.append(fitting);
            rest = later;
        }
        self.spare.clear();
        self.spare.shrink_to(2 * TRACE_WAITING_MAX);
        let error = written.err()?;
        let words = format!("{}: the trace ends: {error}", shown(ring.path()));
        self.on = None;
        node.set_traced(false);
        Some(words)
    }
}

/// How often lines are written.
fn pace() -> Allowed {
    Allowed::new(TRACE_WRITES_AT_ONCE, TRACE_WRITES_PER_SECOND)
}

/// The name of a link that both ends have: the dialler's address first.
fn wire((own, peer): (SocketAddr, SocketAddr), dialled: bool) -> String {
    let plain = |at: SocketAddr| SocketAddr::new(at.ip().to_canonical(), at.port());
    let (from, to) = if dialled { (own, peer) } else { (peer, own) };
    format!("{}-{}", plain(from), plain(to))
}

fn shown(path: &Path) -> String {
    visible(&path.to_string_lossy(), Tab::Escape)
}
