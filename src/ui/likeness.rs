//! Which nicks look alike, and who is to be warned of that.
//!
//! This module owns which pairs of members were told of. It decides by letters only: that two with one nick
//! are the same person is known to `people`.

use std::collections::{BTreeMap, BTreeSet};

use unicode_security::confusable_detection::skeleton;

use crate::identity::Fingerprint;
use crate::limits::LIKENESSES_MAX;
use crate::node::Time;
use crate::timing::ARRIVAL_SAID;
use crate::wire::{Key, Member};

use super::text;

/// What a nick looks like: the same for nicks that differ in case, in spaces, in the signs that stand around
/// names, or in letters that Unicode calls confusable (UTS 39).
#[must_use]
pub fn likeness(nick: &str) -> String {
    let lower = nick.to_lowercase();
    // Some signs' likeness is a capital: a zero's is an O.
    let alike = skeleton(&lower).flat_map(char::to_lowercase);
    let bare = alike.filter(|c| !c.is_whitespace() && !"<>#".contains(*c));
    // A capital i looks like a small L, and is a small i by now.
    bare.map(|c| if c == 'i' { 'l' } else { c }).collect()
}

/// Members that look alike, as far as the user is to be told of them.
#[derive(Debug, Default)]
pub(super) struct Lookalikes {
    told: BTreeSet<(Key, Key)>,
    /// When the members are looked at: not at once, since some only say something and go.
    due: Option<Time>,
}

impl Lookalikes {
    /// The members or their nicks are others than before.
    pub(super) fn on_change(&mut self, now: Time) {
        self.due.get_or_insert(now + ARRIVAL_SAID);
    }

    /// When [`look`](Lookalikes::look) wants to be called.
    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.due
    }

    /// What is to be said of those who look alike and are not the same person, once for each two; `own` is
    /// this node's key, and of whoever is `marked` it was said that another one had that nick.
    pub(super) fn look(
        &mut self,
        now: Time,
        members: &[Member],
        own: Key,
        identity: impl Fn(Key) -> Option<Fingerprint>,
        marked: impl Fn(&Member) -> bool,
    ) -> Vec<String> {
        if self.due.is_none_or(|at| now < at) {
            return Vec::new();
        }
        self.due = None;
        let mut seen: BTreeMap<String, &Member> = BTreeMap::new();
        let mut said = Vec::new();
        for member in members {
            let Some(first) = seen.get(&likeness(&member.nick)).copied() else {
                seen.insert(likeness(&member.nick), member);
                continue;
            };
            let who = identity(first.key);
            let is_same = (who.is_some() && who == identity(member.key))
                || (first.nick == member.nick && (marked(first) || marked(member)));
            let pair = (first.key.min(member.key), first.key.max(member.key));
            if !is_same && self.told.len() < LIKENESSES_MAX && self.told.insert(pair) {
                said.push(words(first, member, own));
            }
        }
        said
    }
}

fn words(first: &Member, second: &Member, own: Key) -> String {
    let (one, other) = match own == second.key {
        true => (second, first),
        false => (first, second),
    };
    let (mine, name) = (text::name(one), text::name(other));
    match (one.nick == other.nick, one.key == own) {
        (true, true) => format!("{name} has your nick, too; /nick NAME takes another"),
        (false, true) => format!("{name} looks like you, {mine}; /nick NAME takes another"),
        (true, false) => format!("{mine} and {name} are two with one nick"),
        (false, false) => format!("{mine} and {name} look alike and are two"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::made::member;

    #[test]
    fn nicks_that_people_take_for_one_another_are_alike() {
        for (one, other) in [
            ("ana", "Ana"),
            ("ana", "аna"),
            ("ana", "a na"),
            ("ana", "<ana>"),
            ("Il", "ll"),
            ("Ivo", "ivo"),
            ("paypal", "PAYPAL"),
            ("bob", "b0b"),
        ] {
            assert_eq!(likeness(one), likeness(other), "{one} {other}");
        }
        for (one, other) in [("ana", "bia"), ("ana", "anna"), ("日本", "日木")] {
            assert_ne!(likeness(one), likeness(other), "{one} {other}");
        }
    }

    #[test]
    fn two_who_look_alike_are_told_of_once_and_after_a_while() {
        let members = [member(1, "ana"), member(2, "Ana"), member(3, "bia")];
        let mut lookalikes = Lookalikes::default();
        lookalikes.on_change(Time(0));
        let nobody = |_: Key| None;
        let never = |_: &Member| false;
        assert!(
            lookalikes
                .look(Time(1), &members, Key(3), nobody, never)
                .is_empty()
        );
        let due = lookalikes.next_deadline().unwrap();
        let said = lookalikes.look(due, &members, Key(3), nobody, never);
        assert_eq!(said, ["ana#1 and Ana#2 look alike and are two"]);
        lookalikes.on_change(due);
        let due = lookalikes.next_deadline().unwrap();
        assert!(
            lookalikes
                .look(due, &members, Key(3), nobody, never)
                .is_empty()
        );
    }

    #[test]
    fn who_has_one_s_own_nick_is_told_of_unless_it_is_oneself_elsewhere() {
        let members = [member(1, "ana"), member(2, "ana")];
        let me = Fingerprint::of(&[1; 32]);
        for (owner, lines) in [(Some(me), 0), (None, 1)] {
            let mut lookalikes = Lookalikes::default();
            lookalikes.on_change(Time(0));
            let due = lookalikes.next_deadline().unwrap();
            let said = lookalikes.look(due, &members, Key(2), |_| owner, |_| false);
            assert_eq!(said.len(), lines);
            assert!(
                said.iter()
                    .all(|s| s.starts_with("ana#1 has your nick, too")),
                "{said:?}"
            );
        }
    }
}
