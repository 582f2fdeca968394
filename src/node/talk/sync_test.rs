//! When a SYNC is due.

use super::*;
use crate::node::rig::{Rig, chat};
use crate::wire::Chunk;

const ANA: Key = Key(9);

#[test]
fn while_chat_pours_in_every_third_round_is_a_sync() {
    let mut rig = Rig::new();
    let ana = rig.meet(ANA);
    rig.admit(ana, ANA);
    let mut asked = Vec::new();
    for seq in 1..=6 {
        rig.pass(timing::SYNC_ROUND);
        rig.receive(ana, chat(ANA, seq, &[]));
        let sent = rig.turn(vec![crate::node::Input::Timer(Timer::SyncRound)]);
        let sync = sent.iter().find_map(|m| match m {
            Message::Sync(sync) => Some(sync.no),
            _ => None,
        });
        asked.push(sync.is_some());
        if sync.is_some() {
            rig.receive(ana, Message::SyncAnswer(rig.answer()));
        }
    }
    assert_eq!(asked, [false, false, true, false, false, true]);
}

#[test]
fn what_somebody_invents_in_this_nodes_name_is_not_taken_from_a_chunk() {
    let mut rig = Rig::new();
    let ana = rig.meet(ANA);
    rig.admit(ana, ANA);
    let me = rig.node.key();
    rig.receive(ana, Message::Ping { coordinator: None });
    rig.turn(vec![crate::node::Input::Timer(Timer::SyncRound)]);
    let mut answer = rig.answer();
    answer.equal = false;
    let sent = rig.receive(ana, Message::SyncAnswer(answer));
    let [Message::Fetch(fetch)] = &sent[..] else {
        panic!("no FETCH but {sent:?}");
    };
    let mut messages = Vec::new();
    for message in [chat(ANA, 1, &[]), chat(me, 1, &[]), chat(ANA, 2, &[])] {
        if let Message::Chat(chat) = message {
            messages.extend(chat);
        }
    }
    let (no, next) = (fetch.no, None);
    rig.receive(ana, Message::Chunk(Chunk { no, next, messages }));
    let history = rig.node.history();
    assert_eq!((history.highest(ANA), history.highest(me)), (2, 0));
}

/// A node that misses 1 and 2 of Ana's, has asked her for them, and has given the exchange up since.
fn given_up() -> (Rig, LinkId, u64) {
    let mut rig = Rig::new();
    let (ana, fetch) = rig.fetch_two_of(ANA);
    let no = fetch.no;
    rig.pass(rig.node.cx.config.failure_timeout);
    rig.fire(Timer::Sync);
    (rig, ana, no)
}

fn chunk_of_two(no: u64) -> Message {
    let mut messages = Vec::new();
    for seq in 1..=2 {
        if let Message::Chat(chat) = chat(ANA, seq, &[]) {
            messages.extend(chat);
        }
    }
    let next = None;
    Message::Chunk(Chunk { no, next, messages })
}

#[test]
fn a_chunk_that_comes_late_over_a_slow_line_is_taken_in_once_and_only_if_it_was_asked_for() {
    let (mut rig, ana, no) = given_up();
    rig.receive(ana, chunk_of_two(no + 7));
    assert_eq!(rig.node.talk.history.highest(ANA), 0, "nobody asked for it");
    rig.receive(ana, chunk_of_two(no));
    assert_eq!(rig.node.talk.history.highest(ANA), 3);
    assert_eq!(rig.node.talk.repair.take_late(ana, no), None);
}

#[test]
fn a_member_that_brings_what_is_missing_only_slowly_is_not_held_for_one_that_never_answers() {
    let (mut rig, ana, no) = given_up();
    let since = Time::default();
    let is_asked_in_vain = |rig: &mut Rig| {
        let (talk, lent) = rig.node.talk();
        talk.answers
            .has_had_its_chances(&lent, ANA, (since, since), false)
    };
    let timeout = rig.node.cx.config.failure_timeout;
    rig.pass(timeout * timing::SILENT_LINK_TIMEOUTS_MAX);
    rig.receive(ana, Message::Ping { coordinator: None });
    for _ in 1..timing::CHANCES_OF_MEMBERS {
        assert!(!is_asked_in_vain(&mut rig));
        let (talk, lent) = rig.node.talk();
        talk.answers.has_failed(ANA, lent.cx.now.time);
    }
    assert!(is_asked_in_vain(&mut rig));
    rig.receive(ana, chunk_of_two(no));
    assert!(!is_asked_in_vain(&mut rig));
}

/// Ana brings one of the two lines that are missing, in an exchange that goes on, after as many have broken off as a
/// member is granted. If she counts as asked in vain before that, and after it.
fn is_asked_in_vain_while_she_brings(weakened: Option<Weakness>) -> [bool; 2] {
    let mut rig = Rig::new();
    rig.node.cx.config.weakened = weakened;
    let since = Time::default();
    let timeout = rig.node.cx.config.failure_timeout;
    rig.pass(timeout * timing::SILENT_LINK_TIMEOUTS_MAX);
    let (ana, fetch) = rig.fetch_two_of(ANA);
    for _ in 0..timing::CHANCES_OF_MEMBERS {
        let (talk, lent) = rig.node.talk();
        talk.answers.has_failed(ANA, lent.cx.now.time);
    }
    let is_asked_in_vain = |rig: &mut Rig| {
        let (talk, lent) = rig.node.talk();
        talk.answers
            .has_had_its_chances(&lent, ANA, (since, since), false)
    };
    let before = is_asked_in_vain(&mut rig);
    let mut messages = Vec::new();
    if let Message::Chat(chat) = chat(ANA, 1, &[]) {
        messages.extend(chat);
    }
    let (no, next) = (fetch.no, messages.first().map(ChatMessage::position));
    rig.receive(ana, Message::Chunk(Chunk { no, next, messages }));
    assert!(!rig.node.talk.repair.exchanges.is_empty(), "it goes on");
    [before, is_asked_in_vain(&mut rig)]
}

#[test]
fn a_member_that_brings_what_is_missing_is_not_asked_in_vain_whatever_broke_off_before() {
    let counts = is_asked_in_vain_while_she_brings;
    assert_eq!(counts(None), [true, false]);
    assert_eq!(counts(Some(Weakness::SlowAreAskedInVain)), [true, true]);
}

/// Who is asked next, where ana is to be asked once more while she does not answer and falls silent, and then ben.
fn asked_after_silence(weakened: Option<Weakness>) -> Key {
    const BEN: Key = Key(11);
    let mut rig = Rig::new();
    rig.node.cx.config.weakened = weakened;
    let [_, ben] = [ANA, BEN].map(|key| {
        let link = rig.meet(key);
        rig.admit(link, key);
        link
    });
    rig.say(1);
    for key in [ANA, ANA, BEN] {
        let (talk, mut lent) = rig.node.talk();
        talk.want_sync(&mut lent, key, Why::Lacks);
    }
    rig.pass(rig.node.cx.config.failure_timeout);
    rig.receive(ben, Message::Ping { coordinator: None });
    rig.fire(Timer::Sync);
    rig.node.talk.repair.exchanges[0].peer
}

#[test]
fn whoever_has_fallen_silent_is_not_asked_once_more_before_those_who_speak() {
    assert_eq!(asked_after_silence(None), Key(11));
    let weakened = Some(Weakness::SilentKeepTheirPlace);
    assert_eq!(asked_after_silence(weakened), ANA);
}
