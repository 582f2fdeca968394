//! Hosts that are gone without a word, and hosts that only seem to be.

use std::time::Instant;

use crate::harness::{Node, PATIENCE, Signal, let_pass, ms};
use crate::lab::Lab;
use crate::{elections, figure, one_room};

/// How often a host is cut off.
const ROUNDS: usize = 7;

/// The node that all follow.
fn leader<'a>(nodes: &[&'a Node]) -> (usize, &'a Node) {
    let id = nodes[0].look(|record| record.coordinator);
    let found = nodes.iter().position(|node| Some(node.id()) == id);
    let found = found.expect("the coordinator is one of them");
    (found, nodes[found])
}

#[test]
fn a_coordinator_whose_host_is_cut_off_is_replaced_within_600_ms_mostly() {
    let Some(lab) = Lab::alone() else { return };
    let switch = lab.switch("lan");
    let hosts = lab.usual_hosts(&switch, ["ana", "bia", "caio"]);
    let nodes = hosts.each_ref().map(|host| host.join());
    let nodes = nodes.each_ref();
    let mut took = Vec::new();
    for round in 0..ROUNDS {
        one_room(&nodes, Instant::now(), PATIENCE);
        // The links and the HEARTBEATs are as usual by then; each cut falls elsewhere between two of these.
        let_pass(ms(1_000) + ms(250) * round as u32 / ROUNDS as u32);
        let (gone, old) = leader(&nodes);
        let old = old.id();
        let rest: Vec<(&Node, usize)> = (nodes.iter().enumerate())
            .filter(|(n, _)| *n != gone)
            .map(|(_, node)| (*node, node.mark()))
            .collect();
        let cable = hosts[gone].first_cable();
        let cut = Instant::now();
        cable.pull();
        let followed = rest.iter().map(|(node, mark)| {
            let event = node.event_after(*mark, "another coordinator", |e| {
                e.is("coordinator") && e.num("id") != old
            });
            event.at - cut
        });
        took.push(followed.max().expect("there are others"));
        cable.plug_in();
    }
    took.sort_unstable();
    figure("replaced after", &took);
    assert!(took[ROUNDS / 2] < ms(600), "{took:?}");
}

#[test]
fn a_coordinator_that_is_paused_for_a_while_stays_in_office() {
    let Some(lab) = Lab::new() else { return };
    let switch = lab.switch("lan");
    let hosts = lab.usual_hosts(&switch, ["ana", "bia", "caio"]);
    let nodes = hosts.each_ref().map(|host| host.join());
    let nodes = nodes.each_ref();
    one_room(&nodes, Instant::now(), PATIENCE);
    let started = Instant::now();
    for _ in 0..5 {
        let (_, leader) = leader(&nodes);
        leader.signal(Signal::STOP);
        // With the wait before it, less than the failure timeout, after which it would hold itself for away.
        let_pass(ms(700));
        leader.signal(Signal::CONT);
        let_pass(ms(500));
    }
    assert_eq!(elections(&nodes, started), 0);
}
