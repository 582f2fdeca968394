//! What a member that lies in elections costs the others: its word counts for a while, and then no more.

use std::cell::Cell;
use std::time::Duration;

use crate::node::Weakness;
use crate::node::rig::{Rig, config, office, response};
use crate::node::{Input, LinkId, Timer};
use crate::timing;
use crate::wire::{Key, Message, Position};

const ME: Key = Key(5);
const LEADER: Key = Key(9);
/// The member with the highest id.
const LIAR: Key = Key(10);
/// Who does not exist.
const GHOST: Key = Key(77);

/// A member whose coordinator dies without a word, and the links of so many liars that are higher.
fn bereft(weakened: Option<Weakness>, liars: u64) -> (Rig, Vec<LinkId>) {
    let mut members = vec![(4, LEADER), (2, ME), (3, LIAR)];
    members.extend((1..liars).map(|n| (4 + n, Key(LIAR.0 + n))));
    let mut config = config();
    config.weakened = weakened;
    let mut rig = Rig::seeking(config);
    let leader = rig.meet_as(crate::node::rig::hello(LEADER, Some(office(4, LEADER))));
    rig.receive(
        leader,
        Message::JoinResponse(response(&members, Position::default())),
    );
    let links = (0..liars).map(|n| rig.meet(Key(LIAR.0 + n))).collect();
    rig.receive(leader, Message::Leave);
    (rig, links)
}

/// Every timer that is due runs out; what is sent then.
fn fire_all_due(rig: &mut Rig) -> Vec<Message> {
    let due = rig.timers.iter().filter(|(_, at)| at.0 <= rig.micros);
    let due: Vec<Timer> = due.map(|(timer, _)| *timer).collect();
    let fire = |timer| {
        rig.timers.remove(&timer);
        rig.turn(vec![Input::Timer(timer)])
    };
    due.into_iter().flat_map(fire).collect()
}

/// How long this node is without a coordinator that exists where each liar does this to each ELECTION, and says
/// this on its link all the time; at most a minute. The liars have numbers.
fn leaderless_among(
    liars: u64,
    weakened: Option<Weakness>,
    answer: impl Fn(u64) -> Message,
    says: impl Fn(u64) -> Message,
) -> Duration {
    let (mut rig, links) = bereft(weakened, liars);
    let begun = rig.micros;
    let minute = Duration::from_secs(60);
    loop {
        let long = Duration::from_micros(rig.micros - begun);
        let is_led = rig.node.coordinator().is_some_and(|c| c.key == ME);
        if is_led || long >= minute {
            return long;
        }
        rig.pass(Duration::from_millis(20));
        let mut sent = Vec::new();
        for (number, link) in (0..).zip(&links) {
            sent.extend(rig.receive(*link, says(number)));
        }
        sent.extend(fire_all_due(&mut rig));
        if sent.iter().any(|m| matches!(m, Message::Election { .. })) {
            for (number, link) in (0..).zip(&links) {
                rig.receive(*link, answer(number));
            }
        }
    }
}

/// The same with one liar.
fn leaderless(
    weakened: Option<Weakness>,
    answer: impl Fn() -> Message,
    says: impl Fn() -> Message,
) -> Duration {
    leaderless_among(1, weakened, |_| answer(), |_| says())
}

fn promises() -> Message {
    Message::ElectionOk { coordinator: None }
}

fn names_a_ghost() -> Message {
    let coordinator = Some(office(7, GHOST));
    Message::ElectionOk { coordinator }
}

#[test]
fn who_answers_every_election_and_never_announces_is_passed_by() {
    let silent = || Message::Ping { coordinator: None };
    let long = leaderless(None, promises, silent);
    assert!(long < Duration::from_secs(10), "{long:?}");
    let rule_off = Some(Weakness::PromisesCount);
    let long = leaderless(rule_off, promises, silent);
    assert!(long >= Duration::from_secs(60), "{long:?}");
}

#[test]
fn who_vouches_for_a_coordinator_that_does_not_exist_is_believed_no_more() {
    let vouches = || Message::Ping {
        coordinator: Some(office(7, GHOST)),
    };
    let timeout = config().failure_timeout;
    let long = leaderless(None, names_a_ghost, vouches);
    assert!(long < timeout * (2 * timing::IN_VAIN_TIMEOUTS), "{long:?}");
    let rule_off = Some(Weakness::VouchingCounts);
    let long = leaderless(rule_off, names_a_ghost, vouches);
    assert!(long >= Duration::from_secs(60), "{long:?}");
}

