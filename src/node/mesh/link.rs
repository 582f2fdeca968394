//! One link: a stream with a peer, and what is known of the peer by it.
//!
//! Owns how far the link has come, who is at its other end, when that peer was last heard, and what it
//! told of itself. It sends nothing, sets no timers, and knows no other link: what follows from a change
//! is for the others in this folder to decide.

use std::net::SocketAddr;
use std::time::Duration;

use crate::node::context::Context;
use crate::node::{Person, Time};
use crate::wire::{Address, Coordinator, Key, Position};

/// How far a link has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum LinkStage {
    /// The dial is under way.
    Dialing,
    /// The stream is open, HELLO is not exchanged.
    Greeting,
    /// HELLO is exchanged.
    Open,
    /// Replaced by another link: read to its end, never written.
    Ending,
}

/// A stream with a peer.
#[derive(Debug)]
pub(in crate::node) struct Link {
    pub(super) stage: LinkStage,
    opened_by_us: bool,
    /// The dialler's round.
    pub(super) round: u64,
    /// The peer's address: dialled, or where it dialled from.
    address: SocketAddr,
    /// Whose HELLO a dial of ours expects.
    pub(super) expects: Option<Key>,
    pub(super) key: Option<Key>,
    /// Where the peer's listener can be reached.
    pub(super) addresses: Vec<Address>,
    pub(super) heard: Time,
    /// Since when its peer is watched, if it is.
    watched: Option<Time>,
    /// Since when something is expected on it, if anything is.
    expected: Option<Time>,
    /// When HELLO was exchanged.
    pub(super) opened: Time,
    /// It fell silent, and that was counted.
    silence_counted: bool,
    /// Its peer has heard something that was said on it: it answered.
    pub(super) proven: bool,
    /// Whose node its peer has proven to be, if it did.
    person: Option<Person>,
    /// When chat last came in on it.
    chatted: Time,
    /// The peer has told on this link how much it has said.
    has_given_word: bool,
    /// When the PING that is outstanding was sent.
    pub(super) pinged: Option<Time>,
    /// Its peer counts as alive no more, until something is heard on it.
    given_up: bool,
    /// Live chat is withheld until the peer has caught up.
    behind: bool,
    /// When it was told so, once its queue was empty again.
    told_behind: Option<Time>,
    /// The coordinator that the peer last told us, and when.
    told: Option<(Coordinator, Time)>,
    /// The peer's floor, if its history was complete when it last said so, and the coordinator whose
    /// group it was in then.
    pub(super) complete_above: Option<(Position, Option<Key>)>,
    /// The oldest message that the peer held when it was opened, if it claimed less than that.
    pub(super) oldest: Option<Position>,
    /// The highest timestamp that its peer had seen when it was opened.
    pub(super) clock: u64,
    /// What the clock on its peer's wall was when it was opened.
    pub(super) wall: Option<(u64, Time)>,
    /// Who waits to hear whether this peer lives.
    pub(super) probers: Vec<Key>,
}

impl Link {
    /// A link that was dialled or accepted just now. Its peer counts as heard, so that it has the whole
    /// failure time-out to answer.
    pub(super) fn new(
        stage: LinkStage,
        address: SocketAddr,
        expects: Option<Key>,
        round: u64,
        now: Time,
    ) -> Link {
        Link {
            stage,
            opened_by_us: stage == LinkStage::Dialing,
            round,
            address,
            expects,
            key: None,
            addresses: Vec::new(),
            heard: now,
            watched: Some(now),
            expected: None,
            opened: now,
            silence_counted: false,
            proven: false,
            person: None,
            chatted: Time(0),
            has_given_word: false,
            pinged: None,
            given_up: false,
            behind: false,
            told_behind: None,
            told: None,
            complete_above: None,
            oldest: None,
            clock: 0,
            wall: None,
            probers: Vec::new(),
        }
    }

    /// It fell silent, which is counted once.
    pub(super) fn count_silence(&mut self) {
        self.silence_counted = true;
    }

    /// When HELLO was exchanged; before that, when it was dialled or accepted.
    pub(in crate::node) fn opened(&self) -> Time {
        self.opened
    }

    /// It fell silent at some time, and that was counted.
    pub(super) fn was_silent(&self) -> bool {
        self.silence_counted
    }

    /// True if this node dialled it.
    pub(in crate::node) fn is_ours(&self) -> bool {
        self.opened_by_us
    }

    /// Who is at the other end, once HELLO is exchanged.
    pub(in crate::node) fn key(&self) -> Option<Key> {
        self.key
    }

    /// The peer's address.
    pub(in crate::node) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whose node its peer has proven to be; none if it is nobody's in particular.
    pub(in crate::node) fn person(&self) -> Option<Person> {
        self.person
    }

    pub(super) fn note_person(&mut self, person: Option<Person>) {
        self.person = person;
    }

