//! What the options of `papo irc` mean: where it listens, and what its files say.
//!
//! Owns the checks of these options with one another. Nothing here listens.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::driver::{IrcAddress, IrcConfig};
use crate::irc::Settings;
use crate::limits::IRC_LINE_BYTES_MAX;
use crate::platform::reason;
use crate::ui::visible::{Tab, visible};

use super::files::read_whole;
use super::secret::{Refused, open_to_others};
use super::values::seconds;

/// More of a file is not read.
const FILE_BYTES_MAX: u64 = 8 * 1024;
/// The longest name of a server.
const NAME_BYTES_MAX: usize = 63;

/// The options of `papo irc`.
#[derive(clap::Args, Clone, PartialEq, Eq, Debug)]
pub struct IrcOptions {
    /// Where IRC clients connect: an address and a port of this machine, or unix: and a file that only you may
    /// use; may be given several times
    #[arg(
        long,
        value_name = "ADDR:PORT|unix:FILE",
        default_value = "127.0.0.1:6667"
    )]
    #[arg(value_parser = address)]
    pub irc_listen: Vec<IrcAddress>,

    /// What clients give as the server's password: the file's first line. Whoever listens where other machines
    /// can connect needs one
    #[arg(long, value_name = "FILE")]
    pub irc_password_file: Option<PathBuf>,

    /// What the server is called
    #[arg(long, value_name = "NAME", default_value = "irc.papo", value_parser = name)]
    pub irc_name: String,

    /// How long the topic and the lines of a channel are kept that everybody here has left, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds)]
    #[arg(allow_negative_numbers = true)]
    pub irc_linger: Duration,

    /// A secret for locked rooms: JOIN #room NAME gives the content of FILE, so that no client ever has the secret
    /// itself; may be given several times
    #[arg(long, value_name = "NAME=FILE", value_parser = named_file)]
    pub irc_secret: Vec<(String, PathBuf)>,
}

fn address(text: &str) -> Result<IrcAddress, String> {
    text.parse()
}

fn name(text: &str) -> Result<String, String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    let is_valid = (1..=NAME_BYTES_MAX).contains(&text.len()) && text.chars().all(is_name);
    match is_valid {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "a server's name has letters, digits, dots, - and _, and up to {NAME_BYTES_MAX} of them"
        )),
    }
}

fn named_file(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, file))
            if !name.is_empty() && !file.is_empty() && !name.contains([' ', ',']) =>
        {
            Ok((name.to_owned(), file.into()))
        }
        _ => Err("give a name, = and a file, such as board=/home/ana/board.key".into()),
    }
}

/// What the server is started with. `room` is the one that clients are put into, if there is one; how long
/// a split takes to be noticed follows from the heartbeat and the failure timeout. With it comes what the user is
/// to be warned of.
///
/// # Errors
///
/// One line that names the option, what is wrong, and what to do.
pub fn config(
    options: &IrcOptions,
    room: Option<String>,
    (heartbeat, failure_timeout): (Duration, Duration),
) -> Result<(IrcConfig, Vec<String>), Refused> {
    // Somebody who locks rooms in this way must not find them open.
    if std::env::var_os(super::secret::VARIABLE).is_some() {
        return Err(Refused::usage(
            "PAPO_SECRET: irc does not use it, and the clients' rooms would be open; give a secret with --irc-secret \
             NAME=FILE, and unset it (env -u PAPO_SECRET papo irc)",
        ));
    }
    let file = options.irc_password_file.as_deref();
    let password = file.map(password).transpose()?;
    let is_open = |at: &&IrcAddress| !at.is_of_this_machine();
    if let (Some(IrcAddress::Tcp(at)), None) = (options.irc_listen.iter().find(is_open), &password)
    {
        return Err(Refused::usage(format!(
            "--irc-listen {at}: whoever can connect there speaks in your name, and IRC is not encrypted; listen at \
             127.0.0.1:{}, or give a password with --irc-password-file",
            at.port()
        )));
    }
    let mut secrets = BTreeMap::new();
    let mut warnings = Vec::new();
    warnings.extend(file.and_then(|file| open_to_all("--irc-password-file ", file, "password")));
    for (name, file) in &options.irc_secret {
        secrets.insert(name.clone(), secret(name, file)?);
        let option = format!("--irc-secret {name}=");
        warnings.extend(open_to_all(&option, file, "secret"));
    }
    let config = IrcConfig {
        listen: options.irc_listen.clone(),
        settings: Settings {
            name: options.irc_name.clone(),
            password,
            room,
            secrets: secrets.keys().cloned().collect(),
            linger: options.irc_linger,
            gathers: heartbeat * 2,
            gathers_after_coordinator: failure_timeout * 4,
        },
        secrets,
    };
    Ok((config, warnings))
}

/// A warning, if others on this machine may read or write it.
fn open_to_all(option: &str, file: &Path, what: &str) -> Option<String> {
    let name = visible(&file.display().to_string(), Tab::Escape);
    open_to_others(&format!("{option}{name}"), file, what)
}

fn read(option: &str, file: &Path) -> Result<(String, Vec<u8>), Refused> {
    let source = format!(
        "{option}{}",
        visible(&file.display().to_string(), Tab::Escape)
    );
    match read_whole(file, FILE_BYTES_MAX) {
        Ok(bytes) if !bytes.trim_ascii().is_empty() => Ok((source, bytes)),
        Ok(_) => Err(Refused::failed(format!(
            "{source}: it is empty; write one line into it"
        ))),
        Err(e) => Err(Refused::failed(format!(
            "{source}: cannot read it: {}; name a file that can be read",
            reason(&e)
        ))),
    }
}

fn password(file: &Path) -> Result<String, Refused> {
    let (source, bytes) = read("--irc-password-file ", file)?;
    let first = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    let text = str::from_utf8(first.trim_ascii_end()).unwrap_or_default();
    if text.is_empty() || text.len() > IRC_LINE_BYTES_MAX / 2 {
        let most = IRC_LINE_BYTES_MAX / 2;
        let line = format!(
            "{source}: its first line is no password; write 1 to {most} bytes of UTF-8 there"
        );
        return Err(Refused::failed(line));
    }
    Ok(text.to_owned())
}

fn secret(name: &str, file: &Path) -> Result<Vec<u8>, Refused> {
    let (source, bytes) = read(&format!("--irc-secret {name}="), file)?;
    // What is wrong with it is said now, and not when somebody joins.
    let derived = crate::lock::Secret::derive("lobby", &bytes);
    derived.map_err(|e| Refused::failed(format!("{source}: {e}")))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(listen: &str) -> IrcOptions {
        IrcOptions {
            irc_listen: vec![listen.parse().unwrap()],
            irc_password_file: None,
            irc_name: "irc.papo".to_owned(),
            irc_linger: Duration::ZERO,
            irc_secret: Vec::new(),
        }
    }

    #[test]
    fn only_this_machine_needs_no_password() {
        let config = |options: &IrcOptions| config(options, None, (Duration::ZERO, Duration::ZERO));
        for own in ["127.0.0.1:6667", "[::1]:6667", "localhost:0", "unix:/tmp/x"] {
            assert!(config(&options(own)).is_ok(), "{own}");
        }
        for open in ["0.0.0.0:6667", "[::]:6667", "192.168.1.5:6667"] {
            let line = config(&options(open)).unwrap_err().line;
            assert!(
                line.contains("--irc-password-file") && line.contains("127.0.0.1:6667"),
                "{line}"
            );
        }
    }
}
