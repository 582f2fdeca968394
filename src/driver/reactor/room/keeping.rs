//! When the store is written to: once in each turn, and tended at its end.
//!
//! Owns nothing: it is lent the keeper, which decides what is written, and passes its words on to the user. It
//! never reads the store.

use crate::node::{Node, Now};
use crate::ui::Ui;

use super::super::super::carrier::Wake;
use super::super::super::keeper::Keeper;
use super::super::super::wheel::Wheel;

/// Before the end of the node's turn: commits what the turn brought.
pub(super) fn commit(keeper: &mut Option<Keeper>, now: Now, node: &mut Node, ui: &mut Ui) {
    if let Some(words) = keeper.as_mut().and_then(|k| k.turn(now, node)) {
        ui.warn(now, &words);
    }
}

/// At the end of a turn, when everything is written.
pub(super) fn tidy(
    keeper: &mut Option<Keeper>,
    now: Now,
    node: &Node,
    (wheel, ui): (&mut Wheel<Wake>, &mut Ui),
) {
    let Some(keeper) = keeper else {
        return;
    };
    let (wake, words) = keeper.tidy(now.time, node.unstored_len());
    if let Some(words) = words {
        ui.warn(now, &words);
    }
    match wake {
        Some(at) => wheel.set(Wake::Store, at),
        None => wheel.cancel(Wake::Store),
    }
}
