//! One process of a lesson, and what its trace has said so far.
//!
//! Owns the process, and ends it. What the node does is what its trace says; it is asked only in which order its history
//! is, since that is in no trace.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

use crate::demo::{RECENT_MAX, State};
use crate::node::Now;
use crate::trace::format::{Hex, Line, What};
use crate::trace::is_noise;
use crate::wire::Key;

use super::tail::Tail;

/// What it answers, as far as that is of use here.
#[derive(Deserialize, Debug)]
struct Told {
    event: String,
    #[serde(default)]
    tcp: Vec<String>,
    #[serde(default)]
    messages: Vec<Text>,
}

#[derive(Deserialize, Debug)]
struct Text {
    text: String,
}

/// A message that it sent.
#[derive(Debug)]
pub(super) struct Spoken {
    /// When, by the clock on the wall, in microseconds since 1970.
    pub(super) at: u64,
    /// On which links.
    to: Vec<u64>,
    pub(super) name: String,
}

#[derive(Debug)]
pub(super) struct Player {
    child: Child,
    nick: String,
    /// What it does, and what it answers.
    trace: Tail,
    answers: Tail,
    pub(super) state: State,
    has_failed: bool,
    /// When the process was frozen or killed.
    since: Option<Now>,
    /// The node's own clock, and that on the wall, in its first line; and the number of its last one.
    first: Option<(u64, u64)>,
    last: u64,
    pub(super) key: Key,
    pub(super) id: Option<u64>,
    pub(super) leader: Option<Key>,
    /// Whom it named last.
    named: Option<Key>,
    pub(super) standing: String,
    pub(super) is_joined: bool,
    pub(super) members: usize,
    links: BTreeSet<u64>,
    /// Whose each link is or was.
    peers: BTreeMap<u64, Key>,
    /// Where it listens.
    pub(super) address: Option<SocketAddr>,
    pub(super) texts: Vec<String>,
    /// It has more than it was asked the order of.
    is_unsorted: bool,
    /// The last messages that it sent, the oldest first.
    pub(super) spoken: Vec<Spoken>,
}

impl Player {
    /// `trace` and `answers` are the files that it writes.
    pub(super) fn new(child: Child, nick: &str, trace: PathBuf, answers: PathBuf) -> Player {
        Player {
            child,
            nick: nick.to_owned(),
            trace: Tail::new(trace),
            answers: Tail::new(answers),
            state: State::Up,
            has_failed: false,
            since: None,
            first: None,
            last: 0,
            key: Key(0),
            id: None,
            leader: None,
            named: None,
            standing: "starting".to_owned(),
            is_joined: false,
            members: 0,
            links: BTreeSet::new(),
            peers: BTreeMap::new(),
            address: None,
            texts: Vec::new(),
            is_unsorted: false,
            spoken: Vec::new(),
        }
    }

    pub(super) fn name(&self) -> String {
        let id = self.id.map(|id| format!("#{id}"));
        format!("{}{}", self.nick, id.unwrap_or_default())
    }

    /// When its trace begins, by the clock on the wall.
    pub(super) fn began_ms(&self) -> Option<u64> {
        self.first.map(|(_, wall)| wall)
    }

