//! What waits for a cause that is slower than its effect.

use std::time::Duration;

use super::*;
use crate::node::rig::{Rig, chat, config, timed};
use crate::node::{Arrival, Event, Input, Message, Timer};
use crate::timing::GAP_PATIENCE;
use crate::wire::{Chunk, Stable};

const ANA: Key = Key(9);
const BEN: Key = Key(10);

/// A member, which counts on this node from this message on.
fn member(rig: &mut Rig, key: Key, from: u64) -> LinkId {
    let link = rig.meet_from(key, from);
    rig.admit(link, key);
    link
}

/// Lets time pass in which ana goes on talking, or does not; true if a SYNC was asked for.
fn asks(rig: &mut Rig, ana: Option<LinkId>, long: Duration, next: &mut u64) -> bool {
    let mut asked = false;
    let until = rig.micros + u64::try_from(long.as_micros()).unwrap();
    while rig.micros < until {
        rig.micros += 10_000;
        let mut sent = rig.turn(vec![Input::Timer(Timer::Gap)]);
        if let Some(ana) = ana {
            sent.extend(rig.receive(ana, chat(ANA, *next, &[])));
            *next += 1;
        }
        asked |= sent.iter().any(|m| matches!(m, Message::Sync(_)));
    }
    asked
}

/// Ben's message is here, and what it depends on is ana's hundredth.
fn waiting() -> (Rig, LinkId) {
    let mut rig = Rig::new();
    let ana = member(&mut rig, ANA, 1);
    let ben = member(&mut rig, BEN, 1);
    rig.receive(ana, chat(ANA, 1, &[]));
    let cause = MessageId {
        origin: ANA,
        seq: 200,
    };
    rig.receive(ben, chat(BEN, 1, &[cause]));
    // This waits for what waits, and makes no difference.
    rig.receive(ben, chat(BEN, 2, &[]));
    assert_eq!(rig.node.talk.waiting.len(), 2);
    (rig, ana)
}

#[test]
fn all_causes_of_what_waits_are_looked_for_at_once() {
    let is_wanted = |weakness| {
        let (mut rig, _) = waiting();
        rig.node.cx.config.weakened = weakness;
        let invented = MessageId {
            origin: Key(77),
            seq: 5,
        };
        let cora = member(&mut rig, Key(11), 1);
        let before = MessageId {
            origin: BEN,
            seq: 2,
        };
        rig.receive(cora, timed(Key(11), 1, 5_000, &[before, invented]));
        rig.node.talk.is_wanted(invented)
    };
    assert!(is_wanted(None));
    assert!(!is_wanted(Some(Weakness::OneCauseIsNoticed)));
}

#[test]
fn what_is_known_to_be_missing_is_not_noticed_again_when_its_author_has_said_more() {
    let noticed = |weakened| {
        let mut own = config();
        own.weakened = weakened;
        let mut rig = Rig::with(own);
        let ana = member(&mut rig, ANA, 1);
        for said in 1..=3 {
            let (from, stable) = (None, 0);
            let word = Stable { from, said, stable };
            rig.receive(ana, Message::Stable(word));
            rig.micros += 1_000;
        }
        rig.node.talk.gaps.spans(ANA).collect::<Vec<_>>()
    };
    assert_eq!(noticed(None), [(1, 1), (2, 2), (3, 3)]);
    let again = noticed(Some(Weakness::KnownIsNoticedAgain));
    assert_eq!(again, [(1, 1), (1, 2), (1, 3)]);
}

#[test]
fn a_cause_that_is_on_its_way_is_waited_for() {
    let (mut rig, ana) = waiting();
    let mut next = 2;
    let long = GAP_PATIENCE * 10;
    assert!(!asks(&mut rig, Some(ana), long, &mut next));
    while next <= 200 {
        rig.receive(ana, chat(ANA, next, &[]));
        next += 1;
    }
    assert_eq!(rig.node.talk.waiting.len(), 0);
}

#[test]
fn a_cause_whose_author_says_nothing_is_asked_for() {
    let (mut rig, _) = waiting();
    assert!(asks(&mut rig, None, GAP_PATIENCE * 2, &mut 2));
}

#[test]
fn a_cause_is_not_waited_for_for_ever() {
    let (mut rig, ana) = waiting();
    let long = rig.node.cx.config.failure_timeout + GAP_PATIENCE;
    // Slowly: the cause is far off.
    assert!(asks(&mut rig, Some(ana), long, &mut 2));
}

