//! Authors of whom nobody knows whether what they wrote is old.

use crate::node::rig::{Rig, chat, config, hello, office, response, stable, step, timed, view};
use crate::node::{Arrival, Event, LinkId, Time, Timer, Weakness};
use crate::wire::{
    COUNTER_BITS, Coordinator, Key, Message, MessageId, Position, Relay, Stable, UpdateKind,
};

const BEN: Key = Key(9);
const LEADER: Key = Key(3);
const STRANGER: Key = Key(20);

#[test]
fn the_word_of_an_author_that_stays_away_is_waited_for_once() {
    let mut rig = Rig::new();
    let ben = rig.meet(BEN);
    rig.admit(ben, BEN);
    let id = |seq| MessageId {
        origin: STRANGER,
        seq,
    };
    rig.pass_on(BEN, chat(STRANGER, 1, &[]));
    assert_eq!(rig.read(), []);
    rig.pass(rig.node.cx.config.failure_timeout / 2);
    rig.fire(Timer::Tick);
    assert_eq!(rig.read(), [id(1)]);
    rig.pass_on(BEN, chat(STRANGER, 2, &[]));
    assert_eq!(rig.read(), [id(2)]);
}

/// Who comes is given the history that there is, and what a liar that is gone has dated ahead of all that a group has seen.
#[test]
fn what_is_dated_almost_a_day_ahead_is_old_unless_its_author_says_otherwise() {
    let hour = 3_600_000;
    for (hours, expected) in [(19, Arrival::Live), (23, Arrival::Old)] {
        let mut rig = Rig::new();
        let ben = rig.meet(BEN);
        rig.admit(ben, BEN);
        let at = rig.micros / 1_000 + hours * hour;
        rig.pass_on(BEN, timed(STRANGER, 1, at << COUNTER_BITS, &[]));
        rig.pass(rig.node.cx.config.failure_timeout / 2);
        rig.shown.clear();
        rig.fire(Timer::Tick);
        let shown = rig.shown.iter().find_map(|event| match event {
            Event::Messages { arrival, .. } => Some(*arrival),
            _ => None,
        });
        assert_eq!(shown, Some(expected), "{hours} hours");
    }
}

/// Two groups do not become one for as long as their coordinators are cut from each other, and until then no author of
/// one has a word for a reader of the other.
#[test]
fn what_a_stranger_says_on_its_own_link_waits_for_its_causes_and_for_no_word() {
    let shown = |weakness: Option<Weakness>, is_member: bool| {
        let mut rig = Rig::new();
        rig.node.cx.config.weakened = weakness;
        let ben = rig.meet(BEN);
        let link = rig.meet_as(hello(STRANGER, Some(office(1, Key(3)))));
        if is_member {
            rig.admit(link, STRANGER);
        }
        let of_ben = MessageId {
            origin: BEN,
            seq: 1,
        };
        rig.receive(link, chat(STRANGER, 1, &[]));
        rig.receive(link, chat(STRANGER, 2, &[of_ben]));
        let at_once = rig.read();
        rig.receive(ben, chat(BEN, 1, &[]));
        let number = |id: MessageId| (id.origin.0, id.seq);
        [at_once, rig.read()].map(|ids| ids.into_iter().map(number).collect::<Vec<_>>())
    };
    let (ben, stranger) = (BEN.0, STRANGER.0);
    let own = [vec![(stranger, 1)], vec![(ben, 1), (stranger, 2)]];
    assert_eq!(shown(None, false), own);
    let awaited = [vec![], vec![(ben, 1)]];
    assert_eq!(shown(Some(Weakness::StrangersWait), false), awaited);
    // A member says next whether it counted on this node.
    assert_eq!(shown(None, true), awaited);
}

/// What is shown as new of three lines of a stranger's that ben passes on.
fn new_of_the_stranger(rig: &mut Rig) -> Vec<u64> {
    for seq in 1..=3 {
        rig.pass_on(BEN, chat(STRANGER, seq, &[]));
    }
    rig.pass(rig.node.cx.config.failure_timeout / 2);
    rig.fire(Timer::Tick);
    let shown = arrivals(rig).into_iter();
    let new = shown.filter(|(_, arrival)| *arrival == Arrival::Live);
    new.map(|(id, _)| id.seq).collect()
}

