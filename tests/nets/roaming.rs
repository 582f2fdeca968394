//! Hosts that lose their network, get it back, or get another.

use std::time::Instant;

use crate::harness::{Node, PATIENCE, let_pass, ms, said_by};
use crate::lab::{Host, Lab, join_one_by_one};
use crate::{elections, everybody_hears_everybody, figure, one_room, shown};

/// How long after the network's return everything is as it should be.
const BACK: std::time::Duration = ms(3_000);

/// One of four hosts is unplugged until everybody has noticed, and plugged in again.
fn unplug_one(which: usize) {
    let Some(lab) = Lab::new() else { return };
    let switch = lab.switch("lan");
    let hosts = lab.usual_hosts(&switch, ["ana", "bia", "caio", "davi"]);
    let nodes = join_one_by_one(&hosts);
    let all: Vec<&Node> = nodes.iter().collect();
    one_room(&all, Instant::now(), PATIENCE);
    everybody_hears_everybody(&all, "greeting");
    let ids: Vec<u64> = all.iter().map(|n| n.id()).collect();
    let gone = all[which];
    let rest: Vec<&Node> = (all.iter().copied())
        .filter(|n| n.name != gone.name)
        .collect();

    let cable = hosts[which].first_cable();
    cable.pull();
    let pulled = Instant::now();
    for n in 0..5 {
        gone.say(&format!("unsent {n}"));
        rest[n % 3].say(&format!("missed {n}"));
    }
    for node in &rest {
        node.sees_members(3);
    }
    figure("the others noticed after", pulled.elapsed());
    gone.sees_members(1);
    figure("it noticed after", pulled.elapsed());
    gone.say("unsent 5");

    let mark = gone.mark();
    cable.plug_in();
    let plugged = Instant::now();
    let history = one_room(&all, plugged, BACK);
    figure("elections held then", elections(&all, plugged));
    assert_eq!(all.iter().map(|n| n.id()).collect::<Vec<_>>(), ids);
    let unsent: Vec<_> = (0..6).map(|n| format!("unsent {n}")).collect();
    assert_eq!(said_by(&history, &gone.name)[1..], unsent);
    for node in &rest {
        node.heard(&gone.name, 7);
        assert_eq!(shown(node, &gone.name)[1..], unsent, "{}", node.name);
    }
    gone.wait("what it missed", PATIENCE, |record| {
        let missed = record
            .all("message")
            .filter(|e| e.text("text").starts_with("missed"));
        (missed.count() == 5).then_some(())
    });
    let missed: Vec<String> = gone.look(|record| {
        let new = record.events[mark..].iter().filter(|e| e.is("message"));
        let missed = new.filter(|e| e.text("text").starts_with("missed"));
        missed.map(|e| e.text("text").to_owned()).collect()
    });
    let in_history: Vec<_> = (history.iter())
        .filter(|m| m.text.starts_with("missed"))
        .map(|m| m.text.clone())
        .collect();
    assert_eq!(missed, in_history, "in the order of the history");
    everybody_hears_everybody(&all, "farewell");
}

#[test]
fn an_unplugged_member_is_back_by_itself_with_its_id_its_lines_and_what_it_missed() {
    unplug_one(2);
}

#[test]
fn an_unplugged_coordinator_is_back_by_itself_with_its_id_its_lines_and_what_it_missed() {
    unplug_one(0);
}

#[test]
fn a_loose_contact_costs_no_election_and_no_line() {
    let Some(lab) = Lab::new() else { return };
    let switch = lab.switch("lan");
    let hosts = lab.usual_hosts(&switch, ["ana", "bia", "caio"]);
    let nodes = hosts.each_ref().map(|host| host.join());
    let nodes = nodes.each_ref();
    one_room(&nodes, Instant::now(), PATIENCE);
    let started = Instant::now();
    for (n, host) in hosts.iter().enumerate() {
        let cable = host.first_cable();
        cable.break_contact();
        nodes[n].say("said into the void");
        let_pass(ms(100)); // less than half the failure timeout
        cable.restore_contact();
        for node in &nodes {
            node.heard(&host.name, 1);
        }
    }
    everybody_hears_everybody(&nodes, "greeting");
    assert_eq!(elections(&nodes, started), 0);
    one_room(&nodes, started, PATIENCE);
}

fn readdress(host: &Host<'_>, from: u8, to: u8) {
    host.remove_address("eth0", &format!("10.7.1.{from}/24"));
    host.add_address("eth0", &format!("10.7.1.{to}/24"));
}

