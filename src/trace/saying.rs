//! What a message says, as far as a trace has it.
//!
//! Owns nothing. It never copies a text unless it was asked to.

use crate::wire::{
    ChatMessage, Coordinator, Datagram, DatagramKind, JoinRequest, Key, Message, MessageKind,
    UpdateKind, View,
};

use super::format::{Claims, Hex, Run, Said};

/// The name of a message's type.
#[must_use]
pub fn name_of(message: &Message) -> &'static str {
    MessageKind::of_number(message.number()).map_or("UNKNOWN", MessageKind::name)
}

/// The name of a datagram's type.
#[must_use]
pub fn name_of_datagram(datagram: &Datagram) -> &'static str {
    DatagramKind::of_number(datagram.number()).map_or("UNKNOWN", DatagramKind::name)
}

/// What a message says, with its texts if they are wanted.
pub(super) fn said(message: &Message, texts: bool) -> Said {
    match message {
        Message::Hello(hello) => Said {
            about: Some(Hex(hello.key)),
            ..of_coordinator(hello.coordinator.as_ref())
        },
        Message::JoinRequest(request) => of_request(request),
        Message::JoinResponse(response) => Said {
            id: Some(response.id),
            ..of_view(&response.view)
        },
        Message::PeerUpdate(update) => Said {
            view: Some(update.version),
            members: Some(update.members.len() as u64),
            kind: Some(step(update.kind).to_owned()),
            about: match (&update.members[..], update.kind) {
                (_, UpdateKind::Whole) => None,
                (members, _) => members.first().map(|m| Hex(m.key)),
            },
            ..Said::default()
        },
        Message::Election { id, forced } => Said {
            id: Some(*id),
            forced: *forced,
            ..Said::default()
        },
        Message::CoordinatorAnnouncement(view) => of_view(view),
        Message::ElectionOk { coordinator }
        | Message::Ping { coordinator }
        | Message::Pong { coordinator } => of_coordinator(coordinator.as_ref()),
        Message::Referral(coordinator) => of_coordinator(Some(coordinator)),
        Message::Probe(key) | Message::ProbeAnswer(key) => about(*key),
        Message::Leave | Message::ViewRequest | Message::Behind | Message::Rename(_) => {
            Said::default()
        }
        other => of_talk(other, texts),
    }
}

/// The same of what belongs to the chat.
fn of_talk(message: &Message, texts: bool) -> Said {
    match message {
        Message::Chat(messages) => of_chat(messages, texts),
        Message::Chunk(chunk) => of_chat(&chunk.messages, texts),
        Message::Private(private) => Said {
            texts: texts.then(|| private.text.clone()).into_iter().collect(),
            ..Said::default()
        },
        Message::Ack(ack) => Said {
            seq: Some(ack.seq),
            ..Said::default()
        },
        Message::Stable(stable) => Said {
            seq: Some(stable.said),
            ..Said::default()
        },
        Message::Relay(relay) => about(relay.to),
        _ => Said::default(),
    }
}

/// What a datagram says, and who its sender says it is.
pub(super) fn said_by_datagram(datagram: &Datagram) -> (Option<Key>, Said) {
    match datagram {
        Datagram::JoinRequest(request) => (Some(request.key), of_request(request)),
        Datagram::Heartbeat {
            coordinator,
            members,
            ..
        } => {
            let said = Said {
                members: Some(*members),
                ..of_coordinator(Some(coordinator))
            };
            (Some(coordinator.key), said)
        }
        Datagram::Referral { coordinator, .. } => (None, of_coordinator(Some(coordinator))),
        Datagram::BeatRequest { key, .. } => (Some(*key), Said::default()),
        Datagram::Unknown(_) => (None, Said::default()),
    }
}

/// The names of these messages: consecutive ones of one author together.
pub(super) fn runs(messages: &[ChatMessage]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for message in messages {
        let (origin, seq) = (Hex(message.origin()), message.seq());
        match runs.last_mut() {
            Some(Run(of, _, last)) if *of == origin && *last + 1 == seq => *last = seq,
            _ => runs.push(Run(origin, seq, seq)),
        }
    }
    runs
}

/// What they say, if that is wanted.
pub(super) fn texts_of(messages: &[ChatMessage], wanted: bool) -> Vec<String> {
    let wanted = messages.iter().filter(|_| wanted);
    wanted.map(|m| m.text().to_owned()).collect()
}

fn of_chat(messages: &[ChatMessage], texts: bool) -> Said {
    Said {
        ids: runs(messages),
        texts: texts_of(messages, texts),
        ..Said::default()
    }
}

fn of_coordinator(coordinator: Option<&Coordinator>) -> Said {
    Said {
        claim: coordinator.map(|c| c.claim().into()),
        view: coordinator.map(|c| c.version),
        ..Said::default()
    }
}

fn of_view(view: &View) -> Said {
    let leader = view.members.iter().find(|m| m.key == view.coordinator);
    Said {
        claim: leader.map(|m| Claims(m.id, Hex(m.key))),
        view: Some(view.version),
        members: Some(view.members.len() as u64),
        ..Said::default()
    }
}

fn of_request(request: &JoinRequest) -> Said {
    Said {
        id: request.id,
        about: Some(Hex(request.key)),
        kind: Some(format!("attempt {}", request.attempt)),
        ..Said::default()
    }
}

fn about(key: Key) -> Said {
    Said {
        about: Some(Hex(key)),
        ..Said::default()
    }
}

fn step(kind: UpdateKind) -> &'static str {
    match kind {
        UpdateKind::Whole => "whole",
        UpdateKind::Joined => "joined",
        UpdateKind::Left => "left",
        UpdateKind::Lost => "lost",
        UpdateKind::Renamed => "renamed",
    }
}
