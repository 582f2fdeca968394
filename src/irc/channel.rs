//! One channel: the room as this process knows it.
//!
//! Owns who is in it, here and elsewhere, its topic, who is shown as its operator, and its past. Each client that is in
//! it has a node of its own in the room; what these nodes see is one list here, in which somebody is as long as one
//! of them sees it. It writes no lines.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::limits::{IRC_AUTHORS_MAX, MEMBERS_MAX};
use crate::node::Time;
use crate::wire::Key;

use super::past::Past;
use super::{Conn, SeatId};

/// Who bears the `@`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Head {
    Here(Conn),
    Elsewhere(Key),
}

/// What a channel is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Topic {
    pub(super) text: String,
    pub(super) by: String,
    pub(super) at_ms: u64,
}

/// Somebody in the room who is not of this process.
#[derive(Debug, Default)]
struct Other {
    /// The nodes of this process that see it.
    seen_by: BTreeSet<SeatId>,
}

/// One channel.
#[derive(Debug)]
pub(super) struct Channel {
    /// As who came first wrote it.
    pub(super) name: String,
    pub(super) room: String,
    /// The name of the secret that its clients gave.
    pub(super) secret: Option<String>,
    pub(super) created_ms: u64,
    pub(super) topic: Option<Topic>,
    pub(super) past: Past,
    /// When it is forgotten, if nobody is in it.
    pub(super) forgotten_at: Option<Time>,
    /// Who is here, in the order of their coming.
    seats: Vec<(Conn, SeatId)>,
    others: BTreeMap<Key, Other>,
    /// Who was lost and may come back.
    lost: BTreeSet<Key>,
    head: Option<Head>,
    next_head: Option<(Head, Time)>,
    /// How far each author was shown.
    shown: BTreeMap<Key, u64>,
}

impl Channel {
    pub(super) fn new(name: String, room: String, secret: Option<String>, now_ms: u64) -> Channel {
        Channel {
            name,
            room,
            secret,
            created_ms: now_ms,
            topic: None,
            past: Past::default(),
            forgotten_at: None,
            seats: Vec::new(),
            others: BTreeMap::new(),
            lost: BTreeSet::new(),
            head: None,
            next_head: None,
            shown: BTreeMap::new(),
        }
    }

    // Who is here.

    pub(super) fn seat_of(&self, conn: Conn) -> Option<SeatId> {
        let found = self.seats.iter().find(|(c, _)| *c == conn);
        found.map(|(_, seat)| *seat)
    }

    pub(super) fn sit(&mut self, conn: Conn, seat: SeatId) {
        self.seats.push((conn, seat));
        self.forgotten_at = None;
        if self.seats.len() == 1 && self.head.is_none() && self.others.is_empty() {
            // Whoever comes first founds the room, as far as is known yet.
            self.head = Some(Head::Here(conn));
        }
    }

    /// Somebody here has left. What only that node saw is no more seen: these keys are returned.
    pub(super) fn stand_up(&mut self, conn: Conn) -> Vec<Key> {
        let Some(seat) = self.seat_of(conn) else {
            return Vec::new();
        };
        self.seats.retain(|(c, _)| *c != conn);
        if self.head == Some(Head::Here(conn)) {
            self.head = None;
        }
        self.next_head
            .take_if(|(head, _)| *head == Head::Here(conn));
        let keys: Vec<Key> = self.others.keys().copied().collect();
        keys.into_iter()
            .filter(|key| self.unsee(*key, seat))
            .collect()
    }

    pub(super) fn conns(&self) -> impl Iterator<Item = Conn> {
        self.seats.iter().map(|(conn, _)| *conn)
    }

    pub(super) fn seats(&self) -> impl Iterator<Item = SeatId> {
        self.seats.iter().map(|(_, seat)| *seat)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.seats.is_empty()
    }

    /// How many are in it, here and elsewhere.
    pub(super) fn len(&self) -> usize {
        self.seats.len() + self.others.len()
    }

    // Who is elsewhere.

    pub(super) fn others(&self) -> impl Iterator<Item = Key> {
        self.others.keys().copied()
    }

    /// A node of this process sees somebody; true if nobody here did before.
    pub(super) fn see(&mut self, key: Key, seat: SeatId) -> bool {
        if self.others.len() >= MEMBERS_MAX && !self.others.contains_key(&key) {
            return false;
        }
        let other = self.others.entry(key).or_default();
        other.seen_by.insert(seat) && other.seen_by.len() == 1
    }

    /// A node of this process sees somebody no more; true if nobody here does.
    pub(super) fn unsee(&mut self, key: Key, seat: SeatId) -> bool {
        let Some(other) = self.others.get_mut(&key) else {
            return false;
        };
        let did_see = other.seen_by.remove(&seat);
        if !did_see || !other.seen_by.is_empty() {
            return false;
        }
        self.others.remove(&key);
        if self.head == Some(Head::Elsewhere(key)) {
            self.head = None;
        }
        true
    }

    /// Whom this node sees.
    pub(super) fn seen_by(&self, seat: SeatId) -> Vec<Key> {
        let seen = self
            .others
            .iter()
            .filter(|(_, o)| o.seen_by.contains(&seat));
        seen.map(|(key, _)| *key).collect()
    }

    pub(super) fn has(&self, key: Key) -> bool {
        self.others.contains_key(&key)
    }

    /// Somebody was lost, and may come back.
    pub(super) fn note_lost(&mut self, key: Key) {
        if self.lost.len() < MEMBERS_MAX {
            self.lost.insert(key);
        }
    }

    /// True if somebody who comes was lost before.
    pub(super) fn take_lost(&mut self, key: Key) -> bool {
        self.lost.remove(&key)
    }

    // Who coordinates.

    pub(super) fn head(&self) -> Option<Head> {
        self.head
    }

    /// Who coordinates is known; it is to be shown at that time, if nothing else is known by then.
    pub(super) fn expect_head(&mut self, head: Head, at: Time) {
        self.next_head = match self.head == Some(head) {
            true => None,
            false => Some((head, at)),
        };
    }

    pub(super) fn head_due(&self) -> Option<Time> {
        self.next_head.map(|(_, at)| at)
    }

    /// Who is to be shown as the operator by now, and who was until now.
    pub(super) fn settle_head(&mut self, now: Time) -> Option<(Option<Head>, Head)> {
        let (head, _) = self.next_head.take_if(|(_, at)| *at <= now)?;
        let is_present = match head {
            Head::Here(conn) => self.seat_of(conn).is_some(),
            Head::Elsewhere(key) => self.has(key),
        };
        if !is_present {
            return None;
        }
        Some((self.head.replace(head), head))
    }

    // What was said.

    /// Notes that a message is shown now; false if it was before.
    pub(super) fn show(&mut self, key: Key, seq: u64) -> bool {
        if !self.shown.contains_key(&key) && self.shown.len() >= IRC_AUTHORS_MAX {
            let others = &self.others;
            self.shown.retain(|key, _| others.contains_key(key));
        }
        let shown = self.shown.entry(key).or_default();
        let is_new = seq > *shown;
        *shown = seq.max(*shown);
        is_new
    }

    /// The name for lines of this channel.
    pub(super) fn shared_name(&self) -> Rc<str> {
        self.name.as_str().into()
    }
}