#[test]
fn who_names_the_coordinator_that_is_gone_is_believed_no_more() {
    let gone = || Some(office(4, LEADER));
    let names = || Message::ElectionOk {
        coordinator: gone(),
    };
    let vouches = || Message::Ping {
        coordinator: gone(),
    };
    let timeout = config().failure_timeout;
    let long = leaderless(None, names, vouches);
    assert!(long < timeout * (2 * timing::IN_VAIN_TIMEOUTS), "{long:?}");
    let rule_off = Some(Weakness::LostAreNamed);
    let long = leaderless(rule_off, names, vouches);
    assert!(long >= Duration::from_secs(60), "{long:?}");
    let long = leaderless_among(3, None, |_| names(), |_| vouches());
    assert!(long < timeout * (2 * timing::IN_VAIN_TIMEOUTS), "{long:?}");
}

#[test]
fn who_names_itself_and_lets_nobody_in_is_believed_no_more() {
    let itself = || Some(office(3, LIAR));
    let names = || Message::ElectionOk {
        coordinator: itself(),
    };
    let timeout = config().failure_timeout;
    let rule_off = Some(Weakness::OwnNameCounts);
    // It may be quiet about it for the rest of the time.
    for coordinator in [itself(), None] {
        let says = || Message::Ping {
            coordinator: coordinator.clone(),
        };
        let long = leaderless(None, names, says);
        assert!(long < timeout * (2 * timing::IN_VAIN_TIMEOUTS), "{long:?}");
        let long = leaderless(rule_off, names, says);
        assert!(long >= Duration::from_secs(60), "{long:?}");
    }
}

#[test]
fn several_that_never_announce_themselves_cost_little_more_than_one() {
    let silent = |_| Message::Ping { coordinator: None };
    let long = leaderless_among(3, None, |_| promises(), silent);
    assert!(long < Duration::from_secs(15), "{long:?}");
    let rule_off = Some(Weakness::OnlyOnePays);
    let long = leaderless_among(3, rule_off, |_| promises(), silent);
    assert!(long >= Duration::from_secs(30), "{long:?}");
}

#[test]
fn several_that_name_one_ghost_each_cost_little_more_than_one() {
    let timeout = config().failure_timeout;
    let ghost = |number| Some(office(7 + number, Key(GHOST.0 + number)));
    let names = |number| Message::ElectionOk {
        coordinator: ghost(number),
    };
    let vouches = |number| Message::Ping {
        coordinator: ghost(number),
    };
    let rule_off = Some(Weakness::EachIsBelievedInTurn);
    let long = leaderless_among(3, None, names, vouches);
    assert!(
        long < timeout * (timing::LEADERLESS_TIMEOUTS + 4),
        "{long:?}"
    );
    let long = leaderless_among(3, rule_off, names, vouches);
    assert!(long >= Duration::from_secs(20), "{long:?}");
    // They may be quiet about it but for ELECTION_OK.
    let silent = |_| Message::Ping { coordinator: None };
    let long = leaderless_among(3, None, names, silent);
    assert!(
        long < timeout * (timing::LEADERLESS_TIMEOUTS + 4),
        "{long:?}"
    );
    let long = leaderless_among(3, rule_off, names, silent);
    assert!(long >= Duration::from_secs(20), "{long:?}");
}

/// How long this node is without a coordinator where six liars name a coordinator that does not exist, one after the
/// other, each for five seconds.
fn leaderless_in_turn(weakened: Option<Weakness>) -> Duration {
    let looks = Cell::new(0u64);
    // Each of six is asked what it says fifty times a second.
    let named_by = |number| {
        let is_its_turn = looks.get() / (6 * 250) % 6 == number;
        is_its_turn.then(|| office(7 + number, Key(GHOST.0 + number)))
    };
    let says = |number| {
        looks.set(looks.get() + 1);
        let coordinator = named_by(number);
        Message::Ping { coordinator }
    };
    let answer = |number| match named_by(number) {
        None => Message::Ping { coordinator: None },
        coordinator => Message::ElectionOk { coordinator },
    };
    leaderless_among(6, weakened, answer, says)
}

