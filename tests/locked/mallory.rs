//! A member that proves its key, is let in, lives and confirms as it should; and says what a test has it say.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc;
use std::time::Duration;

use papo::identity::Credentials;
use papo::lock::Secret;
use papo::wire::{
    Ack, Address, ChatMessage, Draft, JoinRequest, Key, Message, SyncAnswer, VERSION, View,
};

use crate::harness::{Node, PATIENCE, ms};
use crate::place::Place;
use crate::speaker::{Speaker, address_of};

/// What happens to it.
pub enum Heard<'a> {
    /// Some time has passed.
    Turn,
    /// Somebody, by number, has said this.
    Message(usize, &'a Message),
}

/// Where it goes.
#[derive(Clone)]
pub struct Door {
    at: Vec<SocketAddr>,
    room: String,
    secret: Option<Secret>,
}

pub struct Mallory {
    links: Vec<Speaker>,
    own: Rc<Credentials>,
    room: String,
}

impl Mallory {
    /// Is let in by the first of these, which coordinates, and links with all.
    fn join(door: &Door) -> Mallory {
        let own = Credentials::new(&door.room, None).expect("randomness");
        let mut mallory = Mallory {
            links: Vec::new(),
            own: Rc::new(own),
            room: door.room.clone(),
        };
        for at in &door.at {
            let mut link = Speaker::dial_as(*at, Rc::clone(&mallory.own));
            if let Some(secret) = &door.secret {
                link = link.lock(secret);
            }
            link.greet(&door.room, 0);
            mallory.links.push(link);
            if mallory.links.len() == 1 {
                let asks = mallory.join_request();
                mallory.say(0, &asks);
                let answer = |m: &Message| matches!(m, Message::JoinResponse(_));
                let let_in = mallory.links[0].hear(PATIENCE, answer);
                assert!(let_in.is_some(), "it is let in");
            }
        }
        mallory
    }

    pub fn key(&self) -> Key {
        self.own.key()
    }

    fn join_request(&self) -> Message {
        Message::JoinRequest(JoinRequest {
            version: VERSION,
            room: self.room.clone(),
            key: self.key(),
            nick: "mallory".to_owned(),
            attempt: 0,
            port: 9,
            addresses: vec![Address(([127, 0, 0, 1], 9).into())],
            id: None,
            next_id: 0,
            view_version: 0,
            office: false,
            no: 0,
        })
    }

    pub fn say(&mut self, to: usize, message: &Message) {
        self.links[to].say(message);
    }

    pub fn say_to_all(&mut self, message: &Message) {
        for link in &mut self.links {
            link.say(message);
        }
    }

    /// Answers what is due, and lets `act` say the rest.
    fn turn(&mut self, act: &mut dyn FnMut(&mut Mallory, Heard<'_>)) {
        for n in 0..self.links.len() {
            while let Some(message) = self.links[n].hear(ms(1), |_| true) {
                match &message {
                    Message::Ping { .. } => self.say(n, &Message::Pong { coordinator: None }),
                    Message::Chat(messages) => self.confirm(n, messages),
                    _ => {}
                }
                act(self, Heard::Message(n, &message));
            }
        }
        act(self, Heard::Turn);
    }

    fn confirm(&mut self, to: usize, messages: &[ChatMessage]) {
        let Some(last) = messages.last() else { return };
        let ack = Ack {
            from: 1,
            seq: last.seq(),
            missed: Vec::new(),
        };
        self.say(to, &Message::Ack(ack));
    }
}

/// Who is let into a room by its members: the first one coordinates.
pub fn door(place: &Place<'_>, nodes: &[&Node]) -> Door {
    Door {
        at: nodes.iter().map(|node| address_of(node)).collect(),
        room: place.name().to_owned(),
        secret: place.secret.clone(),
    }
}

/// Runs a test while a member lies; it is gone at the end.
pub fn while_it_lies<T>(
    door: Door,
    mut act: impl FnMut(&mut Mallory, Heard<'_>) + Send,
    test: impl FnOnce(Key) -> T,
) -> T {
    let over = AtomicBool::new(false);
    let (tell, told) = mpsc::channel();
    std::thread::scope(|scope| {
        let is_over = &over;
        scope.spawn(move || {
            let mut mallory = Mallory::join(&door);
            let _ = tell.send(mallory.key());
            while !is_over.load(SeqCst) {
                mallory.turn(&mut act);
            }
        });
        let _end = End(&over);
        let key = told.recv_timeout(PATIENCE).expect("it is in the room");
        test(key)
    })
}

/// However the test ends, the liar does too.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// Now, as a timestamp.
pub fn now() -> u64 {
    let since = std::time::UNIX_EPOCH.elapsed().expect("after 1970");
    u64::try_from(since.as_millis()).expect("not so late") << 16
}

/// A line in anybody's name.
pub fn line(origin: Key, seq: u64, timestamp: u64, text: &str) -> ChatMessage {
    let draft = Draft {
        origin,
        seq,
        timestamp,
        sent_at: timestamp >> 16,
        from: 9,
        nick: "mallory".into(),
        dependencies: Vec::new().into(),
        text: text.to_owned().into(),
    };
    ChatMessage::new(&draft).expect("it keeps the rules")
}

/// It holds something else than whoever asks, from the first line on.
pub fn unequal(no: u64) -> Message {
    Message::SyncAnswer(SyncAnswer {
        no,
        equal: false,
        floor: papo::wire::Position::default(),
        newest: None,
        parts: Vec::new(),
    })
}

/// How many warnings of a node have these words.
pub fn warned(node: &Node, words: &str) -> usize {
    node.look(|record| {
        let warnings = record.all("warning");
        warnings.filter(|e| e.text("text").contains(words)).count()
    })
}

/// The longest of these times, and the middle one.
pub fn worst_and_median(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() - 1], times[times.len() / 2])
}

/// A view that names nobody but its coordinator is one that nobody asked for.
pub fn alone(coordinator: Key, version: u64, members: Vec<papo::wire::Member>) -> View {
    View {
        coordinator,
        version,
        next_id: 1_000,
        members,
        left: Vec::new(),
        clock: 0,
    }
}
