//! What a liar says of the group, and which lie takes the place of which message: each as any decoder takes it.
//!
//! Owns nothing. Whether and when something is said is `liar`'s; lies about lines and histories are
//! `false_lines`'s.

use std::net::SocketAddr;

use papo::wire::{
    Address, Coordinator, Datagram, Hello, JoinRequest, JoinResponse, Key, Member, Message,
    PeerUpdate, UpdateKind, View,
};

use super::carrying::DEAD_ADDRESS;
use super::false_lines::{
    ack, chat, chunk, comparison, line, made, number, position, stable, sync, sync_answer, time,
};
use super::liar::{Liar, Lie, Scene};
use super::questions;

const ROOM: &str = "room";

fn somewhere(liar: &mut Liar, scene: &Scene) -> Vec<Address> {
    let nowhere = Address(SocketAddr::new(DEAD_ADDRESS.into(), 4_711));
    let closed = Address(SocketAddr::new(scene.address.0.ip(), 9));
    match liar.rng.u8(0..4) {
        0 => Vec::new(),
        1 => vec![scene.address],
        2 => vec![closed],
        _ => vec![nowhere],
    }
}

/// An id that outranks whoever coordinates.
fn high_id(liar: &mut Liar, scene: &Scene) -> u64 {
    let now = scene.coordinator.map_or(0, |c| c.id);
    let high = [now + 1, now + 1_000, 1 << 53];
    liar.rng.choice(high).unwrap_or(1 << 53)
}

/// A coordinator that does not exist.
pub fn ghost(liar: &mut Liar, scene: &Scene) -> Coordinator {
    Coordinator {
        id: high_id(liar, scene),
        key: liar.ghost,
        addresses: somewhere(liar, scene),
        version: number(liar),
    }
}

/// Somebody as a coordinator: nobody, itself, or a member that is none.
pub fn claim(liar: &mut Liar, scene: &Scene) -> Coordinator {
    let member = liar.rng.choice(&scene.members).cloned();
    match (liar.rng.u8(0..4), member) {
        (0, Some(member)) => Coordinator {
            id: number(liar),
            key: member.key,
            addresses: somewhere(liar, scene),
            version: number(liar),
        },
        (1, _) => Coordinator {
            id: high_id(liar, scene),
            key: scene.key,
            addresses: vec![scene.address],
            version: number(liar),
        },
        // A ghost of its own each time.
        (2, _) => {
            let key = Key(liar.rng.u64(1..));
            Coordinator {
                key,
                ..ghost(liar, scene)
            }
        }
        _ => ghost(liar, scene),
    }
}

fn maybe_claim(liar: &mut Liar, scene: &Scene) -> Option<Coordinator> {
    (liar.rng.u8(0..4) > 0).then(|| claim(liar, scene))
}

fn hello(liar: &mut Liar, scene: &Scene, mut hello: Hello) -> Hello {
    if liar.lies_now(Lie::Round) {
        hello.round = number(liar);
    }
    if liar.lies_now(Lie::Claim) {
        hello.coordinator = maybe_claim(liar, scene);
    }
    if liar.lies_now(Lie::Past) {
        hello.floor = Some(position(liar, scene)).filter(|_| liar.rng.u8(0..4) > 0);
        hello.oldest = Some(position(liar, scene)).filter(|_| liar.rng.bool());
        hello.clock = time(liar, scene);
        hello.wall = number(liar);
    }
    hello
}

/// A JOIN_REQUEST with other numbers.
pub fn request(liar: &mut Liar, request: JoinRequest) -> JoinRequest {
    JoinRequest {
        attempt: number(liar),
        id: Some(number(liar)).filter(|_| liar.rng.u8(0..3) > 0),
        next_id: number(liar),
        view_version: number(liar),
        office: liar.rng.bool(),
        ..request
    }
}

fn member(liar: &mut Liar, scene: &Scene) -> Member {
    Member {
        id: number(liar),
        key: match liar.rng.u8(0..3) {
            0 => Key(liar.rng.u64(1..)),
            _ => liar.ghost,
        },
        nick: "ghost".to_string(),
        addresses: somewhere(liar, scene),
    }
}

