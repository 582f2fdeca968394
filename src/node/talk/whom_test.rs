//! Who is asked, and how long somebody is waited for who answers nothing.

use super::*;
use crate::node::rig::{Rig, chat, config, hello, office, timed};
use crate::node::{Config, Event, Timer};
use crate::timing;
use crate::wire::{ChatMessage, SyncAnswer, made};

const ANA: Key = Key(9);
const LIAR: Key = Key(10);
const BEN: Key = Key(11);
const LINES: u64 = 20;

/// When each of Ana's lines is taken in, in seconds after it came. She names a line more of Ben's with each, one a
/// second; Ben is a member that is linked no more, and the liar answers no question, or every SYNC and nothing that is
/// fetched.
fn waits(weakened: Option<Weakness>, answers_sync: bool) -> Vec<u64> {
    let mut rig = Rig::with(Config {
        weakened,
        ..config()
    });
    let [ana, liar, ben] = [ANA, LIAR, BEN].map(|key| {
        let link = rig.meet_from(key, 1);
        rig.admit(link, key);
        link
    });
    rig.receive(ben, chat(BEN, 1, &[]));
    let (link, why) = (ben, crate::node::Closed::Failed);
    rig.turn(vec![crate::node::Input::Closed { link, why }]);
    let (mut came, mut waits) = (0, Vec::new());
    for tick in 1..=6_000_u64 {
        rig.pass(Duration::from_millis(10));
        let mut sent = rig.fire_due(&[Timer::Gap, Timer::Sync]);
        // Each question has a number of its own, so that only Ana's answers count: she holds the same.
        while let Some(question) = sent.pop() {
            if let Some(answer) = rig.answer_to(&question) {
                sent.extend(rig.receive(ana, answer.clone()));
                let Message::SyncAnswer(mut answer) = answer else {
                    continue;
                };
                let is_for_liar = rig.node.talk.repair.find(liar, answer.no).is_some();
                if answers_sync && is_for_liar {
                    answer.equal = false;
                    sent.extend(rig.receive(liar, Message::SyncAnswer(answer)));
                }
            }
        }
        if tick % 20 == 0 {
            for link in [ana, liar] {
                rig.receive(link, Message::Ping { coordinator: None });
            }
        }
        if tick % 100 == 0 && came < LINES {
            came += 1;
            let named = MessageId {
                origin: BEN,
                seq: came + 1,
            };
            rig.receive(ana, chat(ANA, came, &[named]));
        }
        while (waits.len() as u64) < rig.node.history().highest(ANA) {
            waits.push(tick / 100 - (waits.len() as u64 + 1));
        }
    }
    waits
}

/// A stranger says something to one member alone, which names it, and answers nobody.
#[test]
fn a_member_is_asked_for_what_a_stranger_said_and_no_strangers_silence_holds_that_up() {
    let asks_ana = |weakened| {
        let mut rig = Rig::with(Config {
            weakened,
            ..config()
        });
        let ana = rig.meet(ANA);
        rig.admit(ana, ANA);
        let eve = rig.meet(LIAR);
        rig.receive(eve, chat(LIAR, 1, &[]));
        let named = |seq| MessageId { origin: LIAR, seq };
        // The stranger is asked for what its own line waits for.
        rig.receive(eve, chat(LIAR, 4, &[named(3)]));
        rig.pass(timing::GAP_PATIENCE);
        rig.fire(Timer::Gap);
        rig.receive(ana, chat(ANA, 1, &[named(2)]));
        rig.pass(timing::GAP_PATIENCE * 2);
        rig.fire(Timer::Gap);
        rig.node.talk.repair.is_with(ANA)
    };
    assert!(asks_ana(None));
    assert!(!asks_ana(Some(Weakness::StrangersHoldUp)));
}

