//! Reads trace files, whatever is in them.
//!
//! Owns what was read, sorted by node, and what was wrong with it, in words. It never believes a file: lines that
//! are no trace's are left out and counted, and what a file may make it hold has a limit.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use crate::limits::{
    TRACE_LINE_BYTES_MAX, TRACE_NODES_MAX, TRACE_READ_BYTES_MAX, TRACE_TEXT_ROWS_MAX,
};
use crate::platform::reason;
use crate::ui::visible::{Tab, visible};
use crate::wire::Key;

use super::format::{Line, VERSION, What};
use super::ring::{PARTS, part_of};

/// Times beyond this are no clock's: half of what fits into the numbers that times are reckoned with, twice.
const TIME_MAX: u64 = 1 << 60;

/// What one node wrote.
#[derive(Debug)]
pub struct NodeTrace {
    /// The node.
    pub key: Key,
    /// Its lines, in its order; times never fall.
    pub lines: Vec<Line>,
}

/// What the files have.
#[derive(Debug, Default)]
pub struct Traces {
    /// The nodes, in the order of their first lines on the wall clock.
    pub nodes: Vec<NodeTrace>,
    /// What was left out or put right, for the user.
    pub notes: Vec<String>,
}

/// Gathers the lines of all files.
#[derive(Debug, Default)]
struct Reader {
    nodes: BTreeMap<Key, Vec<Line>>,
    notes: Vec<String>,
    bytes: u64,
}

/// Reads these files, each with its older parts.
///
/// # Errors
///
/// What is wrong with the first one that is no trace or cannot be read, as one line.
pub fn read(paths: &[impl AsRef<Path>]) -> Result<Traces, String> {
    let mut reader = Reader::default();
    for path in paths.iter().map(AsRef::as_ref) {
        let mut read = 0;
        for part in (1..PARTS).rev().map(|part| part_of(path, part)) {
            if part.is_file() {
                read += reader.read_file(&part)?;
            }
        }
        let has_parts = read > 0;
        read += reader.read_file(path)?;
        if read == 0 && !has_parts {
            return Err(format!("{}: it is empty", shown(path)));
        }
    }
    Ok(reader.finish())
}

/// The same of lines that no file has.
///
/// # Errors
///
/// If they are no trace.
pub fn read_bytes(lines: &[u8]) -> Result<Traces, String> {
    let mut reader = Reader::default();
    reader.read_lines(Path::new("the trace"), lines)?;
    Ok(reader.finish())
}

impl Reader {
    /// How many lines of this file are a trace's.
    fn read_file(&mut self, path: &Path) -> Result<u64, String> {
        let fail = |words: &str| format!("{}: {words}", shown(path));
        let no_file = |e| {
            fail(&format!(
                "cannot be read: {}; name what --trace has written",
                reason(&e)
            ))
        };
        let file = File::open(path).map_err(no_file)?;
        let is_directory = file.metadata().is_ok_and(|m| m.is_dir());
        if is_directory {
            return Err(fail("it is a directory; name the files in it"));
        }
        self.read_lines(path, BufReader::with_capacity(1 << 16, file))
    }

    /// How many lines of this are a trace's.
    fn read_lines(&mut self, path: &Path, mut input: impl BufRead) -> Result<u64, String> {
        let fail = |words: &str| format!("{}: {words}", shown(path));
        let mut line = Vec::new();
        let (mut good, mut bad, mut first_bad, mut number) = (0, 0_u64, 0_u64, 0_u64);
        loop {
            line.clear();
            let limit = TRACE_LINE_BYTES_MAX as u64 + 1;
            let read = (&mut input).take(limit).read_until(b'\n', &mut line);
            if read.map_err(|e| fail(&format!("cannot be read: {}", reason(&e))))? == 0 {
                break;
            }
            number += 1;
            self.bytes += line.len() as u64;
            if self.bytes > TRACE_READ_BYTES_MAX {
                let most = TRACE_READ_BYTES_MAX >> 20;
                return Err(fail(&format!(
                    "with it there are more than {most} MiB; name fewer files, or trace with a smaller --trace-max"
                )));
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            match self.take(&line).map_err(|words| fail(&words))? {
                true => good += 1,
                false if line.last() != Some(&b'\n') && line.len() < TRACE_LINE_BYTES_MAX => {
                    self.note(fail("its last line is not whole; it was left out"));
                    bad += u64::from(good == 0);
                }
                false => {
                    bad += 1;
                    first_bad = if bad == 1 { number } else { first_bad };
                }
            }
        }
        if good == 0 && bad > 0 {
            return Err(fail(
                "it is no trace of papo's; papo --trace FILE writes one",
            ));
        }
        if bad > 0 {
            let lines = if bad == 1 { "line is" } else { "lines are" };
            self.note(fail(&format!(
                "{bad} {lines} no trace's and left out, the first is line {first_bad}"
            )));
        }
        Ok(good)
    }

    /// Whether this is a line of a trace.
    fn take(&mut self, line: &[u8]) -> Result<bool, String> {
        let Ok(line) = serde_json::from_slice::<Line>(line) else {
            return Ok(false);
        };
        if line.t > TIME_MAX || line.wall > TIME_MAX / 1_000 {
            return Ok(false);
        }
        if let What::Node { trace, .. } = line.what
            && trace > VERSION
        {
            return Err("it was written by a later papo; take that one to read it".to_owned());
        }
        if self.nodes.len() >= TRACE_NODES_MAX && !self.nodes.contains_key(&line.key.0) {
            return Err(format!(
                "it has a node too many for one picture, which takes {TRACE_NODES_MAX}; name fewer files"
            ));
        }
        self.nodes.entry(line.key.0).or_default().push(line);
        Ok(true)
    }

    fn note(&mut self, words: String) {
        if self.notes.len() < TRACE_TEXT_ROWS_MAX {
            self.notes.push(words);
        }
    }

    fn finish(mut self) -> Traces {
        let mut nodes = Vec::new();
        for (key, mut lines) in std::mem::take(&mut self.nodes) {
            lines.sort_by_key(|line| line.n);
            let read = lines.len();
            lines.dedup_by_key(|line| line.n);
            let twice = read - lines.len();
            if twice > 0 {
                self.note(format!("{key}: {twice} lines were there twice"));
            }
            let (mut last, mut back) = (0, 0);
            for line in &mut lines {
                back += u64::from(line.t < last);
                last = line.t.max(last);
                line.t = last;
            }
            if back > 0 {
                self.note(format!(
                    "{key}: its clock runs backwards in {back} of its lines; they count as no earlier than those before"
                ));
            }
            lines.shrink_to_fit();
            nodes.push(NodeTrace { key, lines });
        }
        let first = |node: &NodeTrace| (node.lines.first().map(|l| l.wall), node.key);
        nodes.sort_by_key(first);
        Traces {
            nodes,
            notes: self.notes,
        }
    }
}

fn shown(path: &Path) -> String {
    visible(&path.to_string_lossy(), Tab::Escape)
}