#[test]
fn a_cause_that_was_left_out_is_asked_for() {
    let (mut rig, ana) = waiting();
    rig.receive(ana, chat(ANA, 101, &[]));
    assert!(asks(&mut rig, None, GAP_PATIENCE * 2, &mut 2));
    // Ana goes on with what comes after it.
    let (mut rig, ana) = waiting();
    assert!(asks(&mut rig, Some(ana), GAP_PATIENCE * 2, &mut 101));
}

/// Lets everybody fall silent for so long that nobody may have anything, and returns what the user was
/// told meanwhile.
fn told_in_silence(rig: &mut Rig) -> Vec<Event> {
    rig.shown.clear();
    let long = rig.node.cx.gap_patience() * 2;
    asks(rig, None, long, &mut 0);
    std::mem::take(&mut rig.shown)
}

fn warnings(told: &[Event]) -> Vec<&str> {
    let warnings = told.iter().filter_map(|event| match event {
        Event::Warning(text) => Some(&text[..]),
        _ => None,
    });
    warnings.collect()
}

#[test]
fn a_hole_between_what_is_old_and_what_is_new_is_said() {
    let mut rig = Rig::new();
    let ana = member(&mut rig, ANA, 10);
    for seq in [1, 2, 3, 10, 11] {
        rig.receive(ana, chat(ANA, seq, &[]));
    }
    let told = told_in_silence(&mut rig);
    assert_eq!(
        warnings(&told),
        ["the room's history lacks 6 lines of ben, 4 to 9"]
    );
    let is_missed = |event: &Event| matches!(event, Event::Missed { .. });
    assert!(!told.iter().any(is_missed), "nobody counted on it");
}

#[test]
fn nothing_is_said_of_what_was_before_the_first_line_that_came() {
    let mut rig = Rig::new();
    let ana = member(&mut rig, ANA, 10);
    rig.receive(ana, chat(ANA, 10, &[]));
    assert!(warnings(&told_in_silence(&mut rig)).is_empty());
    assert!(rig.node.history().contains(MessageId {
        origin: ANA,
        seq: 10
    }));
}

#[test]
fn what_the_history_lacked_is_not_shown_out_of_order_when_it_comes_after_all() {
    let mut rig = Rig::new();
    let ana = member(&mut rig, ANA, 10);
    for seq in [1, 2, 3, 10] {
        rig.receive(ana, chat(ANA, seq, &[]));
    }
    told_in_silence(&mut rig);
    for seq in 4..=6 {
        rig.receive(ana, chat(ANA, seq, &[]));
        assert!(rig.node.history().contains(MessageId { origin: ANA, seq }));
    }
    let is_message = |event: &Event| matches!(event, Event::Messages { .. });
    assert!(!rig.shown.iter().any(is_message), "{:?}", rig.shown);
}

#[test]
fn what_was_called_missed_is_shown_as_late_although_its_author_says_that_it_is_old() {
    let mut rig = Rig::new();
    let ana = member(&mut rig, ANA, 10);
    // An earlier line was shown as new before her word came.
    rig.node.talk.history.origin_mut(ANA).owe_from(1);
    for seq in [1, 2, 3, 10] {
        rig.receive(ana, chat(ANA, seq, &[]));
    }
    let told = told_in_silence(&mut rig);
    let is_missed = |event: &Event| {
        let Event::Missed { first, last, .. } = event else {
            return false;
        };
        (*first, *last) == (4, 9)
    };
    assert!(told.iter().any(is_missed), "{told:?}");
    rig.receive(ana, chat(ANA, 4, &[]));
    let is_late = |event: &Event| {
        let Event::Messages { arrival, .. } = event else {
            return false;
        };
        *arrival == Arrival::Late
    };
    assert!(rig.shown.iter().any(is_late), "{:?}", rig.shown);
}

