//! What the user's side wants of the store, and what it gets: a part of [`Ui`], of which each call is a question or
//! an answer of whoever has the store.
//!
//! Owns nothing of its own. It never reads the store.

use crate::node::Now;
use crate::wire::{ChatMessage, Position};

use super::Ui;
use super::room_state::RoomState;
use super::searching::{self, FoundInStore};

impl Ui {
    /// What the node shows from now on is in a store: what has no room in memory may be left there.
    pub fn has_store(&mut self) {
        self.searching.on_store();
        self.display.stdout_mut().has_store();
    }

    /// What is to be fetched from the store before more can be printed: after the one position, and up to
    /// the other.
    pub fn wants_stored(&mut self) -> Option<(Position, Position)> {
        self.display.stdout_mut().wanted()
    }

    /// True if a message at this position is among what [`wants_stored`](Ui::wants_stored) named.
    #[must_use]
    pub fn is_wanted_of_store(&self, position: Position) -> bool {
        self.display.stdout().is_wanted(position)
    }

    /// Takes in what was fetched from the store: all that was found of what
    /// [`wants_stored`](Ui::wants_stored) named up to this position, in the history's order.
    pub fn give_stored(&mut self, mut found: Vec<ChatMessage>, upto: Position) {
        let people = self.display.people();
        found.retain(|message| self.showing.wants(message, people));
        self.display.stdout_mut().give(found, upto);
    }

    /// The words that are to be looked for in the store, among what is not in memory. The answer is
    /// [`give_search`](Ui::give_search), before which there are no others.
    pub fn next_search(&mut self) -> Option<String> {
        self.searching.next()
    }

    /// What the store has of what was looked for; None if it could not be searched.
    pub fn give_search(&mut self, now: Now, node: &dyn RoomState, found: Option<FoundInStore>) {
        let Some(words) = self.searching.end() else {
            return;
        };
        if found.is_none() {
            let why = "the store could not be searched; this is what is in memory";
            self.display.warn(now, why);
        }
        let parts = (&mut self.display, &self.showing);
        searching::show(parts, now, node, &words, found);
    }
}
