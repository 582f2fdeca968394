//! The lines above the prompt: how they look, and that nothing in them is dangerous.

use papo::identity::Fingerprint;
use papo::limits::PRINT_BYTES_MAX;
use papo::ui::terminal::ShownMessage;
use papo::wire::Key;

use crate::tty::{DAY_MS, Tty, WALL_MS, member, message};

#[test]
fn texts_of_others_cannot_reach_the_terminal() {
    // So wide that nothing is wrapped.
    let mut tty = Tty::new(300, 10);
    let evil = "\x1b[2J\x1b]0;title\x07\r\n\x08\u{9b}31m\u{202e}x\x7f";
    tty.terminal
        .set_members(&[member(5, evil), member(6, evil)]);
    tty.written.clear();
    tty.terminal.print_message(&message(evil, 5, evil));
    let private_to = Some(evil);
    tty.terminal.print_message(&ShownMessage {
        private_to,
        ..message(evil, 1, evil)
    });
    tty.terminal.print_notice(WALL_MS, evil);
    tty.terminal.print_warning(WALL_MS, evil);
    tty.terminal.print_text(&evil.replace('\n', ""));
    tty.terminal.print_welcome(WALL_MS, Some(Key(5)), false);
    tty.terminal.set_status(Some(evil.into()));
    tty.flush();
    let text = String::from_utf8(tty.written.clone()).unwrap();
    for bad in [
        "\x1b[2J", "\x1b]", "\x07", "\x08", "\u{9b}", "\u{202e}", "\x7f",
    ] {
        assert!(!text.contains(bad), "{bad:?} in {text:?}");
    }
    // Six lines, then a row with the status.
    assert_eq!(text.matches('\n').count(), 7);
}

#[test]
fn people_are_told_apart() {
    let mut tty = Tty::new(90, 12);
    tty.terminal.print_message(&message("ana", 3, "alone"));
    let members = [(1, "me"), (3, "ana"), (7, "ana"), (4, "bob")];
    tty.terminal
        .set_members(&members.map(|(id, nick)| member(id, nick)));
    for (nick, id, text) in [
        ("ana", 3, "hi me!"),
        ("ana", 7, "home"),
        ("bob", 4, "x"),
        ("bob", 9, "a bob who is gone"),
        ("me", 1, "mine"),
    ] {
        tty.terminal.print_message(&message(nick, id, text));
    }
    let private_to = Some("me");
    tty.terminal.print_message(&ShownMessage {
        private_to,
        ..message("bob", 4, "psst")
    });
    tty.terminal.print_welcome(WALL_MS, Some(Key(4)), false);
    tty.flush();
    assert_eq!(
        tty.rows(),
        [
            "14:13 <ana> alone",
            "14:13 <ana#3> hi me!",
            "14:13 <ana#7> home",
            "14:13 <bob> x",
            "14:13 <bob#9> a bob who is gone",
            "14:13 «me» mine",
            "14:13 <bob → me> psst",
            "14:13 · in lobby as me#1; here: ana#3, ana#7, bob#4; bob#4 coordinates",
            "[lobby] me>",
        ]
    );
    let cell = |row, col| tty.emulator.screen().cell(row, col).unwrap();
    assert_eq!(cell(1, 7).fgcolor(), cell(0, 7).fgcolor());
    assert_ne!(cell(1, 7).fgcolor(), cell(3, 7).fgcolor());
    assert!(cell(1, 17).inverse() && cell(1, 18).inverse() && !cell(1, 19).inverse());
    assert!(!cell(2, 16).inverse());
    assert!(cell(5, 7).bold() && cell(7, 6).dim());
}

