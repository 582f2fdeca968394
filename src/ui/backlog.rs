//! What waits for stdout: its order and its bounds, and what is skipped.
//!
//! This module owns the messages, the confirmations and all else that waits, in queues of their
//! own; they leave in the order in which they came. Beyond the bound the oldest messages are
//! skipped, and a gap in their place counts them; confirmations are never skipped, only merged.
//! Where there is a store, the newest are left in it instead, until it is their turn. Nothing is
//! ever rendered here.

use std::collections::VecDeque;

use crate::limits::{OUTPUT_DELIVERED_RUNS_MAX, OUTPUT_LINES_MAX, OUTPUT_SHELVED_STRETCHES_MAX};
use crate::node::Arrival;
use crate::wire::{ChatMessage, Key, Position};

use super::event_data::{Delivered, Said};
use super::gap::Gap;
use super::waiting_in_store::WaitingInStore;

/// What a line that is none of the others is for a terminal with a prompt; elsewhere it is text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Whole lines, an answer.
    Text,
    /// Something quiet.
    Notice,
    /// Something that should not be overlooked.
    Warning,
    /// What parts the lines above it from those that follow.
    Rule,
    /// A message that the terminal has rendered; its text begins in this column.
    Styled(usize),
}

/// One thing with its place in the output and its time.
#[derive(Debug)]
pub(super) struct Placed<T> {
    place: u64,
    pub(super) at: u64,
    pub(super) what: T,
}

#[derive(Debug)]
enum TalkLine {
    Said(Said),
    Unshown(u64),
    InStore(WaitingInStore),
    /// So many messages that the node is owed a word of were not found in the store.
    Lost(u64),
}

/// What comes next.
#[derive(Debug)]
pub(super) enum Item {
    /// The rest of them is to be put back.
    Said(Placed<Said>),
    /// So many messages need not be printed, and this is their place.
    Unshown(u64),
    /// So many messages cannot be printed any more.
    Lost(u64),
    Delivered(Placed<Delivered>),
    Lines {
        at: u64,
        kind: Kind,
        bytes: Vec<u8>,
    },
    Gap(Box<Gap>),
}

/// What a message that is not printed any more was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Dropped {
    /// Messages were dropped, and the node is owed a word of so many.
    Messages { owed: u64 },
    /// So many messages were dropped that need not be printed.
    Unshown(u64),
}

/// What waits for stdout.
#[derive(Debug)]
pub(super) struct Backlog {
    bytes_max: usize,
    /// Nothing is ever skipped: stdout takes everything at once.
    keeps_all: bool,
    /// What is shown is in a store, too.
    has_store: bool,
    /// How many stretches of messages are left in the store.
    stretches: usize,
    talk: VecDeque<Placed<TalkLine>>,
    messages: u64,
    /// Confirmations whose messages were skipped: they come before all other talk.
    early: VecDeque<Placed<Delivered>>,
    delivered: VecDeque<Placed<Delivered>>,
    /// The size of the messages and of the confirmations that wait.
    bytes: usize,
    lines: VecDeque<Placed<(Kind, Vec<u8>)>>,
    line_bytes: usize,
    gap: Option<Box<Gap>>,
    next_place: u64,
}

/// How many bytes a confirmation counts.
const DELIVERED_BYTES: usize = size_of::<Placed<Delivered>>();

fn first_place<T>(queue: &VecDeque<Placed<T>>) -> u64 {
    queue.front().map_or(u64::MAX, |first| first.place)
}

impl Backlog {
    /// Messages and confirmations of more than `bytes_max` do not wait.
    pub(super) fn new(bytes_max: usize) -> Backlog {
        Backlog {
            bytes_max,
            keeps_all: false,
            has_store: false,
            stretches: 0,
            talk: VecDeque::new(),
            messages: 0,
            early: VecDeque::new(),
            delivered: VecDeque::new(),
            bytes: 0,
            lines: VecDeque::new(),
            line_bytes: 0,
            gap: None,
            next_place: 0,
        }
    }

    /// Never skips anything from now on.
    pub(super) fn keep_all(&mut self) {
        self.keeps_all = true;
    }

