//! The hot path, case by case: what one message costs from a line to frames, and from a frame to a
//! line. Runs a case so many times, or counts its instructions under callgrind.

use std::hint::black_box;
use std::process::{Command, ExitCode};
use std::rc::Rc;
use std::time::Duration;

use papo::limits::FRAME_BYTES_MAX;
use papo::node::{self, Effect, Input};
use papo::ui::{DriverStatus, Mode, Notices, Replay, Ui, UiConfig};
use papo::wire::{ChatMessage, FrameReader, Message, decode_message, encode_frame};

use super::material::{PEER, Room, batch, frames, message, per_batch};

/// A case: prepares for so many messages and returns what is to be measured.
type Case = fn(u64) -> Box<dyn FnOnce()>;

/// All cases, each with what it does for one message.
const CASES: &[(&str, &str, Case)] = &[
    ("encode-one", "a message of its own to a frame", |count| {
        let messages = batch(1, count);
        Box::new(move || {
            for m in messages {
                let _ = black_box(encode_frame(&Message::Chat(vec![m])));
            }
        })
    }),
    (
        "encode-batch",
        "one of a full frame's messages to bytes",
        |count| {
            let message = Message::Chat(batch(1, per_batch()));
            Box::new(move || {
                for _ in 0..count / per_batch() {
                    let _ = black_box(encode_frame(&message));
                }
            })
        },
    ),
    (
        "decode-one",
        "a frame with one message to a message",
        |count| {
            let frame = frames(1, 1).remove(0);
            Box::new(move || {
                for _ in 0..count {
                    let _ = black_box(decode_message(&frame[4..]));
                }
            })
        },
    ),
    (
        "decode-batch",
        "one of a full frame's messages from bytes",
        |count| {
            let frame = frames(per_batch(), per_batch()).remove(0);
            Box::new(move || {
                for _ in 0..count / per_batch() {
                    let _ = black_box(decode_message(&frame[4..]));
                }
            })
        },
    ),
    (
        "say-one",
        "a line to a frame for all, a turn of the loop each",
        |count| Box::new(move || say(count, 1)),
    ),
    (
        "say-batch",
        "a line to a frame for all, many in a turn",
        |count| Box::new(move || say(count, per_batch())),
    ),
    (
        "take-in-one",
        "a frame to the history and an event, a turn of the loop each",
        |count| {
            let frames = frames(count, 1);
            Box::new(move || take_in(&frames))
        },
    ),
    (
        "take-in-batch",
        "the same, a full frame in a turn",
        |count| {
            let frames = frames(count, per_batch());
            Box::new(move || take_in(&frames))
        },
    ),
    ("cut-lines", "bytes of stdin to a command", |count| {
        let line = format!("{}\n", "x".repeat(super::material::TEXT_BYTES));
        let block = line.repeat(160);
        let room = Room::new(1_000);
        Box::new(move || {
            let mut ui = ui();
            for _ in 0..count / 160 {
                ui.on_input(room.now(), block.as_bytes());
                while let Some(command) =
                    ui.poll_command(room.now(), &room.node, DriverStatus::default())
                {
                    black_box(command);
                }
            }
        })
    }),
    ("print-one", "an event to a line of stdout", |count| {
        let message = message(PEER, 1);
        Box::new(move || print(count, &[message]))
    }),
    (
        "print-batch",
        "one of an event's messages to a line",
        |count| {
            let messages = batch(1, per_batch());
            Box::new(move || print(count, &messages))
        },
    ),
];

/// A pipe's user side.
fn ui() -> Ui {
    Ui::new(UiConfig {
        mode: Mode::Text,
        replay: Replay::Last(0),
        commands: false,
        lines: None,
        reads_stdin: true,
        notices: Notices::Never,
        notify: papo::ui::Notify::Mention,
        stay: true,
        wait_members: 0,
        timeout: Duration::from_secs(10),
        history_max: 100_000,
        wanted: papo::ui::Wanted::default(),
        runs: false,
        timestamps: false,
        confirms_printed: false,
    })
}