#[test]
fn colours_follow_the_person_and_somebody_else_under_a_known_nick_is_marked() {
    let mut tty = Tty::new(90, 12);
    let print = |tty: &mut Tty, nick, id, person: u8, is_another| {
        let shown = ShownMessage {
            identity: Some(Fingerprint::of(&[person; 32])),
            is_another,
            ..message(nick, id, "hello")
        };
        tty.terminal.print_message(&shown);
    };
    print(&mut tty, "ana", 3, 1, false);
    print(&mut tty, "anna", 4, 1, false);
    print(&mut tty, "ana", 5, 2, true);
    tty.terminal.print_message(&message("ana", 6, "hello"));
    tty.flush();
    let names = ["<ana>", "<anna>", "<ana?>", "<ana>"];
    for (row, name) in tty.rows().iter().zip(names) {
        assert_eq!(*row, format!("14:13 {name} hello"));
    }
    let colour = |row| tty.emulator.screen().cell(row, 7).unwrap().fgcolor();
    assert_eq!(colour(0), colour(1), "one person under two nicks");
    assert_ne!(colour(0), colour(2), "two people under one nick");
    assert_ne!(colour(0), colour(3), "nobody that is known");
}

#[test]
fn without_colours_there_are_none() {
    let mut tty = Tty::with(60, 10, false, false);
    tty.terminal.print_message(&message("ana", 3, "hi me"));
    tty.terminal.print_notice(WALL_MS + DAY_MS, "notice");
    tty.terminal.print_warning(WALL_MS, "warning");
    tty.terminal.set_progress(3, 10);
    tty.keys("a\tb\x1b[D\x12x");
    let text = String::from_utf8(tty.written.clone()).unwrap();
    let colours: Vec<&str> = text
        .split("\x1b[")
        .skip(1)
        .filter(|s| {
            s.trim_start_matches(|c: char| !c.is_alphabetic())
                .starts_with('m')
        })
        .collect();
    assert!(colours.is_empty(), "{colours:?}");
}

#[test]
fn another_day_is_announced_once() {
    let mut tty = Tty::new(60, 10);
    tty.say("bob", "today");
    for _ in 0..2 {
        tty.terminal.print_notice(WALL_MS + DAY_MS, "tomorrow");
    }
    tty.flush();
    assert_eq!(
        tty.rows(),
        [
            "14:13 <bob> today",
            "── Tuesday, 22 September 2026 ──",
            "14:13 · tomorrow",
            "14:13 · tomorrow",
            "[lobby] me>"
        ]
    );
}

#[test]
fn progress_stands_above_the_prompt_until_it_is_done() {
    let mut tty = Tty::new(70, 10);
    tty.keys("half");
    tty.terminal.set_progress(2_500, 10_000);
    tty.flush();
    let bar = "history █████░░░░░░░░░░░░░░░ 25% (2500 of 10000)";
    assert_eq!(tty.rows(), [bar, "[lobby] me> half"]);
    tty.say("bob", "hi");
    tty.terminal.set_progress(u64::MAX, 10_000);
    tty.flush();
    let bar = "history ████████████████████ 100% (10000 of 10000)";
    assert_eq!(tty.rows(), ["14:13 <bob> hi", bar, "[lobby] me> half"]);
    tty.terminal.set_status(None);
    tty.flush();
    assert_eq!(tty.rows(), ["14:13 <bob> hi", "[lobby] me> half"]);
    assert_eq!(tty.at_cursor(), "[lobby] me> half|");
}

#[test]
fn a_terminal_that_is_not_read_costs_bounded_memory() {
    // So high that nothing is folded.
    let mut tty = Tty::new(60, 100);
    for i in 0..2_000 {
        let text = format!("{i} {}", "x".repeat(1_000));
        tty.terminal.print_message(&message("bob", 2, &text));
    }
    assert!(tty.terminal.waiting_bytes() <= PRINT_BYTES_MAX);
    let mut parts = 0;
    loop {
        let mut out = Vec::new();
        tty.terminal.fill(&mut out, 10_000);
        if out.is_empty() {
            break;
        }
        assert!(out.len() < 14_000);
        tty.written.extend_from_slice(&out);
        tty.emulator.process(&out);
        parts += 1;
    }
    assert!(parts > 50);
    let text = String::from_utf8_lossy(&tty.written);
    assert!(text.contains("lines were skipped") && text.contains("1999"));
}

#[test]
fn lines_that_nobody_takes_stay_in_the_prompt() {
    let mut tty = Tty::new(60, 10);
    for _ in 0..1_000 {
        tty.keys("line\r");
    }
    let taken = tty.actions().len();
    assert!(taken < 100);
    assert_eq!(tty.terminal.line().0.len(), 4 * (1_000 - taken));
}
