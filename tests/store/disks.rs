//! Disks that are full, read-only, or turn unwritable.

use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::process::{Resource, Rlimit, prlimit};

use super::{as_str, join_storing, stored_texts};
use crate::harness::{
    Node, PATIENCE, Room, Signal, eventually, inside, scratch_dir, shared, with_small_disk,
};

fn delivered(node: &Node) -> usize {
    node.look(|record| record.all("delivered").count())
}

fn warned(node: &Node, words: &str) {
    node.event(words, |e| e.is("warning") && e.text("text").contains(words));
}

/// Says a line, and waits until everybody has it.
fn said(nodes: &[&Node], by: &Node, text: &str) {
    let before = by.look(|record| record.heard_of(&by.name));
    by.say(text);
    for node in nodes {
        node.heard(&by.name, before + 1);
    }
}

/// The small disk of this node gets as much room as is needed.
fn grow(node: &Node, dir: &Path) {
    let pid = node.pid().as_raw_nonzero().to_string();
    let grown = Command::new("nsenter")
        .args(["-t", &pid, "-U", "-m", "--preserve-credentials"])
        .args(["mount", "-o", "remount,size=64m", as_str(&dir.join("full"))])
        .status();
    assert!(grown.is_ok_and(|status| status.success()), "the disk grows");
}

#[test]
fn a_full_disk_is_told_confirms_nothing_and_recovers() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    fs::create_dir(dir.join("full")).expect("it is ours");
    let script = "exec papo --nick small --json --commands --stay --store full/room.db";
    let Some(small) = with_small_disk(&room, &dir, script) else {
        return;
    };
    small.joined();
    let bia = room.join("bia");
    bia.joined();
    let both = [&small, &bia];
    said(&both, &bia, "there is room");
    eventually("it is confirmed", PATIENCE, || delivered(&bia) == 1);

    let inside = inside(&dir, &small);
    let filler = inside.join("filler");
    let full = fs::write(&filler, vec![0; 1024 * 1024]);
    assert!(full.is_err(), "the disk is small");
    // What is left of the log's last page may take a few.
    for n in 0..40 {
        said(&both, &bia, &format!("{n} {}", "x".repeat(15_000)));
    }
    warned(&small, "nothing can be stored");
    let confirmed = delivered(&bia);
    assert!(confirmed < 41, "{confirmed}");
    said(&both, &small, "the chat goes on");
    let warnings = small.look(|record| record.all("warning").count());
    assert_eq!(warnings, 1);
    assert_eq!(delivered(&small), 0);
    assert_eq!(
        (delivered(&bia), bia.look(|r| r.all("warning").count())),
        (confirmed, 0)
    );

    // Room for the rest.
    fs::remove_file(&filler).expect("it was just written");
    grow(&small, &dir);
    warned(&small, "stored again");
    eventually("all is confirmed", PATIENCE, || {
        delivered(&bia) == 41 && delivered(&small) == 1
    });
    let copy = dir.join("copy");
    fs::create_dir(&copy).expect("it is ours");
    small.say("/quit");
    let kept = inside.join("room.db");
    // The file goes with the disk, which goes with the process: copied while it is open.
    for part in ["", "-wal"] {
        let from = format!("{}{part}", kept.display());
        let _ = fs::copy(from, copy.join(format!("room.db{part}")));
    }
    assert_eq!(small.exit(), 0);
    assert_eq!(stored_texts(&copy.join("room.db")).len(), 42);
}

