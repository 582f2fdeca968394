//! How often somebody is asked for what is missing, and what is missing after joining.

use super::*;
use crate::node::rig::{Rig, chat, config, hello, office, response};
use crate::wire::{Message, Position, Stable};

const ANA: Key = Key(9);
const BIA: Key = Key(10);

fn message(author: Key, seq: u64, after: &[MessageId]) -> Vec<crate::wire::ChatMessage> {
    match chat(author, seq, after) {
        Message::Chat(messages) => messages,
        _ => Vec::new(),
    }
}

/// How many times Bia is asked within three seconds for what she holds of Ana's, and Ana says that she has not said.
fn questions(weakened: Option<Weakness>) -> usize {
    let mut rig = Rig::with(crate::node::Config {
        weakened,
        ..config()
    });
    let links = [ANA, BIA].map(|key| (key, rig.meet_from(key, 1)));
    links.iter().for_each(|(key, link)| rig.admit(*link, *key));
    let [ana, bia] = links.map(|(_, link)| link);
    rig.receive(ana, chat(ANA, 1, &[]));
    let of_ana = |seq| MessageId { origin: ANA, seq };
    rig.receive(bia, chat(BIA, 1, &[of_ana(5)]));
    // She has said three, and they do not come.
    rig.receive(
        ana,
        Message::Stable(Stable {
            from: None,
            said: 3,
            stable: 0,
        }),
    );
    let mut asked = 0;
    for _ in 0..300 {
        rig.pass(Duration::from_millis(10));
        let mut sent = rig.fire_due(&[Timer::Gap, Timer::Sync]);
        while let Some(message_sent) = sent.pop() {
            // Each question has a number of its own, so that only the answer of whom it is for counts.
            for (key, link) in links {
                let Some(mut answer) = rig.answer_to(&message_sent) else {
                    continue;
                };
                if let Message::Chunk(chunk) = &mut answer
                    && key == BIA
                {
                    chunk.messages = message(ANA, 5, &[]);
                }
                sent.extend(rig.receive(link, answer));
            }
            asked += usize::from(matches!(message_sent, Message::Sync(_)));
            if asked > 100 {
                return asked;
            }
        }
    }
    asked
}

#[test]
fn who_gives_what_an_author_has_not_said_is_not_asked_again_for_what_it_has_said() {
    let kept = questions(None);
    assert!((2..=12).contains(&kept), "{kept}");
    let again = questions(Some(Weakness::RefusedIsAskedAgain));
    assert!(again > 40, "{again}");
}

/// How long a line of Ana's is looked for that she does not have, if another group lets this node in after three and a
/// half seconds, in tenths of a second. Bia, a member, has lost her link half a second before that.
fn patience_of_a_new_group(weakened: Option<Weakness>) -> u64 {
    let mut rig = Rig::with(crate::node::Config {
        weakened,
        ..config()
    });
    let [ana, bia] = [ANA, BIA].map(|key| {
        let link = rig.meet_from(key, 1);
        rig.admit(link, key);
        link
    });
    for seq in [1, 3] {
        rig.receive(ana, chat(ANA, seq, &[]));
    }
    for tick in 1..200 {
        rig.pass(Duration::from_millis(100));
        rig.receive(ana, Message::Ping { coordinator: None });
        match tick {
            30 => {
                let (link, why) = (bia, crate::node::Closed::Failed);
                rig.turn(vec![crate::node::Input::Closed { link, why }]);
            }
            35 => {
                let now = crate::node::Time(rig.micros);
                rig.node.talk.note_let_in(now);
            }
            0..30 => {
                rig.receive(bia, Message::Ping { coordinator: None });
            }
            _ => {}
        }
        let mut sent = rig.fire_due(&[Timer::Gap, Timer::Sync]);
        while let Some(question) = sent.pop() {
            let Some(answer) = rig.answer_to(&question) else {
                continue;
            };
            sent.extend(rig.receive(ana, answer.clone()));
            // Bia answers nothing to the end.
        }
        if rig.node.history().highest(ANA) == 3 {
            return tick;
        }
    }
    panic!("it is looked for without an end");
}

#[test]
fn a_new_group_brings_as_much_patience_again() {
    let known = patience_of_a_new_group(Some(Weakness::NewGroupsBringNothing));
    let anew = patience_of_a_new_group(None);
    assert!(
        (35..45).contains(&known) && (65..75).contains(&anew),
        "{known}, {anew}"
    );
}

/// True if a node that has just joined knows that it lacks what Ana said, who told so while it joined.
fn lacks_after_joining(weakened: Option<Weakness>) -> bool {
    let mut rig = Rig::seeking(crate::node::Config {
        weakened,
        ..config()
    });
    let leader = Key(3);
    let link = rig.meet_as(hello(leader, Some(office(1, leader))));
    let members = [(1, leader), (2, config().key), (3, ANA)];
    let answer = response(&members, Position::default());
    rig.receive(link, Message::JoinResponse(answer));
    let ana = rig.meet_as(hello(ANA, None));
    let stable = Stable {
        from: Some(1),
        said: 3,
        stable: 0,
    };
    rig.receive(ana, Message::Stable(stable));
    assert!(!rig.node.is_joined());
    while !rig.node.is_joined() {
        rig.receive(link, Message::SyncAnswer(rig.answer()));
        rig.receive(ana, Message::Ping { coordinator: None });
        rig.fire(Timer::Tick);
    }
    rig.node.talk.gaps.lacks_of(ANA)
}

#[test]
fn what_is_missing_while_a_node_joins_is_looked_for_once_it_has() {
    assert!(lacks_after_joining(None));
    assert!(!lacks_after_joining(Some(Weakness::JoiningNoticesNothing)));
}

/// A liar said every second of its lines, and only to Bia, who passes them on, and few may wait at a time. What lies
/// between two that had no room was never there.
#[test]
fn a_hole_before_what_has_come_again_is_not_taken_for_what_had_no_room() {
    const LIAR: Key = Key(40);
    let id = |seq| MessageId { origin: LIAR, seq };
    let mut rig = Rig::with(crate::node::Config {
        waiting_max: 500,
        ..config()
    });
    let bia = rig.meet_from(BIA, 1);
    rig.admit(bia, BIA);
    let odd = |rig: &mut Rig, seqs: std::ops::Range<u64>| {
        for seq in seqs.filter(|seq| seq % 2 == 1) {
            rig.pass_on(BIA, chat(LIAR, seq, &[]));
        }
    };
    odd(&mut rig, 1..2);
    rig.pass(rig.node.cx.config.failure_timeout / 2);
    rig.fire(Timer::Tick);
    assert_eq!(rig.read(), [id(1)], "its word is waited for no longer");
    odd(&mut rig, 3..5_000);
    let gaps = &rig.node.talk.gaps;
    assert!(gaps.was_thrown(id(1_204)) && gaps.was_thrown(id(3_002)));
    // What waits has what it waits for, and there is room again.
    for seq in 2..1_002 {
        rig.pass_on(BIA, chat(LIAR, seq, &[]));
    }
    assert_eq!(rig.read().last(), Some(&id(1_001)));
    odd(&mut rig, 1_003..1_500);
    let gaps = &rig.node.talk.gaps;
    assert!(!gaps.was_thrown(id(1_204)) && gaps.was_thrown(id(3_002)));
    assert!(
        gaps.spans(LIAR)
            .any(|(first, last)| (first..=last).contains(&1_204))
    );
}
