//! From whom a node that is let in fetches the history.

use crate::node::rig::{Rig, config, hello, office, response, timed};
use crate::node::{Closed, Config, Event, Input, LinkId, Timer, Weakness, micros};
use crate::wire::{
    ChatMessage, Chunk, Hello, Key, Message, MessageId, Part, Position, Sum, SyncAnswer,
};

const LEADER: Key = Key(9);
const BEN: Key = Key(10);
const CAIO: Key = Key(11);

fn asks(sent: &[Message]) -> bool {
    sent.iter().any(|m| matches!(m, Message::Sync(_)))
}

#[test]
fn who_has_not_the_whole_history_is_not_asked_while_somebody_with_more_may_come() {
    let mut rig = Rig::seeking(config());
    let leader = rig.meet_as(hello(LEADER, Some(office(1, LEADER))));
    let members = [(1, LEADER), (2, config().key), (3, BEN)];
    let floor = Position {
        timestamp: 1_000,
        ..Position::default()
    };
    let sent = rig.receive(leader, Message::JoinResponse(response(&members, floor)));
    assert!(!asks(&sent));
    rig.pass(rig.node.cx.config.failure_timeout);
    rig.receive(leader, Message::Ping { coordinator: None });
    let sent = rig.turn(vec![Input::Timer(Timer::Tick)]);
    assert!(asks(&sent), "nobody came");
}

#[test]
fn who_is_let_in_anew_has_joined_again_once_the_host_has_compared_histories_with_it() {
    let mut rig = Rig::new();
    let leader = rig.meet(LEADER);
    let coordinator = Some(office(7, LEADER));
    let sent = rig.receive(leader, Message::Ping { coordinator });
    assert!(sent.iter().any(|m| matches!(m, Message::JoinRequest(_))));
    let members = [(7, LEADER), (1, config().key)];
    let answer = response(&members, Position::default());
    let sent = rig.receive(leader, Message::JoinResponse(answer));
    assert!(asks(&sent), "{sent:?}");
    let again = Event::Joined { again: true };
    assert!(!rig.shown.contains(&again));
    rig.receive(leader, Message::SyncAnswer(rig.answer()));
    assert!(rig.shown.contains(&again), "{:?}", rig.shown);
}

#[test]
fn what_is_said_while_a_node_joins_is_shown_once_it_has() {
    let (mut rig, leader) = Rig::member_of(LEADER);
    rig.receive(leader, crate::node::rig::stable(2));
    for seq in 1..=3 {
        rig.receive(leader, crate::node::rig::chat(LEADER, seq, &[]));
    }
    assert_eq!(rig.read(), []);
    rig.receive(leader, Message::SyncAnswer(rig.answer()));
    assert!(rig.node.is_joined());
    let id = |seq| MessageId {
        origin: LEADER,
        seq,
    };
    assert_eq!(rig.read(), [id(2), id(3)], "not what was said before");
}

/// Somebody has invented the causes of what came meanwhile: one after the other, they would take a round each.
#[test]
fn all_causes_of_what_came_while_a_node_joined_are_looked_for_at_once() {
    let wanted = |weakened: Option<Weakness>| {
        let (mut rig, leader) = Rig::member_of(LEADER);
        rig.node.cx.config.weakened = weakened;
        rig.receive(leader, crate::node::rig::stable(1));
        let invented = [Key(77), Key(78), Key(79)].map(|origin| MessageId { origin, seq: 5 });
        rig.receive(leader, timed(LEADER, 1, 5_000, &invented[..2]));
        rig.receive(leader, timed(LEADER, 2, 5_001, &invented[2..]));
        rig.receive(leader, Message::SyncAnswer(rig.answer()));
        assert!(rig.node.is_joined());
        invented.map(|cause| rig.node.talk.is_wanted(cause))
    };
    assert_eq!(wanted(None), [true; 3]);
    let one = wanted(Some(Weakness::OneCauseIsNoticed));
    assert_eq!(one, [true, false, false]);
}

/// A newcomer in a room whose coordinator has dropped the oldest, and where a third one claims no more than
/// that, but names this as its oldest: the newcomer, the third one's link, and whether it is asked once the
/// coordinator has given all that it has.
fn asked_for_its_oldest(oldest: Option<Position>) -> (Rig, LinkId, bool) {
    let floor = Position::new(1_000, LEADER, 1);
    let mut rig = Rig::seeking(config());
    let leader = rig.meet_as(hello(LEADER, Some(office(1, LEADER))));
    let ben = rig.meet_as(Hello {
        floor: Some(floor),
        oldest,
        ..hello(BEN, Some(office(1, LEADER)))
    });
    let members = [(1, LEADER), (2, config().key), (3, BEN)];
    let sent = rig.receive(leader, Message::JoinResponse(response(&members, floor)));
    assert!(asks(&sent));
    let sent = rig.receive(leader, Message::SyncAnswer(rig.answer()));
    (rig, ben, asks(&sent))
}

#[test]
fn who_holds_what_is_older_than_all_claims_is_asked_before_joining_ends() {
    let oldest = Position::new(900, Key(77), 1);
    let (mut rig, ben, is_asked) = asked_for_its_oldest(Some(oldest));
    assert!(is_asked && !rig.node.is_joined());
    rig.receive(ben, Message::SyncAnswer(rig.answer()));
    assert!(rig.node.is_joined());
    // It holds older ones, and does not know the oldest.
    let (rig, _, is_asked) = asked_for_its_oldest(Some(Position::default()));
    assert!(is_asked && !rig.node.is_joined());
    let (rig, _, is_asked) = asked_for_its_oldest(None);
    assert!(!is_asked && rig.node.is_joined());
}

