//! The ledger: what was said, printed, confirmed and called missed adds up, in order, without a
//! hole.
//!
//! Owns one account for each reader and author: what the author said while the reader was in its
//! view (the reader owes that), what the reader's user was shown and as what, and what the reader
//! gave up. It must never look at a node, nor at what a message names as its causes.

use std::collections::{BTreeMap, BTreeSet};

use papo::node::Arrival;
use papo::wire::{Key, MessageId};

use super::{Run, Verdict, Violation};

/// Why a message is a part of the past although not everybody had it when its reader came: only its
/// author can tell.
const UNHEARD: &str = "when its author had not heard of it yet";

/// What a reader knows of an author whose message it is shown.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// Each is in the other's view, so that the reader has the author's word on what is old.
    pub has_word: bool,
    /// It has the room's history from the first line on: what is not there is not old.
    pub has_all: bool,
    /// They had a link at some time: else an author that is gone never gave its word, and nobody can tell
    /// whether it had heard of the reader.
    pub had_link: bool,
    /// A liar has said of the reader that it had been lost, so that an author may owe it what it never heard of.
    pub was_called_lost: bool,
}

/// One message, as its author said it.
#[derive(Debug)]
struct Said {
    /// Which fact this is; views are numbered with it.
    no: u64,
    by: Run,
    owed: Vec<Run>,
}

/// What became of one author's messages at one reader.
#[derive(Debug, Default)]
struct Account {
    /// The highest number that was shown as it came.
    last: u64,
    /// The lowest number that is owed; what is lower is from before the reader's time.
    first_owed: Option<u64>,
    seen: BTreeMap<u64, Arrival>,
    /// Shown as a part of the past although it is owed: its author had no way to say so.
    owed_past: BTreeSet<u64>,
    /// Called missed, found later or not.
    missed: BTreeSet<u64>,
    /// Called missed before they were said: a liar had named them, and nobody in reach knew better.
    missed_early: Vec<(u64, u64)>,
    /// Called missed because it could not be stored: it had been here.
    given_up: BTreeSet<u64>,
    /// In the history when the reader had joined: never shown by itself.
    held: BTreeSet<u64>,
    confirmed: BTreeSet<u64>,
}

impl Account {
    /// One with a higher number was shown.
    fn has_later(&self, seq: u64) -> bool {
        self.seen.range(seq + 1..).next().is_some()
    }

    fn covers(&self, seq: u64) -> bool {
        let is_early = |(first, last): &(u64, u64)| (*first..=*last).contains(&seq);
        let is_missed = self.missed.contains(&seq) || self.missed_early.iter().any(is_early);
        self.seen.contains_key(&seq) || is_missed || self.held.contains(&seq)
    }

    /// It was shown as it came, or late, or rightly as a part of the past although it is owed: the user has it.
    fn has(&self, seq: u64) -> bool {
        let seen = self.seen.get(&seq);
        seen.is_some_and(|arrival| *arrival != Arrival::Old) || self.owed_past.contains(&seq)
    }
}

/// When a run was first in a view, and what it joined.
#[derive(Debug, Default)]
struct Stay {
    /// When it started: before that it has no link.
    started: u64,
    /// The first time that it was in anybody's view.
    known: Option<u64>,
    /// Who is in the first view that it held itself, and when that was.
    first_view: Option<(Vec<Run>, u64)>,
    /// Who is in the first view that it held itself with others in it.
    first_company: Option<Vec<Run>>,
    /// Somebody took it for lost.
    was_lost: bool,
    /// Who was in any view that it held, and when that was first.
    met: BTreeMap<Run, u64>,
    /// When it last joined again, perhaps another group.
    rejoined: Option<u64>,
}

