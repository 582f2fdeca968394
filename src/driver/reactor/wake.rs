//! What the loop is woken up for by a timer.
//!
//! Owns nothing: when each of these is due is the wheel's.

use crate::node::{LinkId, Timer};

/// What the wheel wakes the loop for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Wake {
    /// A timer of the node.
    Node(Timer),
    /// Accepting is tried again.
    Accept,
    /// The store is to be looked after.
    Store,
    /// A name is to be looked up, or has been for long enough.
    Names,
    /// The interfaces are looked at.
    Look,
    /// A link that is being closed has had its time.
    Expire(LinkId),
}
