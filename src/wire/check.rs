//! What makes a message valid beyond its types: the limits and ranges of `PROTOCOL.md`.
//!
//! The same rules hold on the way out and on the way in, so whatever is emitted can be parsed.
//! An error is a short name of the rule that was broken.

use super::compared::{Contents, Item, Part, Span};
use super::kinds::{DatagramKind, MessageKind};
use super::message::{
    Ack, CarriedRequest, Datagram, Fetch, Hello, JoinRequest, JoinResponse, Message, Stable,
    UpdateKind,
};
use super::rules::{Check, addresses, key, nick, room, rule, seq, text};
use super::types::{Coordinator, Key, Member, View};
use crate::limits::{
    COMPARED_SPANS_MAX, FETCHED_SPANS_MAX, FORMER_MEMBERS_MAX, LISTED_MAX, MEMBERS_MAX,
    MISSED_RANGES_MAX, PARTS_MAX, SKIP_RANGES_MAX, WANT_RANGES_MAX,
};

pub(super) fn message(message: &Message) -> Check {
    match message {
        Message::Hello(m) => hello(m),
        Message::JoinRequest(m) => join_request(m),
        Message::JoinResponse(m) => join_response(m),
        Message::PeerUpdate(m) => {
            rule(
                m.kind == UpdateKind::Whole || m.members.len() == 1,
                "a step names one member",
            )?;
            key(m.coordinator)?;
            members(&m.members)
        }
        Message::Private(m) => {
            nick(&m.nick)?;
            text(&m.text)
        }
        Message::ElectionOk { coordinator: c }
        | Message::Ping { coordinator: c }
        | Message::Pong { coordinator: c } => c.as_ref().map_or(Ok(()), coordinator),
        Message::CoordinatorAnnouncement(v) => view(v),
        Message::Probe(k) | Message::ProbeAnswer(k) => key(*k),
        Message::SyncAnswer(m) => parts(&m.parts),
        Message::Compare(m) => {
            rule(!m.spans.is_empty(), "no span to compare")?;
            rule(m.spans.len() <= COMPARED_SPANS_MAX, "too many spans")?;
            spans(&m.spans)
        }
        Message::Comparison(m) => {
            rule(m.spans.len() <= COMPARED_SPANS_MAX, "too many spans")?;
            m.spans.iter().try_for_each(contents)
        }
        Message::Fetch(m) => fetch(m),
        Message::Ack(m) => ack(m),
        Message::Relay(m) => {
            key(m.from)?;
            key(m.to)?;
            m.ack.as_ref().map_or(Ok(()), ack)?;
            m.stable.as_ref().map_or(Ok(()), stable)?;
            m.request.as_ref().map_or(Ok(()), |r| carried(m.from, r))
        }
        Message::Stable(m) => stable(m),
        Message::Rename(n) => nick(n),
        Message::Referral(c) => coordinator(c),
        Message::Unknown(n) => unknown(MessageKind::of_number(*n).is_some()),
        // A chat message that exists is valid.
        Message::Chat(_)
        | Message::Chunk(_)
        | Message::ViewRequest
        | Message::Election { .. }
        | Message::Sync(_)
        | Message::Behind
        | Message::Leave
        | Message::Introduction(_)
        | Message::Proof(_) => Ok(()),
    }
}

fn carried(from: Key, carried: &CarriedRequest) -> Check {
    rule(carried.fields.key == from, "a request in another's name")?;
    join_request(&carried.fields)
}

fn join_response(response: &JoinResponse) -> Check {
    let lost = &response.lost;
    rule(lost.len() <= FORMER_MEMBERS_MAX, "too many former members")?;
    lost.iter().try_for_each(|lost| key(*lost))?;
    view(&response.view)
}

