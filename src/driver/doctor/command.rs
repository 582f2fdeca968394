//! The command line that would work, as it is typed in a shell.
//!
//! Owns how options become words again. What is the default is left out.

use super::super::network::Selection;
use super::DoctorConfig;
use super::findings::{Findings, Verdict};

/// The room and the group where nobody names any.
const ROOM: &str = "lobby";
const GROUP: &str = "239.255.112.97:28783";
/// A port for a node that is to be dialled through a firewall.
pub(super) const PORT: u16 = 28_783;

/// What is to be typed here.
pub(super) fn here(config: &DoctorConfig, findings: &Findings, verdict: Verdict) -> String {
    let mut words = vec!["papo".to_owned()];
    let mut add = |option: &str, value: &str| words.extend([option.to_owned(), quoted(value)]);
    if config.room != ROOM {
        add("--room", &config.room);
    }
    match &config.secret_file {
        Some(file) => add("--secret-file", &file.display().to_string()),
        None if verdict == Verdict::Locked => add("--secret-file", "FILE"),
        None => {}
    }
    if config.group.to_string() != GROUP {
        add("--group", &config.group.to_string());
    }
    if let Selection::Named(names) = &config.interfaces {
        names.iter().for_each(|name| add("--interface", name));
    }
    if let Some(listen) = config.listen {
        let is_taken = verdict == Verdict::NoListener;
        let listen = match is_taken {
            true => format!("{}:0", bracketed(listen.ip())),
            false => listen.to_string(),
        };
        add("--listen", &listen);
    }
    let reached = findings.peers.iter().filter(|peer| peer.is_reached());
    let mut reached: Vec<&str> = reached.map(|peer| &*peer.name).collect();
    if matches!(verdict, Verdict::NoPeer) {
        reached = config.peers.iter().map(|peer| &*peer.name).collect();
    }
    if matches!(verdict, Verdict::NoMulticast) {
        reached = vec!["HOST:28783"];
    }
    reached.iter().for_each(|peer| add("--peer", peer));
    if !config.multicast {
        words.push("--no-multicast".to_owned());
    }
    words.join(" ")
}

/// What is to be typed where the others are, so that they can be dialled from here.
pub(super) fn there(config: &DoctorConfig) -> String {
    let room = match &*config.room {
        ROOM => String::new(),
        room => format!(" --room {}", quoted(room)),
    };
    format!("papo{room} --listen 0.0.0.0:{PORT}")
}

fn bracketed(ip: std::net::IpAddr) -> String {
    match ip {
        std::net::IpAddr::V4(ip) => ip.to_string(),
        std::net::IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

/// A word that a shell takes as it is.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:,@%+=".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_read_more_into_it() {
        assert_eq!(quoted("kitchen"), "kitchen");
        assert_eq!(quoted("[fe80::1%eth0]:4000"), "'[fe80::1%eth0]:4000'");
        assert_eq!(quoted("ana's room"), "'ana'\\''s room'");
        assert_eq!(quoted(""), "''");
    }
}
