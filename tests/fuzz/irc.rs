//! IRC lines, and an IRC server whose clients say anything while its rooms come and go.

use std::collections::BTreeSet;
use std::time::Duration;

use papo::irc::line::{Bad, Line};
use papo::irc::{Conn, Request, SeatId, Server, Settings};
use papo::limits::{IRC_LINE_BYTES_MAX, IRC_PARAMS_MAX, IRC_UNSENT_BYTES_MAX};
use papo::node::{Arrival, Departure, Event, Now, Time};
use papo::ui::RoomState;
use papo::wire::{ChatMessage, Claim, Draft, Id, Key, Member};

use crate::mutate;
use crate::runner::fuzz;

/// A line is refused, or read in one way.
pub fn irc_line(bytes: &[u8]) {
    match Line::read(bytes) {
        Ok(line) => {
            assert!(line.params.len() <= IRC_PARAMS_MAX && !line.command.is_empty());
            // Such a command is unknown to everybody, and reads as something else where it stands first.
            if line.command.starts_with([':', '@']) {
                return;
            }
            let written = line.write();
            // What ends a line stands in none: one that has it inside is another one where that comes to the end.
            if written.contains(['\r', '\n']) {
                return;
            }
            let again = Line::read_text(&written).expect("what was read can be written");
            // Of the rest of a line with too many parameters nobody knows where the last one began.
            if line.params.len() < IRC_PARAMS_MAX {
                assert_eq!(again.params, line.params, "{written}");
                assert_eq!((again.command, again.tags), (line.command, line.tags));
            }
        }
        Err(Bad::NotUtf8) => assert!(str::from_utf8(bytes).is_err()),
        Err(Bad::TooLong) => assert!(bytes.len() > IRC_LINE_BYTES_MAX - 2),
        Err(Bad::Empty) => {}
    }
}

struct Room(Vec<Member>);

impl RoomState for Room {
    fn is_joined(&self) -> bool {
        true
    }
    fn wants_lines(&self) -> bool {
        true
    }
    fn key(&self) -> Key {
        Key(1)
    }
    fn id(&self) -> Option<Id> {
        Some(1)
    }
    fn coordinator(&self) -> Option<Claim> {
        self.0.first().map(|m| Claim {
            id: m.id,
            key: m.key,
        })
    }
    fn members(&self) -> &[Member] {
        &self.0
    }
    fn history_len(&self) -> usize {
        0
    }
    fn digest(&self) -> u64 {
        0
    }
    fn newest(&self, _: usize) -> Vec<ChatMessage> {
        Vec::new()
    }
    fn newest_that(&self, fits: &dyn Fn(&ChatMessage) -> bool) -> Option<ChatMessage> {
        self.old(9).into_iter().find(|m| fits(m))
    }
    fn old(&self, _: usize) -> Vec<ChatMessage> {
        vec![message(7, 1, "hi"), message(7, 2, "\u{1}TOPIC x\u{1}")]
    }
    fn counters(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }
}

fn member(n: u64, nick: &str) -> Member {
    Member {
        id: n,
        key: Key(n),
        nick: nick.to_owned(),
        addresses: Vec::new(),
    }
}

fn message(origin: u64, seq: u64, text: &str) -> ChatMessage {
    let draft = Draft {
        origin: Key(origin),
        seq,
        timestamp: (1_000 + seq) << 16,
        sent_at: 1_000 + seq,
        from: origin,
        nick: "ana maria".into(),
        dependencies: Vec::new().into(),
        text: text.into(),
    };
    ChatMessage::new(&draft).expect("a valid message")
}

/// What a byte makes the room of a node say.
fn event(byte: u8, text: &str) -> Event {
    let seq = u64::from(byte) + 1;
    let who = member(
        5 + u64::from(byte % 4),
        ["ana", "ana", "a b", "bob"][usize::from(byte % 4)],
    );
    match byte % 9 {
        0 | 1 => Event::Joined { again: byte > 99 },
        2 => Event::MemberJoined(who),
        3 => Event::MemberLeft(who, Departure::Lost),
        4 => Event::MemberRenamed {
            member: Member {
                nick: format!("n{}", byte % 5),
                ..who
            },
            previous: String::new(),
        },
        5 => Event::Coordinator {
            id: 1,
            key: who.key,
            previous: None,
            own: false,
        },
        6 => Event::Delivered {
            first: 1,
            last: seq,
            members: 1,
            confirmed: 1,
            missed: Vec::new(),
        },
        7 => Event::Private {
            from: 5,
            key: who.key,
            nick: who.nick,
            sent_at: 5,
            text: text.to_owned(),
            own: false,
        },
        _ => Event::Messages {
            messages: vec![message(who.key.0, seq, text)],
            own: false,
            arrival: [Arrival::Live, Arrival::Old, Arrival::Late][usize::from(byte % 3)],
        },
    }
}

