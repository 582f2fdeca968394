//! The words of the examination.
//!
//! Owns them: what was found, what that means, and what to type. Names that others chose are shown harmless.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::limits::DATAGRAM_BYTES_MAX;
use crate::ui::visible::{Tab, visible};

use super::DoctorConfig;
use super::command::{self, PORT};
use super::dialling::Dial;
use super::findings::{Findings, Multicast, Verdict};
use super::packets::Packets;

/// All of it, in lines.
pub(super) fn text(config: &DoctorConfig, findings: &Findings) -> String {
    let mut out = String::new();
    interfaces(&mut out, config, findings);
    room(&mut out, config, findings);
    connections(&mut out, findings);
    clock(&mut out, findings);
    firewall(&mut out, config, findings);
    result(&mut out, config, findings);
    out
}

/// One line. Writing to a string cannot fail.
fn line(out: &mut String, text: impl AsRef<str>) {
    let _ = writeln!(out, "{}", visible(text.as_ref(), Tab::Escape));
}

fn interfaces(out: &mut String, config: &DoctorConfig, findings: &Findings) {
    line(out, "Interfaces");
    if findings.interfaces.is_empty() {
        line(out, "  none is up, or has an address");
    }
    for interface in &findings.interfaces {
        let addresses: Vec<String> = interface
            .addresses
            .iter()
            .map(ToString::to_string)
            .collect();
        line(
            out,
            format!("  {}: {}", interface.name, addresses.join(", ")),
        );
        let multicast = findings.multicast.iter();
        for found in multicast.filter(|found| found.interface == interface.name) {
            line(out, format!("    {}", multicast_words(config, found)));
        }
    }
    if !config.multicast {
        line(out, "  multicast is off (--no-multicast): nothing was sent");
    }
}

fn multicast_words(config: &DoctorConfig, found: &Multicast) -> String {
    let family = if found.address.is_ipv4() {
        "IPv4"
    } else {
        "IPv6"
    };
    let own = found.own_small + found.own_large;
    let mut words = format!(
        "{family} multicast: {} sent, {own} of them heard here",
        datagrams(found.sent)
    );
    if found.works() {
        let _ = write!(words, ", up to {DATAGRAM_BYTES_MAX} bytes");
    } else if found.own_small > 0 {
        words.push_str(", small ones only");
    }
    let _ = match found.hosts.len() {
        0 => write!(words, "; nothing of others"),
        1 => write!(
            words,
            "; {} of others, from 1 host",
            datagrams(found.others)
        ),
        hosts => write!(
            words,
            "; {} of others, from {hosts} hosts",
            datagrams(found.others)
        ),
    };
    if let Some(failure) = &found.failure {
        let _ = write!(words, "; {}: {failure}", config.group);
    }
    words
}

fn datagrams(n: u32) -> String {
    match n {
        1 => "1 datagram".to_owned(),
        n => format!("{n} datagrams"),
    }
}

fn room(out: &mut String, config: &DoctorConfig, findings: &Findings) {
    let heard = &findings.heard;
    line(out, format!("Room \"{}\"", config.room));
    match heard.coordinator() {
        Some(found) => {
            let nick = found.nick.as_deref().unwrap_or("a node");
            let (id, host) = (found.coordinator.id, super::plain(found.from).ip());
            let members = match found.members {
                1 => "1 member".to_owned(),
                n => format!("{n} members"),
            };
            let what = format!("  heard: {nick}#{id} coordinates it at {host}, {members}");
            line(out, what);
            if findings.coordinator.is_empty() {
                let none =
                    "  not dialled: none of its addresses can be reached from these interfaces";
                line(out, none);
            }
            for dial in &findings.coordinator {
                line(out, format!("  {}", dial_words(dial)));
            }
            match findings.is_dialled {
                Some(true) => line(
                    out,
                    "  it dials this machine when it is asked, which is enough",
                ),
                Some(false) => line(
                    out,
                    "  it does not dial this machine either, though it was asked",
                ),
                None => {}
            }
        }
        None if !config.multicast => line(out, "  not listened for: multicast is off"),
        None => line(out, format!("  no coordinator heard on {}", config.group)),
    }
    if let Some(host) = heard.locked_by {
        line(out, format!("  {host} uses this room's name with a secret"));
    }
    if let Some(host) = heard.other_secret {
        line(
            out,
            format!("  {host} uses this room's name with a different secret"),
        );
    }
    if let Some((host, version)) = heard.other_version {
        let text = format!(
            "  {host} speaks version {version} of the protocol: another papo is needed there or here"
        );
        line(out, text);
    }
    let others = heard.other_rooms();
    if !others.is_empty() {
        line(out, format!("  other rooms heard: {}", others.join(", ")));
    }
}

fn dial_words(dial: &Dial) -> String {
    let to = dial.to;
    match &dial.result {
        Err(why) => format!("{to} cannot be dialled: {why}"),
        Ok(took) => {
            let packets = match dial.packets {
                Packets::UpTo(bytes) => {
                    format!("packets with {bytes} bytes of text each get through")
                }
                Packets::Small => "only small packets get through (536 bytes)".to_owned(),
                Packets::Unknown => "whether large packets get through is not known".to_owned(),
            };
            format!(
                "{to} answers in {:.2} ms; {packets}",
                took.as_secs_f64() * 1e3
            )
        }
    }
}

