//! The prompt as a part of the user's side, with a real node behind it that is alone in its room.

use std::time::Duration;

use jiff::tz::TimeZone;
use papo::node::{Command, Config, Effect, Input, Node, Now, Outbox, Time, Timer};
use papo::ui::{DriverStatus, Listening, Mode, Notices, Replay, ScreenFacts, Ui, UiConfig};
use papo::wire::Key;

use crate::tty::{ME, WALL_MS, show};

struct Whole {
    ui: Ui,
    node: Node,
    emulator: vt100::Parser,
    now: Now,
    timers: Vec<(Time, Timer)>,
}

impl Whole {
    fn new() -> Whole {
        let now = Now {
            time: Time(0),
            wall_ms: WALL_MS,
        };
        let config = Config {
            room: "lobby".into(),
            nick: "me".into(),
            key: ME,
            port: 4_000,
            addresses: Vec::new(),
            heartbeat: Duration::from_millis(250),
            failure_timeout: Duration::from_secs(1),
            history_max: 100,
            peers: Vec::new(),
            wants_history: true,
            confirms_printed: false,
            unstable_bytes_max: papo::limits::UNSTABLE_BYTES_MAX,
            unstored_bytes_max: papo::limits::UNSTORED_BYTES_MAX,
            waiting_max: papo::limits::WAITING_MAX,
            weakened: None,
        };
        let mut whole = Whole {
            ui: Ui::new(ui_config()),
            node: Node::new(config, fastrand::Rng::with_seed(1)),
            emulator: crate::tty::plain_emulator(100, 24),
            now,
            timers: Vec::new(),
        };
        let listening = listening(ME);
        whole.ui.on_listening(now, &listening);
        let screen = ScreenFacts {
            cols: 100,
            rows: 24,
            color: true,
            abilities: papo::ui::terminal::Abilities::default(),
            zone: TimeZone::UTC,
        };
        whole.ui.open_terminal(now, screen, &listening);
        whole.turn(|node, now, out| node.start(now, out));
        whole
    }

    fn turn(&mut self, act: impl FnOnce(&mut Node, Now, &mut Outbox)) {
        let mut out = Outbox::new();
        act(&mut self.node, self.now, &mut out);
        self.carry_out(out);
        let status = DriverStatus::default();
        while let Some(command) = self.ui.poll_command(self.now, &self.node, status) {
            let mut out = Outbox::new();
            let input = Input::Command(command);
            self.node.handle(self.now, input, &mut out);
            self.carry_out(out);
        }
        let mut bytes = Vec::new();
        self.ui.fill_stdout(&mut bytes, 64 * 1024);
        self.emulator.process(&bytes);
    }

    fn carry_out(&mut self, mut out: Outbox) {
        self.node.end_turn(self.now, &mut out);
        for effect in out {
            match effect {
                Effect::Show(event) => self.ui.on_event(self.now, event, &self.node),
                Effect::SetTimer { timer, at } => {
                    self.timers.retain(|(_, t)| *t != timer);
                    self.timers.push((at, timer));
                }
                Effect::CancelTimer(timer) => self.timers.retain(|(_, t)| *t != timer),
                _ => {}
            }
        }
    }

    /// Fires timers until the room is joined.
    fn join(&mut self) {
        while !self.node.is_joined() {
            self.timers.sort_unstable();
            let (at, timer) = self.timers.remove(0);
            self.now.time = self.now.time.max(at);
            self.turn(|node, now, out| node.handle(now, Input::Timer(timer), out));
        }
    }

    fn keys(&mut self, keys: &str) {
        self.ui.on_input(self.now, keys.as_bytes());
        self.turn(|_, _, _| {});
    }

    fn rows(&self) -> Vec<String> {
        show(self.emulator.screen())
    }
}

fn ui_config() -> UiConfig {
    UiConfig {
        notices: Notices::Never,
        mode: Mode::Interactive,
        replay: Replay::Last(20),
        commands: true,
        lines: None,
        reads_stdin: true,
        notify: papo::ui::Notify::Mention,
        stay: false,
        wait_members: 0,
        timeout: Duration::from_secs(1),
        history_max: 100,
        wanted: papo::ui::Wanted::default(),
        runs: false,
        timestamps: false,
        confirms_printed: false,
    }
}

fn listening(key: Key) -> Listening {
    Listening {
        tcp: vec!["10.0.0.1:4000".into()],
        group: "239.255.112.97:28783".into(),
        room: "lobby".into(),
        nick: "me".into(),
        key,
    }
}

#[test]
fn lines_commands_and_pastes_reach_the_node_and_leaving_gives_the_terminal_back() {
    let mut whole = Whole::new();
    assert_eq!(whole.rows(), ["looking for the room …", "[lobby] me>"]);
    whole.keys("early\rhalf");
    whole.join();
    let rows = whole.rows();
    assert!(
        rows[0].contains("· in lobby as me#1; here: nobody else; you coordinate"),
        "{rows:#?}"
    );
    assert!(rows.contains(&"14:13 «me» early".to_owned()), "{rows:#?}");
    assert_eq!(rows.last().unwrap(), "[lobby] me> half");

    whole.keys("\x15/nick you\r");
    assert_eq!(whole.rows().last().unwrap(), "[lobby] you>");
    whole.keys("//x\r/nonsense\r\x1b[200~/quit\n//y\x1b[201~\r");
    let rows = whole.rows();
    let end = &rows[rows.len() - 5..];
    assert_eq!(end[0], "14:13 «you» /x");
    assert!(
        end[1].starts_with("14:13 ! unknown command \"/nonsense\""),
        "{end:#?}"
    );
    assert_eq!(
        end[2..],
        ["14:13 «you» /quit", "14:13 «you» //y", "[lobby] you>"]
    );

    assert!(whole.ui.has_prompt() && whole.emulator.screen().bracketed_paste());
    whole.keys("\x1a");
    assert!(whole.ui.wants_stop() && !whole.emulator.screen().bracketed_paste());
    whole.ui.on_resume(100, 24);
    whole.turn(|_, _, _| {});
    assert!(whole.ui.has_prompt() && whole.emulator.screen().bracketed_paste());
    assert!(whole.ui.log(whole.now, "logged"));

    whole.keys("\x03");
    assert!(!whole.ui.has_prompt() && !whole.emulator.screen().bracketed_paste());
    assert_eq!(whole.rows().last().unwrap(), "14:13 · logged");
    assert_eq!(whole.ui.exit_status(), Some(0));
}

#[test]
fn the_first_command_may_be_to_leave() {
    let mut whole = Whole::new();
    whole.keys("/quit\r");
    assert!(!whole.ui.has_prompt());
    let status = DriverStatus::default();
    let command = whole.ui.poll_command(whole.now, &whole.node, status);
    assert!(!matches!(command, Some(Command::Say(_))));
    assert!(!whole.emulator.screen().bracketed_paste());
}
