//! A node that looks for its room, and one that was away from it.

use std::time::Duration;

use crate::node::rig::{Rig, address, config, hello, office, response};
use crate::node::{Closed, Config, Effect, Event, Input, LinkId, Timer, Weakness, micros};
use crate::timing;
use crate::wire::{Datagram, Key, Message, Position};

const BEN: Key = Key(8);
const LEADER: Key = Key(9);

fn heartbeat(room: &str) -> Input {
    let datagram = Datagram::Heartbeat {
        room: room.to_string(),
        coordinator: office(1, LEADER),
        members: 1,
        nick: None,
    };
    let from = address(6_000).0;
    Input::Datagram { from, datagram }
}

#[test]
fn nobody_founds_a_room_before_it_has_looked_for_one_for_the_whole_window() {
    let mut rig = Rig::seeking(config());
    let mut requests = 0;
    while !rig.node.is_joined() {
        let multicasts = rig.done.drain(..).filter(|effect| {
            let Effect::Multicast(datagram) = effect else {
                return false;
            };
            matches!(datagram, Datagram::JoinRequest(_))
        });
        requests += multicasts.count();
        rig.fire(Timer::Join);
    }
    assert!(rig.micros >= micros(timing::DISCOVERY_WINDOW));
    assert!(requests >= 3, "{requests}");
}

#[test]
fn the_heartbeat_of_another_room_is_not_heard() {
    let mut rig = Rig::seeking(config());
    rig.turn(vec![heartbeat("kitchen")]);
    assert!(!rig.node.hears_group());
    rig.turn(vec![heartbeat("lobby")]);
    assert!(rig.node.hears_group());
}

#[test]
fn whoever_looks_for_the_room_asks_where_a_peer_points_to() {
    let mut rig = Rig::seeking(config());
    let ben = rig.meet(BEN);
    let mut leader = office(1, LEADER);
    leader.addresses = vec![address(4_009)];
    rig.receive(ben, Message::Referral(leader));
    let dials = rig.dials();
    assert!(dials.iter().any(|(_, to)| *to == address(4_009).0));
}

#[test]
fn a_coordinator_that_was_away_asks_everybody_before_it_takes_the_office_up_again() {
    let mut rig = Rig::new();
    let ben = rig.meet(BEN);
    rig.admit(ben, BEN);
    rig.shown.clear();
    rig.pass(rig.node.cx.config.failure_timeout * 2);
    let sent = rig.turn(vec![Input::Away]);
    assert_eq!(rig.node.coordinator(), None);
    let is_asked = |m: &Message| matches!(m, Message::JoinRequest(r) if r.key == Key(5));
    assert!(sent.iter().any(is_asked), "on the links: {sent:?}");
    let is_multicast =
        |e: &Effect| matches!(e, Effect::Multicast(Datagram::JoinRequest(r)) if r.key == Key(5));
    assert!(rig.done.iter().any(is_multicast), "by multicast");
    while rig.node.coordinator().is_none() {
        rig.fire(Timer::Join);
    }
    let is_own = |e: &Event| matches!(e, Event::Election { .. });
    assert!(!rig.shown.iter().any(is_own), "without an election");
    assert_eq!(rig.node.coordinator().map(|c| c.key), Some(Key(5)));
}

/// What answers the question is told from what answers an earlier one, which let this node in before.
#[test]
fn whoever_was_away_asks_with_a_number_of_its_own() {
    let numbers = |rig: &mut Rig| {
        rig.done.clear();
        rig.pass(rig.node.cx.config.failure_timeout * 2);
        let sent = rig.turn(vec![Input::Away]);
        let on_links = sent.iter().filter_map(|message| match message {
            Message::JoinRequest(request) => Some(request.no),
            _ => None,
        });
        let by_multicast = rig.done.iter().filter_map(|effect| match effect {
            Effect::Multicast(Datagram::JoinRequest(request)) => Some(request.no),
            _ => None,
        });
        on_links.chain(by_multicast).collect::<Vec<_>>()
    };
    let (mut member, _) = Rig::member_of(LEADER);
    let mut coordinator = Rig::new();
    let ben = coordinator.meet(BEN);
    coordinator.admit(ben, BEN);
    for rig in [&mut member, &mut coordinator] {
        let before = rig.node.group.question;
        let asked = numbers(rig);
        assert!(asked.len() >= 2, "on a link and by multicast: {asked:?}");
        assert!(asked.iter().all(|no| *no == before + 1), "{asked:?}");
    }
}

/// Each of them is heard for a second, and none is ever reached.
#[test]
fn coordinators_that_are_heard_one_after_the_other_put_a_room_off_for_seconds_only() {
    let mut rig = Rig::seeking(config());
    let patience = rig.node.cx.config.failure_timeout + timing::DISCOVERY_WINDOW;
    let longest = patience * timing::SEEKING_PATIENCES + timing::DISCOVERY_WINDOW * 2;
    while !rig.node.is_joined() {
        let datagram = Datagram::Heartbeat {
            room: "lobby".to_string(),
            coordinator: office(1, Key(1_000 + rig.micros / 1_000_000)),
            members: 1,
            nick: None,
        };
        let from = address(6_000).0;
        rig.turn(vec![Input::Datagram { from, datagram }]);
        rig.fire(Timer::Join);
        assert!(rig.micros <= micros(longest), "{} us", rig.micros);
    }
    assert!(rig.micros >= micros(patience * timing::SEEKING_PATIENCES));
}

