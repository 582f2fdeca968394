//! The user's side, driven by events and bytes, with plain data in the node's place.

use std::net::SocketAddr;
use std::time::Duration;

use papo::limits::TEXT_BYTES_MAX;
use papo::node::{Command, Departure, Event, Now, Phase, Time};
use papo::ui::{DriverStatus, Listening, Mode, Replay, Room, Ui, UiConfig};
use papo::wire::{Address, ChatMessage, Claim, Draft, Id, Key, Member, Position};
use serde_json::{Value, json};

/// Timestamps below 100 are of messages that were said before this node joined.
const OLD_UNTIL: Position = Position(100, 0, 0);
const ME: Key = Key(0x11);

/// A node of which only what the user's side reads is there.
#[derive(Default)]
struct Fake {
    joined: bool,
    blocked: bool,
    members: Vec<Member>,
    history: Vec<ChatMessage>,
}

impl Room for Fake {
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
    fn newest(&self, count: usize, until: Option<Position>) -> Vec<ChatMessage> {
        let old = |m: &&ChatMessage| until.is_none_or(|until| m.position() <= until);
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
        notices: true,
        stay: false,
        wait_members: 0,
        timeout: Duration::from_secs(10),
        history_max: 100,
    }
}

fn at(ms: u64) -> Now {
    Now {
        time: Time(ms * 1_000),
        wall_ms: 1_700_000_000_000 + ms,
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
        let listening = Listening {
            tcp: vec!["10.0.0.2:4000".into()],
            group: "239.255.112.97:28783".into(),
            room: "lobby".into(),
            nick: "me".into(),
            key: ME,
        };
        bench.ui.on_listening(bench.now, &listening);
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
        self.event(Event::Joined {
            again: false,
            old_until: OLD_UNTIL,
        });
    }

    fn event(&mut self, event: Event) {
        self.ui.on_event(self.now, event, &self.node);
    }

    fn heard(&mut self, message: ChatMessage) {
        let own = message.origin() == ME;
        let messages = vec![message];
        self.event(Event::Messages { messages, own });
    }

    fn left(&mut self, unconfirmed: u64, missing: Vec<Member>) {
        self.event(Event::Left {
            confirmed: unconfirmed == 0,
            unconfirmed,
            missing,
        });
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
                Command::Say(lines) => commands.extend(lines.iter().map(|line| say(line))),
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
    Command::Say(vec![text.into()])
}

fn leave(ms: u64) -> Command {
    let patience = Duration::from_millis(ms);
    Command::Leave { patience }
}

mod in_a_pipe {
    use super::*;

    #[test]
    fn lines_are_said_and_the_end_leaves() {
        let mut bench = Bench::text();
        bench.type_in("hello\n/quit\n\n");
        assert_eq!(bench.polled(), []);
        bench.join(&[]);
        bench.type_in("rest");
        assert_eq!(bench.polled(), [say("hello"), say("/quit"), say("")]);
        bench.end_input();
        assert_eq!(bench.polled(), [say("rest"), leave(10_000)]);
        assert_eq!(bench.ui.exit_status(), None);
        bench.left(0, vec![]);
        assert_eq!(bench.ui.exit_status(), Some(0));
    }

    #[test]
    fn lines_wait_while_the_node_wants_none() {
        let mut bench = Bench::text();
        bench.join(&[]);
        bench.node.blocked = true;
        bench.type_in("a\n");
        bench.end_input();
        assert_eq!(bench.polled(), []);
        bench.node.blocked = false;
        assert_eq!(bench.polled(), [say("a"), leave(10_000)]);
    }

    #[test]
    fn an_empty_input_joins_before_it_leaves() {
        let mut bench = Bench::text();
        bench.end_input();
        assert_eq!(bench.polled(), []);
        bench.join(&[]);
        assert_eq!(bench.polled(), [leave(10_000)]);
    }

    #[test]
    fn stay_stays() {
        let mut bench = Bench::new(UiConfig {
            stay: true,
            ..config(Mode::Text)
        });
        bench.join(&[]);
        bench.type_in("a\n");
        bench.end_input();
        assert_eq!(bench.polled(), [say("a")]);
        bench.stop(false);
        assert_eq!(bench.polled(), [leave(10_000)]);
    }

    #[test]
    fn messages_of_others_are_on_stdout_and_all_else_on_stderr() {
        let mut bench = Bench::text();
        bench.join(&["ana", "ana"]);
        bench.heard(message(1, "ana", 1, "hi\x1b[2J\t!"));
        bench.heard(message(2, "me", 1, "mine"));
        bench.event(Event::MemberJoined(member(7, Key(7), "eve")));
        bench.event(Event::MemberLeft(member(7, Key(7), "eve"), Departure::Lost));
        bench.event(Event::MemberRenamed {
            member: member(7, Key(7), "eva"),
            previous: "eve".into(),
        });
        bench.event(Event::Coordinator {
            id: 1,
            key: Key(1),
            previous: None,
            own: false,
        });
        bench.event(Event::Election {
            phase: Phase::Started,
            reason: "ana#1 was lost".into(),
        });
        bench.event(Event::Warning("low\x07".into()));
        assert_eq!(bench.stdout(), "<ana> hi^[[2J\t!\n");
        let expected = "\
            papo: in room lobby as me#2 with ana#1, ana#3; 0 messages in the history\n\
            papo: eve#7 joined\n\
            papo: eve#7 was lost\n\
            papo: eve is called eva#7 now\n\
            papo: ana#1 is the coordinator now\n\
            papo: election started: ana#1 was lost\n\
            papo: low^G\n";
        assert_eq!(bench.stderr(), expected);
    }

    #[test]
    fn a_script_hears_only_of_what_goes_wrong() {
        let mut bench = Bench::new(UiConfig {
            notices: false,
            ..config(Mode::Text)
        });
        bench.join(&["ana"]);
        bench.event(Event::MemberJoined(member(7, Key(7), "eve")));
        bench.event(Event::Warning("low".into()));
        assert_eq!(bench.stderr(), "papo: low\n");
    }

    #[test]
    fn changed_lines_are_said_once_and_summed() {
        let mut bench = Bench::text();
        bench.join(&[]);
        bench.stderr();
        bench.ui.on_input(bench.now, b"a\xff\n");
        assert_eq!(bench.stderr().lines().count(), 1);
        bench.ui.on_input(bench.now, b"b\xff\n");
        assert_eq!(bench.stderr(), "");
        bench.end_input();
        assert!(bench.stderr().contains("in all, 2 invalid byte sequences"));
        assert_eq!(bench.polled()[0], say("a\u{fffd}"));
    }

    #[test]
    fn input_is_left_alone_while_much_of_it_waits() {
        let mut bench = Bench::text();
        assert!(bench.ui.wants_input(&bench.node));
        bench.type_in(&"x\n".repeat(20_000));
        assert!(!bench.ui.wants_input(&bench.node));
        bench.join(&[]);
        assert_eq!(bench.polled().len(), 20_000);
        assert!(bench.ui.wants_input(&bench.node));
        bench.end_input();
        assert!(!bench.ui.wants_input(&bench.node));
    }

    #[test]
    fn lines_that_nobody_reads_are_counted() {
        let mut bench = Bench::text();
        bench.join(&[]);
        bench.stderr();
        for seq in 1..=1_003 {
            bench.heard(message(1, "ana", seq, "x"));
        }
        assert_eq!(bench.stdout().lines().count(), 1_000);
        assert_eq!(
            bench.stderr(),
            "papo: 3 lines skipped: nobody read the output\n"
        );
    }

    #[test]
    fn replay_comes_before_what_is_new() {
        let mut bench = Bench::new(UiConfig {
            replay: Replay::Last(2),
            ..config(Mode::Text)
        });
        let old: Vec<_> = (1..4)
            .map(|seq| message(1, "ana", seq, &format!("old {seq}")))
            .collect();
        for message in &old {
            bench.heard(message.clone());
        }
        assert_eq!(bench.stdout(), "");
        bench.node.history = old;
        bench.node.history.push(message(1, "ana", 104, "new"));
        bench.join(&[]);
        bench.heard(message(1, "ana", 104, "new"));
        assert_eq!(bench.stdout(), "<ana> old 2\n<ana> old 3\n<ana> new\n");
        bench.event(Event::Joined {
            again: true,
            old_until: OLD_UNTIL,
        });
        assert_eq!(bench.stdout(), "");
    }
}

mod waiting_for_members {
    use super::*;

    fn bench(mode: Mode) -> Bench {
        let mut bench = Bench::new(UiConfig {
            wait_members: 2,
            timeout: Duration::from_secs(1),
            ..config(mode)
        });
        bench.type_in("a\nb\n");
        bench.end_input();
        bench
    }

    #[test]
    fn lines_are_held_until_enough_are_there() {
        let mut bench = bench(Mode::Text);
        bench.join(&["ana"]);
        assert_eq!(bench.polled(), []);
        bench.wait(900);
        bench.node.members.push(member(9, Key(9), "eve"));
        assert_eq!(bench.polled(), [say("a"), say("b"), leave(1_000)]);
        assert_eq!(bench.ui.next_deadline(), None);
        bench.left(0, vec![]);
        assert_eq!(bench.ui.exit_status(), Some(0));
    }

    #[test]
    fn once_there_were_enough_they_are_not_held_again() {
        let mut bench = Bench::new(UiConfig {
            wait_members: 2,
            timeout: Duration::from_secs(1),
            ..config(Mode::Text)
        });
        bench.type_in("a\n");
        bench.join(&["ana", "ben"]);
        assert_eq!(bench.poll(), Some(say("a")));
        bench.node.members.truncate(1);
        bench.wait(2_000);
        bench.type_in("b\n");
        assert_eq!(bench.poll(), Some(say("b")));
    }

    #[test]
    fn too_few_in_time_is_a_failure() {
        let mut bench = bench(Mode::Json);
        bench.join(&["ana"]);
        bench.stdout();
        bench.wait(1_000);
        assert_eq!(bench.polled(), [leave(1_000)]);
        bench.left(0, vec![]);
        assert_eq!(bench.ui.exit_status(), Some(1));
        let events = bench.events();
        assert_eq!(events[0]["event"], "warning");
        assert_eq!(events[1]["event"], "left");
        assert_eq!(events[1]["confirmed"], false);
        let stderr = bench.stderr();
        assert!(stderr.contains("--wait-members 2: only 1 other member came within 1 s"));
        assert!(stderr.contains("2 lines not sent"));
    }

    #[test]
    fn the_terminal_and_the_listener_do_not_wait() {
        let listener = UiConfig {
            reads_stdin: false,
            wait_members: 2,
            ..config(Mode::Text)
        };
        let terminal = UiConfig {
            wait_members: 2,
            ..config(Mode::Interactive)
        };
        for config in [listener, terminal] {
            let mut bench = Bench::new(config);
            bench.join(&[]);
            assert_eq!(bench.ui.next_deadline(), None);
            bench.wait(20_000);
            assert_eq!(bench.polled(), []);
        }
    }
}

mod leaving {
    use super::*;

    #[test]
    fn what_is_not_confirmed_is_said_with_names() {
        let mut bench = Bench::text();
        bench.join(&["ana", "ben"]);
        bench.stderr();
        bench.stop(false);
        assert_eq!(bench.polled(), [leave(10_000)]);
        bench.left(3, vec![member(3, Key(3), "ana"), member(5, Key(5), "ben")]);
        assert_eq!(bench.ui.exit_status(), Some(1));
        assert_eq!(
            bench.stderr(),
            "papo: 3 messages not confirmed by ana#3, ben#5\n"
        );
    }

    #[test]
    fn lines_already_read_are_said_first() {
        let mut bench = Bench::text();
        bench.join(&[]);
        bench.type_in("a\nb\nhalf");
        bench.stop(false);
        assert!(!bench.ui.wants_input(&bench.node));
        bench.type_in("late\n");
        assert_eq!(bench.polled(), [say("a"), say("b"), leave(10_000)]);
        assert!(bench.stderr().contains("without its end"));
    }

    #[test]
    fn lines_that_cannot_go_in_time_are_counted() {
        let mut bench = Bench::text();
        bench.join(&[]);
        bench.type_in("a\nb\n");
        bench.node.blocked = true;
        bench.stop(false);
        assert_eq!(bench.polled(), []);
        bench.wait(10_000);
        assert_eq!(bench.polled(), [leave(0)]);
        bench.left(0, vec![]);
        assert_eq!(bench.ui.exit_status(), Some(1));
        assert!(bench.stderr().contains("papo: 2 lines not sent\n"));
    }

    #[test]
    fn who_stops_before_joining_leaves_at_once() {
        let mut bench = Bench::text();
        bench.stop(false);
        assert_eq!(bench.polled(), [leave(10_000)]);
        bench.left(0, vec![]);
        assert_eq!(bench.ui.exit_status(), Some(0));
    }

    #[test]
    fn without_a_reader_nothing_more_is_printed() {
        let mut bench = Bench::json();
        bench.join(&[]);
        bench.stop(true);
        bench.heard(message(1, "ana", 1, "x"));
        assert_eq!(bench.polled(), [leave(10_000)]);
        bench.left(0, vec![]);
        assert_eq!(bench.stdout() + &bench.stderr(), "");
        assert_eq!(bench.ui.exit_status(), Some(0));
    }

    #[test]
    fn left_is_the_last_line() {
        let mut bench = Bench::json();
        bench.join(&[]);
        bench.stop(false);
        bench.polled();
        bench.left(0, vec![]);
        bench.ui.warn(bench.now, "late");
        let events = bench.events();
        assert_eq!(events.last().unwrap()["event"], "left");
    }
}

mod send_and_listen {
    use super::*;

    #[test]
    fn send_says_its_text_and_leaves() {
        let mut bench = Bench::new(UiConfig {
            lines: Some(vec!["/quit it".into()]),
            commands: true,
            ..config(Mode::Text)
        });
        assert!(!bench.ui.wants_input(&bench.node));
        bench.join(&["ana"]);
        assert_eq!(bench.polled(), [say("/quit it"), leave(10_000)]);
    }

    #[test]
    fn a_text_of_several_lines_or_too_long_is_several_messages() {
        let long = "x".repeat(TEXT_BYTES_MAX + 1);
        let mut bench = Bench::new(UiConfig {
            lines: Some(vec![format!("a\nb\n{long}"), String::new()]),
            ..config(Mode::Text)
        });
        assert!(bench.stderr().contains("several messages"));
        bench.join(&[]);
        let said = bench.polled();
        assert_eq!(said.len(), 6);
        assert_eq!(said[..2], [say("a"), say("b")]);
        assert_eq!(said[3..], [say("x"), say(""), leave(10_000)]);
    }

    #[test]
    fn listen_reads_nothing_and_stays() {
        let mut bench = Bench::new(UiConfig {
            reads_stdin: false,
            ..config(Mode::Text)
        });
        assert!(!bench.ui.wants_input(&bench.node));
        bench.join(&[]);
        bench.type_in("x\n");
        bench.end_input();
        assert_eq!(bench.polled(), []);
    }
}

mod commands {
    use super::*;

    #[test]
    fn commands_are_for_the_node_or_answered() {
        let mut bench = Bench::joined(Mode::Text);
        bench.type_in("/nick you\n/elect\n/msg ana hi you\n//x\n/quit\nunsaid\n");
        let to = Key(1);
        let text = "hi you".into();
        let expected = [
            Command::Rename("you".into()),
            Command::Elect,
            Command::Private { to, text },
            say("/x"),
            leave(10_000),
        ];
        assert_eq!(bench.polled(), expected);
        bench.left(0, vec![]);
        assert_eq!(bench.ui.exit_status(), Some(0));
        assert_eq!(bench.stdout() + &bench.stderr(), "");
    }

    #[test]
    fn answers_in_words_are_on_stdout() {
        let mut bench = Bench::joined(Mode::Text);
        bench.node.history = vec![message(1, "ana", 1, "one"), message(2, "me", 1, "two")];
        bench.type_in("/members\n");
        assert_eq!(bench.polled(), []);
        assert_eq!(
            bench.stdout(),
            "me#2 10.0.0.2:4000 you\nana#1 10.0.0.1:4000 coordinator\nben#3 10.0.0.3:4000\n"
        );
        bench.type_in("/history\n/history 1\n");
        bench.polled();
        assert_eq!(bench.stdout(), "<ana> one\n<me> two\n<me> two\n");
        bench.type_in("/status\n/help\n");
        bench.polled();
        let out = bench.stdout();
        for part in ["room: lobby\n", "uptime_ms: 1234\n", "links: 3\n", "/quit"] {
            assert!(out.contains(part), "{part}");
        }
    }

    #[test]
    fn mistakes_are_explained() {
        let mut bench = Bench::joined(Mode::Json);
        bench.type_in("/hepl\n/msg zoe hi\n");
        assert_eq!(bench.polled(), []);
        let events = bench.events();
        assert_eq!(events[0]["event"], "error");
        assert!(events[0]["text"].as_str().unwrap().contains("/help?"));
        assert!(events[1]["text"].as_str().unwrap().contains("zoe"));
        assert!(bench.stderr().contains("papo: /hepl is no command"));
    }

    #[test]
    fn commands_keep_their_place_among_the_lines() {
        let mut bench = Bench::new(UiConfig {
            commands: true,
            ..config(Mode::Text)
        });
        bench.type_in("/status\n/members\n/status\n");
        assert_eq!(bench.polled(), []);
        assert!(bench.stdout().starts_with("room: lobby\nid: none yet\n"));
        bench.join(&[]);
        bench.polled();
        let out = bench.stdout();
        assert!(out.starts_with("me#2") && out.contains("id: 2\n"));
    }

    #[test]
    fn a_command_that_is_too_long_is_refused_and_its_rest_is_not_said() {
        let mut bench = Bench::joined(Mode::Text);
        let secret = "s".repeat(2 * TEXT_BYTES_MAX);
        bench.type_in(&format!("/msg ana {secret}\nnext\n"));
        assert_eq!(bench.polled(), [say("next")]);
        assert!(bench.stderr().contains("too long"));
        let middle = format!("{}/quit\n", "x".repeat(TEXT_BYTES_MAX));
        bench.type_in(&middle);
        assert_eq!(bench.polled()[1..], [say("/quit")]);
    }

    #[test]
    fn answers_wait_until_somebody_reads_them() {
        let mut bench = Bench::joined(Mode::Json);
        bench.node.history = vec![message(1, "ana", 1, &"x".repeat(TEXT_BYTES_MAX)); 100];
        bench.type_in("/history\n/history\nsay\n");
        assert_eq!(bench.polled(), []);
        assert_eq!(bench.events().len(), 1);
        assert_eq!(bench.polled(), [say("say")]);
        assert_eq!(bench.events().len(), 1);
    }
}

mod in_json {
    use super::*;

    #[test]
    fn every_line_begins_with_event_and_at() {
        let mut bench = Bench::new(config(Mode::Json));
        bench.join(&["ana"]);
        bench.heard(message(1, "ana", 7, "hi"));
        let out = bench.stdout();
        let starts = [
            "{\"event\":\"listening\",\"at\":\"2023-11-14T22:13:20.000Z\",\"version\":",
            "{\"event\":\"joined\",\"at\":\"2023-11-14T22:13:20.000Z\",\"id\":2,",
            "{\"event\":\"message\",\"at\":\"2023-11-14T22:13:20.000Z\",\"id\":\"0000000000000001-7\",",
        ];
        for (line, start) in out.lines().zip(starts) {
            assert!(line.starts_with(start), "{line}");
        }
        assert_eq!(out.lines().count(), starts.len());
    }

    #[test]
    fn listening_and_joined_say_all() {
        let mut bench = Bench::new(config(Mode::Json));
        bench.wait(1_500);
        bench.join(&["ana"]);
        let at = "2023-11-14T22:13:20.000Z";
        let events = bench.events();
        let listening = json!({"event": "listening", "at": at, "version": env!("CARGO_PKG_VERSION"),
            "schema": 1, "tcp": ["10.0.0.2:4000"], "group": "239.255.112.97:28783",
            "room": "lobby", "nick": "me", "key": "0000000000000011"});
        assert_eq!(events[0], listening);
        let at = "2023-11-14T22:13:21.500Z";
        let members = json!([
            {"id": 2, "nick": "me", "key": "0000000000000011", "address": "10.0.0.2:4000"},
            {"id": 1, "nick": "ana", "key": "0000000000000001", "address": "10.0.0.1:4000"}]);
        let joined = json!({"event": "joined", "at": at, "id": 2, "coordinator": 1,
            "members": members, "history": 0, "again": false});
        assert_eq!(events[1], joined);
    }

    #[test]
    fn messages_keep_their_text_but_no_control_reaches_a_terminal() {
        let mut bench = Bench::json();
        bench.join(&[]);
        bench.stdout();
        let text = "é\"\\\x1b\u{9b}\u{202e}\x7f\u{e0041}\u{1f389}\t";
        bench.heard(message(1, "ana", 7, text));
        bench.heard(message(2, "me", 1, "mine"));
        let out = bench.stdout();
        assert!(
            !out.trim_end_matches('\n')
                .replace('\n', "")
                .contains(char::is_control)
        );
        assert!(out.contains("é") && out.contains("\u{1f389}") && out.contains("\\u202e"));
        let events: Vec<Value> = out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let expected = json!({"event": "message", "at": "2023-11-14T22:13:20.000Z",
            "id": "0000000000000001-7", "from": 1, "nick": "ana", "key": "0000000000000001",
            "seq": 7, "text": text, "sent_at": "2023-11-14T22:13:20.123Z", "own": false,
            "replay": false, "private": false});
        assert_eq!(events[0], expected);
        assert_eq!(
            (&events[1]["own"], &events[1]["text"]),
            (&json!(true), &json!("mine"))
        );
    }

    #[test]
    fn replayed_and_private_messages_are_marked() {
        let mut bench = Bench::new(UiConfig {
            replay: Replay::All,
            ..config(Mode::Json)
        });
        bench.node.history = vec![message(1, "ana", 1, "old"), message(2, "me", 1, "own")];
        bench.join(&[]);
        bench.event(Event::Private {
            from: 1,
            key: Key(1),
            nick: "ana".into(),
            sent_at: u64::MAX,
            text: "psst".into(),
            own: false,
        });
        let events = bench.events().split_off(2);
        let flags = |e: &Value| [&e["own"], &e["replay"], &e["private"]].map(|v| v == true);
        assert_eq!(flags(&events[0]), [false, true, false]);
        assert_eq!(flags(&events[1]), [true, true, false]);
        assert_eq!(flags(&events[2]), [false, false, true]);
        assert_eq!(events[2]["id"], Value::Null);
        assert_eq!(events[2]["sent_at"], "9999-12-30T22:00:00.999Z");
    }

    #[test]
    fn what_happens_to_the_group_is_told() {
        let mut bench = Bench::json();
        let eve = || member(7, Key(7), "eve");
        let previous = "eva".to_owned();
        bench.event(Event::MemberJoined(eve()));
        bench.event(Event::MemberLeft(eve(), Departure::Left));
        bench.event(Event::MemberLeft(eve(), Departure::Lost));
        let member = eve();
        bench.event(Event::MemberRenamed { member, previous });
        bench.event(Event::Election {
            phase: Phase::Won,
            reason: "r".into(),
        });
        bench.event(Event::Coordinator {
            id: 7,
            key: Key(7),
            previous: Some(1),
            own: false,
        });
        bench.event(Event::Delivered {
            first: 3,
            last: 3,
            members: 2,
            confirmed: 1,
        });
        bench.event(Event::Warning("w".into()));
        let key = "0000000000000007";
        let at = "2023-11-14T22:13:20.000Z";
        let expected = [
            json!({"event": "member_joined", "at": at, "id": 7, "nick": "eve", "key": key}),
            json!({"event": "member_left", "at": at, "id": 7, "nick": "eve", "key": key, "reason": "left"}),
            json!({"event": "member_left", "at": at, "id": 7, "nick": "eve", "key": key, "reason": "lost"}),
            json!({"event": "member_renamed", "at": at, "id": 7, "nick": "eve", "key": key, "previous": "eva"}),
            json!({"event": "election", "at": at, "phase": "won", "reason": "r"}),
            json!({"event": "coordinator", "at": at, "id": 7, "key": key, "previous": 1, "own": false}),
            json!({"event": "delivered", "at": at, "id": "0000000000000011-3", "members": 2, "confirmed": 1}),
            json!({"event": "warning", "at": at, "text": "w"}),
        ];
        assert_eq!(bench.events(), expected);
    }

    #[test]
    fn commands_have_answers_as_events() {
        let mut bench = Bench::joined(Mode::Json);
        bench.node.history = vec![message(1, "ana", 1, "one"), message(1, "ana", 2, "two")];
        bench.type_in("/history 1\n/members\n/status\n/help\n");
        assert_eq!(bench.polled(), []);
        let events = bench.events();
        let at = "2023-11-14T22:13:20.000Z";
        let two = json!({"id": "0000000000000001-2", "from": 1, "nick": "ana",
            "key": "0000000000000001", "seq": 2, "text": "two",
            "sent_at": "2023-11-14T22:13:20.123Z"});
        let history = json!({"event": "history", "at": at, "count": 2,
            "digest": "0000000000000abc", "messages": [two]});
        assert_eq!(events[0], history);
        assert_eq!(events[1]["coordinator"], 1);
        assert_eq!(events[1]["members"].as_array().unwrap().len(), 3);
        let status = json!({"event": "status", "at": at, "id": 2, "key": "0000000000000011",
            "room": "lobby", "coordinator": 1, "members": 3, "history": 2,
            "digest": "0000000000000abc", "queued_bytes": 9, "uptime_ms": 1234, "links": 3});
        assert_eq!(events[2], status);
        assert_eq!(events[3]["event"], "help");
    }
}

mod in_a_terminal {
    use super::*;

    #[test]
    fn people_with_one_nick_are_told_apart() {
        let mut bench = Bench::new(config(Mode::Interactive));
        bench.join(&["ana", "ana", "ben"]);
        bench.stdout();
        bench.heard(message(1, "ana", 1, "a\tb"));
        bench.heard(message(4, "ben", 1, "c"));
        assert_eq!(bench.stdout(), "<ana#1> a    b\n<ben> c\n");
    }

    #[test]
    fn notices_stand_between_the_messages() {
        let mut bench = Bench::new(config(Mode::Interactive));
        bench.join(&[]);
        bench.stdout();
        bench.heard(message(1, "ana", 1, "a"));
        bench.event(Event::MemberJoined(member(7, Key(7), "eve")));
        bench.heard(message(1, "ana", 2, "b"));
        assert_eq!(bench.stdout(), "<ana> a\n-- eve#7 joined\n<ana> b\n");
        assert_eq!(bench.stderr(), "");
    }
}
