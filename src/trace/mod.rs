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
//! | `pen` | the lines that there are most of, written fast |
//! | `ring` | the files that are written: the newest so many bytes |
//! | `read` | files, whatever is in them |
//! | `matching`, `offsets` | which message is which, and how far apart clocks are |
//! | `picture`, `lives`, `elections` | what all traces together tell |
//! | `words`, `checks` | what happened, in words, and whether the rules were kept |
//! | `selection` | what of it is drawn |
//! | `text`, `svg`, `html`, `shiviz` | the drawings |
//!
#![doc = include_str!("TRACE.md")]

pub mod format;
mod pen;
mod ring;
mod saying;
mod tap;

pub use ring::{LEAST_BYTES, PARTS, Ring, part_of};
pub use saying::{name_of, name_of_datagram};
pub use tap::Tap;

mod checks;
mod elections;
mod html;
mod lives;
mod matching;
mod offsets;
mod picture;
mod read;
mod selection;
mod shiviz;
mod svg;
mod text;
pub mod words;

pub use checks::{Verdict, check};
pub use elections::Ballot;
pub use html::html;
pub use lives::{End, Life, Span};
pub use matching::{Arrow, At};
pub use offsets::Offset;
pub use picture::{Message, Picture};
pub use read::{NodeTrace, Traces, read, read_bytes};
pub use selection::{Selection, Wanted, is_noise};
pub use shiviz::shiviz;
pub use svg::svg;
pub use text::text;

use crate::ui::visible::{Tab, visible};

/// A name from a file, short and safe to look at.
fn plain(text: &str) -> String {
    const MOST: usize = 120;
    let mut short: String = text.chars().take(MOST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    visible(&short, Tab::Escape)
}