fn connections(out: &mut String, findings: &Findings) {
    line(out, "Connections");
    match &findings.own {
        None => line(out, "  to oneself: there is no IPv4 address to try it with"),
        Some(own) => match &own.failure {
            None => line(out, format!("  to oneself, at {}: works", own.at.ip())),
            Some(why) => line(out, format!("  to oneself, at {}: {why}", own.at)),
        },
    }
    for peer in &findings.peers {
        if let Some(why) = &peer.failure {
            line(out, format!("  --peer {}: no such name: {why}", peer.name));
        } else if peer.dials.is_empty() {
            let why = "these interfaces do not lead there";
            line(out, format!("  --peer {}: {why}", peer.name));
        }
        for dial in &peer.dials {
            line(out, format!("  --peer {}: {}", peer.name, dial_words(dial)));
        }
    }
}

fn clock(out: &mut String, findings: &Findings) {
    line(out, "Clock");
    let now = i64::try_from(findings.wall_ms).ok();
    let now = now.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let now = now.map_or("unknown".to_owned(), |now| {
        now.strftime("%F %T UTC").to_string()
    });
    line(out, format!("  {now} here"));
    match findings.heard.other_time {
        Some((host, seconds)) => line(
            out,
            format!("  {seconds} seconds from that of {host}: two hours at most in a locked room"),
        ),
        None => line(
            out,
            "  no other clock was seen to differ (a locked room needs two hours, any other a day)",
        ),
    }
}

fn firewall(out: &mut String, config: &DoctorConfig, findings: &Findings) {
    let udp = config.group.port();
    let tcp = config.listen.map_or(PORT, |listen| listen.port());
    line(out, "Firewall");
    if findings.firewalls.is_empty() {
        line(out, "  none that is known here was found on this machine");
    }
    for name in &findings.firewalls {
        let what = match *name {
            "ufw" => format!("sudo ufw allow {udp}/udp && sudo ufw allow {tcp}/tcp"),
            "firewalld" => format!("sudo firewall-cmd --add-port={udp}/udp --add-port={tcp}/tcp"),
            _ => format!(
                "sudo iptables -I INPUT -p udp --dport {udp} -j ACCEPT && \
                 sudo iptables -I INPUT -p tcp --dport {tcp} -j ACCEPT"
            ),
        };
        let fixed = match config.listen {
            Some(_) => String::new(),
            None => format!(", and papo --listen 0.0.0.0:{tcp}"),
        };
        line(
            out,
            format!("  {name} is in force; if nobody gets through: {what}{fixed}"),
        );
    }
}

/// What the result means.
pub(super) struct Advice {
    pub(super) said: &'static str,
    /// What is to be done about it; empty if nothing is.
    pub(super) remedy: String,
}

/// The result in words.
pub(super) fn advice(config: &DoctorConfig, verdict: Verdict) -> Advice {
    let there = command::there(config);
    let (said, remedy) = match verdict {
        Verdict::Joins => ("chatting works: the room is there", String::new()),
        Verdict::Founds => (
            "chatting works, and nobody is in the room yet",
            "if somebody should be: run papo doctor there, too; if both say this, the network keeps multicast \
             from getting through"
                .to_owned(),
        ),
        Verdict::OnlyHere => (
            "chatting works between programs on this machine only: it is on no network",
            "connect it, if others should hear".to_owned(),
        ),
        Verdict::NoInterface => (
            "chatting does not work: no interface is up",
            "connect this machine to a network".to_owned(),
        ),
        Verdict::Locked => (
            "chatting does not work: the room is locked with a secret that is not given here",
            "give it with --secret-file or PAPO_SECRET, or choose another --room".to_owned(),
        ),
        Verdict::OtherTime => (
            "chatting does not work: the clocks are too far apart for a locked room",
            "set the clock of this machine or of the other one".to_owned(),
        ),
        Verdict::Unreachable => (
            "chatting does not work: the coordinator is heard, and neither of both can dial the other",
            format!(
                "let TCP connections in, here or where it runs (a firewall, a guest network that keeps its guests apart); \
                 with a fixed port there: {there}"
            ),
        ),
        Verdict::NoPeer => (
            "chatting does not work: no --peer can be reached",
            format!("see that papo runs there and may be dialled: {there}"),
        ),
        Verdict::NoMulticast => (
            "chatting does not work: multicast does not reach even this machine",
            format!("let it through, or do without: type {there} on another machine, and here, with its name"),
        ),
        Verdict::NoListener => (
            "chatting does not work: connections cannot be taken",
            "choose another --listen, or let the firewall have connections to this machine itself".to_owned(),
        ),
    };
    Advice { said, remedy }
}

fn result(out: &mut String, config: &DoctorConfig, findings: &Findings) {
    let verdict = findings.verdict(config);
    let Advice { said, remedy } = advice(config, verdict);
    line(out, format!("Result: {said}"));
    if !remedy.is_empty() {
        line(out, format!("  {remedy}"));
    }
    if findings.loses_large_packets() {
        let text = "  a path loses large packets: papo copes, slower; a lower MTU of the interface is better";
        line(out, text);
    }
    line(out, "Type");
    line(
        out,
        format!("  {}", command::here(config, findings, verdict)),
    );
}
