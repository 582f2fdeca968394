//! Who holds the secret is in, who holds another one or none is told so.

use std::path::PathBuf;
use std::time::Duration;

use crate::harness::{Node, Permit, Room, agree, let_pass, ms, said_by, scratch_dir, shared};

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
        std::fs::write(&right, format!("{SECRET}\n")).expect("the directory is ours");
        std::fs::write(&wrong, "incorrect horse battery staple\n").expect("the directory is ours");
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
    let ana = locked.join("ana");
    ana.joined();
    let bia = locked.join("bia");
    bia.joined();
    let caio = locked.join("caio");
    caio.joined();
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

#[test]
fn a_wrong_or_missing_secret_is_one_line_and_status_3_and_costs_the_room_nothing() {
    let permit = shared();
    let locked = Locked::new(&permit);
    let ana = locked.join("ana");
    ana.joined();
    let bia = locked.join("bia");
    bia.joined();
    let peace = Peace::of(&[&ana, &bia]);
    for (args, word) in [
        (&[][..], "is locked;"),
        (&locked.wrong()[..], "another secret"),
    ] {
        for sub in [&["send", "--timeout", "5"][..], &["listen"], &["--stay"]] {
            let mut all = sub.to_vec();
            all.extend_from_slice(args);
            if sub[0] == "send" {
                all.push("a line");
            }
            let node = locked.room.papo("mallory", &all).start();
            assert_eq!(node.exit(), 3, "{all:?}: {}", node.stderr());
            let stderr = node.stderr();
            assert_eq!(stderr.lines().count(), 1, "{all:?}: {stderr}");
            assert!(stderr.contains(word), "{stderr}");
            assert!(stderr.contains("--secret-file"), "{stderr}");
        }
    }
    let_pass(ms(500));
    peace.holds();
    for node in [&ana, &bia] {
        let lines = node.stderr().lines().count();
        assert!(lines <= 30, "{}", node.stderr());
        assert!(!node.stderr().contains("horse"), "{}", node.stderr());
    }
}

#[test]
fn a_locked_room_and_an_open_one_of_the_same_name_stay_apart() {
    let permit = shared();
    let locked = Locked::new(&permit);
    // The open one was there first; its members are not put out by the other.
    let open = locked.room.join("ana");
    open.joined();
    let bia = locked.join("bia");
    bia.joined();
    let caio = locked.join("caio");
    caio.joined();
    bia.say("for caio only");
    caio.heard("bia", 1);
    let_pass(ms(600));
    let peace = Peace::of(&[&bia, &caio]);
    peace.holds();
    assert_eq!(open.look(|r| (r.heard_of("bia"), r.view.len())), (0, 1));
    assert!(open.look(|r| r.exit.is_none()));
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