/// What is shown at once of ana's sixth line, when she has said that the first four are owed, which were given up
/// without a word, and what the user is told later.
fn after_a_late_word(weakened: Option<Weakness>) -> (Vec<MessageId>, Vec<Event>) {
    let mut rig = Rig::with(crate::node::Config {
        weakened,
        ..config()
    });
    let ana = member(&mut rig, ANA, 5);
    rig.receive(ana, chat(ANA, 5, &[]));
    let told = told_in_silence(&mut rig);
    let is_missed = |event: &Event| matches!(event, Event::Missed { .. });
    assert!(!told.iter().any(is_missed), "nobody counted on it");
    let (from, said, stable) = (Some(1), 5, 0);
    rig.receive(ana, Message::Stable(Stable { from, said, stable }));
    rig.receive(ana, chat(ANA, 6, &[]));
    (rig.read(), told_in_silence(&mut rig))
}

#[test]
fn what_is_owed_after_all_is_called_missed_before_more_of_its_author_is_shown() {
    let (at_once, told) = after_a_late_word(None);
    assert!(at_once.is_empty(), "{at_once:?}");
    let told = told.iter().filter_map(|event| match event {
        Event::Missed { first, last, .. } => Some((*first, *last)),
        Event::Messages { messages, .. } => Some((messages[0].seq(), 0)),
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), [(1, 4), (6, 0)]);
    let (at_once, _) = after_a_late_word(Some(Weakness::LaterGoFirst));
    assert_eq!(at_once.len(), 1);
}

#[test]
fn nothing_waits_for_what_somebody_invents_in_this_nodes_name() {
    let mut rig = Rig::new();
    let ben = member(&mut rig, BEN, 1);
    let invented = MessageId {
        origin: rig.node.key(),
        seq: 1_000,
    };
    rig.receive(ben, chat(BEN, 1, &[invented]));
    rig.receive(ben, chat(BEN, 2, &[]));
    assert_eq!(rig.node.talk.waiting.len(), 0);
    assert_eq!(rig.node.history().highest(BEN), 2);
}

#[test]
fn what_others_may_have_given_up_too_is_passed_on_when_it_turns_up() {
    let mut rig = Rig::new();
    let ana = member(&mut rig, ANA, 1);
    let ben = member(&mut rig, BEN, 1);
    for seq in [1, 3] {
        rig.receive(ana, chat(ANA, seq, &[]));
    }
    let told = told_in_silence(&mut rig);
    let is_missed = |event: &Event| matches!(event, Event::Missed { .. });
    assert!(told.iter().any(is_missed), "{told:?}");
    // Everybody asked says nothing, and is asked what a look at the links makes due.
    let asked = |rig: &mut Rig| {
        while rig.timers.contains_key(&Timer::Sync) {
            rig.fire(Timer::Sync);
        }
        rig.receive(ana, Message::Ping { coordinator: None });
        rig.receive(ben, Message::Ping { coordinator: None });
        let sent = rig.turn(vec![Input::Timer(Timer::Tick)]);
        sent.iter().any(|m| matches!(m, Message::Sync(_)))
    };
    assert!(asked(&mut rig), "what came after it had waited");
    assert!(!asked(&mut rig), "there is nothing more");
    rig.pass_on(BEN, chat(ANA, 2, &[]));
    assert!(asked(&mut rig));
}

/// Ana brings these and, whenever she is asked, has nothing of what they follow from: how many ranges each FETCH named.
fn asked_in_vain(lines: &[Message]) -> Vec<usize> {
    let mut rig = Rig::new();
    let ana = member(&mut rig, ANA, 1);
    for line in lines {
        rig.pass_on(ANA, line.clone());
    }
    let mut named = Vec::new();
    for _ in 0..1_000 {
        if rig.node.talk.waiting.len() == 0 {
            return named;
        }
        // Of strangers, whose word may still come, nothing is missing yet.
        let is_any_missing = rig.timers.contains_key(&Timer::Gap);
        rig.receive(ana, Message::Ping { coordinator: None });
        let mut sent = rig.fire(if is_any_missing {
            Timer::Gap
        } else {
            Timer::Tick
        });
        while let Some(Message::Sync(_)) = sent.first() {
            sent = rig.receive(ana, Message::SyncAnswer(rig.answer()));
            if let Some(Message::Fetch(fetch)) = sent.first() {
                named.push(fetch.want.len());
                let (no, next, messages) = (fetch.no, None, Vec::new());
                sent = rig.receive(ana, Message::Chunk(Chunk { no, next, messages }));
            }
        }
    }
    panic!("something waits for ever: {named:?}");
}