/// Members as they are not.
fn members(liar: &mut Liar, scene: &Scene, mut members: Vec<Member>) -> Vec<Member> {
    for _ in 0..liar.rng.usize(1..4) {
        match liar.rng.u8(0..4) {
            0 if !members.is_empty() => {
                let at = liar.rng.usize(0..members.len());
                members.remove(at);
            }
            1 if !members.is_empty() => {
                let at = liar.rng.usize(0..members.len());
                members[at].id = number(liar);
            }
            2 if !members.is_empty() => {
                let at = liar.rng.usize(0..members.len());
                members[at].addresses = somewhere(liar, scene);
            }
            _ => members.push(member(liar, scene)),
        }
    }
    members
}

fn view(liar: &mut Liar, scene: &Scene, view: View) -> View {
    let near = view.version.saturating_add(liar.rng.u64(0..3));
    View {
        version: if liar.rng.bool() { near } else { number(liar) },
        next_id: number(liar),
        members: members(liar, scene, view.members),
        clock: time(liar, scene),
        ..view
    }
}

fn update(liar: &mut Liar, scene: &Scene, update: PeerUpdate) -> PeerUpdate {
    let near = update.version.saturating_add(liar.rng.u64(0..3));
    PeerUpdate {
        version: if liar.rng.bool() { near } else { number(liar) },
        next_id: number(liar),
        members: match update.kind {
            UpdateKind::Whole => members(liar, scene, update.members),
            _ => vec![member(liar, scene)],
        },
        clock: time(liar, scene),
        ..update
    }
}

/// The answer that lets somebody into the room of a coordinator that does not exist.
pub fn ghosts_answer(liar: &mut Liar, scene: &Scene, request: &JoinRequest) -> Message {
    let leader = Member {
        id: high_id(liar, scene),
        key: liar.ghost,
        nick: "ghost".to_string(),
        addresses: somewhere(liar, scene),
    };
    let mut members = scene.members.clone();
    members.retain(|m| m.key != leader.key && m.id != leader.id);
    let id = match members.iter().find(|m| m.key == request.key) {
        Some(known) => known.id,
        None => {
            let id = 1 + members.iter().map(|m| m.id).max().unwrap_or(0);
            members.push(Member {
                id,
                key: request.key,
                nick: request.nick.clone(),
                addresses: request.addresses.clone(),
            });
            id
        }
    };
    members.push(leader);
    Message::JoinResponse(JoinResponse {
        id,
        view: View {
            coordinator: liar.ghost,
            version: scene.version + 1,
            next_id: 1 << 20,
            members,
            left: Vec::new(),
            clock: 0,
        },
        clock: time(liar, scene),
        newest: position(liar, scene),
        floor: Some(position(liar, scene)),
        lost: lost(liar, scene),
        no: 0,
    })
}