#[test]
fn a_host_whose_address_changes_stays_in_the_room_under_its_new_address() {
    let Some(lab) = Lab::new() else { return };
    let switch = lab.switch("lan");
    // IPv4 alone: no link survives the change.
    let hosts = [
        lab.host("ana", &switch, &["10.7.1.1/24"]),
        lab.host("bia", &switch, &["10.7.1.2/24"]),
        lab.host("caio", &switch, &["10.7.1.3/24"]),
    ];
    let nodes = join_one_by_one(&hosts);
    let all = nodes.each_ref();
    one_room(&all, Instant::now(), PATIENCE);
    everybody_hears_everybody(&all, "greeting");
    let ids = all.map(|n| n.id());

    // A member first, then the coordinator.
    for (which, from, to) in [(1, 2, 22), (0, 1, 11)] {
        readdress(&hosts[which], from, to);
        let changed = Instant::now();
        all[which].say("said from a new address");
        for node in &all {
            node.wait("a line from the new address", BACK, |record| {
                let heard = record.heard.get(&all[which].name)?;
                heard
                    .contains(&"said from a new address".to_owned())
                    .then_some(())
            });
        }
        figure("its line was everywhere after", changed.elapsed());
        one_room(&all, changed, BACK);
        let wanted = format!("10.7.1.{to}:");
        let other = all[2];
        crate::harness::eventually("the new address is known", PATIENCE, || {
            let answer = other.ask("/members", "members");
            let mut members = answer.list("members").iter();
            members.any(|m| {
                m["address"]
                    .as_str()
                    .is_some_and(|a| a.starts_with(&wanted))
            })
        });
        figure("its new address was known after", changed.elapsed());
        figure("elections held", elections(&all, changed));
    }
    assert_eq!(all.map(|n| n.id()), ids);
    // Whoever comes now reaches everybody at the new addresses.
    let davi = lab.host("davi", &switch, &["10.7.1.4/24"]).join();
    davi.joined();
    let all = [all[0], all[1], all[2], &davi];
    one_room(&all, Instant::now(), PATIENCE);
    everybody_hears_everybody(&all, "farewell");
}

#[test]
fn a_host_that_roams_to_another_subnet_is_back_as_soon_as_it_has_an_address_there() {
    let Some(lab) = Lab::new() else { return };
    let (office, kitchen) = (lab.switch("office"), lab.switch("kitchen"));
    let Some(_router) = lab.router(
        "router",
        [(&office, "10.7.1.254/24"), (&kitchen, "10.7.2.254/24")],
    ) else {
        return;
    };
    let route =
        |host: &Host<'_>, net: u8| host.run(&format!("ip route add default via 10.7.{net}.254"));
    let ana = lab.host("ana", &office, &["10.7.1.1/24"]);
    route(&ana, 1);
    let bia = lab.host("bia", &office, &["10.7.1.2/24"]);
    route(&bia, 1);
    let caio = lab.host("caio", &kitchen, &["10.7.2.3/24"]);
    route(&caio, 2);
    let a = ana.join_with(&["--listen", "0.0.0.0:4711"]);
    a.joined();
    let c = caio.join_with(&["--peer", "10.7.1.1:4711"]);
    c.joined();
    let b = bia.join_with(&["--peer", "10.7.1.1:4711"]);
    b.joined();
    let nodes = [&a, &b, &c];
    one_room(&nodes, Instant::now(), PATIENCE);
    let id = b.id();

    bia.first_cable().pull();
    bia.remove_address("eth0", "10.7.1.2/24");
    a.sees_members(2);
    b.sees_members(1);
    bia.connect(&kitchen, &["10.7.2.2/24"]);
    route(&bia, 2);
    let moved = Instant::now();
    one_room(&nodes, moved, BACK);
    assert_eq!(b.id(), id);
    everybody_hears_everybody(&nodes, "farewell");
}

#[test]
fn a_node_started_without_a_network_is_alone_until_the_network_comes() {
    let Some(lab) = Lab::new() else { return };
    let switch = lab.switch("lan");
    let ana = lab.usual_host("ana", &switch, 1).join();
    ana.joined();
    let bia = lab.usual_host("bia", &switch, 2).join();
    bia.joined();
    let host = lab.lonely_host("caio");
    let caio = host.join();
    caio.joined();
    assert_eq!(caio.id(), 1);
    caio.say("alone");
    caio.heard("caio", 1);
    let friend = host.join_as("davi", &[]);
    friend.joined();
    friend.heard("caio", 0);
    friend.sees_members(2);

    host.connect(&switch, &["10.7.1.3/24", "fe80::3/64"]);
    let connected = Instant::now();
    let nodes = [&ana, &bia, &caio, &friend];
    // Up to 5 s until the interface is taken up.
    let history = one_room(&nodes, connected, ms(6_000));
    assert_eq!(said_by(&history, "caio"), ["alone"]);
    everybody_hears_everybody(&nodes, "greeting");
}
