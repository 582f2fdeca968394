//! When the loop is woken up for the look-ups of names.
//!
//! Owns nothing: when a name is looked up is the names' to decide.

use crate::node::Time;

use super::super::names::Names;
use super::super::wheel::Wheel;
use super::Wake;

/// The next look-up, or the end of one, wakes the loop.
pub(in crate::driver) fn wake_for_names(names: &Names, wheel: &mut Wheel<Wake>, now: Time) {
    if names.is_empty() {
        return;
    }
    match names.next_deadline(now) {
        Some(at) => wheel.set(Wake::Names, at),
        None => wheel.cancel(Wake::Names),
    }
}
