//! A member tells its lines to some of the others only: what they say then names lines that the rest never heard,
//! and that nobody but their author may tell. How long that keeps an honest line waiting.

use std::time::Duration;

use papo::node::{Event, LinkId};
use papo::wire::{ChatMessage, Chunk, Draft, Key, Message, MessageId};

use super::bench::Bench;
use super::words::{said, stable};
use super::{MEMBER, coordinator, request, unequal};

const HONEST: u64 = 61;

/// What the member says to whom it has not told its lines, and who asks it for them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Answers {
    /// That it holds nothing more.
    Nothing,
    /// No word.
    Silence,
    /// One line that is new each 0.8 s, and that there are more.
    Trickle,
}

/// The honest one's line, which follows from a line of the member's.
fn follows(seq: u64, timestamp: u64, from: u64) -> ChatMessage {
    let own = said(HONEST, seq, timestamp);
    let cause = MessageId {
        origin: Key(MEMBER),
        seq: from,
    };
    let draft = Draft {
        dependencies: vec![cause].into(),
        ..own.draft()
    };
    ChatMessage::new(&draft).expect("it keeps the rules")
}

fn shown(bench: &Bench) -> usize {
    let messages = bench.events.iter().filter_map(|event| match event {
        Event::Messages { messages, .. } => Some(messages.iter()),
        _ => None,
    });
    let all = messages.flatten();
    all.filter(|m| m.origin() == Key(HONEST)).count()
}

struct Liar {
    link: LinkId,
    answers: Answers,
    /// The exchange that waits for its next word, and when that comes.
    due: Option<(u64, u64)>,
    passed: u64,
}

impl Liar {
    /// 0.1 s of it, at this tenth.
    fn step(&mut self, bench: &mut Bench, tenth: u64) {
        let now = bench.now.wall_ms << 16;
        for message in bench.take_sent(self.link) {
            let answer = match (message, self.answers) {
                (_, Answers::Silence) => continue,
                (Message::Sync(sync), _) => unequal(sync.no),
                (Message::Fetch(fetch), Answers::Nothing) => Message::Chunk(Chunk {
                    no: fetch.no,
                    next: None,
                    messages: Vec::new(),
                }),
                (Message::Fetch(fetch), Answers::Trickle) => {
                    self.due = Some((tenth + 8, fetch.no));
                    continue;
                }
                _ => continue,
            };
            bench.tell(self.link, answer);
        }
        if let Some((at, no)) = self.due
            && tenth >= at
        {
            self.due = None;
            self.passed += 1;
            let line = said(99, self.passed, now + self.passed);
            let next = Some(line.position());
            let messages = vec![line];
            bench.tell(self.link, Message::Chunk(Chunk { no, next, messages }));
        }
        bench.tell(self.link, Message::Ping { coordinator: None });
    }
}

/// How long each of so many lines waits, of which each follows from another line of the member's.
fn waits(answers: Answers, lines: u64) -> Vec<Duration> {
    let (mut bench, member) = coordinator();
    let honest = bench.accept(HONEST, 0);
    bench.tell(honest, Message::JoinRequest(request(HONEST)));
    bench.tell(member, stable(Some(1), 0));
    bench.tell(honest, stable(Some(1), 0));
    let mut liar = Liar {
        link: member,
        answers,
        due: None,
        passed: 0,
    };
    let (mut tenth, mut all) = (0, Vec::new());
    for seq in 1..=lines {
        let began = bench.now.time;
        let now = bench.now.wall_ms << 16;
        bench.tell(honest, Message::Chat(vec![follows(seq, now, 10 * seq)]));
        while shown(&bench) < seq as usize {
            tenth += 1;
            liar.step(&mut bench, tenth);
            for message in bench.take_sent(honest) {
                let Message::Sync(sync) = message else {
                    if let Message::Fetch(fetch) = message {
                        // The member's lines, which it has: they count for nothing from it.
                        let theirs = (1..=10 * seq).map(|n| said(MEMBER, n, now));
                        bench.tell(
                            honest,
                            Message::Chunk(Chunk {
                                no: fetch.no,
                                next: None,
                                messages: theirs.collect(),
                            }),
                        );
                    }
                    continue;
                };
                bench.tell(honest, unequal(sync.no));
            }
            bench.tell(honest, Message::Ping { coordinator: None });
            bench.pass(Duration::from_millis(100));
            assert!(bench.now.time.since(began) < Duration::from_secs(600));
        }
        all.push(bench.now.time.since(began));
    }
    all
}

#[test]
fn what_follows_from_withheld_lines_waits_for_some_time_only() {
    for (answers, most) in [
        (Answers::Nothing, 2),
        (Answers::Silence, 15),
        (Answers::Trickle, 20),
    ] {
        let all = waits(answers, 4);
        println!("{answers:?}: {all:?}");
        let longest = all.iter().max().expect("some");
        assert!(
            *longest <= Duration::from_secs(most),
            "{answers:?}: {all:?}"
        );
    }
}
