//! The order of a node's turn. It stands here alone: the rooms of the reactor and those of IRC clients keep to it.
//!
//! Owns nothing. A room lends its node and its parts, and fills in what is done for its user at the places that the
//! order has for that. Each part of a turn is bounded, and nothing in it waits. It never decides anything of the
//! protocol.

use crate::identity::Peer;
use crate::limits::ACCEPTS_PER_TURN_MAX;
use crate::node::{Input, Node, Now, Outbox};
use crate::timing;
use crate::wire::{Datagram, Message};

use super::super::names::Names;
use super::super::network::Network;
use super::super::streams::{Listener, Streams};
use super::super::wheel::Wheel;
use super::{Door, Wake, bury, wake_for_names};

/// A node and what belongs to it alone, lent for a call.
pub(in crate::driver) struct Parts<'a> {
    pub(in crate::driver) node: &'a mut Node,
    pub(in crate::driver) outbox: &'a mut Outbox,
    pub(in crate::driver) wheel: &'a mut Wheel<Wake>,
    pub(in crate::driver) streams: &'a mut Streams,
    pub(in crate::driver) network: &'a mut Network,
    pub(in crate::driver) listener: &'a mut Listener,
    pub(in crate::driver) names: &'a mut Names,
}

/// The room is locked, and this node has not its secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::driver) struct LockedOut;

/// What has a node that is given turns.
pub(in crate::driver) trait Turn {
    /// What the loop lends for a turn.
    type Lent;

    // What a room has.

    /// The time of this turn.
    fn now(&self) -> Now;

    /// The node and its parts.
    fn parts(&mut self) -> Parts<'_>;

    /// Carries out what the node wants done.
    fn carry_out(&mut self);

    /// Gives the node one input and does what it wants.
    fn feed(&mut self, input: Input);

    /// Tells the user.
    fn warn(&mut self, words: &str);

    /// True if a datagram that came is to be lost: its sender is cut off, as a lesson wants it.
    fn loses(&self, _datagram: &Datagram) -> bool {
        false
    }

    // What is done for the user in the order of a turn.

    /// A peer has said who it is.
    fn meet(&mut self, _peer: Peer) {}

    /// True while what was taken in is still being stored: nothing more is taken in.
    fn is_storing(&self) -> bool {
        false
    }

    /// Behind what the peers say: what the user types.
    fn read_user(&mut self, _lent: &mut Self::Lent) {}

    /// Behind the node's timers: what the user's side has to do by now.
    fn meet_deadline(&mut self) {}

    /// Before the end of the node's turn: what the user wants of it.
    fn take_commands(&mut self, _lent: &mut Self::Lent) {}

    /// Before the node's turn ends, and with it what it took in is confirmed: commits that to the store.
    fn commit(&mut self) {}

    /// Before anything is written.
    fn before_writing(&mut self, _lent: &mut Self::Lent) {}

    /// When what is queued for peers is written: what others did, as far as it is said, and what the user is shown.
    fn write_for_user(&mut self, lent: &mut Self::Lent);

    /// When everything is written.
    fn tidy(&mut self) {}

    // The order.

    /// The first half of a turn: what happened, bounded reads, timers, and what the user wants.
    ///
    /// # Errors
    ///
    /// If the node cannot be in this room.
    fn hear(&mut self, lent: &mut Self::Lent) -> Result<(), LockedOut> {
        self.feed_stream_inputs();
        self.read_datagrams();
        let now = self.now().time;
        let parts = self.parts();
        if (parts.network).is_locked_out(now, parts.node.hears_group()) {
            return Err(LockedOut);
        }
        self.accept();
        if !self.is_storing() {
            self.read_streams();
            self.read_user(lent);
        }
        self.fire_timers();
        self.follow_names();
        self.take_commands(lent);
        Ok(())
    }

    /// The second half: the node's turn ends, and everything is written.
    fn speak(&mut self, lent: &mut Self::Lent) {
        self.commit();
        let now = self.now();
        let parts = self.parts();
        parts.node.end_turn(now, parts.outbox);
        self.carry_out();
        self.finish(lent);
        self.tidy();
    }

