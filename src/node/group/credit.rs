//! Whose word on a coordinator counts no more: who names one that lets nobody in, or one that is gone, and who
//! answers ELECTION and never announces itself.
//!
//! Owns for how long this node has asked in vain on whose word, stayed with a coordinator that was gone, and waited
//! on whose ELECTION_OK for nothing. Who is honest is found wrong now and then, and has its credit again after a while.
//! It asks nobody, and starts no election.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Group, Parts};
use crate::limits;
use crate::node::context::Context;
use crate::node::mesh::Link;
use crate::node::{Time, Weakness, micros};
use crate::timing;
use crate::wire::{Coordinator, Key};

/// What somebody's word has cost this node.
#[derive(Clone, Copy, Debug, Default)]
struct Account {
    /// For how long this node asked in vain, in microseconds.
    in_vain: u64,
    /// For how long this node waited in vain for it to take over, in microseconds.
    promised: u64,
    /// How often it has had its credit again.
    renewed: u32,
    last: Time,
}

impl Account {
    /// How long it counts from the last time.
    fn pause(&self) -> Duration {
        let longer = timing::CREDIT_PAUSE.saturating_mul(1 << self.renewed.min(16));
        longer.min(timing::CREDIT_REMEMBERED)
    }

    fn counts(&self, now: Time) -> bool {
        now.since(self.last) < self.pause()
    }
}

/// A coordinator that this node had lost, and whose member it is again because somebody says that it lives.
#[derive(Debug)]
pub(super) struct Stay {
    leader: Key,
    /// Who says so, the first one first.
    vouchers: Vec<Key>,
    since: Time,
    /// It has confirmed nothing for so long that nobody's word counts any more.
    is_spent: bool,
}

/// A coordinator that is not heard, and confirms nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mute {
    leader: Key,
    since: Time,
    /// Up to where it has said something of what this node said.
    upto: u64,
}

impl Stay {
    pub(super) fn new(leader: Key, voucher: Key, since: Time) -> Stay {
        Stay {
            leader,
            vouchers: vec![voucher],
            since,
            is_spent: false,
        }
    }
}

/// What the others pay where several gave their word, and one of them pays for so long: an honest one may have waited
/// for that one itself, who is found out first by this.
fn others_share(long: Duration) -> Duration {
    long * timing::OTHERS_PAY_PERCENT / 100
}

/// The accounts of those whose word came to nothing lately.
#[derive(Debug, Default)]
pub(super) struct Credit {
    accounts: BTreeMap<Key, Account>,
}

impl Credit {
    fn account(&mut self, key: Key, now: Time) -> Option<&mut Account> {
        let is_lately = |a: &Account| now.since(a.last) < timing::CREDIT_REMEMBERED;
        self.accounts.retain(|_, account| is_lately(account));
        if self.accounts.len() >= limits::ACCOUNTS_MAX && !self.accounts.contains_key(&key) {
            return None;
        }
        let account = self.accounts.entry(key).or_default();
        if !account.counts(now) && account.in_vain.max(account.promised) > 0 {
            account.renewed = account.renewed.saturating_add(1);
            (account.in_vain, account.promised) = (0, 0);
        }
        account.last = now;
        Some(account)
    }

    /// This node has asked in vain for so long on this one's word.
    fn charge(&mut self, key: Key, long: Duration, now: Time) {
        if let Some(account) = self.account(key, now) {
            account.in_vain = account.in_vain.saturating_add(micros(long));
        }
    }

    /// This one's ELECTION_OK came to nothing for so long.
    fn charge_promise(&mut self, key: Key, long: Duration, now: Time) {
        if let Some(account) = self.account(key, now) {
            account.promised = account.promised.saturating_add(micros(long));
        }
    }

    /// What this one said has turned out to be so.
    fn restore(&mut self, key: Key) {
        self.accounts.remove(&key);
    }

    fn has_cost(&self, key: Key, long: Duration, now: Time) -> bool {
        let account = self.accounts.get(&key);
        account.is_some_and(|a| a.in_vain >= micros(long) && a.counts(now))
    }

