//! The view that this node holds: the members by id and by key.
//!
//! Owns the list and its version, as data. It knows nothing of links or time, and never decides who comes in.

use std::collections::BTreeMap;

use crate::limits;
use crate::wire::{Claim, Id, Key, Member, View};

/// Ids above this are nobody's: they would not survive as JSON numbers.
pub(super) const ID_MAX: Id = 1 << 53;
/// Ids and next ids above this, and above all that this node's group has given, are not believed where a
/// joiner brings them: more than anybody joins, and far enough below [`ID_MAX`] that the count goes on.
pub(super) const ID_BROUGHT_MAX: Id = 1 << 32;
/// The next id when none is left.
const NEXT_ID_END: Id = ID_MAX + 1;
/// View versions above this are not believed where they are only heard of: a liar must not be able
/// to bring the count to its end.
pub(super) const VERSION_HEARD_MAX: u64 = 1 << 53;

/// A view, with its invariants: ids and keys are unique.
#[derive(Clone, Debug)]
pub(super) struct Roster {
    coordinator: Key,
    version: u64,
    next_id: Id,
    /// In the order of ids.
    members: Vec<Member>,
    ids: BTreeMap<Key, Id>,
    /// Who is not in this view any more because it said LEAVE; empty once that was shown and told.
    left: Vec<Key>,
    /// How many views this node held before: a coordinator that lies may give two of them one name.
    held: u64,
}

impl Roster {
    pub(super) fn empty() -> Roster {
        Roster {
            coordinator: Key(0),
            version: 0,
            next_id: 1,
            members: Vec::new(),
            ids: BTreeMap::new(),
            left: Vec::new(),
            held: 0,
        }
    }

    /// None if the view contradicts itself: an id or a key twice, or its coordinator not in it.
    pub(super) fn from_view(view: View) -> Option<Roster> {
        let mut roster = Roster {
            coordinator: view.coordinator,
            version: view.version,
            next_id: view.next_id.min(NEXT_ID_END),
            left: view.left,
            ..Roster::empty()
        };
        for member in view.members {
            if !roster.insert(member) {
                return None;
            }
        }
        roster.contains(view.coordinator).then_some(roster)
    }

    pub(super) fn to_view(&self) -> View {
        View {
            coordinator: self.coordinator,
            version: self.version,
            next_id: self.next_id,
            members: self.members.clone(),
            left: self.left.clone(),
            clock: 0,
        }
    }

    /// False, and nothing done, if the id or the key is taken or the view is full.
    pub(super) fn insert(&mut self, member: Member) -> bool {
        let at = self.members.partition_point(|m| m.id < member.id);
        if self.members.get(at).is_some_and(|m| m.id == member.id)
            || self.ids.contains_key(&member.key)
            || self.members.len() >= limits::MEMBERS_MAX
            || self.size_bound() + member.size_bound() > limits::VIEW_BYTES_MAX
            || member.id == 0
            || member.id > ID_MAX
        {
            return false;
        }
        self.next_id = self.next_id.max(member.id + 1);
        self.ids.insert(member.key, member.id);
        self.members.insert(at, member);
        true
    }

    /// True if a joiner may have been given this id, or have heard that it is the next one.
    pub(super) fn believes(&self, id: Id) -> bool {
        id <= ID_BROUGHT_MAX.max(self.next_id)
    }

    /// An id for a newcomer: the next one. Only a coordinator that lies can bring the count to its end;
    /// then it is the lowest that is free.
    pub(super) fn fresh_id(&self) -> Id {
        if self.next_id <= ID_MAX {
            return self.next_id;
        }
        let taken = |id: &Id| self.has_id(*id);
        (1..=ID_MAX).find(|id| !taken(id)).unwrap_or(ID_MAX)
    }

