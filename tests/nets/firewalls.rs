//! Packets of one kind, in one direction, or between two hosts that do not get through.

use std::time::Instant;

use crate::harness::{Node, PATIENCE, Typing, ms};
use crate::lab::{Host, Lab, join_one_by_one};
use crate::{elections, everybody_hears_everybody, figure, has_all_of, one_room};

/// The first packet of a connection.
const SYN: &str = "tcp flags & (syn|ack) == syn";

fn three_hosts(lab: &Lab) -> [Host<'_>; 3] {
    let switch = lab.switch("lan");
    lab.usual_hosts(&switch, ["ana", "bia", "caio"])
}

#[test]
fn a_joiner_that_cannot_be_dialled_dials() {
    let Some(lab) = Lab::new() else { return };
    let hosts = three_hosts(&lab);
    hosts[2].drops(&[SYN]);
    let started = Instant::now();
    let nodes = join_one_by_one(&hosts);
    let nodes = nodes.each_ref();
    one_room(&nodes, started, PATIENCE);
    everybody_hears_everybody(&nodes, "greeting");
    let started = Instant::now();
    one_room(&nodes, started, PATIENCE);
    figure("elections held", elections(&nodes, started));
}

#[test]
fn a_coordinator_that_cannot_be_dialled_dials() {
    let Some(lab) = Lab::new() else { return };
    let hosts = three_hosts(&lab);
    hosts[0].drops(&[SYN]);
    let started = Instant::now();
    let nodes = join_one_by_one(&hosts);
    let nodes = nodes.each_ref();
    one_room(&nodes, started, PATIENCE);
    everybody_hears_everybody(&nodes, "greeting");
}

#[test]
fn a_host_that_hears_no_multicast_is_let_in_all_the_same() {
    let Some(lab) = Lab::new() else { return };
    let hosts = three_hosts(&lab);
    hosts[1].drops(&[
        "meta l4proto udp ip daddr 224.0.0.0/4",
        "meta l4proto udp ip6 daddr ff00::/8",
    ]);
    let started = Instant::now();
    let nodes = join_one_by_one(&hosts);
    let nodes = nodes.each_ref();
    one_room(&nodes, started, PATIENCE);
    everybody_hears_everybody(&nodes, "greeting");
    assert_eq!(elections(&nodes, started), 0);
}

/// Two of three cannot talk to each other; both reach the third.
fn cut(a: usize, b: usize) {
    let Some(lab) = Lab::new() else { return };
    let hosts = three_hosts(&lab);
    let nodes = join_one_by_one(&hosts);
    let nodes = nodes.each_ref();
    one_room(&nodes, Instant::now(), PATIENCE);
    let rule = |host: &Host<'_>| format!("ether saddr {}", host.mac("eth0"));
    hosts[a].drops(&[&rule(&hosts[b])]);
    hosts[b].drops(&[&rule(&hosts[a])]);
    let cut = Instant::now();
    // Longer than it takes to find the silence and to believe it.
    let typing = Typing::start(&[nodes[a], nodes[b]], ms(250));
    let_them_notice(&nodes);
    let said = typing.stop();
    for (from, to) in [(a, b), (b, a)] {
        nodes[to].heard(&nodes[from].name, said);
    }
    let stopped = Instant::now();
    let history = one_room(&nodes, stopped, PATIENCE);
    has_all_of(&history, &nodes[a].name, said);
    has_all_of(&history, &nodes[b].name, said);
    figure("elections held", elections(&nodes, cut));
    let spoke = Instant::now();
    nodes[a].say("a last word");
    nodes[b].heard(&nodes[a].name, said + 1);
    figure("a word took the detour in", spoke.elapsed());
    for node in &nodes {
        node.look(|record| {
            let lost = record.all("member_left").filter(|e| e.at > cut).count();
            assert_eq!(lost, 0, "{}: everybody is in reach of somebody", node.name);
        });
    }
    assert_eq!(elections(&nodes, cut), 0);
    // The cut is mended: the pair is linked again.
    hosts[a].drops_nothing();
    hosts[b].drops_nothing();
    let mended = Instant::now();
    one_room(&nodes, mended, PATIENCE);
    everybody_hears_everybody(&nodes, "farewell");
}

/// Waits until the pair must have given each other up: six times the failure timeout.
fn let_them_notice(nodes: &[&Node; 3]) {
    crate::harness::let_pass(ms(6_000));
    assert!(nodes.iter().all(|n| n.look(|r| r.exit.is_none())));
}

#[test]
fn two_members_that_cannot_talk_hear_each_other_through_the_coordinator() {
    cut(1, 2);
}

#[test]
fn a_member_and_the_coordinator_that_cannot_talk_hear_each_other_through_a_third() {
    cut(0, 1);
}
