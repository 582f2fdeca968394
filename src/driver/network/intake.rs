//! What comes in by datagram: bounded reads, opening what is locked, and who is foreign.
//!
//! Owns how often each source may send, when this node read nothing for a while, and how long an open room that
//! turns out to be locked is borne. How the sockets are opened is the business of `datagrams`; what a datagram
//! means is the node's.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::limits::{COMPLAINTS_PER_TURN_MAX, DATAGRAMS_PER_TURN_MAX};
use crate::lock::OpenError;
use crate::node::{Now, Time};
use crate::wire::{Datagram, DecodeError, decode_datagram};

use super::super::complaints::{Complaint, LOCKED, OTHER_SECRET, OTHER_TIME, OTHER_VERSION, Topic};
use super::super::rates::DatagramRates;
use super::datagram_lock::DatagramLock;
use super::datagrams::Datagrams;

/// How long a group that this node can open has to answer before a locked one ends the search.
const LOCK_PATIENCE: Duration = Duration::from_millis(200);
/// For how long a node reads no datagram that was stopped meanwhile, or whose room was silent.
const PAUSE: Duration = Duration::from_secs(5);
/// How long it may take to read what came in such a pause.
const CATCHES_UP: Duration = Duration::from_secs(2);

/// One round over the sockets that may have something to read; of each so many datagrams are read.
#[derive(Debug)]
pub(in crate::driver) struct DatagramRound {
    sockets: std::vec::IntoIter<usize>,
    current: Option<usize>,
    /// Attempts to read the current socket, and how many of them gave an error.
    reads: usize,
    errors: usize,
}

impl DatagramRound {
    pub(super) fn new(sockets: Vec<usize>) -> DatagramRound {
        DatagramRound {
            sockets: sockets.into_iter(),
            current: None,
            reads: 0,
            errors: 0,
        }
    }

    /// The socket that is to be read next.
    pub(super) fn next_socket(&mut self, datagrams: &mut Datagrams) -> Option<usize> {
        loop {
            if let Some(n) = self.current {
                if self.reads < DATAGRAMS_PER_TURN_MAX && datagrams.is_ready(n) {
                    self.reads += 1;
                    return Some(n);
                }
                // A socket that gives nothing but errors must not keep the loop awake.
                if self.errors == DATAGRAMS_PER_TURN_MAX {
                    datagrams.rest(n);
                }
            }
            self.current = self.sockets.next();
            self.current?;
            (self.reads, self.errors) = (0, 0);
        }
    }

    /// An error came instead of a datagram.
    pub(super) fn note_error(&mut self) {
        self.errors += 1;
    }
}

/// What is known of those who send datagrams.
#[derive(Debug)]
pub(super) struct Intake {
    rates: DatagramRates,
    /// What others did that the user is to know.
    complaints: Vec<Complaint>,
    /// Who sent a datagram of a locked room of this name, which this node has no secret for.
    sealed_by: Option<IpAddr>,
    /// When the last datagram was read.
    last: Option<Time>,
    /// When this node last read after a pause, and how long that was.
    paused: Option<(Time, Duration)>,
    /// Until when a room that turns out to be locked is no reason to end.
    patience: Option<Time>,
}

impl Intake {
    pub(super) fn new() -> Intake {
        Intake {
            rates: DatagramRates::new(),
            complaints: Vec::new(),
            sealed_by: None,
            last: None,
            paused: None,
            patience: None,
        }
    }

    /// The datagram that these bytes are, if the node is to hear of it.
    pub(super) fn open(
        &mut self,
        lock: &mut DatagramLock,
        now: Now,
        bytes: &[u8],
        from: SocketAddr,
    ) -> Option<Datagram> {
        self.note_read(now.time);
        if !self.rates.admits_datagram(now.time, from) {
            return None;
        }
        let plain = match lock.open(now, bytes) {
            Ok(plain) => plain,
            Err(e) => {
                self.note_unopened(now.time, from, e);
                return None;
            }
        };
        match decode_datagram(&plain) {
            Ok(Datagram::JoinRequest(_)) if !self.rates.admits_join_request(now.time, from) => {
                return None;
            }
            Ok(datagram) => return Some(datagram),
            Err(DecodeError::Version(v)) => {
                let host = from.ip();
                let text = format!("{host} speaks version {v} of the protocol and is ignored");
                self.complain(OTHER_VERSION, host, text);
            }
            Err(e) => log::debug!("{from}: {e}"),
        }
        None
    }

