//! What is measured: messages, and a node in a room with one peer.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use papo::limits::BATCH_BYTES_MAX;
use papo::node::{Config, Effect, Input, LinkId, Node, Now, Outbox, Time, Timer};
use papo::wire::{
    Address, ChatMessage, Draft, Hello, Key, Message, VERSION, decode_message, encode_frame,
};

/// Bytes of a message's text.
pub const TEXT_BYTES: usize = 100;
/// The wall clock at the beginning, in milliseconds since 1970.
const WALL_MS: u64 = 1_750_000_000_000;
/// The peer that writes to the node.
pub const PEER: Key = Key(0x8c8f_1a2b_3c4d_5e6f);

/// A message as the peer writes it: its `seq`th.
pub fn message(origin: Key, seq: u64) -> ChatMessage {
    ChatMessage::new(&Draft {
        origin,
        seq,
        timestamp: (WALL_MS << 16) + seq,
        sent_at: WALL_MS,
        from: 3,
        nick: "maria".into(),
        dependencies: Vec::new().into(),
        text: "x".repeat(TEXT_BYTES).into(),
    })
    .expect("a valid message")
}

/// As many messages as one frame carries.
pub fn per_batch() -> u64 {
    (BATCH_BYTES_MAX / message(PEER, 1).size_bound()) as u64
}

/// The peer's messages from `first` on, so many, as they come in a frame.
pub fn batch(first: u64, count: u64) -> Vec<ChatMessage> {
    let messages = (first..first + count).map(|seq| message(PEER, seq));
    let mut all = Vec::new();
    let messages: Vec<ChatMessage> = messages.collect();
    for messages in messages.chunks(per_batch() as usize) {
        let frame = frame(&Message::Chat(messages.to_vec()));
        match decode_message(&frame[4..]) {
            Ok(Message::Chat(messages)) => all.extend(messages),
            other => panic!("not what was encoded: {other:?}"),
        }
    }
    all
}

/// The frames of the peer's first `count` messages, `per_frame` in each.
pub fn frames(count: u64, per_frame: u64) -> Vec<Rc<[u8]>> {
    (0..count / per_frame)
        .map(|n| frame(&Message::Chat(batch(1 + n * per_frame, per_frame))))
        .collect()
}

/// A message's frame.
pub fn frame(message: &Message) -> Rc<[u8]> {
    encode_frame(message).expect("a valid message")
}

/// A time after the start.
pub fn now(micros: u64) -> Now {
    Now {
        time: Time(micros),
        wall_ms: WALL_MS + micros / 1_000,
    }
}

/// How a node is configured here.
pub fn config(key: Key, port: u16, history_max: usize) -> Config {
    Config {
        peers: Vec::new(),
        room: "lobby".to_string(),
        nick: "joao".to_string(),
        key,
        port,
        addresses: vec![Address(SocketAddr::from(([127, 0, 0, 1], port)))],
        heartbeat: Duration::from_millis(250),
        failure_timeout: Duration::from_secs(1),
        history_max,
        wants_history: true,
        confirms_printed: false,
        unstable_bytes_max: papo::limits::UNSTABLE_BYTES_MAX,
        unstored_bytes_max: papo::limits::UNSTORED_BYTES_MAX,
        waiting_max: papo::limits::WAITING_MAX,
        weakened: None,
    }
}

/// A node that founded a room, and the open link with its peer.
pub struct Room {
    /// The node.
    pub node: Node,
    /// The link with [`PEER`].
    pub link: LinkId,
    /// The node's effects, until cleared.
    pub out: Outbox,
    micros: u64,
}

impl Room {
    /// Founds the room; the peer says HELLO.
    pub fn new(history_max: usize) -> Room {
        let rng = fastrand::Rng::with_seed(7);
        let mut node = Node::new(config(Key(5), 4_000, history_max), rng);
        let mut out = Outbox::new();
        let mut micros = 0;
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
            node.end_turn(now(micros), &mut out);
        }
        let link = node.new_link();
        let from = SocketAddr::from(([127, 0, 0, 1], 50_000));
        node.handle(now(micros), Input::Accepted { link, from }, &mut out);
        let hello = Hello {
            version: VERSION,
            room: "lobby".to_string(),
            key: PEER,
            nick: "maria".to_string(),
            round: 0,
            addresses: vec![Address(SocketAddr::from(([127, 0, 0, 1], 4_001)))],
            coordinator: None,
            floor: None,
            clock: 0,
            oldest: None,
            wall: 0,
        };
        let message = Message::Hello(hello);
        node.handle(now(micros), Input::Message { link, message }, &mut out);
        node.end_turn(now(micros), &mut out);
        out.clear();
        Room {
            node,
            link,
            out,
            micros,
        }
    }

    /// Gives the node one input; its effects are in `out`.
    pub fn feed(&mut self, input: Input) {
        self.micros += 1;
        self.node.handle(now(self.micros), input, &mut self.out);
    }

    /// The peer sends a message.
    pub fn receive(&mut self, message: Message) {
        let link = self.link;
        self.feed(Input::Message { link, message });
    }

    /// The end of a turn of the loop.
    pub fn end_turn(&mut self) {
        self.node.end_turn(now(self.micros), &mut self.out);
    }

    /// The time of the last input.
    pub fn now(&self) -> Now {
        now(self.micros)
    }
}