#[test]
fn who_answers_nothing_is_not_waited_for_longer_and_longer() {
    for answers_sync in [false, true] {
        let last = |weakened| {
            let waits = waits(weakened, answers_sync);
            assert_eq!(waits.len() as u64, LINES, "{waits:?}");
            waits[waits.len() - 1]
        };
        let (kept, longer) = (last(None), last(Some(Weakness::MuteAreAwaitedAnew)));
        assert!(kept <= 15 && longer > 25, "{kept} s, {longer} s");
    }
}

#[test]
fn who_is_of_a_group_that_a_member_coordinates_is_asked_too() {
    let is_asked = |weakened| {
        let mut rig = Rig::with(Config {
            weakened,
            ..config()
        });
        let dan = rig.meet_as(hello(Key(14), Some(office(2, ANA))));
        let stranger = rig.meet_as(hello(Key(12), Some(office(2, Key(13)))));
        let ana = rig.meet_from(ANA, 1);
        rig.admit(ana, ANA);
        rig.receive(ana, chat(ANA, 3, &[]));
        let (mut asked, mut others) = (false, false);
        for _ in 0..1_000 {
            rig.pass(Duration::from_millis(10));
            let mut sent = rig.fire_due(&[Timer::Gap, Timer::Sync]);
            while let Some(question) = sent.pop() {
                if let Message::Sync(sync) = &question {
                    asked |= rig.node.talk.repair.find(dan, sync.no).is_some();
                    others |= rig.node.talk.repair.find(stranger, sync.no).is_some();
                }
                if let Some(answer) = rig.answer_to(&question) {
                    sent.extend(rig.receive(ana, answer));
                }
            }
        }
        assert!(!others, "whoever knows nobody here is not");
        asked
    };
    assert!(is_asked(None));
    assert!(!is_asked(Some(Weakness::OtherGroupsAreNotAsked)));
}

/// Ana names a line of ben's that he has never said. He was lost, and is linked again, counts on nobody yet, and answers
/// all questions as she does. What is called missed of him once her line is shown.
fn missed_of_ben(weakened: Option<Weakness>) -> Vec<(u64, u64)> {
    let mut rig = Rig::with(Config {
        weakened,
        ..config()
    });
    let links = [ANA, BEN].map(|key| (key, rig.meet_from(key, 1)));
    links.iter().for_each(|(key, link)| rig.admit(*link, *key));
    rig.receive(links[1].1, chat(BEN, 1, &[]));
    let mut again = hello(BEN, None);
    again.round += 1;
    let links = [links[0].1, rig.meet_as(again)];
    let named = MessageId {
        origin: BEN,
        seq: 5,
    };
    rig.receive(links[0], chat(ANA, 1, &[named]));
    for _ in 0..3_000 {
        rig.pass(Duration::from_millis(10));
        for link in links {
            rig.receive(link, Message::Ping { coordinator: None });
        }
        let mut sent = rig.fire_due(&[Timer::Gap, Timer::Sync]);
        while let Some(question) = sent.pop() {
            if let Some(answer) = rig.answer_to(&question) {
                let answers = links.map(|link| rig.receive(link, answer.clone()));
                sent.extend(answers.concat());
            }
        }
    }
    assert_eq!(
        rig.node.history().highest(ANA),
        1,
        "her line waits for nothing"
    );
    let missed = rig.shown.iter().filter_map(|event| match event {
        Event::Missed {
            key, first, last, ..
        } if *key == BEN => Some((*first, *last)),
        _ => None,
    });
    missed.collect()
}

#[test]
fn what_an_author_does_not_hold_that_was_asked_itself_is_not_called_missed() {
    assert_eq!(missed_of_ben(None), []);
    let weakened = Some(Weakness::AuthorsAnswersSayNothing);
    assert_eq!(missed_of_ben(weakened), [(2, 5)]);
}

