//! IPv6 beside IPv4, and instead of it.

use std::time::Instant;

use crate::harness::{PATIENCE, Signal, ms};
use crate::lab::Lab;
use crate::{elections, everybody_hears_everybody, figure, one_room};

#[test]
fn hosts_with_link_local_ipv6_alone_are_one_room() {
    let Some(lab) = Lab::new() else { return };
    let switch = lab.switch("lan");
    let hosts = [
        lab.host("ana", &switch, &["fe80::1/64"]),
        lab.host("bia", &switch, &["fe80::2/64"]),
        lab.host("caio", &switch, &["fe80::3/64"]),
    ];
    let started = Instant::now();
    let nodes = hosts.each_ref().map(|host| host.join());
    let nodes = nodes.each_ref();
    one_room(&nodes, started, ms(3_000));
    everybody_hears_everybody(&nodes, "greeting");
    let killed = nodes[0].signal(Signal::KILL);
    let rest = [nodes[1], nodes[2]];
    one_room(&rest, killed, ms(5_000));
    figure("elections held", elections(&rest, killed));
}

/// Three hosts of different kinds come one by one.
fn mixed(order: [&str; 3]) {
    let Some(lab) = Lab::new() else { return };
    let switch = lab.switch("lan");
    let nodes = order.map(|kind| {
        let host = match kind {
            "four" => lab.host(kind, &switch, &["10.7.1.4/24"]),
            "six" => lab.host(kind, &switch, &["fe80::6/64"]),
            _ => lab.usual_host(kind, &switch, 1),
        };
        let node = host.join();
        node.joined();
        node
    });
    let [a, b, c] = nodes.each_ref();
    let started = Instant::now();
    one_room(&[a, b, c], started, PATIENCE);
    everybody_hears_everybody(&[a, b, c], "greeting");
    let another = lab.usual_host("another", &switch, 2).join();
    another.joined();
    let nodes = [a, b, c, &another];
    one_room(&nodes, Instant::now(), PATIENCE);
    everybody_hears_everybody(&nodes, "farewell");
    assert_eq!(elections(&nodes, started), 0);
}

#[test]
fn hosts_with_ipv4_with_ipv6_and_with_both_are_one_room() {
    mixed(["both", "four", "six"]);
}

#[test]
fn a_host_that_only_a_third_can_reach_is_let_in_through_the_third() {
    mixed(["four", "both", "six"]);
}

#[test]
fn two_hosts_that_cannot_reach_each_other_are_in_one_room_once_a_third_reaches_both() {
    mixed(["six", "four", "both"]);
}

#[test]
fn a_peer_can_be_named_by_its_ipv6_address() {
    let Some(lab) = Lab::new() else { return };
    let switch = lab.switch("lan");
    let ana = lab.host("ana", &switch, &["fd00:7::1/64", "fe80::1/64"]);
    let ana = ana.join_with(&["--no-multicast", "--listen", "[::]:4711"]);
    ana.joined();
    let bia = lab.host("bia", &switch, &["fd00:7::2/64", "fe80::2/64"]);
    let bia = bia.join_with(&["--no-multicast", "--peer", "[fd00:7::1]:4711"]);
    bia.joined();
    let caio = lab.host("caio", &switch, &["fe80::3/64"]);
    let caio = caio.join_with(&["--no-multicast", "--peer", "[fe80::1%eth0]:4711"]);
    caio.joined();
    let nodes = [&ana, &bia, &caio];
    one_room(&nodes, Instant::now(), PATIENCE);
    everybody_hears_everybody(&nodes, "greeting");
}