    /// What is shown from now on can be fetched from a store.
    pub(super) fn has_store(&mut self) {
        self.has_store = true;
    }

    /// Adds messages that came together.
    pub(super) fn push_said(&mut self, at: u64, said: Said) {
        if said.messages.len() == 0 {
            return;
        }
        if self.is_left_in_store(&said) {
            return self.leave_in_store(at, &said);
        }
        self.count(&said);
        self.push_talk(at, TalkLine::Said(said));
    }

    /// True if there is no room in memory, or what came before these messages is in the store only.
    /// What comes late may be older than what the history keeps, and is never left there.
    fn is_left_in_store(&self, said: &Said) -> bool {
        let follows = matches!(
            self.talk.back(),
            Some(Placed { what: TalkLine::InStore(stored), .. }) if stored.takes_more()
        );
        let is_full = self.bytes + said.counted().0 > self.bytes_max;
        let may = self.has_store && !self.keeps_all && said.arrival != Arrival::Late;
        may && (follows || is_full) && self.stretches < OUTPUT_SHELVED_STRETCHES_MAX
    }

    /// Leaves messages in the store, and notes which they are.
    fn leave_in_store(&mut self, at: u64, said: &Said) {
        let takes_more = matches!(
            self.talk.back(),
            Some(Placed { what: TalkLine::InStore(stored), .. }) if stored.takes_more()
        );
        if !takes_more {
            self.push_talk(at, TalkLine::InStore(WaitingInStore::new()));
        }
        if let Some(Placed {
            at: last,
            what: TalkLine::InStore(stored),
            ..
        }) = self.talk.back_mut()
        {
            *last = at;
            let messages = said.messages.as_slice();
            self.messages += messages.len() as u64;
            self.stretches -= stored.len();
            for message in messages {
                stored.add(message, said.arrival, said.owed);
            }
            self.stretches += stored.len();
        }
    }

    /// What is to be fetched from the store before anything else can be printed: after the one position,
    /// and up to the other.
    pub(super) fn wanted(&mut self) -> Option<(Position, Position)> {
        let first = self.first_place();
        match self.talk.front_mut() {
            Some(Placed {
                place,
                what: TalkLine::InStore(stored),
                ..
            }) if *place == first => Some(stored.begin()),
            _ => None,
        }
    }

    /// True if the message at this position is among what is to be fetched from the store.
    pub(super) fn is_wanted(&self, position: Position) -> bool {
        matches!(
            self.talk.front(),
            Some(Placed { what: TalkLine::InStore(stored), .. }) if stored.is_wanted(position)
        )
    }

    /// Takes in what was fetched from the store: all that was found up to this position, in the
    /// history's order. `own` is the key whose messages are one's own.
    pub(super) fn give(&mut self, found: Vec<ChatMessage>, upto: Position, own: Key) {
        let Some(Placed { place, at, what }) = self.talk.pop_front() else {
            return;
        };
        let TalkLine::InStore(mut stored) = what else {
            return self.talk.push_front(Placed { place, at, what });
        };
        self.messages -= stored.messages();
        let mut runs: Vec<((bool, Arrival), Vec<ChatMessage>)> = Vec::new();
        for message in found {
            let Some(arrival) = stored.find(message.id()) else {
                continue;
            };
            let kind = (message.origin() == own, arrival);
            match runs.last_mut() {
                Some((last, run)) if *last == kind => run.push(message),
                _ => runs.push((kind, vec![message])),
            }
        }
        if stored.pass(upto) {
            self.end_stored((place, at), &stored);
        } else {
            self.messages += stored.messages();
            let what = TalkLine::InStore(stored);
            self.talk.push_front(Placed { place, at, what });
        }
        for ((is_own, arrival), run) in runs.into_iter().rev() {
            let said = Said::new(run, is_own, arrival, false);
            self.count(&said);
            let what = TalkLine::Said(said);
            self.talk.push_front(Placed { place, at, what });
        }
    }

