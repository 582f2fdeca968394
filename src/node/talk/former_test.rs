//! Who was lost, and what they owe.

use super::*;

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

#[test]
fn of_too_many_those_who_were_lost_last_are_kept() {
    let mut former = Former::default();
    let count = FORMER_MEMBERS_MAX as u64;
    for key in 1..=count + 2 {
        former.hear_of(Key(key), 1);
        former.lose(Key(3));
    }
    let kept = former.keys();
    assert_eq!(kept.len(), FORMER_MEMBERS_MAX);
    assert!(!kept.contains(&Key(1)) && kept.contains(&Key(3)) && kept.contains(&Key(count + 2)));
}
