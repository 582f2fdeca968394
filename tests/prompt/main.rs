//! Tests of the prompt in a real pseudo-terminal: keys in, screen out, with other real nodes in the
//! room.
#![cfg(target_os = "linux")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run against real clocks and take real random addresses"
)]
#![allow(
    dead_code,
    unused_imports,
    reason = "the harness is shared with other tests"
)]

mod attention;
mod completing;
mod demo;
#[path = "../harness/mod.rs"]
mod harness;
mod leaving;
mod noise;
mod reading;
mod rooms;
mod terminal;
mod words;

use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use harness::{Node, Permit, Room, Signal, alone, eventually, let_pass, shared};
use terminal::{PATIENCE, Terminal};

/// Ana at the prompt, and bia, who prints events.
fn two(permit: &Permit) -> (Terminal, Node) {
    let room = Room::new(permit);
    let bia = room.join("bia");
    bia.joined();
    let mut ana = Terminal::start(&room, "ana");
    ana.shows("here: bia#1");
    ana.prompt("", "");
    bia.sees_members(2);
    (ana, bia)
}

/// What bia heard from ana, in order.
fn heard(bia: &Node) -> Vec<String> {
    bia.look(|record| {
        let texts = record.all("message").filter(|e| e.text("nick") == "ana");
        texts.map(|e| e.text("text").to_owned()).collect()
    })
}

#[test]
fn a_message_that_comes_while_typing_disturbs_nothing() {
    let permit = shared();
    let (mut ana, bia) = two(&permit);
    ana.keys("half a lne\x1b[D\x1b[D");
    ana.prompt("half a l", "ne");
    bia.say("hello there");
    ana.shows("<bia> hello there");
    ana.prompt("half a l", "ne");
    ana.keys("i\r");
    bia.heard("ana", 1);
    assert_eq!(heard(&bia), ["half a line"]);
    ana.shows("«ana» half a line");
    ana.prompt("", "");
}

#[test]
fn wide_and_combining_characters_are_edited_as_what_they_look_like() {
    let permit = shared();
    let (mut ana, bia) = two(&permit);
    ana.keys("日本語e\u{301}!");
    ana.prompt("日本語e\u{301}!", "");
    // Past the exclamation mark, the e with its accent, and one wide character.
    ana.keys("\x1b[D\x1b[D\x1b[Dx");
    ana.prompt("日本x", "語e\u{301}!");
    // Ctrl-E, and the accented e goes as one.
    ana.keys("\x05\x7f\x7f\r");
    bia.heard("ana", 1);
    assert_eq!(heard(&bia), ["日本x語"]);
}

#[test]
fn pasted_lines_are_shown_before_they_are_sent_and_esc_drops_them() {
    let permit = shared();
    let (mut ana, bia) = two(&permit);
    ana.keys("\x1b[200~never\nsent\x1b[201~");
    ana.shows("never");
    ana.keys("\x1b");
    ana.wait("the paste goes", |t| !t.screen().contains("never"));
    ana.keys("\x1b[200~/one\ntwo\nthree\x1b[201~");
    ana.shows("three");
    assert_eq!(heard(&bia), [""; 0]);
    ana.keys("\r");
    bia.heard("ana", 3);
    assert_eq!(heard(&bia), ["/one", "two", "three"]);
}

#[test]
fn blank_lines_of_a_paste_are_left_out_and_that_is_said() {
    let permit = shared();
    let (mut ana, bia) = two(&permit);
    ana.keys("\x1b[200~one\n\ntwo\n \n\nthree\n\x1b[201~");
    ana.shows("Enter sends these 3 lines, no blank ones; Esc drops them");
    ana.keys("\r");
    bia.heard("ana", 3);
    assert_eq!(heard(&bia), ["one", "two", "three"]);
}

