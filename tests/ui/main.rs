//! The user's side, driven by events and bytes, with plain data in the node's place.

mod commands;
mod deadline;
mod in_a_pipe;
mod in_a_terminal;
mod in_json;
mod leaving;
mod many_lines;
mod send_and_listen;
mod waiting_for_members;

use std::net::SocketAddr;
use std::time::Duration;

use papo::identity::{Fingerprint, Peer};
use papo::limits::{OUTPUT_KEPT_BYTES_MAX, TEXT_BYTES_MAX};
use papo::node::{Arrival, Command, Departure, Event, Lack, Now, Phase, Time};
use papo::ui::{DriverStatus, Fate, Listening, Mode, Notices, Replay, RoomState, Ui, UiConfig};
use papo::wire::{Address, ChatMessage, Claim, Draft, Id, Key, Member, Position};
use serde_json::{Value, json};

/// Timestamps below 100 are of messages that were said before this node joined.
const OLD_UNTIL: Position = Position::new(100, Key(0), 0);
const ME: Key = Key(0x11);

/// A node of which only what the user's side reads is there.
#[derive(Default)]
struct Fake {
    joined: bool,
    blocked: bool,
    members: Vec<Member>,
    history: Vec<ChatMessage>,
}

impl RoomState for Fake {
    fn is_joined(&self) -> bool {
        self.joined
    }
    fn wants_lines(&self) -> bool {
        self.joined && !self.blocked
    }
    fn key(&self) -> Key {
        ME
    }
    fn id(&self) -> Option<Id> {
        self.joined.then_some(2)
    }
    fn coordinator(&self) -> Option<Claim> {
        let claim = Claim { id: 1, key: Key(1) };
        self.joined.then_some(claim)
    }
    fn members(&self) -> &[Member] {
        &self.members
    }
    fn history_len(&self) -> usize {
        self.history.len()
    }
    fn digest(&self) -> u64 {
        0xabc
    }
    fn newest(&self, count: usize) -> Vec<ChatMessage> {
        self.history[self.history.len().saturating_sub(count)..].to_vec()
    }
    fn newest_that(&self, fits: &dyn Fn(&ChatMessage) -> bool) -> Option<ChatMessage> {
        self.history.iter().rev().find(|m| fits(m)).cloned()
    }
    fn old(&self, count: usize) -> Vec<ChatMessage> {
        let old = |m: &&ChatMessage| m.position() <= OLD_UNTIL;
        let old: Vec<_> = self.history.iter().filter(old).cloned().collect();
        old[old.len().saturating_sub(count)..].to_vec()
    }
    fn counters(&self) -> Vec<(&'static str, u64)> {
        vec![("links", 3)]
    }
}

fn member(id: Id, key: Key, nick: &str) -> Member {
    Member {
        id,
        key,
        nick: nick.into(),
        addresses: vec![Address(SocketAddr::from(([10, 0, 0, id as u8], 4000)))],
    }
}

fn message(from: Id, nick: &str, seq: u64, text: &str) -> ChatMessage {
    ChatMessage::new(&Draft {
        origin: if nick == "me" { ME } else { Key(from) },
        seq,
        timestamp: seq,
        sent_at: 1_700_000_000_123,
        from,
        nick: nick.into(),
        dependencies: vec![].into(),
        text: text.into(),
    })
    .expect("a valid message")
}

fn config(mode: Mode) -> UiConfig {
    UiConfig {
        mode,
        replay: Replay::Last(0),
        commands: false,
        lines: None,
        reads_stdin: true,
        notices: Notices::All,
        notify: papo::ui::Notify::Mention,
        stay: false,
        wait_members: 0,
        timeout: Duration::from_secs(10),
        history_max: 100,
        wanted: papo::ui::Wanted::default(),
        runs: false,
        timestamps: false,
        confirms_printed: false,
    }
}

fn at(ms: u64) -> Now {
    Now {
        time: Time(ms * 1_000),
        wall_ms: 1_700_000_000_000 + ms,
    }
}

fn listening() -> Listening {
    Listening {
        tcp: vec!["10.0.0.2:4000".into()],
        group: "239.255.112.97:28783".into(),
        room: "lobby".into(),
        nick: "me".into(),
        key: ME,
    }
}

/// A user's side and its node.
struct Bench {
    ui: Ui,
    node: Fake,
    now: Now,
}

impl Bench {
    fn new(config: UiConfig) -> Bench {
        let mut bench = Bench {
            ui: Ui::new(config),
            node: Fake::default(),
            now: at(0),
        };
        bench.ui.on_listening(bench.now, &listening());
        bench
    }