/// Who comes with a store, or from another group, brings what others said there who are gone.
#[test]
fn what_came_from_elsewhere_and_was_said_there_before_is_old() {
    let read = |of: Option<Coordinator>, weakness: Option<Weakness>| {
        let mut rig = Rig::new();
        rig.node.cx.config.weakened = weakness;
        let mut greeting = hello(BEN, of);
        greeting.clock = 2_500;
        let ben = rig.meet_as(greeting);
        rig.admit(ben, BEN);
        new_of_the_stranger(&mut rig)
    };
    let away = Some(office(1, Key(3)));
    assert_eq!(read(None, None), [3]);
    assert_eq!(read(away.clone(), None), [3]);
    assert_eq!(read(away, Some(Weakness::ElsewhereIsNew)), [1, 2, 3]);
    // Who is let in to this node's group says its first HELLO to others, too.
    let here = Some(office(1, config().key));
    assert_eq!(read(here, None), [3]);
}

/// It came from elsewhere behind something later of its author, so that it had no place on the screen.
#[test]
fn what_was_taken_in_as_old_and_not_shown_is_shown_as_late_once_its_author_says_that_it_is_owed() {
    let shown = |weakness: Option<Weakness>| {
        let mut rig = Rig::new();
        rig.node.cx.config.weakened = weakness;
        let mut greeting = hello(BEN, None);
        greeting.clock = 2_500;
        let ben = rig.meet_as(greeting);
        rig.admit(ben, BEN);
        for seq in [3, 2] {
            rig.pass_on(BEN, chat(STRANGER, seq, &[]));
            for _ in 0..60 {
                pass(&mut rig, ben, 1);
                let mut sent = rig.fire_due(&[Timer::Gap, Timer::Sync]);
                while let Some(question) = sent.pop() {
                    let answer = rig.answer_to(&question);
                    sent.extend(answer.map(|a| rig.receive(ben, a)).unwrap_or_default());
                }
            }
        }
        let link = rig.meet_as(hello(STRANGER, None));
        rig.receive(link, stable(2));
        arrivals(&mut rig)
    };
    let id = of_the_stranger;
    let late = [(id(3), Arrival::Live), (id(2), Arrival::Late)];
    assert_eq!(shown(None), late);
    let weak = Some(Weakness::UnshownIsSeen);
    assert_eq!(shown(weak), late[..1]);
}

/// It could not say its word before, and its line would be old by what another group has seen.
#[test]
fn who_was_silent_is_waited_for_anew_once_others_have_come_from_elsewhere() {
    let shown = |weakness: Option<Weakness>| {
        let mut rig = Rig::new();
        rig.node.cx.config.weakened = weakness;
        let ben = rig.meet(BEN);
        rig.admit(ben, BEN);
        rig.pass_on(BEN, chat(STRANGER, 1, &[]));
        rig.pass(rig.node.cx.config.failure_timeout / 2);
        rig.fire(Timer::Tick);
        let mut greeting = hello(LEADER, Some(office(1, LEADER)));
        greeting.clock = 5_000;
        let other = rig.meet_as(greeting);
        rig.admit(other, LEADER);
        rig.pass_on(BEN, chat(STRANGER, 2, &[]));
        let link = rig.meet_as(hello(STRANGER, None));
        rig.receive(link, stable(1));
        arrivals(&mut rig)
    };
    let id = of_the_stranger;
    let live = (id(1), Arrival::Live);
    assert_eq!(shown(None), [live, (id(2), Arrival::Live)]);
    let weak = Some(Weakness::SilentStaySo);
    assert_eq!(shown(weak), [live, (id(2), Arrival::Old)]);
}

/// Two newcomers were let in by a part of this node's group that was cut off, and counted on this node: one of them,
/// which had said HELLO before, died there. What the other one brings with it is not from elsewhere.
#[test]
fn what_others_bring_of_whoever_had_said_hello_is_new_unless_they_had_said_hello_before() {
    let arrival = |first: Key, weakness: Option<Weakness>| {
        let mut rig = Rig::new();
        rig.node.cx.config.weakened = weakness;
        let mut greeting = hello(BEN, Some(office(1, first)));
        greeting.clock = 2_500;
        rig.meet_as(hello(STRANGER, None));
        let ben = rig.meet_as(greeting);
        rig.admit(ben, BEN);
        rig.pass_on(BEN, chat(STRANGER, 1, &[]));
        rig.pass(rig.node.cx.config.failure_timeout / 2);
        rig.fire(Timer::Tick);
        arrivals(&mut rig)
    };
    let shown = |arrival| vec![(of_the_stranger(1), arrival)];
    let weakened = Some(Weakness::HeardAreElsewhere);
    let here = config().key;
    assert_eq!(arrival(here, None), shown(Arrival::Live));
    assert_eq!(arrival(here, weakened), shown(Arrival::Old));
    let away = Key(3);
    assert_eq!(arrival(away, None), shown(Arrival::Old));
}

