//! Attention: who is named or written to privately hears the bell, the desktop is notified where the terminal
//! does that, and the title counts what is unread.

use crate::harness::{Node, Permit, Room, shared};
use crate::terminal::{Setup, Terminal};

const BELL: char = '\x07';

/// Bia, who prints events, and ana at a prompt like this.
fn bia_and_ana<'a>(permit: &'a Permit, setup: Setup<'_>) -> (Terminal, Node, Room<'a>) {
    let room = Room::new(permit);
    let bia = room.join("bia");
    bia.joined();
    let mut ana = Terminal::with(&room, "ana", setup);
    ana.shows("coordinates");
    bia.sees_members(2);
    (ana, bia, room)
}

fn bells(ana: &Terminal) -> usize {
    ana.raw().matches(BELL).count()
}

/// What bia says, and how many bells ring until it is on the screen.
fn rings(ana: &mut Terminal, bia: &Node, line: &str, shown: &str) -> usize {
    let before = bells(ana);
    bia.say(line);
    ana.shows(shown);
    bells(ana) - before
}

#[test]
fn the_name_and_a_private_message_ring_and_nothing_else_does() {
    let permit = shared();
    for cols in [40, 80, 200] {
        let setup = Setup {
            cols,
            ..Setup::default()
        };
        let (mut ana, bia, _room) = bia_and_ana(&permit, setup);
        assert_eq!(rings(&mut ana, &bia, "a banana", "<bia> a banana"), 0);
        assert_eq!(rings(&mut ana, &bia, "hi Ana!", "<bia> hi Ana!"), 1);
        assert_eq!(
            rings(&mut ana, &bia, "/msg ana psst", "<bia → you> psst"),
            1
        );
        ana.keys("ana is me\r");
        ana.shows("«ana» ana is me");
        assert_eq!(bells(&ana), 2);
    }
}

#[test]
fn how_often_it_rings_is_the_user_s_choice() {
    let permit = shared();
    let setup = Setup {
        args: &["--notify", "all"],
        ..Setup::default()
    };
    let (mut ana, bia, _room) = bia_and_ana(&permit, setup);
    assert_eq!(rings(&mut ana, &bia, "one", "<bia> one"), 1);
    ana.keys("/notify NEVER\r");
    ana.shows("/notify never: nothing rings");
    assert_eq!(rings(&mut ana, &bia, "ana, two", "<bia> ana, two"), 0);
    ana.keys("/notify\r");
    ana.keys("/notify now\r");
    ana.shows("/notify now: give never, mention or all");
    ana.keys("/notify mention\r");
    ana.shows("/notify mention: your name and private messages ring");
    assert_eq!(rings(&mut ana, &bia, "ana, three", "<bia> ana, three"), 1);
}

#[test]
fn what_was_said_before_does_not_ring() {
    let permit = shared();
    let room = Room::new(&permit);
    let bia = room.join("bia");
    bia.joined();
    bia.say("where is ana?");
    bia.heard("bia", 1);
    let mut ana = Terminal::start(&room, "ana");
    ana.shows("<bia> where is ana?");
    ana.prompt("", "");
    ana.keys("/history\r");
    ana.wait("the history", |t| {
        t.screen().matches("where is ana?").count() == 2
    });
    assert_eq!(bells(&ana), 0);
}

#[test]
fn the_desktop_is_notified_where_the_terminal_does_that() {
    let permit = shared();
    let said = "ana; look\x1b]2;x\x07";
    let shown = "<bia> ana, look^[]2,x^G";
    for (term, env, sequence) in [
        (
            "foot",
            &[][..],
            Some(format!("\x1b]777;notify;papo;{shown}\x1b\\")),
        ),
        (
            "xterm-kitty",
            &[][..],
            Some(format!("\x1b]9;{shown}\x1b\\")),
        ),
        ("xterm-kitty", &[("TMUX", "/tmp/x")][..], None),
        ("xterm-256color", &[][..], None),
    ] {
        let setup = Setup {
            term: Some(term),
            env,
            ..Setup::default()
        };
        let (mut ana, bia, _room) = bia_and_ana(&permit, setup);
        // Whoever looks needs no notification.
        ana.keys("\x1b[Iy");
        ana.prompt("y", "");
        bia.say("ana, do you look?");
        ana.shows("do you look?");
        ana.keys("\x1b[O");
        ana.keys("x");
        ana.prompt("yx", "");
        assert_eq!(rings(&mut ana, &bia, said, "<bia> ana; look"), 1, "{term}");
        let raw = ana.raw();
        let notified = raw.matches("\x1b]9;").count() + raw.matches("\x1b]777;").count();
        match sequence {
            Some(sequence) => assert!(raw.contains(&sequence) && notified == 1, "{raw:?}"),
            None => assert_eq!(notified, 0, "{raw:?}"),
        }
    }
}

#[test]
fn the_title_counts_what_is_unread_and_is_given_back() {
    let permit = shared();
    let (mut ana, bia, room) = bia_and_ana(&permit, Setup::default());
    let title = |prefix: &str| format!("\x1b]2;{prefix}{} – papo\x1b\\", room.name);
    bia.say("one");
    bia.say("two");
    ana.wait("two unread", |t| t.raw().contains(&title("(2) ")));
    ana.keys("x");
    ana.wait("nothing unread", |t| {
        let raw = t.raw();
        let last = raw
            .rfind("\x1b]2;")
            .map(|at| raw[at..].starts_with(&title("")));
        last == Some(true)
    });
    ana.keys("\x7f\x1b[I");
    ana.prompt("", "");
    bia.say("three");
    ana.shows("<bia> three");
    let raw = ana.raw();
    let since = raw.rfind(&title("")).expect("the title was given");
    assert!(!raw[since + 1..].contains("\x1b]2;("), "{raw:?}");
    ana.keys("/quit\r");
    assert!(ana.exit().success());
    assert!(
        ana.raw().contains("\x1b[?1004l\x1b[23;0t"),
        "{:?}",
        ana.raw()
    );
}

#[test]
fn a_terminal_without_titles_gets_none() {
    let permit = shared();
    for term in ["linux", "vt100"] {
        let setup = Setup {
            term: Some(term),
            ..Setup::default()
        };
        let (mut ana, bia, _room) = bia_and_ana(&permit, setup);
        assert_eq!(rings(&mut ana, &bia, "ana!", "<bia> ana!"), 1);
        assert!(!ana.raw().contains("\x1b]"), "{term}: {:?}", ana.raw());
    }
}