    /// A datagram was not opened: who holds another secret is a room of its own.
    fn note_unopened(&mut self, now: Time, from: SocketAddr, e: OpenError) {
        let host = from.ip();
        if self.waited_here(now, e) {
            return log::debug!("{from}: {e}");
        }
        match e {
            OpenError::WrongSecret => {
                let text = format!(
                    "{host} uses this room's name with a different secret; check the secret if it should be \
                     in this room (--secret-file, PAPO_SECRET)"
                );
                self.complain(OTHER_SECRET, host, text);
            }
            OpenError::Locked => self.sealed_by = Some(host),
            OpenError::OtherTime(_) | OpenError::Late(_) => {
                self.complain(OTHER_TIME, host, format!("{host}: {e}"));
            }
            e => log::debug!("{from}: {e}"),
        }
    }

    /// Something is read now, perhaps the first after a pause.
    fn note_read(&mut self, now: Time) {
        let last = self.last.replace(now);
        let pause = last.map_or(Duration::ZERO, |last| now.since(last));
        if pause >= PAUSE {
            self.paused = Some((now, pause));
        }
    }

    /// True if this is late because this node itself was stopped, and nobody kept it.
    fn waited_here(&self, now: Time, e: OpenError) -> bool {
        let OpenError::Late(ms) = e else {
            return false;
        };
        self.paused.is_some_and(|(since, long)| {
            now.since(since) < CATCHES_UP && Duration::from_millis(ms) < long + PAUSE
        })
    }

    fn complain(&mut self, topic: Topic, host: IpAddr, text: String) {
        if self.complaints.len() < COMPLAINTS_PER_TURN_MAX {
            self.complaints.push(Complaint { topic, host, text });
        }
    }

    /// What others did since the last call.
    pub(super) fn take_complaints(&mut self) -> Vec<Complaint> {
        std::mem::take(&mut self.complaints)
    }

    /// True if this node has no secret, and its room turns out to be locked, which ends it: whoever forgot the
    /// secret must not talk in the open. An open group of this name has a while to answer before that.
    pub(super) fn is_locked_out(&mut self, now: Time, hears_group: bool) -> bool {
        let Some(host) = self.sealed_by.take() else {
            return false;
        };
        if hears_group {
            let text = format!(
                "nodes at {host} use this room's name with a secret: they are a room of their own"
            );
            self.complain(LOCKED, host, text);
            return false;
        }
        now >= *self.patience.get_or_insert(now + LOCK_PATIENCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::{DatagramSeal, Secret};

    const WALL_MS: u64 = 1_700_000_000_000;

    /// What the user is told by a node that reads a datagram at the start and each second after that, but for some
    /// seconds, and at last one that was sealed so many seconds before.
    fn told(stopped: u64, late: u64) -> usize {
        let secret = Secret::derive("r", b"correct horse").unwrap();
        let (mut ana, mut ben) = (
            DatagramSeal::new(&secret).unwrap(),
            DatagramSeal::new(&secret).unwrap(),
        );
        let mut lock = DatagramLock::new("r", Some(&secret)).unwrap();
        let mut intake = Intake::new();
        let plain = [0; 3];
        let mut read = |second: u64, sealed: &[u8]| {
            let now = Now {
                time: Time(second * 1_000_000),
                wall_ms: WALL_MS + second * 1_000,
            };
            intake.open(&mut lock, now, sealed, "10.0.0.9:7".parse().unwrap());
            let told = intake.take_complaints();
            told.iter().filter(|c| c.topic == OTHER_TIME).count()
        };
        let wall_ms = |second| WALL_MS + second * 1_000;
        let mut complaints = 0;
        for second in 1..=60 {
            if second == 1 {
                complaints += read(second, &ana.seal(wall_ms(second), &plain));
            }
            if second + stopped <= 60 {
                complaints += read(second, &ben.seal(wall_ms(second), &plain));
            }
        }
        complaints + read(60, &ana.seal(wall_ms(60 - late), &plain))
    }

    #[test]
    fn what_came_while_this_node_was_stopped_was_repeated_by_nobody() {
        assert_eq!(told(0, 14), 1);
        assert_eq!(told(15, 14), 0);
        assert_eq!(told(15, 30), 1, "somebody kept it for longer than that");
    }
}
