//! A node that is about to leave.

use std::time::Duration;

use crate::node::rig::{Rig, config};
use crate::node::{Command, Event, Input, Timer};
use crate::wire::{Key, Message};

/// True if ELECTION of a member is answered.
fn answers(rig: &mut Rig, link: crate::node::LinkId) -> bool {
    let (id, forced) = (2, false);
    let sent = rig.receive(link, Message::Election { id, forced });
    let is_answer = |m: &Message| matches!(m, Message::ElectionOk { .. });
    sent.iter().any(is_answer)
}

#[test]
fn a_leaver_answers_no_election() {
    let mut rig = Rig::new();
    let link = rig.meet(Key(9));
    rig.admit(link, Key(9));
    assert!(answers(&mut rig, link), "whoever stays answers");
    // Nobody confirms it, so that the node waits.
    rig.say(1);
    let patience = Duration::from_secs(5);
    rig.turn(vec![Input::Command(Command::Leave { patience })]);
    assert!(!answers(&mut rig, link));
}

#[test]
fn a_leaver_that_elects_does_not_take_the_office() {
    let mut rig = Rig::new();
    let link = rig.meet(Key(9));
    rig.admit(link, Key(9));
    rig.say(1);
    let asked = rig.turn(vec![Input::Command(Command::Elect)]);
    let is_asked = |m: &Message| matches!(m, Message::Election { .. });
    assert!(asked.iter().any(is_asked), "the higher member is asked");
    let patience = Duration::from_secs(5);
    rig.turn(vec![Input::Command(Command::Leave { patience })]);
    let sent = rig.turn(vec![Input::Timer(Timer::Election)]);
    let announces = |m: &Message| matches!(m, Message::CoordinatorAnnouncement(_));
    assert!(!sent.iter().any(announces), "{sent:?}");
    assert!(!rig.node.is_electing());
}

#[test]
fn a_leaver_that_elects_does_not_take_the_office_when_the_last_higher_member_leaves() {
    let mut rig = Rig::new();
    let link = rig.meet(Key(9));
    rig.admit(link, Key(9));
    rig.say(1);
    rig.turn(vec![Input::Command(Command::Elect)]);
    let patience = Duration::from_secs(5);
    rig.turn(vec![Input::Command(Command::Leave { patience })]);
    rig.receive(link, Message::Leave);
    assert_eq!(rig.node.coordinator(), None);
}

/// True if a node that looks for its room, and whose user has typed so many lines, leaves as soon as it is
/// to.
fn leaves_before_joining(lines: usize) -> bool {
    let mut rig = Rig::seeking(config());
    rig.say(lines);
    let patience = Duration::from_secs(5);
    rig.turn(vec![Input::Command(Command::Leave { patience })]);
    rig.pass(crate::timing::LEAVE_QUIET_MAX);
    rig.turn(Vec::new());
    let is_left = |e: &Event| matches!(e, Event::Left { .. });
    rig.shown.iter().any(is_left)
}

#[test]
fn who_leaves_before_it_has_found_its_room_waits_for_it_only_with_lines_to_say() {
    assert!(leaves_before_joining(0));
    assert!(!leaves_before_joining(1));
}
