//! Keeping: the driver's side of the simulated stores, and of readers of what is printed.
//!
//! Owns when something is committed, in the order of `driver::keeper`: once per turn, before the
//! end of the node's turn; and when something is printed. Chance lets some commits take little, and
//! some fail, and readers pause. Nothing here knows what the messages mean.

use papo::limits::{STORE_BATCH_BYTES_MAX, STORE_BATCH_MAX};
use papo::node::{Class, Effect};
use papo::wire::{ChatMessage, Chunk, Message};

use super::agenda::RunId;
use super::fate::About;
use super::scenario::{MS, SECOND};
use super::world::World;

/// The pause between two attempts to store something while that fails.
const RETRY: u64 = SECOND;

impl World {
    /// Before the end of the node's turn: commits what the turn brought.
    pub(super) fn store_turn(&mut self, run: RunId) {
        if !self.processes[run].stores {
            return;
        }
        let (host, now) = (self.processes[run].host, self.now());
        let unstored = self.processes[run].node.unstored_len();
        self.processes[run].is_storing = false;
        let retry_at = self.stores[host].retry_at;
        if unstored == 0 {
            return;
        }
        if now < retry_at {
            return self.wake_at(run, retry_at);
        }
        let Some(most) = self.commit_takes(run) else {
            self.stores[host].retry_at = now + RETRY;
            self.trace.add(now, || {
                format!("run {run} cannot store {unstored} messages")
            });
            return self.wake_at(run, now + RETRY);
        };
        self.commit(run, most);
        if self.processes[run].node.unstored_len() > 0 {
            self.processes[run].is_storing = true;
            self.wake_at(run, now + 20);
        }
    }

    /// Before the end of the node's turn: the reader of its output takes what it likes.
    pub(super) fn print_turn(&mut self, run: RunId) {
        let (now, process) = (self.now(), &self.processes[run]);
        if process.unprinted.is_empty() {
            return;
        }
        let about = (run as u64, process.wakes, now);
        let fate = self.fate.bits(About::Print, about.0, about.1, about.2);
        let left = process.unprinted.len();
        let count = match fate & 7 {
            _ if now >= self.scenario.heal_at => left,
            0 | 1 => 0,
            2 => left.min(1 + (fate >> 8) as usize % 8),
            _ => left,
        };
        let process = &mut self.processes[run];
        process.printed.extend(process.unprinted.drain(..count));
        process.node.on_printed(count as u64);
        if count < left {
            let pause = MS + (fate >> 16) % (300 * MS);
            self.wake_at(run, now + pause);
        }
    }

    /// How many messages the next commit takes at most; none if it fails. Once the faults have
    /// ended, none fails any more.
    fn commit_takes(&mut self, run: RunId) -> Option<usize> {
        let (host, now) = (self.processes[run].host, self.now());
        let store = &mut self.stores[host];
        store.attempts += 1;
        let fate = self
            .fate
            .bits(About::Commit, host as u64, store.attempts, 0);
        if now >= self.scenario.heal_at {
            return Some(STORE_BATCH_MAX);
        }
        let fails = now < store.fails_until || fate.is_multiple_of(128);
        match fate >> 8 & 7 {
            _ if fails => None,
            0 => Some(1 + (fate >> 16) as usize % 4),
            _ => Some(STORE_BATCH_MAX),
        }
    }

    fn commit(&mut self, run: RunId, most: usize) {
        let process = &mut self.processes[run];
        let mut bytes = 0;
        let fits = |message: &&ChatMessage| {
            let fits = bytes < STORE_BATCH_BYTES_MAX;
            bytes += message.size_bound();
            fits
        };
        let unstored = process.node.unstored().take(most).take_while(fits);
        let taken: Vec<ChatMessage> = unstored.cloned().collect();
        let count = taken.len();
        self.stores[process.host].commit(taken.into_iter());
        process.node.on_stored(count);
    }

    /// The node has left: what is not stored yet is tried a last time.
    pub(super) fn close_store(&mut self, run: RunId) {
        let process = &self.processes[run];
        let fails_until = self.stores[process.host].fails_until;
        let works = process.stores && fails_until <= self.now();
        while works && self.processes[run].node.unstored_len() > 0 {
            self.commit(run, STORE_BATCH_MAX);
        }
    }

    /// Answers a FETCH from the store.
    pub(super) fn fetch_stored(&mut self, run: RunId, effect: Effect) {
        let Effect::FetchStored {
            link,
            fetch,
            until,
            unstored,
        } = effect
        else {
            return;
        };
        if !self.processes[run].stores {
            return self.fail("stores", format!("run {run} has none, and reads from it"));
        }
        let store = &self.stores[self.processes[run].host];
        let (messages, upto) = store.between(&fetch, until);
        let chunk = Chunk {
            no: fetch.no,
            next: Some(upto),
            messages,
        };
        let chunk = chunk.with(unstored);
        self.send(run, vec![link], Class::Chat, &Message::Chunk(chunk));
    }

    /// A new process is told what the store holds, and holds all of that.
    pub(super) fn restore(&mut self, run: RunId) {
        let process = &mut self.processes[run];
        let store = &mut self.stores[process.host];
        store.retry_at = 0;
        let max = self.scenario.history_of(process.host);
        process.node.restore(store.restored(max));
        let history = process.node.history();
        let lost = store
            .iter()
            .map(ChatMessage::id)
            .find(|id| !history.contains(*id));
        if let Some(id) = lost {
            self.fail(
                "stores",
                format!("run {run} has {id} in its store, and not in its history"),
            );
        }
    }

    /// Nothing can be stored on this host until then.
    pub(super) fn fail_store(&mut self, host: usize, long: u64) {
        let until = self.now() + long.max(MS);
        let store = &mut self.stores[host];
        store.fails_until = store.fails_until.max(until);
    }
}
