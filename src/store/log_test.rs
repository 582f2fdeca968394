//! The log: who may begin it anew, and when.

use super::*;

#[test]
fn a_log_that_is_held_is_not_begun_anew() {
    let dir = Scratch::new();
    let path = dir.file();
    let mut store = open(&path).unwrap();
    commit(&mut store, &[message(1, 1, 1, "one")]);
    let file = store.files.file;
    let helper = Store::open_for_tending(&path, file).unwrap();
    store.hold_log().unwrap();
    commit(&mut store, &[message(1, 2, 2, "two")]);
    let before = store.log_length().unwrap();
    helper.checkpoint().unwrap();
    let after = store.log_length().unwrap();
    assert_eq!(after.pages, before.pages);
    assert!((1..before.waiting).contains(&after.waiting), "{after:?}");
    // Everything that was there when it was held is in the file, and yet what comes is added.
    store.hold_log().unwrap();
    helper.checkpoint().unwrap();
    assert_eq!(store.log_length().unwrap().waiting, 0);
    commit(&mut store, &[message(1, 3, 3, "three")]);
    assert!(store.log_length().unwrap().pages > before.pages);
    assert!(!store.empty_log().unwrap());
    // Whoever reads the log keeps it, and nobody waits.
    store.hold_log().unwrap();
    helper.checkpoint().unwrap();
    let reader = Connection::open(&path).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let count = "SELECT count(*) FROM messages";
    reader.query_row(count, [], |_| Ok(())).unwrap();
    commit(&mut store, &[message(1, 4, 4, "four")]);
    drop((reader, helper));
    assert_eq!(texts(&store, &Search::default()).len(), 4);
    close(store);
    assert!(!beside(&path, "-wal").exists());
    let store = open(&path).unwrap();
    assert_eq!(store.held(9).unwrap().newest.len(), 4);
}

#[test]
fn a_log_that_is_left_is_taken_up() {
    let dir = Scratch::new();
    let path = dir.file();
    let mut store = open(&path).unwrap();
    commit(&mut store, &[message(1, 1, 1, "one")]);
    store.close();
    assert!(super::opening::size(&beside(&path, "-wal")) > 0);
    let store = open(&path).unwrap();
    assert_eq!(texts(&store, &Search::default()), ["one"]);
}