/// Prints so many messages, these at a time.
fn print(count: u64, messages: &[ChatMessage]) {
    let room = Room::new(1_000);
    let (mut ui, mut out) = (ui(), Vec::new());
    let joined = node::Event::Joined { again: false };
    ui.on_event(room.now(), joined, &room.node);
    let mut printed = 0;
    for _ in 0..count / messages.len() as u64 {
        let event = node::Event::Messages {
            messages: messages.to_vec(),
            own: false,
            arrival: node::Arrival::Live,
        };
        ui.on_event(room.now(), event, &room.node);
        loop {
            ui.fill_stdout(&mut out, FRAME_BYTES_MAX);
            if out.is_empty() {
                break;
            }
            printed += out.len();
            ui.on_written(out.len() as u64);
            out.clear();
        }
    }
    assert!(printed > 0, "nothing was printed");
}

fn say(count: u64, per_turn: u64) {
    let mut room = Room::new(200_000);
    let text = "x".repeat(super::material::TEXT_BYTES);
    for _ in 0..count / per_turn {
        let lines = (0..per_turn).map(|_| &text).collect();
        room.feed(Input::Command(node::Command::Say(lines)));
        room.end_turn();
        for effect in room.out.drain(..) {
            if let Effect::Send { message, .. } = effect {
                let _ = black_box(encode_frame(&message));
            }
        }
    }
}

fn take_in(frames: &[Rc<[u8]>]) {
    let mut room = Room::new(200_000);
    let mut reader = FrameReader::new();
    for bytes in frames {
        reader.push(bytes);
        while let Some(Ok(frame)) = reader.next_frame() {
            if let Ok(message) = decode_message(frame) {
                room.receive(message);
            }
        }
        room.end_turn();
        black_box(&room.out);
        room.out.clear();
    }
    assert!(!room.node.history().is_empty(), "nothing was taken in");
}

/// Runs a case for about `count` messages.
pub fn run(case: &str, count: u64) -> ExitCode {
    let Some((_, _, prepare)) = CASES.iter().find(|c| c.0 == case) else {
        let names: Vec<&str> = CASES.iter().map(|c| c.0).collect();
        eprintln!("no case '{case}': there are {}", names.join(", "));
        return ExitCode::FAILURE;
    };
    measured(prepare(count));
    ExitCode::SUCCESS
}

/// What callgrind counts: its instructions, and those of what it calls.
#[inline(never)]
fn measured(case: Box<dyn FnOnce()>) {
    case();
    // Kept from being the last call, which may become a jump that callgrind does not see return.
    black_box(());
}

/// Counts each case's instructions for two numbers of messages: the difference is what a message
/// costs once everything is warm.
pub fn count_instructions() -> ExitCode {
    let (few, many) = (per_batch() * 40, per_batch() * 80);
    println!(
        "instructions a message of {} bytes",
        super::material::TEXT_BYTES
    );
    for (case, what, _) in CASES {
        let counts = [few, many].map(|count| instructions(case, count));
        match counts {
            [Ok(few_count), Ok(many_count)] => {
                let each = many_count.saturating_sub(few_count) as f64 / (many - few) as f64;
                println!("{case:<14} {each:>8.0}  {what}");
            }
            [Err(e), _] | [_, Err(e)] => {
                eprintln!("{case}: {e}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

fn instructions(case: &str, count: u64) -> Result<u64, String> {
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args(["--toggle-collect=*hot*measured*", "--"])
        .arg(program)
        .args(["--hot", case, &count.to_string()])
        .output()
        .map_err(|e| format!("valgrind: {e}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    let count = text.lines().find_map(|line| {
        let (_, count) = line.split_once("Collected : ")?;
        count.trim().parse().ok()
    });
    count.ok_or_else(|| format!("callgrind counted nothing: {text}"))
}
