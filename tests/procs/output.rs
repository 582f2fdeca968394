//! What becomes of output that is read late, in part or never.

use std::fs::{self, File};
use std::io::{PipeReader, Read as _};

use crate::harness::{
    Node, PATIENCE, Room, Signal, let_pass, ms, one_line_that_names, scratch_dir, shared,
};

/// A flood from a process of its own, which leaves once everything is confirmed or after `timeout`.
fn flood(room: &Room<'_>, lines: usize, timeout: u32) -> Node {
    let script = format!(
        "seq -f %095.0f 1 {lines} | papo --json --nick seq --wait-members 1 --timeout {timeout}"
    );
    room.bash("seq", &script).events().start()
}

/// The highest number that a sender's events call confirmed by somebody.
fn confirmed(sender: &Node) -> u64 {
    sender.look(|r| {
        let delivered = r.all("delivered").filter(|e| e.num("confirmed") > 0);
        let seqs = delivered.map(|e| {
            let seq = e.text("id").split_once('-').expect("an id").1;
            seq.parse().expect("a number")
        });
        seqs.max().unwrap_or(0)
    })
}

/// The numbers of all whole lines of a flood.
fn numbers(printed: &[u8]) -> Vec<u64> {
    let text = std::str::from_utf8(printed).expect("the lines are ASCII");
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let number = |line: &str| {
        let number = line.strip_prefix("<seq> ").expect("a line of the flood");
        number.parse().expect("a number")
    };
    whole.lines().map(number).collect()
}

/// A listener, and its output, which nobody reads before the test does.
fn listener(room: &Room<'_>, args: &[&str]) -> (PipeReader, Node) {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let listener = room.papo("listener", args).stdout(writer).start();
    (reader, listener)
}

/// A listener that confirms what is printed, its output, which nobody reads before the test does, and the sender of a
/// flood of 10,000 lines, of which the first are confirmed.
fn partly_confirmed(room: &Room<'_>) -> (PipeReader, Node, Node) {
    let (reader, listener) = listener(room, &["listen", "--confirm", "printed"]);
    let sender = flood(room, 10_000, 30);
    sender.wait("a confirmation", PATIENCE, |r| {
        r.all("delivered").next().map(|_| ())
    });
    (reader, listener, sender)
}

fn read_all(mut reader: PipeReader) -> Vec<u8> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).expect("a pipe can be read");
    bytes
}

#[test]
fn a_file_gets_every_line_however_short_the_history() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let path = dir.join("lines");
    let file = File::create(&path).expect("the directory can be written");
    let listener = room
        .papo("listener", &["listen", "--history", "1000"])
        .stdout(file)
        .start();
    let sender = flood(&room, 50_000, 30);
    assert_eq!(sender.exit(), 0, "{}", sender.stderr());
    listener.signal(Signal::TERM);
    assert_eq!(listener.exit(), 0, "{}", listener.stderr());
    let printed = numbers(&fs::read(&path).expect("the file is there"));
    assert!(printed.iter().copied().eq(1..=50_000), "{}", printed.len());
}

#[test]
fn a_sender_with_a_short_history_has_all_its_events_for_a_slow_reader() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    let script = "seq 1 50000 | papo --json --nick seq --history 1000 --wait-members 1 | \
                  (sleep 1.5; cat); exit ${PIPESTATUS[1]}";
    let sender = room.bash("seq", script).start();
    assert_eq!(sender.exit(), 0, "{}", sender.stderr());
    let events = sender.stdout();
    let count = |name: &str| events.lines().filter(|line| line.starts_with(name)).count();
    assert_eq!(count("{\"event\":\"message\""), 50_000);
    assert_eq!(count("{\"event\":\"delivered\""), 50_000);
}

#[test]
fn lines_that_nobody_read_are_counted_at_the_end_and_make_it_1() {
    let permit = shared();
    let room = Room::new(&permit);
    let (reader, listener) = listener(&room, &["listen"]);
    let sender = flood(&room, 20_000, 30);
    assert_eq!(sender.exit(), 0, "{}", sender.stderr());
    listener.signal(Signal::TERM);
    assert_eq!(listener.exit(), 1, "{}", listener.stderr());
    let printed = numbers(&read_all(reader)).len();
    assert!(printed > 0);
    let words = format!(
        "papo: {} lines not printed: nobody read the output\n",
        20_000 - printed
    );
    assert_eq!(listener.stderr(), words);
}

#[test]
fn a_reader_that_takes_a_little_now_and_then_is_waited_for() {
    let permit = shared();
    let room = Room::new(&permit);
    let (mut reader, listener) = listener(&room, &["listen"]);
    let sender = flood(&room, 3_000, 30);
    assert_eq!(sender.exit(), 0, "{}", sender.stderr());
    listener.signal(Signal::TERM);
    // Six pages each time, of lines of 102 bytes: what waits in papo is never less than before.
    const PART: usize = 24 * 1024;
    let mut printed = vec![0; 4 * PART];
    // Longer in all than papo waits for one who takes nothing.
    for part in printed.chunks_mut(PART) {
        let_pass(ms(900));
        reader.read_exact(part).expect("there is more");
    }
    printed.extend(read_all(reader));
    assert_eq!(listener.exit(), 0, "{}", listener.stderr());
    assert_eq!(numbers(&printed).len(), 3_000);
}