/// How many seconds ana's first line waits, which names this, in a room with ben, who answers everything as she does,
/// and somebody who answers nothing. What else happens in each tenth of a second is done here.
fn wait_of(
    weakened: Weakness,
    named: (Key, u64),
    happens: impl Fn(&mut Rig, u64, LinkId),
) -> [u64; 2] {
    let (origin, seq) = named;
    [None, Some(weakened)].map(|weakened| {
        let mut rig = Rig::with(Config {
            weakened,
            ..config()
        });
        let links = [ANA, BEN, LIAR].map(|key| (key, rig.meet_from(key, 1)));
        links.iter().for_each(|(key, link)| rig.admit(*link, *key));
        let [ana, ben, liar] = links.map(|(_, link)| link);
        rig.receive(ana, timed(ANA, 1, 1_000, &[MessageId { origin, seq }]));
        let mut tick = 0;
        while rig.node.history().highest(ANA) == 0 {
            tick += 1;
            rig.pass(Duration::from_millis(100));
            for link in [ana, ben, liar] {
                rig.receive(link, Message::Ping { coordinator: None });
            }
            happens(&mut rig, tick, liar);
            let mut sent = rig.fire_due(&[Timer::Gap, Timer::Sync, Timer::Tick]);
            while let Some(question) = sent.pop() {
                // Each question has a number of its own, and is put to one of them.
                if let Some(answer) = rig.answer_to(&question) {
                    sent.extend(rig.receive(ana, answer.clone()));
                    sent.extend(rig.receive(ben, answer));
                }
            }
        }
        tick / 10
    })
}

#[test]
fn what_its_author_denies_is_looked_for_at_nobody_else() {
    let [wait, longer] = wait_of(Weakness::DeniedAreSought, (BEN, 7), |_, _, _| ());
    assert!(wait < 2 && longer >= 30, "{wait} s, {longer} s");
}

#[test]
fn an_author_that_is_only_named_is_looked_for_for_a_while_only() {
    let [wait, longer] = wait_of(Weakness::UnknownAreAwaited, (Key(77), 1), |_, _, _| ());
    assert!(wait <= 10 && longer >= 30, "{wait} s, {longer} s");
}

#[test]
fn a_member_that_was_lost_and_never_said_anything_here_is_looked_for_for_a_while_only() {
    let ghost = Key(77);
    let weakened = Weakness::GhostsAreAwaited;
    let [wait, longer] = wait_of(weakened, (ghost, 1), |rig, tick, _| {
        if tick == 1 {
            let link = rig.meet_from(ghost, 1);
            rig.admit(link, ghost);
            let why = crate::node::Closed::Failed;
            rig.turn(vec![crate::node::Input::Closed { link, why }]);
        }
    });
    assert!(wait <= 11 && longer >= 30, "{wait} s, {longer} s");
}

/// What an author denies is let go by whatever names it, also by a line that waits for something else just then.
#[test]
fn what_its_author_denies_is_waited_for_no_more_by_a_line_that_waits_for_something_else_first() {
    let mut rig = Rig::new();
    let links = [ANA, BEN].map(|key| (key, rig.meet_from(key, 1)));
    links.iter().for_each(|(key, link)| rig.admit(*link, *key));
    let [ana, ben] = links.map(|(_, link)| link);
    let named = [(LIAR, 5), (BEN, 7)].map(|(origin, seq)| MessageId { origin, seq });
    rig.receive(ana, timed(ANA, 1, 1_000, &named));
    let is_unsaid = |rig: &Rig| rig.node.talk.unsaid.contains(ANA, named[1]);
    for _ in 0..60 {
        rig.pass(Duration::from_millis(100));
        for link in [ana, ben] {
            rig.receive(link, Message::Ping { coordinator: None });
        }
        let mut sent = rig.fire_due(&[Timer::Gap, Timer::Sync, Timer::Tick]);
        while let Some(question) = sent.pop() {
            if let Some(answer) = rig.answer_to(&question) {
                sent.extend(rig.receive(ben, answer));
            }
        }
        if is_unsaid(&rig) {
            break;
        }
    }
    let (first, _) = rig
        .node
        .talk
        .waiting
        .find(MessageId {
            origin: ANA,
            seq: 1,
        })
        .expect("it waits for the other one still");
    assert_eq!(first.missing, named[0]);
    assert!(is_unsaid(&rig));
}

