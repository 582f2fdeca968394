//! What people read: messages as `<nick> text`, and notices and answers in words.
//!
//! This module owns no state, and writes into memory only. Nothing that came from the network is ever
//! written here without going through [`visible`](mod@visible), nicks and reasons included.

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::identity::Fingerprint;
use crate::node::Phase;
use crate::wire::{ChatMessage, Id, Key, Member};

use super::act::topic_of;
use super::config::DriverStatus;
use super::room_state::{RoomState, everybody};
use super::visible::{self, Tab, visible};

/// Names listed in one notice; of more, only the number is said.
const NAMES_MAX: usize = 10;

/// Appends a message's line; nick and text are UTF-8.
pub fn message(out: &mut Vec<u8>, nick: &[u8], text: &[u8], tab: Tab) {
    // Enough for a plain message at once.
    out.reserve(nick.len() + text.len() + 4);
    out.push(b'<');
    visible::push(out, nick, Tab::Escape);
    out.extend_from_slice(b"> ");
    visible::push(out, text, tab);
    out.push(b'\n');
}

/// Appends in which room a line was said, where that is to be named: `[kitchen] `.
pub fn place(out: &mut Vec<u8>, room: Option<&str>) {
    if let Some(room) = room {
        out.push(b'[');
        visible::push(out, room.as_bytes(), Tab::Escape);
        out.extend_from_slice(b"] ");
    }
}

/// A member as people tell it from others: `ana#3`.
#[must_use]
pub fn name(member: &Member) -> String {
    format!("{}#{}", visible(&member.nick, Tab::Escape), member.id)
}

/// Whoever has this key, or its id if it is not in the view.
#[must_use]
pub fn name_of(key: Key, id: Id, members: &[Member]) -> String {
    let found = members.iter().find(|m| m.key == key);
    found.map_or_else(|| format!("#{id}"), name)
}

/// `ana#3, ben#5`, and how many more.
#[must_use]
pub fn names(members: &[Member]) -> String {
    let mut all: Vec<String> = members.iter().take(NAMES_MAX).map(name).collect();
    if members.len() > NAMES_MAX {
        all.push(format!("and {} more", members.len() - NAMES_MAX));
    }
    all.join(", ")
}