/// The number of the question that this node puts to ben, who is linked and says that he coordinates.
fn asked(rig: &mut Rig, ben: LinkId) -> u64 {
    let coordinator = Some(office(7, BEN));
    let sent = rig.receive(ben, Message::Ping { coordinator });
    let question = sent.iter().find_map(|m| match m {
        Message::JoinRequest(request) => Some(request.no),
        _ => None,
    });
    question.expect("a question")
}

/// Ben's answer to the question with this number.
fn answer(no: u64) -> Message {
    let mut answer = response(&[(7, BEN), (2, config().key)], Position::default());
    answer.no = no;
    Message::JoinResponse(answer)
}

#[test]
fn an_answer_to_an_earlier_question_changes_nothing() {
    let (mut rig, _) = Rig::member_of(LEADER);
    let ben = rig.meet(BEN);
    let first = asked(&mut rig, ben);
    // It comes to nothing: nobody says any more that ben coordinates.
    while rig.timers.contains_key(&Timer::Join) {
        rig.fire(Timer::Join);
    }
    let second = asked(&mut rig, ben);
    assert!(second > first, "{second} after {first}");
    rig.receive(ben, answer(first));
    assert_eq!(rig.node.coordinator().map(|c| c.key), Some(LEADER));
    rig.receive(ben, answer(second));
    assert_eq!(rig.node.coordinator().map(|c| c.key), Some(BEN));
}

#[test]
fn an_answer_to_an_earlier_question_takes_nobody_out_of_office() {
    let mut rig = Rig::new();
    let ben = rig.meet(BEN);
    let no = asked(&mut rig, ben);
    rig.receive(ben, answer(no - 1));
    assert_eq!(rig.node.coordinator().map(|c| c.key), Some(config().key));
    rig.receive(ben, answer(no));
    assert_eq!(rig.node.coordinator().map(|c| c.key), Some(BEN));
}

#[test]
fn who_repeats_no_number_answers_any_question() {
    let (mut rig, _) = Rig::member_of(LEADER);
    let ben = rig.meet(BEN);
    asked(&mut rig, ben);
    rig.receive(ben, answer(0));
    assert_eq!(rig.node.coordinator().map(|c| c.key), Some(BEN));
}

/// The time it takes until there is a room, after one or as many coordinators as come left just when they were reached.
fn founds_after(weakened: Option<Weakness>, leavers: usize) -> u64 {
    let mut rig = Rig::seeking(Config {
        weakened,
        ..config()
    });
    for key in (1_000..).map(Key).take(leavers) {
        let link = rig.meet_as(hello(key, Some(office(1, key))));
        while rig.micros < micros(timing::DISCOVERY_WINDOW) {
            rig.fire(Timer::Join);
        }
        rig.fire(Timer::Join);
        rig.receive(link, Message::Leave);
        if rig.node.is_joined() {
            return rig.micros;
        }
    }
    while !rig.node.is_joined() {
        rig.fire(Timer::Join);
    }
    rig.micros
}

#[test]
fn whoever_was_about_to_reach_a_coordinator_that_leaves_looks_for_those_that_it_led() {
    let window = micros(timing::DISCOVERY_WINDOW);
    assert!(founds_after(None, 1) >= 2 * window);
    let weakened = Some(Weakness::LeaversEndTheSearch);
    assert!(founds_after(weakened, 1) < 2 * window);
    let patience = config().failure_timeout + timing::DISCOVERY_WINDOW;
    let longest = patience * timing::SEEKING_PATIENCES + timing::DISCOVERY_WINDOW * 2;
    assert!(founds_after(None, 1_000) <= micros(longest));
}

/// Its coordinator has died, and a member that has not noticed names it to a newcomer for this long. When the newcomer
/// founds a room of its own.
fn founds_beside_a_member(weakened: Option<Weakness>, unnoticed: Duration) -> Duration {
    let mut rig = Rig::seeking(Config {
        weakened,
        ..config()
    });
    let leader = office(1, LEADER);
    let link = rig.meet_as(hello(LEADER, Some(leader.clone())));
    let why = Closed::Ended;
    rig.turn(vec![Input::Closed { link, why }]);
    for (link, _) in rig.dials() {
        let why = Closed::Refused;
        rig.turn(vec![Input::Closed { link, why }]);
    }
    let ben = rig.meet(BEN);
    while !rig.node.is_joined() {
        if Duration::from_micros(rig.micros) < unnoticed {
            rig.receive(ben, Message::Referral(leader.clone()));
        }
        rig.fire(Timer::Join);
    }
    Duration::from_micros(rig.micros)
}

#[test]
fn whoever_hears_of_a_coordinator_that_is_dead_waits_for_the_election() {
    let window = timing::DISCOVERY_WINDOW;
    let unnoticed = window * 2;
    assert!(founds_beside_a_member(None, unnoticed) >= unnoticed);
    let weakened = Some(Weakness::NamersOfTheDeadAreNobody);
    assert!(founds_beside_a_member(weakened, unnoticed) < unnoticed);
    // Whoever lies does not keep it from a room for ever.
    let patience = config().failure_timeout + window;
    let longest = patience * timing::SEEKING_PATIENCES + window * 2;
    assert!(founds_beside_a_member(None, longest * 2) <= longest);
}
