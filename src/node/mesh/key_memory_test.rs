//! Keys that are remembered for a while.

use super::*;

#[test]
fn a_key_is_remembered_for_the_whole_of_its_time_and_no_longer() {
    let mut memory = KeyMemory::default();
    memory.insert(Key(1), Time(0));
    memory.insert(Key(2), Time(10));
    let age = Duration::from_micros(10);
    memory.forget_older(Time(10), age);
    assert!(memory.contains(Key(1)));
    memory.forget_older(Time(11), age);
    assert!(!memory.contains(Key(1)) && memory.contains(Key(2)));
    assert_eq!(memory.since(Key(2)), Some(Time(10)));
}

#[test]
fn the_newest_keys_are_remembered_however_many_come() {
    let mut memory = KeyMemory::default();
    let many = limits::GONE_MAX as u64 + 5;
    for key in 0..many {
        memory.insert(Key(key), Time(key));
    }
    assert!(!memory.contains(Key(4)) && memory.contains(Key(5)));
    assert!(memory.contains(Key(many - 1)));
}
