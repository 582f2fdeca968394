//! Machines that sleep and wake up.

use std::time::Instant;

use crate::harness::{Node, PATIENCE, Signal, ms, said_by};
use crate::lab::{Lab, join_one_by_one};
use crate::{elections, everybody_hears_everybody, figure, one_room};

/// One of three falls asleep until the others have given it up, and wakes up.
fn sleep(which: usize) {
    let Some(lab) = Lab::new() else { return };
    let switch = lab.switch("lan");
    let hosts = lab.usual_hosts(&switch, ["ana", "bia", "caio"]);
    let nodes = join_one_by_one(&hosts);
    let nodes = nodes.each_ref();
    one_room(&nodes, Instant::now(), PATIENCE);
    let ids = nodes.map(|n| n.id());
    let sleeper = nodes[which];
    let rest: Vec<&Node> = (nodes.iter().copied())
        .filter(|n| n.name != sleeper.name)
        .collect();
    let slept = sleeper.signal(Signal::STOP);
    sleeper.say("typed while asleep");
    for node in &rest {
        node.sees_members(2);
    }
    figure("the others noticed after", slept.elapsed());
    rest[0].say("missed");
    rest[1].heard(&rest[0].name, 1);

    let woke = sleeper.signal(Signal::CONT);
    let history = one_room(&nodes, woke, ms(3_000));
    figure("elections held then", elections(&nodes, woke));
    assert_eq!(nodes.map(|n| n.id()), ids);
    assert_eq!(said_by(&history, &sleeper.name), ["typed while asleep"]);
    assert_eq!(said_by(&history, &rest[0].name), ["missed"]);
    sleeper.heard(&rest[0].name, 1);
    everybody_hears_everybody(&nodes, "farewell");
}

#[test]
fn a_member_that_slept_is_back_by_itself_with_its_id_and_its_lines() {
    sleep(1);
}

#[test]
fn a_coordinator_that_slept_is_back_by_itself_with_its_id_and_its_lines() {
    sleep(0);
}
