//! Who holds the secret is in, who holds another one or none is told so.

use std::path::PathBuf;
use std::time::Duration;

use crate::harness::{
    Node, Permit, Room, agree, let_pass, ms, said_by, scratch_dir, shared, write_secret,
};

/// A room and files with secrets.
pub struct Locked<'permit> {
    pub room: Room<'permit>,
    right: PathBuf,
    wrong: PathBuf,
    _dir: Box<dyn std::ops::Deref<Target = std::path::Path>>,
}

pub const SECRET: &str = "correct horse battery staple";

impl<'permit> Locked<'permit> {
    pub fn new(permit: &'permit Permit) -> Locked<'permit> {
        let dir = scratch_dir();
        let (right, wrong) = (dir.join("right"), dir.join("wrong"));
        write_secret(&right, format!("{SECRET}\n"));
        write_secret(&wrong, "incorrect horse battery staple\n");
        Locked {
            room: Room::new(permit),
            right,
            wrong,
            _dir: Box::new(dir),
        }
    }

    /// The options of those who hold the secret.
    pub fn right(&self) -> [&str; 2] {
        ["--secret-file", self.right.to_str().expect("UTF-8")]
    }

    pub fn wrong(&self) -> [&str; 2] {
        ["--secret-file", self.wrong.to_str().expect("UTF-8")]
    }

    pub fn join(&self, nick: &str) -> Node {
        self.room.join_with(nick, &self.right())
    }

    /// Nodes of those who hold the secret, in the order of their ids: each starts once the one before it has
    /// joined.
    pub fn join_all<const N: usize>(&self, nicks: [&str; N]) -> [Node; N] {
        nicks.map(|nick| {
            let node = self.join(nick);
            node.joined();
            node
        })
    }
}

/// What must not change, whatever strangers do.
pub struct Peace<'a> {
    nodes: Vec<(&'a Node, usize)>,
    coordinators: Vec<Option<u64>>,
}

impl<'a> Peace<'a> {
    pub fn of(nodes: &[&'a Node]) -> Peace<'a> {
        agree(nodes, Duration::from_secs(15));
        Peace {
            nodes: nodes.iter().map(|n| (*n, n.mark())).collect(),
            coordinators: nodes.iter().map(|n| n.look(|r| r.coordinator)).collect(),
        }
    }

    /// Nobody came or went, nobody elected, and histories are as they were.
    #[track_caller]
    pub fn holds(&self) {
        let quiet = [
            "member_joined",
            "member_left",
            "member_renamed",
            "election",
            "coordinator",
            "joined",
            "message",
            "error",
            "left",
        ];
        for (node, mark) in &self.nodes {
            node.look(|record| {
                let broken = record.events[*mark..]
                    .iter()
                    .find(|e| quiet.contains(&e.kind.as_str()));
                if let Some(event) = broken {
                    panic!("{}: {}", node.name, event.body);
                }
                assert!(record.exit.is_none(), "{} ended", node.name);
            });
            assert!(!node.stderr().contains("panicked"), "{}", node.stderr());
        }
        let nodes: Vec<&Node> = self.nodes.iter().map(|(n, _)| *n).collect();
        agree(&nodes, Duration::from_secs(15));
        let now: Vec<_> = nodes.iter().map(|n| n.look(|r| r.coordinator)).collect();
        assert_eq!(now, self.coordinators);
    }
}

#[test]
fn those_who_hold_the_secret_chat() {
    let permit = shared();
    let locked = Locked::new(&permit);
    let [ana, bia, caio] = locked.join_all(["ana", "bia", "caio"]);
    for (node, text) in [(&ana, "one"), (&bia, "two"), (&caio, "three")] {
        node.say(text);
    }
    for node in [&ana, &bia, &caio] {
        for nick in ["ana", "bia", "caio"] {
            node.heard(nick, 1);
        }
    }
    let history = agree(&[&ana, &bia, &caio], Duration::from_secs(15));
    assert_eq!(said_by(&history, "bia"), ["two"]);
}

/// How often a node was told that others have another secret.
fn told_of_another_secret(node: &Node) -> usize {
    node.look(|record| {
        let warnings = record.all("warning").map(|e| e.text("text").to_owned());
        warnings
            .filter(|text| text.contains("a different secret"))
            .count()
    })
}

#[test]
fn a_missing_secret_is_one_line_and_status_3_and_costs_the_room_nothing() {
    let permit = shared();
    let locked = Locked::new(&permit);
    let [ana, bia] = locked.join_all(["ana", "bia"]);
    let peace = Peace::of(&[&ana, &bia]);
    for sub in [&["send", "--timeout", "5"][..], &["listen"], &["--stay"]] {
        let mut all = sub.to_vec();
        if sub[0] == "send" {
            all.push("a line");
        }
        let node = locked.room.papo("mallory", &all).start();
        assert_eq!(node.exit(), 3, "{all:?}: {}", node.stderr());
        let stderr = node.stderr();
        assert_eq!(stderr.lines().count(), 1, "{all:?}: {stderr}");
        assert!(stderr.contains("is locked;"), "{stderr}");
        assert!(stderr.contains("--secret-file"), "{stderr}");
    }
    let_pass(ms(500));
    peace.holds();
    for node in [&ana, &bia] {
        assert_eq!(node.stderr(), "", "{}", node.name);
    }
}

/// Whoever has another secret is in a room of their own, and both sides are told once: not for each datagram.
#[test]
fn another_secret_is_another_room_and_one_notice() {
    let permit = shared();
    let locked = Locked::new(&permit);
    let [ana, bia] = locked.join_all(["ana", "bia"]);
    let peace = Peace::of(&[&ana, &bia]);
    let mallory = locked.room.join_with("mallory", &locked.wrong());
    mallory.joined();
    mallory.say("hello?");
    // Many heartbeats of both.
    let_pass(ms(3_000));
    peace.holds();
    assert_eq!(mallory.look(|r| r.view.len()), 1);
    assert!(mallory.look(|r| r.exit.is_none()));
    for node in [&ana, &bia, &mallory] {
        assert_eq!(told_of_another_secret(node), 1, "{}", node.stderr());
        assert_eq!(node.stderr().lines().count(), 1, "{}", node.stderr());
        assert!(node.stderr().contains("127.0.0.1"), "{}", node.stderr());
        assert!(node.stderr().contains("--secret-file"), "{}", node.stderr());
        assert!(!node.stderr().contains("horse"), "{}", node.stderr());
    }
    let mut all = vec!["send", "--timeout", "5"];
    all.extend_from_slice(&locked.wrong());
    let peers = locked
        .room
        .papo("eva", &[&all[..], &["to mallory"]].concat());
    let eva = peers.start();
    assert_eq!(eva.exit(), 0, "{}", eva.stderr());
    mallory.heard("eva", 1);
    drop(mallory);
    let alone = locked
        .room
        .papo("eva", &[&all[..], &["to nobody"]].concat());
    let eva = alone.start();
    // Nobody there is nobody who did not confirm; that another secret is the likely reason is said.
    assert_eq!(eva.exit(), 0, "{}", eva.stderr());
    assert!(
        eva.stderr().contains("nobody who holds this secret"),
        "{}",
        eva.stderr()
    );
}

/// The secret is changed while one still has the old one: the others go on without it.
#[test]
fn a_room_meets_under_a_new_secret_while_an_old_node_still_runs() {
    let permit = shared();
    let locked = Locked::new(&permit);
    let [mallory, bia, caio] = locked.join_all(["mallory", "bia", "caio"]);
    for node in [&bia, &caio] {
        node.say("/quit");
        assert_eq!(node.exit(), 0, "{}", node.stderr());
    }
    let join = |nick: &str| locked.room.join_with(nick, &locked.wrong());
    let (bia, caio) = (join("bia"), join("caio"));
    bia.sees_members(2);
    caio.sees_members(2);
    bia.say("without mallory");
    caio.heard("bia", 1);
    mallory.sees_members(1);
    mallory.say("alone");
    let_pass(ms(500));
    let history = agree(&[&bia, &caio], Duration::from_secs(15));
    assert_eq!(said_by(&history, "bia"), ["without mallory"]);
    assert!(said_by(&history, "mallory").is_empty());
    assert_eq!(mallory.look(|r| r.heard_of("bia")), 0);
    for node in [&mallory, &bia, &caio] {
        assert!(node.look(|r| r.exit.is_none()), "{}", node.stderr());
        assert_eq!(told_of_another_secret(node), 1, "{}", node.stderr());
    }
}

#[test]
fn a_locked_room_and_an_open_one_of_the_same_name_stay_apart() {
    let permit = shared();
    let locked = Locked::new(&permit);
    // The open one was there first; its members are not put out by the other.
    let open = locked.room.join("ana");
    open.joined();
    let [bia, caio] = locked.join_all(["bia", "caio"]);
    bia.say("for caio only");
    caio.heard("bia", 1);
    let_pass(ms(600));
    let peace = Peace::of(&[&bia, &caio]);
    peace.holds();
    assert_eq!(open.look(|r| (r.heard_of("bia"), r.view.len())), (0, 1));
    assert!(open.look(|r| r.exit.is_none()));
    // That a locked room is heard keeps nobody from joining an open one that is there.
    let davi = locked.room.join("davi");
    davi.joined();
    open.sees_members(2);
    davi.say("in the open");
    open.heard("davi", 1);
    assert_eq!(bia.look(|r| r.heard_of("davi")), 0);
}

#[test]
fn scan_shows_a_locked_room_as_locked_and_its_name_only_to_those_who_name_it() {
    let permit = shared();
    let locked = Locked::new(&permit);
    let ana = locked.join("ana");
    ana.joined();
    let scan = locked.room.papo("scan", &["scan"]).start();
    assert_eq!(scan.exit(), 0, "{}", scan.stderr());
    assert!(scan.stdout().contains("locked"), "{}", scan.stdout());
    assert!(!scan.stdout().contains("ana"), "{}", scan.stdout());
}
