//! The file of a trace, and when it is written to.
//!
//! Owns the ring of files and the pace: a write costs as much as a message, so that a busy node writes many lines at
//! a time. It knows nothing of nodes; whoever has them says how they stand when a new file begins.

use std::io;
use std::path::Path;

use crate::limits::TRACE_WAITING_MAX;
use crate::node::Time;
use crate::timing::{TRACE_WRITES_AT_ONCE, TRACE_WRITES_PER_SECOND, TRACE_WRITTEN_EVERY};
use crate::trace::Ring;

use super::bucket::{Allowed, Bucket};

/// The file, with its pace.
#[derive(Debug)]
pub(super) struct TraceFile {
    ring: Ring,
    /// When lines were last written; the file is new, if never.
    written: Option<Time>,
    /// How often they may be.
    pace: Bucket,
}

impl TraceFile {
    /// Goes on with this file, or makes it; `max` is how many bytes are kept.
    ///
    /// # Errors
    ///
    /// What is in the way, as the rest of a sentence about the file.
    pub(super) fn open(path: &Path, max: u64, now: Time) -> Result<TraceFile, String> {
        Ok(TraceFile {
            ring: Ring::open(path, max)?,
            written: None,
            pace: Bucket::full(pace(), now),
        })
    }

    /// The name that the user gave.
    pub(super) fn path(&self) -> &Path {
        self.ring.path()
    }

    /// When lines that wait are to be written.
    pub(super) fn due_at(&self) -> Time {
        let pace = self.pace.ready_at(pace());
        self.written
            .map_or(pace, |at| pace.max(at + TRACE_WRITTEN_EVERY))
    }

    /// True if so many bytes that wait are to be written now.
    pub(super) fn is_due(&self, now: Time, waiting: usize) -> bool {
        waiting >= TRACE_WAITING_MAX || (waiting > 0 && now >= self.due_at())
    }

    /// Appends the last lines, without a look at how large the file is.
    ///
    /// # Errors
    ///
    /// As [`TraceFile::write`].
    pub(super) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        self.ring.append(lines)
    }

    /// Writes these lines. `heads` says how the nodes stand, for a new file.
    ///
    /// # Errors
    ///
    /// What the system says; no part of a line is in the file then.
    pub(super) fn write(
        &mut self,
        now: Time,
        mut lines: &[u8],
        heads: &mut dyn FnMut() -> Vec<u8>,
    ) -> io::Result<()> {
        self.written = Some(now);
        self.pace.take(pace(), now);
        while !lines.is_empty() {
            let fit = self.ring.fits(lines);
            if fit == 0 {
                self.ring.turn()?;
                self.ring.head(&heads())?;
                continue;
            }
            let (fitting, later) = lines.split_at(fit);
            self.ring.append(fitting)?;
            lines = later;
        }
        Ok(())
    }
}

/// How often lines are written.
fn pace() -> Allowed {
    Allowed::new(TRACE_WRITES_AT_ONCE, TRACE_WRITES_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn file(name: &str) -> TraceFile {
        let dir = std::env::temp_dir().join(format!("papo-pace-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a directory");
        let file = TraceFile::open(&dir.join("trace"), 1 << 40, Time(0)).expect("a file");
        // What is written to it has no name, and goes with the test.
        std::fs::remove_dir_all(&dir).expect("it goes with its directory");
        file
    }

    /// Lines of so many bytes come in each millisecond; how often they were written in ten seconds, and how old the
    /// oldest of them were at most.
    fn writes(name: &str, bytes: usize, every_ms: u64) -> (u32, Duration) {
        let mut file = file(name);
        let (mut waiting, mut since, mut writes) = (Vec::new(), None, 0);
        let mut oldest = Duration::ZERO;
        for ms in 0..10_000 {
            let now = Time(ms * 1_000);
            if ms % every_ms == 0 {
                waiting.resize(waiting.len() + bytes, b'\n');
                since.get_or_insert(now);
            }
            if file.is_due(now, waiting.len()) {
                let age = now.since(since.take().expect("lines wait"));
                oldest = oldest.max(age);
                file.write(now, &waiting, &mut Vec::new)
                    .expect("a disk with room");
                waiting.clear();
                writes += 1;
            }
        }
        (writes, oldest)
    }

    #[test]
    fn a_busy_node_writes_some_lines_at_a_time() {
        // Some three lines for each of a thousand messages a second.
        let (count, oldest) = writes("busy", 400, 1);
        assert!(count < 100, "{count} writes in ten seconds");
        assert!(oldest <= Duration::from_millis(200), "{oldest:?}");
        // What waits is bounded, however much there is.
        let (count, _) = writes("flood", 8_000, 1);
        assert!((500..700).contains(&count), "{count} writes in ten seconds");
    }

    #[test]
    fn a_quiet_node_writes_at_once() {
        let (count, oldest) = writes("quiet", 400, 125);
        assert_eq!(count, 80);
        assert_eq!(oldest, Duration::ZERO);
    }
}
