//! Reading the file: what peers fetch that is not in memory, and what stdout was too slow for.
//!
//! Owns nothing but the rule that a file that cannot be read is empty: whoever asks goes on with what is
//! in memory, and the user is told once. It never writes.

use crate::node::{Asks, Node, Now};
use crate::store::StoreError;
use crate::ui::Ui;
use crate::wire::{ChatMessage, Chunk, Fetch, Position};

use super::{Keeper, shown};

/// The answer to a FETCH, from the store. If it cannot be read the peer gets nothing from there, and
/// goes on with what is in memory.
pub(in crate::driver) fn answer(
    keeper: &mut Option<Keeper>,
    now: Now,
    ui: &mut Ui,
    fetch: &Fetch,
    until: Position,
) -> Chunk {
    let asks = Asks::of(fetch);
    let wanted = |position: Position| asks.for_message(position, position.id());
    let read = read(keeper.as_mut(), fetch.after, until, wanted);
    if let Some(words) = read.trouble {
        ui.warn(now, &words);
    }
    Chunk {
        no: fetch.no,
        next: Some(read.upto),
        messages: read.messages,
    }
}

/// Fetches from the store what stdout is to have next: one chunk at most, and what is to be stored
/// yet. What cannot be read is skipped, and the user is told. False if nothing is wanted.
pub(in crate::driver) fn fetch_for_stdout(
    keeper: &mut Option<Keeper>,
    now: Now,
    ui: &mut Ui,
    node: &Node,
) -> bool {
    let Some((after, until)) = ui.wants_stored() else {
        return false;
    };
    let wanted = |position: Position| ui.is_wanted_of_store(position);
    let read = read(keeper.as_mut(), after, until, wanted);
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

/// What was read of the file.
struct Read {
    messages: Vec<ChatMessage>,
    /// How far the file was read.
    upto: Position,
    /// It could not be read, and the user is to be told.
    trouble: Option<String>,
}

fn read(
    keeper: Option<&mut Keeper>,
    after: Position,
    until: Position,
    wanted: impl Fn(Position) -> bool,
) -> Read {
    let found = match keeper.as_deref().and_then(Keeper::reader) {
        Some(store) => store.between(after, until, wanted),
        None => Err(StoreError::Unusable("it is not open".into())),
    };
    match found {
        Ok(found) => Read {
            messages: found.messages,
            upto: found.upto,
            trouble: None,
        },
        Err(e) => Read {
            messages: Vec::new(),
            upto: until,
            trouble: keeper.and_then(|k| k.note_unread(&e)),
        },
    }
}

impl Keeper {
    /// Something could not be read; the words say so, the first time.
    fn note_unread(&mut self, e: &StoreError) -> Option<String> {
        let is_new = !std::mem::replace(&mut self.reads_fail, true);
        is_new.then(|| {
            let path = shown(&self.path);
            format!("{path}: cannot be read: {e}; others get what is in memory only")
        })
    }
}