/// Clients that say what the bytes say: of each piece the first byte is the client, or that a room says something.
pub fn irc_server(bytes: &[u8]) {
    let settings = Settings {
        name: "irc.papo".to_owned(),
        password: None,
        room: None,
        secrets: BTreeSet::from(["key".to_owned()]),
        linger: Duration::from_secs(1),
        gathers: Duration::from_millis(500),
        gathers_after_coordinator: Duration::from_secs(3),
    };
    let mut ms = 1_000;
    let at = |ms: u64| Now {
        time: Time(ms * 1_000),
        wall_ms: ms,
    };
    let mut server = Server::new(settings, at(ms));
    (1..=3).for_each(|n| server.on_connected(at(ms), Conn(n), "127.0.0.1"));
    let (mut seats, mut key): (Vec<SeatId>, u64) = (Vec::new(), 1_000);
    for piece in bytes.split_inclusive(|b| *b == b'\n') {
        let (first, rest) = (piece[0], &piece[1..]);
        ms += u64::from(first) * 7;
        let now = at(ms);
        match (first % 8, seats.last()) {
            (7, Some(seat)) => {
                let room = Room(vec![member(5, "ana"), member(6, "a b")]);
                let event = event(
                    rest.first().copied().unwrap_or(0),
                    &String::from_utf8_lossy(rest),
                );
                server.on_event(now, *seat, event, &room);
            }
            (6, Some(seat)) if first > 200 => server.on_closed(now, *seat, "it ended"),
            (n, _) => server.on_bytes(now, Conn(1 + u64::from(n % 3)), rest),
        }
        let mut round = server.round(now);
        while server.step(now, &mut round) {}
        while let Some(request) = server.next_request() {
            match request {
                Request::Open { seat, .. } => {
                    key += 1;
                    seats.push(seat);
                    server.on_opened(now, seat, Key(key));
                }
                Request::Leave { seat } => server.on_closed(now, seat, "left"),
                _ => {}
            }
        }
        server.end_turn(now);
        for conn in (1..=3).map(Conn) {
            look_at(server.unsent(conn));
            let all = server.unsent(conn).len();
            server.on_sent(conn, all);
        }
        for conn in server.dead() {
            server.on_disconnected(now, conn, "gone");
            server.on_connected(now, conn, "127.0.0.1");
        }
    }
}

fn look_at(bytes: &[u8]) {
    assert!(bytes.len() <= IRC_UNSENT_BYTES_MAX);
    let text = str::from_utf8(bytes).expect("what a client gets is UTF-8");
    for line in text.split_inclusive('\n') {
        assert!(line.ends_with("\r\n"), "{line:?}");
        let rest = line
            .strip_prefix('@')
            .and_then(|l| l.split_once(' '))
            .map_or(line, |(_, rest)| rest);
        assert!(rest.len() <= IRC_LINE_BYTES_MAX, "{line:?}");
        let inner = &line[..line.len() - 2];
        assert!(!inner.contains(['\r', '\n', '\0']), "{line:?}");
    }
}

const WORDS: &[&str] = &[
    "NICK ana",
    "NICK bob",
    "USER u 0 * :Real Name",
    "CAP LS 302",
    "CAP END",
    "JOIN #a",
    "JOIN #b key",
    "PART #a :x",
    "TOPIC #a :t",
    "TOPIC #a",
    "CAP REQ :batch labeled-response echo-message message-tags server-time draft/multiline",
    "CAP REQ :papo/confirmed away-notify extended-join multi-prefix userhost-in-names setname",
    "PRIVMSG #a :hi there",
    "PRIVMSG ana :\u{1}ACTION waves\u{1}",
    "NOTICE bob,#a x",
    "@+a=b;label=x TAGMSG #a",
    "@label=q JOIN #c",
    "QUIT :bye",
    "BATCH +1 draft/multiline #a",
    "@batch=1 PRIVMSG #a :one",
    "@batch=1;draft/multiline-concat PRIVMSG #a :two",
    "BATCH -1",
    "CHATHISTORY LATEST #a * 10",
    "CHATHISTORY BETWEEN #a timestamp=1970-01-01T00:00:01.000Z msgid=x 5",
    "CHATHISTORY TARGETS timestamp=1970-01-01T00:00:00.000Z timestamp=2262-01-01T00:00:00.000Z 9",
    "WHO #a",
    "WHO * %tcuihsnfdlaor,1",
    "WHOIS ana",
    "NAMES",
    "LIST",
    "MODE #a +b",
    "MODE ana +i",
    "AWAY :out",
    "AWAY",
    "PING x",
    "INVITE bob #a",
    "KICK #a bob",
    "LUSERS",
    "USERHOST ana bob",
    "ISON ana bob",
    "JOIN 0",
];

fn talk(rng: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = Vec::new();
    for client in 0..3 {
        let nick = ["ana", "bob", "eve"][usize::from(client)];
        bytes.extend([client]);
        bytes.extend(format!("NICK {nick}\n").bytes());
        bytes.extend([client]);
        bytes.extend(b"USER u 0 * :r\n");
    }
    for _ in 0..rng.usize(1..30) {
        // A line's end is no client's number.
        bytes.push(match rng.u8(..) {
            b'\n' => 7,
            other => other,
        });
        bytes.extend(WORDS[rng.usize(0..WORDS.len())].bytes());
        bytes.push(b'\n');
    }
    bytes
}

#[test]
fn the_lines_of_irc() {
    let make = |rng: &mut fastrand::Rng| WORDS[rng.usize(0..WORDS.len())].as_bytes().to_vec();
    let case = |rng: &mut fastrand::Rng, seeds: &[Vec<u8>]| mutate::case(rng, seeds, make);
    fuzz("irc_line", 30_000, case, irc_line);
}

#[test]
fn the_irc_server() {
    let case = |rng: &mut fastrand::Rng, seeds: &[Vec<u8>]| match rng.bool() {
        true => talk(rng),
        false => mutate::case(rng, seeds, talk),
    };
    fuzz("irc_server", 3_000, case, irc_server);
}
