//! Two nodes that repair their histories from each other, frame by frame.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Why;
use crate::node::rig::{Rig, config, hello, office};
use crate::node::{Event, Input, LinkId, Timer, Weakness};
use crate::wire::made::message as said;
use crate::wire::{ChatMessage, Key, Message, encode_frame};

/// The other one's key; the rig's own is 5.
const OTHER: Key = Key(6);

/// All timestamps here are lower.
const OLD: u64 = 1 << 40;

/// An author's only message: it has no cause.
fn once(author: u64, timestamp: u64, text: &str) -> ChatMessage {
    said(author, 1, timestamp, text)
}

struct Pair {
    rigs: [Rig; 2],
    links: [LinkId; 2],
    /// Bytes and frames by their types, of the last exchange.
    sent: BTreeMap<u64, (usize, usize)>,
}

impl Pair {
    fn weakened(weakened: Option<Weakness>) -> Pair {
        let mut own = config();
        own.history_max = 1_000_000;
        own.weakened = weakened;
        let mut other = own.clone();
        other.key = OTHER;
        let mut rigs = [own, other].map(|config| {
            let mut rig = Rig::seeking(config);
            // What they hold was said before they founded their rooms.
            rig.node.cx.observe(OLD);
            while !rig.node.is_joined() {
                rig.fire(Timer::Join);
            }
            rig
        });
        let links = [rigs[0].meet(OTHER), rigs[1].meet(config().key)];
        // Only members are asked.
        rigs[0].admit(links[0], OTHER);
        rigs[1].admit(links[1], config().key);
        Pair {
            rigs,
            links,
            sent: BTreeMap::new(),
        }
    }

    fn new() -> Pair {
        Pair::weakened(None)
    }

    fn hold(&mut self, at: usize, messages: impl IntoIterator<Item = ChatMessage>) {
        for message in messages {
            assert!(self.rigs[at].node.talk.history.insert(message));
        }
    }

    /// Both are alive, and nothing was sent or shown yet.
    fn wake(&mut self) {
        self.sent.clear();
        for at in 0..2 {
            self.rigs[at].shown.clear();
            let ping = Message::Ping { coordinator: None };
            self.rigs[at].receive(self.links[at], ping);
        }
    }

    /// The first one asks the other, whoever else is there.
    fn ask(&mut self) {
        self.wake();
        let (talk, mut lent) = self.rigs[0].node.talk();
        talk.want_sync(&mut lent, OTHER, Why::Lacks);
        let begun = self.rigs[0].turn(Vec::new());
        self.carry(0, begun);
    }

    /// One begins a SYNC.
    fn sync(&mut self, at: usize) {
        self.wake();
        let begun = self.rigs[at].turn(vec![Input::Timer(Timer::SyncRound)]);
        self.carry(at, begun);
    }

    /// What one sends, and all that follows, is carried to and fro.
    fn carry(&mut self, from: usize, sent: Vec<Message>) {
        let mut flying: Vec<(usize, Message)> = sent.into_iter().map(|m| (1 - from, m)).collect();
        while !flying.is_empty() {
            for (to, message) in std::mem::take(&mut flying) {
                let frame = encode_frame(&message).expect("a valid message");
                let (frames, bytes) = self.sent.entry(message.number()).or_default();
                *frames += 1;
                *bytes += frame.len();
                assert!(*frames < 2_000, "it goes on for ever: {:?}", self.sent);
                let answers = self.rigs[to].receive(self.links[to], message);
                flying.extend(answers.into_iter().map(|m| (1 - to, m)));
            }
        }
    }

    /// Nobody waits for the word of an author any longer.
    fn settle(&mut self) {
        let counted = std::mem::take(&mut self.sent);
        for at in [0, 1, 0, 1] {
            self.rigs[at].pass(Duration::from_millis(900));
            let ping = Message::Ping { coordinator: None };
            let pong = self.rigs[at].receive(self.links[at], ping);
            self.carry(at, pong);
            let sent = self.rigs[at].turn(vec![Input::Timer(Timer::Tick)]);
            self.carry(at, sent);
        }
        self.sent = counted;
    }

    fn bytes(&self) -> usize {
        self.sent.values().map(|(_, bytes)| bytes).sum()
    }

    fn frames(&self, kind: u64) -> usize {
        self.sent.get(&kind).map_or(0, |(frames, _)| *frames)
    }

    fn is_same(&self) -> bool {
        let [a, b] = self.rigs.each_ref().map(|rig| rig.node.history());
        a.iter().eq(b.iter()) && a.digest() == b.digest()
    }

    fn warnings(&self, at: usize) -> Vec<&str> {
        let shown = self.rigs[at].shown.iter();
        let warnings = shown.filter_map(|event| match event {
            Event::Warning(words) => Some(words.as_str()),
            _ => None,
        });
        warnings.collect()
    }
}