#[test]
fn what_nobody_has_is_given_up_also_if_it_is_more_than_one_question_names() {
    let most = crate::limits::WANT_RANGES_MAX;
    // One author's lines with many holes between them.
    let holes: Vec<Message> = (1..=400).map(|n| chat(Key(20), 2 * n, &[])).collect();
    let named = asked_in_vain(&holes);
    assert!(named.iter().all(|ranges| *ranges <= most), "{named:?}");
    // Many authors of whom one line is missing each.
    let authors = (100..700).map(|key| {
        let (origin, seq) = (Key(key), 1);
        chat(Key(1_000 + key), 1, &[MessageId { origin, seq }])
    });
    let named = asked_in_vain(&authors.collect::<Vec<_>>());
    assert!(named.iter().all(|ranges| *ranges <= most), "{named:?}");
    assert!(named.contains(&most), "{named:?}");
}

/// How long a cause is waited for that ana, who is asked again and again, has not. The link with ben, a
/// member, may have broken just before.
fn patience(is_ben_cut_off: bool) -> Duration {
    let mut rig = Rig::new();
    let ana = member(&mut rig, ANA, 1);
    if is_ben_cut_off {
        let link = rig.meet(BEN);
        rig.admit(link, BEN);
        let why = crate::node::Closed::Failed;
        rig.turn(vec![Input::Closed { link, why }]);
    }
    let cause = MessageId {
        origin: Key(20),
        seq: 1,
    };
    rig.receive(ana, chat(ANA, 1, &[cause]));
    let began = rig.micros;
    while rig.node.talk.waiting.len() > 0 {
        let mut sent = rig.fire(Timer::Gap);
        if sent.iter().any(|m| matches!(m, Message::Sync(_))) {
            sent = rig.receive(ana, Message::SyncAnswer(rig.answer()));
        }
        if let Some(Message::Fetch(fetch)) = sent.first() {
            let (no, next, messages) = (fetch.no, None, Vec::new());
            rig.receive(ana, Message::Chunk(Chunk { no, next, messages }));
        }
    }
    Duration::from_micros(rig.micros - began)
}

#[test]
fn a_cause_is_waited_for_while_a_member_whose_link_broke_may_come_back_with_it() {
    let config = config();
    assert!(patience(false) < config.failure_timeout);
    let long = config.failure_timeout * crate::timing::GAP_TIMEOUTS;
    assert!(patience(true) >= long);
}

#[test]
fn who_lives_and_never_answers_keeps_nothing_waiting_for_ever() {
    let mut rig = Rig::new();
    let ana = rig.meet(ANA);
    rig.admit(ana, ANA);
    let cause = MessageId {
        origin: Key(20),
        seq: 1,
    };
    rig.receive(ana, chat(ANA, 1, &[cause]));
    let mut passed = Duration::ZERO;
    while rig.node.talk.waiting.len() > 0 {
        assert!(passed < Duration::from_secs(60), "it waits still");
        let step = Duration::from_millis(250);
        rig.pass(step);
        passed += step;
        rig.receive(ana, Message::Ping { coordinator: None });
        for timer in [Timer::Sync, Timer::Gap] {
            if rig.timers.get(&timer).is_some_and(|at| at.0 <= rig.micros) {
                rig.fire(timer);
            }
        }
    }
    assert!(passed > rig.node.cx.config.failure_timeout * crate::timing::GAP_TIMEOUTS);
}

#[test]
fn a_line_that_a_liar_named_before_it_was_said_is_shown_and_confirmed() {
    let mut rig = Rig::new();
    let ana = member(&mut rig, ANA, 1);
    let ben = member(&mut rig, BEN, 1);
    // Nobody hears ana for a while, and ben names what she has not said yet.
    rig.pass(rig.node.cx.config.failure_timeout * 2);
    let cause = MessageId {
        origin: ANA,
        seq: 1,
    };
    rig.receive(ben, chat(BEN, 1, &[cause]));
    told_in_silence(&mut rig);
    assert_eq!(rig.node.history().highest(BEN), 1, "nothing waits any more");
    rig.read();
    let said = crate::wire::Stable {
        from: Some(1),
        said: 0,
        stable: 0,
    };
    rig.receive(ana, Message::Stable(said));
    let sent = rig.receive(ana, chat(ANA, 1, &[]));
    let confirms =
        |m: &Message| matches!(m, Message::Ack(ack) if ack.seq == 1 && ack.missed.is_empty());
    assert!(sent.iter().any(confirms), "{sent:?}");
    assert_eq!(rig.read(), [cause]);
}

