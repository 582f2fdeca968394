//! A network that a lesson cuts: which processes this one neither hears nor reaches for a while.
//!
//! Owns what the lesson's file said last. Only a process that `papo demo` has started has such a file; in every other
//! one there is none of this, and nothing that comes from a network can change it. It says who is cut off; what becomes
//! of streams and datagrams is the business of whoever has them. The file is small and on this machine, and reading it
//! waits for nobody.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::limits::{CUTS_BYTES_MAX, DEMO_NODES_MAX};
use crate::node::{Effect, Time};
use crate::timing::CUTS_LOOKED_AT_EVERY;
use crate::wire::{Datagram, Key};

/// The variable that names the file to a process of a lesson.
pub(super) const VARIABLE: &str = "PAPO_DEMO_CUTS";

/// The file that this process was started with, if it is one of a lesson.
#[must_use]
pub fn cuts_of_lesson() -> Option<PathBuf> {
    std::env::var_os(VARIABLE)
        .filter(|name: &OsString| !name.is_empty())
        .map(PathBuf::from)
}

/// Who is cut off.
#[derive(Debug)]
pub(super) struct Cuts {
    path: PathBuf,
    off: BTreeMap<Key, SocketAddr>,
    /// When the file is looked at again.
    look_at: Time,
}

impl Cuts {
    /// Nobody yet; this file says who will be.
    pub(super) fn new(path: PathBuf) -> Cuts {
        Cuts {
            path,
            off: BTreeMap::new(),
            look_at: Time(0),
        }
    }

    /// When the file is to be looked at.
    pub(super) fn look_at(&self) -> Time {
        self.look_at
    }

    /// Looks at the file, if it is time to: who is cut off from now on (true), and who is not any more (false).
    pub(super) fn look(&mut self, now: Time) -> Vec<(Key, bool)> {
        if now < self.look_at {
            return Vec::new();
        }
        self.look_at = now + CUTS_LOOKED_AT_EVERY;
        // Where there is no file yet, nobody was cut off yet.
        let off = read(&self.path).unwrap_or_default();
        let came = off.keys().filter(|key| !self.off.contains_key(key));
        let went = self.off.keys().filter(|key| !off.contains_key(key));
        let changes = came.map(|key| (*key, true));
        let changes = changes.chain(went.map(|key| (*key, false))).collect();
        self.off = off;
        changes
    }

    /// True of this node's links if nothing comes over them, and nothing goes: its peer's key, as far as it is known, or
    /// the address that was dialled.
    pub(super) fn has(&self, peer: Option<Key>, at: SocketAddr) -> bool {
        peer.is_some_and(|key| self.off.contains_key(&key))
            || self.off.values().any(|off| *off == at)
    }

    /// True if a datagram that came is to be lost.
    pub(super) fn loses(&self, datagram: &Datagram) -> bool {
        let from = match datagram {
            Datagram::JoinRequest(request) => request.key,
            Datagram::Heartbeat { coordinator, .. } => coordinator.key,
            Datagram::BeatRequest { key, .. } => *key,
            // The first is the answer to a datagram, which did not come there; the other says nothing to this papo.
            Datagram::Referral { .. } | Datagram::Unknown(_) => return false,
        };
        self.off.contains_key(&from)
    }

    /// True if what the node wants done comes to nothing, and nobody answers: it dials into the cut.
    pub(super) fn swallows(&self, effect: &Effect) -> bool {
        matches!(effect, Effect::Dial { to, .. } if self.has(None, *to))
    }
}

/// Writes the file anew: these are cut off, and nobody else is.
pub(super) fn write(path: &Path, off: &[(Key, SocketAddr)]) -> io::Result<()> {
    let lines: String = off
        .iter()
        .map(|(key, at)| format!("{key} {at}\n"))
        .collect();
    let new = path.with_extension("new");
    std::fs::write(&new, lines)?;
    // Whoever looks sees the whole file that was, or the whole new one.
    std::fs::rename(new, path)
}

fn read(path: &Path) -> io::Result<BTreeMap<Key, SocketAddr>> {
    let mut text = String::new();
    File::open(path)?
        .take(CUTS_BYTES_MAX)
        .read_to_string(&mut text)?;
    let line = |line: &str| {
        let (key, at) = line.split_once(' ')?;
        Some((Key(u64::from_str_radix(key, 16).ok()?), at.parse().ok()?))
    };
    Ok(text.lines().filter_map(line).take(DEMO_NODES_MAX).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn who_is_cut_off_is_what_the_file_says() {
        let path = std::env::temp_dir().join(format!("papo-cuts-{}", std::process::id()));
        let mut cuts = Cuts::new(path.clone());
        assert!(cuts.look(Time(0)).is_empty(), "no file, no cut");
        let [one, two] = [Key(7), Key(u64::MAX)];
        let later = |n: u32| Time(0) + CUTS_LOOKED_AT_EVERY * n;
        write(&path, &[(one, at(1)), (two, at(2))]).expect("a disk with room");
        assert!(cuts.look(Time(1)).is_empty(), "it is not time to look");
        assert_eq!(cuts.look(later(1)), [(one, true), (two, true)]);
        assert!(cuts.has(Some(one), at(9)) && cuts.has(None, at(2)));
        assert!(!cuts.has(Some(Key(8)), at(3)) && !cuts.has(None, at(3)));
        let beat = Datagram::BeatRequest {
            room: "lesson".to_owned(),
            key: one,
        };
        assert!(cuts.loses(&beat));
        write(&path, &[(two, at(2))]).expect("a disk with room");
        assert_eq!(cuts.look(later(2)), [(one, false)]);
        assert!(!cuts.loses(&beat) && !cuts.has(Some(one), at(1)));
        std::fs::write(&path, b"\xff nonsense\n").expect("a disk with room");
        assert_eq!(cuts.look(later(3)), [(two, false)]);
        let _ = std::fs::remove_file(path);
    }
}
