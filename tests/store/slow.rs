//! Disks that take 2.5 s for each sync: nobody waits for them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rustix::process::Pid;

use super::{as_str, join_storing, stored_texts};
use crate::harness::scratch_dir;
use crate::harness::{Node, PATIENCE, Room, Scratch, Signal, alone, eventually, let_pass, ms};

/// While the file that SLOW_WHEN names is there, the disk takes 2.5 s for each sync.
const SLOW: &str = r#"
#define _GNU_SOURCE
#include <unistd.h>
#include <stdlib.h>
#include <time.h>
#include <sys/syscall.h>
static void nap(void) {
    const char *on = getenv("SLOW_WHEN");
    struct timespec time = {2, 500000000};
    if (on && !access(on, F_OK)) nanosleep(&time, 0);
}
int fsync(int fd) { nap(); return syscall(SYS_fsync, fd); }
int fdatasync(int fd) { nap(); return syscall(SYS_fdatasync, fd); }
"#;
/// Lines of the file that is large.
const LINES: u64 = 500_000;

/// A directory with a disk whose syncs can be made slow.
struct SlowDisk {
    dir: Scratch,
    shim: PathBuf,
}

impl SlowDisk {
    /// None if there is no compiler here.
    fn new() -> Option<SlowDisk> {
        let dir = scratch_dir();
        let (source, shim) = (dir.join("slow.c"), dir.join("slow.so"));
        fs::write(&source, SLOW).expect("the directory is ours");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&shim, &source]);
        if !cc.status().is_ok_and(|status| status.success()) {
            let needed = std::env::var_os("PAPO_TEST_NO_SKIP").is_some();
            assert!(!needed, "no C compiler here (cc)");
            println!("skipped: no C compiler here (cc)");
            return None;
        }
        Some(SlowDisk { dir, shim })
    }

    fn file(&self) -> PathBuf {
        self.dir.join("room.db")
    }

    fn be_slow(&self, slow: bool) {
        let switch = self.dir.join("on");
        match slow {
            true => fs::write(switch, "").expect("the directory is ours"),
            false => fs::remove_file(switch).expect("it was just written"),
        }
    }

    /// A node whose store is on it.
    fn join(&self, room: &Room, nick: &str) -> Node {
        let script = format!(
            "LD_PRELOAD={} SLOW_WHEN={} exec papo --nick {nick} --json --commands --stay --store {}",
            as_str(&self.shim),
            as_str(&self.dir.join("on")),
            as_str(&self.file()),
        );
        room.bash(nick, &script).events().start()
    }
}

/// Makes it a file of so many lines, none of whose words are in the index.
fn fill(room: &Room, file: &Path, lines: u64) {
    let args = ["send", "--store", as_str(file), "the first"];
    assert_eq!(room.papo("eva", &args).start().exit(), 0);
    let database = Connection::open(file).expect("it is a database");
    let sql = format!(
        "PRAGMA synchronous = OFF;
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {lines})
         INSERT INTO messages (position, author, seq, nick, from_id, sent_at, text, dependencies)
         SELECT unhex(printf('%016x%016x%016x', (1600000000000 + n) << 16, 77, n)),
                printf('%016x', 77), n, 'eva', 1, 1600000000000 + n,
                'line ' || n || ' of a chat of some length, as people write it', x'' FROM n;"
    );
    database
        .execute_batch(&sql)
        .expect("the schema is documented");
}

/// Asks it so many times how it is, and how long each answer took.
fn ask(node: &Node, times: usize) -> Vec<Duration> {
    let mut took = Vec::new();
    for _ in 0..times {
        let before = Instant::now();
        let answers = node.look(|record| record.all("status").count());
        node.say("/status");
        node.wait("an answer", PATIENCE, |record| {
            (record.all("status").count() > answers).then_some(())
        });
        took.push(before.elapsed());
        let_pass(ms(50));
    }
    took
}

