//! Who was lost, and what they owe.

use super::*;
use crate::limits::ORIGINS_IDLE_MAX;
use crate::node::history::History;
use crate::wire::made::message;

#[test]
fn only_who_was_lost_before_this_node_came_owes_something_by_this() {
    let mut former = Former::default();
    former.hear_of(Key(1), 1);
    former.hear_of(Key(2), 1);
    former.hear_of(Key(2), 9);
    former.lose(Key(3));
    former.hear_of(Key(3), 9);
    assert_eq!(former.keys(), [1, 2, 3].map(Key));
    assert_eq!(former.owed_from(Key(2)), Some(1), "the first time counts");
    let found = [1, 2, 3, 4].map(|key| former.find(Key(key)));
    assert_eq!(found, [Some(1), Some(1), None, None]);
    assert_eq!(former.keys(), []);
}

/// Nothing of it is held any more: it comes back, says again what it has said, and that it counts on this node for it.
#[test]
fn what_a_lost_author_has_said_is_known_as_long_as_it_may_come_back() {
    let mut own = crate::node::rig::config();
    own.history_max = 3;
    let mut history = History::new(&own);
    let first = message(1, 1, 1, "x");
    history.insert(first.clone());
    let mut timestamp = 1;
    let mut others_talk = |history: &mut History| {
        for _ in 0..2 * ORIGINS_IDLE_MAX {
            timestamp += 1;
            history.insert(message(timestamp, 1, timestamp, "x"));
        }
    };
    history.origin_mut(Key(1)).set_may_return(true);
    others_talk(&mut history);
    assert!(!history.contains(first.id()) && history.has_taken(first.id()));
    history.forget_lost(Some(Key(1)));
    others_talk(&mut history);
    assert!(!history.has_taken(first.id()));
}

#[test]
fn of_too_many_those_who_were_lost_last_are_kept() {
    let mut former = Former::default();
    let count = FORMER_MEMBERS_MAX as u64;
    let mut forgotten = Vec::new();
    for key in 1..=count + 2 {
        forgotten.extend(former.hear_of(Key(key), 1));
        forgotten.extend(former.lose(Key(3)));
    }
    assert_eq!(forgotten, [1, 2].map(Key));
    let kept = former.keys();
    assert_eq!(kept.len(), FORMER_MEMBERS_MAX);
    assert!(!kept.contains(&Key(1)) && kept.contains(&Key(3)) && kept.contains(&Key(count + 2)));
}