    /// Its peer has heard something that was said on it. Who has dialled says HELLO before it hears
    /// anything, and nothing more until it has.
    pub(in crate::node) fn is_proven(&self) -> bool {
        self.proven
    }

    /// When chat last came in.
    pub(in crate::node) fn chatted(&self) -> Time {
        self.chatted
    }

    /// The coordinator that the peer last told, and when.
    pub(in crate::node) fn told(&self) -> Option<&(Coordinator, Time)> {
        self.told.as_ref()
    }

    /// The peer's floor, if its history was complete when it last said so, and the coordinator whose
    /// group it was in then.
    pub(in crate::node) fn complete_above(&self) -> Option<(Position, Option<Key>)> {
        self.complete_above
    }

    /// The oldest message that the peer held when the link was opened, if its history was not known to be
    /// complete so far back; all zero if the peer did not know which one is the oldest.
    pub(in crate::node) fn oldest(&self) -> Option<Position> {
        self.oldest
    }

    /// The highest timestamp that the peer had seen when the link was opened.
    pub(in crate::node) fn clock(&self) -> u64 {
        self.clock
    }

    /// By how many milliseconds the clock on the peer's wall is ahead of this node's; negative if it is
    /// behind. None if the peer does not say what it is.
    pub(in crate::node) fn wall_ahead(&self, cx: &Context) -> Option<i64> {
        let (wall, at) = self.wall?;
        let passed = u64::try_from(cx.since(at).as_millis()).unwrap_or(u64::MAX);
        let theirs = i64::try_from(wall.saturating_add(passed)).unwrap_or(i64::MAX);
        let ours = i64::try_from(cx.now.wall_ms).unwrap_or(i64::MAX);
        Some(theirs.saturating_sub(ours))
    }

    /// Live chat is withheld until the peer has caught up.
    pub(in crate::node) fn is_behind(&self) -> bool {
        self.behind
    }

    /// When the peer was told that it is behind.
    pub(in crate::node) fn told_behind(&self) -> Option<Time> {
        self.told_behind
    }

    /// True if the peer has told on this link how much it has said: it counts on this node.
    pub(in crate::node) fn has_given_word(&self) -> bool {
        self.has_given_word
    }

    pub(super) fn note_word(&mut self) {
        self.has_given_word = true;
    }

    pub(super) fn note_chat(&mut self, now: Time) {
        self.chatted = now;
    }

    pub(super) fn replace_told(
        &mut self,
        told: Option<(Coordinator, Time)>,
    ) -> Option<(Coordinator, Time)> {
        std::mem::replace(&mut self.told, told)
    }

    pub(super) fn note_complete(&mut self, above: Option<(Position, Option<Key>)>) {
        self.complete_above = above;
    }

    pub(super) fn fall_behind(&mut self) {
        self.behind = true;
        self.told_behind = None;
    }

    /// False if the link is not open.
    pub(super) fn tell_behind(&mut self, now: Time) -> bool {
        let is_open = self.stage == LinkStage::Open;
        if is_open {
            self.told_behind = Some(now);
        }
        is_open
    }

    /// False if the peer was not told that it was behind: its queue is full still.
    pub(super) fn catch_up(&mut self) -> bool {
        let was_told = self.told_behind.is_some();
        if was_told {
            self.behind = false;
        }
        was_told
    }

    /// Since when its silence counts, as of `now`: not before it was last heard.
    pub(in crate::node) fn silent_from(&self, now: Time) -> Time {
        let counts = match (self.watched, self.expected) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        counts.unwrap_or(now).max(self.heard)
    }

    /// How long it has been silent although something was expected on it.
    pub(in crate::node) fn silence(&self, cx: &Context) -> Duration {
        cx.since(self.silent_from(cx.now.time))
    }

    /// It is silent for longer than the failure timeout, and a PING was left without an answer; or its silence
    /// was believed sooner.
    pub(in crate::node) fn is_silent(&self, cx: &Context) -> bool {
        let is_unanswered = |at| cx.since(at) >= cx.config.heartbeat;
        let is_long = self.silence(cx) >= cx.config.failure_timeout;
        self.given_up || is_long && self.pinged.is_none_or(is_unanswered)
    }

    /// Something is expected on it since then.
    pub(super) fn expect_from(&mut self, since: Time) {
        self.expected = Some(self.expected.map_or(since, |at| at.min(since)));
    }

    /// From now on its silence counts, whatever is said on it; or it does not.
    pub(super) fn watch(&mut self, is_watched: bool, now: Time) {
        self.watched = is_watched.then(|| self.watched.unwrap_or(now));
    }

    /// Its silence is believed: its peer counts as alive no more until it is heard.
    pub(super) fn give_up(&mut self) {
        self.given_up = true;
    }

    /// A frame came in, or counts as if it had.
    pub(super) fn hear(&mut self, now: Time) {
        self.heard = now;
        self.expected = None;
        self.pinged = None;
        self.given_up = false;
    }
}
