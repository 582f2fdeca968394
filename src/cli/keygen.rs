//! `papo keygen`: a new random secret, for a file of its own or for whatever reads stdout.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::lock::GeneratedSecret;
use crate::ui::visible::{Tab, visible};

/// Whoever reads the secret is in the room: the file is its owner's alone.
const MODE: u32 = 0o600;

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
    write(path, line.as_bytes()).map_err(|e| {
        let name = visible(&path.display().to_string(), Tab::Escape);
        match e.kind() {
            ErrorKind::AlreadyExists => {
                format!("keygen {name}: it is there already, and stays as it is; name another file")
            }
            _ => format!("keygen {name}: cannot write it: {e}; name another file"),
        }
    })?;
    Ok(String::new())
}

/// Writes a file that is not there yet; one that could not be written is removed.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(MODE)
        .open(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err() {
        // It is this process's own, and holds no whole secret.
        let _ = fs::remove_file(path);
    }
    written
}