    fn is_at_end(&self, key: Key, long: Duration, now: Time) -> bool {
        let account = self.accounts.get(&key);
        account.is_some_and(|a| a.promised >= micros(long) && a.counts(now))
    }
}

impl Group {
    /// True if what this one says of coordinators counts no more.
    pub(super) fn is_doubted(&self, cx: &Context, key: Key) -> bool {
        let long = cx.config.failure_timeout * timing::IN_VAIN_TIMEOUTS;
        !cx.is_weakened(Weakness::VouchingCounts) && self.credit.has_cost(key, long, cx.now.time)
    }

    /// True if it counts no more that this one names this coordinator, itself perhaps.
    pub(super) fn is_doubted_on(&self, cx: &Context, key: Key, leader: Key) -> bool {
        let is_of_others = key != leader && !cx.is_weakened(Weakness::VouchingCounts);
        self.is_doubted(cx, key) || is_of_others && self.is_long_leaderless(cx)
    }

    /// True if this node has had no coordinator for so long that nobody's word on others counts: each of many may have
    /// been believed for a while, one after the other.
    pub(super) fn is_long_leaderless(&self, cx: &Context) -> bool {
        let long = cx.config.failure_timeout * timing::LEADERLESS_TIMEOUTS;
        let is_long = |since| cx.since(since) >= long;
        self.leaderless.is_some_and(is_long) && !cx.is_weakened(Weakness::EachIsBelievedInTurn)
    }

    /// True if this one's ELECTION_OK counts no more.
    pub(super) fn is_empty_promise(&self, cx: &Context, key: Key) -> bool {
        let long = cx.config.failure_timeout * timing::OK_TIMEOUTS;
        !cx.is_weakened(Weakness::PromisesCount) && self.credit.is_at_end(key, long, cx.now.time)
    }

    /// A round of the election has ended after so long without an announcement, and these had said that they
    /// take over. The highest pays, and the others a part: they may have waited for it.
    pub(super) fn charge_promise(&mut self, parts: &Parts<'_>, promised: &[Key], long: Duration) {
        let members = self.roster.members().iter().rev();
        let mut highest_first = members.map(|m| m.key).filter(|key| promised.contains(key));
        let now = parts.cx.now.time;
        if let Some(key) = highest_first.next() {
            self.credit.charge_promise(key, long, now);
        }
        if !parts.cx.is_weakened(Weakness::OnlyOnePays) {
            for key in highest_first {
                self.credit.charge_promise(key, others_share(long), now);
            }
        }
    }

    /// This one says in ELECTION_OK that this coordinator lives: perhaps the one that this node asks in, or whose
    /// member it still is.
    pub(super) fn note_voucher(&mut self, leader: Key, voucher: Key) {
        if let Some(asking) = self.asking.as_mut().filter(|asking| asking.is_to(leader)) {
            asking.note_vouchers(std::iter::once(voucher));
        }
        if let Some(stay) = self.stay.as_mut().filter(|stay| stay.leader == leader)
            && !stay.vouchers.contains(&voucher)
            && stay.vouchers.len() < limits::ACCOUNTS_MAX
        {
            stay.vouchers.push(voucher);
        }
    }

    /// True if this node never lost its coordinator, and it or somebody else than the asker hears it; or whoever said in
    /// its election that it lives says so on its link now. Else some that have lost it one after the other would go on
    /// telling each other that it lives.
    pub(super) fn is_more_than_hearsay(&self, parts: &Parts<'_>, asker: Key) -> bool {
        let Some(stay) = &self.stay else {
            return self.is_heard_or_named(parts, asker);
        };
        let timeout = parts.cx.config.failure_timeout;
        let names = |told: &(Coordinator, Time)| {
            told.0.key == stay.leader && parts.cx.since(told.1) < timeout
        };
        let mut links = stay.vouchers.iter().map(|v| parts.mesh.link_to(*v));
        links.any(|link| link.and_then(Link::told).is_some_and(names))
            || parts.cx.is_weakened(Weakness::HearsayGoesOn)
    }