    /// Before sleeping: writes what is queued for peers and for the user, and drops what ended.
    fn finish(&mut self, lent: &mut Self::Lent) {
        self.before_writing(lent);
        let now = self.now().time;
        let Parts { node, streams, .. } = self.parts();
        streams.sort(now, |link| node.is_member_link(link));
        streams.flush(now);
        self.write_for_user(lent);
        let parts = self.parts();
        bury(parts.streams, parts.wheel, now);
        wake_for_names(parts.names, parts.wheel, now);
    }

    // Its parts.

    /// What happened to streams since the last turn, or while they were written to. What comes of
    /// it meanwhile waits for the next call.
    fn feed_stream_inputs(&mut self) {
        for _ in 0..self.parts().streams.inputs_len() {
            if let Some(input) = self.parts().streams.next_input() {
                self.feed(input);
            }
        }
    }

    /// Takes in datagrams, as many as one turn allows.
    fn read_datagrams(&mut self) {
        let mut round = self.parts().network.round();
        loop {
            let now = self.now();
            let Some((from, datagram)) = self.parts().network.next_in(now, &mut round) else {
                return;
            };
            if !self.loses(&datagram) {
                self.feed(Input::Datagram { from, datagram });
            }
        }
    }

    /// Takes in connections that wait, as many as one turn allows.
    fn accept(&mut self) {
        let now = self.now().time;
        for _ in 0..ACCEPTS_PER_TURN_MAX {
            let parts = self.parts();
            if !parts.listener.is_ready() {
                break;
            }
            let mut door = Door {
                now,
                node: parts.node,
                listener: parts.listener,
                streams: parts.streams,
                network: parts.network,
            };
            match door.next() {
                Ok(Some(input)) => self.feed(input),
                Ok(None) => {}
                Err(_) => parts.wheel.set(Wake::Accept, now + timing::ACCEPT_RETRY),
            }
        }
    }

    /// Each stream that has something gets its share, those that have waited longest first.
    fn read_streams(&mut self) {
        let mut round = self.parts().streams.round();
        loop {
            let Parts { streams, node, .. } = self.parts();
            let Some((link, message)) = streams.next_in(&mut round) else {
                break;
            };
            if matches!(message, Message::Hello(_))
                && let Some(peer) = streams.peer_of(link)
            {
                node.on_person(link, peer.owner.map(|o| o.to_bytes()));
                self.meet(peer);
            }
            self.feed(Input::Message { link, message });
        }
        self.feed_stream_inputs();
    }

    /// Fires the timers that are due.
    fn fire_timers(&mut self) {
        let now = self.now().time;
        while let Some(wake) = self.parts().wheel.pop_due(now) {
            match wake {
                Wake::Node(timer) => self.feed(Input::Timer(timer)),
                Wake::Accept => self.parts().listener.on_event(),
                // Being awake is enough.
                Wake::Store | Wake::Names | Wake::Cuts => {}
                Wake::Look => self.follow_network(),
                Wake::Expire(link) => self.parts().streams.expire(link),
            }
        }
        self.meet_deadline();
    }

    /// Takes in what look-ups have found, and goes on with those that are due.
    fn follow_names(&mut self) {
        let now = self.now().time;
        while let Some(news) = self.parts().names.step(now) {
            if let Some(words) = news.words {
                self.warn(&words);
            }
            if let Some(peer) = news.found {
                self.feed(Input::PeerFound(peer));
            }
        }
    }

    /// The interfaces are looked at after a while.
    fn look_again(&mut self) {
        let now = self.now().time;
        let parts = self.parts();
        let at = parts.network.next_look(now);
        parts.wheel.set(Wake::Look, at);
    }

    /// Looks at the interfaces, and again after a while.
    fn follow_network(&mut self) {
        let Parts {
            network, streams, ..
        } = self.parts();
        let before = network.candidates();
        let mut said = Vec::new();
        if network.look(|words| said.push(words.to_owned())) {
            streams.set_sources(network.sources());
            streams.drop_without_address(|ip| network.is_ours(ip));
        }
        said.iter().for_each(|words| self.warn(words));
        self.look_again();
        // Links that have gone are known to be gone before the node tells anybody anything.
        self.feed_stream_inputs();
        let candidates = self.parts().network.candidates();
        if candidates != before {
            self.feed(Input::Addresses(candidates));
        }
    }
}
