//! Runs against the same messages one by one.

use crate::node::rig::Rig;
use crate::node::{Arrival, Event, Input, Message, Weakness};
use crate::wire::{ChatMessage, Draft, Key, MessageId};

const AUTHORS: [Key; 2] = [Key(9), Key(10)];

/// Frames of both authors: mostly runs, some with causes, gaps, repetitions, and clocks that stand.
fn frames(rng: &mut fastrand::Rng) -> Vec<(usize, Vec<ChatMessage>)> {
    let (mut seqs, mut clock) = ([0, 0], 1_000);
    let mut frame = || {
        let author = rng.usize(0..2);
        let mut messages = Vec::new();
        for _ in 0..rng.usize(1..30) {
            let mut dependencies = Vec::new();
            match rng.u8(0..40) {
                0 => seqs[author] += 1,
                1 => seqs[author] -= u64::from(seqs[author] > 1),
                // It may come later: frames of the two change places.
                2 | 5 if seqs[1 - author] > 0 => dependencies.push(MessageId {
                    origin: AUTHORS[1 - author],
                    seq: seqs[1 - author],
                }),
                3 => clock += 5,
                4 => clock -= 1,
                _ => {}
            }
            seqs[author] += 1;
            clock += 1;
            let draft = Draft {
                origin: AUTHORS[author],
                seq: seqs[author],
                timestamp: clock,
                sent_at: 0,
                from: 2,
                nick: "n".into(),
                dependencies: dependencies.into(),
                text: "x".into(),
            };
            messages.push(ChatMessage::new(&draft).unwrap());
        }
        (author, messages)
    };
    let mut all: Vec<_> = (0..20).map(|_| frame()).collect();
    for at in 1..all.len() {
        if all[at - 1].0 != all[at].0 && at % 3 > 0 {
            all.swap(at - 1, at);
        }
    }
    all
}

#[test]
fn a_run_makes_of_a_node_what_its_messages_one_by_one_make() {
    let mut rng = fastrand::Rng::with_seed(5);
    let (mut longest, mut longest_waiting) = (0, 0);
    for _ in 0..300 {
        let (mut whole, mut single) = (Rig::new(), Rig::new());
        let links = AUTHORS.map(|key| (whole.meet(key), single.meet(key)));
        for (author, messages) in frames(&mut rng) {
            longest = longest.max({
                let (talk, lent) = whole.node.talk();
                talk.run_length(&lent, &messages)
            });
            let (to_whole, link) = links[author];
            let one_by_one = messages.iter().map(|m| Input::Message {
                link,
                message: Message::Chat(vec![m.clone()]),
            });
            let inputs = one_by_one.collect();
            let sent = whole.receive(to_whole, Message::Chat(messages));
            assert_eq!(sent, single.turn(inputs));
            let (a, b) = (&whole.node, &single.node);
            assert!(a.history().iter().eq(b.history().iter()));
            assert_eq!(a.history().digest(), b.history().digest());
            assert_eq!(a.talk.waiting.len(), b.talk.waiting.len());
            let waiting = a.talk.waiting.iter().map(|w| w.run.len());
            longest_waiting = longest_waiting.max(waiting.max().unwrap_or(0));
            // What is said next has the same causes and comes after the same.
            assert_eq!(whole.say(1), single.say(1));
        }
    }
    assert!(longest > 10, "there were no runs");
    assert!(longest_waiting > 5, "no run waited");
}

/// What the first author says, a line each millisecond.
fn message(seq: u64) -> ChatMessage {
    let draft = Draft {
        origin: AUTHORS[0],
        seq,
        timestamp: 1_000 + seq,
        sent_at: 0,
        from: 2,
        nick: "n".into(),
        dependencies: Vec::new().into(),
        text: "x".into(),
    };
    ChatMessage::new(&draft).unwrap()
}

/// Somebody named the second line before it was said, and the user was told that it is missed.
#[test]
fn of_a_run_that_line_is_late_which_was_called_missed_before_it_was_said() {
    let late = |weakened: Option<Weakness>| {
        let mut rig = Rig::new();
        rig.node.cx.config.weakened = weakened;
        let link = rig.meet(AUTHORS[0]);
        let (talk, _) = rig.node.talk();
        talk.history.origin_mut(AUTHORS[0]).miss(2, 2);
        talk.hear_word(AUTHORS[0], 0);
        rig.shown.clear();
        rig.receive(link, Message::Chat((1..=3).map(message).collect()));
        let events = rig.shown.iter().flat_map(|event| match event {
            Event::Messages {
                messages, arrival, ..
            } => messages.iter().map(|m| (m.seq(), *arrival)).collect(),
            _ => Vec::new(),
        });
        let late = events.filter(|(_, arrival)| *arrival == Arrival::Late);
        late.map(|(seq, _)| seq).collect::<Vec<_>>()
    };
    assert_eq!(late(None), [2]);
    assert!(late(Some(Weakness::FirstOfRunCounts)).is_empty());
}

#[test]
fn with_a_store_too_a_run_waits_and_is_taken_in_as_one() {
    let mut rig = Rig::new();
    rig.node.restore(crate::node::Restored::default());
    let link = rig.meet(AUTHORS[0]);
    rig.receive(link, Message::Chat((2..400).map(message).collect()));
    assert_eq!(rig.node.talk.waiting.iter().count(), 1, "one run waits");
    rig.receive(link, Message::Chat(vec![message(1)]));
    assert_eq!(rig.node.talk.waiting.len(), 0);
    assert_eq!(rig.node.unstored_len(), 399);
    let unstored = rig.node.unstored().map(ChatMessage::seq);
    assert!(unstored.eq(1..400));
    rig.node.on_stored(399);
    assert_eq!(rig.node.history().len(), 399);
}
