//! The server without sockets and nodes: what clients are told when rooms tell something.

use std::time::Duration;

use super::*;
use crate::limits::{
    IRC_NODE_DESCRIPTORS, IRC_OTHER_DESCRIPTORS, MISSED_OF_ONE_SAID_MAX, WARNINGS_OF_ONE_SAID_MAX,
};
use crate::node::{Arrival, Departure, Event, Lack, Time};
use crate::timing::LEFT_OUT_SAID;
use crate::ui::RoomState;
use crate::wire::made::{member, message};
use crate::wire::{ChatMessage, Claim, Id, Member};

const GATHERS: Duration = Duration::from_millis(500);

#[path = "bounds_test.rs"]
mod bounds;
#[path = "splits_test.rs"]
mod splits;

/// A room with these members, of whom the first one coordinates.
struct Room(Vec<Member>, Vec<ChatMessage>);

impl RoomState for Room {
    fn is_joined(&self) -> bool {
        true
    }
    fn wants_lines(&self) -> bool {
        true
    }
    fn key(&self) -> Key {
        Key(100)
    }
    fn id(&self) -> Option<Id> {
        Some(9)
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
        self.1.len()
    }
    fn digest(&self) -> u64 {
        0
    }
    fn newest(&self, _: usize) -> Vec<ChatMessage> {
        self.1.clone()
    }
    fn newest_that(&self, fits: &dyn Fn(&ChatMessage) -> bool) -> Option<ChatMessage> {
        self.1.iter().rev().find(|m| fits(m)).cloned()
    }
    fn old(&self, _: usize) -> Vec<ChatMessage> {
        self.1.clone()
    }
    fn counters(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }
}

/// A server, and what it asked of rooms.
struct World {
    server: Server,
    now: Now,
    asked: Vec<Request>,
    next_key: u64,
}

impl World {
    fn new() -> World {
        let now = Now {
            time: Time(0),
            wall_ms: 1_000_000,
        };
        let settings = Settings {
            name: "irc.papo".to_owned(),
            password: None,
            room: None,
            secrets: BTreeSet::from(["board".to_owned()]),
            linger: Duration::ZERO,
            gathers: GATHERS,
            gathers_after_coordinator: Duration::from_secs(3),
        };
        World {
            server: Server::new(settings, now),
            now,
            asked: Vec::new(),
            next_key: 100,
        }
    }

    /// A client that has registered.
    fn client(&mut self, n: u64, caps: &str) -> Conn {
        let conn = Conn(n);
        self.server.on_connected(self.now, conn, "here");
        self.says(
            conn,
            &format!("CAP REQ :{caps}\nNICK n{n}\nUSER u 0 * :Real\nCAP END"),
        );
        self.hears(conn);
        conn
    }

    fn says(&mut self, conn: Conn, lines: &str) {
        self.server
            .on_bytes(self.now, conn, format!("{lines}\r\n").as_bytes());
        let mut round = self.server.round(self.now);
        loop {
            let is_over = !self.server.step(self.now, &mut round);
            self.answer();
            if is_over {
                return;
            }
        }
    }

    fn answer(&mut self) {
        while let Some(request) = self.server.next_request() {
            if let Request::Open { seat, .. } = request {
                self.server.on_opened(self.now, seat, Key(self.next_key));
                self.next_key += 1;
            }
            self.asked.push(request);
        }
    }

