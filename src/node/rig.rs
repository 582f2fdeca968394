//! One node under test: its links are the test's, and what it sends is looked at.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::{
    Command, Config, Effect, Event, Input, LinkId, Message, Node, Now, Outbox, Time, Timer,
};
use crate::wire::{
    Address, ChatMessage, Chunk, Coordinator, Draft, Fetch, Hello, Id, JoinRequest, JoinResponse,
    Key, Member, MessageId, PeerUpdate, Position, Stable, SyncAnswer, UpdateKind, VERSION, View,
};

/// No messages.
pub(super) const NONE: &[u64] = &[];

fn now(micros: u64) -> Now {
    Now {
        time: Time(micros),
        wall_ms: micros / 1_000,
    }
}

pub(super) fn address(port: u16) -> Address {
    Address(SocketAddr::from(([127, 0, 0, 1], port)))
}

/// HELLO of a peer that follows this coordinator.
pub(super) fn hello(key: Key, coordinator: Option<Coordinator>) -> Hello {
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
        oldest: None,
        wall: 0,
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
        unstored_bytes_max: crate::limits::UNSTORED_BYTES_MAX,
        waiting_max: crate::limits::WAITING_MAX,
        weakened: None,
    }
}

/// A coordinator as others speak of it.
pub(super) fn office(id: Id, key: Key) -> Coordinator {
    Coordinator {
        id,
        key,
        addresses: vec![address(4_001)],
        version: 2,
    }
}

/// The view of the first of these members, which coordinates.
pub(super) fn view(version: u64, members: &[(Id, Key)]) -> View {
    let member = |(id, key): &(Id, Key)| {
        let is_own = *key == config().key;
        Member {
            id: *id,
            key: *key,
            nick: if is_own {
                "ana".to_string()
            } else {
                format!("n{id}")
            },
            addresses: vec![address(if is_own { 4_000 } else { 4_001 })],
        }
    };
    let mut members: Vec<Member> = members.iter().map(member).collect();
    let coordinator = members[0].key;
    members.sort_by_key(|m| m.id);
    View {
        coordinator,
        version,
        next_id: 9,
        members,
        left: Vec::new(),
        clock: 0,
    }
}

/// The answer of the first of these members, which lets this node in; its history is complete from this
/// floor on.
pub(super) fn response(members: &[(Id, Key)], floor: Position) -> JoinResponse {
    let mut own = members.iter().filter(|(_, key)| *key == config().key);
    JoinResponse {
        lost: Vec::new(),
        id: own.next().expect("this node is a member").0,
        view: view(2, members),
        clock: 0,
        newest: Position::default(),
        floor: Some(floor),
        no: 0,
    }
}

/// A step of this coordinator's view, about one member.
pub(super) fn step(coordinator: Key, kind: UpdateKind, member: Member) -> Message {
    Message::PeerUpdate(PeerUpdate {
        coordinator,
        version: 3,
        next_id: 9,
        kind,
        members: vec![member],
        clock: 0,
    })
}

/// JOIN_REQUEST of a node that is new.
pub(super) fn request(key: Key) -> JoinRequest {
    JoinRequest {
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
        no: 0,
    }
}

/// CHAT with one message, which follows these.
pub(super) fn chat(origin: Key, seq: u64, after: &[MessageId]) -> Message {
    let draft = Draft {
        origin,
        seq,
        timestamp: 1_000 * seq + origin.0,
        sent_at: 0,
        from: 2,
        nick: "n".into(),
        dependencies: after.to_vec().into(),
        text: "x".into(),
    };
    Message::Chat(vec![ChatMessage::new(&draft).unwrap()])
}

/// A message with this time, which follows these.
pub(super) fn timed(origin: Key, seq: u64, timestamp: u64, after: &[MessageId]) -> Message {
    let draft = Draft {
        origin,
        seq,
        timestamp,
        sent_at: 0,
        from: 2,
        nick: "n".into(),
        dependencies: after.to_vec().into(),
        text: "x".into(),
    };
    Message::Chat(vec![ChatMessage::new(&draft).expect("it is valid")])
}

/// STABLE of an author that counts on this node from this message on.
pub(super) fn stable(from: u64) -> Message {
    Message::Stable(Stable {
        from: Some(from),
        said: 0,
        stable: 0,
    })
}