/// `1 line`, `2 lines`.
#[must_use]
pub fn count(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// `1,024`
#[must_use]
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What is said of a history of which only the newest lines are shown: `20 of 5,000 lines; /history shows
/// more`.
#[must_use]
pub fn part_of_history(shown: u64, all: u64) -> String {
    match shown {
        0 => format!(
            "{} said before; /history shows the newest",
            count_grouped(all)
        ),
        _ => format!("{}; /history shows more", stretch_of_history(shown, all)),
    }
}

/// What stands above messages of the history that are shown again: `20 of 5,000 lines`.
#[must_use]
pub fn stretch_of_history(shown: u64, all: u64) -> String {
    format!("{} of {}", grouped(shown), count_grouped(all))
}

/// What stands above what a search found: `20 of 31 lines with "lunch"`.
#[must_use]
pub fn found(shown: u64, found: u64, all: u64, words: &str) -> String {
    let words = visible(words, Tab::Escape);
    match found {
        0 => format!("none of {} has \"{words}\"", count_grouped(all)),
        n if n == shown => format!("{} with \"{words}\"", count_grouped(n)),
        n => format!(
            "the newest {} of {} with \"{words}\"",
            grouped(shown),
            count_grouped(n)
        ),
    }
}

/// `1 line`, `5,000 lines`.
fn count_grouped(lines: u64) -> String {
    format!(
        "{} {}",
        grouped(lines),
        if lines == 1 { "line" } else { "lines" }
    )
}

/// What leaving waits for: `waiting for fz#1 to confirm 1 line; Ctrl-C again leaves at once`.
#[must_use]
pub fn waiting(lines: u64, missing: &[Member], is_prompt: bool) -> String {
    let lines = count(lines, "line");
    let what = match names(missing) {
        names if names.is_empty() => format!("waiting until {lines} can be confirmed"),
        names => format!("waiting for {names} to confirm {lines}"),
    };
    match is_prompt {
        true => format!("{what}; Ctrl-C again leaves at once"),
        false => what,
    }
}

/// What is said when messages of an author were given up: `ana missed 1,024 lines of bia, 1 to
/// 1,024`; and why, if that was for want of a place to store them.
#[must_use]
pub fn missed(me: &str, author: &str, (first, last): (u64, u64), is_unstored: bool) -> String {
    let count = last.saturating_sub(first).saturating_add(1);
    let lines = match count {
        1 => format!("{me} missed 1 line of {author}, {}", grouped(first)),
        _ => format!(
            "{me} missed {} lines of {author}, {} to {}",
            grouped(count),
            grouped(first),
            grouped(last),
        ),
    };
    match is_unstored {
        true => format!("{lines}: they could not be stored for too long, and will not be"),
        false => lines,
    }
}

/// Who missed how much of what was said: `ben#3 missed 1,200, eva#4 missed 3 of the lines said`.
#[must_use]
pub fn missers(missed: &[(Member, u64)]) -> String {
    of_lines_said("missed", missed)
}

/// Who was lost before it said whether it has so many of what was said: `ben#3 was lost before it confirmed 1,200 of
/// the lines said`.
#[must_use]
pub fn unheard_of(lost: &[(Member, u64)]) -> String {
    of_lines_said("was lost before it confirmed", lost)
}

fn of_lines_said(did: &str, whom: &[(Member, u64)]) -> String {
    let one = |(member, n): &(Member, u64)| format!("{} {did} {}", name(member), grouped(*n));
    let mut all: Vec<String> = whom.iter().take(NAMES_MAX).map(one).collect();
    if whom.len() > NAMES_MAX {
        all.push(format!("and {} more {did} some", whom.len() - NAMES_MAX));
    }
    format!("{} of the lines said", all.join(", "))
}

/// When something was said, in local time, and a space.
pub fn moment(out: &mut Vec<u8>, sent_at_ms: u64) {
    // An author's clock may say anything: what no calendar has is the last moment of it.
    let stamp = i64::try_from(sent_at_ms)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
        .unwrap_or(jiff::Timestamp::MAX);
    let local = TimeZone::system().to_datetime(stamp);
    // Writing to memory cannot fail.
    let _ = write!(out, "{} ", local.strftime("%Y-%m-%d %H:%M:%S"));
}

/// What is said on joining.
#[must_use]
pub fn joined(name_of_room: &str, room: &dyn RoomState, again: bool) -> String {
    let me = room.key();
    let others = everybody(room).into_iter().filter(|m| m.key != me);
    let others: Vec<Member> = others.cloned().collect();
    let own = name_of(me, room.id().unwrap_or_default(), room.members());
    let with = match names(&others) {
        names if names.is_empty() => ", alone so far".to_owned(),
        names => format!(" with {names}"),
    };
    format!(
        "{} room {} as {own}{with}; {} in the history",
        if again { "again in" } else { "in" },
        visible(name_of_room, Tab::Escape),
        count(room.history_len() as u64, "message"),
    )
}

/// Where this node can be reached, and where it asks for others.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// The listener's addresses.
    pub tcp: Vec<String>,
    /// The multicast group; empty without one.
    pub group: String,
}

/// What is said to one who is alone: where others were looked for, and how they get here.
#[must_use]
pub fn alone(room: &str, reach: &Reach) -> Vec<String> {
    let host = |at: &str| at.rsplit_once(':').map_or(at, |(host, _)| host).to_owned();
    let hosts: Vec<String> = reach.tcp.iter().map(|at| host(at)).collect();
    let mut lines = vec![match reach.group.as_str() {
        "" | "none" => "no other member found; multicast is off".to_owned(),
        _ => format!("nobody answered on {}", hosts.join(", ")),
    }];
    // What listens on this machine alone cannot be reached from another.
    let is_local = |at: &&String| at.starts_with("127.") || at.starts_with("[::1]");
    if let Some(at) = reach.tcp.iter().find(|at| !is_local(at)) {
        let room = shell_word(room);
        lines.push(format!(
            "to join from another machine: papo --room {room} --peer {at}"
        ));
    }
    lines
}

/// A word as a shell takes it.
fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", visible(word, Tab::Escape).replace('\'', "'\\''"))
}

