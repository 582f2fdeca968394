//! What a loop is woken up for by a timer of a node, or of one of its parts.
//!
//! Owns nothing: when each of these is due is the wheel's. It never sleeps.

use crate::node::{LinkId, Time, Timer};
use crate::timing;

use super::super::streams::Streams;
use super::super::wheel::Wheel;

/// What the wheel wakes the loop for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(in crate::driver) enum Wake {
    /// A timer of the node.
    Node(Timer),
    /// Accepting is tried again.
    Accept,
    /// The store is to be looked after.
    Store,
    /// A name is to be looked up, or has been for long enough.
    Names,
    /// Whether the lesson has cut the network is to be looked at.
    Cuts,
    /// The interfaces are looked at.
    Look,
    /// A link that is being closed has had its time.
    Expire(LinkId),
}

/// Drops the streams that ended; those that are being closed are dropped for good after a while.
pub(in crate::driver) fn bury(streams: &mut Streams, wheel: &mut Wheel<Wake>, now: Time) {
    let until = now + timing::LINGER;
    for link in streams.take_to_expire() {
        wheel.set(Wake::Expire(link), until);
    }
    streams.bury(|link| wheel.cancel(Wake::Expire(link)));
}
