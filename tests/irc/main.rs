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
mod programs;
mod talking;
#[path = "../prompt/terminal.rs"]
mod terminal;
mod tracing;
