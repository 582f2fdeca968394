//! Own lines, and private messages.

use std::time::Duration;

use crate::node::Event;
use crate::node::rig::{Rig, config, timed};
use crate::wire::made::message;
use crate::wire::{COUNTER_BITS, ChatMessage, Key, Message, MessageId, Position, Private};

const BEN: Key = Key(9);

/// The line that is said after ben's, which is dated so far ahead.
fn line_after(ahead: Duration) -> (Rig, ChatMessage) {
    let mut rig = Rig::new();
    let ben = rig.meet(BEN);
    rig.admit(ben, BEN);
    let at = rig.micros / 1_000 + u64::try_from(ahead.as_millis()).unwrap();
    rig.receive(ben, timed(BEN, 1, at << COUNTER_BITS, &[]));
    assert_eq!(rig.node.history().highest(BEN), 1, "it is taken in");
    rig.say(1);
    let own = rig.node.history().iter().find(|m| m.origin() != BEN);
    let own = own.cloned().expect("it was said");
    (rig, own)
}

#[test]
fn a_line_follows_what_was_said_before_it_unless_that_is_dated_almost_a_day_ahead() {
    let hour = Duration::from_hours(1);
    let cause = MessageId {
        origin: BEN,
        seq: 1,
    };
    let (_, own) = line_after(hour * 19);
    assert_eq!(own.dependencies().collect::<Vec<_>>(), [cause]);
    // Somebody whose clock is four hours behind would not believe what comes after this one.
    let (rig, own) = line_after(hour * 23);
    assert_eq!(own.dependencies().count(), 0);
    let behind = rig.micros / 1_000;
    assert!(
        own.timestamp() < Position::latest(behind).timestamp - ((3 * 3_600_000) << COUNTER_BITS)
    );
}

#[test]
fn what_is_said_four_hours_later_follows_what_was_dated_almost_a_day_ahead() {
    let (mut rig, early) = line_after(Duration::from_hours(23));
    rig.pass(Duration::from_hours(4));
    rig.say(1);
    let ids: Vec<_> = rig.node.history().iter().map(ChatMessage::id).collect();
    let late = MessageId {
        origin: early.origin(),
        seq: 2,
    };
    let ahead = MessageId {
        origin: BEN,
        seq: 1,
    };
    assert_eq!(ids, [early.id(), ahead, late]);
}

#[test]
fn what_has_no_room_since_too_much_is_dated_almost_a_day_ahead_counts_as_not_said() {
    let mut own = config();
    own.history_max = 10;
    let mut rig = Rig::with(own);
    let ben = rig.meet(BEN);
    rig.admit(ben, BEN);
    let at = (rig.micros / 1_000 + 23 * 3_600_000) << COUNTER_BITS;
    let room = rig.node.history().room_beyond_reach() as u64;
    let lines = (1..=room + 1).map(|n| message(BEN.0, n, at + n, "x"));
    let lines: Vec<_> = lines.collect();
    rig.receive(ben, Message::Chat(lines.clone()));
    assert_eq!(rig.node.history().highest(BEN), room);
    assert_eq!(rig.node.history().room_beyond_reach(), 0);
    // Whatever else is said has its place all the same, and so has this when its time has come.
    rig.say(1);
    assert_eq!(rig.node.history().len() as u64, room + 1);
    rig.pass(Duration::from_hours(4));
    rig.receive(ben, Message::Chat(lines[lines.len() - 1..].to_vec()));
    assert_eq!(rig.node.history().highest(BEN), room + 1);
}

#[test]
fn a_private_message_is_shown_with_the_nick_and_the_id_that_its_author_has_in_the_view() {
    let mut rig = Rig::new();
    let ben = rig.meet(BEN);
    rig.admit(ben, BEN);
    rig.shown.clear();
    let private = Private {
        from: 1,
        nick: "ana".to_string(),
        sent_at: 7,
        text: "psst".to_string(),
    };
    rig.receive(ben, Message::Private(private));
    let shown = Event::Private {
        from: 2,
        key: BEN,
        nick: "ben".to_string(),
        sent_at: 7,
        text: "psst".to_string(),
        own: false,
    };
    assert_eq!(rig.shown, [shown]);
}

#[test]
fn who_is_no_member_says_nothing_privately_under_the_nick_or_the_id_of_one() {
    let mut rig = Rig::new();
    let ben = rig.meet(BEN);
    rig.shown.clear();
    let private = |from: u64, nick: &str| {
        Message::Private(Private {
            from,
            nick: nick.to_string(),
            sent_at: 7,
            text: "psst".to_string(),
        })
    };
    let own = crate::node::rig::config().nick;
    rig.receive(ben, private(9, &own));
    rig.receive(ben, private(1, "carl"));
    assert_eq!(rig.shown, []);
    rig.receive(ben, private(9, "carl"));
    let is_carl =
        |event: &Event| matches!(event, Event::Private { from: 9, nick, .. } if nick == "carl");
    assert!(
        matches!(&rig.shown[..], [event] if is_carl(event)),
        "{:?}",
        rig.shown
    );
}
