//! Real nodes that write down what they do, and what `papo trace` makes of it.

use std::fs;
use std::path::PathBuf;

use crate::harness::{PATIENCE, Room, Signal, ms, one_line_that_names, scratch_dir, shared};

fn lines(path: &PathBuf) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(path).expect("a trace");
    assert!(text.ends_with('\n'), "only whole lines");
    let line = |l| serde_json::from_str(l).expect("JSON in each line");
    text.lines().map(line).collect()
}

#[test]
fn a_failover_of_real_nodes_is_told_by_their_traces() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = |nick: &str| dir.join(format!("{nick}.trace"));
    let mut nodes = Vec::new();
    for nick in ["ana", "bia", "caio"] {
        let path = file(nick);
        let path = path.to_str().expect("a path");
        let node = room.join_with(nick, &["--trace", path]);
        node.joined();
        nodes.push(node);
    }
    // One that runs already can be told to.
    let dora = room.join("dora");
    dora.joined();
    let late = file("dora");
    dora.say(&format!("/trace {}", late.display()));
    nodes.iter().for_each(|node| node.sees_members(4));
    nodes[1].say("before");
    dora.heard("bia", 1);
    // What is not written yet dies with its process.
    let knows_all = || {
        lines(&file("ana"))
            .iter()
            .any(|l| l["e"] == "view" && l["size"] == 4)
    };
    let begin = std::time::Instant::now();
    while !knows_all() && begin.elapsed() < PATIENCE {
        nodes[0].wait_for_anything(ms(5));
    }
    nodes[0].signal(Signal::KILL);
    for node in nodes[1..].iter().chain([&dora]) {
        node.event("a new coordinator", |e| {
            e.is("coordinator") && e.num("id") == 4
        });
    }
    nodes[2].say("after");
    dora.heard("caio", 1);
    dora.say("/trace off");
    dora.say("done");
    nodes[1].heard("dora", 1);
    let paths: Vec<PathBuf> = ["ana", "bia", "caio", "dora"].map(&file).into();
    assert!(
        lines(&paths[0])
            .iter()
            .any(|l| l["e"] == "view" && l["size"] == 4)
    );
    assert!(
        !fs::read_to_string(&paths[1])
            .expect("a trace")
            .contains("before"),
        "no text unless it is asked for"
    );
    let mut args = vec!["trace"];
    args.extend(paths.iter().map(|p| p.to_str().expect("a path")));
    let told = room.raw(&args).start();
    assert_eq!(told.exit(), 0);
    let said = told.stdout();
    assert!(said.contains("4 nodes"), "{said}");
    assert!(said.contains("dora#4, who announced itself to 2"), "{said}");
    assert!(said.contains("ana#1 is gone"), "{said}");
    assert!(
        !said.contains("BROKEN") && !said.contains("note:"),
        "{said}"
    );
}

#[test]
fn a_trace_keeps_the_newest_and_only_whole_lines() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let path = dir.join("ana.trace");
    let name = path.to_str().expect("a path");
    let ana = room.join_with(
        "ana",
        &["--trace", name, "--trace-max", "1M", "--trace-text"],
    );
    ana.joined();
    let bia = room.join("bia");
    bia.joined();
    ana.sees_members(2);
    let text = "y".repeat(1_000);
    for n in 0..1_500 {
        ana.say(&format!("{n} {text}"));
    }
    bia.heard("ana", 1_500);
    ana.say("/quit");
    assert_eq!(ana.exit(), 0);
    let parts = [1, 2, 3].map(|n| dir.join(format!("ana.trace.{n}")));
    let total: u64 = parts
        .iter()
        .chain([&path])
        .map(|p| fs::metadata(p).map_or(0, |m| m.len()))
        .sum();
    assert!(
        (700 << 10..=1 << 20).contains(&total),
        "{total} bytes are kept"
    );
    assert!(!dir.join("ana.trace.4").exists());
    for part in parts.iter().chain([&path]).filter(|p| p.exists()) {
        assert_eq!(
            lines(part)[0]["e"],
            "node",
            "each file says how the node stands"
        );
    }
    assert!(lines(&path).iter().any(|l| l["e"] == "left"));
}

#[test]
fn a_signal_begins_a_trace_and_ends_it() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let ana = room.papo("ana", &["--json", "--commands", "--stay"]);
    let ana = ana.events().dir(&dir).start();
    ana.joined();
    let path = dir.join(format!("papo-{}.trace", ana.pid().as_raw_nonzero()));
    for line in 1..=2 {
        ana.signal(Signal::USR2);
        ana.say(&format!("line {line}"));
        ana.heard("ana", line);
        // The answer to a command comes after the turn in which the signal came.
        ana.ask("/status", "status");
    }
    ana.say("/quit");
    assert_eq!(ana.exit(), 0);
    let told = lines(&path);
    assert_eq!(told[0]["e"], "node");
    assert_eq!(told[0]["late"], true);
    assert!(told.iter().all(|l| l["e"] != "left"), "it had ended before");
}

#[test]
fn a_trace_goes_into_no_file_that_is_something_else() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let letter = dir.join("letter.txt");
    fs::write(&letter, "Dear Ana").expect("a disk with room");
    for (path, why) in [
        (letter.to_str().expect("a path"), "is no trace"),
        ("/dev/null", "no plain file"),
        ("/nowhere/at/all", "cannot be written"),
    ] {
        let node = room.papo("ana", &["--trace", path]).start();
        assert_eq!(node.exit(), 3, "{path}");
        one_line_that_names(&node, "--trace");
        let said = node.stderr();
        assert!(said.contains(why), "{said}");
    }
    assert_eq!(fs::read_to_string(&letter).expect("a letter"), "Dear Ana");
}