/// All accounts of one run of the simulator.
#[derive(Debug, Default)]
pub struct Ledger {
    count: u64,
    said: BTreeMap<MessageId, Said>,
    written: BTreeMap<Key, u64>,
    accounts: BTreeMap<(Run, Key), Account>,
    stays: BTreeMap<Run, Stay>,
    /// Since when a run holds a message, by what its user was shown.
    held_since: BTreeMap<(Run, MessageId), (u64, u64)>,
    /// Owed, and neither shown nor called missed.
    open: BTreeSet<(Run, MessageId)>,
    /// Nothing may be missed.
    demands_all: bool,
}

fn broken(invariant: &'static str, text: String) -> Verdict {
    Err(Violation::new(invariant, text))
}

impl Ledger {
    /// A run starts.
    pub fn on_started(&mut self, run: Run) {
        self.count += 1;
        self.stays.entry(run).or_default().started = self.count;
    }

    /// A run holds a view with these runs in it.
    pub fn on_view(&mut self, viewer: Run, members: &[Run]) {
        self.count += 1;
        for member in members {
            let stay = self.stays.entry(*member).or_default();
            stay.known.get_or_insert(self.count);
        }
        if members.contains(&viewer) {
            let stay = self.stays.entry(viewer).or_default();
            let count = self.count;
            for member in members {
                stay.met.entry(*member).or_insert(count);
            }
            stay.first_view.get_or_insert((members.to_vec(), count));
            if members.len() > 1 {
                stay.first_company.get_or_insert(members.to_vec());
            }
        }
    }

    /// A run has joined again, after it was away or its group became one with another.
    pub fn on_joined_again(&mut self, run: Run) {
        self.count += 1;
        self.stays.entry(run).or_default().rejoined = Some(self.count);
    }

    /// Who came to the group that this reader was in, and said this there while the reader was away: all who were there
    /// had met the reader before the author, and one of them never was anywhere else.
    fn is_a_newcomers(&self, reader: Run, id: MessageId) -> bool {
        let by = self.said.get(&id).map(|said| said.by);
        let stays = by.and_then(|by| Some((self.stays.get(&reader)?, self.stays.get(&by)?)));
        let Some((own, theirs)) = stays else {
            return false;
        };
        let Some((members, came)) = theirs.first_view.as_ref() else {
            return false;
        };
        let others = || members.iter().filter(|m| **m != reader && Some(**m) != by);
        let has_met = |other: &Run| {
            let met = self.stays.get(other).map(|stay| &stay.met);
            let met = met.and_then(|met| Some((met.get(&reader)?, met.get(&by?)?)));
            met.is_some_and(|(reader, author)| reader < author)
        };
        let has_stayed = |other: &Run| {
            let again = self.stays.get(other).and_then(|stay| stay.rejoined);
            let met = own.met.get(other).filter(|met| *met < came);
            met.is_some_and(|met| again.is_none_or(|again| again < *met))
        };
        let is_later = own.known < theirs.known && theirs.rejoined.is_none();
        is_later && others().all(has_met) && others().any(has_stayed)
    }

    /// Somebody's user is told that this reader is gone.
    pub fn on_parted(&mut self, reader: Run) {
        self.stays.entry(reader).or_default().was_lost = true;
    }

    /// The reader did not know yet that it was let in when this was said, and was taken for lost before
    /// it did, or let in by somebody else who had lost the author: it begins anew.
    fn begins_anew(&self, reader: Run, id: MessageId) -> bool {
        let (Some(said), Some(stay)) = (self.said.get(&id), self.stays.get(&reader)) else {
            return false;
        };
        let Some((members, no)) = &stay.first_view else {
            return stay.was_lost;
        };
        *no >= said.no && (stay.was_lost || !members.contains(&said.by))
    }

    /// The author was in a view of the reader's: it can know that it owes something.
    pub fn has_met(&self, reader: Run, id: MessageId) -> bool {
        let stay = self.stays.get(&reader);
        let author = self.said.get(&id).map(|said| said.by);
        author.is_some_and(|author| stay.is_some_and(|stay| stay.met.contains_key(&author)))
    }