/// What is said of an election.
#[must_use]
pub fn election(phase: Phase, reason: &str) -> String {
    let what = match phase {
        Phase::Started => "election started",
        Phase::Won => "election won",
        Phase::Ended => "election ended",
    };
    match visible(reason, Tab::Escape) {
        reason if reason.is_empty() => what.to_owned(),
        reason => format!("{what}: {reason}"),
    }
}

/// What is said of a new coordinator.
#[must_use]
pub fn coordinator(id: Id, key: Key, own: bool, members: &[Member]) -> String {
    match own {
        true => "you are the coordinator now".to_owned(),
        false => format!("{} is the coordinator now", name_of(key, id, members)),
    }
}

/// The room's topic, and who set it.
#[must_use]
pub fn topic(set: &ChatMessage) -> String {
    let nick = visible(set.nick(), Tab::Escape);
    let topic = visible(topic_of(set), Tab::Spaces);
    format!("the topic is: {topic} (set by {nick})")
}

/// The answer to `/members`; `known` says whose node one with this key is, and that it is away.
#[must_use]
pub fn members(
    room: &dyn RoomState,
    known: impl Fn(Key) -> (Option<Fingerprint>, Option<String>),
) -> String {
    let coordinator = room.coordinator().map(|c| c.key);
    let mut lines = String::new();
    for member in room.members() {
        lines += &name(member);
        if let Some(address) = member.addresses.first() {
            lines += &format!(" {address}");
        }
        let (identity, away) = known(member.key);
        if let Some(identity) = identity {
            lines += &format!(" {identity}");
        }
        if coordinator == Some(member.key) {
            lines += " coordinator";
        }
        if member.key == room.key() {
            lines += " you";
        }
        if let Some(away) = away {
            lines += &format!(" {away}");
        }
        lines.push('\n');
    }
    lines
}

/// The answer to `/whois` of one member. `known` is what its link has proven of its owner, and `link`
/// where its other end is, and for how long.
#[must_use]
pub fn whois(
    member: &Member,
    known: Option<Option<Fingerprint>>,
    is_another: bool,
    link: Option<(SocketAddr, Duration)>,
) -> String {
    let identity = match known {
        Some(Some(identity)) => identity.to_string(),
        Some(None) => "none: anonymous".to_owned(),
        None => "not known: no link".to_owned(),
    };
    let mut lines = format!(
        "{}\nkey: {}\nidentity: {identity}\n",
        name(member),
        member.key
    );
    if is_another {
        lines += "not the one who was known under this nick before\n";
    }
    for address in &member.addresses {
        lines += &format!("address: {address}\n");
    }
    if let Some((address, since)) = link {
        let seconds = since.as_secs();
        let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
        lines += &format!(
            "linked: {address}, for {hours}:{minutes:02}:{:02}\n",
            seconds % 60
        );
    }
    lines
}