/// More is said than a node keeps in memory for a disk that takes nothing: the oldest of it is given up.
#[test]
fn what_a_full_disk_had_no_room_for_is_named_by_its_member_and_to_its_author() {
    const LINES: u64 = 2_500;
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    fs::create_dir(dir.join("full")).expect("it is ours");
    // The disk goes with the last process that sees it.
    let script = "papo --nick small --json --commands --stay --history 500 --store full/room.db; \
                  status=$?; papo history --store full/room.db > kept; exit $status";
    let Some(small) = with_small_disk(&room, &dir, script) else {
        return;
    };
    small.joined();
    let bia = room.join("bia");
    bia.joined();
    small.sees_members(2);
    let filler = inside(&dir, &small).join("filler");
    let full = fs::write(&filler, vec![0; 1024 * 1024]);
    assert!(full.is_err(), "the disk is small");
    let texts: Vec<String> = (1..=LINES)
        .map(|n| format!("{n} {}", "x".repeat(15_000)))
        .collect();
    fs::write(dir.join("lines"), texts.join("\n")).expect("the directory is ours");
    let lines = fs::File::open(dir.join("lines")).expect("it was just written");
    let args = ["send", "--wait-members", "2", "--timeout", "120"];
    let carla = room.papo("carla", &args).stdin(lines).start();
    small.heard("carla", LINES as usize);
    bia.heard("carla", LINES as usize);
    small.event("the word on what is given up", |e| e.is("missed"));

    fs::remove_file(&filler).expect("it was just written");
    grow(&small, &dir);
    warned(&small, "stored again");
    assert_eq!(carla.exit(), 1, "not all was confirmed");
    let spans = small.look(|record| {
        let missed = record.all("missed");
        let missed = missed.map(|e| (e.num("first"), e.num("last"), e.num("count")));
        missed.collect::<Vec<_>>()
    });
    let missed: u64 = spans.iter().map(|span| span.2).sum();
    let named: Vec<u64> = spans.iter().flat_map(|span| span.0..=span.1).collect();
    assert_eq!(named.len() as u64, missed);
    let told = format!("small#1 missed {} of the lines said", grouped(missed));
    assert!(carla.stderr().contains(&told), "{}", carla.stderr());
    warned(
        &small,
        &format!("{missed} messages that came meanwhile are not in the file"),
    );
    assert_eq!(bia.look(|record| record.all("missed").count()), 0);

    // What is said next is confirmed, and the file has all but what was named.
    said(&[&small, &bia], &bia, "there is room");
    eventually("it is confirmed", PATIENCE, || delivered(&bia) == 1);
    small.say("/quit");
    assert_eq!(small.exit(), 0);
    let kept = fs::read_to_string(dir.join("kept")).expect("it was printed");
    let text = |line: &str| line.split_once("> ").expect("it has a nick").1.to_owned();
    let kept: Vec<String> = kept
        .lines()
        .filter(|l| l.contains("<carla>"))
        .map(text)
        .collect();
    let is_named = |n: &u64| named.contains(n);
    let left = (1..=LINES).filter(|n| !is_named(n));
    let left: Vec<&String> = left.map(|n| &texts[n as usize - 1]).collect();
    assert!(kept.iter().eq(left), "{} are kept", kept.len());
}

/// A number as people read it.
fn grouped(n: u64) -> String {
    match n {
        0..1_000 => n.to_string(),
        _ => format!("{},{:03}", n / 1_000, n % 1_000),
    }
}

/// The index of words finds no room, either, each time that it is tried: that is for who looks into the log.
#[test]
fn a_full_disk_is_told_in_one_sentence_and_in_no_line_of_the_log() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    fs::create_dir(dir.join("full")).expect("it is ours");
    let script = "RUST_LOG=papo::driver::keeper=debug \
                  exec papo --nick small --json --commands --stay --store full/room.db";
    let Some(small) = with_small_disk(&room, &dir, script) else {
        return;
    };
    small.joined();
    said(&[&small], &small, "there is room");
    small.event("its confirmation", |e| e.is("delivered"));
    let filler = inside(&dir, &small).join("filler");
    let full = fs::write(&filler, vec![0; 1024 * 1024]);
    assert!(full.is_err(), "the disk is small");
    small.logs("the words of messages are not indexed: the disk is full", 1);
    warned(&small, "the disk is full; it is tried again");
    assert_eq!(small.look(|record| record.all("warning").count()), 1);
    let stderr = small.stderr();
    assert!(!stderr.contains(" WARN "), "{stderr}");
}

#[test]
fn a_full_disk_at_the_start_is_no_reason_not_to_chat() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    fs::create_dir(dir.join("full")).expect("it is ours");
    let script = "(head -c 1m /dev/zero > full/filler; \
                  exec papo --nick small --json --commands --stay --store full/room.db) 2>/dev/null";
    let Some(small) = with_small_disk(&room, &dir, script) else {
        return;
    };
    warned(&small, "nothing can be stored");
    small.joined();
    said(&[&small], &small, "only in memory");
    small.ask("/status", "status");
    assert_eq!(delivered(&small), 0);
    fs::remove_file(inside(&dir, &small).join("filler")).expect("it is there");
    warned(&small, "stored again");
    small.event("its confirmation", |e| e.is("delivered"));
}

#[test]
fn a_file_that_turns_unwritable_is_told_and_recovers() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = dir.join("room.db");
    // A limit on the size of files stands in for the disk.
    let script = format!(
        "trap - XFSZ; exec papo --nick ana --json --commands --stay --store {}",
        as_str(&file)
    );
    let ana = room.bash("ana", &script).events().start();
    ana.joined();
    let bia = room.join("bia");
    bia.joined();
    let both = [&ana, &bia];
    said(&both, &bia, "one");
    eventually("it is confirmed", PATIENCE, || delivered(&bia) == 1);

    let limit = |current| {
        let limit = Rlimit {
            current,
            maximum: None,
        };
        prlimit(Some(ana.pid()), Resource::Fsize, limit).expect("it is our child");
    };
    limit(Some(0));
    said(&both, &bia, "two");
    warned(
        &ana,
        "nothing can be stored: the limit on the size of files (ulimit -f) is reached: 0 KiB",
    );
    said(&both, &ana, "three");
    ana.ask("/status", "status");
    assert_eq!((delivered(&bia), delivered(&ana)), (1, 0));
    assert_eq!(stored_texts(&file), ["one"]);

    limit(None);
    warned(&ana, "stored again");
    eventually("all is confirmed", PATIENCE, || {
        delivered(&bia) == 2 && delivered(&ana) == 1
    });
    assert_eq!(stored_texts(&file), ["one", "two", "three"]);
    ana.say("/quit");
    assert_eq!(ana.exit(), 0);
}

