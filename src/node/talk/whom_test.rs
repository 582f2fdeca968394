//! Who is asked, and how long somebody is waited for who answers nothing.

use super::*;
use crate::node::rig::{Rig, chat, config, hello, office};
use crate::node::{Config, Timer};

const ANA: Key = Key(9);
const LIAR: Key = Key(10);
const LINES: u64 = 20;

/// When each of Ana's lines is taken in, in seconds after it came. She names what the liar has said to her only, a
/// line each second; it answers no question, or every SYNC and nothing that is fetched.
fn waits(weakened: Option<Weakness>, answers_sync: bool) -> Vec<u64> {
    let mut rig = Rig::with(Config {
        weakened,
        ..config()
    });
    let links = [ANA, LIAR].map(|key| (key, rig.meet_from(key, 1)));
    links.iter().for_each(|(key, link)| rig.admit(*link, *key));
    rig.receive(links[1].1, chat(LIAR, 1, &[]));
    let (ana, mut came, mut waits) = (links[0].1, 0, Vec::new());
    for tick in 1..=6_000_u64 {
        rig.pass(Duration::from_millis(10));
        let mut sent = rig.fire_due(&[Timer::Gap, Timer::Sync, Timer::Tick]);
        // Each question has a number of its own, so that only Ana's answers count: she holds the same.
        while let Some(question) = sent.pop() {
            if let Some(answer) = rig.answer_to(&question) {
                sent.extend(rig.receive(ana, answer.clone()));
                let liar = links[1].1;
                let Message::SyncAnswer(mut answer) = answer else {
                    continue;
                };
                let is_for_liar = rig.node.talk.repair.find(liar, answer.no).is_some();
                if answers_sync && is_for_liar {
                    answer.equal = false;
                    sent.extend(rig.receive(liar, Message::SyncAnswer(answer)));
                }
            }
        }
        if tick % 20 == 0 {
            for (_, link) in links {
                rig.receive(link, Message::Ping { coordinator: None });
            }
        }
        if tick % 100 == 0 && came < LINES {
            came += 1;
            let named = MessageId {
                origin: LIAR,
                seq: came + 1,
            };
            rig.receive(ana, chat(ANA, came, &[named]));
        }
        while (waits.len() as u64) < rig.node.history().highest(ANA) {
            waits.push(tick / 100 - (waits.len() as u64 + 1));
        }
    }
    waits
}

#[test]
fn who_answers_nothing_is_not_waited_for_longer_and_longer() {
    for answers_sync in [false, true] {
        let kept = waits(None, answers_sync);
        assert_eq!(kept.len() as u64, LINES);
        assert!(kept.iter().all(|wait| *wait <= 10), "{kept:?}");
        let longer = waits(Some(Weakness::MuteAreAwaitedAnew), answers_sync);
        assert!(longer.iter().any(|wait| *wait > 30), "{longer:?}");
    }
}

#[test]
fn who_is_of_a_group_that_a_member_coordinates_is_asked_too() {
    let is_asked = |weakened| {
        let mut rig = Rig::with(Config {
            weakened,
            ..config()
        });
        let dan = rig.meet_as(hello(Key(11), Some(office(2, ANA))));
        let stranger = rig.meet_as(hello(Key(12), Some(office(2, Key(13)))));
        let ana = rig.meet_from(ANA, 1);
        rig.admit(ana, ANA);
        rig.receive(ana, chat(ANA, 3, &[]));
        let (mut asked, mut others) = (false, false);
        for _ in 0..1_000 {
            rig.pass(Duration::from_millis(10));
            let mut sent = rig.fire_due(&[Timer::Gap, Timer::Sync]);
            while let Some(question) = sent.pop() {
                if let Message::Sync(sync) = &question {
                    asked |= rig.node.talk.repair.find(dan, sync.no).is_some();
                    others |= rig.node.talk.repair.find(stranger, sync.no).is_some();
                }
                if let Some(answer) = rig.answer_to(&question) {
                    sent.extend(rig.receive(ana, answer));
                }
            }
        }
        assert!(!others, "whoever knows nobody here is not");
        asked
    };
    assert!(is_asked(None));
    assert!(!is_asked(Some(Weakness::OtherGroupsAreNotAsked)));
}
