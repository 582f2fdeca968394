//! One exchange of a repair: what its peer answers, what is compared next, and what is fetched.
//!
//! Owns the state of an exchange, from the SYNC that began it to its end. Who is asked, and when, is
//! [`super::sync`]'s; where the histories differ is in the exchange's [`Plan`]. What a peer asks of this node is
//! [`super::answering`]'s.

use super::budget::Budget;
use super::odds::{Compared, Refused};
use super::plan::{Next, Plan};
use super::sync::Repair;
use super::{Lent, Talk};
use crate::node::history::Found;
use crate::node::{LinkId, Time, Weakness};
use crate::timing;
use crate::wire::{
    Chunk, Compare, Comparison, Contents, Digest, Fetch, Item, Key, Message, Part, Position,
    SeqRange, Span, Sum, SyncAnswer,
};

/// An exchange that is under way.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) no: u64,
    pub(super) peer: Key,
    pub(super) is_member: bool,
    pub(super) link: LinkId,
    /// The floor that was named, the higher of both as far as known.
    pub(super) floor: Position,
    /// What was compared, as both histories were: none while nothing was.
    pub(super) compared: Option<Compared>,
    /// All after this position is fetched, of a peer that held its chat back, and nothing else.
    pub(super) chase: Option<Position>,
    pub(super) plan: Plan,
    /// What is being fetched, what may be skipped of it, and from where on: the next FETCH must get further.
    pub(super) spans: Vec<Span>,
    pub(super) is_blind: bool,
    pub(super) after: Position,
    /// What is missing wherever it lies was not asked for to the end.
    pub(super) wants: bool,
    /// What that is, and when it was looked up: whoever gives its history in small pieces is not to have it looked up
    /// among all that waits for each.
    pub(super) wanted: Option<(Time, Vec<SeqRange>)>,
    /// What it brings has no room: only what is missing is still asked for.
    pub(super) is_cut_short: bool,
    /// When it began to ask for what was missing then; none while it asks only for what its peer held back.
    pub(super) began: Option<Time>,
    /// What the peer holds beyond came to it later, and comes here without it.
    pub(super) until: Option<Position>,
    /// When it began, and what it may cost.
    pub(super) budget: Budget,
    /// When it began, or last brought something new.
    pub(super) fruitful: Time,
    /// It brought something new.
    pub(super) was_fruitful: bool,
    /// It brought this as well, which was not taken in, and may be later.
    pub(super) refused: Refused,
    /// When it was last asked something, and until when it has to answer.
    pub(super) asked: Time,
    pub(super) due: Time,
}

impl Exchange {
    /// One that begins now, above this floor; or `chase`, of all after this position.
    pub(super) fn new(
        no: u64,
        (peer, is_member): (Key, bool),
        link: LinkId,
        (floor, chase): (Position, Option<Position>),
        (now, due): (Time, Time),
    ) -> Exchange {
        Exchange {
            no,
            peer,
            is_member,
            link,
            floor,
            compared: None,
            chase,
            plan: Plan::default(),
            spans: Vec::new(),
            is_blind: false,
            after: floor,
            wants: false,
            wanted: None,
            is_cut_short: false,
            began: Some(now).filter(|_| chase.is_none()),
            until: None,
            budget: Budget::new(now),
            fruitful: now,
            was_fruitful: false,
            refused: Refused::default(),
            asked: now,
            due,
        }
    }
}

