//! The events that say who people are, as JSON Lines: the members, those who come, go and change their
//! nick, and the answer to `/whois`.
//!
//! This module owns no state. A field that stands here keeps its name and meaning.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::identity::Fingerprint;
use crate::node::Departure;
use crate::wire::{Address, Id, Member};

use super::json::{When, event, millis};
use super::numbers::{Hex, Stamp};
use super::people::People;
use super::room_state::{RoomState, everybody};

/// A value that reads as text.
struct Text<T>(T);

impl<T: std::fmt::Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&self.0)
    }
}

/// An address, or nothing.
struct Shown(Option<Address>);

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.map_or(Ok(()), |address| address.fmt(f))
    }
}

#[derive(Serialize)]
struct MemberOut<'a> {
    id: Id,
    nick: &'a str,
    key: Hex,
    /// Empty for one who says none: whoever reads this counts on a text.
    address: Text<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<Fingerprint>,
}

fn member_list<'a>(members: &[&'a Member], people: &People) -> Vec<MemberOut<'a>> {
    members.iter().map(|m| member_out(m, people)).collect()
}

fn member_out<'a>(member: &'a Member, people: &People) -> MemberOut<'a> {
    MemberOut {
        id: member.id,
        nick: &member.nick,
        key: Hex(member.key.0),
        address: Text(Shown(member.addresses.first().copied())),
        identity: people.identity(member.key),
    }
}

/// `joined`
pub(super) fn joined(
    out: &mut Vec<u8>,
    at: When<'_>,
    room: &dyn RoomState,
    people: &People,
    again: bool,
) {
    #[derive(Serialize)]
    struct Body<'a> {
        id: Option<Id>,
        coordinator: Option<Id>,
        members: Vec<MemberOut<'a>>,
        history: usize,
        again: bool,
    }
    let body = Body {
        id: room.id(),
        coordinator: room.coordinator().map(|c| c.id),
        members: member_list(&everybody(room), people),
        history: room.history_len(),
        again,
    };
    event(out, "joined", at, body);
}

#[derive(Serialize)]
struct MemberChange<'a> {
    id: Id,
    nick: &'a str,
    key: Hex,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<Fingerprint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<&'a str>,
}

impl<'a> MemberChange<'a> {
    fn of(member: &'a Member, people: &People) -> MemberChange<'a> {
        MemberChange {
            id: member.id,
            nick: &member.nick,
            key: Hex(member.key.0),
            identity: people.identity(member.key),
            reason: None,
            previous: None,
        }
    }
}

/// `member_joined`
pub(super) fn member_joined(out: &mut Vec<u8>, at: When<'_>, member: &Member, people: &People) {
    event(out, "member_joined", at, MemberChange::of(member, people));
}

/// `member_left`
pub(super) fn member_left(
    out: &mut Vec<u8>,
    at: When<'_>,
    member: &Member,
    people: &People,
    departure: Departure,
) {
    let reason = Some(match departure {
        Departure::Left => "left",
        Departure::Lost => "lost",
    });
    let change = MemberChange {
        reason,
        ..MemberChange::of(member, people)
    };
    event(out, "member_left", at, change);
}

/// `member_renamed`
pub(super) fn member_renamed(
    out: &mut Vec<u8>,
    at: When<'_>,
    member: &Member,
    people: &People,
    previous: &str,
) {
    let change = MemberChange {
        previous: Some(previous),
        ..MemberChange::of(member, people)
    };
    event(out, "member_renamed", at, change);
}

/// `members`: the answer to `/members`.
pub(super) fn members(out: &mut Vec<u8>, at: When<'_>, room: &dyn RoomState, people: &People) {
    #[derive(Serialize)]
    struct Body<'a> {
        coordinator: Option<Id>,
        members: Vec<MemberOut<'a>>,
    }
    let body = Body {
        coordinator: room.coordinator().map(|c| c.id),
        members: member_list(&room.members().iter().collect::<Vec<_>>(), people),
    };
    event(out, "members", at, body);
}

/// `whois`: the answer to `/whois`, once for each who is named.
pub(super) fn whois(
    out: &mut Vec<u8>,
    at: When<'_>,
    member: &Member,
    people: &People,
    link: Option<(SocketAddr, Duration)>,
) {
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(flatten)]
        member: MemberOut<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        linked_at: Option<Text<SocketAddr>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        since: Option<Stamp>,
    }
    let since = link.map(|(_, ago)| Stamp(at.ms.saturating_sub(millis(ago))));
    let body = Body {
        member: member_out(member, people),
        linked_at: link.map(|(address, _)| Text(address)),
        since,
    };
    event(out, "whois", at, body);
}
