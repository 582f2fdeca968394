//! What of a chunk has no room.

use super::*;
use crate::node::Config;
use crate::node::rig::{Rig, chat, config};
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
