//! Histories that stay different: with whom another exchange would bring nothing either.
//!
//! Owns how the last exchange with each peer found the two histories, if it brought nothing, and what it did
//! bring that was refused for now only. Nothing is sent or taken in here.

use std::collections::BTreeMap;

use super::{Lent, Talk};
use crate::limits::MEMBERS_MAX;
use crate::wire::{ChatMessage, Digest, Key, MessageId, Position};

/// Two histories above a floor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Compared {
    pub(super) floor: Position,
    pub(super) own: Digest,
    pub(super) others: Digest,
}

/// What a peer has sent and may be taken in later: its author may say it, or be gone, and the clock goes on.
#[derive(Default, Debug)]
pub(super) struct Refused {
    /// The first that each of these authors, members that speak for themselves, had not said yet.
    beyond_word: BTreeMap<Key, u64>,
    /// The lowest timestamp of those too far ahead of the clock on the wall.
    far_ahead: Option<u64>,
    /// There were more authors than are kept.
    is_too_much: bool,
}

impl Refused {
    fn note_beyond_word(&mut self, id: MessageId) {
        let authors = self.beyond_word.len();
        match self.beyond_word.get_mut(&id.origin) {
            Some(first) => *first = id.seq.min(*first),
            None if authors < MEMBERS_MAX => {
                self.beyond_word.insert(id.origin, id.seq);
            }
            None => self.is_too_much = true,
        }
    }

    fn note_far_ahead(&mut self, timestamp: u64) {
        let lowest = self.far_ahead.unwrap_or(timestamp);
        self.far_ahead = Some(lowest.min(timestamp));
    }

    /// These were refused as well.
    pub(super) fn add(&mut self, more: Refused) {
        for (origin, seq) in more.beyond_word {
            self.note_beyond_word(MessageId { origin, seq });
        }
        if let Some(timestamp) = more.far_ahead {
            self.note_far_ahead(timestamp);
        }
        self.is_too_much |= more.is_too_much;
    }
}

/// How the last exchange with each peer found the two histories, if it brought nothing.
#[derive(Default, Debug)]
pub(super) struct Odds(BTreeMap<Key, (Compared, Refused)>);

impl Odds {
    /// An exchange with this peer brought nothing.
    pub(super) fn note(&mut self, peer: Key, compared: Compared, refused: Refused) {
        if !refused.is_too_much {
            self.0.insert(peer, (compared, refused));
        }
    }

    /// An exchange with this peer has ended otherwise, or it has no link any more.
    pub(super) fn forget(&mut self, peer: Key) {
        self.0.remove(&peer);
    }

    /// What the last exchange with this peer brought in vain, which is not fetched again now.
    pub(super) fn take(&mut self, peer: Key) -> Refused {
        self.0
            .remove(&peer)
            .map(|(_, refused)| refused)
            .unwrap_or_default()
    }
}

impl Talk {
    /// True if another exchange with this peer would bring nothing: the last one found the same two
    /// histories, and all that it brought would be refused again.
    pub(super) fn is_at_odds(&self, lent: &Lent<'_>, peer: Key, compared: Compared) -> bool {
        let last = self.repair.odds.0.get(&peer);
        let Some((_, refused)) = last.filter(|(last, _)| *last == compared) else {
            return false;
        };
        let mut words = refused.beyond_word.iter().map(|(&origin, &seq)| {
            let id = MessageId { origin, seq };
            self.is_beyond_word(lent, peer, id)
        });
        let room = self.history.room_beyond_reach();
        let is_refused = |timestamp| self.is_refused_ahead(lent, timestamp, room);
        words.all(|is_beyond| is_beyond) && refused.far_ahead.is_none_or(is_refused)
    }

    /// Leaves out of what a peer has sent what is not to be taken in now, and may be later.
    pub(super) fn drop_refused(
        &mut self,
        lent: &mut Lent<'_>,
        peer: Key,
        messages: &mut Vec<ChatMessage>,
    ) -> Refused {
        let mut refused = Refused::default();
        if let Some(timestamp) = self.drop_far_ahead(lent, None, messages) {
            refused.note_far_ahead(timestamp);
        }
        messages.retain(|message| {
            let is_beyond = self.is_beyond_word(lent, peer, message.id());
            if is_beyond {
                refused.note_beyond_word(message.id());
                self.gaps.note_refused(message.id());
            }
            !is_beyond
        });
        refused
    }
}
