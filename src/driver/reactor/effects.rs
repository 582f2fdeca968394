//! What the node wants done, done in its order.
//!
//! Owns nothing: it is lent what the effects reach. Nothing here calls the node: what an effect causes
//! at once (a dial that fails) is told to it later.

use std::time::Duration;

use crate::node::{Class, Effect, Event, LinkId, Node, Now, Timer};
use crate::ui::Ui;
use crate::wire::{Message, encode_frame};

use super::super::complaints::{Complaint, Complaints, NOT_LET_IN};
use super::super::keeper::Keeper;
use super::super::names::Names;
use super::super::network::Network;
use super::super::streams::Streams;
use super::super::wheel::Wheel;
use super::reads;
use super::wake::Wake;

/// A timer set for the past fires this much later: in the next turn, not in this one.
const SOON: Duration = Duration::from_micros(1);

/// What effects reach, lent for the length of one call.
pub(super) struct EffectParts<'a> {
    pub(super) now: Now,
    /// To look at only.
    pub(super) node: &'a Node,
    pub(super) wheel: &'a mut Wheel<Wake>,
    pub(super) streams: &'a mut Streams,
    pub(super) network: &'a mut Network,
    pub(super) names: &'a mut Names,
    pub(super) keeper: &'a mut Option<Keeper>,
    pub(super) ui: &'a mut Ui,
    pub(super) complaints: &'a mut Complaints,
}

/// True of the effect after which the node has left.
pub(super) fn is_last(effect: &Effect) -> bool {
    matches!(effect, Effect::Show(Event::Left { .. }))
}

impl EffectParts<'_> {
    /// Carries out one effect.
    pub(super) fn carry_out(&mut self, effect: Effect) {
        let now = self.now;
        match effect {
            Effect::Send { to, class, message } => self.send(&to, class, &message),
            Effect::Multicast(datagram) => {
                let ui = &mut *self.ui;
                (self.network).multicast(now, &datagram, |words| ui.warn(now, words));
            }
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
            Effect::FetchStored { link, fetch, until } => {
                let chunk = reads::answer(self.keeper, now, self.ui, &fetch, until);
                self.send(&[link], Class::Chat, &Message::Chunk(chunk));
            }
            Effect::Show(Event::NotLetIn { host, text }) => {
                let topic = NOT_LET_IN;
                let said = (self.complaints).admit(now.time, Complaint { topic, host, text });
                said.into_iter().for_each(|words| self.ui.warn(now, &words));
            }
            // It was written where it was left.
            Effect::Note(_) => {}
            Effect::Show(event) => self.ui.on_event(now, event, self.node),
        }
    }

    /// One encoding, shared by all queues.
    fn send(&mut self, to: &[LinkId], class: Class, message: &Message) {
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
