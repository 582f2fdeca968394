//! Files that are moved or deleted while they are open.

use super::*;

#[test]
fn a_file_that_is_moved_is_noticed_made_whole_and_replaced() {
    let scratch = Scratch::new();
    let (path, away) = (scratch.file(), scratch.0.join("away.db"));
    let mut store = open(&path).unwrap();
    commit(&mut store, &[message(1, 1, 10, "one")]);
    store.look().unwrap();
    fs::rename(&path, &away).unwrap();
    commit(&mut store, &[message(1, 2, 20, "two")]);
    assert!(matches!(store.look(), Err(StoreError::Moved)));
    store.part().unwrap();
    let mut next = store.open_in_place(&owner(), 2_000).unwrap();
    assert_ne!(store.identity(), next.identity());
    commit(&mut next, &[message(1, 3, 30, "three")]);
    next.look().unwrap();
    // Both can be read, and the end of the old one does the new one nothing.
    assert_eq!(texts(&store, &Search::default()), ["one", "two"]);
    assert!(matches!(open(&path), Err(StoreError::InUse)));
    drop(store);
    next.look().unwrap();
    assert!(matches!(open(&path), Err(StoreError::InUse)));
    assert_eq!(texts(&next, &Search::default()), ["three"]);
    drop(next);
    let old = open(&away).unwrap();
    assert_eq!(texts(&old, &Search::default()), ["one", "two"]);
}

#[test]
fn a_log_and_a_lock_that_are_deleted_are_noticed() {
    let scratch = Scratch::new();
    let path = scratch.file();
    for part in ["-wal", "-shm"] {
        let mut store = open(&path).unwrap();
        commit(&mut store, &[message(1, 1, 10, "one")]);
        fs::remove_file(beside(&path, part)).unwrap();
        assert!(matches!(store.look(), Err(StoreError::LogMoved)));
        store.settle().unwrap();
        drop(store);
        let store = open(&path).unwrap();
        assert_eq!(texts(&store, &Search::default()), ["one"]);
    }
    let mut store = open(&path).unwrap();
    fs::remove_file(beside(&path, ".lock")).unwrap();
    store.look().unwrap();
    assert!(matches!(open(&path), Err(StoreError::InUse)));
    fs::remove_file(beside(&path, ".lock")).unwrap();
    // Whoever is faster with the name has not the file.
    assert!(matches!(Lock::take(&path), Err(StoreError::InUse)));
    store.look().unwrap();
}

#[test]
fn a_file_that_is_emptied_is_noticed_and_given_up() {
    let scratch = Scratch::new();
    let path = scratch.file();
    for left in [0, 100] {
        let mut store = open(&path).unwrap();
        commit(&mut store, &[message(1, 1, 10, "one")]);
        store.look().unwrap();
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(left).unwrap();
        commit(&mut store, &[message(1, 2, 20, "two")]);
        assert!(matches!(store.look(), Err(StoreError::Emptied)));
        store.abandon().unwrap();
        assert!(!beside(&path, "-wal").exists());
        if left > 0 {
            assert!(open(&path).is_err());
            continue;
        }
        let store = open(&path).unwrap();
        assert!(texts(&store, &Search::default()).is_empty());
    }
}

#[test]
fn a_link_to_a_file_is_followed_and_its_new_aim_noticed() {
    let scratch = Scratch::new();
    let (path, link) = (scratch.file(), scratch.0.join("link.db"));
    drop(open(&path).unwrap());
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let mut store = open(&link).unwrap();
    commit(&mut store, &[message(1, 1, 10, "one")]);
    store.look().unwrap();
    fs::remove_file(&link).unwrap();
    assert!(matches!(store.look(), Err(StoreError::Moved)));
}
