//! Knocking: whether the kernel of a silent peer's host still answers, though the process says nothing.
//!
//! Owns the one dial that is only made to see whether it is taken. It is closed as soon as it is, without
//! HELLO: it is no link, and nothing of what is noted of links and dials ever knows of it.

use super::{Close, Context, Effect, Key, Link, LinkId, Mesh};
use crate::wire::Address;

/// The last knock.
#[derive(Debug)]
pub(super) struct Knock {
    link: LinkId,
    /// The connection came about.
    is_answered: bool,
}

/// Where the listener at the other end of this link can be reached, as the link shows: at the address that
/// was dialled, or at the one that the peer named of the host that it dialled from.
pub(super) fn shown_address(link: &Link) -> Option<Address> {
    if link.is_ours() {
        return Some(Address(link.address()));
    }
    let ip = link.address().ip();
    link.addresses.iter().find(|a| a.0.ip() == ip).copied()
}

impl Mesh {
    /// True if there is room for the link that knocking takes.
    pub(in crate::node) fn can_knock(&self) -> bool {
        !self.links.is_full()
    }

    /// Knocks where the listener of this peer is; the knock before, if it is unanswered, is given up, since
    /// a kernel asks again only after a second.
    pub(in crate::node) fn knock(&mut self, cx: &mut Context, key: Key) {
        self.end_knock(cx);
        let Some(peer) = self.links.to(key) else {
            return;
        };
        let known = shown_address(peer);
        let Some(to) = known.or_else(|| self.best_first(cx, &peer.addresses).pop_front()) else {
            return;
        };
        if self.links.is_full() {
            return;
        }
        let link = self.links.new_id();
        let is_answered = false;
        self.knock = Some(Knock { link, is_answered });
        let (to, small) = (to.0, false);
        cx.out.push(Effect::Dial { link, to, small });
    }

    /// The last knock was answered.
    pub(in crate::node) fn is_knock_answered(&self) -> bool {
        self.knock.as_ref().is_some_and(|k| k.is_answered)
    }

    /// Nothing is knocked at any more.
    pub(in crate::node) fn end_knock(&mut self, cx: &mut Context) {
        if let Some(knock) = self.knock.take()
            && !knock.is_answered
        {
            let how = Close::GiveUp("nobody answers a knock");
            cx.close(knock.link, how);
        }
    }

    /// A dial was taken; true if it was a knock.
    pub(super) fn on_knock_answered(&mut self, cx: &mut Context, link: LinkId) -> bool {
        let Some(knock) = self.knock.as_mut().filter(|k| k.link == link) else {
            return false;
        };
        if !std::mem::replace(&mut knock.is_answered, true) {
            cx.close(link, Close::GiveUp("a knock was answered"));
        }
        true
    }

    /// A dial failed; a refusal of a knock says nothing: the link's own end does.
    pub(super) fn on_knock_failed(&mut self, link: LinkId) {
        let is_this = |k: &Knock| k.link == link && !k.is_answered;
        if self.knock.as_ref().is_some_and(is_this) {
            self.knock = None;
        }
    }
}
