//! `papo irc` with real clients: programs that speak IRC, and irssi and weechat in a pseudo-terminal; with real
//! papos in the rooms.
#![cfg(target_os = "linux")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run against real clocks and take real random addresses"
)]
#![allow(
    dead_code,
    unused_imports,
    reason = "the harness is shared with other tests"
)]

mod client;
mod doors;
#[path = "../harness/mod.rs"]
mod harness;
mod hostile;
#[path = "../nets/lab.rs"]
mod lab;
mod locked;
mod programs;
#[path = "../nets/shell.rs"]
mod shell;
mod splits;
mod talking;
#[path = "../prompt/terminal.rs"]
mod terminal;
mod tracing;

/// Prints a line whether or not the test passes.
pub fn tell(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{line}");
}
