//! `/search`: what has all the words in memory, and before that in the store, if there is one.
//!
//! Owns the searches that wait for what the store has. It never reads the store: whoever has it is asked by
//! [`Searching::next`], and shows nothing by itself.

use std::collections::VecDeque;

use crate::limits::{SEARCH_SHOWN_MAX, SEARCHES_WAITING_MAX};
use crate::node::Now;
use crate::wire::ChatMessage;

use super::display::Display;
use super::room_state::RoomState;
use super::showing::Showing;
use super::{json, text};

/// What was found among the messages that only the store has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FoundInStore {
    /// The newest of them, in the history's order.
    pub messages: Vec<ChatMessage>,
    /// How many there are in all.
    pub count: u64,
}

/// Searches that wait for the store.
#[derive(Debug, Default)]
pub(super) struct Searching {
    has_store: bool,
    waiting: VecDeque<String>,
    /// What is being looked for.
    running: Option<String>,
}

impl Searching {
    /// There is a store to look in.
    pub(super) fn on_store(&mut self) {
        self.has_store = true;
    }

    /// Puts a search off until the store was looked through. The words come back if there is no store.
    ///
    /// # Errors
    ///
    /// If too many wait, in words for the user.
    pub(super) fn put_off(&mut self, words: String) -> Result<Option<String>, &'static str> {
        if !self.has_store {
            return Ok(Some(words));
        }
        if self.waiting.len() >= SEARCHES_WAITING_MAX {
            return Err("/search: too many searches wait; try again in a moment");
        }
        self.waiting.push_back(words);
        Ok(None)
    }

    /// True while an answer is not there yet.
    pub(super) fn is_busy(&self) -> bool {
        self.running.is_some() || !self.waiting.is_empty()
    }

    /// What is to be looked for now, unless a search is running.
    pub(super) fn next(&mut self) -> Option<String> {
        if self.running.is_none() {
            self.running = self.waiting.pop_front();
            return self.running.clone();
        }
        None
    }

    /// The search that runs is over; its words are returned.
    pub(super) fn end(&mut self) -> Option<String> {
        self.running.take()
    }
}

/// Shows the newest messages in which all words stand, in whatever case.
pub(super) fn show(
    (display, showing): (&mut Display, &Showing),
    now: Now,
    node: &dyn RoomState,
    words: &str,
    stored: Option<FoundInStore>,
) {
    let wanted = words.split_whitespace().map(|word| {
        // For the store it stands for all words that begin so, as every word does here.
        let begun = word.strip_suffix('*').filter(|begun| !begun.is_empty());
        begun.unwrap_or(word).to_lowercase()
    });
    let wanted: Vec<String> = wanted.collect();
    let people = display.people();
    let mut recent = node.newest(usize::MAX);
    recent.retain(|message| {
        let text = message.text().to_lowercase();
        wanted.iter().all(|word| text.contains(word)) && showing.wants(message, people)
    });
    let stored_count = stored.as_ref().map_or(0, |stored| stored.count);
    let count = stored_count + recent.len() as u64;
    let mut found = stored.map_or_else(Vec::new, |stored| stored.messages);
    found.retain(|message| showing.wants(message, people));
    found.append(&mut recent);
    if display.is_json() {
        return display.json(now, |out, at, _| {
            json::search(out, at, words, count, &found)
        });
    }
    let newest = found.split_off(found.len().saturating_sub(SEARCH_SHOWN_MAX));
    let summary = text::found(newest.len() as u64, count, node.history_len() as u64, words);
    match display.prompt() {
        Some(_) if count > 0 => display.rule(now, &summary),
        _ => display.notice(now, &summary),
    }
    display.replay(now, newest, node.key());
    if count > 0 {
        display.rule(now, "end of the search");
    }
}
