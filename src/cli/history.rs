//! `papo history`: prints what a store holds, without joining, also while a node has it open.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ZonedDateTime};

use crate::store::{Search, Store, StoreError};
use crate::ui::history_output;
use crate::ui::visible::{Tab, visible};

use super::Options;

/// Prints to `out` what fits; whoever reads it may stop. `tell` gets a line about what is missing.
///
/// # Errors
///
/// One line that names the file or the option, and what to do.
pub fn print(
    options: &Options,
    search: &Search,
    out: impl Write,
    tell: impl FnOnce(&str),
) -> Result<(), String> {
    let path = options.store.as_deref().unwrap_or(Path::new(""));
    let name = visible(&format!("--store {}", path.display()), Tab::Escape);
    let wrong = |e| format!("{name}: {e}");
    let store = Store::open_for_reading(path, None).map_err(wrong)?;
    if let Some(unread) = store.unread() {
        tell(&format!("{name}: {unread}"));
    }
    let room = store.owner().map_err(wrong)?.room;
    if options.room_given && room != options.room {
        return Err(wrong(StoreError::OtherRoom(room)));
    }
    let at = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0);
    let mut out = BufWriter::new(out);
    let (mut line, mut written) = (Vec::new(), Ok(()));
    let found = store.search(search, |message| {
        line.clear();
        if options.json {
            history_output::push_json(&mut line, at, message);
        } else {
            history_output::push_text(&mut line, message);
        }
        written = out.write_all(&line);
        written.is_ok()
    });
    found.map_err(wrong)?;
    match written.and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write to stdout: {e}"))
        }
        _ => Ok(()),
    }
}

/// The moment that `--since` means, in milliseconds since 1970: a moment with its offset, one of
/// the local clock, a date, or so long ago.
pub(super) fn moment(text: &str) -> Result<u64, String> {
    let local = || TimeZone::system().to_timestamp(text.parse::<DateTime>()?);
    let ago = || {
        let then = ZonedDateTime::now().checked_sub(text.parse::<Span>()?)?;
        Ok(then.timestamp())
    };
    let stamp = (text.parse::<Timestamp>())
        .or_else(|_| local())
        .or_else(|_| ago())
        .map_err(|_: jiff::Error| {
            "give a date such as 2026-01-31, a time such as \"2026-01-31 18:00\", or how long ago, \
             such as 2h"
                .to_owned()
        })?;
    Ok(u64::try_from(stamp.as_millisecond()).unwrap_or(0))
}
