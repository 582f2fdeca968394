//! Runs real `papo` processes for tests, and tells what they did.
//!
//! A test takes a [`Permit`] (alone, if it measures time), opens a [`Room`] of its own on 127.0.0.1,
//! starts [`Node`]s in it and waits for their events. Every line that a node prints with `--json` is
//! checked against the contract as it arrives, so each test is also a test of the events. When a
//! test fails, the last events and the standard error of each of its nodes are printed; whatever
//! happens, no process outlives its `Node`.
//!
//! What lives where: `gate` limits how many tests run at once, `room` names addresses and makes
//! command lines, `process` owns the children and their pipes, `inbox` keeps what they print,
//! `schema` is the contract of the events, `agree` compares nodes, `typing` keeps them talking, `small_disk` is one that
//! is soon full.
#![allow(
    dead_code,
    unused_imports,
    reason = "each test binary uses a part of the harness"
)]

mod agree;
mod gate;
mod inbox;
mod process;
mod room;
mod schema;
mod small_disk;
mod typing;

pub use agree::{Said, agree, said_by, talk_in_turn};
pub use gate::{Permit, alone, shared};
pub use inbox::Inbox;
pub use process::{Launch, Node, Signal};
pub use room::{
    Room, Scratch, mode, readme_has, readme_screen, readme_snippet, scratch_dir, write_secret,
};
pub use small_disk::{inside, with_small_disk};
pub use typing::Typing;

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::{Duration, Instant};

/// For waits that are no measurement: longer than a busy machine needs, shorter than a test run.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Milliseconds, for short lines in tests.
pub const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A generator that the system seeds.
pub fn random() -> fastrand::Rng {
    fastrand::Rng::with_seed(RandomState::new().build_hasher().finish())
}

/// Lets the processes run. Only where there is no event to wait for.
pub fn let_pass(time: Duration) {
    std::thread::sleep(time);
}

/// Looks again and again, for what makes no event: the contents of a file.
#[track_caller]
pub fn eventually(what: &str, within: Duration, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + within;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}: not within {within:?}");
        let_pass(ms(20));
    }
}

/// A process that refused to start said why in one line that names `word`; no panic, no back-trace.
#[track_caller]
pub fn one_line_that_names(node: &Node, word: &str) {
    let stderr = node.stderr();
    assert!(stderr.contains(word), "{word:?} is not in: {stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}

/// The middle one, the higher of two.
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
