//! Who people are, as far as their links have proven it.
//!
//! Owns what was proven of each key, and under which nick somebody was known first in this run. It
//! decides who is marked, and never shows anything itself.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::identity::{Fingerprint, Peer};
use crate::limits::{NICKS_KNOWN_MAX, PEOPLE_MAX};
use crate::wire::{Key, Member};

use super::text;
use super::visible::{Tab, visible};

/// What is known of people.
#[derive(Debug, Default)]
pub(super) struct People {
    /// Whose node each key is that was proven on a link; none: it shows no identity.
    owners: BTreeMap<Key, Option<Fingerprint>>,
    /// Who was the first to be known under a nick.
    nicks: BTreeMap<String, Known>,
    /// How many nicks were kept so far.
    kept: u64,
    /// Who came under somebody else's nick, which was said.
    others: BTreeSet<(String, Option<Fingerprint>)>,
}

/// Somebody who is known under a nick.
#[derive(Clone, Copy, Debug)]
struct Known {
    owner: Fingerprint,
    /// As how many-th it was kept.
    no: u64,
}

impl People {
    /// Whose node the one with this key is, if it has proven that.
    pub(super) fn identity(&self, key: Key) -> Option<Fingerprint> {
        self.owners.get(&key).copied().flatten()
    }

    /// What is known of the one with this key, if it has a link.
    pub(super) fn is_met(&self, key: Key) -> bool {
        self.owners.contains_key(&key)
    }

    /// A link has proven who is at its other end.
    pub(super) fn met(&mut self, peer: Peer, members: &[Member]) {
        if self.owners.len() >= PEOPLE_MAX && !self.owners.contains_key(&peer.key) {
            // Strangers come and go; of members it goes on being known.
            self.owners
                .retain(|key, _| members.iter().any(|m| m.key == *key));
            while self.owners.len() >= PEOPLE_MAX {
                self.owners.pop_first();
            }
        }
        self.owners.insert(peer.key, peer.owner);
    }

    /// True if somebody else was known under this nick before.
    pub(super) fn is_another(&self, key: Key, nick: &str) -> bool {
        let Some(owner) = self.owners.get(&key) else {
            return false;
        };
        (self.nicks.get(nick)).is_some_and(|known| Some(known.owner) != *owner)
    }

    /// Looks who the members are that have proven it: what is to be said of one who bears the nick that
    /// somebody else was known under, each with that nick.
    pub(super) fn look(&mut self, members: &[Member]) -> Vec<(String, String)> {
        let mut said = Vec::new();
        for member in members {
            let Some(owner) = self.owners.get(&member.key).copied() else {
                continue;
            };
            let known = self.nicks.get(&member.nick).map(|known| known.owner);
            match (known, owner) {
                (Some(known), owner) if Some(known) != owner => {
                    let news = (member.nick.clone(), owner);
                    if self.others.len() >= NICKS_KNOWN_MAX {
                        // Of those who have gone it may be said again, and a flood of them silences nothing.
                        let owners = &self.owners;
                        self.others.retain(|(nick, owner)| {
                            let is_it = |m: &Member| owners.get(&m.key) == Some(owner);
                            members.iter().any(|m| m.nick == *nick && is_it(m))
                        });
                    }
                    if self.others.insert(news) {
                        said.push((member.nick.clone(), another(member, owner, known)));
                    }
                }
                (None, Some(owner)) => self.keep(&member.nick, owner, members),
                _ => {}
            }
        }
        said
    }

    /// From now on this nick is this one's.
    fn keep(&mut self, nick: &str, owner: Fingerprint, members: &[Member]) {
        if self.nicks.len() >= NICKS_KNOWN_MAX {
            self.forget_one(members);
        }
        let no = self.kept;
        self.kept += 1;
        self.nicks.insert(nick.to_owned(), Known { owner, no });
    }

    /// Whoever has the most nicks loses the oldest one that no member bears: one that takes a new nick again and again
    /// makes nobody else forgotten.
    fn forget_one(&mut self, members: &[Member]) {
        let borne: BTreeSet<&str> = members.iter().map(|m| m.nick.as_str()).collect();
        let mut counts: BTreeMap<Fingerprint, usize> = BTreeMap::new();
        for known in self.nicks.values() {
            *counts.entry(known.owner).or_default() += 1;
        }
        let idle = (self.nicks.iter()).filter(|(nick, _)| !borne.contains(nick.as_str()));
        let dearest = idle.max_by_key(|(_, known)| (counts.get(&known.owner), Reverse(known.no)));
        if let Some(nick) = dearest.map(|(nick, _)| nick.clone()) {
            self.nicks.remove(&nick);
        }
    }
}

