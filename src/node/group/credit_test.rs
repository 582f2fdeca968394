//! What a member that lies in elections costs the others: its word counts for a while, and then no more.

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

/// A member whose coordinator dies without a word, and the link of a liar that is higher.
fn bereft(weakened: Option<Weakness>) -> (Rig, LinkId) {
    let members = [(4, LEADER), (2, ME), (3, LIAR)];
    let mut config = config();
    config.weakened = weakened;
    let mut rig = Rig::seeking(config);
    let leader = rig.meet_as(crate::node::rig::hello(LEADER, Some(office(4, LEADER))));
    rig.receive(
        leader,
        Message::JoinResponse(response(&members, Position::default())),
    );
    let liar = rig.meet(LIAR);
    rig.receive(leader, Message::Leave);
    (rig, liar)
}

/// How long this node is without a coordinator that exists where the liar does this to each ELECTION, and says
/// this on its link all the time; at most a minute.
fn leaderless(
    weakened: Option<Weakness>,
    answer: impl Fn() -> Message,
    says: impl Fn() -> Message,
) -> Duration {
    let (mut rig, liar) = bereft(weakened);
    let begun = rig.micros;
    let minute = Duration::from_secs(60);
    loop {
        let long = Duration::from_micros(rig.micros - begun);
        let is_led = rig.node.coordinator().is_some_and(|c| c.key == ME);
        if is_led || long >= minute {
            return long;
        }
        rig.pass(Duration::from_millis(20));
        let due: Vec<Timer> = (rig.timers.iter())
            .filter(|(_, at)| at.0 <= rig.micros)
            .map(|(timer, _)| *timer)
            .collect();
        let mut sent = rig.receive(liar, says());
        for timer in due {
            rig.timers.remove(&timer);
            sent.extend(rig.turn(vec![Input::Timer(timer)]));
        }
        if sent.iter().any(|m| matches!(m, Message::Election { .. })) {
            rig.receive(liar, answer());
        }
    }
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
