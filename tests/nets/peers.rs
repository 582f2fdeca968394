//! Networks without multicast: members that are named with `--peer`.

use std::time::Instant;

use crate::harness::{Node, PATIENCE, Signal, ms};
use crate::lab::{Host, Lab};
use crate::{elections, everybody_hears_everybody, figure, one_room};

/// All members listen here, so that they can be named.
const LISTEN: [&str; 2] = ["--listen", "0.0.0.0:4711"];

const MULTICAST: &str = "ether daddr & 01:00:00:00:00:00 == 01:00:00:00:00:00 meta l4proto udp";

fn join(host: &Host<'_>, options: &[&str]) -> Node {
    host.join_with(&[&LISTEN[..], options].concat())
}

#[test]
fn where_no_multicast_gets_through_any_member_that_is_named_leads_into_the_room() {
    let Some(lab) = Lab::new() else { return };
    let switch = lab.switch("lan");
    lab.switches_drop(&[MULTICAST]);
    let started = Instant::now();
    let ana = join(&lab.usual_host("ana", &switch, 1), &[]);
    ana.joined();
    let bia = join(
        &lab.usual_host("bia", &switch, 2),
        &["--peer", "10.7.1.1:4711"],
    );
    bia.joined();
    // Bia does not coordinate: she points on to Ana.
    let caio = join(
        &lab.usual_host("caio", &switch, 3),
        &["--peer", "10.7.1.2:4711"],
    );
    caio.joined();
    figure(
        "the one who was pointed on was in after",
        caio.joined().at - caio.born,
    );
    // The first of two that are named does not exist.
    let peers = ["--peer", "10.7.1.77:4711", "--peer", "10.7.1.3:4711"];
    let davi = join(&lab.usual_host("davi", &switch, 4), &peers);
    davi.joined();
    figure(
        "the one with a wrong peer was in after",
        davi.joined().at - davi.born,
    );
    let nodes = [&ana, &bia, &caio, &davi];
    one_room(&nodes, started, PATIENCE);
    everybody_hears_everybody(&nodes, "greeting");
    assert_eq!(elections(&nodes, started), 0);

    let killed = ana.signal(Signal::KILL);
    let rest = [&bia, &caio, &davi];
    one_room(&rest, killed, ms(5_000));
    figure("elections held then", elections(&rest, killed));
    everybody_hears_everybody(&rest, "farewell");
}

#[test]
fn a_room_half_of_which_sees_multicast_is_one_room() {
    let Some(lab) = Lab::new() else { return };
    let switch = lab.switch("lan");
    let from = |host: &str| format!("iifname p-{host} {MULTICAST}");
    let to = |host: &str| format!("oifname p-{host} {MULTICAST}");
    lab.switches_drop(&[&from("caio"), &to("caio"), &from("davi"), &to("davi")]);
    let started = Instant::now();
    let ana = join(&lab.usual_host("ana", &switch, 1), &[]);
    ana.joined();
    let bia = join(&lab.usual_host("bia", &switch, 2), &[]);
    bia.joined();
    let caio = join(
        &lab.usual_host("caio", &switch, 3),
        &["--peer", "10.7.1.2:4711"],
    );
    caio.joined();
    let no_multicast = ["--no-multicast", "--peer", "10.7.1.3:4711"];
    let davi = join(&lab.usual_host("davi", &switch, 4), &no_multicast);
    davi.joined();
    let nodes = [&ana, &bia, &caio, &davi];
    one_room(&nodes, started, PATIENCE);
    everybody_hears_everybody(&nodes, "greeting");
    assert_eq!(elections(&nodes, started), 0);
    let eva = join(&lab.usual_host("eva", &switch, 5), &[]);
    eva.joined();
    let nodes = [&ana, &bia, &caio, &davi, &eva];
    one_room(&nodes, Instant::now(), PATIENCE);
    everybody_hears_everybody(&nodes, "farewell");
}

#[test]
fn members_beyond_a_router_without_multicast_are_in_the_room() {
    let Some(lab) = Lab::new() else { return };
    let (near, far) = (lab.switch("near"), lab.switch("far"));
    let Some(_router) = lab.router(
        "router",
        [(&near, "10.7.1.254/24"), (&far, "10.7.2.254/24")],
    ) else {
        return;
    };
    let host = |name: &str, net: u8, n: u8| {
        let at = if net == 1 { &near } else { &far };
        let host = lab.host(name, at, &[&format!("10.7.{net}.{n}/24")]);
        host.run(&format!("ip route add default via 10.7.{net}.254"));
        host
    };
    let started = Instant::now();
    let ana = join(&host("ana", 1, 1), &[]);
    ana.joined();
    let bia = join(&host("bia", 1, 2), &[]);
    bia.joined();
    // It names one that does not coordinate.
    let caio = join(&host("caio", 2, 3), &["--peer", "10.7.1.2:4711"]);
    caio.joined();
    // It sees the multicast of its own subnet.
    let davi = join(&host("davi", 2, 4), &[]);
    davi.joined();
    let nodes = [&ana, &bia, &caio, &davi];
    one_room(&nodes, started, PATIENCE);
    everybody_hears_everybody(&nodes, "greeting");
    assert_eq!(elections(&nodes, started), 0);
}

#[test]
fn two_rooms_that_one_peer_option_connects_become_one_even_if_the_peer_comes_later() {
    let Some(lab) = Lab::new() else { return };
    let switch = lab.switch("lan");
    lab.switches_drop(&[MULTICAST]);
    let ana = join(
        &lab.usual_host("ana", &switch, 1),
        &["--peer", "10.7.1.2:4711"],
    );
    ana.joined();
    ana.say("nobody there yet");
    let started = Instant::now();
    let bia = join(&lab.usual_host("bia", &switch, 2), &[]);
    bia.joined();
    let nodes = [&ana, &bia];
    // A peer is dialled every few seconds.
    let history = one_room(&nodes, started, ms(15_000));
    assert_eq!(history.len(), 1);
    everybody_hears_everybody(&nodes, "greeting");
}

#[test]
fn when_nobody_is_found_standard_error_says_at_which_step() {
    let Some(lab) = Lab::new() else { return };
    let switch = lab.switch("lan");
    let (ana, bia) = (
        lab.usual_host("ana", &switch, 1),
        lab.usual_host("bia", &switch, 2),
    );
    let lonely = lab.lonely_host("caio");
    let send = |host: &Host<'_>, options: &[&str]| {
        let args = [
            &["send", "--wait-members", "1", "--timeout", "3"],
            options,
            &["hello"],
        ]
        .concat();
        let node = host.start(&host.name, &args);
        assert_ne!(node.exit(), 0, "{}", node.stderr());
        node.stderr()
    };
    // No interface but loopback.
    let said = send(&lonely, &[]);
    assert!(said.contains("loopback"), "{said}");
    // An interface, and nobody there.
    let said = send(&bia, &[]);
    assert!(
        said.contains("nobody answered") && said.contains("--peer"),
        "{said}"
    );
    // A peer that refuses.
    let said = send(&bia, &["--peer", "10.7.1.1:4711"]);
    assert!(
        said.contains("10.7.1.1:4711") && said.contains("refused"),
        "{said}"
    );
    // A coordinator that is heard, but not reached in any direction.
    let coordinator = join(&ana, &[]);
    coordinator.joined();
    bia.drops(&["meta l4proto tcp"]);
    let said = send(&bia, &[]);
    assert!(
        said.contains("heard") && said.contains("cannot be reached"),
        "{said}"
    );
}
