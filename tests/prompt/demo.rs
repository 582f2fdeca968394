//! A room of real processes in a terminal: `papo demo`.

use std::process::Command;

use crate::harness::{Signal, scratch_dir};
use crate::is_ignored;
use crate::terminal::{Setup, Terminal};

/// A row of the screen with all of these words.
fn has_row(terminal: &Terminal, words: &[&str]) -> bool {
    let screen = terminal.screen();
    let mut rows = screen.lines();
    rows.any(|row| words.iter().all(|word| row.contains(word)))
}

#[test]
fn real_processes_are_killed_frozen_and_added_before_ones_eyes() {
    let dir = scratch_dir();
    let svg = dir.join("demo.svg");
    let trace = dir.join("demo.trace");
    let mut command = Command::new(env!("CARGO_BIN_EXE_papo"));
    command.args(["demo", "--nodes", "3", "--svg"]).arg(&svg);
    command.arg("--trace").arg(&trace);
    let temporary = dir.to_str().expect("a path");
    let setup = Setup {
        cols: 120,
        rows: 50,
        env: &[("TMPDIR", temporary)],
        ..Setup::default()
    };
    let mut demo = Terminal::running(&command, &setup);
    demo.wait("all three in the room", |t| {
        has_row(t, &["ana#1", "coordinator", "itself", " 3 "])
            && has_row(t, &["caio#3", "member", "ana#1", " 3 "])
    });
    demo.keys("2s");
    demo.wait("what bob says", |t| has_row(t, &["caio#3", "hello 1"]));
    demo.keys("1k");
    demo.wait("a new coordinator", |t| {
        has_row(t, &["ana#1", "gone"])
            && has_row(t, &["caio#3", "coordinator", "itself"])
            && has_row(t, &["bob#2", "member", "caio#3"])
            && has_row(t, &["caio#3 ──COORDINATOR_ANNOUNCEMENT─▶ bob#2"])
    });
    demo.keys("+");
    demo.shows("does not obey");
    demo.keys("2c3");
    demo.wait("a cut", |t| {
        has_row(t, &["cut: bob#2 and caio#3"])
            && has_row(t, &["bob#2", "up", "coordinator", "itself", " 1 "])
            && has_row(t, &["caio#3", "up", "coordinator", "itself", " 1 "])
    });
    demo.keys("h");
    demo.wait("one room again", |t| {
        has_row(t, &["nobody is cut off"]) && has_row(t, &["bob#2", "member", "caio#3", " 2 "])
    });
    demo.keys("a");
    demo.wait("one that came late", |t| {
        has_row(t, &["dora#4", "member", "caio#3"])
    });
    demo.keys("3f");
    demo.wait("a freeze", |t| {
        has_row(t, &["caio#3", "frozen"]) && has_row(t, &["dora#4", "coordinator", "itself"])
    });
    demo.keys("t");
    demo.wait("a thaw", |t| {
        has_row(t, &["caio#3", "up", "member", "dora#4"])
    });
    demo.keys("2fq");
    assert!(demo.exit().success());
    assert!(demo.is_restored());
    let drawn = std::fs::read_to_string(&svg).expect("a picture");
    assert!(
        drawn.contains("won by caio#3") && drawn.contains("bob#2 is cut from caio#3"),
        "the election and the cut are in the picture"
    );
    let told = Command::new(env!("CARGO_BIN_EXE_papo"))
        .arg("trace")
        .arg(&trace)
        .output();
    let told = told.expect("papo runs");
    let said = String::from_utf8_lossy(&told.stdout);
    assert!(
        told.status.success() && said.contains("4 nodes"),
        "{told:?}"
    );
    let left = std::fs::read_dir(&*dir).expect("a directory");
    let left: Vec<_> = left.filter_map(Result::ok).map(|e| e.file_name()).collect();
    assert!(
        left.iter()
            .all(|name| !name.to_string_lossy().starts_with("papo-demo-")),
        "{left:?}"
    );
}

#[test]
fn signals_end_a_demo_as_q_does_with_the_terminal_restored() {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        if signal == Signal::HUP && is_ignored(signal) {
            eprintln!("no SIGHUP: these tests run under nohup, which papo inherits");
            continue;
        }
        let dir = scratch_dir();
        let svg = dir.join("demo.svg");
        let mut command = Command::new(env!("CARGO_BIN_EXE_papo"));
        command.args(["demo", "--simulated", "--svg"]).arg(&svg);
        let mut demo = Terminal::running(&command, &Setup::default());
        demo.shows("ana#1");
        assert!(!demo.is_restored());
        demo.signal(signal);
        assert_eq!(demo.exit().code(), Some(0), "{signal:?}");
        assert!(demo.is_restored(), "{signal:?}");
        demo.shows("the picture: ");
        assert!(!demo.screen().contains("ana#1"), "{signal:?}");
        assert!(svg.exists(), "{signal:?}");
    }
}
