//! A peer that was behind a node which goes on writing.

use super::*;
use crate::node::Input;
use crate::node::rig::{NONE, Rig, config};
use crate::wire::{Chunk, Digest, Fetch, Key, Span, Sync};

fn fetch(rig: &mut Rig, link: LinkId, after: Position) -> Chunk {
    let fetch = Fetch {
        no: 1,
        after,
        spans: vec![Span::new(Position::default(), Position::END)],
        skip: Vec::new(),
        floor: None,
        want: Vec::new(),
    };
    let mut sent = rig.receive(link, Message::Fetch(fetch));
    let Message::Chunk(chunk) = sent.remove(0) else {
        panic!("no chunk but {sent:?}");
    };
    chunk
}

/// The peer's queue was full and is empty, and it asks for a SYNC.
fn behind() -> (Rig, LinkId) {
    let mut rig = Rig::new();
    let link = rig.meet(Key(9));
    assert_eq!(Rig::seqs(&rig.say(1)), [1]);
    rig.turn(vec![Input::Congested { link }]);
    assert_eq!(Rig::seqs(&rig.say(2_000)), NONE, "withheld");
    let sent = rig.turn(vec![Input::Drained { link }]);
    let Some((word, [Message::Behind])) = sent.split_last() else {
        panic!("BEHIND and its author's word, not {sent:?}");
    };
    assert!(matches!(word, Message::Stable(stable) if stable.said == 2_001));
    let sync = Sync {
        no: 1,
        floor: Position::default(),
        digest: Digest::default(),
        count: 0,
        back: false,
    };
    rig.receive(link, Message::Sync(sync));
    (rig, link)
}

#[test]
fn who_catches_up_stops_stdin_until_it_has() {
    let (mut rig, link) = behind();
    assert_eq!(rig.node.chased_until(Time(rig.micros)), None);
    let (mut has, mut after) = (0, Position::default());
    loop {
        let chunk = fetch(&mut rig, link, after);
        for message in &chunk.messages {
            has += 1;
            assert_eq!(message.seq(), has);
        }
        let Some(next) = chunk.next else {
            break;
        };
        after = next;
        let until = rig.node.chased_until(Time(rig.micros)).expect("it waits");
        assert_eq!(until, Time(rig.micros) + crate::timing::STALL);
        assert_eq!(Rig::seqs(&rig.say(10)), NONE, "withheld");
    }
    assert_eq!(has, rig.node.written());
    assert_eq!(rig.node.chased_until(Time(rig.micros)), None);
    assert_eq!(Rig::seqs(&rig.say(1)), [has + 1]);
}

#[test]
fn who_asks_no_more_stops_stdin_no_longer() {
    let (mut rig, link) = behind();
    fetch(&mut rig, link, Position::default());
    assert!(rig.node.chased_until(Time(rig.micros)).is_some());
    rig.micros += crate::node::micros(crate::timing::STALL);
    assert_eq!(Rig::seqs(&rig.say(1)), NONE, "withheld");
    assert_eq!(rig.node.chased_until(Time(rig.micros)), None);
}

#[test]
fn who_is_far_behind_does_not_stop_stdin() {
    let (mut rig, link) = behind();
    for _ in 0..40 {
        rig.say(1_000);
    }
    fetch(&mut rig, link, Position::default());
    assert_eq!(rig.node.chased_until(Time(rig.micros)), None);
}

#[test]
fn who_was_told_that_it_is_behind_and_asks_for_nothing_is_told_again() {
    let mut rig = Rig::new();
    let link = rig.meet(Key(9));
    rig.turn(vec![Input::Congested { link }]);
    let told = |sent: Vec<Message>| sent.contains(&Message::Behind);
    assert!(told(rig.turn(vec![Input::Drained { link }])));
    let tick = Input::Timer(crate::node::Timer::Tick);
    assert!(!told(rig.turn(vec![tick.clone()])), "not at once");
    rig.micros += crate::node::micros(rig.node.cx.config.failure_timeout * 2);
    assert!(told(rig.turn(vec![tick])), "its SYNC may have broken off");
}

#[test]
fn who_has_just_joined_takes_no_lines_before_it_is_linked_with_everybody() {
    const LEADER: Key = Key(7);
    const BEN: Key = Key(10);
    let own = config().key;
    let (mut rig, leader) = Rig::member_among(&[(1, LEADER), (2, own), (3, BEN)]);
    rig.receive(leader, Message::SyncAnswer(rig.answer()));
    assert!(rig.node.is_joined());
    let joined = Time(rig.micros);
    let until = joined + timing::LINKS_AWAITED;
    assert_eq!(rig.node.chased_until(joined), Some(until));
    assert_eq!(
        rig.node.chased_until(until),
        None,
        "somebody cannot be reached"
    );
    rig.meet(BEN);
    assert_eq!(rig.node.chased_until(joined), None);
}
