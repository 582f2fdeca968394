//! A node that is about to leave.

use std::time::Duration;

use crate::node::rig::{Rig, config};
use crate::node::{Closed, Command, Event, Input, LinkId, Timer};
use crate::wire::{Ack, Key, Message};

/// True if ELECTION of a member is answered.
fn answers(rig: &mut Rig, link: LinkId) -> bool {
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

const LEADER: Key = Key(9);
const CARA: Key = Key(10);

/// A member of a room of three that has said a line: its links with the coordinator, and with cara, who has confirmed
/// it.
fn half_confirmed() -> (Rig, [LinkId; 2]) {
    let members = [(1, LEADER), (2, config().key), (3, CARA)];
    let (mut rig, leader) = Rig::member_among(&members);
    rig.receive(leader, Message::SyncAnswer(rig.answer()));
    let cara = rig.meet(CARA);
    while !rig.node.is_joined() {
        rig.receive(leader, Message::Ping { coordinator: None });
        rig.fire(Timer::Tick);
    }
    rig.say(1);
    confirm(&mut rig, cara, 1);
    (rig, [leader, cara])
}

/// The peer of this link has all lines up to this one.
fn confirm(rig: &mut Rig, link: LinkId, seq: u64) {
    let (from, missed) = (1, Vec::new());
    rig.receive(link, Message::Ack(Ack { from, seq, missed }));
}

/// The user wants to leave, and would wait for longer than this test lasts.
fn want_to_leave(rig: &mut Rig) {
    let patience = Duration::from_secs(3_600);
    rig.turn(vec![Input::Command(Command::Leave { patience })]);
}

/// The process at the other end of this link ends: its stream ends, and nobody takes the dial that follows.
fn kill(rig: &mut Rig, link: LinkId) {
    rig.done.clear();
    let why = Closed::Ended;
    rig.turn(vec![Input::Closed { link, why }]);
    let (link, _) = rig.dials().pop().expect("it is dialled");
    let why = Closed::Refused;
    rig.turn(vec![Input::Closed { link, why }]);
}

/// How many lines are not confirmed, if this node leaves as soon as the chat of others is quiet.
fn leaves(rig: &mut Rig) -> Option<u64> {
    rig.pass(crate::timing::LEAVE_QUIET_MAX);
    rig.turn(Vec::new());
    rig.shown.iter().find_map(|event| match event {
        Event::Left { unconfirmed, .. } => Some(*unconfirmed),
        _ => None,
    })
}

#[test]
fn a_leaver_does_not_wait_for_its_coordinator_whose_process_has_ended() {
    let (mut rig, leader) = Rig::member_of(LEADER);
    rig.receive(leader, Message::SyncAnswer(rig.answer()));
    rig.say(1);
    want_to_leave(&mut rig);
    assert_eq!(leaves(&mut rig), None, "it may confirm the line yet");
    kill(&mut rig, leader);
    assert_eq!(leaves(&mut rig), Some(1), "nobody has it");
}

/// The other one may be leaving, too, so that nobody ever announces a view without the coordinator.
#[test]
fn two_leavers_do_not_wait_for_each_other_to_elect() {
    let (mut rig, [leader, cara]) = half_confirmed();
    rig.say(1);
    want_to_leave(&mut rig);
    kill(&mut rig, leader);
    assert_eq!(leaves(&mut rig), None, "cara has one of two");
    confirm(&mut rig, cara, 2);
    assert_eq!(leaves(&mut rig), Some(0));
}

/// A refusal may be a firewall's: the coordinator may still reach that member, and says whether it is gone.
#[test]
fn a_leaver_leaves_it_to_its_coordinator_who_else_is_gone() {
    let (mut rig, [leader, cara]) = half_confirmed();
    rig.say(1);
    confirm(&mut rig, leader, 2);
    want_to_leave(&mut rig);
    kill(&mut rig, cara);
    assert_eq!(leaves(&mut rig), None);
    // Once nobody can say that any more, what this node has seen counts.
    rig.receive(leader, Message::Leave);
    assert_eq!(leaves(&mut rig), Some(0));
}
