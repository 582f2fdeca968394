//! A peer that was behind a node which goes on writing.

use std::net::SocketAddr;
use std::time::Duration;

use super::*;
use crate::node::{Command, Config, Effect, Input, Now, Outbox, Time, Timer};
use crate::wire::{Address, ChatMessage, Chunk, Fetch, Hello, Key, Sync, VERSION};

const PEER: Key = Key(9);
/// No messages.
const NONE: &[u64] = &[];

fn now(micros: u64) -> Now {
    Now {
        time: Time(micros),
        wall_ms: micros / 1_000,
    }
}

fn address(port: u16) -> Address {
    Address(SocketAddr::from(([127, 0, 0, 1], port)))
}

/// A node with an open link, and what it sent there in the last turn.
struct Rig {
    node: Node,
    link: LinkId,
    micros: u64,
}

impl Rig {
    fn new() -> Rig {
        let config = Config {
            peers: Vec::new(),
            room: "lobby".to_string(),
            nick: "ana".to_string(),
            key: Key(5),
            port: 4_000,
            addresses: vec![address(4_000)],
            heartbeat: Duration::from_millis(250),
            failure_timeout: Duration::from_secs(1),
            history_max: 100_000,
            wants_history: true,
            weakened: None,
        };
        let mut node = Node::new(config, fastrand::Rng::with_seed(7));
        let (mut out, mut micros) = (Outbox::new(), 0);
        node.start(now(0), &mut out);
        while !node.is_joined() {
            for effect in out.drain(..) {
                if let Effect::SetTimer {
                    timer: Timer::Join,
                    at,
                } = effect
                {
                    micros = at.0;
                }
            }
            node.handle(now(micros), Input::Timer(Timer::Join), &mut out);
        }
        let link = node.new_link();
        let mut rig = Rig { node, link, micros };
        let from = address(50_000).0;
        rig.turn(vec![Input::Accepted { link, from }]);
        rig.receive(Message::Hello(Hello {
            version: VERSION,
            room: "lobby".to_string(),
            key: PEER,
            nick: "ben".to_string(),
            round: 0,
            addresses: vec![address(4_001)],
            coordinator: None,
        }));
        rig
    }

    /// A turn of the loop; returns what was sent.
    fn turn(&mut self, inputs: Vec<Input>) -> Vec<Message> {
        self.micros += 1;
        let mut out = Outbox::new();
        for input in inputs {
            self.node.handle(now(self.micros), input, &mut out);
        }
        self.node.end_turn(now(self.micros), &mut out);
        let sent = out.into_iter().filter_map(|effect| match effect {
            Effect::Send { message, .. } => Some(message),
            _ => None,
        });
        sent.collect()
    }

    fn receive(&mut self, message: Message) -> Vec<Message> {
        let link = self.link;
        self.turn(vec![Input::Message { link, message }])
    }

    fn say(&mut self, lines: usize) -> Vec<Message> {
        let lines = vec!["x".repeat(100); lines];
        self.turn(vec![Input::Command(Command::Say(lines))])
    }

    fn fetch(&mut self, after: Position) -> Chunk {
        let skip = Vec::new();
        let mut sent = self.receive(Message::Fetch(Fetch { no: 1, after, skip }));
        let Message::Chunk(chunk) = sent.remove(0) else {
            panic!("no chunk but {sent:?}");
        };
        chunk
    }

    fn seqs(messages: &[Message]) -> Vec<u64> {
        let chat = messages.iter().filter_map(|m| match m {
            Message::Chat(messages) => Some(messages),
            _ => None,
        });
        chat.flatten().map(ChatMessage::seq).collect()
    }
}

/// The peer's queue was full and is empty, and it asks for a SYNC.
fn behind() -> Rig {
    let mut rig = Rig::new();
    let link = rig.link;
    assert_eq!(Rig::seqs(&rig.say(1)), [1]);
    rig.turn(vec![Input::Congested { link }]);
    assert_eq!(Rig::seqs(&rig.say(2_000)), NONE, "withheld");
    let sent = rig.turn(vec![Input::Drained { link }]);
    assert_eq!(sent, [Message::Behind]);
    rig.receive(Message::Sync(Sync {
        no: 1,
        floor: Position::default(),
        digest: 0,
        count: 0,
        back: false,
    }));
    rig
}

#[test]
fn who_catches_up_stops_stdin_until_it_has() {
    let mut rig = behind();
    assert_eq!(rig.node.chased_until(), None);
    let (mut has, mut after) = (0, Position::default());
    loop {
        let chunk = rig.fetch(after);
        for message in &chunk.messages {
            has += 1;
            assert_eq!(message.seq(), has);
        }
        let Some(next) = chunk.next else {
            break;
        };
        after = next;
        let until = rig.node.chased_until().expect("it waits");
        assert_eq!(until, Time(rig.micros) + STALL);
        assert_eq!(Rig::seqs(&rig.say(10)), NONE, "withheld");
    }
    assert_eq!(has, rig.node.written());
    assert_eq!(rig.node.chased_until(), None);
    assert_eq!(Rig::seqs(&rig.say(1)), [has + 1]);
}

#[test]
fn who_asks_no_more_stops_stdin_no_longer() {
    let mut rig = behind();
    rig.fetch(Position::default());
    assert!(rig.node.chased_until().is_some());
    rig.micros += STALL_MS * 1_000;
    assert_eq!(Rig::seqs(&rig.say(1)), NONE, "withheld");
    assert_eq!(rig.node.chased_until(), None);
}

#[test]
fn who_is_far_behind_does_not_stop_stdin() {
    let mut rig = behind();
    for _ in 0..40 {
        rig.say(1_000);
    }
    rig.fetch(Position::default());
    assert_eq!(rig.node.chased_until(), None);
}
