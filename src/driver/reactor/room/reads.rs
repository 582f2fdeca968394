//! What is read of the store: for peers that fetch what is not in memory, for a stdout that was too
//! slow for it, and for the user's searches.
//!
//! Owns nothing: it is lent the keeper, which reads, and those who want it. It never writes.

use crate::node::{Asks, Node, Now};
use crate::ui::Ui;
use crate::wire::{ChatMessage, Chunk, Fetch, Position};

use super::super::super::keeper::{Keeper, Read};

/// The answer to a FETCH, from the store. If it cannot be read the peer gets nothing from there, and
/// goes on with what is in memory.
pub(super) fn answer(
    keeper: &mut Option<Keeper>,
    now: Now,
    ui: &mut Ui,
    fetch: &Fetch,
    until: Position,
) -> Chunk {
    let asks = Asks::of(fetch);
    let wanted = |position: Position| asks.for_message(position, position.id());
    let read = match keeper {
        Some(keeper) => keeper.read(fetch.after, until, wanted),
        None => Read::nothing(until),
    };
    if let Some(words) = read.trouble {
        ui.warn(now, &words);
    }
    Chunk {
        no: fetch.no,
        next: Some(read.upto),
        messages: read.messages,
    }
}

/// Looks in the store for what the user searches, beside what is in memory.
pub(super) fn search(keeper: &mut Option<Keeper>, now: Now, ui: &mut Ui, node: &Node) {
    let Some(keeper) = keeper else {
        return;
    };
    if let Some(found) = keeper.take_found() {
        ui.give_search(now, node, found);
    }
    while let Some(words) = ui.next_search() {
        let oldest = node.history().iter().next();
        let before = oldest.map_or(Position::END, ChatMessage::position);
        if keeper.begin_search(&words, before) {
            break;
        }
        ui.give_search(now, node, None);
    }
}

/// Gives stdout what it is to have next of the store: one chunk at most, and what is to be stored
/// yet. What cannot be read is skipped, and the user is told. False if nothing is wanted.
pub(super) fn fill_stdout(keeper: &mut Option<Keeper>, now: Now, ui: &mut Ui, node: &Node) -> bool {
    let Some((after, until)) = ui.wants_stored() else {
        return false;
    };
    let wanted = |position: Position| ui.is_wanted_of_store(position);
    let read = match keeper {
        Some(keeper) => keeper.read(after, until, wanted),
        None => Read::nothing(until),
    };
    if let Some(words) = read.trouble {
        ui.warn(now, &words);
    }
    let (mut messages, upto) = (read.messages, read.upto);
    let unstored = node.unstored().filter(|m| {
        let position = m.position();
        after < position && position <= upto && ui.is_wanted_of_store(position)
    });
    messages.extend(unstored.cloned());
    messages.sort_by_key(ChatMessage::position);
    messages.dedup_by_key(|m| m.position());
    ui.give_stored(messages, upto);
    true
}
