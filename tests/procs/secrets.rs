//! Locked rooms as the command line has them: who is in, what the others are told, and secrets from files and
//! pipes.

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::harness::{
    PATIENCE, Room, Scratch, agree, one_line_that_names, scratch_dir, shared, write_secret,
};

/// A file with a secret in it.
fn secret(dir: &Scratch, text: &str) -> String {
    let path = dir.join(text);
    write_secret(&path, text);
    path.to_str().expect("ASCII").to_owned()
}

#[test]
fn who_holds_the_secret_talks_and_who_does_not_is_told_so() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let good = secret(&dir, "correct horse battery staple");
    let bad = secret(&dir, "incorrect horse battery staple");
    let ana = room.join_with("ana", &["--secret-file", &good]);
    ana.joined();
    let bia = room.join_with("bia", &["--secret-file", &good]);
    assert_eq!(bia.id(), 2);
    bia.say("between us");
    ana.heard("bia", 1);

    let wrong = room
        .papo("wrong", &["send", "--secret-file", &bad, "hello"])
        .start();
    assert_eq!(wrong.exit(), 0, "{}", wrong.stderr());
    assert!(
        wrong.stderr().contains("a different secret"),
        "{}",
        wrong.stderr()
    );
    assert!(
        wrong.stderr().contains("--secret-file"),
        "{}",
        wrong.stderr()
    );
    let without = room.papo("without", &["send", "hello"]).start();
    assert_eq!(without.exit(), 3, "{}", without.stderr());
    one_line_that_names(&without, "--secret-file");

    let history = agree(&[&ana, &bia], PATIENCE);
    assert_eq!(history.len(), 1);
}

#[test]
fn scan_finds_a_locked_room_but_not_its_name() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let good = secret(&dir, "correct horse battery staple");
    let ana = room.join_with("ana", &["--secret-file", &good]);
    ana.joined();
    let scan = room.papo("scan", &["scan"]).start();
    assert_eq!(scan.exit(), 0, "{}", scan.stderr());
    assert!(scan.stdout().contains("locked"), "{}", scan.stdout());
    assert!(!scan.stdout().contains(&room.name), "{}", scan.stdout());
}

#[test]
fn a_secret_that_cannot_be_read_or_is_too_short_ends_with_3_and_one_line() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let short = secret(&dir, "short");
    let nowhere = dir.join("nowhere/secret");
    let nowhere = nowhere.to_str().expect("a plain path");
    for path in [&short, nowhere] {
        let node = room.papo("ana", &["--secret-file", path]).start();
        assert_eq!(node.exit(), 3, "{}", node.stderr());
        one_line_that_names(&node, path);
    }
}

/// What an editor writes around a secret without being asked.
#[test]
fn a_mark_before_a_secret_and_the_end_of_its_line_do_not_count() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let plain = secret(&dir, "correct horse battery staple");
    let edited = dir.join("edited");
    let bytes = b"\xef\xbb\xbfcorrect horse battery staple\r\n";
    write_secret(&edited, bytes);
    let edited = edited.to_str().expect("ASCII");
    let ana = room.join_with("ana", &["--secret-file", &plain]);
    ana.joined();
    let bia = room.join_with("bia", &["--secret-file", edited]);
    assert_eq!(bia.id(), 2);
    let wide = dir.join("wide");
    let text = "correct horse battery staple".encode_utf16();
    let bytes: Vec<u8> = std::iter::once(0xfeff)
        .chain(text)
        .flat_map(u16::to_le_bytes)
        .collect();
    write_secret(&wide, bytes);
    let wide = wide.to_str().expect("ASCII");
    let node = room.papo("caio", &["--secret-file", wide]).start();
    assert_eq!(node.exit(), 3, "{}", node.stderr());
    one_line_that_names(&node, "UTF-16");
}

#[test]
fn a_secret_may_come_from_a_pipe_but_one_without_a_writer_is_not_waited_for() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let pipe = dir.join("pipe");
    let mode = Mode::RUSR | Mode::WUSR;
    mknodat(CWD, &pipe, FileType::Fifo, mode, 0).expect("a named pipe can be made");
    let path = pipe.to_str().expect("ASCII");
    let node = room.papo("ana", &["--secret-file", path]).start();
    assert_eq!(node.exit(), 3, "{}", node.stderr());
    one_line_that_names(&node, "nobody writes");
    // Whoever writes may take their time, as a person does who types a pass phrase.
    let script = "papo send --secret-file <(sleep 4; echo correct horse battery staple) hello";
    let node = room.bash("bia", script).start();
    assert_eq!(node.exit(), 0, "{}", node.stderr());
}

#[test]
fn a_file_that_is_no_secret_is_told_with_its_true_size() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let path = dir.join("film");
    write_secret(&path, vec![b'x'; 2 << 20]);
    let film = path.to_str().expect("ASCII");
    let node = room
        .papo("ana", &["send", "--secret-file", film, "x"])
        .start();
    assert_eq!(node.exit(), 3, "{}", node.stderr());
    one_line_that_names(&node, "it has 2097152 bytes");
    let short = secret(&dir, "x");
    let node = room
        .papo("ana", &["send", "--secret-file", &short, "x"])
        .start();
    assert_eq!(node.exit(), 3, "{}", node.stderr());
    one_line_that_names(&node, "has 1 byte:");
}

#[test]
fn without_memory_for_the_keys_papo_says_so_in_one_line() {
    let permit = shared();
    let room = Room::new(&permit);
    // A mebibyte and a half more than the keys take, which the program itself needs.
    let script = "ulimit -v 67000; PAPO_SECRET='correct horse' exec papo send hello";
    let node = room.bash("small", script).start();
    assert_eq!(node.exit(), 3, "{}", node.stderr());
    one_line_that_names(&node, "PAPO_SECRET: no memory");
}
