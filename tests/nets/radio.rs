//! Bad radio.

use std::time::{Duration, Instant};

use crate::harness::{Node, PATIENCE, Typing, let_pass, ms};
use crate::lab::Lab;
use crate::{elections, figure, has_all_of, one_room};

/// As long as somebody needs to be sure that a quiet moment was no luck.
const BAD_RADIO: Duration = Duration::from_secs(30);

#[test]
fn a_third_of_the_datagrams_lost_for_30_s_costs_no_election_and_no_member() {
    let Some(lab) = Lab::new() else { return };
    let switch = lab.switch("radio");
    let hosts = lab.usual_hosts(&switch, ["ana", "bia", "caio", "davi"]);
    let nodes = hosts.each_ref().map(|host| host.join());
    let mut all: Vec<&Node> = nodes.iter().collect();
    one_room(&all, Instant::now(), PATIENCE);

    for host in &hosts {
        host.drops(&["meta l4proto udp numgen random mod 100 < 30"]);
    }
    let started = Instant::now();
    let typing = Typing::start(&all, ms(20));
    let_pass(BAD_RADIO / 2);
    // A newcomer's questions are lost as often as anything.
    let host = lab.usual_host("eva", &switch, 5);
    host.drops(&["meta l4proto udp numgen random mod 100 < 30"]);
    let eva = host.join();
    let joined = eva.joined();
    figure("a newcomer was in after", joined.at - eva.born);
    let_pass(BAD_RADIO.saturating_sub(started.elapsed()));
    let said = typing.stop();
    all.push(&eva);
    let held = elections(&all, started);
    figure("elections held", held);
    assert_eq!(held, 0);
    let stopped = Instant::now();
    let history = one_room(&all, stopped, PATIENCE);
    for node in &nodes {
        has_all_of(&history, &node.name, said);
        node.look(|record| assert_eq!(record.all("member_left").count(), 0, "{}", node.name));
    }
}

#[test]
fn no_multicast_from_now_on_costs_no_election_and_no_member() {
    let Some(lab) = Lab::new() else { return };
    let switch = lab.switch("radio");
    let hosts = lab.usual_hosts(&switch, ["ana", "bia", "caio"]);
    let nodes = hosts.each_ref().map(|host| host.join());
    let nodes = nodes.each_ref();
    one_room(&nodes, Instant::now(), PATIENCE);
    lab.switches_drop(&["meta l4proto udp"]);
    let started = Instant::now();
    let_pass(ms(6_000)); // six times the failure timeout
    assert_eq!(elections(&nodes, started), 0);
    one_room(&nodes, Instant::now(), PATIENCE);
}