/// What is said of one who bears a nick that somebody else was known under.
fn another(member: &Member, owner: Option<Fingerprint>, known: Fingerprint) -> String {
    let now = owner.map_or_else(|| "no identity".to_owned(), |owner| owner.to_string());
    let nick = visible(&member.nick, Tab::Escape);
    let name = text::name(member);
    format!("{name} is not the {nick} of before: {now}, and that was {known}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(n: u8) -> Fingerprint {
        Fingerprint::of(&[n; 32])
    }

    fn member(key: u64, nick: &str) -> Member {
        Member {
            id: key,
            key: Key(key),
            nick: nick.into(),
            addresses: vec![],
        }
    }

    fn peer(key: u64, owner: Option<u8>) -> Peer {
        Peer {
            key: Key(key),
            owner: owner.map(fingerprint),
        }
    }

    #[test]
    fn who_comes_back_as_somebody_else_is_told_of_once() {
        let mut people = People::default();
        let first = [member(1, "fz")];
        people.met(peer(1, Some(1)), &first);
        assert!(people.look(&first).is_empty());
        // Another run of the same person.
        let again = [member(2, "fz")];
        people.met(peer(2, Some(1)), &again);
        assert!(people.look(&again).is_empty() && !people.is_another(Key(2), "fz"));
        for (key, owner) in [(3, Some(2)), (4, None)] {
            let other = [member(key, "fz")];
            people.met(peer(key, owner), &other);
            let said = people.look(&other);
            let (nick, words) = &said[0];
            assert_eq!(nick, "fz");
            assert!(words.contains("is not the fz of before"), "{words}");
            assert!(words.contains(&fingerprint(1).to_string()), "{words}");
            assert!(people.look(&other).is_empty());
            assert!(people.is_another(Key(key), "fz"));
            assert!(!people.is_another(Key(key), "ana"));
        }
    }

    #[test]
    fn of_those_who_have_proven_nothing_nothing_is_said() {
        let mut people = People::default();
        people.met(peer(1, Some(1)), &[]);
        people.look(&[member(1, "fz")]);
        assert!(people.look(&[member(2, "fz")]).is_empty());
        assert_eq!(people.identity(Key(2)), None);
    }

    #[test]
    fn a_flood_of_others_silences_nobody_who_comes_later() {
        let mut people = People::default();
        people.met(peer(1, Some(1)), &[member(1, "fz")]);
        people.look(&[member(1, "fz")]);
        for key in 2..2 * NICKS_KNOWN_MAX as u64 {
            let here = [member(key, "fz")];
            let mut public = [0; 32];
            public[..8].copy_from_slice(&key.to_be_bytes());
            let owner = Some(Fingerprint::of(&public));
            people.met(
                Peer {
                    key: Key(key),
                    owner,
                },
                &here,
            );
            assert_eq!(people.look(&here).len(), 1, "{key}");
            assert!(people.look(&here).is_empty());
            assert!(people.others.len() <= NICKS_KNOWN_MAX);
        }
    }

    #[test]
    fn who_takes_many_nicks_makes_nobody_else_forgotten() {
        let mut people = People::default();
        let takes = |people: &mut People, key: u64, owner: u8, nick: &str| {
            let here = [member(key, nick)];
            people.met(peer(key, Some(owner)), &here);
            people.look(&here).len()
        };
        takes(&mut people, 1, 1, "ana");
        for n in 0..2 * NICKS_KNOWN_MAX {
            takes(&mut people, 2, 2, &format!("liar {n}"));
        }
        assert!(people.nicks.len() <= NICKS_KNOWN_MAX);
        // Those who came before it and after it are known.
        takes(&mut people, 3, 3, "bia");
        for (nick, others) in [("ana", 1), ("bia", 1), ("liar 0", 0)] {
            assert_eq!(takes(&mut people, 4, 4, nick), others, "{nick}");
        }
    }

    #[test]
    fn what_strangers_make_known_is_bounded_and_members_stay() {
        let mut people = People::default();
        let members = [member(u64::MAX, "ana")];
        people.met(peer(u64::MAX, Some(1)), &members);
        for key in 1..3 * PEOPLE_MAX as u64 {
            people.met(peer(key, Some(2)), &members);
            assert!(people.owners.len() <= PEOPLE_MAX);
        }
        assert_eq!(people.identity(Key(u64::MAX)), Some(fingerprint(1)));
    }
}