/// A listener that comes back finds somebody there who came meanwhile: what that one had seen was said in the group.
#[test]
fn what_whoever_is_there_had_seen_as_this_node_comes_back_is_no_past() {
    const NEW: Key = Key(30);
    let mut rig = Rig::new();
    let ben = rig.meet(BEN);
    rig.admit(ben, BEN);
    let mut greeting = hello(NEW, Some(office(1, BEN)));
    greeting.clock = 2_500;
    rig.meet_as(greeting);
    let members = [(1, BEN), (2, config().key), (3, NEW)];
    rig.receive(
        ben,
        Message::Ping {
            coordinator: Some(office(1, BEN)),
        },
    );
    rig.receive(
        ben,
        Message::JoinResponse(response(&members, Position::default())),
    );
    let is_there = rig.node.members().iter().any(|member| member.key == NEW);
    assert!(is_there, "it is let in again");
    for seq in 1..=3 {
        rig.pass_on(BEN, chat(STRANGER, seq, &[]));
    }
    rig.pass(rig.node.cx.config.failure_timeout / 2);
    rig.fire(Timer::Tick);
    let shown = arrivals(&mut rig);
    assert!(shown.iter().all(|(_, arrival)| *arrival == Arrival::Live));
    assert_eq!(shown.len(), 3);
}

/// The same where the coordinator's announcement comes before its answer, and the new one's HELLO behind it.
#[test]
fn what_whoever_is_there_had_seen_is_no_past_although_the_coordinator_announced_itself_before_it_answered()
 {
    const NEW: Key = Key(30);
    let shown = |weakened: Option<Weakness>| {
        let mut rig = Rig::new();
        rig.node.cx.config.weakened = weakened;
        let ben = rig.meet(BEN);
        rig.admit(ben, BEN);
        let coordinator = Some(office(3, BEN));
        let asked = rig.receive(ben, Message::Ping { coordinator });
        let no = asked.iter().find_map(|message| match message {
            Message::JoinRequest(request) => Some(request.no),
            _ => None,
        });
        let mut members = vec![(3, BEN), (1, config().key)];
        let announced = view(8, &members);
        rig.receive(ben, Message::CoordinatorAnnouncement(announced));
        members.push((4, NEW));
        let mut answer = response(&members, Position::default());
        (answer.view, answer.no) = (view(9, &members), no.expect("it asks to be let in"));
        rig.receive(ben, Message::JoinResponse(answer));
        let is_there = rig.node.members().iter().any(|member| member.key == NEW);
        assert!(is_there, "it is let in again");
        let mut greeting = hello(NEW, Some(office(3, BEN)));
        greeting.clock = 2_500;
        rig.meet_as(greeting);
        new_of_the_stranger(&mut rig)
    };
    assert_eq!(shown(None), [1, 2, 3]);
    assert_eq!(shown(Some(Weakness::AnnouncedAnswersLetNobodyIn)), [3]);
}

/// The coordinator's word comes by way of others, and late: the link to it is cut as it lets this node in.
#[test]
fn what_was_taken_for_old_too_early_is_shown_once_its_author_says_that_it_is_new() {
    let own = config().key;
    let mut rig = Rig::seeking(config());
    let mut greeting = hello(BEN, Some(office(1, LEADER)));
    greeting.clock = 5_000;
    let ben = rig.meet_as(greeting);
    // Ben has written something too: what he had seen when he was met is from before this node came.
    rig.pass_on(BEN, chat(BEN, 1, &[]));
    for seq in 1..=3 {
        rig.pass_on(BEN, chat(LEADER, seq, &[]));
    }
    rig.pass(rig.node.cx.config.failure_timeout / 2);
    rig.fire(Timer::Tick);
    assert_eq!(
        rig.node.talk.history.highest(LEADER),
        3,
        "it is waited for no longer"
    );
    let members = [(1, LEADER), (2, own), (3, BEN)];
    let mut answer = response(&members, Position::default());
    answer.clock = 2_500;
    rig.receive(ben, Message::JoinResponse(answer));
    while !rig.node.is_joined() {
        rig.pass(rig.node.cx.config.heartbeat);
        rig.receive(ben, Message::Ping { coordinator: None });
        rig.fire(Timer::Tick);
        rig.receive(ben, Message::SyncAnswer(rig.answer()));
    }
    assert_eq!(rig.read(), []);
    let word = |from| {
        Message::Relay(Relay {
            from: LEADER,
            to: own,
            ack: None,
            request: None,
            seal: None,
            stable: Some(Stable {
                from: Some(from),
                said: 3,
                stable: 0,
            }),
        })
    };
    rig.receive(ben, word(3));
    let id = |seq| MessageId {
        origin: LEADER,
        seq,
    };
    assert_eq!(rig.read(), [id(3)]);
    rig.receive(ben, word(3));
    assert_eq!(rig.read(), []);
}

