//! What is found of the peers that the user named, on its way to the node and to the user.
//!
//! Owns nothing, and is lent what it needs: when a name is looked up is the names' to decide, and what is done
//! with an address the node's.

use crate::node::{Now, Peer};
use crate::ui::Ui;

use super::super::super::names::Names;

/// Goes on with the look-ups that are due, and tells the user what is to be said; the next peer of which
/// there is news, if there is one.
pub(super) fn next_found(names: &mut Names, ui: &mut Ui, now: Now) -> Option<Peer> {
    while let Some(news) = names.step(now.time) {
        if let Some(words) = news.words {
            ui.warn(now, &words);
        }
        if news.found.is_some() {
            return news.found;
        }
    }
    None
}