#[test]
fn messages_that_name_each_other_do_not_wait_for_each_other() {
    let mut rig = Rig::new();
    let ana = member(&mut rig, ANA, 1);
    let ben = member(&mut rig, BEN, 1);
    let id = |origin, seq| MessageId { origin, seq };
    let nobody = id(Key(20), 1);
    // Both wait for the same one at first, so that they are looked at together.
    rig.receive(ana, timed(ANA, 1, 10, &[nobody, id(BEN, 1)]));
    rig.receive(ben, timed(BEN, 1, 20, &[id(ANA, 1), nobody]));
    assert_eq!(rig.node.talk.waiting.len(), 2);
    told_in_silence(&mut rig);
    assert_eq!(rig.node.talk.waiting.len(), 0);
}

/// Lines of so many authors at these times, each of which names some of the others, or of what a ghost never said. In
/// the end all of them are shown, each at most once.
fn name_each_other(lines: &[(u64, Vec<MessageId>)], order: &[usize]) {
    let mut rig = Rig::new();
    let links: Vec<LinkId> = (0..lines.len())
        .map(|n| member(&mut rig, Key(100 + n as u64), 1))
        .collect();
    for n in order {
        let (time, causes) = &lines[*n];
        rig.receive(links[*n], timed(Key(100 + *n as u64), 1, *time, causes));
    }
    let long = rig.node.cx.gap_patience() * 2;
    asks(&mut rig, None, long, &mut 0);
    assert_eq!(rig.node.talk.waiting.len(), 0, "{lines:?} in {order:?}");
    let mut read: Vec<u64> = rig.read().iter().map(|id| id.origin.0).collect();
    read.sort_unstable();
    let all: Vec<u64> = (100..).take(lines.len()).collect();
    assert_eq!(read, all, "{lines:?} in {order:?}");
}

#[test]
fn lines_that_name_each_other_in_a_circle_keep_nobody_busy_for_ever() {
    let line = |n: u64| MessageId {
        origin: Key(100 + n),
        seq: 1,
    };
    let ghost = |seq| MessageId {
        origin: Key(20),
        seq,
    };
    // Of these the loop never ended.
    let lines = [
        (12, vec![ghost(3), line(2), line(1)]),
        (11, vec![line(2), line(0), ghost(3)]),
        (13, vec![line(1), line(3)]),
        (10, vec![line(1), line(2), ghost(1)]),
    ];
    name_each_other(&lines, &[1, 0, 3, 2]);
    let mut rng = fastrand::Rng::with_seed(7);
    for _ in 0..300 {
        let count = rng.usize(2..7);
        let mut order: Vec<usize> = (0..count).collect();
        let mut times: Vec<u64> = (10..).take(count).collect();
        rng.shuffle(&mut times);
        rng.shuffle(&mut order);
        let lines = times.into_iter().map(|time| {
            let named = (0..rng.u64(1..5)).map(|_| match rng.u64(0..4) {
                0 => ghost(rng.u64(1..4)),
                _ => line(rng.u64(0..count as u64)),
            });
            (time, named.collect())
        });
        let lines: Vec<(u64, Vec<MessageId>)> = lines.collect();
        name_each_other(&lines, &order);
    }
}

#[test]
fn what_was_given_up_and_has_come_since_is_waited_for_while_it_waits() {
    let cause = MessageId {
        origin: Key(20),
        seq: 1,
    };
    let read = |weakness: Option<Weakness>| {
        let mut rig = Rig::new();
        rig.node.cx.config.weakened = weakness;
        member(&mut rig, ANA, 1);
        let ben = member(&mut rig, BEN, 1);
        rig.receive(ben, timed(BEN, 1, 2_000, &[cause]));
        told_in_silence(&mut rig);
        assert_eq!(rig.node.history().highest(BEN), 1, "it is given up");
        rig.read();
        // Its author may be about to come into the view, and says then whether it is old.
        rig.pass_on(BEN, chat(cause.origin, 1, &[]));
        assert_eq!(rig.node.talk.waiting.len(), 1);
        // Who named it before is not believed again, and it is there now.
        rig.receive(ben, timed(BEN, 2, 3_000, &[cause]));
        let waits = rig.node.talk.waiting.len();
        rig.pass(rig.node.cx.config.failure_timeout / 2);
        rig.fire(Timer::Tick);
        let read = rig.read().into_iter().map(|id| id.origin);
        (waits, read.collect::<Vec<_>>())
    };
    assert_eq!(read(None), (2, vec![cause.origin, BEN]));
    let weakened = Some(Weakness::GivenUpStaysSo);
    assert_eq!(read(weakened), (1, vec![BEN, cause.origin]));
}