const FETCH: u64 = 17;
const CHUNK: u64 = 18;

#[test]
#[allow(clippy::disallowed_methods)] // It says how long it took.
fn one_missing_message_among_200_000_authors_costs_kilobytes() {
    const AUTHORS: u64 = 200_000;
    let mut pair = Pair::new();
    let author = |n: u64| {
        said(
            1_000 + n.wrapping_mul(0x9e37_79b9_7f4a_7c15) / 2,
            1,
            1_000 + n,
            "x",
        )
    };
    for missing in [AUTHORS / 3, 1, AUTHORS - 1] {
        pair = Pair::new();
        pair.hold(0, (0..AUTHORS).filter(|n| *n != missing).map(author));
        pair.hold(1, (0..AUTHORS).map(author));
        // What was hashed once is not hashed again.
        let began = std::time::Instant::now();
        let digests = pair.rigs.each_ref().map(|rig| rig.node.history().digest());
        let hashed = began.elapsed();
        assert_ne!(digests[0], digests[1]);
        let began = std::time::Instant::now();
        pair.sync(0);
        println!(
            "hashed twice {AUTHORS} in {hashed:?}, then {} bytes in {:?}: {:?}",
            pair.bytes(),
            began.elapsed(),
            pair.sent
        );
        pair.settle();
        assert!(pair.is_same());
        assert!(pair.bytes() < 32 * 1024, "{:?}", pair.sent);
        assert!(pair.frames(CHUNK) <= 2, "{:?}", pair.sent);
    }
    pair.sync(1);
    assert!(pair.bytes() < 256, "{:?}", pair.sent);
}

#[test]
fn whatever_two_histories_hold_they_hold_the_same_after_an_exchange() {
    let mut rng = fastrand::Rng::with_seed(17);
    for round in 0..60 {
        let mut pair = Pair::new();
        let authors = 1 << rng.u64(0..14);
        let shares = [rng.u8(0..=100), rng.u8(0..=100)];
        let alike = rng.u8(0..=100);
        for author in 0..authors {
            let message = once(100 + author, 1 + rng.u64(0..900_000), "text");
            let is_common = rng.u8(0..100) < alike;
            for (at, share) in shares.into_iter().enumerate() {
                if is_common || rng.u8(0..100) < share {
                    pair.hold(at, [message.clone()]);
                }
            }
        }
        pair.sync(rng.usize(0..2));
        pair.settle();
        assert!(pair.is_same(), "round {round}: {:?}", pair.sent);
    }
}

#[test]
fn who_has_nothing_fetches_all_without_comparing() {
    let mut pair = Pair::new();
    pair.hold(1, (1..=5_000).map(|n| once(100 + n, n, "some words")));
    pair.sync(0);
    pair.settle();
    assert!(pair.is_same());
    let kinds: Vec<u64> = pair.sent.keys().copied().collect();
    assert!(!kinds.contains(&28), "{:?}", pair.sent);
    let carried: usize = pair.rigs[0]
        .node
        .history()
        .iter()
        .map(ChatMessage::size_bound)
        .sum();
    assert!(pair.bytes() < carried, "{:?}", pair.sent);
}

#[test]
fn two_texts_of_one_name_are_said_once_and_never_equal() {
    for weakness in [None, Some(Weakness::NoWordOfDoubles)] {
        let mut pair = Pair::weakened(weakness);
        for at in 0..2 {
            pair.hold(at, (1..=1_000).map(|n| once(100 + n, n * 10, "same")));
        }
        // The same place and another text; and another time, too.
        for (at, text) in ["one", "two"].into_iter().enumerate() {
            pair.hold(at, [said(99, 1, 5_005, text)]);
            pair.hold(at, [said(98, 1, 6_005 + 1_000 * at as u64, text)]);
        }
        let expected = if weakness.is_none() { 2 } else { 0 };
        pair.sync(0);
        for at in 0..2 {
            let warnings = pair.warnings(at);
            assert_eq!(warnings.len(), expected, "{warnings:?}");
            assert!(warnings.iter().all(|w| w.contains("two different texts")));
        }
        assert!(!pair.is_same());
        // Nothing has changed since: nobody looks into it again, and nobody says it again.
        for at in [1, 0, 0] {
            pair.sync(at);
            assert!(pair.bytes() < 6 * 1024, "{:?}", pair.sent);
            assert_eq!(
                (pair.frames(FETCH), pair.frames(28)),
                (0, 0),
                "{:?}",
                pair.sent
            );
            assert!(pair.warnings(0).is_empty() && pair.warnings(1).is_empty());
        }
        // What is new goes round all the same.
        pair.hold(1, [said(97, 1, 50_000, "new")]);
        pair.sync(0);
        pair.settle();
        let has = |at: usize| pair.rigs[at].node.history().highest(Key(97)) == 1;
        assert!(has(0) && has(1));
    }
}

