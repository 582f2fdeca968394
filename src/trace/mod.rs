//! Traces: what nodes did, as lines in files, and what such files tell.
//!
//! Owns the format, and everything that is made of it: the driver and the simulator write by [`Tap`], and
//! `papo trace` reads. It never speaks to a peer and never changes a node; a node that is not traced pays one
//! branch for it.
//!
//! | file | subject |
//! | --- | --- |
//! | `format` | a line, as data |
//! | `saying` | what a message says, as far as a line has it |
//! | `tap` | what one node does, as lines |
//! | `ring` | the files that are written: the newest so many bytes |
//!
#![doc = include_str!("TRACE.md")]

pub mod format;
mod ring;
mod saying;
mod tap;

pub use ring::{LEAST_BYTES, PARTS, Ring, part_of};
pub use saying::{name_of, name_of_datagram};
pub use tap::Tap;