#[test]
fn what_comes_and_names_more_makes_nothing_wait_longer() {
    let weakened = Weakness::EachCauseIsAwaitedAnew;
    let [wait, longer] = wait_of(weakened, (Key(77), 1), |rig, tick, liar| {
        // Each answer to a SYNC comes too late.
        let late = SyncAnswer {
            no: tick + 1_000_000,
            ..rig.answer()
        };
        rig.receive(liar, Message::SyncAnswer(late));
        if tick == 70 {
            let more = MessageId {
                origin: Key(78),
                seq: 1,
            };
            rig.pass_on(BEN, timed(Key(77), 1, 500, &[more]));
        }
    });
    assert!(wait <= 11 && longer >= 15, "{wait} s, {longer} s");
}

#[test]
fn whoever_talks_on_and_does_not_give_what_it_said_before_is_not_taken_for_slow() {
    let [wait, longer] = wait_of(Weakness::TalkersAreAwaited, (LIAR, 5), |rig, tick, liar| {
        if tick % 10 == 1 {
            let more = tick / 10;
            rig.receive(liar, timed(LIAR, 5 + more, 500 + more, &[]));
        }
    });
    assert!(wait <= 11 && longer >= 30, "{wait} s, {longer} s");
}

#[test]
fn whoever_is_linked_anew_and_talks_is_asked_anew_for_what_it_said_before() {
    let linked_anew = std::cell::Cell::new(None);
    let weakened = Weakness::ReturningTalkOn;
    let [wait, sooner] = wait_of(weakened, (LIAR, 5), |rig, tick, _| match tick {
        75 => {
            let mut again = hello(LIAR, None);
            again.round += 1;
            linked_anew.set(Some(rig.meet_as(again)));
        }
        76.. => {
            let link = linked_anew.get().expect("it is linked anew");
            rig.receive(link, Message::Ping { coordinator: None });
            if tick == 76 {
                rig.receive(link, timed(LIAR, 6, 506, &[]));
            }
        }
        _ => (),
    });
    assert!(sooner <= 9 && wait > 10, "{wait} s, {sooner} s");
}

const PEERS: [Key; 3] = [ANA, BEN, Key(12)];

/// Ana's line names one of somebody who left, and that nobody has. Three members answer each SYNC, and each FETCH, so many
/// tenths of a second later, and one of them never does. How often she is asked, and how many seconds her line waits.
fn asks_and_wait(
    weakened: Option<Weakness>,
    later: impl Fn(Key) -> (u64, u64),
    mute: Option<Key>,
) -> (usize, u64) {
    let mut rig = Rig::with(Config {
        weakened,
        ..config()
    });
    let links = PEERS.map(|key| (key, rig.meet_from(key, 1)));
    links.iter().for_each(|(key, link)| rig.admit(*link, *key));
    // Its author was there before, so that it is known.
    let author = rig.meet_from(LIAR, 1);
    rig.admit(author, LIAR);
    rig.receive(author, timed(LIAR, 1, 500, &[]));
    rig.receive(author, Message::Leave);
    let named = MessageId {
        origin: LIAR,
        seq: 2,
    };
    rig.receive(links[0].1, timed(ANA, 1, 1_000, &[named]));
    let (mut tick, mut asked, mut due) = (0, 0, Vec::new());
    while rig.node.history().highest(ANA) == 0 {
        tick += 1;
        rig.pass(Duration::from_millis(100));
        for (_, link) in links {
            rig.receive(link, Message::Ping { coordinator: None });
        }
        let mut sent = rig.fire_due(&[Timer::Gap, Timer::Sync, Timer::Tick]);
        let (now, rest): (Vec<_>, Vec<_>) = due.into_iter().partition(|(at, _, _)| *at <= tick);
        due = rest;
        for (_, link, answer) in now {
            sent.extend(rig.receive(link, answer));
        }
        while let Some(question) = sent.pop() {
            let (no, is_sync) = match &question {
                Message::Sync(sync) => (sync.no, true),
                Message::Fetch(fetch) => (fetch.no, false),
                _ => continue,
            };
            let is_asked =
                |(_, link): &(Key, LinkId)| rig.node.talk.repair.find(*link, no).is_some();
            let peer = links.iter().copied().find(is_asked);
            let answers = peer.filter(|(key, _)| Some(*key) != mute);
            let (Some((key, link)), Some(answer)) = (answers, rig.answer_to(&question)) else {
                continue;
            };
            asked += usize::from(key == ANA && is_sync);
            let (sync, fetch) = later(key);
            let after = if is_sync { sync } else { fetch };
            if after == 0 {
                sent.extend(rig.receive(link, answer));
            } else {
                due.push((tick + after, link, answer));
            }
        }
    }
    (asked, tick / 10)
}