    /// True if this node hears its coordinator, or somebody else than the asker, who has none, says on its link now that
    /// it holds its office. That its process lives says nothing of that.
    fn is_heard_or_named(&self, parts: &Parts<'_>, asker: Key) -> bool {
        let Some(leader) = self.leader().filter(|key| *key != parts.cx.config.key) else {
            return true;
        };
        let (cx, mesh) = (&*parts.cx, &*parts.mesh);
        let mut others = mesh.open_links().filter(|(peer, _, _)| *peer != asker);
        let is_named = others.any(|(peer, _, link)| {
            mesh.is_alive(cx, peer) && link.told().is_some_and(|(c, _)| c.key == leader)
        });
        let is_heard = mesh.is_alive(cx, leader)
            || cx.since(mesh.last_heard(cx, leader)) < cx.config.failure_timeout;
        is_named || is_heard || cx.is_weakened(Weakness::UnheardAreNamed)
    }

    /// Others say that the coordinator lives, which this node does not hear. True if that counts no more: it confirms
    /// nothing of what this node says, as whoever lives does, by way of others too.
    pub(super) fn is_mute(&mut self, parts: &Parts<'_>, leader: Key) -> bool {
        let (cx, now) = (&*parts.cx, parts.cx.now.time);
        let heard = parts.mesh.last_heard(cx, leader);
        let before = self.mute.filter(|m| m.leader == leader && m.since >= heard);
        self.mute = (parts.talk.awaits_word_of(leader)).map(|upto| {
            let since = before.filter(|m| m.upto == upto).map_or(now, |m| m.since);
            Mute {
                leader,
                since,
                upto,
            }
        });
        let long = cx.config.failure_timeout * timing::MUTE_TIMEOUTS;
        let is_spent = self.mute.is_some_and(|m| now.since(m.since) >= long)
            && !cx.is_weakened(Weakness::MuteStayInOffice);
        if let Some(stay) = &mut self.stay {
            stay.is_spent = is_spent;
        }
        is_spent
    }

    /// This node has lost this coordinator, and had lost it before: who said since then that it lives pays for the
    /// time, unless it was heard meanwhile. It pays for no more than a silence takes to be believed: for however
    /// long others vouched for that coordinator, it lived. If that one has confirmed nothing, it did not.
    pub(super) fn charge_for_staying(&mut self, parts: &Parts<'_>, lost: Key) {
        let Some(stay) = self.stay.take().filter(|stay| stay.leader == lost) else {
            return;
        };
        let is_heard = parts.mesh.last_heard(parts.cx, lost) > stay.since;
        if is_heard || parts.cx.is_weakened(Weakness::LostAreNamed) {
            return;
        }
        let now = parts.cx.now.time;
        let most = parts.cx.config.failure_timeout * timing::STAY_TIMEOUTS_MAX;
        let all = parts.cx.config.failure_timeout * timing::MUTE_TIMEOUTS;
        let long = now.since(stay.since).min(most);
        let long = if stay.is_spent { all } else { long };
        for (place, voucher) in stay.vouchers.into_iter().enumerate() {
            let share = if place == 0 { long } else { others_share(long) };
            self.credit.charge(voucher, share, now);
        }
    }

    /// This node still asks a coordinator in that others name, or that names itself: they pay for the time.
    pub(super) fn charge_for_asking(&mut self, parts: &Parts<'_>) {
        let now = parts.cx.now.time;
        let Some(asking) = &mut self.asking else {
            return;
        };
        let (long, target) = (asking.take_uncharged(now), asking.target.key);
        // Who has a coordinator waits for nobody.
        if self.coordinator.as_ref().is_some_and(|c| c.key == target) {
            return;
        }
        for voucher in asking.vouchers() {
            self.credit.charge(*voucher, long, now);
        }
    }

    /// This node looks for its room, and this group's coordinator has not let it in yet: who names it pays,
    /// but for the coordinator itself, which may have no room.
    pub(super) fn charge_for_seeking(&mut self, parts: &Parts<'_>, key: Key, long: Duration) {
        let now = parts.cx.now.time;
        for voucher in Self::vouchers_of(parts, key) {
            self.credit.charge(voucher, long, now);
        }
    }

