//! Tests of the program itself: real processes that talk to each other over 127.0.0.1, driven and
//! observed only through what a user has: the command line, pipes, signals and the JSON events.
//!
//! `PAPO_TEST_VERBOSE=1` makes the nodes log all that they do; the log is printed when a test fails.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run against real clocks and take real random addresses"
)]

#[path = "../harness/mod.rs"]
mod harness;
#[path = "../locked/speaker.rs"]
#[allow(dead_code, reason = "each test binary uses a part of it")]
mod speaker;

mod chaos;
mod commands;
mod completing;
mod config;
mod deadline;
mod descriptors;
mod doctor;
mod exits;
mod failover;
mod floods;
mod histories;
mod identity;
mod joining;
mod keys;
mod listening;
mod manual;
mod output;
mod pipes;
mod rooms;
mod sandbox;
mod secrets;
mod streams;
mod texts;
mod tours;
mod tracing;
