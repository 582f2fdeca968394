//! The people of the rooms who are not of this process: under which nick IRC knows each of them.
//!
//! Owns that table. In papo a nick is no name: two members of a room may have the same one, and each room knows
//! its members by keys of its own. In IRC a nick is one person everywhere. So members of different rooms with the
//! same nick are one person here, and two of the same room, or one that has a nick of this process, are told
//! apart by their ids.

use std::collections::{BTreeMap, BTreeSet};

use crate::limits::{IRC_CHANNELS_MAX, IRC_CLIENTS_MAX, MEMBERS_MAX};
use crate::wire::{Id, Key, Member};

use super::names;

/// Nodes that are known at a time.
const NODES_MAX: usize = MEMBERS_MAX * IRC_CHANNELS_MAX * (IRC_CLIENTS_MAX / 64);

/// One person.
#[derive(Clone, Debug)]
pub(super) struct Person {
    /// As IRC says it.
    pub(super) nick: String,
    /// As papo says it.
    pub(super) papo: String,
    pub(super) host: String,
    pub(super) away: Option<String>,
    /// The nodes that it has: the folded name of the channel, the key and the id, those known longest first.
    pub(super) nodes: Vec<(String, Key, Id)>,
}

impl Person {
    /// `nick!user@host`.
    pub(super) fn mask(&self) -> String {
        format!("{}!papo@{}", self.nick, self.host)
    }

    /// Its node in a channel.
    pub(super) fn node_in(&self, channel: &str) -> Option<Key> {
        let found = self.nodes.iter().find(|(c, _, _)| c == channel);
        found.map(|(_, key, _)| *key)
    }
}

/// Everybody who is known.
#[derive(Debug, Default)]
pub(super) struct People {
    by_nick: BTreeMap<String, Person>,
    nicks: BTreeMap<(String, Key), String>,
}

impl People {
    /// A member of a channel; `taken` are the nicks that are somebody's here.
    pub(super) fn add(&mut self, channel: &str, member: &Member, taken: &dyn Fn(&str) -> bool) {
        let place = (channel.to_owned(), member.key);
        if self.nicks.contains_key(&place) || self.nicks.len() >= NODES_MAX {
            return;
        }
        let nick = self.free_nick(channel, member, taken);
        let host = member.addresses.first().map(|a| a.0.ip().to_string());
        let person = (self.by_nick.entry(names::folded(&nick))).or_insert_with(|| Person {
            nick: nick.clone(),
            papo: member.nick.clone(),
            host: host.unwrap_or_else(|| "papo".to_owned()),
            away: None,
            nodes: Vec::new(),
        });
        person
            .nodes
            .push((channel.to_owned(), member.key, member.id));
        self.nicks.insert(place, names::folded(&nick));
    }

    fn free_nick(&self, channel: &str, member: &Member, taken: &dyn Fn(&str) -> bool) -> String {
        let plain = names::nick(&member.nick);
        let is_free = |nick: &str| {
            let folded = names::folded(nick);
            let known = self.by_nick.get(&folded);
            // Whose case differs is somebody else.
            let is_same =
                known.is_none_or(|p| p.papo == member.nick && p.node_in(channel).is_none());
            is_same && !taken(&folded)
        };
        let numbered = |n: u64| match n {
            0 => plain.clone(),
            1 => format!("{plain}|{}", member.id),
            n => format!("{plain}|{}|{n}", member.id),
        };
        let mut all = (0..).map(numbered);
        all.find(|nick| is_free(nick)).unwrap_or(plain.clone())
    }

    /// Somebody is in this channel no more. The person as it was, and whether it is in no other one.
    pub(super) fn remove(&mut self, channel: &str, key: Key) -> Option<(Person, bool)> {
        let folded = self.nicks.remove(&(channel.to_owned(), key))?;
        let person = self.by_nick.get_mut(&folded)?;
        let was = person.clone();
        person
            .nodes
            .retain(|(c, k, _)| (c.as_str(), *k) != (channel, key));
        let is_gone = person.nodes.is_empty();
        if is_gone {
            self.by_nick.remove(&folded);
        }
        Some((was, is_gone))
    }

    /// Whoever has this key in this channel.
    pub(super) fn get(&self, channel: &str, key: Key) -> Option<&Person> {
        let folded = self.nicks.get(&(channel.to_owned(), key))?;
        self.by_nick.get(folded)
    }

    pub(super) fn get_mut(&mut self, channel: &str, key: Key) -> Option<&mut Person> {
        let folded = self.nicks.get(&(channel.to_owned(), key))?;
        self.by_nick.get_mut(folded)
    }

    /// Whoever has this nick, whatever its case.
    pub(super) fn named(&self, nick: &str) -> Option<&Person> {
        self.by_nick.get(&names::folded(nick))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Person> {
        self.by_nick.values()
    }

    pub(super) fn len(&self) -> usize {
        self.by_nick.len()
    }

    /// The channels in which this person is.
    pub(super) fn channels(person: &Person) -> BTreeSet<String> {
        person.nodes.iter().map(|(c, _, _)| c.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(key: u64, nick: &str) -> Member {
        let (id, key) = (key, Key(key));
        Member {
            id,
            key,
            nick: nick.to_owned(),
            addresses: Vec::new(),
        }
    }

    #[test]
    fn one_nick_is_one_person_in_several_rooms_and_two_in_one() {
        let mut people = People::default();
        let nobody = |_: &str| false;
        people.add("#a", &member(1, "ana"), &nobody);
        people.add("#b", &member(2, "ana"), &nobody);
        people.add("#a", &member(3, "ana"), &nobody);
        people.add("#a", &member(4, "Ana"), &nobody);
        people.add("#a", &member(5, "zé"), &|nick| nick == "zé");
        let nick = |channel, key| people.get(channel, Key(key)).map(|p| p.nick.as_str());
        assert_eq!(nick("#a", 1), Some("ana"));
        assert_eq!(nick("#b", 2), Some("ana"));
        assert_eq!(nick("#a", 3), Some("ana|3"));
        assert_eq!(nick("#a", 4), Some("Ana|4"));
        assert_eq!(nick("#a", 5), Some("zé|5"));
        assert_eq!(people.len(), 4);
        assert!(!people.remove("#a", Key(1)).unwrap().1);
        assert!(people.remove("#b", Key(2)).unwrap().1);
        assert!(people.named("ANA").is_none());
    }
}