#[test]
fn leaving_while_nothing_can_be_stored_is_no_success() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let script = format!(
        "trap - XFSZ; exec papo --nick ana --json --commands --stay --timeout 1 --store {}",
        as_str(&dir.join("room.db"))
    );
    let ana = room.bash("ana", &script).events().start();
    ana.joined();
    let limit = Rlimit {
        current: Some(0),
        maximum: None,
    };
    prlimit(Some(ana.pid()), Resource::Fsize, limit).expect("it is our child");
    said(&[&ana], &ana, "lost");
    ana.say("/quit");
    assert_eq!(ana.exit(), 1);
    let stderr = ana.stderr();
    assert!(stderr.contains("1 message is not stored"), "{stderr}");
}

#[test]
fn a_read_only_file_is_read_and_what_is_new_stays_in_memory() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = dir.join("room.db");
    let args = ["send", "--store", as_str(&file), "kept"];
    assert_eq!(room.papo("ana", &args).start().exit(), 0);
    fs::create_dir(dir.join("full")).expect("it is ours");
    // A file system that is read-only as a whole: file modes mean nothing to root.
    let script = "cp room.db full && mount -o remount,ro full && \
                  exec papo --nick small --json --commands --stay --replay all \
                  --store full/room.db";
    let Some(small) = with_small_disk(&room, &dir, script) else {
        return;
    };
    warned(&small, "nothing can be stored");
    assert_eq!(small.joined().num("history"), 1);
    let bia = room.join("bia");
    assert_eq!(bia.joined().num("history"), 1);
    said(&[&small, &bia], &bia, "new");
    bia.ask("/status", "status");
    assert_eq!(delivered(&bia), 0);
    let shown = small.event("the old message", |e| e.is("message"));
    assert_eq!((shown.text("text"), shown.flag("replay")), ("kept", true));
    drop(small);
    let ana = join_storing(&room, "ana", &file);
    ana.joined();
}

/// After a crash, and on a disk that nobody may write to, there is a log and no index of it.
#[test]
fn a_log_without_its_index_on_a_read_only_disk_is_read() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = dir.join("room.db");
    let ana = join_storing(&room, "ana", &file);
    ana.joined();
    said(&[&ana], &ana, "in the log");
    ana.event("its confirmation", |e| e.is("delivered"));
    ana.signal(Signal::KILL);
    ana.exit_within(PATIENCE);
    let log = fs::metadata(dir.join("room.db-wal")).expect("it is there");
    assert!(log.len() > 0);
    fs::create_dir(dir.join("full")).expect("it is ours");
    let script = "cp room.db room.db-wal full && mount -o remount,ro full && \
                  papo history --store full/room.db > out && \
                  exec papo --nick small --json --commands --stay --store full/room.db";
    let Some(small) = with_small_disk(&room, &dir, script) else {
        return;
    };
    assert_eq!(small.joined().num("history"), 1);
    let printed = fs::read_to_string(dir.join("out")).expect("it is there");
    assert!(printed.ends_with("<ana> in the log\n"), "{printed}");
    small.say("/quit");
    assert_eq!(small.exit(), 0);
}

#[test]
fn a_limit_on_the_size_of_files_is_as_a_full_disk() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let script = "ulimit -f 64; trap - XFSZ; \
                  exec papo --nick ana --json --commands --stay --timeout 1 --store room.db";
    let ana = room.bash("ana", script).events().dir(&dir).start();
    ana.joined();
    for n in 0..10 {
        said(&[&ana], &ana, &format!("{n} {}", "x".repeat(15_000)));
    }
    let limit = "the limit on the size of files (ulimit -f) is reached: 64 KiB; raise it";
    warned(&ana, &format!("nothing can be stored: {limit}"));
    let warnings = ana.look(|record| record.all("warning").count());
    assert_eq!(warnings, 1);
    ana.say("/quit");
    assert_eq!(ana.exit(), 1);
    let stderr = ana.stderr();
    let last = format!("messages are not stored: {limit}");
    assert!(stderr.contains(&last), "{stderr}");
}
