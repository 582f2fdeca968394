//! Locked rooms, and strangers in open ones: real processes, and a test that listens to all that they
//! send, repeats it, and speaks the protocol itself.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run against real clocks and take real random addresses"
)]

#[path = "harness/mod.rs"]
mod harness;

#[path = "locked/capture.rs"]
mod capture;
#[path = "locked/ends.rs"]
mod ends;
#[path = "wire/examples.rs"]
#[allow(dead_code, reason = "each test binary uses a part of it")]
mod examples;
#[path = "locked/forgers.rs"]
mod forgers;
#[path = "locked/lies.rs"]
mod lies;
#[path = "locked/mallory.rs"]
mod mallory;
#[path = "locked/numbers.rs"]
mod numbers;
#[path = "locked/place.rs"]
mod place;
#[path = "wire/raw.rs"]
#[allow(dead_code, reason = "each test binary uses a part of it")]
mod raw;
#[path = "locked/requests.rs"]
mod requests;
#[path = "locked/secrets.rs"]
mod secrets;
#[path = "locked/speaker.rs"]
#[allow(dead_code, reason = "each test binary uses a part of it")]
mod speaker;