    /// Ends a stay in the store: all was fetched that is there.
    fn end_stored(&mut self, (place, at): (u64, u64), stored: &WaitingInStore) {
        self.stretches -= stored.len();
        let mut is_whole = true;
        for range in stored.lost() {
            is_whole = false;
            let gap = self.gap.get_or_insert_default();
            gap.count_range(at, place, range);
        }
        // Their fates are told in the order in which they came: so all at once.
        let what = match is_whole {
            true => TalkLine::Unshown(stored.owed()),
            false => TalkLine::Lost(stored.owed()),
        };
        self.talk.push_front(Placed { place, at, what });
    }

    fn count(&mut self, said: &Said) {
        let (bytes, messages) = said.counted();
        self.bytes += bytes;
        self.messages += messages as u64;
    }

    /// Messages that need not be printed: known as printed once what came before them is.
    pub(super) fn push_unshown(&mut self, count: u64) {
        match self.talk.back_mut() {
            Some(Placed {
                what: TalkLine::Unshown(n),
                ..
            }) => *n += count,
            _ => self.push_talk(0, TalkLine::Unshown(count)),
        }
    }

    fn push_talk(&mut self, at: u64, what: TalkLine) {
        let place = self.place();
        self.talk.push_back(Placed { place, at, what });
    }

    /// Adds a confirmation, or merges it with the one before.
    pub(super) fn push_delivered(&mut self, at: u64, delivered: Delivered) {
        if let Some(last) = self.delivered.back_mut()
            && last.place == self.next_place
            && last.what.absorb(&delivered)
        {
            return;
        }
        self.bytes += DELIVERED_BYTES;
        let place = self.place();
        let what = delivered;
        self.delivered.push_back(Placed { place, at, what });
    }

    /// Adds whole lines; beyond the bound the oldest of them are skipped.
    pub(super) fn push_lines(&mut self, at: u64, kind: Kind, bytes: Vec<u8>) {
        if !self.keeps_all
            && self.lines.len() >= OUTPUT_LINES_MAX
            && let Some(oldest) = self.lines.pop_front()
        {
            self.line_bytes -= oldest.what.1.len();
            let gap = self.gap.get_or_insert_default();
            gap.count(at, oldest.place);
        }
        self.line_bytes += bytes.len();
        let (place, what) = (self.place(), (kind, bytes));
        self.lines.push_back(Placed { place, at, what });
    }

