//! What the process does that looks one name up, and how its answer is written.
//!
//! Owns both sides of that answer. It starts nothing and watches nothing.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::net::{SocketAddr, ToSocketAddrs};

use crate::limits::PEER_ADDRESSES_MAX;

/// What the command line of such a process begins with: nothing that a user would type.
const TASK: &str = "look-up-for-papo";
/// The last line of a whole answer.
const END: &str = ".";
/// Before the reason why there is no address.
const NONE: char = '!';

/// The command line, after the program's name, of a process that looks this host up for `parent`.
pub(super) fn arguments(parent: u32, host: &str, port: u16) -> [String; 4] {
    let words = [TASK, &parent.to_string(), host, &port.to_string()];
    words.map(str::to_owned)
}

/// Looks a host up if this process was started by papo to do that, however long it takes, and gives the
/// answer that stdout is to have. `None` if the command line, the program's name first, says something
/// else. The process ends when the one that started it does.
pub fn look_up(arguments: impl IntoIterator<Item = OsString>) -> Option<String> {
    let mut words = arguments.into_iter().skip(1);
    if words.next()? != TASK {
        return None;
    }
    let mut word = || words.next()?.into_string().ok();
    let parent = word()?.parse().ok()?;
    let host = word()?;
    let port: u16 = word()?.parse().ok()?;
    if !crate::platform::end_with_parent(parent) {
        return Some(String::new());
    }
    Some(written((&*host, port).to_socket_addrs()))
}

fn written(found: std::io::Result<impl Iterator<Item = SocketAddr>>) -> String {
    let mut answer = String::new();
    // Writing to memory cannot fail.
    let _ = match found {
        Ok(addresses) => addresses
            .take(PEER_ADDRESSES_MAX)
            .try_for_each(|a| writeln!(answer, "{a}")),
        Err(e) => writeln!(answer, "{NONE}{}", super::reason(&e)),
    };
    answer.push_str(END);
    answer.push('\n');
    answer
}

/// Reads an answer.
///
/// # Errors
///
/// Why there is no address, in words.
pub(super) fn parse(answer: &[u8]) -> Result<Vec<SocketAddr>, String> {
    let text = String::from_utf8_lossy(answer);
    let mut lines: Vec<&str> = text.lines().collect();
    if lines.pop() != Some(END) {
        return Err("its look-up ended early".to_owned());
    }
    if let Some(reason) = lines.first().and_then(|line| line.strip_prefix(NONE)) {
        return Err(reason.to_owned());
    }
    let mut addresses: Vec<SocketAddr> = lines.iter().filter_map(|l| l.parse().ok()).collect();
    addresses.dedup();
    addresses.truncate(PEER_ADDRESSES_MAX);
    match addresses.is_empty() {
        true => Err("it has no address".to_owned()),
        false => Ok(addresses),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let all: [SocketAddr; 3] = [
            "10.0.0.7:4000".parse().unwrap(),
            "[fe80::7%2]:4000".parse().unwrap(),
            "[fd00::7]:4000".parse().unwrap(),
        ];
        let answer = written(Ok(all.into_iter()));
        assert_eq!(parse(answer.as_bytes()), Ok(all.to_vec()));
        let error = std::io::Error::other("failed to lookup address information: Try \x1b again");
        let answer = written(Err::<std::vec::IntoIter<_>, _>(error));
        assert_eq!(parse(answer.as_bytes()), Err("Try ^[ again".to_owned()));
    }

    #[test]
    fn a_command_line_of_a_user_is_no_look_up() {
        let words = |all: &[&str]| look_up(all.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(words(&["papo", "send", "hello"]), None);
        assert_eq!(words(&["papo"]), None);
        let asked = arguments(std::process::id(), "127.0.0.1", 7);
        let asked = ["papo"].into_iter().chain(asked.iter().map(|w| &**w));
        let answer = words(&asked.collect::<Vec<_>>());
        assert_eq!(
            answer.as_deref(),
            Some(""),
            "this process did not start itself"
        );
    }

    #[test]
    fn an_answer_that_is_cut_is_none() {
        for cut in ["", "10.0.0.7:4000\n", "10.0.0.7:40"] {
            assert!(parse(cut.as_bytes()).is_err(), "{cut}");
        }
        assert!(parse(b".\n").is_err(), "no address");
    }
}