#[test]
fn another_text_that_comes_as_chat_is_noticed_and_not_taken() {
    let mut pair = Pair::new();
    pair.hold(0, [said(OTHER.0, 1, 5_005, "one")]);
    pair.rigs[0].shown.clear();
    for text in ["one", "two", "two"] {
        let chat = Message::Chat(vec![said(OTHER.0, 1, 5_005, text)]);
        pair.rigs[0].receive(pair.links[0], chat);
    }
    assert_eq!(pair.warnings(0).len(), 1);
    let held: Vec<&str> = pair.rigs[0]
        .node
        .history()
        .iter()
        .map(ChatMessage::text)
        .collect();
    assert_eq!(held, ["one"]);
}

#[test]
fn an_answer_that_leads_nowhere_ends_the_exchange() {
    use crate::wire::{Comparison, Contents, Part, Position, Sum, SyncAnswer};
    let part = |upto| Part {
        upto,
        count: 12_000,
        sum: Sum::default(),
    };
    let end = Position::new(10_000, Key(1), 1);
    let lies = [
        // Not narrower than what was asked for.
        Some(Contents {
            parts: Some(vec![part(end)]),
            items: None,
        }),
        // Beyond it.
        Some(Contents {
            parts: Some(vec![part(Position::new(5, Key(1), 1)), part(Position::END)]),
            items: None,
        }),
        // Nothing at all.
        None,
    ];
    for lie in lies {
        let mut pair = Pair::new();
        pair.hold(0, (1..=20_000).map(|n| said(99, n, n, "mine")));
        let rig = &mut pair.rigs[0];
        rig.receive(pair.links[0], Message::Ping { coordinator: None });
        let sent = rig.turn(vec![Input::Timer(Timer::SyncRound)]);
        let Some(Message::Sync(sync)) = sent.first() else {
            panic!("no SYNC but {sent:?}");
        };
        let no = sync.no;
        let answer = SyncAnswer {
            no,
            equal: false,
            floor: Position::default(),
            newest: Some(end),
            parts: vec![part(end)],
        };
        let sent = rig.receive(pair.links[0], Message::SyncAnswer(answer));
        assert!(matches!(sent[..], [Message::Compare(_)]), "{sent:?}");
        let spans = lie.into_iter().collect();
        let comparison = Message::Comparison(Comparison { no, spans });
        let sent = rig.receive(pair.links[0], comparison);
        assert!(sent.is_empty(), "{sent:?}");
        assert!(!rig.timers.contains_key(&Timer::Sync), "it has ended");
    }
}

/// An author that is a member of the first one's room, speaks for itself there, and has said nothing.
const AUTHOR: Key = Key(99);

/// The first one is offered what it does not take in for now, and lets it be as long as nothing changes.
fn refused(message: ChatMessage) -> (Pair, LinkId) {
    let mut pair = Pair::new();
    let author = pair.rigs[0].meet(AUTHOR);
    pair.rigs[0].admit(author, AUTHOR);
    for at in 0..2 {
        pair.hold(at, (1..=1_000).map(|n| once(100 + n, n * 10, "same")));
    }
    pair.hold(1, [message]);
    let mut fetched = [0; 3];
    for fetched in &mut fetched {
        pair.ask();
        *fetched = pair.frames(FETCH);
    }
    assert_eq!(fetched, [1, 0, 0]);
    assert!(!pair.is_same());
    (pair, author)
}

#[test]
fn what_an_author_had_not_said_itself_is_fetched_once_it_is_gone() {
    let (mut pair, author) = refused(said(AUTHOR.0, 1, 5_005, "new"));
    let sent = pair.rigs[0].receive(author, Message::Leave);
    pair.carry(0, sent);
    pair.settle();
    assert!(pair.is_same(), "{:?}", pair.sent);
}

/// It was cut off, has gone on in another group, and said more there.
#[test]
fn what_an_author_said_while_it_was_cut_off_is_fetched_from_others_once_it_is_linked_again() {
    let (mut pair, _) = refused(said(AUTHOR.0, 1, 5_005, "new"));
    let mut again = hello(AUTHOR, Some(office(9, Key(90))));
    again.round += 1;
    pair.rigs[0].meet_as(again);
    pair.ask();
    pair.settle();
    assert!(pair.is_same(), "{:?}", pair.sent);
}

#[test]
fn what_was_too_far_ahead_of_the_clock_is_fetched_once_it_is_not() {
    let in_two_days = Duration::from_secs(48 * 3_600);
    let ahead = u64::try_from(in_two_days.as_millis()).unwrap() << 16;
    let (mut pair, _) = refused(once(98, ahead, "new"));
    pair.rigs[0].pass(in_two_days);
    pair.ask();
    pair.settle();
    assert!(pair.is_same(), "{:?}", pair.sent);
}
