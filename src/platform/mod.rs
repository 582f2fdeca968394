//! What one operating system does otherwise than another.
//!
//! Owns every call and every file that only one system has. `linux` is Linux's way; `portable` does
//! without, and is what every other system gets (and Linux too with the feature `portable`, so that it is
//! tested there). Both give the same items. No other file says which system it is built for: a test in
//! `tests/platform.rs` reads them all. Nothing here decides what is done with an answer, and nothing here
//! imports anything else of papo.

mod errors;

pub use errors::reason;

#[cfg(all(target_os = "linux", not(feature = "portable")))]
mod linux;
#[cfg(all(target_os = "linux", not(feature = "portable")))]
pub(crate) use linux::*;

#[cfg(not(all(target_os = "linux", not(feature = "portable"))))]
mod portable;
#[cfg(not(all(target_os = "linux", not(feature = "portable"))))]
pub(crate) use portable::*;