/// Ben was in the view that let this node in, but cut off from that group: he had not seen what it had, and counts on
/// this node since he lets it in himself.
#[test]
fn what_somebody_writes_who_lets_this_node_in_anew_is_new_whatever_another_group_had_seen() {
    let own = config().key;
    let mut rig = Rig::seeking(config());
    let leader = rig.meet_as(hello(LEADER, Some(office(1, LEADER))));
    let_in_beside_ben(&mut rig, leader, 5_000);
    let ben = rig.meet_as(hello(BEN, None));
    let coordinator = Some(office(3, BEN));
    rig.receive(ben, Message::Ping { coordinator });
    let answer = response(&[(3, BEN), (2, own)], Position::default());
    rig.receive(ben, Message::JoinResponse(answer));
    assert_eq!(rig.node.coordinator().map(|c| c.key), Some(BEN));
    rig.receive(ben, stable(1));
    rig.receive(ben, chat(BEN, 1, &[]));
    let arrivals: Vec<_> = arrivals(&mut rig)
        .into_iter()
        .map(|(_, arrival)| arrival)
        .collect();
    assert_eq!(arrivals, [Arrival::Live]);
}

#[test]
fn no_clock_that_a_coordinator_tells_makes_old_what_its_author_says_is_new() {
    for hours in [0, 10, 22, 30] {
        let mut rig = Rig::seeking(config());
        let leader = rig.meet_as(hello(LEADER, Some(office(1, LEADER))));
        let clock = (rig.micros / 1_000 + 5_000 + hours * 3_600_000) << COUNTER_BITS;
        let_in_beside_ben(&mut rig, leader, clock);
        let ben = rig.meet_as(hello(BEN, None));
        rig.receive(ben, stable(1));
        rig.receive(ben, chat(BEN, 1, &[]));
        let shown: Vec<_> = arrivals(&mut rig)
            .into_iter()
            .map(|(_, arrival)| arrival)
            .collect();
        assert_eq!(shown, [Arrival::Live], "{hours} hours");
    }
}

#[test]
fn what_an_author_counted_on_this_node_for_is_new_however_late_a_coordinator_lets_it_in() {
    let mut rig = Rig::seeking(config());
    let leader = rig.meet_as(hello(LEADER, Some(office(1, LEADER))));
    let ben = rig.meet_as(hello(BEN, None));
    rig.receive(ben, stable(1));
    rig.receive(ben, chat(BEN, 1, &[]));
    let_in_beside_ben(&mut rig, leader, 5_000);
    let arrivals: Vec<_> = arrivals(&mut rig)
        .into_iter()
        .map(|(_, arrival)| arrival)
        .collect();
    assert_eq!(arrivals, [Arrival::Live]);
}

/// The leader lets a newcomer in, which ben is in the view with, tells this clock, and has nothing said before.
fn let_in_beside_ben(rig: &mut Rig, leader: LinkId, clock: u64) {
    let members = [(1, LEADER), (2, config().key), (3, BEN)];
    let mut answer = response(&members, Position::default());
    answer.clock = clock;
    rig.receive(leader, Message::JoinResponse(answer));
    while !rig.node.is_joined() {
        pass(rig, leader, 1);
        rig.receive(leader, Message::SyncAnswer(rig.answer()));
    }
}

/// So many heartbeats pass, in which nobody but ben says anything.
fn pass(rig: &mut Rig, ben: LinkId, heartbeats: u32) {
    for _ in 0..heartbeats {
        rig.pass(rig.node.cx.config.heartbeat);
        rig.receive(ben, Message::Ping { coordinator: None });
        rig.fire(Timer::Tick);
    }
}

