//! What a node wants done of its links, datagrams, timers and dials, done in its order.
//!
//! Owns nothing: it is lent what the effects reach. Nothing here calls the node: what an effect causes at once (a dial
//! that fails) is told to it later. What is to be shown, or read of a store, it gives back.

use std::time::Duration;

use crate::node::{Class, Effect, LinkId, Node, Now, Timer};
use crate::wire::{Message, encode_frame};

use super::super::names::Names;
use super::super::network::Network;
use super::super::streams::Streams;
use super::super::wheel::Wheel;
use super::Wake;

/// A timer set for the past fires this much later: in the next turn, not in this one.
const SOON: Duration = Duration::from_micros(1);

/// What effects reach, lent for the length of one call.
pub(in crate::driver) struct Reach<'a> {
    pub(in crate::driver) now: Now,
    /// To look at only.
    pub(in crate::driver) node: &'a Node,
    pub(in crate::driver) wheel: &'a mut Wheel<Wake>,
    pub(in crate::driver) streams: &'a mut Streams,
    pub(in crate::driver) network: &'a mut Network,
    pub(in crate::driver) names: &'a mut Names,
}

impl Reach<'_> {
    /// Carries out one effect, and gives it back if it is one that only the loop can carry out. `warn` tells the
    /// user.
    pub(in crate::driver) fn carry_out(
        &mut self,
        effect: Effect,
        warn: impl FnMut(&str),
    ) -> Option<Effect> {
        let now = self.now;
        match effect {
            Effect::Send { to, class, message } => self.send(&to, class, &message),
            Effect::Multicast(datagram) => self.network.multicast(now, &datagram, warn),
            Effect::Unicast { to, datagram } => self.network.unicast(now, &datagram, to),
            Effect::Dial { link, to, small } => {
                self.names.on_dial(now.time, to);
                let to = self.network.scoped(to);
                self.streams.dial(link, to, small);
            }
            Effect::Close { link, how } => self.streams.close(link, how),
            Effect::SetTimer { timer, at } => {
                let at = at.max(now.time + SOON);
                self.wheel.set(Wake::Node(timer), at);
            }
            Effect::CancelTimer(timer) => {
                self.wheel.cancel(Wake::Node(timer));
                if let Timer::Handshake(link) = timer {
                    self.streams.end_handshake(link);
                    let node = self.node;
                    let is_member = |link| node.is_member_link(link);
                    self.streams.limit_strangers(link, is_member);
                }
            }
            // It was written where it was left.
            Effect::Note(_) => {}
            Effect::FetchStored { .. } | Effect::Show(_) => return Some(effect),
        }
        None
    }

    /// One encoding, shared by all queues.
    pub(in crate::driver) fn send(&mut self, to: &[LinkId], class: Class, message: &Message) {
        if to.is_empty() {
            return;
        }
        let sealed;
        let message = match message {
            Message::Relay(relay) if relay.from == self.node.key() => {
                sealed = Message::Relay(self.streams.seal(relay));
                &sealed
            }
            message => message,
        };
        match encode_frame(message) {
            Ok(frame) => {
                let node = self.node;
                let is_member = |link| node.is_member_link(link);
                self.streams.look_again(to, frame.len(), is_member);
                self.streams.send(self.now.time, to, class, &frame);
            }
            // The node made something that the protocol does not allow: a defect here.
            Err(e) => log::error!("a message could not be sent: {e}"),
        }
    }
}