    /// What a client was told since it was last asked.
    fn hears(&mut self, conn: Conn) -> Vec<String> {
        self.server.end_turn(self.now);
        let bytes = self.server.unsent(conn).to_vec();
        self.server.on_sent(conn, bytes.len());
        let text = String::from_utf8(bytes).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn pass(&mut self, time: Duration) {
        self.now.time = self.now.time + time;
    }

    fn event(&mut self, seat: u64, event: Event, room: &Room) {
        self.server.on_event(self.now, SeatId(seat), event, room);
        self.answer();
    }

    fn opened(&self) -> Vec<u64> {
        let opened = self.asked.iter().filter_map(|r| match r {
            Request::Open { seat, .. } => Some(seat.0),
            _ => None,
        });
        opened.collect()
    }
}

fn joined() -> Event {
    Event::Joined { again: false }
}

fn live(messages: &[ChatMessage]) -> Event {
    Event::Messages {
        messages: messages.to_vec(),
        own: false,
        arrival: Arrival::Live,
    }
}

#[test]
fn one_node_looks_for_the_room_and_the_others_follow_it() {
    let mut world = World::new();
    let (a, b) = (world.client(1, "batch"), world.client(2, "batch"));
    world.says(a, "JOIN #x");
    world.says(b, "JOIN #x\nPRIVMSG #x :before I am in");
    assert_eq!(world.opened(), [1]);
    assert!(
        world
            .hears(a)
            .iter()
            .any(|l| l.ends_with("PRIVMSG #x :before I am in"))
    );
    world.event(1, joined(), &Room(vec![member(100, "n1")], Vec::new()));
    assert_eq!(world.opened(), [1, 2]);
    let said = Request::Say {
        seat: SeatId(2),
        text: "before I am in".to_owned(),
    };
    assert_eq!(
        world.asked.last(),
        Some(&said),
        "it is said once the node is there"
    );
}

#[test]
fn a_new_room_waits_for_the_nodes_that_leave_the_old_one() {
    let mut world = World::new();
    let a = world.client(1, "batch");
    world.says(a, "JOIN #x\nTOPIC #x :old\nPART #x\nJOIN #x\nTOPIC #x");
    assert_eq!(world.opened(), [1]);
    assert!(
        world.hears(a).iter().any(|l| l.contains(" 331 ")),
        "nothing of the old one is left"
    );
    world.server.on_closed(world.now, SeatId(1), "left");
    world.answer();
    assert_eq!(world.opened(), [1, 2]);
}

#[test]
fn who_comes_back_is_shown_what_was_said_meanwhile_and_nothing_twice() {
    let mut world = World::new();
    let a = world.client(1, "batch server-time");
    let others = || vec![member(5, "ana"), member(100, "n1")];
    let texts = |lines: &[String]| {
        let said = lines.iter().filter_map(|l| l.split_once(" PRIVMSG #x :"));
        said.map(|(_, text)| text.to_owned()).collect::<Vec<_>>()
    };
    let before = message(5, 1, 70, "before");
    world.says(a, "JOIN #x");
    world.event(1, joined(), &Room(others(), vec![before.clone()]));
    let live_one = message(5, 2, 71, "heard");
    let room = Room(others(), Vec::new());
    world.event(1, live(std::slice::from_ref(&live_one)), &room);
    assert_eq!(texts(&world.hears(a)), ["before", "heard"]);
    world.says(a, "PART #x\nJOIN #x");
    world.server.on_closed(world.now, SeatId(1), "it has left");
    world.answer();
    let missed = message(5, 3, 72, "meanwhile");
    let room = Room(others(), vec![before, live_one, missed]);
    world.event(2, joined(), &room);
    assert_eq!(texts(&world.hears(a)), ["meanwhile"]);
}

#[test]
fn a_flood_of_lost_lines_is_a_few_notices_and_a_sum() {
    let mut world = World::new();
    let a = world.client(1, "batch");
    world.says(a, "JOIN #x");
    let room = Room(vec![member(5, "ana"), member(100, "n1")], Vec::new());
    world.event(1, joined(), &room);
    world.hears(a);
    let lost = |first| Event::Missed {
        key: Key(5),
        nick: "ana".into(),
        first,
        last: first,
        lack: Lack::Unfound,
    };
    for first in 1..=1_000 {
        world.event(1, lost(2 * first), &room);
        world.event(
            1,
            Event::Warning(format!("the room is odd: {first}")),
            &room,
        );
    }
    let notices = |lines: &[String], of: &str| lines.iter().filter(|l| l.contains(of)).count();
    let lines = world.hears(a);
    let most = MISSED_OF_ONE_SAID_MAX as usize;
    assert_eq!(
        notices(&lines, "#x: 1 lines of ana are lost"),
        most,
        "{lines:?}"
    );
    assert_eq!(
        notices(&lines, "the room is odd"),
        WARNINGS_OF_ONE_SAID_MAX as usize
    );
    let due = world.now.time + LEFT_OUT_SAID;
    assert!(world.server.next_deadline().is_some_and(|at| at <= due));
    world.pass(LEFT_OUT_SAID);
    let lines = world.hears(a);
    let rest = format!(
        "{} more warnings of missed lines were left out",
        1_000 - most
    );
    assert_eq!(notices(&lines, &rest), 1, "{lines:?}");
}

#[test]
fn what_two_nodes_tell_is_shown_once() {
    let mut world = World::new();
    let (a, b) = (world.client(1, "message-tags"), world.client(2, "batch"));
    world.says(a, "JOIN #x");
    world.says(b, "JOIN #x");
    let room = Room(
        vec![member(5, "ana"), member(100, "n1"), member(101, "n2")],
        Vec::new(),
    );
    world.event(1, joined(), &room);
    world.event(2, joined(), &room);
    let came = |lines: &[String]| {
        lines
            .iter()
            .filter(|l| l.contains("ana!papo@papo JOIN #x"))
            .count()
    };
    assert_eq!(came(&world.hears(a)), 1);
    assert_eq!(came(&world.hears(b)), 1);
    let said = [
        message(5, 1, 70, "hello"),
        message(100, 1, 71, "my own"),
        message(101, 1, 72, "its own"),
    ];
    world.event(1, live(&said), &room);
    world.event(2, live(&said), &room);
    let lines = world.hears(a);
    let texts: Vec<_> = lines.iter().filter(|l| l.contains("PRIVMSG")).collect();
    assert_eq!(texts.len(), 1, "{lines:?}");
    assert!(texts[0].starts_with("@msgid=0000000000000005-1 :ana!papo@papo PRIVMSG #x :hello"));
    assert_eq!(
        world
            .hears(b)
            .iter()
            .filter(|l| l.contains("PRIVMSG"))
            .count(),
        1
    );
    // It is gone when the last one has lost it.
    world.event(
        1,
        Event::MemberLeft(member(5, "ana"), Departure::Lost),
        &room,
    );
    assert_eq!(world.hears(b), Vec::<String>::new());
    world.event(
        2,
        Event::MemberLeft(member(5, "ana"), Departure::Lost),
        &room,
    );
    world.pass(Duration::from_secs(3));
    assert!(world.hears(b)[0].contains("ana!papo@papo QUIT :connection lost"));
}

#[test]
fn the_operator_is_who_coordinates_once_that_lasts() {
    let mut world = World::new();
    let a = world.client(1, "batch");
    world.says(a, "JOIN #x");
    assert!(
        world
            .hears(a)
            .iter()
            .any(|l| l.ends_with("353 n1 = #x :@n1"))
    );
    let room = Room(vec![member(5, "ana"), member(100, "n1")], Vec::new());
    world.event(1, joined(), &room);
    assert!(
        world
            .hears(a)
            .iter()
            .any(|l| l.ends_with("MODE #x -o+o n1 ana"))
    );
    let own = Event::Coordinator {
        id: 100,
        key: Key(100),
        previous: None,
        own: true,
    };
    let other = Event::Coordinator {
        id: 5,
        key: Key(5),
        previous: None,
        own: false,
    };
    // A round of an election that another one takes back.
    world.event(1, own.clone(), &room);
    world.event(1, other, &room);
    world.pass(Duration::from_secs(2));
    assert_eq!(world.hears(a), Vec::<String>::new());
    world.event(1, own, &room);
    assert_eq!(world.hears(a), Vec::<String>::new());
    world.pass(Duration::from_secs(2));
    assert!(world.hears(a)[0].ends_with("MODE #x -o+o ana n1"));
}

#[test]
fn a_nick_that_two_have_is_told_apart() {
    let mut world = World::new();
    let a = world.client(1, "batch");
    world.says(a, "JOIN #x");
    let room = Room(
        vec![
            member(5, "n1"),
            member(6, "ana"),
            member(7, "ana"),
            member(8, "a b"),
        ],
        Vec::new(),
    );
    world.event(1, joined(), &room);
    let lines = world.hears(a);
    for nick in ["n1|5", "ana", "ana|7", "a^20^b"] {
        assert!(
            lines.iter().any(|l| l.starts_with(&format!(":{nick}!"))),
            "{nick}: {lines:?}"
        );
    }
    world.says(a, "PRIVMSG ana|7 :you\nNICK Ana\nPRIVMSG nobody :x");
    let to = Request::Private {
        seat: SeatId(1),
        to: Key(7),
        text: "you".to_owned(),
    };
    assert_eq!(world.asked.last(), Some(&to));
    let lines = world.hears(a);
    assert!(
        lines[0].contains(" 433 n1 Ana ") && lines[1].contains(" 401 n1 nobody "),
        "{lines:?}"
    );
}

#[test]
fn the_past_comes_with_its_times_and_its_topic() {
    let mut world = World::new();
    let (a, b) = (
        world.client(1, "server-time batch"),
        world.client(2, "batch"),
    );
    world.says(a, "JOIN #x");
    let old = vec![
        message(5, 1, 70, "long ago"),
        message(5, 2, 71, "\u{1}TOPIC lunch\u{1}"),
    ];
    let room = Room(vec![member(5, "ana"), member(100, "n1")], old.clone());
    world.event(1, joined(), &room);
    let lines = world.hears(a);
    let at = lines
        .iter()
        .position(|l| l.ends_with("chathistory #x"))
        .unwrap();
    assert!(lines[at + 1].starts_with(
        "@time=1970-01-01T00:00:00.000Z;batch=b1 :ana!papo@papo PRIVMSG #x :long ago"
    ));
    assert!(lines[at + 2].ends_with("BATCH -b1"));
    assert!(lines.iter().any(|l| l.ends_with("332 n1 #x :lunch")));
    world.says(b, "JOIN #x");
    assert!(
        world.hears(b).iter().all(|l| !l.contains("long ago")),
        "it could not see that it is old"
    );
    world.event(1, live(&old), &room);
    assert_eq!(
        world.hears(b),
        Vec::<String>::new(),
        "a repeat is not shown"
    );
}

#[test]
fn a_line_has_one_answer_with_its_label() {
    let mut world = World::new();
    let a = world.client(
        1,
        "batch labeled-response echo-message message-tags draft/multiline",
    );
    world.says(a, "@label=1 JOIN #x");
    let lines = world.hears(a);
    assert!(
        lines[0].starts_with("@label=1 ") && lines[0].ends_with("labeled-response"),
        "{lines:?}"
    );
    assert!(
        lines[1..lines.len() - 1]
            .iter()
            .all(|l| l.starts_with("@batch="))
    );
    world.says(
        a,
        "@label=2 PONG x\n@label=3 PING y\n@label=4 PRIVMSG n1 :me",
    );
    let lines = world.hears(a);
    assert!(lines[0].starts_with("@label=2 :irc.papo ACK"));
    assert!(lines[1].starts_with("@label=3 :irc.papo PONG"));
    assert_eq!(lines.iter().filter(|l| l.contains("label=4")).count(), 1);
    world.says(a, "@label=5 BATCH +7 draft/multiline #x\n@batch=7 PRIVMSG #x :one\n@batch=7;draft/multiline-concat PRIVMSG #x : and more\n@batch=7 PRIVMSG #x :two\nBATCH -7");
    let lines = world.hears(a);
    assert!(
        lines[0].starts_with("@label=5;msgid=") && lines[0].ends_with("draft/multiline #x"),
        "{lines:?}"
    );
    let said = world.asked.iter().filter_map(|r| match r {
        Request::Say { text, .. } => Some(text.as_str()),
        _ => None,
    });
    assert_eq!(said.collect::<Vec<_>>(), ["one and more", "two"]);
}

#[test]
fn a_key_is_the_name_of_a_secret() {
    let mut world = World::new();
    let a = world.client(1, "batch");
    world.says(a, "JOIN #x hunter2\nJOIN #y board");
    let lines = world.hears(a);
    assert!(lines[0].contains(" 475 n1 #x "), "{lines:?}");
    assert!(
        !lines.concat().contains("hunter2"),
        "what was taken for a secret is not repeated"
    );
    assert!(
        matches!(&world.asked[0], Request::Open { secret: Some(name), room, .. } if name == "board" && room == "y")
    );
    world
        .server
        .on_closed(world.now, SeatId(1), "the room is locked");
    let lines = world.hears(a);
    assert!(
        lines
            .iter()
            .any(|l| l.contains("PART #y :the room is locked")),
        "{lines:?}"
    );
}

#[test]
fn a_flood_waits_and_nothing_of_it_is_dropped() {
    let mut world = World::new();
    let a = world.client(1, "echo-message");
    world.says(a, "JOIN #x");
    world.event(1, joined(), &Room(vec![member(100, "n1")], Vec::new()));
    world.hears(a);
    let (mut sent, mut heard, mut turns) = (0, 0, 0);
    while heard < 5_000 {
        let mut lines = String::new();
        while sent < 5_000 && world.server.wants_bytes(a) && lines.len() < 8_000 {
            lines += &format!("PRIVMSG #x :line {sent}\n");
            sent += 1;
        }
        world.says(a, lines.trim_end());
        for line in world.hears(a).iter().filter(|l| l.contains("PRIVMSG")) {
            assert!(line.ends_with(&format!(":line {heard}")));
            heard += 1;
        }
        world.pass(Duration::from_millis(20));
        turns += 1;
    }
    assert!(turns > 200, "{turns} turns");
}