    /// The author's node shows it: from now on those in its view owe it.
    pub fn on_said(&mut self, (run, now): (Run, u64), id: MessageId, owed: Vec<Run>) {
        self.count += 1;
        for reader in &owed {
            let stay = self.stays.entry(*reader).or_default();
            stay.known.get_or_insert(self.count);
            let account = self.accounts.entry((*reader, id.origin)).or_default();
            account.first_owed.get_or_insert(id.seq);
            self.open.insert((*reader, id));
        }
        self.held_since.insert((run, id), (self.count, now));
        self.written.insert(id.origin, id.seq);
        let (no, by) = (self.count, run);
        let said = Said { no, by, owed };
        self.said.insert(id, said);
    }

    /// A reader's node shows somebody else's message, or has it as an old one once it has joined.
    pub fn on_shown(
        &mut self,
        (run, now): (Run, u64),
        (id, known): (MessageId, Known),
        arrival: Arrival,
    ) -> Verdict {
        let is_owed = self.is_owed(run, id);
        let past = self
            .why_past(run, id)
            .filter(|why| known.has_word || *why != UNHEARD)
            .filter(|_| arrival == Arrival::Live && !is_owed && !known.was_called_lost);
        if let Some(why) = past {
            return broken(
                "old as new",
                format!("run {run} shows {id} as new, said {why}"),
            );
        }
        let begins_anew = self.begins_anew(run, id);
        let is_a_newcomers = arrival == Arrival::Old && self.is_a_newcomers(run, id);
        let has_met = self.has_met(run, id) && (known.has_word || known.has_all);
        self.count += 1;
        self.held_since
            .entry((run, id))
            .or_insert((self.count, now));
        let account = self.accounts.entry((run, id.origin)).or_default();
        if let Some(before) = account.seen.get(&id.seq) {
            let text = format!("run {run} shows {id} as {arrival:?}, and did as {before:?}");
            return broken("once", text);
        }
        match arrival {
            Arrival::Live => live(account, run, (id, has_met))?,
            Arrival::Old if is_owed && !begins_anew && known.had_link => {
                let text = format!("run {run} calls {id} old, said while it was in the view");
                return broken("new as old", text);
            }
            Arrival::Old if !begins_anew && known.has_word && is_a_newcomers => {
                let text =
                    format!("run {run} calls {id} old, said in its own group while it was away");
                return broken("new as old", text);
            }
            // What turns out to be owed only when a later one was shown comes late without a word.
            Arrival::Late if !account.missed.contains(&id.seq) && !account.has_later(id.seq) => {
                let text = format!("run {run} shows {id} as late, and nothing was there before it");
                return broken("false word", text);
            }
            Arrival::Old if is_owed => {
                account.owed_past.insert(id.seq);
            }
            Arrival::Old | Arrival::Late => {}
        }
        account.seen.insert(id.seq, arrival);
        self.open.remove(&(run, id));
        Ok(())
    }

    /// A reader has joined, and holds this without showing it.
    pub fn on_held(&mut self, (run, now): (Run, u64), id: MessageId) {
        self.count += 1;
        self.held_since
            .entry((run, id))
            .or_insert((self.count, now));
        if !self.is_owed(run, id) {
            let account = self.accounts.entry((run, id.origin)).or_default();
            account.held.insert(id.seq);
        }
    }

    /// From now on nobody is to miss anything.
    pub fn demand_all(&mut self) {
        self.demands_all = true;
    }

    /// A reader gives these up. `holder` says who in reach holds one, the reader included.
    pub fn on_missed(
        &mut self,
        run: Run,
        origin: Key,
        (first, last): (u64, u64),
        holder: impl Fn(&Ledger, MessageId) -> Option<Run>,
    ) -> Verdict {
        let written = self.written.get(&origin).copied().unwrap_or(0);
        if first == 0 || first > last || last > written {
            let text =
                format!("run {run} misses {first} to {last} of {origin}, who wrote {written}");
            return broken("false word", text);
        }
        if self.demands_all {
            let text = format!("run {run} misses {first} to {last} of {origin}, which others keep");
            return broken("given up early", text);
        }
        for seq in first..=last {
            let id = MessageId { origin, seq };
            if let Some(other) = holder(self, id) {
                let text = format!("run {run} gives {id} up, and run {other} in reach holds it");
                return broken("given up early", text);
            }
            let account = self.accounts.entry((run, origin)).or_default();
            if account.confirmed.contains(&seq) {
                let text = format!("run {run} calls {id} missed, and has confirmed it");
                return broken("false word", text);
            }
            if account.seen.contains_key(&seq) || !account.missed.insert(seq) {
                let text = format!("run {run} calls {id} missed, and showed it or said so before");
                return broken("false word", text);
            }
            self.open.remove(&(run, id));
        }
        Ok(())
    }

