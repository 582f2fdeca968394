//! One node under test: its links are the test's, and what it sends is looked at.

use std::net::SocketAddr;
use std::time::Duration;

use super::{
    Command, Config, Effect, Event, Input, LinkId, Message, Node, Now, Outbox, Time, Timer,
};
use crate::wire::{
    Address, ChatMessage, Coordinator, Hello, JoinRequest, JoinResponse, Key, Member, Position,
    Stable, VERSION, View,
};

/// No messages.
pub(super) const NONE: &[u64] = &[];

fn now(micros: u64) -> Now {
    Now {
        time: Time(micros),
        wall_ms: micros / 1_000,
    }
}

fn address(port: u16) -> Address {
    Address(SocketAddr::from(([127, 0, 0, 1], port)))
}

/// HELLO of a peer that follows this coordinator.
fn hello(key: Key, coordinator: Option<Coordinator>) -> Hello {
    Hello {
        version: VERSION,
        room: "lobby".to_string(),
        key,
        nick: "ben".to_string(),
        round: 0,
        addresses: vec![address(4_001)],
        coordinator,
        floor: None,
        clock: 0,
    }
}

pub(super) fn config() -> Config {
    Config {
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
        confirms_printed: false,
        unstable_bytes_max: crate::limits::UNSTABLE_BYTES_MAX,
        waiting_max: crate::limits::WAITING_MAX,
        weakened: None,
    }
}

/// A node that founded its room.
pub(super) struct Rig {
    pub(super) node: Node,
    pub(super) micros: u64,
    /// What the user was told of since this was last looked at.
    pub(super) shown: Vec<Event>,
}

impl Rig {
    pub(super) fn new() -> Rig {
        let config = config();
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
        let shown = Vec::new();
        Rig {
            node,
            micros,
            shown,
        }
    }

    /// A node that a coordinator with this key has let in, and their link. It waits for the history.
    pub(super) fn member_of(leader: Key) -> (Rig, LinkId) {
        let node = Node::new(config(), fastrand::Rng::with_seed(7));
        let mut rig = Rig {
            node,
            micros: 0,
            shown: Vec::new(),
        };
        rig.node.start(now(0), &mut Outbox::new());
        let link = rig.node.new_link();
        let from = address(50_000).0;
        rig.turn(vec![Input::Accepted { link, from }]);
        let coordinator = Coordinator {
            id: 1,
            key: leader,
            addresses: vec![address(4_001)],
            version: 2,
            next_id: 3,
        };
        let hello = hello(leader, Some(coordinator));
        rig.receive(link, Message::Hello(hello));
        let member = |id, key, port| Member {
            id,
            key,
            nick: format!("n{id}"),
            addresses: vec![address(port)],
        };
        let view = View {
            coordinator: leader,
            version: 2,
            next_id: 3,
            members: vec![member(1, leader, 4_001), member(2, config().key, 4_000)],
            left: Vec::new(),
            clock: 0,
        };
        let response = JoinResponse {
            id: 2,
            view,
            clock: 0,
            history_count: 0,
            newest: Position::default(),
            floor: Some(Position::default()),
        };
        rig.receive(link, Message::JoinResponse(response));
        assert_eq!(rig.node.coordinator().map(|c| c.key), Some(leader));
        (rig, link)
    }

    /// A peer opens a link, which counts on this node for all that it writes.
    pub(super) fn meet(&mut self, key: Key) -> LinkId {
        self.meet_from(key, 1)
    }

    /// A peer opens a link, which counts on this node from this message on.
    pub(super) fn meet_from(&mut self, key: Key, from: u64) -> LinkId {
        let link = self.node.new_link();
        let accepted = Input::Accepted {
            link,
            from: address(50_000).0,
        };
        self.turn(vec![accepted]);
        let hello = Message::Hello(hello(key, None));
        self.receive(link, hello);
        let stable = Stable {
            from: Some(from),
            said: 0,
            stable: 0,
        };
        self.receive(link, Message::Stable(stable));
        link
    }

    /// The peer at the other end of a link becomes a member.
    pub(super) fn admit(&mut self, link: LinkId, key: Key) {
        let request = JoinRequest {
            version: VERSION,
            room: "lobby".to_string(),
            key,
            nick: "ben".to_string(),
            attempt: 0,
            port: 4_001,
            addresses: vec![address(4_001)],
            id: None,
            next_id: 0,
            view_version: 0,
            office: false,
            history: true,
        };
        self.receive(link, Message::JoinRequest(request));
    }

    /// A turn of the loop; returns what was sent.
    pub(super) fn turn(&mut self, inputs: Vec<Input>) -> Vec<Message> {
        self.micros += 1;
        let mut out = Outbox::new();
        for input in inputs {
            self.node.handle(now(self.micros), input, &mut out);
        }
        self.node.end_turn(now(self.micros), &mut out);
        let mut sent = Vec::new();
        for effect in out {
            match effect {
                Effect::Send { message, .. } => sent.push(message),
                Effect::Show(event) => self.shown.push(event),
                _ => {}
            }
        }
        sent
    }

    pub(super) fn receive(&mut self, link: LinkId, message: Message) -> Vec<Message> {
        self.turn(vec![Input::Message { link, message }])
    }

    pub(super) fn say(&mut self, lines: usize) -> Vec<Message> {
        let lines = vec!["x".repeat(100); lines].into_iter().collect();
        self.turn(vec![Input::Command(Command::Say(lines))])
    }

    /// The numbers of the chat messages among these.
    pub(super) fn seqs(messages: &[Message]) -> Vec<u64> {
        let chat = messages.iter().filter_map(|m| match m {
            Message::Chat(messages) => Some(messages),
            _ => None,
        });
        chat.flatten().map(ChatMessage::seq).collect()
    }
}
