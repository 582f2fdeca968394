//! Histories: the same on every node, and complete for those who come late.

use std::fs::{self, File};
use std::time::Instant;

use crate::harness::{PATIENCE, Room, agree, said_by, scratch_dir, shared};

#[test]
fn everybody_holds_the_same_1000_messages_in_the_same_order_and_so_does_a_sixth_node() {
    const NICKS: [&str; 5] = ["ana", "bia", "caio", "davi", "eva"];
    let permit = shared();
    let room = Room::new(&permit);
    let nodes = room.join_all(NICKS);
    for node in &nodes {
        node.joined();
        node.sees_members(5);
    }
    for n in 1..=200 {
        for node in &nodes {
            node.say(&format!("{} {n}", node.name));
        }
    }
    for node in &nodes {
        for nick in NICKS {
            node.heard(nick, 200);
        }
        node.wait("200 confirmed lines", PATIENCE, |record| {
            let confirmed = record.all("delivered").filter(|e| e.num("confirmed") == 4);
            (confirmed.count() == 200).then_some(())
        });
    }
    let history = agree(&nodes.iter().collect::<Vec<_>>(), PATIENCE);
    assert_eq!(history.len(), 1_000);
    for nick in NICKS {
        let expected: Vec<_> = (1..=200).map(|n| format!("{nick} {n}")).collect();
        assert_eq!(said_by(&history, nick), expected);
    }

    let sixth = room.join("fabio");
    assert_eq!(sixth.joined().num("history"), 1_000);
    let all: Vec<_> = nodes.iter().chain([&sixth]).collect();
    assert_eq!(agree(&all, PATIENCE), history);
}

#[test]
fn a_node_that_joins_a_room_with_20000_messages_of_200_bytes_has_them_all() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    let dir = scratch_dir();
    let lines = dir.join("lines");
    let text: String = (1..=20_000).map(|n| format!("{n:0>200}\n")).collect();
    fs::write(&lines, &text).expect("the directory is ours");
    let writer = room
        .papo("bia", &["--wait-members", "1", "--timeout", "60"])
        .stdin(File::open(&lines).expect("it was just written"))
        .start();
    assert_eq!(writer.exit(), 0, "{}", writer.stderr());
    ana.heard("bia", 20_000);

    let started = Instant::now();
    let caio = room.join("caio");
    assert_eq!(caio.joined().num("history"), 20_000);
    println!("20,000 messages after {:?}", started.elapsed());
    let history = agree(&[&ana, &caio], PATIENCE);
    let said = said_by(&history, "bia").join("\n");
    assert_eq!(said.len(), text.len() - 1);
    assert!(said == text.trim_end(), "altered on the way");
}

#[test]
fn replay_prints_the_newest_of_the_history_on_joining() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    for n in 1..=30 {
        ana.say(&format!("line {n}"));
    }
    ana.heard("ana", 30);
    for (replay, first) in [("5", 26), ("all", 1)] {
        let bia = room.join_with("bia", &["--replay", replay]);
        bia.joined();
        let texts = bia.wait("the newest line", PATIENCE, |record| {
            let replayed = record.all("message").filter(|e| e.flag("replay"));
            let texts: Vec<_> = replayed.map(|e| e.text("text").to_owned()).collect();
            (texts.last().is_some_and(|t| t == "line 30")).then_some(texts)
        });
        let expected: Vec<_> = (first..=30).map(|n| format!("line {n}")).collect();
        assert_eq!(texts, expected, "--replay {replay}");
    }
    let caio = room.join_with("caio", &["--replay", "none"]);
    assert_eq!(caio.joined().num("history"), 30);
    caio.ask("/members", "members");
    assert_eq!(caio.look(|r| r.all("message").count()), 0);
}

#[test]
fn a_node_keeps_no_more_messages_than_it_was_told() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join_with("ana", &["--history", "10"]);
    ana.joined();
    for n in 1..=25 {
        ana.say(&format!("line {n}"));
    }
    ana.heard("ana", 25);
    let history = ana.ask("/history", "history");
    let texts: Vec<_> = (history.list("messages").iter())
        .filter_map(|m| m["text"].as_str())
        .collect();
    let expected: Vec<_> = (16..=25).map(|n| format!("line {n}")).collect();
    assert_eq!(texts, expected);
}
