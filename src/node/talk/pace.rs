//! How long peers take to answer what they are asked in an exchange, and so how long each is waited for.
//!
//! Owns how long the last answer of each took, and what each was last asked in an exchange that was given up. It asks
//! nobody and gives nothing up.

use std::collections::BTreeMap;
use std::time::Duration;

use super::exchange::Exchange;
use super::{Lent, Talk};
use crate::node::{LinkId, Time, Weakness};
use crate::timing;
use crate::wire::{Key, Message};

/// A question that was given up before its answer had come.
#[derive(Clone, Copy, Debug)]
struct GivenUp {
    link: LinkId,
    /// The number of the exchange.
    no: u64,
    asked: Time,
}

/// How fast the peers answer.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// How long the last answer of each took, whether it came in time or not.
    took: BTreeMap<Key, Duration>,
    /// The last question to each that was given up.
    given_up: BTreeMap<Key, GivenUp>,
}

impl Pace {
    /// How long this peer may take to answer: a failure timeout, or twice as long as its last answer took, if that is
    /// more; but no longer than four of them.
    pub(super) fn patience(&self, lent: &Lent<'_>, peer: Key) -> Duration {
        let timeout = lent.cx.config.failure_timeout;
        if lent.cx.is_weakened(Weakness::SlowAreHurried) {
            return timeout;
        }
        let took = self.took.get(&peer).copied().unwrap_or_default();
        timeout.max((took * 2).min(timeout * timing::ANSWER_TIMEOUTS_MAX))
    }

    /// What was asked last in this exchange is waited for no longer.
    pub(super) fn give_up(&mut self, exchange: &Exchange) {
        let given_up = GivenUp {
            link: exchange.link,
            no: exchange.no,
            asked: exchange.asked,
        };
        self.given_up.insert(exchange.peer, given_up);
    }

    /// Nothing is kept of a peer without a link.
    pub(super) fn forget_peer(&mut self, peer: Key) {
        self.took.remove(&peer);
        self.given_up.remove(&peer);
    }
}

impl Talk {
    /// A peer says this: if it answers what was asked last in an exchange, or in the last one that was given up, it
    /// is known how long that took.
    pub(super) fn measure(&mut self, now: Time, (link, peer): (LinkId, Key), message: &Message) {
        let no = match message {
            Message::SyncAnswer(answer) => answer.no,
            Message::Comparison(comparison) => comparison.no,
            Message::Chunk(chunk) => chunk.no,
            _ => return,
        };
        let under_way = self.repair.find(link, no).map(|exchange| exchange.asked);
        let pace = &mut self.repair.pace;
        let is_it = |late: &&GivenUp| (late.link, late.no) == (link, no);
        let late = pace.given_up.get(&peer).filter(is_it);
        if let Some(asked) = under_way.or(late.map(|late| late.asked)) {
            pace.took.insert(peer, now.since(asked));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::rig::{Rig, chat};
    use crate::node::{Input, Timer};
    use crate::wire::{Chunk, SyncAnswer};

    const ANA: Key = Key(9);

    /// How many tenths of a failure timeout Ana is waited for, who has answered SYNCs in times of so many tenths
    /// each, those that were given up included.
    fn waited(times: &[u32], weakened: Option<Weakness>) -> u32 {
        let mut rig = Rig::new();
        rig.node.cx.config.weakened = weakened;
        let ana = rig.meet(ANA);
        rig.admit(ana, ANA);
        let tenth = rig.node.cx.config.failure_timeout / 10;
        let ask = |rig: &mut Rig| {
            rig.receive(ana, Message::Ping { coordinator: None });
            rig.turn(vec![Input::Timer(Timer::SyncRound)]);
            rig.answer()
        };
        for time in times {
            let answer = ask(&mut rig);
            for _ in 0..*time {
                rig.pass(tenth);
                rig.fire_due(&[Timer::Sync]);
            }
            // Only the last answer counts, and it was asked for.
            rig.receive(
                ana,
                Message::SyncAnswer(SyncAnswer {
                    no: 0,
                    ..answer.clone()
                }),
            );
            rig.receive(ana, Message::SyncAnswer(answer));
        }
        ask(&mut rig);
        let exchange = &rig.node.talk.repair.exchanges[0];
        (exchange.due.since(exchange.asked).as_millis() / tenth.as_millis()) as u32
    }

    #[test]
    fn whoever_answers_slowly_is_waited_for_for_twice_as_long_within_limits() {
        assert_eq!(waited(&[], None), 10);
        assert_eq!(waited(&[4], None), 10);
        assert_eq!(waited(&[12], None), 24);
        assert_eq!(waited(&[12, 15], None), 30);
        assert_eq!(waited(&[12, 100], None), 40);
        assert_eq!(waited(&[12, 3], None), 10);
        assert_eq!(waited(&[12], Some(Weakness::SlowAreHurried)), 10);
    }

    #[test]
    fn what_is_fetched_counts_too_and_late() {
        let mut rig = Rig::new();
        let (ana, fetch) = rig.fetch_two_of(ANA);
        let timeout = rig.node.cx.config.failure_timeout;
        rig.pass(timeout);
        rig.fire_due(&[Timer::Sync]);
        rig.pass(timeout / 2);
        let mut messages = Vec::new();
        for seq in 1..=2 {
            if let Message::Chat(chat) = chat(ANA, seq, &[]) {
                messages.extend(chat);
            }
        }
        let (no, next) = (fetch.no, None);
        rig.receive(ana, Message::Chunk(Chunk { no, next, messages }));
        let (talk, lent) = rig.node.talk();
        let patience = talk.repair.pace.patience(&lent, ANA);
        assert_eq!(patience.as_millis(), (timeout * 3).as_millis());
        talk.forget(lent.cx, ANA);
        let (talk, lent) = rig.node.talk();
        assert_eq!(talk.repair.pace.patience(&lent, ANA), timeout);
    }
}
