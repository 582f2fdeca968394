//! The room's secret: from a file or from the environment, never from the command line, where
//! every user of the machine could read it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::lock::Secret;

/// The environment variable that holds the secret itself.
const VARIABLE: &str = "PAPO_SECRET";
/// More of a file is not read: the derivation refuses less than this.
const FILE_BYTES_MAX: u64 = 8 * 1024;

/// The keys of the room, if there is a secret: `--secret-file` before `PAPO_SECRET`.
///
/// # Errors
///
/// One line that names the source, never the secret, and what to do.
pub fn resolve(room: &str, file: Option<&Path>) -> Result<Option<Secret>, String> {
    let (source, secret) = if let Some(path) = file {
        let source = format!("--secret-file {}", path.display());
        let bytes = read(path)
            .map_err(|e| format!("{source}: cannot read it: {e}; name a file with the secret"))?;
        (source, bytes)
    } else {
        let value = std::env::var_os(VARIABLE).unwrap_or_default();
        if value.is_empty() {
            return Ok(None);
        }
        (VARIABLE.to_string(), value.into_encoded_bytes())
    };
    let secret = Secret::derive(room, &secret).map_err(|e| format!("{source}: {e}"))?;
    Ok(Some(secret))
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(FILE_BYTES_MAX)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}