#[test]
fn who_did_not_have_it_is_asked_again_while_somebody_else_does_not_answer() {
    let asked = |weakened| asks_and_wait(weakened, |_| (0, 0), Some(BEN)).0;
    let (again, once) = (asked(None), asked(Some(Weakness::AnswersStayGood)));
    assert!(again >= 5 && once == 1, "{again}, {once}");
}

#[test]
fn an_answer_counts_until_everybody_was_asked_however_slow_they_are() {
    let wait = |weakened| asks_and_wait(weakened, |_| (6, 0), None).1;
    let (wait, longer) = (wait(None), wait(Some(Weakness::RoundsMayOutlastAnswers)));
    assert!(wait <= 5 && longer >= 8, "{wait} s, {longer} s");
}

#[test]
fn who_answers_quickly_is_asked_once_more_after_one_that_is_slow() {
    let slow = |key| if key == BEN { (8, 8) } else { (0, 0) };
    let asked = |weakened| asks_and_wait(weakened, slow, None).0;
    let (again, once) = (asked(None), asked(Some(Weakness::QuickAnswersLast)));
    assert!(again > once, "{again}, {once}");
}

/// Ben's way here is slow, and carries much: he says a line a second and comes to no answer. Ana has read his last line,
/// and follows from it.
#[test]
fn what_a_slow_author_has_not_come_to_is_taken_from_others_before_it_is_given_up() {
    const LAST: u64 = 30;
    let read = |weakened| {
        let mut rig = Rig::with(Config {
            weakened,
            ..config()
        });
        let [ana, ben] = [ANA, BEN].map(|key| {
            let link = rig.meet_from(key, 1);
            rig.admit(link, key);
            link
        });
        rig.receive(ben, Message::Chat(vec![line(BEN, 1)]));
        let named = MessageId {
            origin: BEN,
            seq: LAST,
        };
        rig.receive(ana, timed(ANA, 1, 9_000, &[named]));
        for tick in 1..=2_000_u64 {
            rig.pass(Duration::from_millis(10));
            let mut sent = rig.fire_due(&[Timer::Gap, Timer::Sync]);
            while let Some(question) = sent.pop() {
                let Some(mut answer) = rig.answer_to(&question) else {
                    continue;
                };
                if let Message::Chunk(chunk) = &mut answer {
                    chunk.messages = (2..=LAST).map(|seq| line(BEN, seq)).collect();
                }
                sent.extend(rig.receive(ana, answer));
            }
            if tick % 100 == 0 {
                rig.receive(ben, Message::Chat(vec![line(BEN, 1 + tick / 100)]));
                rig.receive(ana, Message::Ping { coordinator: None });
            }
        }
        rig.read()
    };
    let id = |(origin, seq)| MessageId { origin, seq };
    let all = (1..=LAST).map(|seq| (BEN, seq)).chain([(ANA, 1)]);
    assert_eq!(read(None), all.map(id).collect::<Vec<_>>());
    let early = read(Some(Weakness::SlowAuthorsAreGivenUp));
    let at = early.iter().position(|read| *read == id((ANA, 1)));
    assert!(at.is_some_and(|at| at < 20), "{early:?}");
}

fn line(author: Key, seq: u64) -> ChatMessage {
    made::message(author.0, seq, 1_000 + seq, "")
}