    /// A reader calls these missed, which are not said yet.
    pub fn on_missed_early(&mut self, run: Run, origin: Key, span: (u64, u64)) {
        let account = self.accounts.entry((run, origin)).or_default();
        account.missed_early.push(span);
    }

    /// A reader, or the author itself, gives this up, since it could not be stored for too long.
    pub fn on_given_up(&mut self, run: Run, id: MessageId) -> Verdict {
        let is_own = self.said.get(&id).is_some_and(|said| said.by == run);
        let account = self.accounts.entry((run, id.origin)).or_default();
        let why = if account.confirmed.contains(&id.seq) {
            "has confirmed it"
        } else if !is_own && !account.seen.contains_key(&id.seq) {
            "never showed it"
        } else if !account.given_up.insert(id.seq) {
            "said so before"
        } else {
            return Ok(());
        };
        let text = format!("run {run} says that it could not store {id}, and {why}");
        broken("false word", text)
    }

    /// True if this was here once, and could not be stored for too long.
    pub fn has_given_up(&self, run: Run, id: MessageId) -> bool {
        let account = self.accounts.get(&(run, id.origin));
        account.is_some_and(|account| account.given_up.contains(&id.seq))
    }

    /// An author is told that a reader has confirmed this; `holds` if it stands in its history.
    pub fn on_confirmed(&mut self, by: Run, id: MessageId, holds: bool) -> Verdict {
        let account = self.accounts.entry((by, id.origin)).or_default();
        let is_there = account.has(id.seq) || (holds && !account.missed.contains(&id.seq));
        if is_there && !account.given_up.contains(&id.seq) {
            account.confirmed.insert(id.seq);
            return Ok(());
        }
        let text = if account.given_up.contains(&id.seq) {
            format!("{id} is confirmed by run {by}, which could not store it")
        } else if account.missed.contains(&id.seq) {
            format!("{id} is confirmed by run {by}, which called it missed")
        } else {
            format!("{id} is confirmed by run {by}, which lacks it")
        };
        broken("false word", text)
    }

    /// An author is told that a reader has missed this.
    pub fn on_told_missed(&self, by: Run, id: MessageId) -> Verdict {
        let account = self.accounts.get(&(by, id.origin));
        let was_given_up = account.is_some_and(|a| a.given_up.contains(&id.seq));
        if was_given_up || self.was_missed(by, id) {
            return Ok(());
        }
        let text = format!("{id} is said to be missed by run {by}, whose user was not told");
        broken("false word", text)
    }

    /// What one of these readers owes to one of these authors, has confirmed, or holds, its user has
    /// heard of; and what was called missed and is held all the same was shown as late.
    pub fn settled(
        &self,
        readers: &[Run],
        authors: &BTreeSet<Key>,
        holds: impl Fn(Run, MessageId) -> bool,
    ) -> Verdict {
        let is_wanted = |(run, id): &&(Run, MessageId)| {
            let account = self.accounts.get(&(*run, id.origin));
            let is_confirmed = account.is_some_and(|a| a.confirmed.contains(&id.seq));
            readers.contains(run)
                && (authors.contains(&id.origin) || is_confirmed || holds(*run, *id))
        };
        if let Some((run, id)) = self.open.iter().find(is_wanted) {
            let text = format!("run {run} neither shows {id} nor calls it missed");
            return broken("silent gap", text);
        }
        let of_readers = self
            .accounts
            .iter()
            .filter(|((run, _), _)| readers.contains(run));
        for ((run, origin), account) in of_readers {
            let unseen = account
                .missed
                .iter()
                .filter(|seq| !account.seen.contains_key(seq));
            let mut unseen = unseen.map(|seq| MessageId {
                origin: *origin,
                seq: *seq,
            });
            if let Some(id) = unseen.find(|id| holds(*run, *id)) {
                let text = format!("run {run} called {id} missed, holds it and does not show it");
                return broken("silent gap", text);
            }
        }
        Ok(())
    }

