//! Joining: ids, how long it takes, nodes that start together, rooms that ignore each other.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::harness::{PATIENCE, Room, agree, alone, median, ms, scratch_dir, shared};

#[test]
fn five_nodes_started_one_after_the_other_get_the_ids_1_to_5() {
    let permit = shared();
    let room = Room::new(&permit);
    let mut nodes = Vec::new();
    for (nick, id) in ["ana", "bia", "caio", "davi", "eva"].into_iter().zip(1..) {
        let node = room.join(nick);
        let joined = node.joined();
        assert_eq!(joined.num("id"), id);
        assert_eq!(joined.num("coordinator"), 1);
        assert_eq!(joined.num("history"), 0);
        assert!(!joined.flag("again"));
        let mut ids: Vec<_> = (joined.list("members").iter())
            .filter_map(|m| m["id"].as_u64())
            .collect();
        ids.sort_unstable();
        assert_eq!(ids, (1..=id).collect::<Vec<_>>());
        nodes.push(node);
        for earlier in &nodes[..nodes.len() - 1] {
            let news = earlier.event(&format!("{nick} joined"), |e| {
                e.is("member_joined") && e.text("nick") == nick
            });
            assert_eq!(news.num("id"), id);
        }
    }
    agree(&nodes.iter().collect::<Vec<_>>(), PATIENCE);
}

#[test]
fn the_first_node_of_a_room_is_up_within_a_second() {
    let permit = alone();
    for _ in 0..5 {
        let room = Room::new(&permit);
        let node = room.join("ana");
        let took = node.joined().at - node.born;
        assert!(took < ms(1_000), "{took:?}");
        assert_eq!(node.id(), 1);
    }
}

#[test]
fn joining_a_running_room_takes_under_100_ms_at_the_median_of_20() {
    let permit = alone();
    let room = Room::new(&permit);
    let first = room.join("ana");
    first.joined();
    let mut times = Vec::new();
    for n in 1..=20 {
        let node = room.join(&format!("n{n}"));
        times.push(node.joined().at - node.born);
        node.say("/quit");
        assert_eq!(node.exit(), 0);
    }
    println!("joined after {times:?}");
    let median = median(times);
    assert!(median < ms(100), "{median:?}");
}

#[test]
fn eight_nodes_started_in_the_same_instant_form_one_room_with_eight_ids_30_times_over() {
    const NICKS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let permit = shared();
    let mut times = Vec::new();
    for round in 0..30 {
        let room = Room::new(&permit);
        let started = Instant::now();
        let nodes = room.join_all(NICKS);
        let all_started = Instant::now();
        room.wait("eight nodes with one view", PATIENCE, |log| {
            let view = &log.nodes[0].view;
            let ids: BTreeSet<_> = view.values().collect();
            let one = log.nodes.iter().all(|n| {
                n.view == *view && n.coordinator == log.nodes[0].coordinator && n.id.is_some()
            });
            (one && ids.len() == 8).then_some(())
        });
        let took = all_started.elapsed();
        times.push(took);
        assert!(
            took < ms(3_000),
            "round {round}: {took:?} after {:?}",
            all_started - started
        );
        agree(&nodes.iter().collect::<Vec<_>>(), PATIENCE);
    }
    println!("one room after {times:?}");
}

#[test]
fn a_second_room_on_the_same_multicast_address_sees_nothing_of_the_first() {
    let permit = shared();
    let room = Room::new(&permit);
    let blue_room = room.neighbour();
    let reds = room.join_all(["ana", "bia"]);
    let blues = blue_room.join_all(["caio", "davi"]);
    for node in reds.iter().chain(&blues) {
        node.joined();
        node.sees_members(2);
    }
    reds[0].say("only for red");
    blues[0].say("only for blue");
    reds[1].heard("ana", 1);
    blues[1].heard("caio", 1);
    let red_history = agree(&[&reds[0], &reds[1]], PATIENCE);
    let blue_history = agree(&[&blues[0], &blues[1]], PATIENCE);
    assert_eq!(red_history.len(), 1);
    assert_eq!(blue_history.len(), 1);
    assert_eq!(red_history[0].text, "only for red");
    assert_eq!(blue_history[0].text, "only for blue");
    for node in reds.iter().chain(&blues) {
        let strangers = if reds.iter().any(|r| r.name == node.name) {
            ["caio", "davi"]
        } else {
            ["ana", "bia"]
        };
        node.look(|record| {
            for event in &record.events {
                let nick = event.body["nick"].as_str().unwrap_or_default();
                assert!(!strangers.contains(&nick), "{}: {}", node.name, event.body);
            }
        });
    }
}

#[test]
fn a_node_that_comes_back_gets_a_number_that_nobody_had() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    let bia = room.join("bia");
    assert_eq!(bia.id(), 2);
    bia.say("/quit");
    assert_eq!(bia.exit(), 0);
    let again = room.join("bia");
    assert_eq!(again.id(), 3);
}

#[test]
fn without_multicast_a_node_needs_only_one_address_of_any_member() {
    let permit = shared();
    let room = Room::new(&permit);
    let listen = ["--no-multicast", "--listen", "127.0.0.1:0"];
    let ana = room.join_with("ana", &listen);
    ana.joined();
    let mut nodes = vec![ana];
    for (nick, id) in [("bia", 2), ("caio", 3)] {
        // Bia asks the coordinator; caio asks bia, who points on.
        let asked = nodes.last().expect("ana at least");
        let listening = asked.event("listening", |e| e.is("listening"));
        let address = listening.list("tcp")[0].as_str().expect("an address");
        let node = room.join_with(nick, &[&listen[..], &["--peer", address]].concat());
        assert_eq!(node.id(), id);
        nodes.push(node);
    }
    for node in &nodes {
        node.say("hello");
    }
    for node in &nodes {
        node.event("its line is delivered", |e| e.is("delivered"));
    }
    let history = agree(&nodes.iter().collect::<Vec<_>>(), PATIENCE);
    assert_eq!(history.len(), 3);
}

/// Systems differ in whether they write a letter and its accent as one character or as two.
#[test]
fn names_of_a_room_that_look_the_same_are_the_same() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = dir.join("room.db");
    let file = file.to_str().expect("ASCII");
    let one = room.called(&format!("{}-caf\u{e9}", room.name));
    let two = room.called(&format!("{}-cafe\u{301}", room.name));
    let ana = one.join("ana");
    assert_eq!(
        ana.event("listening", |e| e.is("listening")).text("room"),
        one.name
    );
    ana.joined();
    let bia = two.join_with("bia", &["--store", file]);
    assert_eq!(bia.id(), 2);
    assert_eq!(
        bia.event("listening", |e| e.is("listening")).text("room"),
        one.name
    );
    bia.say("here");
    ana.heard("bia", 1);
    bia.say("/quit");
    assert_eq!(bia.exit(), 0);
    // Nor is the file another's if an earlier papo wrote the name down as it was given.
    let database = rusqlite::Connection::open(file).expect("it is a database");
    let sql = "UPDATE room SET name = ?1";
    let changed = database.execute(sql, [&two.name]);
    assert_eq!(changed.expect("the schema is documented"), 1);
    drop(database);
    for room in [&one, &two] {
        let history = room.papo("zoe", &["history", "--store", file]).start();
        assert_eq!(history.exit(), 0, "{}", history.stderr());
        assert!(history.stdout().contains("<bia> here\n"));
        let send = room
            .papo("zoe", &["send", "--store", file, "there"])
            .start();
        assert_eq!(send.exit(), 0, "{}", send.stderr());
        ana.heard("zoe", 1);
    }
}
