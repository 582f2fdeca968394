//! Real nodes that write down what they do, and what `papo trace` makes of it.

use std::fs;
use std::path::PathBuf;

use crate::harness::{
    PATIENCE, Room, Signal, alone, inside, ms, one_line_that_names, scratch_dir, shared,
    with_small_disk,
};

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
    // All the rest may be over before its input is read.
    let begin = std::time::Instant::now();
    while !late.exists() && begin.elapsed() < PATIENCE {
        dora.wait_for_anything(ms(5));
    }
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
    nodes[2].heard("dora", 1);
    // Lines are written a moment after what they tell.
    let first = |key: &str| format!("[\"{key}\",1,");
    let (done, after) = (first(&dora.key()), first(&nodes[2].key()));
    let has = |nick: &str, id: &str| fs::read_to_string(file(nick)).is_ok_and(|t| t.contains(id));
    let begin = std::time::Instant::now();
    while !(has("bia", &done) && has("caio", &done) && has("dora", &after))
        && begin.elapsed() < PATIENCE
    {
        dora.wait_for_anything(ms(5));
    }
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

/// The trace ends with a warning, with whole lines, and with nothing else: the node goes on.
#[test]
fn a_full_disk_ends_the_trace_and_not_the_node() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    fs::create_dir(dir.join("full")).expect("it is ours");
    let script =
        "exec papo --nick small --json --commands --stay --trace full/small.trace --trace-text";
    let Some(small) = with_small_disk(&room, &dir, script) else {
        return;
    };
    small.joined();
    let bia = room.join("bia");
    bia.joined();
    let text = "y".repeat(1_000);
    for n in 0..600 {
        bia.say(&format!("{n} {text}"));
    }
    small.event("a warning", |e| {
        e.is("warning")
            && e.text("text")
                .contains("small.trace: the trace ends: No space left")
    });
    small.heard("bia", 600);
    small.say("I am still here");
    bia.heard("small", 1);
    // Nothing writes it any more: there is room for another one once some is made.
    let full = inside(&dir, &small);
    let kept: Vec<PathBuf> = ["small.trace", "small.trace.1", "small.trace.2"]
        .map(|name| full.join(name))
        .into();
    let kept: Vec<&PathBuf> = kept.iter().filter(|path| path.exists()).collect();
    assert!(kept.iter().map(|path| lines(path).len()).sum::<usize>() > 10);
    for path in kept {
        fs::remove_file(path).expect("it was there");
    }
    small.say("/trace full/again.trace");
    small.say("and now?");
    bia.heard("small", 2);
    small.say("/trace off");
    small.ask("/status", "status");
    let again = lines(&full.join("again.trace"));
    assert_eq!(again[0]["late"], true);
    assert!(again.iter().any(|l| l["e"] == "confirmed"), "{again:?}");
}

/// The program itself draws what fifty real nodes did in ten failovers, in under 3 s and in under 256 MiB.
#[test]
#[ignore = "fifty processes for a minute: cargo test --release --test procs fifty_real -- --ignored --nocapture"]
fn fifty_real_nodes_and_ten_failovers_are_drawn_in_a_moment() {
    let permit = alone();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let files: Vec<String> = (0..50)
        .map(|n| dir.join(format!("n{n}.trace")).display().to_string())
        .collect();
    let nodes: Vec<_> = (files.iter().enumerate())
        .map(|(n, file)| {
            let node = room.join_with(&format!("n{n}"), &["--trace", file]);
            node.joined();
            node
        })
        .collect();
    nodes.iter().for_each(|node| node.sees_members(50));
    // The founder, and then those with the highest ids.
    for (dies, next) in std::iter::once(0)
        .chain((41..50).rev())
        .zip((41..=50).rev())
    {
        nodes[dies].signal(Signal::KILL);
        nodes[20].event("a new coordinator", |e| {
            e.is("coordinator") && e.num("id") == next
        });
        nodes[20].say("hello");
        nodes[10].heard("n20", usize::try_from(51 - next).expect("a small number"));
    }
    for node in &nodes {
        node.signal(Signal::TERM);
    }
    let page = dir.join("page.html");
    let script = "ulimit -d 262144 && exec \"$0\" trace --html \"$@\"";
    let begin = std::time::Instant::now();
    let drawn = std::process::Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_papo")])
        .arg(&page)
        .args(&files)
        .output();
    let (drawn, took) = (drawn.expect("papo runs"), begin.elapsed());
    assert!(drawn.status.success(), "{drawn:?}");
    let lines: usize = files.iter().map(|f| lines(&PathBuf::from(f)).len()).sum();
    println!("{lines} lines are drawn in {took:?}");
    assert!(lines > 50_000);
    let is_slow = cfg!(debug_assertions);
    assert!(took < ms(if is_slow { 30_000 } else { 3_000 }), "{took:?}");
}
