//! The handshake of a link: what HELLO says, and which of two links of one pair stays.
//!
//! Owns the rules by which a stream becomes a link; the links themselves are `links`', and what the peer says of
//! the group is news for others. It never dials, and never decides whether a process died.

use super::link::LinkStage;
use super::links::{abort, give_up};
use super::{Class, Closed, Context, Interest, LinkId, Mesh, News, Timer, Weakness};
use crate::wire::{Coordinator, Hello, Key, Message, Position, VERSION};

/// No pair comes to so many rounds. A liar may bring the count here, where it stays: of two links the one
/// opened by the higher key is then the newer one.
const ROUND_MAX: u64 = 1 << 53;

/// What HELLO says beside what the mesh knows itself.
#[derive(Debug)]
pub(in crate::node) struct Greeting {
    /// The coordinator that this node may vouch for.
    pub(in crate::node) coordinator: Option<Coordinator>,
    /// Where its history is complete from.
    pub(in crate::node) floor: Option<Position>,
    /// The oldest message of it, if that is not above this floor.
    pub(in crate::node) oldest: Option<Position>,
}

impl Mesh {
    fn hello(&self, cx: &Context, greeting: Greeting, to: Key) -> Message {
        Message::Hello(Hello {
            version: VERSION,
            room: cx.config.room.clone(),
            key: cx.config.key,
            nick: cx.config.nick.clone(),
            round: self.links.round(to),
            addresses: cx.config.addresses.clone(),
            coordinator: greeting.coordinator,
            floor: greeting.floor,
            clock: cx.clock.last(),
            oldest: greeting.oldest,
            wall: cx.now.wall_ms,
        })
    }

    pub(in crate::node) fn on_connected(
        &mut self,
        cx: &mut Context,
        greeting: Greeting,
        id: LinkId,
    ) {
        if self.on_knock_answered(cx, id) {
            return;
        }
        let link = self.links.get_mut(id);
        let Some(link) = link.filter(|link| link.stage == LinkStage::Dialing) else {
            return;
        };
        // A peer that the user named: nobody knows yet who is there.
        let key = link.expects.unwrap_or(Key(0));
        link.stage = LinkStage::Greeting;
        let round = link.round;
        let mut hello = self.hello(cx, greeting, key);
        if let Message::Hello(hello) = &mut hello {
            hello.round = round;
        }
        cx.send(id, Class::Control, hello);
    }

    pub(in crate::node) fn on_handshake_timer(
        &mut self,
        cx: &mut Context,
        group: &impl Interest,
        id: LinkId,
    ) {
        let Some(link) = self.links.get(id) else {
            return;
        };
        if matches!(link.stage, LinkStage::Dialing | LinkStage::Greeting) {
            give_up(cx, id, "no HELLO in time");
            self.on_closed(cx, group, id, Closed::Failed);
        }
    }

    pub(in crate::node) fn on_hello(
        &mut self,
        cx: &mut Context,
        group: &impl Interest,
        greeting: Greeting,
        (id, hello): (LinkId, Hello),
    ) {
        let Some(link) = self.links.get(id) else {
            return;
        };
        let (ours, expects, key) = (link.is_ours(), link.expects, hello.key);
        if link.stage != LinkStage::Greeting {
            return self.refuse(cx, group, id, "HELLO twice");
        }
        let wrong = if hello.version != VERSION {
            Some("another protocol version")
        } else if hello.room != cx.config.room {
            Some("another room")
        } else if key == cx.config.key {
            Some("a dial of oneself")
        } else if expects.is_some_and(|k| k != key) {
            Some("not the peer that was dialled")
        } else if hello.round > ROUND_MAX {
            Some("an impossible round")
        } else {
            None
        };
        if key == cx.config.key {
            self.peers.forget(id);
        }
        if let Some(why) = wrong {
            abort(cx, id, why);
            return self.on_closed(cx, group, id, Closed::Failed);
        }
        self.peers.met(id, key);
        let round = if ours { link.round } else { hello.round };
        if !self.wins(cx, id, key, ours, round) {
            if let Some(link) = self.links.get_mut(id) {
                // What the peer already sent on it still counts.
                link.key = Some(key);
            }
            self.close_gracefully(cx, id);
            return;
        }
        if !ours {
            let answer = self.hello(cx, greeting, key);
            cx.send(id, Class::Control, answer);
        }
        self.open_link(cx, id, hello, round);
    }

    /// Two links of one pair: of the same round, both were dialled before either was open, and the
    /// one opened by the higher key stays; of different rounds, the newer stays. One that is silent stays
    /// for nobody: its peer may have lost it, and count its rounds from the beginning again.
    fn wins(&self, cx: &Context, id: LinkId, key: Key, ours: bool, round: u64) -> bool {
        let rank = |ours: bool, round: u64| {
            let opener = if ours { cx.config.key } else { key };
            (round, opener)
        };
        let open = self.links.to(key).filter(|l| !l.is_silent(cx));
        let open = open.map(|l| (l.is_ours(), l.round));
        let dial = self.links.dials.get(&key).filter(|d| d.link != id);
        let dial = dial.and_then(|d| self.links.get(d.link));
        // A dial that has not connected may never: it yields to a link that is there.
        let dial = dial.filter(|l| l.stage == LinkStage::Greeting);
        let dial = dial.map(|l| (l.is_ours(), l.round));
        [open, dial]
            .into_iter()
            .flatten()
            .all(|(o, r)| rank(o, r) <= rank(ours, round))
    }

    fn open_link(&mut self, cx: &mut Context, id: LinkId, hello: Hello, round: u64) {
        let key = hello.key;
        let clock = cx.believed(hello.clock);
        self.note_silence(cx, key);
        self.note_return(cx, key);
        if let Some(old) = self.links.put_open(key, id) {
            self.close_gracefully(cx, old);
        }
        self.drop_dial(cx, key, id);
        let next = round.saturating_add(1).min(ROUND_MAX);
        self.links.note_round(key, next);
        let now = cx.now.time;
        if let Some(link) = self.links.get_mut(id) {
            link.stage = LinkStage::Open;
            link.key = Some(key);
            link.round = round;
            link.addresses = hello.addresses;
            let group = hello.coordinator.as_ref().map(|c| c.key);
            link.complete_above = hello.floor.map(|floor| (floor, group));
            link.oldest = hello.oldest;
            link.clock = clock;
            link.wall = (hello.wall > 0).then_some((hello.wall, now));
            link.heard = now;
            link.opened = now;
            link.proven = link.is_ours() || cx.is_weakened(Weakness::UnprovenCounts);
        }
        cx.cancel_timer(Timer::Handshake(id));
        self.silent_since.remove(&key);
        self.suspects.remove(&key);
        self.dead.remove(key);
        // Who has left says nothing more: somebody else said so in its name.
        self.left.remove(key);
        self.news.push_back(News::Opened {
            link: id,
            key,
            told: hello.coordinator,
            clock,
        });
    }
}

#[cfg(test)]
#[path = "handshake_test.rs"]
mod tests;
