//! Nodes that are killed at full speed, and started again.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::{files, join_storing, stored};
use crate::harness::{Node, PATIENCE, Permit, Room, Signal, agree, alone, let_pass, ms, random};
use crate::harness::{scratch_dir, shared};

const NICKS: [&str; 3] = ["ana", "bia", "caio"];

/// What each says before it is killed, at the most.
const LINES: usize = 600;

/// The ids that the nodes' `delivered` events named as confirmed by everybody: who is killed first may be lost before
/// the last one is killed, and what it did not confirm is delivered without it.
fn confirmed(nodes: &[Node]) -> BTreeSet<String> {
    let of = |node: &Node| {
        node.look(|record| {
            let delivered = record.events.iter().filter(|e| e.is("delivered"));
            let by_all = delivered.filter(|e| e.num("confirmed") == e.num("members"));
            by_all.map(|e| e.text("id").to_owned()).collect::<Vec<_>>()
        })
    };
    nodes.iter().flat_map(of).collect()
}

/// So many times: all write as fast as they can, all are killed, all are started again.
fn rounds(permit: &Permit, rounds: usize) {
    let dir = scratch_dir();
    let files = files(&dir, &["a.db", "b.db", "c.db"]);
    let mut rng = random();
    let mut promised: BTreeSet<String> = BTreeSet::new();
    for round in 0..rounds {
        let room = Room::new(permit);
        let start = |(nick, file): (&&str, &PathBuf)| join_storing(&named(&room), nick, file);
        let nodes: Vec<Node> = NICKS.iter().zip(&files).map(start).collect();
        for node in &nodes {
            node.joined();
            node.sees_members(NICKS.len());
        }
        for node in &nodes {
            let lines: String = (0..LINES)
                .map(|n| format!("{} {round} {n}\n", node.name))
                .collect();
            node.write(lines.as_bytes());
        }
        kill_point(&nodes, &mut rng);
        for node in &nodes {
            node.signal(Signal::KILL);
        }
        for node in &nodes {
            node.exit_within(PATIENCE);
        }
        promised.extend(confirmed(&nodes));
        for file in &files {
            let held: BTreeSet<_> = stored(file).into_iter().map(|(id, _)| id).collect();
            let lost: Vec<_> = promised.difference(&held).take(5).collect();
            assert!(
                lost.is_empty(),
                "round {round}, {}: {lost:?}",
                file.display()
            );
        }
    }
    println!("{} messages were confirmed and are there", promised.len());
    assert!(!promised.is_empty());
    let room = Room::new(permit);
    // All of it in memory, so that `/history` has it.
    let start = |(nick, file): (&&str, &PathBuf)| {
        super::join_storing_with(&named(&room), nick, file, &["--history", "1000000"])
    };
    let nodes: Vec<Node> = NICKS.iter().zip(&files).map(start).collect();
    let all: Vec<&Node> = nodes.iter().collect();
    let union = agree(&all, PATIENCE);
    for node in &nodes {
        node.say("/quit");
        assert_eq!(node.exit(), 0);
    }
    let first = stored(&files[0]);
    assert!(files.iter().all(|file| stored(file) == first));
    assert!(
        first
            .iter()
            .map(|(id, _)| id)
            .eq(union.iter().map(|m| &m.id))
    );
    let held: BTreeSet<String> = first.into_iter().map(|(id, _)| id).collect();
    assert!(promised.is_subset(&held));
}

/// Waits for a random moment: until a node's so manieth confirmation, or for so long.
fn kill_point(nodes: &[Node], rng: &mut fastrand::Rng) {
    if rng.bool() {
        return let_pass(ms(rng.u64(0..500)));
    }
    let node = &nodes[rng.usize(..nodes.len())];
    let count = rng.usize(1..LINES);
    node.wait("confirmations", PATIENCE, |record| {
        (record.all("delivered").count() >= count).then_some(())
    });
}

/// The same room whatever the round: a file belongs to one.
fn named<'a>(room: &Room<'a>) -> Room<'a> {
    room.called("durable")
}

#[test]
fn what_was_confirmed_survives_20_rounds_of_kill_9() {
    let permit = shared();
    rounds(&permit, 20);
}

#[test]
#[ignore = "minutes"]
fn what_was_confirmed_survives_200_rounds_of_kill_9() {
    let permit = alone();
    rounds(&permit, 200);
}

/// What `papo send` says in each round.
const SENT: usize = 5_000;