#[test]
fn what_was_given_up_and_has_come_since_is_waited_for_although_it_has_no_room_to_wait() {
    let cause = |seq| MessageId {
        origin: Key(20),
        seq,
    };
    let read = |weakened: Option<Weakness>| {
        let mut rig = Rig::with(crate::node::Config {
            weakened,
            waiting_max: 1,
            ..config()
        });
        member(&mut rig, ANA, 1);
        let ben = member(&mut rig, BEN, 1);
        rig.receive(ben, timed(BEN, 1, 2_500, &[cause(2)]));
        told_in_silence(&mut rig);
        assert_eq!(rig.node.history().highest(BEN), 1, "it is given up");
        rig.read();
        for seq in 1..=2 {
            rig.pass_on(BEN, chat(Key(20), seq, &[]));
        }
        assert!(rig.node.talk.gaps.was_thrown(cause(2)));
        rig.receive(ben, timed(BEN, 2, 3_000, &[cause(2)]));
        rig.read()
    };
    assert_eq!(read(None), []);
    let weakened = Some(Weakness::GivenUpStaysSo);
    assert_eq!(
        read(weakened),
        [MessageId {
            origin: BEN,
            seq: 2
        }]
    );
}

#[test]
fn what_a_liar_named_before_it_was_said_is_looked_for_again_when_somebody_else_names_it() {
    let cause = MessageId {
        origin: Key(20),
        seq: 1,
    };
    let read = |weakness: Option<Weakness>| {
        let mut rig = Rig::new();
        rig.node.cx.config.weakened = weakness;
        let ana = member(&mut rig, ANA, 1);
        let ben = member(&mut rig, BEN, 1);
        rig.receive(ben, timed(BEN, 1, 2_000, &[cause]));
        told_in_silence(&mut rig);
        assert_eq!(rig.node.history().highest(BEN), 1, "it is given up");
        rig.read();
        rig.receive(ana, timed(ANA, 1, 3_000, &[cause]));
        let waits = rig.node.talk.waiting.len();
        told_in_silence(&mut rig);
        assert_eq!(rig.node.history().highest(ANA), 1, "it is given up again");
        rig.receive(ana, timed(ANA, 2, 4_000, &[cause]));
        rig.receive(ben, timed(BEN, 2, 4_500, &[cause]));
        assert_eq!(rig.node.talk.waiting.len(), 0, "nobody is believed twice");
        waits
    };
    assert_eq!(read(None), 1);
    assert_eq!(read(Some(Weakness::UnfoundStaySo)), 0);
}

#[test]
fn what_follows_from_something_under_the_floor_comes_after_what_waits_and_was_said_before() {
    let read = |weakened: Option<Weakness>| {
        let mut rig = Rig::with(crate::node::Config {
            weakened,
            history_max: 2,
            ..config()
        });
        rig.say(5);
        let floor = rig.node.history().floor().timestamp;
        let ana = member(&mut rig, ANA, 1);
        let ben = member(&mut rig, BEN, 1);
        let cleo = member(&mut rig, Key(11), 5);
        rig.read();
        // What ana's line follows from is looked for.
        let [old, other] = [(11, 2), (21, 1)].map(|(origin, seq)| MessageId {
            origin: Key(origin),
            seq,
        });
        rig.receive(ana, timed(ANA, 1, 10, &[other]));
        // This one is not owed, and nothing is known of the one before it.
        rig.receive(cleo, timed(old.origin, old.seq, 20, &[]));
        rig.receive(ben, timed(BEN, 1, floor + 1, &[old]));
        let long = rig.node.cx.gap_patience() * 2;
        asks(&mut rig, None, long, &mut 0);
        let read = rig.read().into_iter().map(|id| id.origin);
        read.collect::<Vec<_>>()
    };
    assert_eq!(read(None), [ANA, BEN]);
    assert_eq!(read(Some(Weakness::UnknownIsNothing)), [BEN, ANA]);
}