/// A member with ben's history, in whose view there is somebody without a link; and its link with ben.
fn beside_a_stranger() -> (Rig, LinkId) {
    let (mut rig, ben) = Rig::member_among(&[(1, BEN), (2, config().key), (3, STRANGER)]);
    rig.receive(ben, Message::SyncAnswer(rig.answer()));
    (rig, ben)
}

fn of_the_stranger(seq: u64) -> MessageId {
    MessageId {
        origin: STRANGER,
        seq,
    }
}

/// An author that was there before, in a group of its own, and says HELLO: it would say so if it counted on this node.
#[test]
fn what_an_author_had_written_by_its_first_hello_is_old_unless_it_says_otherwise() {
    let (mut rig, ben) = beside_a_stranger();
    let id = of_the_stranger;
    pass(&mut rig, ben, 6);
    assert!(rig.node.is_joined());
    rig.pass_on(BEN, chat(STRANGER, 1, &[]));
    let mut greeting = hello(STRANGER, None);
    greeting.clock = 1_500;
    rig.meet_as(greeting);
    assert_eq!(arrivals(&mut rig), []);
    pass(&mut rig, ben, 20);
    assert_eq!(arrivals(&mut rig), [(id(1), Arrival::Old)]);
    rig.pass_on(BEN, chat(STRANGER, 2, &[]));
    assert_eq!(arrivals(&mut rig), [(id(2), Arrival::Live)]);
}

/// What it said may come by way of others once it is gone.
#[test]
fn what_a_stranger_says_of_its_lines_counts_after_its_link_has_ended() {
    let is_known_after = |weakness: Option<Weakness>| {
        let (mut rig, _) = beside_a_stranger();
        rig.node.cx.config.weakened = weakness;
        let eve = Key(66);
        let link = rig.meet_from(eve, 3);
        assert!(rig.node.talk.past.has_told(eve));
        let why = crate::node::Closed::Failed;
        rig.turn(vec![crate::node::Input::Closed { link, why }]);
        rig.node.talk.past.has_told(eve)
    };
    assert!(is_known_after(None));
    assert!(!is_known_after(Some(Weakness::StrangersWordsEnd)));
}

/// It never counted on this node, so that it says nothing of that: what goes behind such a word shows that there is none.
#[test]
fn what_whoever_is_linked_without_a_word_had_written_by_its_hello_is_old() {
    let shown = |weakness: Option<Weakness>, has_asked: bool| {
        let (mut rig, ben) = Rig::member_among(&[(1, BEN), (2, config().key)]);
        rig.node.cx.config.weakened = weakness;
        rig.receive(ben, Message::SyncAnswer(rig.answer()));
        let members = [(1, BEN), (2, config().key), (3, STRANGER)];
        let stranger = view(2, &members).members[2].clone();
        rig.receive(ben, step(BEN, UpdateKind::Joined, stranger));
        let mut greeting = hello(STRANGER, Some(office(3, STRANGER)));
        greeting.clock = 1_500;
        let link = rig.meet_as(greeting);
        if has_asked {
            rig.receive(link, Message::SyncAnswer(rig.answer()));
        }
        rig.pass_on(BEN, chat(STRANGER, 1, &[]));
        pass(&mut rig, ben, 20);
        arrivals(&mut rig)
    };
    let id = of_the_stranger(1);
    assert_eq!(shown(None, true), [(id, Arrival::Old)]);
    assert_eq!(shown(None, false), [(id, Arrival::Live)]);
    let weak = Some(Weakness::WordlessMayCount);
    assert_eq!(shown(weak, true), [(id, Arrival::Live)]);
}

/// The author says only later that it counts on this node, where a line counts once it is printed.
#[test]
fn what_is_shown_as_old_is_confirmed_no_sooner_than_it_is_printed() {
    let told = |weakened: Option<Weakness>| {
        let mut config = config();
        config.confirms_printed = true;
        config.weakened = weakened;
        let members = [(1, BEN), (2, config.key), (3, STRANGER)];
        let (mut rig, ben) = Rig::member_with(config, &members);
        rig.receive(ben, Message::SyncAnswer(rig.answer()));
        pass(&mut rig, ben, 6);
        rig.pass_on(BEN, chat(STRANGER, 1, &[]));
        let mut greeting = hello(STRANGER, None);
        greeting.clock = 1_500;
        let link = rig.meet_as(greeting);
        pass(&mut rig, ben, 20);
        assert_eq!(arrivals(&mut rig), [(of_the_stranger(1), Arrival::Old)]);
        let is_ack = |m: &Message| matches!(m, Message::Ack(ack) if ack.seq == 1);
        let early = rig.receive(link, stable(1)).iter().any(is_ack);
        rig.node.on_printed(1);
        let late = rig.turn(Vec::new()).iter().any(is_ack);
        (early, late)
    };
    assert_eq!(told(None), (false, true));
    assert_eq!(told(Some(Weakness::OldCountsAtOnce)), (true, false));
}