    /// This coordinator let this node in: who named it was right.
    pub(super) fn restore_credit(&mut self, parts: &Parts<'_>, leader: Key) {
        for voucher in Self::vouchers_of(parts, leader) {
            self.credit.restore(voucher);
        }
        self.credit.restore(leader);
    }

    /// Who names this coordinator on its link, itself not counted.
    pub(super) fn vouchers_of(parts: &Parts<'_>, key: Key) -> Vec<Key> {
        let links = parts.mesh.open_links();
        let names = links.filter(|(peer, _, link)| {
            *peer != key && link.told().is_some_and(|(c, _)| c.key == key)
        });
        names.map(|(peer, _, _)| peer).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIAR: Key = Key(7);

    #[test]
    fn credit_ends_and_comes_back() {
        let long = Duration::from_secs(6);
        let mut credit = Credit::default();
        assert!(!credit.has_cost(LIAR, long, Time(0)));
        credit.charge(LIAR, long / 2, Time(0));
        assert!(!credit.has_cost(LIAR, long, Time(0)));
        credit.charge(LIAR, long / 2, Time(0));
        assert!(credit.has_cost(LIAR, long, Time(0)));
        let later = Time(0) + timing::CREDIT_PAUSE;
        assert!(!credit.has_cost(LIAR, long, later));
        // Each further time it counts for longer, and not without end.
        let mut now = later;
        for times in 1..8 {
            credit.charge(LIAR, long, now);
            let pause = timing::CREDIT_PAUSE * (1 << times);
            now = now + pause.min(timing::CREDIT_REMEMBERED);
            assert!(credit.has_cost(LIAR, long, now.before(Duration::from_micros(1))));
            assert!(!credit.has_cost(LIAR, long, now));
            if pause >= timing::CREDIT_REMEMBERED {
                break;
            }
        }
        credit.restore(LIAR);
        assert!(!credit.has_cost(LIAR, long, Time(0)));
    }

    /// It kept this node waiting, and lives: a link may bring its answer.
    #[test]
    fn a_coordinator_whose_office_counts_no_more_is_dialled_when_it_is_heard() {
        use crate::node::rig::{Rig, address, config, office};
        use crate::node::{Config, Input};
        let is_dialled = |weakened| {
            let mut rig = Rig::with(Config {
                weakened,
                ..config()
            });
            let long = rig.node.cx.config.failure_timeout * timing::IN_VAIN_TIMEOUTS;
            let now = rig.node.cx.now.time;
            rig.node.group.credit.charge(LIAR, long, now);
            let datagram = crate::wire::Datagram::Heartbeat {
                room: "lobby".to_string(),
                coordinator: office(9, LIAR),
                members: 1,
                nick: None,
            };
            let from = address(6_000).0;
            rig.turn(vec![Input::Datagram { from, datagram }]);
            !rig.dials().is_empty()
        };
        assert!(is_dialled(None));
        assert!(!is_dialled(Some(Weakness::DoubtedAreNotDialled)));
    }

    #[test]
    fn accounts_are_few_and_saturate() {
        let mut credit = Credit::default();
        for key in 0..10_000 {
            credit.charge(Key(key), Duration::MAX, Time(0));
            credit.charge(Key(key), Duration::MAX, Time(0));
            credit.charge_promise(Key(key), Duration::MAX, Time(0));
        }
        assert_eq!(credit.accounts.len(), limits::ACCOUNTS_MAX);
        assert_eq!(credit.accounts[&Key(0)].in_vain, u64::MAX);
        credit.accounts.insert(
            LIAR,
            Account {
                promised: u64::MAX,
                ..Account::default()
            },
        );
        credit.charge_promise(LIAR, Duration::MAX, Time(0));
        assert!(credit.is_at_end(LIAR, Duration::MAX, Time(0)));
    }
}

#[cfg(test)]
#[path = "credit_test.rs"]
mod elections;