impl Talk {
    pub(in crate::node) fn on_sync_answer(
        &mut self,
        lent: &mut Lent<'_>,
        link: LinkId,
        answer: &SyncAnswer,
    ) {
        let (own_floor, no) = (self.history.floor(), answer.no);
        let mut exchanges = self.repair.exchanges.iter_mut();
        let is_it = |e: &&mut Exchange| e.link == link && e.no == no && e.is_new();
        let Some(exchange) = exchanges.find(is_it) else {
            return;
        };
        exchange.wants = !self.gaps.is_empty();
        self.answers.note_floor(exchange.peer, answer.floor);
        if answer.equal {
            return self.go_on(lent, no);
        }
        if let Some(after) = exchange.chase {
            exchange.until = answer.newest;
            exchange.plan.want(Span::new(after, Position::END), true);
            return self.go_on(lent, no);
        }
        // The parts begin there; this node's floor may have risen since.
        let base = exchange.floor.max(answer.floor);
        let end = answer.parts.last().map_or(base, |part| part.upto);
        exchange.floor = base;
        exchange.until = answer.newest;
        exchange.budget.said(&answer.parts);
        let is_empty = self.history.count_above(base) == Some(0);
        let has_more = answer.newest.is_none_or(|newest| newest > base);
        if is_empty || answer.parts.is_empty() && has_more {
            let all = Span::new(own_floor, Position::END);
            exchange.plan.want(all, !is_empty);
            return self.go_on(lent, no);
        }
        if answer.newest.is_none() {
            exchange.plan.want(Span::new(end, Position::END), false);
        }
        let compared = self.history.digest_above(base).map(|(own, _)| Compared {
            floor: base,
            own,
            others: digest_of(&answer.parts),
        });
        exchange.compared = compared;
        let peer = exchange.peer;
        let is_vain = compared.is_some_and(|compared| self.is_at_odds(lent, peer, compared));
        let Repair {
            exchanges, odds, ..
        } = &mut self.repair;
        match exchanges.iter_mut().find(|e| e.no == no) {
            Some(exchange) if is_vain => exchange.refused = odds.take(peer),
            Some(exchange) => exchange.plan.compare(&self.history, base, &answer.parts),
            None => return,
        }
        self.go_on(lent, no);
    }

    /// What the peer has in the spans that it was asked of.
    pub(in crate::node) fn on_comparison(
        &mut self,
        lent: &mut Lent<'_>,
        link: LinkId,
        comparison: &Comparison,
    ) {
        let (no, now) = (comparison.no, lent.cx.now.time);
        let Some(exchange) = self.repair.find(link, no) else {
            return;
        };
        if !exchange.plan.waits_for_contents() {
            return;
        }
        let asked = exchange.plan.take_asked(comparison.spans.len());
        exchange.budget.spend(comparison_bytes(comparison));
        exchange.fruitful = now;
        let mut is_honest = !asked.is_empty();
        // What is found in the first of them is looked into first.
        for (span, contents) in asked.into_iter().zip(&comparison.spans).rev() {
            let items = contents.items.as_deref().unwrap_or_default();
            let lacks = self.lacks_of(lent, items);
            let Some(exchange) = self.repair.find(link, no) else {
                return;
            };
            is_honest &= is_within(span, contents);
            match &contents.parts {
                Some(parts) => exchange.plan.compare(&self.history, span.after, parts),
                None if contents.items.is_some() => exchange.plan.list(span, items, &lacks),
                None => exchange.plan.want(span, true),
            }
        }
        if is_honest {
            self.go_on(lent, no);
        } else {
            self.end_sync(lent, no, false);
        }
    }

    /// Which of these messages of a peer's are to be fetched.
    fn lacks_of(&mut self, lent: &mut Lent<'_>, items: &[Item]) -> Vec<bool> {
        let floor = self.history.floor();
        let mut lacks = Vec::new();
        for item in items {
            let id = item.position.id();
            // Nobody else writes in this node's name.
            let is_own = id.origin == lent.cx.config.key;
            let found = if item.position <= floor || is_own {
                Found::Same
            } else {
                self.history.find(*item)
            };
            if found == Found::Other {
                self.note_double(lent, id);
            }
            lacks.push(found == Found::Nothing && self.waiting.find(id).is_none());
        }
        lacks
    }

