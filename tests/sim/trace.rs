//! The trace: one line for each thing that happens, kept only where somebody wants to read it; and, where a file
//! is named, what every node does, as `papo trace` reads it.
//!
//! Owns the text, and the file. It must never change what happens: a run with a trace and one without are the
//! same run.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use papo::node::{Effect, Input, Node, Now};
use papo::trace::Tap;
use papo::wire::Key;

use super::agenda::RunId;
use super::scenario::seconds;

#[derive(Debug, Default)]
pub struct Trace {
    /// How many of the last lines are kept; none by default.
    kept: usize,
    lines: VecDeque<String>,
    file: Option<TraceFile>,
}

/// A file that `papo trace` reads, with a tap on each node.
#[derive(Debug)]
struct TraceFile {
    out: BufWriter<File>,
    taps: BTreeMap<RunId, Tap>,
    /// Who is cut from whom, as far as that was written.
    cut: BTreeSet<(RunId, Key)>,
}

/// Where a trace of this seed goes if nobody names a file.
pub fn usual_file(seed: u64) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sim-{seed}.trace"))
}

impl Trace {
    pub fn keeping(kept: usize) -> Trace {
        Trace {
            kept,
            ..Trace::default()
        }
    }

    /// The same, and all that the nodes do goes into a new file.
    pub fn with_file(self, path: &Path) -> Trace {
        let file = File::create(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let file = Some(TraceFile {
            out: BufWriter::new(file),
            taps: BTreeMap::new(),
            cut: BTreeSet::new(),
        });
        Trace { file, ..self }
    }

    /// A node is about to start.
    pub fn tap(&mut self, run: RunId, now: Now, node: &mut Node) {
        if let Some(file) = &mut self.file {
            node.set_traced(true);
            let mut tap = Tap::new(node.key(), "room", false);
            tap.head(now, node, false);
            file.taps.insert(run, tap);
        }
    }

    /// A node is given an input; `wire` names a stream.
    pub fn input(&mut self, run: RunId, now: Now, input: &Input, wire: impl FnOnce() -> String) {
        self.with(run, |tap| tap.input(now, input, |_| wire()));
    }

    /// What a node wants done.
    pub fn output(&mut self, run: RunId, now: Now, node: &Node, effects: &[Effect]) {
        self.with(run, |tap| tap.output(now, node, effects));
    }

    /// What is done to a process.
    pub fn fate(&mut self, run: RunId, now: Now, fate: &str, peer: Option<Key>) {
        if let (Some(file), Some(peer)) = (&mut self.file, peer) {
            let is_news = match fate {
                "cut" => file.cut.insert((run, peer)),
                _ => file.cut.remove(&(run, peer)),
            };
            if !is_news {
                return;
            }
        }
        self.with(run, |tap| tap.fate(now, fate, peer));
    }

    fn with(&mut self, run: RunId, does: impl FnOnce(&mut Tap)) {
        if let Some(file) = &mut self.file
            && let Some(tap) = file.taps.get_mut(&run)
        {
            does(tap);
            file.out.write_all(tap.lines()).expect("a disk with room");
            tap.lines().clear();
        }
    }

    pub fn add(&mut self, now: u64, line: impl FnOnce() -> String) {
        if self.kept == 0 {
            return;
        }
        if self.lines.len() >= self.kept {
            self.lines.pop_front();
        }
        self.lines
            .push_back(format!("{:>11} {}", seconds(now), line()));
    }

    pub fn into_lines(self) -> Vec<String> {
        self.lines.into()
    }
}

/// The names of all things are short, so that a line stays one.
pub fn short(what: &impl std::fmt::Debug) -> String {
    let mut text = format!("{what:?}");
    if text.len() > 400 {
        let mut end = 400;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}
