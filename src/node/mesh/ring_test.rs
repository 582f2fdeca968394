use super::*;
use crate::wire::Address;

fn members(count: u64) -> Vec<Member> {
    let member = |id| Member {
        id,
        key: Key(100 + id),
        nick: format!("n{id}"),
        addresses: Vec::<Address>::new(),
    };
    (1..=count).map(member).collect()
}

fn near(count: u64, of: u64) -> Option<Vec<u64>> {
    let near = neighbours(&members(count), Key(100 + of))?;
    Some(near.into_iter().map(|key| key.0 - 100).collect())
}

#[test]
fn everybody_watches_the_next_on_each_side_of_the_circle() {
    assert_eq!(near(6, 3), Some(vec![2, 4]));
    assert_eq!(near(6, 1), Some(vec![2, 6]), "the circle is closed");
    assert_eq!(near(6, 6), Some(vec![1, 5]));
}

#[test]
fn in_a_small_room_everybody_is_a_neighbour() {
    assert_eq!(near(3, 2), None);
    assert_eq!(near(4, 2), Some(vec![1, 3]));
}

#[test]
fn who_is_no_member_has_no_neighbours_and_watches_all() {
    assert_eq!(near(6, 9), None);
}
