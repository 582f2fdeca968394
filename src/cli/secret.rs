//! The room's secret: from a file or from the environment, never from the command line, where
//! every user of the machine could read it.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::driver::STATUS_FAILED;
use crate::lock::Secret;
use crate::platform::reason;
use crate::ui::visible::{Tab, visible};

use super::STATUS_USAGE;
use super::files::read_whole;

/// The environment variable that holds the secret itself.
pub(super) const VARIABLE: &str = "PAPO_SECRET";
/// The permission to read that users have who are neither the owner nor of the file's group.
const OTHERS_READ: u32 = 0o004;
/// The permission to write that users have who are not the owner.
const OTHERS_WRITE: u32 = 0o022;
/// More of a file is not read: the derivation refuses less than this.
const FILE_BYTES_MAX: u64 = 8 * 1024;

/// Why papo does not start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// The exit status.
    pub status: u8,
    /// One line, without its end.
    pub line: String,
}

impl Refused {
    /// A mistake on the command line or in the environment.
    pub(super) fn usage(line: impl Into<String>) -> Refused {
        let (status, line) = (STATUS_USAGE, line.into());
        Refused { status, line }
    }

    /// Something that cannot be read or used.
    pub(super) fn failed(line: impl Into<String>) -> Refused {
        let (status, line) = (STATUS_FAILED, line.into());
        Refused { status, line }
    }
}

/// A secret as the user gave it.
pub struct Given {
    /// Where it comes from, for messages.
    source: String,
    bytes: Vec<u8>,
    /// What the user is to be told of it, one line each.
    pub warnings: Vec<String>,
}

impl Given {
    /// The keys of this room.
    ///
    /// # Errors
    ///
    /// One line that names the source, never the secret, and what to do.
    pub fn derive(&self, room: &str) -> Result<Secret, Refused> {
        let wrong = |e| Refused::failed(format!("{}: {e}", self.source));
        Secret::derive(room, &self.bytes).map_err(wrong)
    }
}

/// The secret, if there is one: `--secret-file` before `PAPO_SECRET`.
///
/// # Errors
///
/// One line that names the source, never the secret, and what to do. A secret that is there and empty is a
/// mistake: the room would be open, and nobody would know.
pub fn given(file: Option<&Path>) -> Result<Option<Given>, Refused> {
    let variable = std::env::var_os(VARIABLE);
    let given = match (file, variable) {
        (Some(path), variable) => read_file(path, variable.is_some())?,
        (None, Some(value)) => Given {
            source: VARIABLE.to_owned(),
            bytes: value.into_encoded_bytes(),
            warnings: Vec::new(),
        },
        (None, None) => return Ok(None),
    };
    if !given.bytes.trim_ascii().is_empty() {
        return Ok(Some(given));
    }
    let source = &given.source;
    Err(match file {
        Some(_) => Refused::failed(format!(
            "{source}: it is empty; name a file with a secret (papo keygen FILE makes one)"
        )),
        None => Refused::usage(format!(
            "{source}: it is set and empty, and the room would be open; give it the secret, or unset it \
             (env -u {VARIABLE} papo)"
        )),
    })
}

fn read_file(path: &Path, is_variable_set: bool) -> Result<Given, Refused> {
    let name = visible(&path.display().to_string(), Tab::Escape);
    let source = format!("--secret-file {name}");
    let bytes = read_whole(path, FILE_BYTES_MAX).map_err(|e| {
        let line = format!(
            "{source}: cannot read it: {}; name a file with the secret",
            reason(&e)
        );
        Refused::failed(line)
    })?;
    let mut warnings = Vec::new();
    if is_variable_set {
        warnings.push(format!(
            "{source} and {VARIABLE} are both given: the file counts; unset {VARIABLE}"
        ));
    }
    warnings.extend(open_to_others(&source, path, "secret"));
    Ok(Given {
        source,
        bytes,
        warnings,
    })
}

/// A warning, if everybody on this machine may read what only one should know, or others may put their own in its
/// place; `source` is the option and the file.
pub(super) fn open_to_others(source: &str, path: &Path, what: &str) -> Option<String> {
    let found = std::fs::metadata(path)
        .ok()
        .filter(std::fs::Metadata::is_file)?;
    let (who, may) = match found.mode() {
        mode if mode & OTHERS_READ != 0 => ("everybody", "read"),
        mode if mode & OTHERS_WRITE != 0 => ("others", "write"),
        _ => return None,
    };
    let name = visible(&path.display().to_string(), Tab::Escape);
    Some(format!(
        "{source}: {who} on this machine may {may} the {what}; keep it to yourself: chmod 600 {name}"
    ))
}

/// A warning, if everybody on this machine may read a room's store, which is plain text.
#[must_use]
pub fn store_warning(path: &Path) -> Option<String> {
    let name = visible(&path.display().to_string(), Tab::Escape);
    is_for_everybody(path).then(|| {
        format!(
            "--store {name}: everybody on this machine may read the room's history in it; keep it to \
             yourself: chmod 600 {name}*"
        )
    })
}

/// True of a regular file that every user of this machine may read.
fn is_for_everybody(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.mode() & OTHERS_READ != 0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_secret_that_others_may_read_or_write_is_warned_of_in_one_line() {
        let name = format!("papo-secret-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, "a secret\n").unwrap();
        let said = |mode| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            open_to_others("key", &path, "secret")
        };
        assert_eq!([0o600, 0o400, 0o640, 0o610].map(said), [const { None }; 4]);
        for (mode, words) in [
            (0o604, "everybody on this machine may read"),
            (0o666, "everybody on this machine may read"),
            (0o620, "others on this machine may write"),
            (0o602, "others on this machine may write"),
            (0o660, "others on this machine may write"),
        ] {
            let line = said(mode).unwrap();
            assert!(
                line.starts_with(&format!("key: {words} the secret; ")),
                "{line}"
            );
            assert!(line.contains("chmod 600"), "{line}");
        }
        std::fs::remove_file(&path).unwrap();
    }
}
