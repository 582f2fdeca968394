//! `papo keygen`: a new random secret, for a file of its own or for whatever reads stdout.

use std::io::ErrorKind;
use std::path::Path;

use super::files::write_new;
use crate::lock::GeneratedSecret;
use crate::platform::reason;
use crate::ui::visible::{Tab, visible};

/// Makes a secret, and writes it to a file that is not there yet; without one the line is returned, for
/// stdout.
///
/// # Errors
///
/// One line that names the file, and what to do. Nothing that was there is changed.
pub fn make(file: Option<&Path>) -> Result<String, String> {
    let secret = GeneratedSecret::new()
        .ok_or("keygen: the system gives no random bytes: look whether a sandbox forbids it")?;
    let line = secret.text() + "\n";
    let Some(path) = file else {
        return Ok(line);
    };
    // Whoever reads the secret is in the room: the file is its owner's alone.
    write_new(path, line.as_bytes()).map_err(|e| {
        let name = visible(&path.display().to_string(), Tab::Escape);
        match e.kind() {
            ErrorKind::AlreadyExists => {
                format!("keygen {name}: it is there already, and stays as it is; name another file")
            }
            _ => format!(
                "keygen {name}: cannot write it: {}; name another file",
                reason(&e)
            ),
        }
    })?;
    Ok(String::new())
}