    /// True if the process ended by itself, and not in good order.
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed
    }

    pub(super) fn links(&self) -> usize {
        self.links.len()
    }

    /// To whom it said this, as far as that is known by now: a link is somebody's only once he has said so.
    pub(super) fn hearers(&self, spoken: &Spoken) -> Vec<Key> {
        let peers = spoken.to.iter().filter_map(|link| self.peers.get(link));
        peers.copied().collect()
    }

    fn signal(&self, signal: Signal) {
        // Whoever has ended already needs no signal.
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }

    pub(super) fn write(&mut self, line: &str) {
        if let Some(stdin) = &mut self.child.stdin {
            // Whoever has ended reads nothing, which the lesson notices.
            let _ = writeln!(stdin, "{line}");
        }
    }

    pub(super) fn kill(&mut self, now: Now) {
        if self.state != State::Gone {
            self.signal(Signal::KILL);
            (self.state, self.since) = (State::Gone, Some(now));
        }
    }

    pub(super) fn freeze(&mut self, now: Now) {
        if self.state == State::Up {
            self.signal(Signal::STOP);
            (self.state, self.since) = (State::Frozen(now.time.0), Some(now));
        }
    }

    pub(super) fn thaw(&mut self) {
        if matches!(self.state, State::Frozen(_)) {
            self.signal(Signal::CONT);
            (self.state, self.since) = (State::Up, None);
        }
    }

    /// Takes in what its trace says, what it answers, and whether the process has ended by itself.
    pub(super) fn look(&mut self, now: Now) {
        for line in self.trace.news().split(|b| *b == b'\n') {
            if let Ok(line) = serde_json::from_slice::<Line>(line) {
                self.take(line);
            }
        }
        for line in self.answers.news().split(|b| *b == b'\n') {
            if let Ok(told) = serde_json::from_slice::<Told>(line) {
                self.hear(told);
            }
        }
        if std::mem::take(&mut self.is_unsorted) {
            self.write("/history");
        }
        if self.state == State::Up
            && let Ok(Some(status)) = self.child.try_wait()
        {
            (self.state, self.since) = (State::Gone, Some(now));
            self.has_failed = !status.success();
        }
    }

    /// Where it listens, and the order of its history, which its trace does not tell.
    fn hear(&mut self, told: Told) {
        match told.event.as_str() {
            "listening" => self.address = told.tcp.first().and_then(|at| at.parse().ok()),
            // It has taken more in meanwhile, and is asked again.
            "history" if told.messages.len() < self.texts.len() => self.is_unsorted = true,
            "history" => self.texts = told.messages.into_iter().map(|m| m.text).collect(),
            _ => {}
        }
    }

    fn take(&mut self, line: Line) {
        self.key = line.key.0;
        self.last = line.n;
        let first = *self.first.get_or_insert((line.t, line.wall));
        match line.what {
            What::Coordinator { claim } => {
                self.named = Some(claim.1.0);
                self.leader = self.named;
            }
            What::Standing { standing, .. } => {
                match standing.as_str() {
                    "coordinator" => self.leader = Some(self.key),
                    // Whom it followed before an election that changed nothing is not said again.
                    "member" => self.leader = self.named,
                    _ => self.leader = None,
                }
                self.standing = standing;
            }
            What::View { size, new, .. } => {
                self.members = usize::try_from(size).unwrap_or(usize::MAX);
                let own = new.iter().find(|who| who.0.0 == self.key);
                self.id = own.map(|who| who.1).or(self.id);
            }
            What::Joined { .. } => self.is_joined = true,
            What::Open { link, peer } => {
                self.links.insert(link);
                self.peers.insert(link, peer.0);
            }
            What::Closed { link, .. } => drop(self.links.remove(&link)),
            What::Sent { m, to, .. } if !is_noise(&m) => {
                let to = to.iter().map(|(link, _)| *link).collect();
                let at = first.1 * 1_000 + line.t.saturating_sub(first.0);
                if self.spoken.len() >= RECENT_MAX {
                    self.spoken.remove(0);
                }
                self.spoken.push(Spoken { at, to, name: m });
            }
            What::Taken { texts, .. } => self.take_in(texts),
            What::Got { m, said, .. } if m == "CHUNK" && !self.is_joined => {
                self.take_in(said.texts);
            }
            _ => {}
        }
    }

    /// The trace tells in which order it got them, which need not be that of its history. What came with the history and
    /// waited for a while it tells of twice.
    fn take_in(&mut self, texts: Vec<String>) {
        self.is_unsorted |= !texts.is_empty() && self.texts.len() + texts.len() > 1;
        for text in texts {
            if !self.texts.contains(&text) {
                self.texts.push(text);
            }
        }
    }

    /// Its trace, with what was done to the process since it wrote last.
    pub(super) fn trace(&self) -> Result<Vec<u8>, String> {
        let read = std::fs::read(self.trace.path());
        let mut all = read.map_err(|e| format!("demo: {}: {e}", self.trace.path().display()))?;
        let fate = match self.state {
            State::Up => return Ok(all),
            State::Frozen(_) => "frozen",
            State::Gone => "killed",
        };
        let has_left = self.standing == "gone";
        let Some((since, first)) = self.since.zip(self.first).filter(|_| !has_left) else {
            return Ok(all);
        };
        if all.last().is_some_and(|last| *last != b'\n') {
            all.push(b'\n');
        }
        let line = Line {
            key: Hex(self.key),
            // It may have said more than was read so far.
            n: self.last + u64::from(u32::MAX),
            t: first.0 + since.wall_ms.saturating_sub(first.1) * 1_000,
            wall: since.wall_ms,
            what: What::Fate {
                fate: fate.to_owned(),
                peer: None,
            },
        };
        if let Ok(line) = serde_json::to_vec(&line) {
            all.extend(line);
            all.push(b'\n');
        }
        Ok(all)
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_trace_tells_of_twice_counts_once() {
        let child = std::process::Command::new("true").spawn().unwrap();
        let mut player = Player::new(child, "ana", PathBuf::new(), PathBuf::new());
        player.take_in(vec!["one".to_owned(), "two".to_owned()]);
        player.take_in(vec!["two".to_owned(), "three".to_owned()]);
        assert_eq!(player.texts, ["one", "two", "three"]);
        assert!(player.is_unsorted);
        player.child.wait().unwrap();
    }
}
