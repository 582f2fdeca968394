//! Numbers at their ends, said by a stranger in an open room, and in a locked one by somebody who holds the
//! secret: the room goes on as if nothing had been said.

use std::rc::Rc;
use std::time::Duration;

use papo::identity::Credentials;
use papo::wire::{Address, ChatMessage, Draft, JoinRequest, Key, Message, VERSION};

use crate::harness::{PATIENCE, agree, talk_in_turn};
use crate::place::in_both;
use crate::speaker::key_of;

fn said(origin: Key, seq: u64, timestamp: u64) -> ChatMessage {
    let draft = Draft {
        origin,
        seq,
        timestamp,
        sent_at: 0,
        from: 9,
        nick: "mallory".into(),
        dependencies: Vec::new().into(),
        text: "poison".into(),
    };
    ChatMessage::new(&draft).expect("it keeps the rules")
}

#[test]
fn what_is_dated_at_the_end_of_time_is_not_said_and_moves_no_clock() {
    in_both(|place| {
        let (ana, bia) = (place.join("ana"), place.join("bia"));
        ana.joined();
        bia.joined();
        ana.sees_members(2);
        let mut speakers = [&ana, &bia].map(|node| {
            let mut speaker = place.speaker(node);
            speaker.greet(place.name(), 0);
            speaker
        });
        for speaker in &mut speakers {
            let key = speaker.key();
            let both = [1, 2].map(|seq| said(key, seq, u64::MAX));
            speaker.say(&Message::Chat(both.to_vec()));
            speaker.say(&Message::Ping { coordinator: None });
            let pong = speaker.hear(PATIENCE, |m| matches!(m, Message::Pong { .. }));
            assert!(pong.is_some(), "the link stays");
        }
        talk_in_turn(&ana, &bia, 8);
        drop(speakers);
        let caio = place.join("caio");
        caio.joined();
        let history = agree(&[&ana, &bia, &caio], Duration::from_secs(15));
        let texts: Vec<&str> = history.iter().map(|said| said.text.as_str()).collect();
        let lines: Vec<String> = (0..8).map(|n| format!("line {n}")).collect();
        assert_eq!(texts, lines);
    });
}

#[test]
fn live_chat_in_somebody_elses_name_ends_the_link_and_counts_for_nothing() {
    in_both(|place| {
        let (ana, bia) = (place.join("ana"), place.join("bia"));
        ana.joined();
        bia.joined();
        ana.sees_members(2);
        for victim in [key_of(&ana), key_of(&bia)] {
            let mut speaker = place.speaker(&ana);
            speaker.greet(place.name(), 0);
            let own = said(speaker.key(), 1, 5);
            let forged = Draft {
                origin: victim,
                ..own.draft()
            };
            let forged = ChatMessage::new(&forged).expect("it keeps the rules");
            speaker.say(&Message::Chat(vec![forged]));
            assert!(speaker.is_closed_within(Duration::from_secs(2)));
        }
        bia.say("mine");
        ana.heard("bia", 1);
        bia.event("the confirmation", |e| e.is("delivered"));
        let history = agree(&[&ana, &bia], Duration::from_secs(15));
        assert_eq!(history.len(), 1, "{history:?}");
    });
}

#[test]
fn an_id_at_its_end_that_a_joiner_brings_ends_no_uniqueness() {
    in_both(|place| {
        let ana = place.join("ana");
        ana.joined();
        let mut speaker = place.speaker(&ana);
        speaker.greet(place.name(), 0);
        speaker.say(&Message::JoinRequest(JoinRequest {
            version: VERSION,
            room: place.name().to_owned(),
            key: speaker.key(),
            nick: "mallory".to_owned(),
            attempt: 0,
            port: 9,
            addresses: vec![Address(([127, 0, 0, 1], 9).into())],
            id: Some(1 << 53),
            next_id: u64::MAX,
            view_version: u64::MAX,
            office: false,
            no: 0,
        }));
        let let_in = speaker.hear(PATIENCE, |m| matches!(m, Message::JoinResponse(_)));
        assert!(let_in.is_some());
        let mut ids = Vec::new();
        for nick in ["bia", "caio", "dora"] {
            let node = place.join(nick);
            node.joined();
            ids.push(node.id());
            drop(node);
        }
        assert!(
            ids.windows(2).all(|w| w[0] < w[1]) && ids[2] < 1_000,
            "{ids:?}"
        );
    });
}

#[test]
fn rounds_at_their_end_part_nobody_for_good() {
    in_both(|place| {
        let ana = place.join("ana");
        ana.joined();
        let own = Rc::new(Credentials::new(place.name(), None).expect("randomness"));
        let greet = || {
            let mut speaker = place.speaker_as(&ana, &own);
            speaker.greet(place.name(), 1 << 53);
            speaker
        };
        let mut first = greet();
        // No round is higher, and yet the next link takes the place of the one before it.
        let mut second = greet();
        assert!(first.is_closed_within(Duration::from_secs(2)));
        second.say(&Message::Ping { coordinator: None });
        let pong = second.hear(PATIENCE, |m| matches!(m, Message::Pong { .. }));
        assert!(pong.is_some(), "the link goes on");
        // Where there is no link, there is one again.
        drop(second);
        greet();
    });
}
