//! `papo history`: prints what a store holds, without joining, also while a node has it open.

use std::collections::VecDeque;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use jiff::Timestamp;

use crate::platform::reason;
use crate::store::{Search, Store, StoreError, left_out};
use crate::ui::history_output;
use crate::ui::visible::{Tab, visible};
use crate::wire::Position;

use super::Options;
use super::secret::store_warning;

/// Prints to `out` what fits, or the newest `last` of it; whoever reads it may stop. `tell` gets lines
/// about what is missing, and about who else may read the file. False if nothing fits.
///
/// What is dated too far ahead is left out, as a node does that opens the file: it would be the newest for ever.
///
/// # Errors
///
/// One line that names the file or the option, and what to do.
pub fn print(
    options: &Options,
    search: &Search,
    last: Option<usize>,
    out: impl Write,
    tell: impl Fn(&str),
) -> Result<bool, String> {
    let path = options.store.as_deref().unwrap_or(Path::new(""));
    let name = visible(&format!("--store {}", path.display()), Tab::Escape);
    let wrong = |e: StoreError| {
        e.log_details(path);
        format!("{name}: {e}")
    };
    let store = Store::open_for_reading(path, None).map_err(wrong)?;
    if let Some(unread) = store.unread() {
        tell(&format!("{name}: {unread}"));
    }
    let room = store.owner().map_err(wrong)?.room;
    if let Some(open) = store_warning(path) {
        tell(&open);
    }
    if options.room_given && room != options.first_room() {
        return Err(wrong(StoreError::OtherRoom(room)));
    }
    let at = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0);
    let latest = Position::reach(at);
    if let Some(ahead) = left_out(store.count_after(latest).map_err(wrong)?) {
        tell(&format!("{name}: {ahead}"));
    }
    let mut out = BufWriter::new(out);
    let (mut newest, mut found, mut written) = (VecDeque::new(), false, Ok(()));
    let result = store.search(search, |message| {
        if message.position() > latest {
            return false;
        }
        let mut line = Vec::new();
        if options.json {
            history_output::push_json(&mut line, at, message);
        } else {
            history_output::push_text(&mut line, message);
        }
        match last {
            Some(0) => return false,
            Some(most) => {
                if newest.len() == most {
                    newest.pop_front();
                }
                newest.push_back(line);
            }
            None => written = out.write_all(&line),
        }
        found = true;
        written.is_ok()
    });
    result.map_err(wrong)?;
    for line in &newest {
        written = written.and_then(|()| out.write_all(line));
    }
    match written.and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write to stdout: {}", reason(&e)))
        }
        _ => Ok(found),
    }
}
