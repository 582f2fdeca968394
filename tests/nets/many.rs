//! Hosts with very many networks: bridges of containers, VLANs, tunnels.

use std::fmt::Write as _;
use std::time::Instant;

use crate::harness::{PATIENCE, ms};
use crate::lab::{Host, Lab};
use crate::{everybody_hears_everybody, figure, one_room};

/// Gives a host so many networks of its own that lead nowhere.
fn add_networks(host: &Host<'_>, count: usize) {
    let mut batch = String::new();
    for n in 0..count {
        let (high, low) = (n / 250, n % 250);
        // Writing to memory cannot fail.
        let _ = writeln!(
            batch,
            "link add c{n} type veth peer name d{n}
             addr add 172.{}.{low}.1/24 dev c{n}
             link set c{n} up
             link set d{n} up",
            20 + high
        );
    }
    host.run(&format!("ip -batch - <<'BATCH'\n{batch}BATCH"));
}

/// The lines of standard error that speak of interfaces that are not used.
fn complaints(stderr: &str) -> Vec<&str> {
    let lines = stderr.lines();
    lines.filter(|l| l.contains("no multicast on")).collect()
}

#[test]
fn hosts_with_45_networks_each_of_which_the_lan_came_last_are_one_room() {
    let Some(lab) = Lab::new() else { return };
    let switch = lab.switch("lan");
    let hosts = ["ana", "bia"].map(|name| {
        let host = lab.lonely_host(name);
        add_networks(&host, 45);
        host
    });
    // `connect` counts the cables that are there.
    for (n, host) in hosts.iter().enumerate() {
        host.connect(&switch, &[&format!("10.7.1.{}/24", n + 1)]);
    }
    let started = Instant::now();
    let nodes = hosts.each_ref().map(Host::join);
    let nodes = nodes.each_ref();
    one_room(&nodes, started, ms(10_000));
    everybody_hears_everybody(&nodes, "greeting");
    for node in nodes {
        assert_eq!(complaints(&node.stderr()), [""; 0]);
    }
}

#[test]
fn of_more_than_256_networks_the_one_with_the_default_route_is_used_and_those_left_out_are_named() {
    let Some(lab) = Lab::new() else { return };
    let switch = lab.switch("lan");
    let crowded = lab.lonely_host("ana");
    add_networks(&crowded, 260);
    crowded.connect(&switch, &["10.7.1.1/24"]);
    crowded.run("ip route add default via 10.7.1.254");
    let bia = lab.usual_host("bia", &switch, 2).join();
    bia.joined();
    let started = Instant::now();
    let ana = crowded.join();
    let nodes = [&bia, &ana];
    one_room(&nodes, started, PATIENCE);
    figure("with 260 networks", started.elapsed());
    everybody_hears_everybody(&nodes, "greeting");
    let stderr = ana.stderr();
    let complaints = complaints(&stderr);
    assert_eq!(complaints.len(), 1, "once: {stderr}");
    for word in ["c259", "--interface", "256"] {
        assert!(complaints[0].contains(word), "{word}: {complaints:?}");
    }
    assert!(!complaints[0].contains("10.7.1.1"), "{complaints:?}");
}