#[test]
fn several_that_name_ghosts_in_turn_cost_little_more_than_one() {
    let timeout = config().failure_timeout;
    let long = leaderless_in_turn(None);
    assert!(
        long < timeout * (timing::LEADERLESS_TIMEOUTS + 4),
        "{long:?}"
    );
    let long = leaderless_in_turn(Some(Weakness::EachIsBelievedInTurn));
    assert!(long >= Duration::from_secs(25), "{long:?}");
}

#[test]
fn who_waits_for_a_liar_itself_has_its_turn_after_the_liar() {
    let silent = |_| Message::Ping { coordinator: None };
    let one = leaderless_among(1, None, |_| promises(), silent);
    let two = leaderless_among(2, None, |_| promises(), silent);
    assert!(two >= one + Duration::from_millis(1_500), "{one:?} {two:?}");
}

#[test]
fn who_named_the_coordinator_before_it_noticed_that_it_is_gone_is_still_followed() {
    let (mut rig, links) = bereft(None, 1);
    let honest = links[0];
    for times in 1..=2 {
        while !rig.node.is_electing() {
            rig.receive(honest, Message::Ping { coordinator: None });
            rig.fire(Timer::Watch);
        }
        rig.fire(Timer::Election);
        let coordinator = Some(office(4, LEADER));
        rig.receive(honest, Message::ElectionOk { coordinator });
        assert!(!rig.node.is_electing(), "it is believed {times} times");
    }
    while !rig.node.is_electing() {
        rig.receive(honest, Message::Ping { coordinator: None });
        rig.fire(Timer::Watch);
    }
    let sent = rig.fire(Timer::Election);
    let is_question = |m: &Message| matches!(m, Message::Election { .. });
    assert!(sent.iter().any(is_question), "it is asked: {sent:?}");
    rig.receive(honest, promises());
    let view = crate::node::rig::view(4, &[(3, LIAR), (2, ME)]);
    rig.receive(honest, Message::CoordinatorAnnouncement(view));
    assert_eq!(rig.node.coordinator().map(|c| c.key), Some(LIAR));
}

/// How long this node follows a coordinator that has died, whose death a liar denies: it says so in each election, and
/// answers each question for it. At most a minute.
fn follows_the_dead(weakened: Option<Weakness>) -> Duration {
    let mut config = config();
    config.weakened = weakened;
    let members = [(4, LEADER), (2, ME), (3, LIAR)];
    let (mut rig, leader) = Rig::member_with(config, &members);
    let liar = rig.meet(LIAR);
    let answer = Message::SyncAnswer(rig.answer());
    rig.receive(leader, answer);
    assert!(rig.node.is_joined());
    let why = crate::node::Closed::Failed;
    rig.turn(vec![Input::Closed { link: leader, why }]);
    let begun = rig.micros;
    let minute = Duration::from_secs(60);
    loop {
        let long = Duration::from_micros(rig.micros - begun);
        let is_led = rig.node.coordinator().is_some_and(|c| c.key == ME);
        if is_led || long >= minute {
            return long;
        }
        rig.pass(Duration::from_millis(20));
        let mut sent = rig.receive(liar, Message::Ping { coordinator: None });
        if long.as_millis() % 1_000 < 20 {
            rig.say(1);
        }
        sent.extend(fire_all_due(&mut rig));
        for message in sent {
            let coordinator = Some(office(4, LEADER));
            let lie = match message {
                Message::Election { .. } => Message::ElectionOk { coordinator },
                Message::Probe(about) => Message::ProbeAnswer(about),
                _ => continue,
            };
            rig.receive(liar, lie);
        }
    }
}

#[test]
fn a_coordinator_that_confirms_nothing_is_dead_whoever_vouches_for_it() {
    let (kept, forever) = (
        follows_the_dead(None),
        follows_the_dead(Some(Weakness::MuteStayInOffice)),
    );
    assert!(kept <= Duration::from_secs(20), "{kept:?}");
    assert!(forever >= Duration::from_secs(60), "{forever:?}");
}
