//! Looking for words in the store, for `/search`.
//!
//! Owns the search that runs, and what of it was told. A process of its own looks the words up, since the index may
//! have to be read from the disk, or be made first; the loop reads the few messages that are to be shown. What is
//! in memory is not searched here, and nothing is written.

use mio::Registry;

use crate::limits::SEARCH_STORED_MAX;
use crate::node::Time;
use crate::store::{Reply, Store};
use crate::ui::FoundInStore;
use crate::wire::Position;

use super::super::tokens::SEARCH;
use super::helper::Helper;

/// At most one search.
#[derive(Debug)]
pub(super) struct Searching {
    helper: Helper,
    /// Where the newest are that were found.
    hits: Vec<Position>,
    /// How many there are, once that is known.
    count: Option<u64>,
}

impl Searching {
    pub(super) fn new(registry: Registry) -> Searching {
        Searching {
            helper: Helper::new(registry, SEARCH),
            hits: Vec::new(),
            count: None,
        }
    }

    /// Begins a search for messages older than this position. False if it cannot be done; none may be running.
    pub(super) fn begin(&mut self, store: Option<&Store>, words: &str, before: Position) -> bool {
        (self.hits, self.count) = (Vec::new(), None);
        let request = store.map(|store| store.search_request(words, before));
        let started = request.map(|request| self.helper.start(&request));
        if let Some(Err(e)) = &started {
            log::info!("the store cannot be searched: {e}");
        }
        matches!(started, Some(Ok(())))
    }

    /// The process has said something.
    pub(super) fn on_event(&mut self) {
        self.helper.on_event();
    }

    /// True if there is something to do at once.
    pub(super) fn has_work(&self) -> bool {
        self.helper.has_work()
    }

    /// When to look for the end of the process again.
    pub(super) fn next_wake(&self, now: Time) -> Option<Time> {
        self.helper.next_wake(now)
    }

    /// What the search has found, once, when it is over; nothing inside if it could not be done.
    pub(super) fn take_found(&mut self, store: Option<&Store>) -> Option<Option<FoundInStore>> {
        for reply in self.helper.replies() {
            match reply {
                Reply::Hit(at) if self.hits.len() < SEARCH_STORED_MAX => self.hits.push(at),
                Reply::Found(count) => self.count = Some(count),
                Reply::Failed(e) => log::info!("the store cannot be searched: {e}"),
                _ => {}
            }
        }
        if !self.helper.has_ended() {
            return None;
        }
        let hits = std::mem::take(&mut self.hits);
        let read = |count| {
            let messages = store?.at(&hits);
            let messages = messages.inspect_err(|e| log::info!("the store cannot be read: {e}"));
            let messages = messages.ok()?;
            Some(FoundInStore { messages, count })
        };
        Some(self.count.take().and_then(read))
    }
}