/// What is said instead of this message of the real core; nothing perhaps.
pub fn changed(liar: &mut Liar, scene: &Scene, message: Message) -> Option<Message> {
    Some(match message {
        Message::Hello(said) => Message::Hello(hello(liar, scene, said)),
        Message::JoinRequest(said) if liar.lies_now(Lie::Request) => {
            Message::JoinRequest(request(liar, said))
        }
        Message::JoinResponse(mut said) if liar.lies_now(Lie::View) => {
            said.view = view(liar, scene, said.view);
            said.clock = time(liar, scene);
            Message::JoinResponse(said)
        }
        Message::PeerUpdate(said) if liar.lies_now(Lie::View) => {
            Message::PeerUpdate(update(liar, scene, said))
        }
        Message::CoordinatorAnnouncement(_) if liar.tells(Lie::EmptyOk) => {
            liar.tell(Lie::EmptyOk);
            return None;
        }
        Message::CoordinatorAnnouncement(said) if liar.lies_now(Lie::View) => {
            Message::CoordinatorAnnouncement(view(liar, scene, said))
        }
        Message::Chat(said) => Message::Chat(said.iter().map(|m| chat(liar, scene, m)).collect()),
        Message::Ping { .. } if liar.tells(Lie::Ghost) => Message::Ping {
            coordinator: Some(steady_ghost(liar, scene)),
        },
        Message::Pong { .. } if liar.tells(Lie::Ghost) => Message::Pong {
            coordinator: Some(steady_ghost(liar, scene)),
        },
        Message::Ping { .. } if liar.lies_now(Lie::Claim) => Message::Ping {
            coordinator: maybe_claim(liar, scene),
        },
        Message::Pong { .. } if liar.lies_now(Lie::Claim) => Message::Pong {
            coordinator: maybe_claim(liar, scene),
        },
        Message::Sync(said) if liar.lies_now(Lie::Digests) => {
            Message::Sync(sync(liar, scene, said.no))
        }
        Message::SyncAnswer(said) if liar.lies_now(Lie::Digests) => {
            Message::SyncAnswer(sync_answer(liar, scene, said.no))
        }
        Message::Comparison(said) if liar.lies_now(Lie::Digests) => {
            Message::Comparison(comparison(liar, scene, said))
        }
        Message::Chunk(said) if liar.lies_now(Lie::Chunks) => {
            Message::Chunk(chunk(liar, scene, said.no))
        }
        Message::Compare(said) if liar.lies_now(Lie::Compares) => {
            Message::Compare(questions::compare(liar, scene, said.no))
        }
        Message::Fetch(said) if liar.lies_now(Lie::Fetches) => {
            Message::Fetch(questions::fetch(liar, scene, said.no))
        }
        Message::Ack(_) if liar.lies_now(Lie::Acks) => Message::Ack(ack(liar)),
        Message::Stable(_) if liar.lies_now(Lie::Stables) => Message::Stable(stable(liar, scene)),
        Message::Referral(_) if liar.lies_now(Lie::Referral) => {
            Message::Referral(claim(liar, scene))
        }
        other => other,
    })
}

/// The same ghost as ever, and above everybody.
fn steady_ghost(liar: &mut Liar, scene: &Scene) -> Coordinator {
    liar.tell(Lie::Ghost);
    Coordinator {
        id: 1 << 53,
        version: scene.version,
        ..ghost(liar, scene)
    }
}