/// Its word was waited for in vain while it was cut off. It comes right after its HELLO, and what others bring of it
/// in between is neither old nor new yet. Whoever comes again is waited for no more.
#[test]
fn who_was_silent_and_says_hello_at_last_is_waited_for_once_more() {
    let (mut rig, ben) = beside_a_stranger();
    let id = of_the_stranger;
    pass(&mut rig, ben, 30);
    assert!(rig.node.talk.past.is_silent(STRANGER));
    let mut greeting = hello(STRANGER, None);
    greeting.clock = 5_000;
    let link = rig.meet_as(greeting.clone());
    rig.pass_on(BEN, chat(STRANGER, 1, &[]));
    assert_eq!(arrivals(&mut rig), []);
    rig.receive(link, stable(1));
    assert_eq!(arrivals(&mut rig), [(id(1), Arrival::Live)]);
    // Another that says nothing after all.
    greeting.key = Key(30);
    rig.pass_on(BEN, chat(greeting.key, 1, &[]));
    pass(&mut rig, ben, 30);
    let first = |key| MessageId {
        origin: key,
        seq: 1,
    };
    assert_eq!(arrivals(&mut rig), [(first(Key(30)), Arrival::Live)]);
    for round in 0..2 {
        greeting.round = round;
        rig.meet_as(greeting.clone());
        rig.pass_on(BEN, chat(greeting.key, 2 + round, &[]));
        let is_awaited = rig.node.talk.past.is_undecided(greeting.key);
        assert_eq!(is_awaited, round == 0, "round {round}");
        pass(&mut rig, ben, 30);
    }
}

/// A group let this node in, which never heard of it; authors counted on it, and lost it. Now another group does, and
/// the history is not wanted: it was here already, and nobody has seen any of it.
#[test]
fn what_a_newcomer_drops_unseen_is_confirmed_only_where_it_is_shown() {
    assert_eq!(arrivals_of_what_is_not_kept(), [Arrival::Live; 2]);
}

/// As what a newcomer without history is shown two lines that are owed and lie under its floor: one that was here when
/// the floor rose, and one that is known to be owed only later.
fn arrivals_of_what_is_not_kept() -> Vec<Arrival> {
    let mut own = config();
    own.wants_history = false;
    let mut rig = Rig::seeking(own);
    let leader = rig.meet_as(hello(LEADER, Some(office(1, LEADER))));
    let ben = rig.meet_as(hello(BEN, Some(office(1, LEADER))));
    let other = rig.meet_as(hello(STRANGER, Some(office(1, LEADER))));
    rig.receive(ben, stable(1));
    rig.receive(ben, chat(BEN, 1, &[]));
    rig.pass_on(BEN, chat(STRANGER, 1, &[]));
    rig.pass(rig.node.cx.config.failure_timeout / 2);
    rig.fire(Timer::Tick);
    let taken = |rig: &Rig, key| rig.node.talk.history.highest(key);
    assert_eq!((taken(&rig, BEN), taken(&rig, STRANGER)), (1, 1));

    let members = [(1, LEADER), (2, config().key), (3, BEN), (4, STRANGER)];
    let mut answer = response(&members, Position::default());
    answer.clock = 5_000;
    answer.newest = Position::new(5_000, LEADER, 9);
    let sent = rig.receive(leader, Message::JoinResponse(answer));
    assert!(rig.node.is_joined() && rig.node.history().is_empty());
    let mut shown = arrivals(&mut rig);
    if shown.is_empty() {
        assert!(confirmed(&sent).is_empty(), "nobody has seen it");
        let sent = rig.pass_on(BEN, chat(BEN, 1, &[]));
        shown = arrivals(&mut rig);
        assert_eq!(confirmed(&sent), [1]);
    } else {
        assert_eq!(confirmed(&sent), [1], "Ben counts on this node for it");
    }
    // The other one says only now what it counts on this node for.
    let sent = rig.receive(other, stable(1));
    assert!(confirmed(&sent).is_empty(), "nobody has seen it");
    let sent = rig.pass_on(BEN, chat(STRANGER, 1, &[]));
    shown.extend(arrivals(&mut rig));
    assert_eq!(confirmed(&sent), [1]);
    let first = |origin| MessageId { origin, seq: 1 };
    let names: Vec<MessageId> = shown.iter().map(|(id, _)| *id).collect();
    assert_eq!(names, [first(BEN), first(STRANGER)]);
    shown.iter().map(|(_, arrival)| *arrival).collect()
}