/// A sender's word is that every member has stored it: so it is in every file, whoever is killed
/// right after that word.
#[test]
fn what_send_ended_with_0_for_is_in_every_file_whoever_is_killed_then() {
    let permit = shared();
    let dir = scratch_dir();
    let files = files(&dir, &["a.db", "b.db", "c.db"]);
    let mut rng = random();
    let mut all: Vec<String> = Vec::new();
    for round in 0..NICKS.len() {
        let room = named(&Room::new(&permit));
        let start = |(nick, file): (&&str, &PathBuf)| join_storing(&room, nick, file);
        let nodes: Vec<Node> = NICKS.iter().zip(&files).map(start).collect();
        for node in &nodes {
            node.sees_members(NICKS.len());
        }
        let lines: Vec<String> = (0..SENT).map(|n| format!("{round} {n:095}")).collect();
        let members = NICKS.len().to_string();
        let mut sender = room
            .papo("zoe", &["send", "--wait-members", &members])
            .start();
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        sender.write(text.as_bytes());
        sender.close_input();
        assert_eq!(sender.exit(), 0, "{}", sender.stderr());
        // One survives, or none.
        let survivor = rng.usize(..=nodes.len());
        for (i, node) in nodes.iter().enumerate() {
            if i != survivor {
                node.signal(Signal::KILL);
                node.exit_within(PATIENCE);
            }
        }
        all.extend(lines);
        for file in &files {
            let held = super::stored_texts(file);
            let (wrong, count) = (file.display(), held.len());
            assert!(
                held == all,
                "round {round}, {wrong}: {count} of {}",
                all.len()
            );
        }
    }
}

#[test]
fn the_room_outlives_everybody_and_nothing_is_shown_twice() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = dir.join("a.db");
    let sent = room.papo(
        "ana",
        &["send", "--store", super::as_str(&file), "for later"],
    );
    assert_eq!(sent.start().exit(), 0);
    let bia = join_storing(&room, "bia", &file);
    assert_eq!(bia.joined().num("history"), 1);
    bia.say("second");
    bia.heard("bia", 1);
    bia.event("its confirmation", |e| e.is("delivered"));
    bia.signal(Signal::KILL);
    bia.exit_within(PATIENCE);
    let caio = super::join_storing_with(&room, "caio", &file, &["--replay", "all"]);
    caio.joined();
    let dora = room.join_with("dora", &["--replay", "all"]);
    dora.joined();
    dora.say("third");
    for node in [&caio, &dora] {
        node.heard("dora", 1);
        node.ask("/members", "members");
        let shown = node.look(|record| {
            let shown = record.all("message");
            shown
                .map(|e| {
                    (
                        e.text("nick").to_owned(),
                        e.text("text").to_owned(),
                        e.flag("replay"),
                    )
                })
                .collect::<Vec<_>>()
        });
        let expected = [
            ("ana", "for later", true),
            ("bia", "second", true),
            ("dora", "third", false),
        ];
        let expected = expected.map(|(n, t, r)| (n.to_owned(), t.to_owned(), r));
        assert_eq!(shown, expected, "{}", node.name);
    }
    let history = agree(&[&caio, &dora], PATIENCE);
    assert_eq!(history.len(), 3);
}

#[test]
fn two_nodes_with_different_stores_end_with_the_union() {
    let permit = shared();
    let dir = scratch_dir();
    let files = files(&dir, &["a.db", "b.db"]);
    // Each writes alone, several times, in turns: their histories interleave.
    for (nick, file, lines) in [
        ("ana", &files[0], 700),
        ("bia", &files[1], 800),
        ("ana", &files[0], 900),
        ("bia", &files[1], 100),
    ] {
        let room = named(&Room::new(&permit));
        let mut writer = room.papo(nick, &["--store", super::as_str(file)]).start();
        let text: String = (0..lines).map(|n| format!("{nick} {n}\n")).collect();
        writer.write(text.as_bytes());
        writer.close_input();
        assert_eq!(writer.exit(), 0, "{}", writer.stderr());
    }
    let (a, b) = (stored(&files[0]), stored(&files[1]));
    assert_eq!((a.len(), b.len()), (1_600, 900));
    let room = named(&Room::new(&permit));
    // With little memory, most of what they exchange is on the disks only.
    let options = ["--history", "50"];
    let ana = super::join_storing_with(&room, "ana", &files[0], &options);
    let bia = super::join_storing_with(&room, "bia", &files[1], &options);
    for node in [&ana, &bia] {
        node.joined();
    }
    crate::harness::eventually("both have the union", PATIENCE, || {
        let count = |node: &Node| node.ask("/status", "status").num("history");
        count(&ana) == 2_500 && count(&bia) == 2_500
    });
    let digest = |node: &Node| node.ask("/status", "status").text("digest").to_owned();
    assert_eq!(digest(&ana), digest(&bia));
    // A newcomer gets all of it, from the disk and from memory.
    let caio = room.join("caio");
    assert_eq!(caio.joined().num("history"), 2_500);
    assert_eq!(digest(&caio), digest(&ana));
    // One who comes back fetches nothing.
    bia.say("/quit");
    assert_eq!(bia.exit(), 0);
    let bia = super::join_storing_with(&room, "bia", &files[1], &options);
    assert_eq!(bia.joined().num("history"), 2_500);
    assert_eq!(bia.ask("/status", "status").num("repaired"), 0);
    let mut union: Vec<_> = a.into_iter().chain(b).collect();
    for node in [&ana, &bia] {
        node.say("/quit");
        assert_eq!(node.exit(), 0);
    }
    let all = stored(&files[0]);
    assert_eq!(all, stored(&files[1]));
    let mut sorted = all;
    sorted.sort();
    union.sort();
    assert_eq!(sorted, union);
}
