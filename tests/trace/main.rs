//! Traces and what is made of them: the lessons and their pictures, files that are damaged or hostile, the page in a
//! browser, and how large and how fast all of that is.
//!
//! `PAPO_DRAW=1` draws the pictures that are kept anew: look at them before they are committed.
#![allow(
    clippy::disallowed_methods,
    reason = "a test may say how long something took"
)]

mod browser;
mod clocks;
mod files;
mod lessons;
mod shiviz;
mod sizes;

use std::path::PathBuf;
use std::process::{Command, Output};

/// A file of this test's own, in a directory that is there.
fn scratch(name: &str) -> PathBuf {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("trace");
    std::fs::create_dir_all(&dir).expect("a directory");
    dir.join(name)
}

fn papo(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_papo"));
    command.args(args).env_clear().env("HOME", scratch(""));
    command.output().expect("papo runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// The trace of a lesson, in a file.
fn lesson_trace(name: &str, file: &str) -> PathBuf {
    let lesson = papo::demo::LESSONS.iter().find(|l| l.name == name);
    let given = papo::demo::give(lesson.expect("a lesson"), 1).expect("a lesson");
    let path = scratch(file);
    std::fs::write(&path, given.trace).expect("a disk with room");
    path
}
