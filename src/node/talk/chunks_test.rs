//! What of a chunk has no room.

use super::*;
use crate::node::Config;
use crate::node::rig::{Rig, chat, config, timed};
use crate::wire::{Fetch, Message, SeqRange};

const ANA: Key = Key(9);

/// The next FETCH of a node that misses 1 and 2 of Ana's, has room for one message that waits, and was sent these of
/// hers in a chunk, so many failure timeouts after it had asked her.
fn fetches_on_after(weakened: Option<Weakness>, timeouts: u32, seqs: &[u64]) -> Option<Fetch> {
    let mut rig = Rig::with(Config {
        waiting_max: 1,
        weakened,
        ..config()
    });
    let (ana, fetch) = rig.fetch_two_of(ANA);
    let mut messages = Vec::new();
    for seq in seqs {
        if let Message::Chat(chat) = chat(ANA, *seq, &[]) {
            messages.extend(chat);
        }
    }
    rig.pass(rig.node.cx.config.failure_timeout * timeouts);
    let next = messages.last().map(ChatMessage::position);
    let no = fetch.no;
    let sent = rig.receive(ana, Message::Chunk(Chunk { no, next, messages }));
    sent.into_iter().find_map(|message| match message {
        Message::Fetch(fetch) => Some(fetch),
        _ => None,
    })
}

#[test]
fn what_comes_after_something_without_room_is_not_fetched() {
    let fetch = fetches_on_after(None, 1, &[4, 5]).expect("what is missing is asked for");
    assert_eq!(fetch.spans, []);
    assert_eq!(fetch.want, [SeqRange::new(ANA, 1, 2)]);
    let fetch = fetches_on_after(Some(Weakness::RoomlessAreFetched), 1, &[4, 5]);
    assert_ne!(fetch.expect("the rest is asked for").spans, []);
}

#[test]
fn what_has_room_or_comes_soon_lets_the_rest_come() {
    let fetch = fetches_on_after(None, 1, &[1, 2]).expect("the rest is asked for");
    assert_ne!(fetch.spans, []);
    let fetch = fetches_on_after(None, 0, &[4, 5]).expect("the rest is asked for");
    assert_ne!(fetch.spans, []);
}

/// What the next FETCH asks for of two that are missing, when the first of them came so long after the first FETCH.
fn wants_after(weakened: Option<Weakness>, long: std::time::Duration) -> Vec<SeqRange> {
    let mut rig = Rig::with(Config {
        weakened,
        ..config()
    });
    let (ana, fetch) = rig.fetch_two_of(ANA);
    assert_eq!(fetch.want, [SeqRange::new(ANA, 1, 2)]);
    rig.pass(long);
    let Message::Chat(messages) = chat(ANA, 1, &[]) else {
        panic!("it is chat");
    };
    let next = messages.last().map(ChatMessage::position);
    let no = fetch.no;
    let sent = rig.receive(ana, Message::Chunk(Chunk { no, next, messages }));
    let mut wants = sent.into_iter().filter_map(|message| match message {
        Message::Fetch(fetch) => Some(fetch.want),
        _ => None,
    });
    wants.next().expect("the rest is asked for")
}

#[test]
fn what_is_missing_is_not_looked_up_for_each_small_piece() {
    let moment = crate::timing::GAP_PATIENCE / 2;
    let (both, last) = (SeqRange::new(ANA, 1, 2), SeqRange::new(ANA, 2, 2));
    assert_eq!(wants_after(None, moment), [both]);
    assert_eq!(wants_after(None, moment * 3), [last]);
    let weakened = Some(Weakness::EachPieceIsLookedUp);
    assert_eq!(wants_after(weakened, moment), [last]);
}

/// Somebody handed on a text in the name of an author that was not heard; then the author itself says another.
#[test]
fn what_an_author_said_is_not_confirmed_where_something_else_is_under_its_name() {
    let missed = |weakened| {
        let mut rig = Rig::with(Config {
            weakened,
            ..config()
        });
        let [ana, eve] = [ANA, Key(66)].map(|key| {
            let link = rig.meet(key);
            rig.admit(link, key);
            link
        });
        rig.receive(eve, chat(Key(66), 1, &[]));
        rig.pass_on(Key(66), timed(ANA, 1, 7, &[]));
        let sent = rig.receive(ana, chat(ANA, 1, &[]));
        let acks = sent.into_iter().filter_map(|m| match m {
            Message::Ack(ack) => Some(ack.missed),
            _ => None,
        });
        acks.last()
    };
    assert_eq!(missed(None), Some(vec![(1, 1)]));
    let confirmed = missed(Some(Weakness::DoublesAreConfirmed));
    assert_eq!(confirmed, Some(Vec::new()));
}