/// All answers came within 100 ms, but for what a machine with other work may do now and then.
#[track_caller]
fn were_quick(what: &str, mut took: Vec<Duration>) {
    took.sort();
    let (typical, worst) = (took[took.len() * 9 / 10], took[took.len() - 1]);
    println!("{what}: nine of ten answers within {typical:?}, all within {worst:?}");
    assert!(
        typical < ms(100) && worst < ms(600),
        "{what}: {typical:?}, {worst:?}"
    );
}

/// What a node said of who is in the room and who coordinates, after so many events.
fn changes(node: &Node, mark: usize) -> Vec<String> {
    let kinds = ["member_left", "election", "coordinator"];
    node.look(|record| {
        let new = record.events[mark..].iter();
        let changes = new.filter(|e| kinds.iter().any(|kind| e.is(kind)));
        changes.map(|e| format!("{e:?}")).collect()
    })
}

/// The processes that a process has started and not yet waited for.
fn children(node: &Node) -> Vec<u32> {
    let pid = node.pid().as_raw_nonzero();
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let list = list.unwrap_or_default();
    list.split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect()
}

/// Those of them that have become helpers: until then, the process that started them stands still with them.
fn helpers(node: &Node) -> Vec<u32> {
    let is_helper = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let mut words = line.split(|byte| *byte == 0);
        words.any(|word| word == papo::store::HELPER.as_bytes())
    };
    children(node).into_iter().filter(is_helper).collect()
}

#[test]
fn a_slow_disk_under_the_coordinator_holds_up_nobody() {
    let permit = alone();
    let room = Room::new(&permit);
    let Some(disk) = SlowDisk::new() else {
        return;
    };
    disk.be_slow(true);
    let ana = disk.join(&room, "ana");
    ana.joined();
    let (bia, caio) = (room.join("bia"), room.join("caio"));
    let all = [&ana, &bia, &caio];
    for node in all {
        node.sees_members(3);
    }
    let marks = all.map(Node::mark);
    let mut took = Vec::new();
    // Longer than two checkpoints.
    let lines = 48;
    for n in 0..lines {
        bia.say(&format!("line {n}"));
        took.extend(ask(&ana, 1));
        let_pass(ms(200));
        // What is confirmed waits for no disk either.
        bia.wait("a confirmation", ms(1_000), |record| {
            (record.all("delivered").count() > n).then_some(())
        });
    }
    were_quick("chat", took);
    let seen: Vec<_> = (all.iter().zip(marks))
        .flat_map(|(n, mark)| changes(n, mark))
        .collect();
    assert_eq!(seen, Vec::<String>::new());
    assert_eq!(ana.look(|record| record.all("warning").count()), 0);

    // Nor does the end wait: what the file has not is beside it, and is taken up.
    let before = Instant::now();
    ana.say("/quit");
    assert_eq!(ana.exit(), 0);
    assert!(before.elapsed() < ms(2_000), "{:?}", before.elapsed());
    disk.be_slow(false);
    let expected: Vec<_> = (0..lines).map(|n| format!("line {n}")).collect();
    assert_eq!(stored_texts(&disk.file()), expected);
    let ana = join_storing(&room, "ana", &disk.file());
    assert_eq!(ana.joined().num("history"), lines as u64);
}

#[test]
fn a_large_file_on_a_slow_disk_is_taken_up_while_commands_are_answered() {
    let permit = alone();
    let room = Room::new(&permit);
    let Some(disk) = SlowDisk::new() else {
        return;
    };
    fill(&room, &disk.file(), LINES);
    disk.be_slow(true);
    let ana = disk.join(&room, "ana");
    ana.event("its first word", |e| e.is("listening"));
    let mut took = Vec::new();
    let has_joined = || ana.look(|record| record.all("joined").next().is_some());
    let deadline = Instant::now() + PATIENCE;
    while !has_joined() && Instant::now() < deadline {
        took.extend(ask(&ana, 1));
    }
    assert!(ana.joined().num("history") > LINES);
    were_quick("the start", took);
    // The index is brought up to date, and the log into the file.
    ana.say("and one more");
    were_quick("the first seconds", ask(&ana, 160));
    let bia = room.join_with("bia", &["--history", "1000000"]);
    bia.joined();
    assert_eq!(bia.ask("/status", "status").num("history"), LINES + 2);
    let database = Connection::open(disk.file()).expect("it is a database");
    let indexed = || {
        let row = database.query_row("SELECT indexed FROM room", [], |row| row.get::<_, i64>(0));
        row.is_ok_and(|n| n > 1_000)
    };
    eventually("words are in the index", PATIENCE, indexed);
}

