//! Whom the user does not want to read.
//!
//! This module owns the list, for as long as papo runs. A person is known by identity, under any nick and
//! at any machine; one who shows none is known as the node that it runs. Nothing here decides what is shown
//! instead.

use std::collections::BTreeMap;

use crate::identity::Fingerprint;
use crate::limits::IGNORED_MAX;
use crate::wire::Key;

/// How somebody is known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Known {
    Person(Fingerprint),
    Node(Key),
}

impl Known {
    fn of(key: Key, identity: Option<Fingerprint>) -> Known {
        identity.map_or(Known::Node(key), Known::Person)
    }
}

/// Those who are ignored, and the nick that each had.
#[derive(Debug, Default)]
pub(super) struct Ignored {
    who: BTreeMap<Known, String>,
}

impl Ignored {
    /// Adds somebody. False if there is no room.
    pub(super) fn add(&mut self, key: Key, identity: Option<Fingerprint>, nick: &str) -> bool {
        let known = Known::of(key, identity);
        let has_room = self.who.len() < IGNORED_MAX || self.who.contains_key(&known);
        if has_room {
            self.who.insert(known, nick.to_owned());
        }
        has_room
    }

    /// Takes away those who had this nick, in whatever case, and this one if it is known who that is. False
    /// if there was none.
    pub(super) fn remove(&mut self, nick: &str, one: Option<(Key, Option<Fingerprint>)>) -> bool {
        let before = self.who.len();
        let one = one.map(|(key, identity)| (Known::Node(key), Known::of(key, identity)));
        self.who.retain(|known, had| {
            let is_one = one.is_some_and(|(node, person)| *known == node || *known == person);
            !is_one && had.to_lowercase() != nick.to_lowercase()
        });
        self.who.len() < before
    }

    /// Whether nobody is ignored.
    pub(super) fn is_empty(&self) -> bool {
        self.who.is_empty()
    }

    /// Whether the one with this key is ignored.
    pub(super) fn hides(&self, key: Key, identity: Option<Fingerprint>) -> bool {
        let is_listed = |known| self.who.contains_key(&known);
        is_listed(Known::Node(key)) || identity.is_some_and(|who| is_listed(Known::Person(who)))
    }

    /// The nicks of those who are ignored.
    pub(super) fn nicks(&self) -> impl Iterator<Item = &str> {
        self.who.values().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(n: u8) -> Fingerprint {
        Fingerprint::of(&[n; 32])
    }

    #[test]
    fn a_person_is_ignored_at_every_machine_and_a_node_alone() {
        let mut ignored = Ignored::default();
        ignored.add(Key(1), Some(person(1)), "ana");
        ignored.add(Key(2), None, "bia");
        assert!(ignored.hides(Key(7), Some(person(1))));
        assert!(!ignored.hides(Key(1), None) && !ignored.hides(Key(1), Some(person(2))));
        assert!(ignored.hides(Key(2), None) && ignored.hides(Key(2), Some(person(3))));
        assert!(!ignored.hides(Key(3), None));
    }

    #[test]
    fn one_is_read_again_by_the_nick_of_then_or_of_now() {
        let mut ignored = Ignored::default();
        ignored.add(Key(1), Some(person(1)), "Ana");
        assert!(!ignored.remove("bia", None));
        assert!(ignored.remove("ana", None));
        ignored.add(Key(1), Some(person(1)), "Ana");
        assert!(ignored.remove("zoe", Some((Key(9), Some(person(1))))));
        assert!(!ignored.hides(Key(1), Some(person(1))));
    }

    #[test]
    fn the_list_is_bounded() {
        let mut ignored = Ignored::default();
        for n in 0..IGNORED_MAX as u64 {
            assert!(ignored.add(Key(n), None, "x"));
        }
        assert!(!ignored.add(Key(u64::MAX), None, "x"));
        assert!(ignored.add(Key(0), None, "y"));
        assert_eq!(ignored.nicks().count(), IGNORED_MAX);
    }
}
