//! What a keeper does when its file is as large as it may be.
//!
//! Owns nothing: how much is taken is `space`'s to say, and the deleting is the store's.

use crate::limits::STORE_BATCH_MAX;
use crate::node::{Node, Time};

use super::Keeper;

impl Keeper {
    /// Deletes a step's worth of the oldest messages, if the file is as large as it may be. The words are for
    /// the user.
    pub(super) fn make_space(&mut self, now: Time, node: &mut Node) -> Option<String> {
        let store = self.files.store().filter(|store| store.is_writable())?;
        self.space.look(store);
        let words = self.space.words();
        let words = words.map(|words| format!("{}: {words}", self.files.shown()));
        let is_due = self.space.next_wake(now).is_some_and(|at| at <= now);
        if self.space.is_over() && !self.space.has_log_room() {
            self.tending.want_cut();
        }
        if is_due && !self.trouble.is_met() && !self.files.is_moving() {
            let dropped = self.files.drop_oldest(&mut self.tending, now);
            let dropped = dropped.map(|dropped| node.on_dropped(&dropped.messages, dropped.upto));
            self.space.note(now, dropped);
            if let Some(store) = self.files.store() {
                self.space.look(store);
            }
        }
        words
    }

    /// True if nothing can be committed before there is room: the oldest are being deleted, or the log waits
    /// to be cut.
    pub(super) fn waits_for_space(&mut self, unstored: usize) -> bool {
        let has_log_room = self.space.has_log_room();
        if !has_log_room {
            self.tending.want_cut();
        }
        // What is moved is deleted afterwards: until then it is nowhere else.
        let is_full = self.space.is_full() && !self.files.is_moving();
        let waits = is_full || !has_log_room;
        self.is_full = waits && unstored > STORE_BATCH_MAX;
        waits
    }
}
