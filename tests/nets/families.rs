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

#[test]
fn hosts_with_ipv4_with_ipv6_and_with_both_are_one_room() {
    let Some(lab) = Lab::new() else { return };
    let switch = lab.switch("lan");
    let both = lab.usual_host("both", &switch, 1).join();
    both.joined();
    let four = lab.host("four", &switch, &["10.7.1.4/24"]).join();
    four.joined();
    let six = lab.host("six", &switch, &["fe80::6/64"]).join();
    six.joined();
    let nodes = [&both, &four, &six];
    let started = Instant::now();
    one_room(&nodes, started, PATIENCE);
    everybody_hears_everybody(&nodes, "greeting");
    let another = lab.usual_host("another", &switch, 2).join();
    another.joined();
    let nodes = [&both, &four, &six, &another];
    one_room(&nodes, Instant::now(), PATIENCE);
    everybody_hears_everybody(&nodes, "farewell");
    assert_eq!(elections(&nodes, started), 0);
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
