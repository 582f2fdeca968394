//! `papo rekey`: a store goes on in the same room under another secret.
//!
//! The file is plain text, and whoever may write it may do that: the secret that it was kept under is not
//! asked for.

use std::path::Path;

use jiff::Timestamp;

use crate::store::{Store, StoreError};
use crate::ui::visible::{Tab, visible};

use super::Options;
use super::secret::{self, Refused};

/// Moves the file of `--store` to the secret of `--secret-file` or `PAPO_SECRET`. The result is a line for
/// stdout, and warnings.
///
/// # Errors
///
/// One line that names the file or the option, and what to do; the file is as it was.
pub fn rekey(options: &Options) -> Result<(String, Vec<String>), Refused> {
    let path = options.store.as_deref().unwrap_or(Path::new(""));
    let name = visible(&format!("--store {}", path.display()), Tab::Escape);
    let wrong = |e: StoreError| {
        e.log_details(path);
        Refused::failed(format!("{name}: {e}"))
    };
    let given = secret::given(options.secret_file.as_deref())?.ok_or_else(|| {
        Refused::usage(
            "rekey: the new secret is missing; give it with --secret-file or in PAPO_SECRET (papo keygen \
             makes one)",
        )
    })?;
    let reading = Store::open_for_reading(path, None).map_err(wrong)?;
    let room = reading.owner().map_err(wrong)?.room;
    drop(reading);
    if options.room_given && room != options.first_room() {
        return Err(wrong(StoreError::OtherRoom(room)));
    }
    let lock = given.derive(&room)?.fingerprint();
    let at = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0);
    let before = Store::rekey(path, &lock, at).map_err(wrong)?;
    let (file, room) = (path.display().to_string(), visible(&room, Tab::Escape));
    let file = visible(&file, Tab::Escape);
    let line = match before {
        Some(before) if before == lock => format!("{file}: it has this secret already\n"),
        Some(_) => format!("{file}: the history of \"{room}\" is under the new secret now\n"),
        None => {
            format!("{file}: the history of the open room \"{room}\" is under the secret now\n")
        }
    };
    let mut warnings = given.warnings;
    warnings.extend(secret::store_warning(path));
    Ok((line, warnings))
}
