//! A member that asks the coordinator in others' names: for those who are there, and for those who never were.

use std::time::Instant;

use papo::identity::Credentials;
use papo::wire::{Address, CarriedRequest, JoinRequest, Key, Message, Relay, VERSION};

use crate::harness::{Node, PATIENCE, let_pass, ms};
use crate::mallory::{Heard, Mallory, door, while_it_lies};
use crate::place::{Place, in_both};
use crate::speaker::key_of;

fn request(room: &str, key: Key, nick: &str) -> JoinRequest {
    JoinRequest {
        version: VERSION,
        room: room.to_owned(),
        key,
        nick: nick.to_owned(),
        attempt: 3,
        port: 9,
        addresses: vec![Address(([127, 0, 0, 1], 9).into())],
        id: None,
        next_id: 0,
        view_version: 0,
        office: false,
        no: 1,
    }
}

fn carried(room: &str, to: Key, key: Key, turn: u64) -> Relay {
    let fields = request(room, key, "fool");
    Relay {
        from: key,
        to,
        ack: None,
        stable: None,
        request: Some(Box::new(CarriedRequest { turn, fields })),
        seal: None,
    }
}

/// What is said in the victim's name, and in those of nodes that do not exist, again and again.
fn in_others_names(
    place: &Place<'_>,
    [leader, victim]: [Key; 2],
) -> impl FnMut(&mut Mallory, Heard<'_>) + Send + use<> {
    let room = place.name().to_owned();
    let own = Credentials::new(&room, None).expect("randomness");
    let (mut last, mut turn) = (Instant::now(), 0);
    move |mallory, heard| {
        if !matches!(heard, Heard::Turn) || last.elapsed() < ms(5) {
            return;
        }
        (last, turn) = (Instant::now(), turn + 1);
        for key in [victim, Key(turn)] {
            mallory.say(0, &Message::JoinRequest(request(&room, key, "fool")));
            let bare = carried(&room, leader, key, turn);
            mallory.say(0, &Message::Relay(own.seal(&bare)));
            mallory.say(0, &Message::Relay(bare));
        }
    }
}

fn kinds_since(node: &Node, mark: usize, kind: &str) -> usize {
    node.look(|record| {
        record.events[mark..]
            .iter()
            .filter(|e| e.kind == kind)
            .count()
    })
}

#[test]
fn who_asks_in_others_names_renames_nobody_and_brings_nobody_in() {
    in_both(|place| {
        let [ana, bia] = ["ana", "bia"].map(|nick| {
            let node = place.join(nick);
            node.joined();
            node
        });
        ana.sees_members(2);
        let keys = [&ana, &bia].map(key_of);
        while_it_lies(
            door(place, &[&ana, &bia]),
            in_others_names(place, keys),
            |_| {
                for node in [&ana, &bia] {
                    node.sees_members(3);
                }
                let mark = ana.mark();
                for n in 0..20 {
                    ana.say(&format!("/msg bia secret {n}"));
                    let_pass(ms(50));
                }
                bia.wait("the private messages", PATIENCE, |record| {
                    let private = record.all("message").filter(|e| e.flag("private"));
                    (private.count() >= 20).then_some(())
                });
                assert_eq!(kinds_since(&ana, mark, "member_renamed"), 0);
                assert_eq!(kinds_since(&ana, mark, "member_joined"), 0);
                assert_eq!(ana.look(|record| record.view.len()), 3);
            },
        );
        ana.sees_members(2);
    });
}