/// The coordinator has given all that it has, and ben says that he holds something older: he brings a few lines
/// of somebody whom nobody knows, again and again, and comes to no end. True if the newcomer has joined after so many failure timeouts.
fn joins_beside_a_drip(weakened: Option<Weakness>, timeouts: u32) -> bool {
    let oldest = Position::new(900, Key(77), 1);
    let (mut rig, ben, is_asked) = asked_for_its_oldest(Some(oldest));
    assert!(is_asked);
    rig.node.cx.config.weakened = weakened;
    let part = |n: u64| Part {
        upto: Position::new(10_000 + n, Key(5), 5),
        count: 5_000,
        sum: Sum::default(),
    };
    let answer = SyncAnswer {
        equal: false,
        newest: Some(Position::new(20_000, Key(5), 5)),
        parts: (0..16).map(part).collect(),
        ..rig.answer()
    };
    let mut sent = rig.receive(ben, Message::SyncAnswer(answer));
    let step = rig.node.cx.config.failure_timeout * 3 / 4;
    let until = rig.micros + micros(rig.node.cx.config.failure_timeout * timeouts);
    let mut n = 1;
    while rig.micros < until && !rig.node.is_joined() {
        rig.pass(step);
        let fetch = sent.iter().find_map(|m| match m {
            Message::Fetch(fetch) => Some(fetch.no),
            _ => None,
        });
        let line = |key| timed(Key(key), 1, 1_000 + n, &[]);
        let lines = (1_000 * n..).take(80).map(line);
        let messages = lines.flat_map(|chat| match chat {
            Message::Chat(messages) => messages,
            other => unreachable!("{other:?}"),
        });
        let messages: Vec<ChatMessage> = messages.collect();
        let next = Some(Position::new(1_000 + n, Key(u64::MAX), 1));
        sent = fetch.map_or_else(Vec::new, |no| {
            rig.receive(ben, Message::Chunk(Chunk { no, next, messages }))
        });
        sent.extend(rig.turn(vec![Input::Timer(Timer::Tick)]));
        n += 1;
    }
    rig.node.is_joined()
}

#[test]
fn who_brings_a_little_without_end_keeps_no_newcomer_out() {
    assert!(joins_beside_a_drip(None, 8));
    let weakened = Some(Weakness::SourcesTakeTheirTime);
    assert!(!joins_beside_a_drip(weakened, 8));
}

/// Ben was frozen, and goes back to the beginning; the coordinator has dropped the oldest, and has the newest.
#[test]
fn the_coordinator_is_asked_though_another_goes_back_farther() {
    let mut rig = Rig::seeking(config());
    let leader = rig.meet_as(hello(LEADER, Some(office(1, LEADER))));
    let ben = rig.meet_as(Hello {
        floor: Some(Position::default()),
        ..hello(BEN, Some(office(1, LEADER)))
    });
    let members = [(1, LEADER), (2, config().key), (3, BEN)];
    let floor = Position::new(1_000, LEADER, 1);
    let sent = rig.receive(leader, Message::JoinResponse(response(&members, floor)));
    assert!(asks(&sent));
    let sent = rig.receive(ben, Message::SyncAnswer(rig.answer()));
    assert!(asks(&sent) && !rig.node.is_joined());
    rig.receive(leader, Message::SyncAnswer(rig.answer()));
    assert!(rig.node.is_joined());
}

/// Ben was cut off a moment ago, does not know that he lacks the newest, and is asked before Caio.
#[test]
fn one_more_is_asked_where_the_coordinator_has_no_link() {
    for (weakened, asks_caio) in [(None, true), (Some(Weakness::NobodyStandsIn), false)] {
        let mut rig = Rig::seeking(Config {
            weakened,
            ..config()
        });
        let leader = rig.meet_as(hello(LEADER, Some(office(1, LEADER))));
        let whole = |key| Hello {
            floor: Some(Position::default()),
            ..hello(key, Some(office(1, LEADER)))
        };
        let (ben, caio) = (rig.meet_as(whole(BEN)), rig.meet_as(whole(CAIO)));
        let members = [(1, LEADER), (2, config().key), (3, BEN), (4, CAIO)];
        let floor = Position::new(1_000, LEADER, 1);
        let sent = rig.receive(leader, Message::JoinResponse(response(&members, floor)));
        assert!(asks(&sent));
        let (link, why) = (leader, Closed::Ended);
        rig.turn(vec![Input::Closed { link, why }]);
        let sent = rig.receive(ben, Message::SyncAnswer(rig.answer()));
        assert_eq!((asks(&sent), rig.node.is_joined()), (asks_caio, !asks_caio));
        if asks_caio {
            rig.receive(caio, Message::SyncAnswer(rig.answer()));
            assert!(rig.node.is_joined(), "nobody else is asked");
        }
    }
}

#[test]
fn a_member_tells_its_oldest_message_if_it_claims_no_history_so_far_back() {
    let mut rig = Rig::new();
    rig.say(1);
    let oldest = rig.node.history().iter().next().map(ChatMessage::position);
    let told = |rig: &Rig, claim| rig.node.talk.oldest_beyond(claim);
    let claim = oldest.map(|p| Position::new(p.timestamp, p.origin, p.seq + 1));
    assert_eq!(told(&rig, claim), oldest);
    assert_eq!(told(&rig, oldest), oldest, "it is not above the floor");
    assert_eq!(told(&rig, None), oldest, "nothing is claimed");
    assert_eq!(told(&rig, Some(Position::default())), None);
    let (joining, _) = Rig::member_of(LEADER);
    assert_eq!(told(&joining, None), None);
}