#[test]
fn lines_that_found_no_room_on_the_disk_are_counted_in_the_one_line_that_says_so() {
    let permit = shared();
    let room = Room::new(&permit);
    let listener = room.papo("listener", &["listen"]);
    let listener = listener.stdout(full_disk()).start();
    let sender = flood(&room, 3, 30);
    assert_eq!(listener.exit(), 1, "{}", listener.stderr());
    sender.exit();
    let stderr = listener.stderr();
    let words = "papo: cannot write to stdout: No space left on device; ";
    let rest = stderr.strip_prefix(words).unwrap_or_default();
    let todo = " not printed; make room for it, or send it elsewhere\n";
    let count = rest.strip_suffix(todo).and_then(|c| c.split_once(" line"));
    let count = count.and_then(|(count, _)| count.parse::<u64>().ok());
    assert!(count.is_some_and(|n| (1..=3).contains(&n)), "{stderr}");
}

/// 1 would say that nothing was found.
#[test]
fn a_history_that_found_no_room_on_the_disk_ends_with_3() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let args = ["send", "--store", "room.db", "kept"];
    assert_eq!(room.papo("ana", &args).dir(&dir).start().exit(), 0);
    let history = room.raw(&["history", "--store", "room.db"]);
    let history = history.dir(&dir).stdout(full_disk()).start();
    assert_eq!(history.exit(), 3, "{}", history.stderr());
    one_line_that_names(
        &history,
        "cannot write to stdout: No space left on device\n",
    );
}

/// What takes nothing, as a full disk does.
fn full_disk() -> File {
    let full = File::options().write(true).open("/dev/full");
    full.expect("Linux has it")
}

#[test]
fn a_reader_that_went_away_is_no_reason_for_words() {
    let permit = shared();
    let room = Room::new(&permit);
    let (reader, listener) = listener(&room, &["listen"]);
    let sender = flood(&room, 10_000, 30);
    assert_eq!(sender.exit(), 0, "{}", sender.stderr());
    drop(reader);
    assert_eq!(listener.exit(), 0, "{}", listener.stderr());
    assert_eq!(listener.stderr(), "");
}

/// What is written to the pipe is confirmed, and no more than that; the rest once it is read.
#[test]
fn with_confirm_printed_lines_are_confirmed_once_they_are_read() {
    let permit = shared();
    let room = Room::new(&permit);
    let (reader, listener, sender) = partly_confirmed(&room);
    let_pass(ms(1_000));
    let early = confirmed(&sender);
    assert!((1..5_000).contains(&early), "{early} confirmed");
    sender.look(|r| assert!(r.exit.is_none(), "it left already"));
    let printed = std::thread::spawn(move || numbers(&read_all(reader)));
    assert_eq!(sender.exit(), 0, "{}", sender.stderr());
    assert_eq!(confirmed(&sender), 10_000);
    listener.signal(Signal::TERM);
    assert_eq!(listener.exit(), 0, "{}", listener.stderr());
    let printed = printed.join().expect("reading does not panic");
    assert_eq!(printed.len(), 10_000);
}

#[test]
fn what_the_only_reader_missed_is_told_once() {
    let permit = shared();
    let room = Room::new(&permit);
    let (reader, listener, sender) = partly_confirmed(&room);
    drop(reader);
    listener.exit();
    assert_eq!(sender.exit(), 1, "{}", sender.stderr());
    let stderr = sender.stderr();
    let counts = stderr
        .lines()
        .filter(|l| l.contains("lines said") || l.contains("not confirmed"));
    assert_eq!(counts.count(), 1, "{stderr}");
    // Either of the two may have got the lower id.
    let names_it = |l: &str| l.starts_with("papo: listener#") && l.contains(" missed ");
    assert!(stderr.lines().any(names_it), "{stderr}");
}

#[test]
fn with_confirm_printed_nothing_is_confirmed_that_nobody_read() {
    let permit = shared();
    let room = Room::new(&permit);
    let (reader, listener) = listener(&room, &["listen", "--confirm", "printed"]);
    let sender = flood(&room, 10_000, 2);
    assert_eq!(sender.exit(), 1, "{}", sender.stderr());
    assert!(sender.stderr().contains("listener"), "{}", sender.stderr());
    listener.signal(Signal::TERM);
    assert_eq!(listener.exit(), 1);
    let printed = numbers(&read_all(reader)).len() as u64;
    let confirmed = confirmed(&sender);
    assert!(
        confirmed > 0 && confirmed <= printed,
        "{confirmed} confirmed, {printed} printed"
    );
}