    fn text() -> Bench {
        Bench::new(config(Mode::Text))
    }

    fn json() -> Bench {
        let mut bench = Bench::new(config(Mode::Json));
        bench.stdout();
        bench
    }

    /// With commands, and in the room with ana (coordinator) and ben.
    fn joined(mode: Mode) -> Bench {
        let commands = true;
        let mut bench = Bench::new(UiConfig {
            commands,
            ..config(mode)
        });
        bench.join(&["ana", "ben"]);
        bench.stdout();
        bench.stderr();
        bench
    }

    fn join(&mut self, others: &[&str]) {
        self.node.joined = true;
        self.node.members = vec![member(2, ME, "me")];
        for (id, nick) in [1, 3, 4, 5].into_iter().zip(others) {
            self.node.members.push(member(id, Key(id), nick));
        }
        self.event(Event::Joined { again: false });
    }

    /// A link has proven whose node the one with this key is.
    fn met(&mut self, key: u64, owner: Option<Fingerprint>) {
        let key = Key(key);
        self.ui.on_met(self.now, Peer { key, owner }, &self.node);
    }

    fn event(&mut self, event: Event) {
        self.ui.on_event(self.now, event, &self.node);
    }

    fn heard(&mut self, message: ChatMessage) {
        self.arrived(Arrival::Live, &[message]);
    }

    fn arrived(&mut self, arrival: Arrival, messages: &[ChatMessage]) {
        let own = messages.iter().all(|m| m.origin() == ME);
        let messages = messages.to_vec();
        self.event(Event::Messages {
            messages,
            own,
            arrival,
        });
    }

    fn left(&mut self, unconfirmed: u64, missing: Vec<Member>) {
        self.event(Event::Left {
            confirmed: unconfirmed == 0,
            unconfirmed,
            missing,
            missed: Vec::new(),
            lost: Vec::new(),
        });
    }

    /// Messages of bia, who is no member any more, were given up.
    fn missed(&mut self, first: u64, last: u64) {
        self.event(Event::Missed {
            key: Key(0xb1a),
            nick: "bia".into(),
            first,
            last,
            lack: Lack::Unfound,
        });
    }

    /// Left, with everything confirmed except what these missed.
    fn left_missed(&mut self, missed: Vec<(Member, u64)>) {
        self.event(Event::Left {
            confirmed: true,
            unconfirmed: 0,
            missing: Vec::new(),
            missed,
            lost: Vec::new(),
        });
    }

    fn fates(&mut self) -> Vec<Fate> {
        std::iter::from_fn(|| self.ui.next_fate()).collect()
    }

    fn type_in(&mut self, bytes: &str) {
        self.ui.on_input(self.now, bytes.as_bytes());
    }

    fn end_input(&mut self) {
        self.ui.on_input_end(self.now);
    }

    fn stop(&mut self, quiet: bool) {
        self.ui.on_stop(self.now, quiet);
    }

    /// Moves the time on, as the driver does: first what is due, then the rest.
    fn wait(&mut self, ms: u64) {
        self.now = at(self.now.time.0 / 1_000 + ms);
        if self.ui.next_deadline().is_some_and(|t| t <= self.now.time) {
            self.ui.on_deadline(self.now);
            assert!(self.ui.next_deadline().is_none_or(|t| t > self.now.time));
        }
    }

    fn poll(&mut self) -> Option<Command> {
        let status = DriverStatus {
            queued_bytes: 9,
            uptime: Duration::from_millis(1_234),
        };
        self.ui.poll_command(self.now, &self.node, status)
    }

    /// All that is wanted, each line on its own.
    fn polled(&mut self) -> Vec<Command> {
        let mut commands = Vec::new();
        while let Some(command) = self.poll() {
            match command {
                Command::Say(lines) => commands.extend(lines.iter().map(say)),
                other => commands.push(other),
            }
        }
        commands
    }

    fn stdout(&mut self) -> String {
        let mut out = Vec::new();
        self.ui.fill_stdout(&mut out, usize::MAX);
        String::from_utf8(out).unwrap()
    }

    fn stderr(&mut self) -> String {
        let mut out = Vec::new();
        self.ui.fill_stderr(&mut out, usize::MAX);
        String::from_utf8(out).unwrap()
    }

    fn events(&mut self) -> Vec<Value> {
        let out = self.stdout();
        out.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

fn say(text: &str) -> Command {
    Command::Say([text].into_iter().collect())
}

fn leave(ms: u64) -> Command {
    let patience = Duration::from_millis(ms);
    Command::Leave { patience }
}
