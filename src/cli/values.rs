//! What the options' values may be: each is checked by itself, and what is wrong with it is said in words.
//!
//! Owns the bounds. It knows of no other option than the one whose value it looks at.

use std::net::SocketAddr;
use std::time::Duration;

use crate::limits::{NICK_CHARS_MAX, ROOM_BYTES_MAX};
use crate::ui::{Replay, Wanted};
use crate::wire::nick_is_valid;

/// Shortest heartbeat: below it, the timers of an ordinary machine are the noise.
const HEARTBEAT_MS_MIN: u64 = 10;
/// Longest heartbeat and failure timeout: a silence of an hour is none that anybody waits out.
const INTERVAL_MS_MAX: u64 = 3_600_000;
/// A nick for those who have no login name that can be one.
const NICK_DEFAULT: &str = "anon";

/// A nick for who gave none: the login name as far as it can be one. Where no variable says it, as in a job of
/// cron, the system does.
pub(super) fn nick_of_login() -> String {
    let said = ["USER", "LOGNAME"]
        .iter()
        .find_map(|v| std::env::var(v).ok());
    let known = || {
        let user = nix::unistd::User::from_uid(nix::unistd::Uid::current());
        user.ok().flatten().map(|user| user.name)
    };
    let login = said.filter(|name| !name.is_empty()).or_else(known);
    nick_from(&login.unwrap_or_default())
}

/// Makes a nick of a login name.
fn nick_from(login: &str) -> String {
    let printable = login.chars().filter(|c| !c.is_control());
    let name: String = printable.take(NICK_CHARS_MAX).collect();
    match name.trim() {
        name if nick_is_valid(name) => name.to_owned(),
        _ => NICK_DEFAULT.to_owned(),
    }
}

/// A room's name in the form in which others write it: systems differ in whether a letter and its
/// accent are one character (NFC) or two.
pub(super) fn room(text: &str) -> Result<String, String> {
    use unicode_normalization::UnicodeNormalization as _;
    let text: String = text.nfc().collect();
    match text.len() {
        1..=ROOM_BYTES_MAX if !text.contains(char::is_control) => Ok(text),
        1..=ROOM_BYTES_MAX => Err("a room's name has no control characters".into()),
        _ => Err(format!("a room's name has 1 to {ROOM_BYTES_MAX} bytes")),
    }
}

pub(super) fn nick(text: &str) -> Result<String, String> {
    if nick_is_valid(text) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "a nick has 1 to {NICK_CHARS_MAX} characters, no control characters, no white space at \
         its ends"
    ))
}

pub(super) fn replay(text: &str) -> Result<Replay, String> {
    match text {
        "all" => Ok(Replay::All),
        "none" => Ok(Replay::Last(0)),
        _ => text
            .parse()
            .map(Replay::Last)
            .map_err(|_| "give a number of messages, all or none".into()),
    }
}

pub(super) fn pattern(text: &str) -> Result<String, String> {
    Wanted::pattern(text).map(|_| text.to_owned())
}

pub(super) fn number(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "give a whole number".into())
}

/// A whole number, however large.
pub(super) fn whole(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "give a whole number".into())
}

/// A whole number from 1 on.
pub(super) fn count(text: &str) -> Result<u64, String> {
    let number = text.parse().ok().filter(|n| *n > 0);
    number.ok_or_else(|| "give a whole number, 1 or more".into())
}

/// A whole number between two, both included.
pub(super) fn between<const LEAST: u16, const MOST: u16>(text: &str) -> Result<u16, String> {
    let number = text.parse().ok().filter(|n| (LEAST..=MOST).contains(n));
    number.ok_or_else(|| format!("give a whole number from {LEAST} to {MOST}"))
}

/// Words to look for, or a name: one that is empty is mostly a variable that is not set.
pub(super) fn some(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("it is empty; say what to look for, or leave the option out".into()),
        _ => Ok(text.to_owned()),
    }
}

pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "give a number of seconds, such as 10 or 0.5".into())
}

pub(super) fn millis(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(ms) if ms <= INTERVAL_MS_MAX => Ok(Duration::from_millis(ms)),
        _ => Err(format!(
            "give a whole number of milliseconds, at most {INTERVAL_MS_MAX}"
        )),
    }
}

pub(super) fn heartbeat(text: &str) -> Result<Duration, String> {
    let heartbeat = millis(text)?;
    if heartbeat < Duration::from_millis(HEARTBEAT_MS_MIN) {
        return Err(format!("it must be at least {HEARTBEAT_MS_MIN} ms"));
    }
    Ok(heartbeat)
}

pub(super) fn group(text: &str) -> Result<SocketAddr, String> {
    let example = "give a multicast address and a port, such as 239.255.112.97:28783";
    let group: SocketAddr = text.parse().map_err(|_| example)?;
    match group {
        group if !group.ip().is_multicast() || group.port() == 0 => Err(example.into()),
        group => Ok(group),
    }
}

pub(super) fn listen(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "give an address and a port, such as [::]:4000 (port 0: any free one)".into())
}

pub(super) fn interface(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("give an interface's name or address, such as eth0 or 192.168.1.5".into()),
        name => Ok(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_name_becomes_a_nick() {
        assert_eq!(nick_from("ana"), "ana");
        assert_eq!(nick_from(" an\x1ba\n"), "ana");
        assert_eq!(nick_from(&"é".repeat(40)), "é".repeat(32));
        assert_eq!(nick_from(&format!("{} x", "é".repeat(31))), "é".repeat(31));
        assert_eq!(nick_from(" \t"), "anon");
    }
}