/// One node, its clock and its timers.
pub(super) struct Rig {
    pub(super) node: Node,
    pub(super) micros: u64,
    /// What the user was told of since this was last looked at.
    pub(super) shown: Vec<Event>,
    /// What else was done since this was last looked at: datagrams, dials, links closed.
    pub(super) done: Vec<Effect>,
    pub(super) timers: BTreeMap<Timer, Time>,
    /// The number of the last SYNC.
    sync: u64,
}

impl Rig {
    /// A node that looks for its room.
    pub(super) fn seeking(config: Config) -> Rig {
        let mut rig = Rig {
            node: Node::new(config, fastrand::Rng::with_seed(7)),
            micros: 0,
            shown: Vec::new(),
            done: Vec::new(),
            timers: BTreeMap::new(),
            sync: 0,
        };
        let mut out = Outbox::new();
        rig.node.start(now(0), &mut out);
        rig.take(out);
        rig
    }

    /// A node that founded its room.
    pub(super) fn new() -> Rig {
        Rig::with(config())
    }

    /// The same, of a node that is set up like this.
    pub(super) fn with(config: Config) -> Rig {
        let mut rig = Rig::seeking(config);
        while !rig.node.is_joined() {
            rig.fire(Timer::Join);
        }
        rig.shown.clear();
        rig.done.clear();
        rig
    }

    /// A node that a coordinator with this key has let in, and their link. It waits for the history.
    pub(super) fn member_of(leader: Key) -> (Rig, LinkId) {
        Rig::member_among(&[(1, leader), (2, config().key)])
    }

    /// The same, of a view with these members, the coordinator first.
    pub(super) fn member_among(members: &[(Id, Key)]) -> (Rig, LinkId) {
        Rig::member_with(config(), members)
    }

    /// The same, of a node that is set up like this.
    pub(super) fn member_with(config: Config, members: &[(Id, Key)]) -> (Rig, LinkId) {
        let (id, leader) = members[0];
        let mut rig = Rig::seeking(config);
        let link = rig.meet_as(hello(leader, Some(office(id, leader))));
        let response = response(members, Position::default());
        rig.receive(link, Message::JoinResponse(response));
        assert_eq!(rig.node.coordinator().map(|c| c.key), Some(leader));
        (rig, link)
    }

    /// A peer opens a link with this HELLO.
    pub(super) fn meet_as(&mut self, hello: Hello) -> LinkId {
        self.greet(hello).0
    }

    /// The same; returns what was sent, too.
    pub(super) fn greet(&mut self, hello: Hello) -> (LinkId, Vec<Message>) {
        let link = self.node.new_link();
        let from = address(50_000).0;
        self.turn(vec![Input::Accepted { link, from }]);
        let sent = self.receive(link, Message::Hello(hello));
        (link, sent)
    }

    /// A peer opens a link, which counts on this node for all that it writes.
    pub(super) fn meet(&mut self, key: Key) -> LinkId {
        self.meet_from(key, 1)
    }

    /// A peer opens a link, which counts on this node from this message on.
    pub(super) fn meet_from(&mut self, key: Key, from: u64) -> LinkId {
        let link = self.meet_as(hello(key, None));
        self.receive(link, stable(from));
        link
    }

    /// The peer at the other end of a link becomes a member.
    pub(super) fn admit(&mut self, link: LinkId, key: Key) {
        self.receive(link, Message::JoinRequest(request(key)));
    }

    /// A turn of the loop; returns what was sent.
    pub(super) fn turn(&mut self, inputs: Vec<Input>) -> Vec<Message> {
        self.micros += 1;
        let mut out = Outbox::new();
        for input in inputs {
            self.node.handle(now(self.micros), input, &mut out);
        }
        self.node.end_turn(now(self.micros), &mut out);
        self.take(out)
    }

    fn take(&mut self, out: Outbox) -> Vec<Message> {
        let mut sent = Vec::new();
        for effect in out {
            match effect {
                Effect::Send { message, .. } => {
                    if let Message::Sync(sync) = &message {
                        self.sync = sync.no;
                    }
                    sent.push(message);
                }
                Effect::Show(event) => self.shown.push(event),
                Effect::SetTimer { timer, at } => {
                    self.timers.insert(timer, at);
                }
                Effect::CancelTimer(timer) => {
                    self.timers.remove(&timer);
                }
                other => self.done.push(other),
            }
        }
        sent
    }