#[test]
fn nicks_are_completed_wherever_they_stand() {
    let permit = shared();
    let room = Room::new(&permit);
    let bia = room.join("bia");
    bia.joined();
    let zoe = room.join("Zoe M");
    zoe.joined();
    let mut ana = Terminal::start(&room, "ana");
    ana.shows("Zoe M#2");
    for (typed, completed) in [
        ("b", "bia: "),
        ("hello b", "hello bia "),
        ("hello (b", "hello (bia "),
        ("/msg b", "/msg bia "),
        ("/WHOIS b", "/WHOIS bia "),
        ("/ignore b", "/ignore bia "),
        ("/unignore b", "/unignore bia "),
        ("zoe m", "Zoe M: "),
        ("/whois zoe m", "/whois Zoe M "),
    ] {
        ana.keys(&format!("\x15{typed}\t"));
        ana.prompt(completed, "");
    }
    ana.keys("\r");
    ana.shows("Zoe M#2");
    ana.prompt("", "");
}

#[test]
fn a_long_line_is_whole_in_any_width() {
    let permit = shared();
    let (mut ana, bia) = two(&permit);
    let line = "abcdefghij".repeat(15);
    ana.keys(&line);
    let holds = |t: &Terminal, text: &str| t.screen().replace('\n', "").contains(text);
    ana.wait("the line", |t| holds(t, &line));
    ana.resize(40, 20);
    ana.wait("the line in 40 columns", |t| holds(t, &line));
    bia.say("and a message above it");
    ana.shows("<bia> and a message above it");
    ana.wait("the line below it", |t| holds(t, &line));
    ana.resize(120, 30);
    ana.keys("!\r");
    bia.heard("ana", 1);
    assert_eq!(heard(&bia), [line + "!"]);
}

#[test]
fn ctrl_z_gives_the_terminal_back_and_fg_takes_it_again() {
    let permit = shared();
    let (mut ana, bia) = two(&permit);
    ana.keys("kept");
    ana.prompt("kept", "");
    ana.keys("\x1a");
    eventually("papo stops", PATIENCE, || ana.is_stopped());
    assert!(ana.is_restored());
    bia.say("said meanwhile");
    ana.signal(Signal::CONT);
    ana.shows("<bia> said meanwhile");
    ana.prompt("kept", "");
    ana.keys(" line\r");
    bia.heard("ana", 1);
    assert_eq!(heard(&bia), ["kept line"]);
}

#[test]
fn signals_end_it_in_good_order_with_the_terminal_restored() {
    let permit = shared();
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        if signal == Signal::HUP && is_ignored(signal) {
            eprintln!("no SIGHUP: these tests run under nohup, which papo inherits");
            continue;
        }
        let (mut ana, bia) = two(&permit);
        assert!(!ana.is_restored());
        ana.keys("never sent");
        ana.prompt("never sent", "");
        ana.signal(signal);
        assert_eq!(ana.exit().code(), Some(0), "{signal:?}");
        assert!(ana.is_restored(), "{signal:?}");
        let gone = bia.event("ana is gone", |e| e.is("member_left"));
        assert_eq!(gone.text("reason"), "left");
    }
}

/// It is how a program is ended that does not leave, so nothing is waited for.
#[test]
fn sigquit_ends_it_as_it_ends_any_process_with_the_terminal_restored() {
    if is_ignored(Signal::QUIT) {
        eprintln!(
            "skipped: these tests run in the background of a script, so that SIGQUIT is ignored, also by papo"
        );
        return;
    }
    let permit = shared();
    let (mut ana, bia) = two(&permit);
    ana.keys("never sent");
    ana.prompt("never sent", "");
    ana.forbid_core_dumps();
    ana.signal(Signal::QUIT);
    let died_of = ana.exit().signal();
    assert_eq!(died_of, Some(Signal::QUIT.as_raw()));
    assert!(ana.is_restored());
    let gone = bia.event("ana is gone", |e| e.is("member_left"));
    assert_eq!(gone.text("reason"), "lost");
}