fn fetch(fetch: &Fetch) -> Check {
    rule(fetch.spans.len() <= FETCHED_SPANS_MAX, "too many spans")?;
    spans(&fetch.spans)?;
    let (skip, want) = (&fetch.skip, &fetch.want);
    rule(skip.len() <= SKIP_RANGES_MAX, "too many ranges to skip")?;
    rule(want.len() <= WANT_RANGES_MAX, "too many ranges wanted")?;
    skip.iter().chain(want).try_for_each(|r| {
        key(r.author)?;
        rule(r.first <= r.last, "a range ends before it starts")
    })
}

pub(super) fn datagram(datagram: &Datagram) -> Check {
    match datagram {
        Datagram::JoinRequest(m) => join_request(m),
        Datagram::Heartbeat {
            room: r,
            coordinator: c,
            nick: n,
            ..
        } => {
            room(r)?;
            n.as_deref().map_or(Ok(()), nick)?;
            coordinator(c)
        }
        Datagram::Referral {
            room: r,
            coordinator: c,
        } => {
            room(r)?;
            coordinator(c)
        }
        Datagram::BeatRequest { room: r, key: k } => {
            room(r)?;
            key(*k)
        }
        Datagram::Unknown(n) => unknown(DatagramKind::of_number(*n).is_some()),
    }
}

fn spans(spans: &[Span]) -> Check {
    let is_empty = |s: &Span| s.upto <= s.after;
    rule(!spans.iter().any(is_empty), "an empty span")?;
    let follow = |pair: &[Span]| pair[0].upto <= pair[1].after;
    rule(spans.windows(2).all(follow), "spans out of order")
}

fn parts(parts: &[Part]) -> Check {
    rule(parts.len() <= PARTS_MAX, "too many parts")?;
    let follow = |pair: &[Part]| pair[0].upto < pair[1].upto;
    rule(parts.windows(2).all(follow), "parts out of order")
}

fn contents(contents: &Contents) -> Check {
    if let Some(all) = &contents.parts {
        rule(all.len() >= 2, "a span in less than two parts")?;
        parts(all)?;
    }
    let items = contents.items.as_deref().unwrap_or_default();
    rule(items.len() <= LISTED_MAX, "too many items")?;
    let follow = |pair: &[Item]| pair[0].position < pair[1].position;
    rule(items.windows(2).all(follow), "items out of order")?;
    items.iter().try_for_each(|item| {
        key(item.position.origin)?;
        seq(item.position.seq)
    })
}

fn hello(m: &Hello) -> Check {
    room(&m.room)?;
    key(m.key)?;
    nick(&m.nick)?;
    addresses(&m.addresses)?;
    m.coordinator.as_ref().map_or(Ok(()), coordinator)
}

fn join_request(m: &JoinRequest) -> Check {
    room(&m.room)?;
    key(m.key)?;
    nick(&m.nick)?;
    addresses(&m.addresses)
}

fn ack(m: &Ack) -> Check {
    seq(m.from)?;
    rule(m.from <= m.seq, "a range ends before it starts")?;
    let missed = &m.missed;
    rule(missed.len() <= MISSED_RANGES_MAX, "too many ranges missed")?;
    let within = |r: &(u64, u64)| m.from <= r.0 && r.0 <= r.1 && r.1 <= m.seq;
    rule(missed.iter().all(within), "missed outside of the range")
}

fn stable(m: &Stable) -> Check {
    m.from.map_or(Ok(()), seq)?;
    rule(m.stable <= m.said, "more is stable than was said")
}

fn view(v: &View) -> Check {
    key(v.coordinator)?;
    rule(v.left.len() <= MEMBERS_MAX, "too many that left")?;
    v.left.iter().try_for_each(|left| key(*left))?;
    members(&v.members)
}

fn members(members: &[Member]) -> Check {
    rule(members.len() <= MEMBERS_MAX, "too many members")?;
    members.iter().try_for_each(|m| {
        key(m.key)?;
        nick(&m.nick)?;
        addresses(&m.addresses)
    })
}

fn coordinator(c: &Coordinator) -> Check {
    key(c.key)?;
    addresses(&c.addresses)
}

fn unknown(is_known: bool) -> Check {
    rule(!is_known, "a known type called unknown")
}