/// Up to where the ACKs among these go.
fn confirmed(sent: &[Message]) -> Vec<u64> {
    let acks = sent.iter().filter_map(|m| match m {
        Message::Ack(ack) if ack.missed.is_empty() => Some(ack.seq),
        _ => None,
    });
    acks.collect()
}

/// What the user was shown since this was last looked at, and as what.
fn arrivals(rig: &mut Rig) -> Vec<(MessageId, Arrival)> {
    let shown = std::mem::take(&mut rig.shown).into_iter();
    let messages = shown.filter_map(|event| match event {
        Event::Messages {
            messages, arrival, ..
        } => Some(messages.iter().map(|m| (m.id(), arrival)).collect()),
        _ => None,
    });
    messages.collect::<Vec<Vec<_>>>().concat()
}

/// What a node that joins is shown of three lines of an author that never says what is old, where a member that was
/// there before had seen this much.
fn shown_of_a_silent_author(clock_of_ben: u64) -> Vec<u64> {
    const SILENT: Key = Key(30);
    let mut rig = Rig::seeking(config());
    let mut greeting = hello(BEN, Some(office(1, LEADER)));
    greeting.clock = clock_of_ben;
    let ben = rig.meet_as(greeting);
    for seq in 1..=3 {
        rig.pass_on(BEN, chat(SILENT, seq, &[]));
    }
    rig.pass(rig.node.cx.config.failure_timeout / 2);
    rig.fire(Timer::Tick);
    let members = [(1, LEADER), (2, config().key), (3, BEN), (4, SILENT)];
    let answer = response(&members, Position::default());
    rig.receive(ben, Message::JoinResponse(answer));
    let mut looks = 0;
    while !rig.node.is_joined() || looks < 20 {
        looks += usize::from(rig.node.is_joined());
        if looks == 1 {
            assert_eq!(rig.read(), [], "its author may still say that it is old");
        }
        rig.pass(rig.node.cx.config.heartbeat);
        rig.receive(ben, Message::Ping { coordinator: None });
        rig.fire(Timer::Tick);
        rig.receive(ben, Message::SyncAnswer(rig.answer()));
    }
    rig.read().iter().map(|id| id.seq).collect()
}

#[test]
fn what_came_before_this_node_had_joined_is_shown_only_if_it_is_new() {
    assert_eq!(shown_of_a_silent_author(5_000), Vec::<u64>::new());
    assert_eq!(shown_of_a_silent_author(2_500), [3]);
}

/// Ever new authors cost memory, and each is looked at now and then, but not all of them with each word of one.
#[test]
#[allow(clippy::disallowed_methods)] // It says how long it took.
fn many_authors_cost_nothing_while_nothing_comes_of_them() {
    const AUTHORS: u64 = 100_000;
    let mut rig = Rig::new();
    for author in (1_000..).take(AUTHORS as usize) {
        let message = crate::wire::made::message(author, 1, author, "x");
        assert!(rig.node.talk.history.insert(message));
        let (talk, mut lent) = rig.node.talk();
        talk.past.wait_for(Key(author), Time::default());
        talk.note_told(&mut lent, Key(author), 1);
    }
    assert_eq!(rig.node.talk.past.words() as u64, AUTHORS);
    let began = std::time::Instant::now();
    for _ in 0..100 {
        rig.pass(std::time::Duration::from_millis(250));
        let (talk, mut lent) = rig.node.talk();
        talk.tidy_past(&mut lent);
        assert!(!talk.past.has_undecided() && !talk.waits_for_a_word());
    }
    let took = began.elapsed();
    println!("100 times {AUTHORS} authors: {took:?}");
    assert!(took < std::time::Duration::from_millis(500), "{took:?}");
}