    /// Lets time pass in which nothing happens.
    pub(super) fn pass(&mut self, time: Duration) {
        self.micros += super::micros(time);
    }

    /// Lets time pass until this timer, which runs, is due: a turn with it.
    pub(super) fn fire(&mut self, timer: Timer) -> Vec<Message> {
        let at = self.timers.remove(&timer);
        self.micros = self.micros.max(at.expect("the timer runs").0);
        self.turn(vec![Input::Timer(timer)])
    }

    /// The same for each of these that runs and is due now, without letting time pass.
    pub(super) fn fire_due(&mut self, timers: &[Timer]) -> Vec<Message> {
        let now = Time(self.micros);
        let is_due = |timer: &Timer| self.timers.get(timer).is_some_and(|at| *at <= now);
        let due: Vec<Timer> = timers.iter().copied().filter(is_due).collect();
        due.into_iter().flat_map(|timer| self.fire(timer)).collect()
    }

    /// This author becomes a member, and its first two messages do not come. It is asked for them, and has others:
    /// their link, and the FETCH.
    pub(super) fn fetch_two_of(&mut self, author: Key) -> (LinkId, Fetch) {
        let link = self.meet(author);
        self.admit(link, author);
        self.receive(link, stable(1));
        self.receive(link, chat(author, 3, &[]));
        self.pass(crate::timing::GAP_PATIENCE * 2);
        self.fire(Timer::Gap);
        let mut answer = self.answer();
        answer.equal = false;
        let sent = self.receive(link, Message::SyncAnswer(answer));
        let [Message::Fetch(fetch)] = &sent[..] else {
            panic!("no FETCH but {sent:?}");
        };
        (link, fetch.clone())
    }

    /// What a peer answers to this that has the same history, and nothing of what is fetched.
    pub(super) fn answer_to(&self, question: &Message) -> Option<Message> {
        match question {
            Message::Sync(sync) => Some(Message::SyncAnswer(SyncAnswer {
                no: sync.no,
                ..self.answer()
            })),
            Message::Fetch(fetch) => Some(Message::Chunk(Chunk {
                no: fetch.no,
                next: None,
                messages: Vec::new(),
            })),
            _ => None,
        }
    }

    /// The answer to the last SYNC of a peer that has the same history.
    pub(super) fn answer(&self) -> SyncAnswer {
        SyncAnswer {
            no: self.sync,
            equal: true,
            floor: Position::default(),
            newest: None,
            parts: Vec::new(),
        }
    }

    /// The dials since this was last looked at.
    pub(super) fn dials(&mut self) -> Vec<(LinkId, SocketAddr)> {
        let done = std::mem::take(&mut self.done).into_iter();
        let dials = done.filter_map(|effect| match effect {
            Effect::Dial { link, to, .. } => Some((link, to)),
            _ => None,
        });
        dials.collect()
    }

    /// The names of the messages that the user was shown since this was last looked at.
    pub(super) fn read(&mut self) -> Vec<MessageId> {
        let shown = std::mem::take(&mut self.shown).into_iter();
        let messages = shown.filter_map(|event| match event {
            Event::Messages { messages, .. } => Some(messages),
            _ => None,
        });
        messages.flatten().map(|m| m.id()).collect()
    }

    pub(super) fn receive(&mut self, link: LinkId, message: Message) -> Vec<Message> {
        self.turn(vec![Input::Message { link, message }])
    }

    pub(super) fn say(&mut self, lines: usize) -> Vec<Message> {
        let lines = vec!["x".repeat(100); lines].into_iter().collect();
        self.turn(vec![Input::Command(Command::Say(lines))])
    }

    /// A peer passes on what somebody else has written.
    pub(super) fn pass_on(&mut self, from: Key, chat: Message) -> Vec<Message> {
        if let Message::Chat(messages) = chat {
            let (talk, mut lent) = self.node.talk();
            talk.pass_on(&mut lent, from, &messages);
        }
        self.turn(Vec::new())
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
