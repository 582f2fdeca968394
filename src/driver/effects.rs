//! What the node wants done, done in its order.
//!
//! Nothing here calls the node: what an effect causes at once (a dial that fails) is told to it
//! later.

use std::time::Duration;

use crate::node::{Class, Effect, Event, LinkId, Timer};
use crate::wire::{Message, encode_frame};

use super::keeper;
use super::reactor::{Reactor, Wake};

/// A timer set for the past fires this much later: in the next turn, not in this one.
const SOON: Duration = Duration::from_micros(1);

/// Effects that the outbox keeps room for between inputs.
const OUTBOX_KEPT: usize = 1_024;

impl Reactor {
    /// Carries out what is in the outbox.
    pub(super) fn carry_out(&mut self) {
        // Taken out and put back, so that its memory is kept; but not that of a rare flood.
        let mut outbox = std::mem::take(&mut self.outbox);
        for effect in outbox.drain(..) {
            self.carry_out_one(effect);
        }
        outbox.shrink_to(OUTBOX_KEPT);
        self.outbox = outbox;
    }

    fn carry_out_one(&mut self, effect: Effect) {
        match effect {
            Effect::Send { to, class, message } => self.send(&to, class, &message),
            Effect::Multicast(datagram) => {
                let (ui, now) = (&mut self.ui, self.now);
                (self.network).multicast(now, &datagram, |words| ui.warn(now, words));
            }
            Effect::Unicast { to, datagram } => self.network.unicast(self.now, &datagram, to),
            Effect::Dial { link, to } => {
                let to = self.network.scoped(to);
                self.streams.dial(link, to);
            }
            Effect::Close { link, how } => self.streams.close(self.now.time, link, how),
            Effect::SetTimer { timer, at } => {
                let at = at.max(self.now.time + SOON);
                self.wheel.set(Wake::Node(timer), at);
            }
            Effect::CancelTimer(timer) => {
                self.wheel.cancel(Wake::Node(timer));
                if let Timer::Handshake(link) = timer {
                    self.streams.end_handshake(link);
                    let node = &self.node;
                    let is_member = |link| node.is_member_link(link);
                    self.streams.limit_strangers(self.now.time, link, is_member);
                }
            }
            Effect::FetchStored { link, fetch, until } => {
                let (keeper, ui) = (&mut self.keeper, &mut self.ui);
                let chunk = keeper::answer(keeper, self.now, ui, &fetch, until);
                self.send(&[link], Class::Chat, &Message::Chunk(chunk));
            }
            Effect::Show(event) => {
                self.left |= matches!(event, Event::Left { .. });
                self.ui.on_event(self.now, event, &self.node);
            }
        }
    }

    /// One encoding, shared by all queues.
    pub(super) fn send(&mut self, to: &[LinkId], class: Class, message: &Message) {
        if to.is_empty() {
            return;
        }
        match encode_frame(message) {
            Ok(frame) => {
                let node = &self.node;
                let is_member = |link| node.is_member_link(link);
                self.streams.look_again(to, frame.len(), is_member);
                self.streams.send(self.now.time, to, class, &frame);
            }
            // The node made something that the protocol does not allow: a defect here.
            Err(e) => log::error!("a message could not be sent: {e}"),
        }
    }
}