    /// The next step of an exchange whose last question was answered.
    fn go_on(&mut self, lent: &mut Lent<'_>, no: u64) {
        let (now, floor) = (lent.cx.now.time, self.history.floor());
        let Some(exchange) = self.repair.get(no) else {
            return;
        };
        if exchange.is_spent(now) || exchange.plan.is_too_long() {
            return self.end_sync(lent, no, false);
        }
        let next = exchange.plan.next();
        let is_over = next == Next::End && !exchange.wants;
        if !is_over && self.has_had_strangers_time(lent, no) {
            return self.end_with_stranger(lent, no);
        }
        let Some(exchange) = self.repair.get(no) else {
            return;
        };
        match next {
            Next::Compare(spans) => {
                self.ask(lent, no, Message::Compare(Compare { no, spans }));
                self.begin_sync(lent);
            }
            Next::Fetch { spans, is_blind } => {
                let after = spans.first().map_or(floor, |s| s.after);
                (exchange.spans, exchange.is_blind) = (spans, is_blind);
                self.fetch_from_start(lent, no, after);
            }
            // What is missing may lie below this node's floor.
            Next::End if exchange.wants => {
                exchange.spans.clear();
                self.fetch_from_start(lent, no, floor);
            }
            Next::End => self.end_sync(lent, no, true),
        }
    }

    /// Begins to fetch; from the very beginning, if something is missing that may lie anywhere.
    fn fetch_from_start(&mut self, lent: &mut Lent<'_>, no: u64, after: Position) {
        let mut exchanges = self.repair.exchanges.iter();
        let wants = exchanges.any(|e| e.no == no && e.wants);
        let from_start = wants && !self.wanted_ranges(lent.cx, None).is_empty();
        let after = if from_start {
            Position::default()
        } else {
            after
        };
        self.fetch(lent, no, after);
    }

    fn fetch(&mut self, lent: &mut Lent<'_>, no: u64, after: Position) {
        let want = self.wanted_in(lent, no);
        let floor = self.history.floor();
        let Some(exchange) = self.repair.get(no) else {
            return;
        };
        exchange.after = after;
        let fetch = Fetch {
            no,
            after,
            spans: exchange.spans.clone(),
            skip: if exchange.is_blind {
                self.history.taken_ranges()
            } else {
                Vec::new()
            },
            floor: Some(floor).filter(|floor| after < *floor),
            want,
        };
        self.ask(lent, no, Message::Fetch(fetch));
        self.begin_sync(lent);
    }

    /// What is missing wherever it lies that this exchange still asks for.
    fn wanted_in(&mut self, lent: &Lent<'_>, no: u64) -> Vec<SeqRange> {
        let now = lent.cx.now.time;
        let Some(exchange) = self.repair.get(no).filter(|exchange| exchange.wants) else {
            return Vec::new();
        };
        let is_fresh = |at: Time| {
            now.since(at) < timing::GAP_PATIENCE
                && !lent.cx.is_weakened(Weakness::EachPieceIsLookedUp)
        };
        if let Some((_, wanted)) = exchange.wanted.as_ref().filter(|(at, _)| is_fresh(*at)) {
            return wanted.clone();
        }
        let upto = exchange.began.filter(|_| exchange.is_cut_short);
        let wanted = self.wanted_ranges(lent.cx, upto);
        if let Some(exchange) = self.repair.get(no) {
            exchange.wanted = Some((now, wanted.clone()));
        }
        wanted
    }

    pub(in crate::node) fn on_chunk(
        &mut self,
        lent: &mut Lent<'_>,
        link: LinkId,
        mut chunk: Chunk,
    ) {
        let no = chunk.no;
        let Some(exchange) = self.repair.find(link, no) else {
            return self.take_late_chunk(lent, link, chunk);
        };
        if !exchange.is_fetching() {
            return;
        }
        let (after, peer) = (exchange.after, exchange.peer);
        let brought = if lent.cx.is_weakened(Weakness::SlowAreAskedInVain) {
            self.take_chunk(lent, peer, &mut chunk.messages)
        } else {
            self.take_chunk_of(lent, peer, &mut chunk.messages)
        };
        if brought.is_all_thrown {
            self.cut_short(lent, no);
        }
        let now = lent.cx.now.time;
        let is_late = self.has_had_strangers_time(lent, no);
        let Some(exchange) = self.repair.find(link, no) else {
            return;
        };
        exchange.refused.add(brought.refused);
        if brought.bytes > 0 {
            exchange.fruitful = now;
            exchange.was_fruitful = true;
            exchange.budget.spend(brought.bytes);
        }
        let until = exchange.until.unwrap_or(Position::END);
        let is_spent = exchange.is_spent(now) || !exchange.is_fetching();
        match chunk.next {
            Some(_) if is_late => self.end_with_stranger(lent, no),
            Some(next) if next > after && next < until && !is_spent => self.fetch(lent, no, next),
            Some(next) if next <= after => self.end_sync(lent, no, false),
            _ => {
                exchange.wants = false;
                exchange.spans.clear();
                self.go_on(lent, no);
            }
        }
    }

