//! Hosts with more than one network.

use std::time::Instant;

use crate::harness::{PATIENCE, let_pass, ms};
use crate::lab::{Host, Lab, Switch};
use crate::{elections, everybody_hears_everybody, figure, one_room};

struct Two<'lab> {
    left: Host<'lab>,
    both: Host<'lab>,
    right: Host<'lab>,
}

/// Two networks that only one host is in both of.
fn two_networks<'lab>(lab: &'lab Lab, left: &Switch, right: &Switch) -> Two<'lab> {
    let both = lab.host("both", left, &["10.7.1.9/24"]);
    both.connect(right, &["10.7.2.9/24"]);
    Two {
        left: lab.host("left", left, &["10.7.1.1/24"]),
        both,
        right: lab.host("right", right, &["10.7.2.1/24"]),
    }
}

#[test]
fn a_host_in_two_networks_and_the_hosts_of_both_are_one_room() {
    let Some(lab) = Lab::new() else { return };
    let hosts = two_networks(&lab, &lab.switch("left"), &lab.switch("right"));
    let both = hosts.both.join();
    both.joined();
    let left = hosts.left.join();
    let right = hosts.right.join();
    let nodes = [&both, &left, &right];
    one_room(&nodes, Instant::now(), PATIENCE);
    everybody_hears_everybody(&nodes, "greeting");
    let started = Instant::now();
    one_room(&nodes, started, PATIENCE);
    assert_eq!(elections(&nodes, started), 0);
}

#[test]
fn a_host_in_two_networks_joins_the_rooms_of_both_into_one() {
    let Some(lab) = Lab::new() else { return };
    let hosts = two_networks(&lab, &lab.switch("left"), &lab.switch("right"));
    let left = hosts.left.join();
    let right = hosts.right.join();
    left.joined();
    right.joined();
    left.say("said on the left");
    right.say("said on the right");
    let started = Instant::now();
    let both = hosts.both.join();
    both.joined();
    let nodes = [&both, &left, &right];
    let history = one_room(&nodes, started, PATIENCE);
    assert_eq!(history.len(), 2);
    figure("elections held", elections(&nodes, started));
    everybody_hears_everybody(&nodes, "greeting");
    // It stays one, although two of the three never hear each other.
    let settled = Instant::now();
    let_pass(ms(6_000));
    one_room(&nodes, Instant::now(), PATIENCE);
    assert_eq!(elections(&nodes, settled), 0);
    for node in &nodes {
        let lost = node.look(|r| r.all("member_left").filter(|e| e.at > settled).count());
        assert_eq!(lost, 0, "{}", node.name);
    }
}

#[test]
fn a_host_that_gets_a_second_network_takes_it_up_within_5_s() {
    let Some(lab) = Lab::new() else { return };
    let (first, second) = (lab.switch("first"), lab.switch("second"));
    let ana_host = lab.host("ana", &first, &["10.7.1.1/24"]);
    let ana = ana_host.join();
    ana.joined();
    let bia = lab.host("bia", &first, &["10.7.1.2/24"]).join();
    bia.joined();
    ana_host.connect(&second, &["10.7.2.1/24"]);
    let connected = Instant::now();
    let caio_host = lab.host("caio", &second, &["10.7.2.3/24"]);
    let caio = caio_host.join();
    let nodes = [&ana, &bia, &caio];
    one_room(&nodes, connected, ms(6_500));
    everybody_hears_everybody(&nodes, "greeting");
    // And when it goes, nobody minds but who was there.
    ana_host.run("ip link del eth1");
    let cut = Instant::now();
    ana.sees_members(2);
    figure("the member there was lost after", cut.elapsed());
    one_room(&[&ana, &bia], cut, PATIENCE);
    everybody_hears_everybody(&[&ana, &bia], "farewell");
}

#[test]
fn an_interface_that_is_not_named_is_not_used() {
    let Some(lab) = Lab::new() else { return };
    let hosts = two_networks(&lab, &lab.switch("left"), &lab.switch("right"));
    let both = hosts.both.join_with(&["--interface", "eth1"]);
    both.joined();
    let left = hosts.left.join();
    let right = hosts.right.join();
    left.joined();
    let nodes = [&both, &right];
    one_room(&nodes, Instant::now(), PATIENCE);
    everybody_hears_everybody(&nodes, "greeting");
    one_room(&[&left], Instant::now(), PATIENCE);
}