/// What is said out of nothing for the sake of this lie; nothing if it takes a message of the real core.
pub fn added(liar: &mut Liar, scene: &Scene, lie: Lie) -> (Vec<Message>, Vec<Datagram>) {
    let leader = scene.coordinator.map_or(scene.key, |c| c.key);
    let on_links = match lie {
        Lie::UnaskedView => unasked_view(liar, scene, leader),
        Lie::Announcement => {
            let key = liar.rng.choice([scene.key, liar.ghost, leader]);
            Message::CoordinatorAnnouncement(false_view(liar, scene, key.unwrap_or(scene.key)))
        }
        Lie::UnaskedAnswer => {
            let key = liar.rng.choice([scene.key, liar.ghost]);
            Message::JoinResponse(JoinResponse {
                id: liar.rng.choice(&scene.members).map_or(1, |m| m.id),
                view: false_view(liar, scene, key.unwrap_or(scene.key)),
                clock: time(liar, scene),
                newest: position(liar, scene),
                floor: Some(position(liar, scene)),
                lost: lost(liar, scene),
                no: 0,
            })
        }
        Lie::Ghost => Message::Ping {
            coordinator: Some(steady_ghost(liar, scene)),
        },
        Lie::Claim => Message::Ping {
            coordinator: maybe_claim(liar, scene),
        },
        Lie::EmptyOk => Message::ElectionOk { coordinator: None },
        Lie::GhostOk => Message::ElectionOk {
            coordinator: Some(ghost(liar, scene)),
        },
        Lie::Election => Message::Election {
            id: number(liar),
            forced: liar.rng.u8(0..4) == 0,
        },
        Lie::Referral => Message::Referral(claim(liar, scene)),
        Lie::Heartbeat => return (Vec::new(), vec![datagram(liar, scene)]),
        Lie::Vouching => Message::ProbeAnswer(leader),
        Lie::Seqs | Lie::Times | Lie::Causes | Lie::TwoTexts => {
            let draft = line(liar, scene);
            let Some(message) = made(&draft) else {
                return (Vec::new(), Vec::new());
            };
            Message::Chat(vec![chat(liar, scene, &message)])
        }
        Lie::Digests => match liar.rng.u8(0..2) {
            0 => Message::Sync(sync(liar, scene, liar.exchange)),
            _ => Message::SyncAnswer(sync_answer(liar, scene, liar.exchange)),
        },
        Lie::Chunks => Message::Chunk(chunk(liar, scene, liar.exchange)),
        Lie::Acks => Message::Ack(ack(liar)),
        Lie::Stables => Message::Stable(stable(liar, scene)),
        Lie::Leave if liar.rng.u8(0..8) == 0 => Message::Leave,
        Lie::Rename => Message::Rename(format!("liar{}", liar.rng.u8(..))),
        Lie::Round | Lie::Past | Lie::Request | Lie::View | Lie::Leave => {
            return (Vec::new(), Vec::new());
        }
        Lie::EndlessChunks | Lie::Silence => return (Vec::new(), Vec::new()),
        Lie::Compares
        | Lie::Fetches
        | Lie::Behind
        | Lie::Probes
        | Lie::Relays
        | Lie::OthersRequests => return questions::asked(liar, scene, lie),
    };
    (vec![on_links], Vec::new())
}

fn datagram(liar: &mut Liar, scene: &Scene) -> Datagram {
    let coordinator = claim(liar, scene);
    if liar.rng.u8(0..3) == 0 {
        return Datagram::Referral {
            room: ROOM.to_string(),
            coordinator,
        };
    }
    Datagram::Heartbeat {
        room: ROOM.to_string(),
        coordinator,
        members: number(liar),
        nick: None,
    }
}

/// A view of this coordinator, with others in it than there are.
fn false_view(liar: &mut Liar, scene: &Scene, coordinator: Key) -> View {
    let mut all = scene.members.clone();
    if !all.iter().any(|m| m.key == coordinator) {
        all.push(Member {
            key: coordinator,
            ..member(liar, scene)
        });
    }
    let whole = View {
        coordinator,
        version: scene.version,
        next_id: 1,
        members: all,
        left: Vec::new(),
        clock: 0,
    };
    if liar.rng.u8(0..3) > 0 {
        let version = scene.version + liar.rng.u64(1..4);
        return View { version, ..whole };
    }
    view(liar, scene, whole)
}

fn unasked_view(liar: &mut Liar, scene: &Scene, leader: Key) -> Message {
    let whole = false_view(liar, scene, leader);
    let kinds = [
        UpdateKind::Whole,
        UpdateKind::Whole,
        UpdateKind::Joined,
        UpdateKind::Left,
        UpdateKind::Lost,
        UpdateKind::Renamed,
    ];
    let kind = liar.rng.choice(kinds).unwrap_or(UpdateKind::Whole);
    let one = liar.rng.choice(&scene.members).cloned();
    let members = match (kind, one) {
        (UpdateKind::Whole, _) => members(liar, scene, whole.members),
        (UpdateKind::Joined, _) | (_, None) => vec![member(liar, scene)],
        (_, Some(one)) => vec![one],
    };
    Message::PeerUpdate(PeerUpdate {
        coordinator: leader,
        version: whole.version,
        next_id: whole.next_id,
        kind,
        members,
        clock: time(liar, scene),
    })
}

/// Whoever is there, as if they had been lost.
fn lost(liar: &mut Liar, scene: &Scene) -> Vec<Key> {
    let all = scene.others.iter().map(|(key, _)| *key);
    liar.called_lost.extend(all.clone());
    all.collect()
}
