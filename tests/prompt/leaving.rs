//! Leaving is never silent: what it waits for is said, and Ctrl-C again ends the wait.

use crate::harness::{Node, Permit, Room, Signal, shared};
use crate::terminal::{Setup, Terminal};

/// Bia is stopped and is not thought to be lost for long, and ana has said something that bia has not
/// confirmed.
fn stopped_bia<'a>(permit: &'a Permit, cols: u16) -> (Terminal, Node, Room<'a>) {
    let args = ["--failure-timeout", "60000"];
    let room = Room::new(permit);
    let bia = room.join_with("bia", &args);
    bia.joined();
    let setup = Setup {
        cols,
        args: &args,
        ..Setup::default()
    };
    let mut ana = Terminal::with(&room, "ana", setup);
    ana.shows("coordinates");
    bia.sees_members(2);
    bia.signal(Signal::STOP);
    ana.keys("one\r");
    ana.shows("«ana» one");
    (ana, bia, room)
}

#[test]
fn what_is_waited_for_is_said_and_ctrl_c_again_leaves_at_once() {
    let permit = shared();
    let line = "· waiting for bia#1 to confirm 1 line; Ctrl-C again leaves at once";
    for (cols, leave) in [(40, "\x03"), (80, "/quit\r"), (200, "\x04")] {
        let (mut ana, bia, _room) = stopped_bia(&permit, cols);
        ana.keys(leave);
        let joined = |t: &Terminal| t.screen().split_whitespace().collect::<Vec<_>>().join(" ");
        ana.wait("what is waited for", |t| joined(t).contains(line));
        ana.keys("\x03");
        assert_eq!(ana.exit().code(), Some(130), "{cols}");
        assert!(ana.is_restored());
        bia.signal(Signal::CONT);
    }
}

#[test]
fn a_wait_that_comes_to_its_end_ends_well() {
    let permit = shared();
    let (mut ana, bia, _room) = stopped_bia(&permit, 80);
    ana.keys("\x03");
    ana.shows("waiting for bia#1 to confirm 1 line");
    bia.signal(Signal::CONT);
    assert_eq!(ana.exit().code(), Some(0));
    bia.heard("ana", 1);
}

#[test]
fn who_waits_for_nobody_says_nothing() {
    let permit = shared();
    let room = Room::new(&permit);
    let mut ana = Terminal::start(&room, "ana");
    ana.shows("you coordinate");
    ana.keys("alone\r");
    ana.shows("«ana» alone");
    ana.keys("\x03");
    assert_eq!(ana.exit().code(), Some(0));
    assert!(!ana.raw().contains("waiting for"), "{:?}", ana.raw());
}