    /// An upper bound of the encoded size of the members in bytes.
    fn size_bound(&self) -> usize {
        self.members.iter().map(Member::size_bound).sum()
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<Member> {
        let id = self.ids.remove(&key)?;
        let at = self.members.partition_point(|m| m.id < id);
        Some(self.members.remove(at))
    }

    pub(super) fn get(&self, key: Key) -> Option<&Member> {
        let id = self.ids.get(&key)?;
        self.members
            .get(self.members.partition_point(|m| m.id < *id))
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Member> {
        let id = self.ids.get(&key)?;
        let at = self.members.partition_point(|m| m.id < *id);
        self.members.get_mut(at)
    }

    pub(super) fn contains(&self, key: Key) -> bool {
        self.ids.contains_key(&key)
    }

    pub(super) fn has_id(&self, id: Id) -> bool {
        let at = self.members.partition_point(|m| m.id < id);
        self.members.get(at).is_some_and(|m| m.id == id)
    }

    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// The view has changed by one step. Claims that are only heard of are capped, so that the count does
    /// not come to its end.
    pub(super) fn step(&mut self) {
        self.version = self.version.saturating_add(1);
        self.held = self.held.saturating_add(1);
    }

    pub(super) fn set_version(&mut self, version: u64) {
        self.version = version;
        self.held = self.held.saturating_add(1);
    }

    /// This view is held after that one.
    pub(super) fn succeed(&mut self, before: &Roster) {
        self.held = before.held.saturating_add(1);
    }

    /// A number that no other view has that this node held.
    pub(super) fn held(&self) -> u64 {
        self.held
    }

    /// The id that the next newcomer gets.
    pub(super) fn next_id(&self) -> Id {
        self.next_id
    }

    /// The next id is at least this one.
    pub(super) fn never_below(&mut self, id: Id) {
        self.next_id = self.next_id.max(id.min(NEXT_ID_END));
    }

    /// True if this key is not in the view any more because it said LEAVE.
    pub(super) fn has_left(&self, key: Key) -> bool {
        self.left.contains(&key)
    }

    /// Who has left was shown and told.
    pub(super) fn forget_left(&mut self) {
        self.left.clear();
    }

    /// The coordinator whose view it is.
    pub(super) fn coordinator(&self) -> Key {
        self.coordinator
    }

    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }

    pub(super) fn keys(&self) -> Vec<Key> {
        self.members.iter().map(|m| m.key).collect()
    }

    /// The coordinator's claim, if the coordinator is a member.
    pub(super) fn claim(&self) -> Option<Claim> {
        let id = *self.ids.get(&self.coordinator)?;
        let key = self.coordinator;
        Some(Claim { id, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: Id, key: u64) -> Member {
        Member {
            id,
            key: Key(key),
            nick: format!("n{id}"),
            addresses: Vec::new(),
        }
    }

    fn view(members: Vec<Member>) -> View {
        View {
            coordinator: Key(1),
            version: 1,
            next_id: 2,
            members,
            left: Vec::new(),
            clock: 0,
        }
    }

    #[test]
    fn a_view_that_contradicts_itself_is_refused() {
        assert!(Roster::from_view(view(vec![member(1, 1), member(2, 2)])).is_some());
        assert!(Roster::from_view(view(vec![member(1, 1), member(1, 2)])).is_none());
        assert!(Roster::from_view(view(vec![member(1, 1), member(2, 1)])).is_none());
        assert!(Roster::from_view(view(vec![member(2, 2)])).is_none());
        assert!(Roster::from_view(view(vec![member(1, 1), member(0, 2)])).is_none());
    }

    #[test]
    fn the_next_id_never_falls_below_a_member() {
        let mut roster = Roster::from_view(view(vec![member(1, 1), member(7, 2)])).unwrap();
        assert_eq!(roster.next_id, 8);
        roster.remove(Key(2));
        assert_eq!(roster.next_id, 8);
        assert!(!roster.has_id(7));
    }

    #[test]
    fn ids_are_unique_at_both_ends() {
        let mut roster = Roster::from_view(view(vec![member(1, 1)])).unwrap();
        assert!(roster.believes(0) && roster.believes(ID_BROUGHT_MAX));
        assert!(!roster.believes(ID_BROUGHT_MAX + 1) && !roster.believes(u64::MAX));
        roster.never_below(ID_BROUGHT_MAX + 7);
        assert!(roster.believes(ID_BROUGHT_MAX + 7));
        // A view may bring the count to its end: then the lowest free one is given.
        for (n, end) in (0..).zip([ID_MAX, ID_MAX + 1, u64::MAX]) {
            roster.never_below(end);
            for key in 10..13 {
                let id = roster.fresh_id();
                assert!(roster.insert(member(id, key + 10 * n)), "{id} is free");
            }
        }
        let whole = Roster::from_view(roster.to_view()).unwrap();
        assert_eq!(whole.members().len(), 10);
        assert!(!roster.insert(member(ID_MAX + 1, 99)));
    }
}