/// The answer to `/status`: what people want to know, in sentences.
#[must_use]
pub fn state(name_of_room: &str, room: &dyn RoomState, driver: DriverStatus) -> String {
    let me = name_of(room.key(), room.id().unwrap_or_default(), room.members());
    let others = (room.members().len() as u64).saturating_sub(1);
    let coordinates = match room.coordinator() {
        Some(claim) if claim.key == room.key() => "you coordinate".to_owned(),
        Some(claim) => format!(
            "{} coordinates",
            name_of(claim.key, claim.id, room.members())
        ),
        None => "nobody coordinates".to_owned(),
    };
    let seconds = driver.uptime.as_secs();
    let time = format!(
        "{}:{:02}:{:02}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    );
    let unconfirmed = match room.unconfirmed() {
        (0, _) => "Everything said here is confirmed.".to_owned(),
        (lines, missing) if missing.is_empty() => {
            format!("{} not confirmed.", count(lines, "line"))
        }
        (lines, missing) => {
            format!(
                "{} not confirmed by {}.",
                count(lines, "line"),
                names(&missing)
            )
        }
    };
    format!(
        "You are {me} in {}, for {time}, with {}; {coordinates}.\n\
         The history has {}. {unconfirmed}\n\
         All counters: /status -v\n",
        visible(name_of_room, Tab::Escape),
        count(others, "other member"),
        count_grouped(room.history_len() as u64),
    )
}

/// The answer to `/status -v`.
#[must_use]
pub fn status(name_of_room: &str, room: &dyn RoomState, driver: DriverStatus) -> String {
    let id = |id: Option<Id>| id.map_or_else(|| "none yet".to_owned(), |id| id.to_string());
    let mut lines = format!(
        "room: {}\nid: {}\nkey: {}\ncoordinator: {}\nmembers: {}\nhistory: {}\ndigest: {}\n\
         queued_bytes: {}\nuptime_ms: {}\n",
        visible(name_of_room, Tab::Escape),
        id(room.id()),
        room.key(),
        id(room.coordinator().map(|c| c.id)),
        room.members().len(),
        room.history_len(),
        Key(room.digest()),
        driver.queued_bytes,
        driver.uptime.as_millis(),
    );
    for (name, value) in room.counters() {
        lines += &format!("{name}: {value}\n");
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_who_is_alone_learns_where_it_asked_and_how_others_get_here() {
        let reach = Reach {
            tcp: vec!["127.0.0.1:7000".into(), "192.0.2.4:7000".into()],
            group: "239.1.2.3:4000".into(),
        };
        let lines = alone("o'hara room", &reach);
        assert_eq!(lines[0], "nobody answered on 127.0.0.1, 192.0.2.4");
        let command = r"papo --room 'o'\''hara room' --peer 192.0.2.4:7000";
        assert!(lines[1].ends_with(command), "{}", lines[1]);
        assert!(alone("lobby", &reach)[1].contains("--room lobby --peer"));
        let local = Reach {
            tcp: vec!["127.0.0.1:7000".into()],
            group: "none".into(),
        };
        assert_eq!(
            alone("lobby", &local),
            ["no other member found; multicast is off"]
        );
    }

    fn member(id: Id, nick: &str) -> Member {
        Member {
            id,
            key: Key(id),
            nick: nick.into(),
            addresses: vec![],
        }
    }

    fn line(nick: &str, text: &str) -> String {
        let mut out = Vec::new();
        message(&mut out, nick.as_bytes(), text.as_bytes(), Tab::Keep);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_message_is_one_line() {
        assert_eq!(line("ana", "a\tb"), "<ana> a\tb\n");
        assert_eq!(line("ana", ""), "<ana> \n");
        assert_eq!(line("a\tn\x1b", "x\ny\u{202e}"), "<a^In^[> x^Jy\\u{202e}\n");
    }

    #[test]
    fn long_lists_of_names_are_cut() {
        let members: Vec<Member> = (1..=12).map(|id| member(id, "m")).collect();
        assert_eq!(names(&members[..2]), "m#1, m#2");
        assert!(names(&members).ends_with("m#10, and 2 more"));
        assert_eq!(names(&[member(1, "\x1bc")]), "^[c#1");
    }

    #[test]
    fn what_was_missed_is_said_with_its_numbers() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(
            missed("ana", "bia", (17, 17), false),
            "ana missed 1 line of bia, 17"
        );
        assert_eq!(
            missed("ana", "bia", (1, 1_024), false),
            "ana missed 1,024 lines of bia, 1 to 1,024"
        );
        assert_eq!(
            missed("ana", "bia", (3, 4), true),
            "ana missed 2 lines of bia, 3 to 4: they could not be stored for too long, and will not be"
        );
        let many: Vec<_> = (3..15).map(|id| (member(id, "m"), 1_000 + id)).collect();
        assert_eq!(missers(&many[..1]), "m#3 missed 1,003 of the lines said");
        let said = missers(&many);
        assert!(
            said.ends_with("m#12 missed 1,012, and 2 more missed some of the lines said"),
            "{said}"
        );
    }

    #[test]
    fn elections_and_coordinators_are_said_in_words() {
        assert_eq!(
            election(Phase::Started, "lost\x07"),
            "election started: lost^G"
        );
        assert_eq!(election(Phase::Won, ""), "election won");
        let members = [member(4, "ben")];
        assert_eq!(
            coordinator(4, Key(4), false, &members),
            "ben#4 is the coordinator now"
        );
        assert_eq!(
            coordinator(9, Key(9), false, &members),
            "#9 is the coordinator now"
        );
        assert_eq!(
            coordinator(4, Key(4), true, &members),
            "you are the coordinator now"
        );
    }
}