    /// The reader's user has seen it, as what it rightly is.
    pub fn has(&self, run: Run, id: MessageId) -> bool {
        let account = self.accounts.get(&(run, id.origin));
        account.is_some_and(|a| a.has(id.seq))
    }

    /// The reader's user was told that this is missed.
    pub fn was_missed(&self, run: Run, id: MessageId) -> bool {
        let account = self.accounts.get(&(run, id.origin));
        account.is_some_and(|a| a.missed.contains(&id.seq))
    }

    /// Said while the reader was in its author's view.
    pub fn is_owed(&self, run: Run, id: MessageId) -> bool {
        self.said.get(&id).is_some_and(|s| s.owed.contains(&run))
    }

    /// Said before the reader was in anybody's view.
    pub fn is_before(&self, run: Run, id: MessageId) -> bool {
        let known = self.stays.get(&run).and_then(|s| s.known);
        let said = self.said.get(&id).map_or(0, |s| s.no);
        known.is_none_or(|known| said < known)
    }

    /// A run has held this message at least since then.
    pub fn has_held_since(&self, run: Run, id: MessageId, since: u64) -> bool {
        let held = self.held_since.get(&(run, id));
        held.is_some_and(|(_, at)| *at <= since)
    }

    /// Why a message is a part of the past of the room that this reader joined first, if it is one; or of whoever
    /// first came to the room that it founded, who said in HELLO what it had seen by then. What was said meanwhile in
    /// a group that it only met later is not.
    fn why_past(&self, run: Run, id: MessageId) -> Option<&'static str> {
        let (said, stay) = (self.said.get(&id)?, self.stays.get(&run)?);
        let members = stay.first_company.as_ref()?;
        let (first, _) = stay.first_view.as_ref()?;
        let has_founded = first.len() == 1;
        let known = stay.known?;
        let known = if has_founded { stay.started } else { known };
        let held_by = |member: &Run| {
            let held = self.held_since.get(&(*member, id));
            *member != run && held.is_some_and(|(no, _)| *no < known)
        };
        if said.no >= known || !members.iter().any(held_by) {
            return None;
        }
        // Of what only some had, the others could not tell the newcomer that it was old.
        let mut others = members.iter().filter(|m| **m != said.by && **m != run);
        match others.all(held_by) {
            true => Some("before it was in the room"),
            false => Some(UNHEARD),
        }
    }
}

/// A message is shown as it came: after all that its author said before it.
fn live(account: &mut Account, run: Run, (id, has_met): (MessageId, bool)) -> Verdict {
    if account.missed.contains(&id.seq) {
        let text = format!("run {run} shows {id} as new, and had called it missed");
        return broken("false word", text);
    }
    if id.seq <= account.last {
        let last = account.last;
        let text = format!("run {run} shows {id} after number {last} of the same author");
        return broken("order", text);
    }
    let from = match account.last {
        0 => account.first_owed.filter(|_| has_met).unwrap_or(id.seq),
        last => last + 1,
    };
    if let Some(hole) = (from..id.seq).find(|seq| !account.covers(*seq)) {
        let text = format!("run {run} shows {id}, and of number {hole} nothing was said");
        return broken("silent gap", text);
    }
    account.last = id.seq;
    Ok(())
}

#[cfg(test)]
#[path = "ledger_test.rs"]
mod tests;
