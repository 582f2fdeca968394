//! The context of a node: what every part of it is lent for the length of one input.
//!
//! Owns the configuration, the time of the input, randomness, the clock of what is written, the effects
//! that were left so far, and the counters. It decides nothing.

use std::time::Duration;

use super::clock::{self, HybridClock};
use super::{
    Arrival, Class, Close, Config, Effect, Event, LinkId, Note, Now, Outbox, Time, Timer, Weakness,
    micros,
};
use crate::timing;
use crate::wire::{ChatMessage, Key, Message, Position};

/// What a node has counted since its start.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Counters {
    pub(super) elections: u64,
    pub(super) syncs: u64,
    pub(super) repaired: u64,
    pub(super) pings: u64,
    pub(super) waited: u64,
    pub(super) missed: u64,
    pub(super) late: u64,
    /// Messages that lay too far ahead of the clock on the wall.
    pub(super) far_ahead: u64,
}

/// What every part of a node is lent.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) config: Config,
    pub(super) now: Now,
    pub(super) rng: fastrand::Rng,
    pub(super) clock: HybridClock,
    pub(super) out: Outbox,
    pub(super) counters: Counters,
    /// The links on which something was said in this turn that wants an answer; the same one more than once,
    /// perhaps.
    pub(super) asked: Vec<LinkId>,
    /// Somebody wants to know why the node does what it does.
    is_traced: bool,
    /// The timers that run, for [`super::Node::check_invariants`].
    #[cfg(debug_assertions)]
    running: std::collections::BTreeSet<Timer>,
}

impl Context {
    pub(super) fn new(config: Config, rng: fastrand::Rng) -> Context {
        Context {
            config,
            now: Now {
                time: Time(0),
                wall_ms: 0,
            },
            rng,
            clock: HybridClock::default(),
            out: Outbox::new(),
            counters: Counters::default(),
            asked: Vec::new(),
            is_traced: false,
            #[cfg(debug_assertions)]
            running: std::collections::BTreeSet::new(),
        }
    }

    /// An input begins. Time never falls.
    pub(super) fn enter(&mut self, now: Now) {
        self.now.time = self.now.time.max(now.time);
        self.now.wall_ms = now.wall_ms;
    }

    /// True if a test has switched this protection off.
    pub(super) fn is_weakened(&self, weakness: Weakness) -> bool {
        self.config.is_weakened(weakness)
    }

    /// A timer has fired: it runs no more.
    #[cfg(debug_assertions)]
    pub(super) fn fire(&mut self, timer: Timer) {
        self.running.remove(&timer);
    }

    /// True if this timer runs. Only debug builds know.
    #[cfg(debug_assertions)]
    pub(super) fn runs(&self, timer: Timer) -> bool {
        self.running.contains(&timer)
    }

    pub(super) fn set_timer(&mut self, timer: Timer, at: Time) {
        #[cfg(debug_assertions)]
        self.running.insert(timer);
        self.out.push(Effect::SetTimer { timer, at });
    }

    pub(super) fn cancel_timer(&mut self, timer: Timer) {
        #[cfg(debug_assertions)]
        self.running.remove(&timer);
        self.out.push(Effect::CancelTimer(timer));
    }

    /// From now on, or no more, the node leaves a note of why it does what it does.
    pub(super) fn set_traced(&mut self, is_traced: bool) {
        self.is_traced = is_traced;
    }

    /// This node stands like this now.
    pub(super) fn note_standing(&mut self, standing: &'static str, why: &str) {
        if self.is_traced {
            let why = why.to_owned();
            self.out
                .push(Effect::Note(Note::Standing { standing, why }));
        }
    }

    /// This node counts on that one no more.
    pub(super) fn note_lost(&mut self, key: Key, why: &str) {
        if self.is_traced {
            let why = why.to_owned();
            self.out.push(Effect::Note(Note::Lost { key, why }));
        }
    }

    pub(super) fn show(&mut self, event: Event) {
        self.out.push(Effect::Show(event));
    }

    /// Shows messages of one author: in the event before them, if that is one of the same kind.
    pub(super) fn show_messages(&mut self, run: &[ChatMessage], arrival: Arrival) {
        let Some(first) = run.first() else {
            return;
        };
        let own = first.origin() == self.config.key;
        match self.out.last_mut() {
            Some(Effect::Show(Event::Messages {
                messages,
                own: o,
                arrival: a,
            })) if (*o, *a) == (own, arrival) => {
                messages.extend_from_slice(run);
            }
            _ => {
                let messages = run.to_vec();
                self.show(Event::Messages {
                    messages,
                    own,
                    arrival,
                });
            }
        }
    }

    pub(super) fn send(&mut self, to: LinkId, class: Class, message: Message) {
        self.send_many(vec![to], class, message);
    }

    pub(super) fn send_many(&mut self, to: Vec<LinkId>, class: Class, message: Message) {
        if !to.is_empty() {
            if wants_answer(&message) {
                self.asked.extend(to.iter().copied());
            }
            self.out.push(Effect::Send { to, class, message });
        }
    }

    pub(super) fn close(&mut self, link: LinkId, how: Close) {
        self.out.push(Effect::Close { link, how });
    }

    /// Somebody has said this.
    pub(super) fn observe(&mut self, timestamp: u64) {
        self.clock.observe(timestamp, self.now.wall_ms);
    }

    /// True if what has this timestamp counts as not said.
    pub(super) fn is_far_ahead(&self, timestamp: u64) -> bool {
        clock::is_far_ahead(timestamp, self.now.wall_ms)
    }

    /// What lies beyond it is dated so far ahead that nobody writes after it yet.
    pub(super) fn reach(&self) -> Position {
        Position::reach(self.now.wall_ms)
    }

    /// A clock that somebody tells; this moment, if it is so far ahead that nobody else's passes it: what is said from
    /// now on would be dated before it.
    pub(super) fn believed(&self, clock: u64) -> u64 {
        if clock > self.reach().timestamp {
            self.wall_timestamp()
        } else {
            clock
        }
    }

    /// The timestamp of this moment, whatever was said so far.
    pub(super) fn wall_timestamp(&self) -> u64 {
        clock::timestamp_of(self.now.wall_ms)
    }

    /// The time that has passed since `earlier`.
    pub(super) fn since(&self, earlier: Time) -> Duration {
        self.now.time.since(earlier)
    }

    /// How long somebody who says nothing may still be the one that has what is missing: until everybody
    /// would hold it for lost.
    pub(super) fn gap_patience(&self) -> Duration {
        self.config.failure_timeout * timing::GAP_TIMEOUTS
    }

    /// A random share of `d`.
    pub(super) fn jitter(&mut self, d: Duration) -> Duration {
        Duration::from_micros(self.rng.u64(0..=micros(d)))
    }
}

/// True if the other end says something soon after this, or ought to: chat is confirmed, and a confirmation
/// followed by a word on what is stable. A private message is not confirmed; a PING that is due later tells
/// whether its way was open.
fn wants_answer(message: &Message) -> bool {
    matches!(
        message,
        Message::Chat(_)
            | Message::Ack(_)
            | Message::Private(_)
            | Message::JoinRequest(_)
            | Message::ViewRequest
            | Message::Election { .. }
            | Message::Ping { .. }
            | Message::Sync(_)
            | Message::Fetch(_)
    )
}