    /// True if nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        let is_nothing = self.talk.is_empty() && self.lines.is_empty() && self.gap.is_none();
        is_nothing && self.early.is_empty() && self.delivered.is_empty()
    }

    /// More waits than is kept in memory.
    pub(super) fn is_too_long(&self) -> bool {
        self.bytes > self.bytes_max
    }

    /// Skips the oldest message if there are too many.
    pub(super) fn skip_one(&mut self, at: u64) -> Option<Dropped> {
        let may_leave_in_store = self.has_store && self.stretches < OUTPUT_SHELVED_STRETCHES_MAX;
        if self.keeps_all || may_leave_in_store || !self.is_too_long() {
            return None;
        }
        if let Some(owed) = self.skip_stored(at) {
            return Some(Dropped::Messages { owed });
        }
        let dropped = match self.next_of_talk()? {
            Item::Said(mut said) => {
                if let Some(message) = said.what.messages.next() {
                    let gap = self.gap.get_or_insert_default();
                    gap.count(at, said.place);
                    gap.add(&message);
                }
                let owed = u64::from(said.what.owed);
                self.put_back_said(said);
                Dropped::Messages { owed }
            }
            Item::Unshown(n) => Dropped::Unshown(n),
            Item::Lost(owed) => Dropped::Messages { owed },
            _ => return None,
        };
        self.move_early();
        Some(dropped)
    }

    /// Skips all that is left in the store and would come next: how many of them the node is owed a word
    /// of.
    pub(super) fn skip_stored(&mut self, at: u64) -> Option<u64> {
        let is_stored = |first: &Placed<TalkLine>| matches!(first.what, TalkLine::InStore(_));
        let Placed { place, what, .. } = self.talk.pop_front_if(|first| is_stored(first))?;
        let TalkLine::InStore(stored) = what else {
            return None;
        };
        self.messages -= stored.messages();
        self.stretches -= stored.len();
        let gap = self.gap.get_or_insert_default();
        for range in stored.lost() {
            gap.count_range(at, place, range);
        }
        Some(stored.owed())
    }

    /// Confirmations that no message stands before any more are merged where they are alike.
    fn move_early(&mut self) {
        let until = first_place(&self.talk);
        while let Some(next) = self.delivered.pop_front_if(|first| first.place < until) {
            let last = self.early.back_mut();
            if last.is_some_and(|last| last.what.absorb(&next.what)) {
                self.bytes -= DELIVERED_BYTES;
            } else {
                self.early.push_back(next);
            }
        }
    }

    fn gap_place(&self) -> u64 {
        self.gap.as_ref().map_or(u64::MAX, |gap| gap.place())
    }

    /// The place of what comes next.
    fn first_place(&self) -> u64 {
        let (talk, lines) = (first_place(&self.talk), first_place(&self.lines));
        let (early, delivered) = (first_place(&self.early), first_place(&self.delivered));
        self.gap_place()
            .min(talk)
            .min(lines)
            .min(early)
            .min(delivered)
    }

    /// What comes next. None also while that is to be fetched from the store.
    pub(super) fn next(&mut self) -> Option<Item> {
        let gap = self.gap_place();
        let (talk, lines) = (first_place(&self.talk), first_place(&self.lines));
        let early = first_place(&self.early);
        let first = self.first_place();
        if first == u64::MAX {
            None
        } else if gap == first {
            self.gap.take().map(Item::Gap)
        } else if talk == first {
            self.next_of_talk()
        } else if lines == first {
            let Placed { at, what, .. } = self.lines.pop_front()?;
            let (kind, bytes) = what;
            self.line_bytes -= bytes.len();
            Some(Item::Lines { at, kind, bytes })
        } else {
            self.bytes -= DELIVERED_BYTES;
            let queue = match early == first {
                true => &mut self.early,
                false => &mut self.delivered,
            };
            queue.pop_front().map(Item::Delivered)
        }
    }

    fn next_of_talk(&mut self) -> Option<Item> {
        let is_here = |first: &Placed<TalkLine>| !matches!(first.what, TalkLine::InStore(_));
        let Placed { place, at, what } = self.talk.pop_front_if(|first| is_here(first))?;
        Some(match what {
            TalkLine::Unshown(n) => Item::Unshown(n),
            TalkLine::Lost(n) => Item::Lost(n),
            TalkLine::InStore(_) => return None,
            TalkLine::Said(what) => {
                let (bytes, messages) = what.counted();
                self.bytes -= bytes;
                self.messages -= messages as u64;
                Item::Said(Placed { place, at, what })
            }
        })
    }

    /// The rest of what was said together comes next, still.
    pub(super) fn put_back_said(&mut self, said: Placed<Said>) {
        let Placed {
            place,
            at,
            mut what,
        } = said;
        if what.messages.len() > 0 {
            what.count_again();
            self.count(&what);
            let what = TalkLine::Said(what);
            self.talk.push_front(Placed { place, at, what });
        }
    }

    /// The rest of a run that was taken comes next, still.
    pub(super) fn put_back(&mut self, run: Placed<Delivered>) {
        self.bytes += DELIVERED_BYTES;
        self.early.push_front(run);
    }

    /// Bytes of answers and notices that wait.
    pub(super) fn line_bytes(&self) -> usize {
        self.line_bytes
    }

    /// True while more confirmations wait than are good for the memory.
    pub(super) fn has_many_confirmations(&self) -> bool {
        self.early.len() + self.delivered.len() > OUTPUT_DELIVERED_RUNS_MAX
    }

    /// Messages that wait or were skipped without a word so far.
    pub(super) fn unprinted(&self) -> u64 {
        self.messages + self.gap.as_ref().map_or(0, |gap| gap.lines())
    }

    fn place(&mut self) -> u64 {
        self.next_place += 1;
        self.next_place
    }
}