    /// True if an exchange with a peer that neither is nor was a member has lasted as long as it may.
    fn has_had_strangers_time(&self, lent: &Lent<'_>, no: u64) -> bool {
        let mut exchanges = self.repair.exchanges.iter();
        exchanges.find(|e| e.no == no).is_some_and(|exchange| {
            exchange.budget.has_strangers_time(lent.cx.now.time)
                && !self.may_ask(lent, exchange.peer)
        })
    }

    /// Nothing more is asked of this stranger: what is missing it was asked for like others.
    fn end_with_stranger(&mut self, lent: &mut Lent<'_>, no: u64) {
        let began = self
            .repair
            .get(no)
            .and_then(|e| e.began.map(|at| (e.peer, at)));
        if let Some((peer, began)) = began {
            self.answers.has_answered(peer, began, lent.cx.now.time);
        }
        self.end_sync(lent, no, false);
    }

    /// The exchange is over; `whole` if the peer has given all that it has.
    fn end_sync(&mut self, lent: &mut Lent<'_>, no: u64, whole: bool) {
        let Some(exchange) = self.repair.take(no) else {
            return;
        };
        self.watch_exchanges(lent);
        let peer = exchange.peer;
        self.repair.odds.forget(peer);
        if let Some(began) = exchange.began.filter(|_| whole) {
            self.answers.has_answered(peer, began, lent.cx.now.time);
        }
        if whole {
            if let Some(compared) = (exchange.compared).filter(|_| !exchange.was_fruitful) {
                self.repair.odds.note(peer, compared, exchange.refused);
            }
            if exchange.chase.is_none() && !exchange.is_cut_short {
                self.complete_source(lent, peer, exchange.floor);
            }
        } else {
            self.answers.has_failed(peer, lent.cx.now.time);
            self.fail_source(peer);
        }
        // Who breaks off at once would be asked again at once, without end: the next look is a moment later.
        if whole {
            self.look_at_gaps(lent);
        }
        self.begin_sync(lent);
    }
}

impl Exchange {
    /// True if nothing was answered yet.
    pub(super) fn is_new(&self) -> bool {
        self.compared.is_none() && !self.plan.waits_for_contents() && !self.is_fetching()
    }

    /// True if a FETCH was not answered.
    pub(super) fn is_fetching(&self) -> bool {
        !self.spans.is_empty() || self.wants && !self.plan.waits_for_contents()
    }

    /// True if it may go on no longer.
    fn is_spent(&self, now: Time) -> bool {
        now.since(self.fruitful) >= timing::SYNC_FRUITLESS || self.budget.is_spent(now)
    }
}

/// The digest of what is in these parts.
fn digest_of(parts: &[Part]) -> Digest {
    let (mut sum, mut count) = (Sum::default(), 0u64);
    for part in parts {
        sum.add(part.sum);
        count = count.wrapping_add(part.count);
    }
    sum.digest(count)
}

/// True if this is an answer about this span.
fn is_within(span: Span, contents: &Contents) -> bool {
    let parts = contents.parts.as_deref();
    let divides = |parts: &[Part]| {
        let first = parts.first().is_some_and(|p| p.upto > span.after);
        parts.len() > 1 && first && parts.last().is_some_and(|p| p.upto == span.upto)
    };
    let items = contents.items.as_deref().unwrap_or_default();
    let is_in = |item: &Item| span.after < item.position && item.position <= span.upto;
    parts.is_none_or(divides) && items.iter().all(is_in)
}

/// About what it takes on the wire.
fn comparison_bytes(comparison: &Comparison) -> u64 {
    let bytes = |c: &Contents| {
        let parts = c.parts.as_ref().map_or(0, Vec::len);
        let items = c.items.as_ref().map_or(0, Vec::len);
        8 + 64 * parts as u64 + 32 * items as u64
    };
    comparison.spans.iter().map(bytes).sum()
}