/// Whoever started these tests has this signal ignored, and what is started from here too.
pub fn is_ignored(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut lines = status.lines();
    let ignored = lines.find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal.as_raw() - 1) & 1 == 1)
}

#[test]
fn ctrl_c_clears_a_line_and_leaves_on_an_empty_one_as_ctrl_d_does() {
    let permit = shared();
    for last in ["\x03", "\x04"] {
        let (mut ana, bia) = two(&permit);
        ana.keys("not this");
        ana.prompt("not this", "");
        ana.keys("\x03");
        ana.prompt("", "");
        ana.keys("but this\r");
        bia.heard("ana", 1);
        ana.keys(last);
        assert_eq!(ana.exit().code(), Some(0));
        assert!(ana.is_restored());
        assert_eq!(heard(&bia), ["but this"]);
    }
}

#[test]
fn a_terminal_that_nobody_reads_delays_no_heartbeat() {
    let permit = alone();
    let room = Room::new(&permit);
    let mut ana = Terminal::start(&room, "ana");
    ana.shows("you coordinate");
    let bia = room.join("bia");
    bia.joined();
    ana.shows("bia#2 joined");
    let mark = bia.mark();
    for n in 0..2_000 {
        bia.say(&format!("line {n} {}", "x".repeat(60)));
    }
    // Three seconds without a look at the screen: three times the failure timeout.
    let_pass(Duration::from_secs(3));
    bia.event_after(mark, "all is confirmed", |e| {
        e.is("delivered") && e.text("id").ends_with("-2000")
    });
    bia.look(|record| {
        assert_eq!(record.all("election").count(), 0);
        assert_eq!(record.all("member_left").count(), 0);
    });
    ana.shows("line 1999");
}

#[test]
fn escape_sequences_of_others_are_shown_and_not_obeyed() {
    let permit = shared();
    let (mut ana, bia) = two(&permit);
    bia.say("a\u{1b}]0;title\u{7}b\u{1b}[31mc\u{9b}2Jd\u{202e}e");
    ana.wait("the message", |t| t.screen().contains("<bia> a"));
    ana.prompt("", "");
    let raw = ana.screen();
    assert!(raw.contains("b^[[31mc"), "{raw}");
    assert!(!ana.raw().contains("\x1b]0;"));
}

#[test]
fn the_last_twenty_messages_greet_who_joins() {
    let permit = shared();
    let room = Room::new(&permit);
    let bia = room.join("bia");
    bia.joined();
    for n in 0..30 {
        bia.say(&format!("old {n}."));
    }
    bia.event("all is said", |e| {
        e.is("message") && e.text("text") == "old 29."
    });
    let mut ana = Terminal::start(&room, "ana");
    ana.shows("old 29.");
    ana.prompt("", "");
    let screen = ana.screen();
    assert!(
        screen.contains("old 10.") && !screen.contains("old 9."),
        "{screen}"
    );
}

#[test]
fn a_terminal_that_obeys_no_control_sequence_gets_none() {
    let permit = shared();
    for term in [Some("dumb"), Some("unknown"), Some(""), None] {
        let room = Room::new(&permit);
        let bia = room.join("bia");
        bia.joined();
        bia.say("said before");
        bia.heard("bia", 1);
        let mut ana = Terminal::of_type(term, &room, "ana");
        ana.wait("the history", |t| t.screen().contains("<bia> said before"));
        ana.keys("hello\r");
        bia.heard("ana", 1);
        bia.say("good morning");
        ana.wait("an answer", |t| t.screen().contains("<bia> good morning"));
        ana.keys("/members\r");
        ana.wait("a command's answer", |t| t.screen().contains("bia#1"));
        ana.keys("/quit\r");
        let status = ana.exit();
        assert!(status.success(), "{term:?}: {status}");
        assert!(!ana.raw().contains('\x1b'), "{term:?}: {:?}", ana.raw());
    }
}
