//! Private messages.

use crate::node::Event;
use crate::node::rig::Rig;
use crate::wire::{Key, Message, Private};

const BEN: Key = Key(9);

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
