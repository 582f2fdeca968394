//! Hosts whose multicast gets through, and whose TCP does not.

use std::time::{Duration, Instant};

use crate::harness::{Node, ms};
use crate::lab::{Host, Lab, Switch};
use crate::{elections, everybody_hears_everybody, figure, one_room};

/// How soon two hosts that nothing is wrong with share a room.
const ROOM_WITHIN: Duration = ms(5_000);
/// How the warning ends that names a host.
const WORDS: &str = "is heard but cannot be reached over TCP; is a firewall in the way?";

/// What this node was told of hosts that cannot be reached.
fn named(node: &Node) -> Vec<String> {
    node.look(|record| {
        let warnings = record.all("warning").map(|e| e.text("text").to_owned());
        warnings.filter(|text| text.ends_with(WORDS)).collect()
    })
}

fn other_host<'lab>(lab: &'lab Lab, switch: &Switch, name: &str, n: u8) -> Host<'lab> {
    lab.host(name, switch, &[&format!("10.7.1.{n}/24")])
}

/// The first host is there before the others, and `break_tcp` does something to its TCP: two others
/// are in one room all the same, what is said in it arrives, and each has named the first one once.
fn two_share_a_room(break_tcp: impl Fn(&Host<'_>)) {
    let Some(lab) = Lab::new() else { return };
    let switch = lab.switch("lan");
    let odd = other_host(&lab, &switch, "ana", 1);
    break_tcp(&odd);
    let ana = odd.join();
    ana.joined();
    let bia = other_host(&lab, &switch, "bia", 2).join();
    let started = Instant::now();
    let caio = other_host(&lab, &switch, "caio", 3).join();
    let nodes = [&bia, &caio];
    one_room(&nodes, started, ROOM_WITHIN);
    figure("two shared a room after", started.elapsed());
    everybody_hears_everybody(&nodes, "greeting");
    // Who only sends a line gets it confirmed by both.
    let davi = other_host(&lab, &switch, "davi", 4);
    let send = davi.start(
        "davi",
        &["send", "--nick", "davi", "--wait-members", "2", "a line"],
    );
    assert_eq!(send.exit(), 0, "{}", send.stderr());
    for node in nodes {
        node.heard("davi", 1);
        node.event("the odd one named", |e| {
            e.is("warning") && e.text("text").ends_with(WORDS)
        });
    }
    // It goes on being heard: nobody is lost for it, and it is not named again.
    let settled = Instant::now();
    crate::harness::let_pass(ms(4_000));
    for node in nodes {
        assert_eq!(
            named(node),
            [format!("ana (10.7.1.1) {WORDS}")],
            "{}",
            node.name
        );
    }
    one_room(&nodes, Instant::now(), ROOM_WITHIN);
    assert_eq!(elections(&nodes, settled), 0);
    // The room survives the loss of its coordinator.
    let killed = bia.signal(crate::harness::Signal::KILL);
    one_room(&[&caio], killed, ROOM_WITHIN);
    // Once the firewall is opened, all are one room.
    odd.run("nft flush ruleset");
    one_room(&[&ana, &caio], Instant::now(), ms(20_000));
}

#[test]
fn who_drops_tcp_keeps_nobody_out() {
    two_share_a_room(|host| host.drops(&["meta l4proto tcp"]));
}

#[test]
fn who_refuses_tcp_keeps_nobody_out() {
    two_share_a_room(|host| {
        host.run(
            "nft 'table inet papo {
                 chain input {
                     type filter hook input priority 0
                     iifname != \"lo\" meta l4proto tcp reject with tcp reset
                 }
             }'",
        );
    });
}

#[test]
fn who_takes_connections_and_hears_nothing_on_them_keeps_nobody_out() {
    // A packet without data has 52 bytes or 60.
    two_share_a_room(|host| host.drops(&["meta l4proto tcp meta length > 80"]));
}