/// Open descriptors of a process, as what they lead to.
fn descriptors(pid: u32) -> Vec<String> {
    let all = fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten();
    let aims = all.filter_map(|fd| fs::read_link(fd.ok()?.path()).ok());
    aims.map(|aim| aim.display().to_string()).collect()
}

#[test]
fn who_waits_for_the_disk_is_alone_has_no_socket_and_ends_with_its_node() {
    let permit = alone();
    let room = Room::new(&permit);
    let Some(disk) = SlowDisk::new() else {
        return;
    };
    let ana = disk.join(&room, "ana");
    ana.joined();
    // Whatever helped at the start has ended, and was waited for.
    eventually("there is nobody else", PATIENCE, || {
        children(&ana).is_empty()
    });
    disk.be_slow(true);
    let bia = room.join("bia");
    bia.joined();
    for n in 0..20 {
        bia.say(&format!("line {n}"));
    }
    eventually("somebody waits for the disk", PATIENCE, || {
        !children(&ana).is_empty()
    });
    let helpers = children(&ana);
    let [helper] = helpers[..] else {
        panic!("{helpers:?}");
    };
    // What it has is what it was given as soon as its own program is loaded: until then it has all that its node has.
    let command = || fs::read(format!("/proc/{helper}/cmdline")).unwrap_or_default();
    eventually("its own program is loaded", PATIENCE, || {
        let words = command();
        (words.split(|byte| *byte == 0)).any(|word| word == papo::store::HELPER.as_bytes())
    });
    eventually("it has the file open", PATIENCE, || {
        let all = descriptors(helper);
        all.iter().any(|aim| aim.ends_with("room.db"))
    });
    let wrong = |aim: &String| {
        ["socket:", "/dev/pts", "anon_inode"]
            .iter()
            .any(|w| aim.contains(w))
    };
    let taken: Vec<_> = descriptors(helper).into_iter().filter(wrong).collect();
    assert_eq!(taken, Vec::<String>::new());
    bia.wait("confirmations", PATIENCE, |record| {
        (record.all("delivered").count() == 20).then_some(())
    });
    ana.signal(Signal::KILL);
    ana.exit_within(PATIENCE);
    let is_there = || Path::new(&format!("/proc/{helper}/fd/0")).exists();
    eventually("it ends, too", ms(1_000), || !is_there());
    disk.be_slow(false);
    assert_eq!(stored_texts(&disk.file()).len(), 20);
}

/// Whoever wants to leave may, however much is to be said once the file is taken up.
#[test]
fn much_that_waits_for_a_file_that_is_never_taken_up_is_no_reason_to_stay() {
    let permit = alone();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = dir.join("room.db");
    fill(&room, &file, 200_000);
    for (stays, end) in [(None, None), (Some("--stay"), Some(Signal::TERM))] {
        let mut options = vec!["--timeout", "1", "--store", as_str(&file)];
        options.extend(stays);
        let mut ana = room.papo("ana", &options).start();
        eventually("it is being read", PATIENCE, || !helpers(&ana).is_empty());
        let helpers = helpers(&ana).into_iter();
        for helper in helpers.filter_map(|pid| Pid::from_raw(pid.cast_signed())) {
            rustix::process::kill_process(helper, Signal::STOP).expect("it is there");
        }
        ana.write("a line\n".repeat(1_000).as_bytes());
        let before = Instant::now();
        match end {
            None => ana.close_input(),
            Some(signal) => {
                // By then it has taken as much as it wants to.
                let_pass(ms(300));
                ana.signal(signal);
            }
        }
        let (ended, status) = ana.exit_within(PATIENCE);
        let took = ended - before;
        assert!(took < ms(4_000), "{end:?}: {took:?}");
        assert_eq!(status.code(), Some(1), "{end:?}: {}", ana.stderr());
    }
}
