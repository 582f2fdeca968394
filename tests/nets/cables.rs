//! Switches, and the cable between them.

use std::time::Instant;

use crate::harness::{Node, PATIENCE, Typing, ms};
use crate::lab::Lab;
use crate::{elections, everybody_hears_everybody, figure, has_all_of, one_room};

#[test]
fn six_hosts_on_two_switches_are_one_room() {
    let Some(lab) = Lab::new() else { return };
    let (east, west) = (lab.switch("east"), lab.switch("west"));
    lab.cable(&east, &west);
    let hosts = [
        lab.usual_host("ana", &east, 1),
        lab.usual_host("bia", &east, 2),
        lab.usual_host("caio", &east, 3),
        lab.usual_host("davi", &west, 4),
        lab.usual_host("eva", &west, 5),
        lab.usual_host("fabio", &west, 6),
    ];
    let started = Instant::now();
    let nodes = hosts.each_ref().map(|host| host.join());
    let nodes = nodes.each_ref();
    one_room(&nodes, started, ms(3_000));
    everybody_hears_everybody(&nodes, "greeting");
    let history = one_room(&nodes, started, PATIENCE);
    assert_eq!(history.len(), 6);
    figure("elections held", elections(&nodes, started));
}

#[test]
fn a_pulled_cable_makes_two_rooms_and_plugged_in_again_one_with_all_messages_everywhere() {
    let Some(lab) = Lab::new() else { return };
    let (east, west) = (lab.switch("east"), lab.switch("west"));
    let cable = lab.cable(&east, &west);
    let east_hosts = [
        lab.usual_host("ana", &east, 1),
        lab.usual_host("bia", &east, 2),
        lab.usual_host("caio", &east, 3),
    ];
    let west_hosts = [
        lab.usual_host("davi", &west, 4),
        lab.usual_host("eva", &west, 5),
        lab.usual_host("fabio", &west, 6),
    ];
    let easterners = east_hosts.each_ref().map(|host| host.join());
    easterners.iter().for_each(|node| {
        node.joined();
    });
    let westerners = west_hosts.each_ref().map(|host| host.join());
    let all: Vec<&Node> = easterners.iter().chain(&westerners).collect();
    one_room(&all, Instant::now(), PATIENCE);

    let typing = Typing::start(&all, ms(10));
    for node in &all {
        node.heard("ana", 5);
        node.heard("fabio", 5);
    }
    cable.pull();
    let pulled = Instant::now();
    for node in &all {
        node.sees_members(3);
        node.wait("a coordinator on this side", PATIENCE, |record| {
            let leader = record.coordinator?;
            record.view.values().any(|id| *id == leader).then_some(())
        });
    }
    figure("two rooms after", pulled.elapsed());
    figure("elections held then", elections(&all, pulled));

    let new_east = lab.usual_host("gil", &east, 7);
    let new_west = lab.usual_host("hugo", &west, 8);
    let newcomers = [new_east.join(), new_west.join()];
    for node in &newcomers {
        node.joined();
        node.sees_members(4);
        node.say(&format!("{} 1", node.name));
    }
    easterners[0].heard("gil", 1);
    westerners[0].heard("hugo", 1);
    // Each side says things that the other side does not hear.
    let before = easterners[0].look(|r| r.heard_of("caio"));
    easterners[0].heard("caio", before + 10);

    let said = typing.stop();
    cable.plug_in();
    let plugged = Instant::now();
    let all: Vec<&Node> = all.into_iter().chain(&newcomers).collect();
    let history = one_room(&all, plugged, ms(5_000));
    figure("elections held then", elections(&all, plugged));
    for node in &all[..6] {
        has_all_of(&history, &node.name, said);
    }
    has_all_of(&history, "gil", 1);
    has_all_of(&history, "hugo", 1);
    everybody_hears_everybody(&all, "farewell");
}

#[test]
fn two_nodes_on_one_host_and_one_on_another_are_one_room_whoever_comes_first() {
    let Some(lab) = Lab::new() else { return };
    let switch = lab.switch("lan");
    let here = lab.usual_host("here", &switch, 1);
    let there = lab.usual_host("there", &switch, 2);
    let started = Instant::now();
    // The second knows the first over loopback.
    let first = here.join_as("ana", &[]);
    first.joined();
    let second = here.join_as("bia", &[]);
    second.joined();
    let third = there.join_as("caio", &[]);
    let nodes = [&first, &second, &third];
    one_room(&nodes, started, PATIENCE);
    everybody_hears_everybody(&nodes, "greeting");
    first.say("/quit");
    second.event("a new coordinator", |e| {
        e.is("coordinator") && e.num("id") == 3
    });
    let fourth = here.join_as("davi", &[]);
    let nodes = [&second, &third, &fourth];
    one_room(&nodes, started, PATIENCE);
    everybody_hears_everybody(&nodes, "farewell");
}
