//! What is found of the peers that the user named, told to the node and to the user.
//!
//! Owns nothing: when a name is looked up is the names' to decide, and what is done with an address the
//! node's.

use crate::node::Input;

use super::Reactor;
use super::wake::Wake;

impl Reactor {
    /// Takes in what look-ups have found, and goes on with those that are due.
    pub(super) fn follow_names(&mut self) {
        while let Some(news) = self.names.step(self.now.time) {
            if let Some(words) = news.words {
                self.ui.warn(self.now, &words);
            }
            if let Some(peer) = news.found {
                self.feed(Input::PeerFound(peer));
            }
        }
        self.wake_for_names();
    }

    /// The next look-up, or the end of one, wakes the loop.
    pub(super) fn wake_for_names(&mut self) {
        if self.names.is_empty() {
            return;
        }
        match self.names.next_deadline(self.now.time) {
            Some(at) => self.wheel.set(Wake::Names, at),
            None => self.wheel.cancel(Wake::Names),
        }
    }
}
