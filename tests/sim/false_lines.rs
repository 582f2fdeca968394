//! What a liar says of lines and histories: its own lines with false causes, numbers and times, what it
//! confirms, and what it answers in exchanges.
//!
//! Owns nothing. Whether and when something is said is `liar`'s.

use papo::wire::{
    Ack, ChatMessage, Chunk, Comparison, Digest, Draft, Item, Key, Message, MessageId, Part,
    Position, Stable, Sum, Sync, SyncAnswer,
};

use super::liar::{Liar, Lie, Scene};

/// Where the numbers of a liar's own lines begin.
const FAR: u64 = 1 << 20;
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
/// So many causes are named at once at most.
const CAUSES_MAX: usize = 6;

/// A number at one of its ends, or anything.
pub fn number(liar: &mut Liar) -> u64 {
    let ends = [
        0,
        1,
        2,
        7,
        1 << 32,
        (1 << 53) - 1,
        1 << 53,
        (1 << 53) + 1,
        1 << 63,
        u64::MAX - 1,
        u64::MAX,
    ];
    let end = liar.rng.choice(ends).unwrap_or(0);
    if liar.rng.u8(0..6) == 0 {
        liar.rng.u64(..)
    } else {
        end
    }
}

pub fn position(liar: &mut Liar, scene: &Scene) -> Position {
    match liar.rng.u8(0..4) {
        0 => Position::default(),
        1 => Position::END,
        2 => Position::new(scene.wall_ms << 16, scene.key, 1),
        _ => Position::new(number(liar), Key(number(liar)), number(liar)),
    }
}

/// A time that others believe, or not.
pub fn time(liar: &mut Liar, scene: &Scene) -> u64 {
    let wall = scene.wall_ms;
    let ms = [wall, wall + 1_000, wall + DAY_MS / 2, wall - 3_600_000, 1];
    match liar.rng.u8(0..3) {
        0 => number(liar),
        _ => liar.rng.choice(ms).unwrap_or(wall) << 16,
    }
}

/// A message that nobody has: of nobody, of a member, whoever hears it, or of itself.
fn cause(liar: &mut Liar, scene: &Scene) -> MessageId {
    let member = liar.rng.choice(&scene.others).copied();
    let (origin, seq) = match (liar.rng.u8(0..4), member) {
        (0, _) => (liar.ghost, 1),
        (1 | 2, Some((key, written))) => {
            (key, written + liar.rng.choice([1, 2, 1_000]).unwrap_or(1))
        }
        (1, None) => (scene.key, scene.written + 50),
        _ => (Key(liar.rng.u64(1..)), 1),
    };
    let seq = match liar.rng.u8(0..4) {
        0 => number(liar).max(1),
        _ => seq + liar.rng.u64(0..4),
    };
    MessageId { origin, seq }
}

fn causes(liar: &mut Liar, scene: &Scene) -> Vec<MessageId> {
    let count = liar.rng.usize(1..=CAUSES_MAX);
    let mut causes: Vec<MessageId> = (0..count).map(|_| cause(liar, scene)).collect();
    causes.sort();
    causes.dedup();
    causes
}

/// The same message with another text.
pub fn other_text(liar: &mut Liar, message: &ChatMessage) -> ChatMessage {
    let text = format!("lie {}", liar.rng.u16(..));
    made(&Draft {
        text: text.into(),
        ..message.draft()
    })
    .unwrap_or_else(|| message.clone())
}

pub fn made(draft: &Draft<'_>) -> Option<ChatMessage> {
    ChatMessage::new(draft).ok()
}

/// A new message of its own.
pub fn line(liar: &mut Liar, scene: &Scene) -> Draft<'static> {
    liar.count += 1;
    // Beyond what the real core has said, and without a hole between them.
    Draft {
        origin: scene.key,
        seq: FAR + liar.count,
        timestamp: scene.wall_ms << 16,
        sent_at: scene.wall_ms,
        from: scene.id.max(1),
        nick: scene.nick.clone().into(),
        dependencies: Vec::new().into(),
        text: format!("lie number {}", liar.count).into(),
    }
}

pub fn chat(liar: &mut Liar, scene: &Scene, message: &ChatMessage) -> ChatMessage {
    let mut draft = message.draft();
    if liar.lies_now(Lie::Seqs) {
        draft.seq = match liar.rng.u8(0..3) {
            0 => number(liar).max(1),
            1 => draft.seq + liar.rng.u64(1..2_000),
            _ => draft.seq.saturating_sub(1).max(1),
        };
    }
    if liar.lies_now(Lie::Times) {
        draft.timestamp = time(liar, scene);
        draft.sent_at = number(liar);
    }
    if liar.lies_now(Lie::Causes) {
        draft.dependencies = causes(liar, scene).into();
    }
    made(&draft).unwrap_or_else(|| message.clone())
}

pub fn ack(liar: &mut Liar) -> Ack {
    let seq = number(liar).max(1);
    let from = liar.rng.choice([1, seq]).unwrap_or(1);
    let missed = match liar.rng.u8(0..4) {
        0 => vec![(from, seq)],
        _ => Vec::new(),
    };
    Ack { from, seq, missed }
}

pub fn stable(liar: &mut Liar, scene: &Scene) -> Stable {
    let near = scene.written + liar.rng.u64(0..100);
    let said = if liar.rng.bool() { near } else { number(liar) };
    let stable = if liar.rng.bool() { said } else { 0 };
    let from = Some(number(liar).max(1)).filter(|_| liar.rng.bool());
    Stable { from, said, stable }
}

pub fn sync(liar: &mut Liar, scene: &Scene, no: u64) -> Sync {
    Sync {
        no,
        floor: position(liar, scene),
        digest: Digest(liar.rng.u128(..).to_be_bytes()),
        count: number(liar),
        back: liar.rng.bool(),
    }
}

fn sum(liar: &mut Liar) -> Sum {
    let mut bytes = [0; 32];
    liar.rng.fill(&mut bytes);
    Sum::from_bytes(bytes)
}

/// Parts up to somewhere that hold what nobody has.
fn parts(liar: &mut Liar, scene: &Scene) -> Vec<Part> {
    let mut upto: Vec<Position> = (0..liar.rng.usize(0..8))
        .map(|_| position(liar, scene))
        .collect();
    upto.sort();
    upto.dedup();
    let part = |upto| Part {
        upto,
        count: number(liar),
        sum: sum(liar),
    };
    upto.into_iter().map(part).collect()
}

pub fn sync_answer(liar: &mut Liar, scene: &Scene, no: u64) -> SyncAnswer {
    SyncAnswer {
        no,
        equal: liar.rng.bool(),
        floor: position(liar, scene),
        newest: Some(position(liar, scene)).filter(|_| liar.rng.bool()),
        parts: parts(liar, scene),
    }
}

/// What it holds in the spans that it is asked of, with other parts and other messages than there are.
pub fn comparison(liar: &mut Liar, scene: &Scene, mut said: Comparison) -> Comparison {
    for contents in &mut said.spans {
        if liar.rng.bool() {
            contents.parts = Some(parts(liar, scene)).filter(|parts| parts.len() >= 2);
        }
        for item in contents.items.iter_mut().flatten() {
            if liar.rng.u8(0..3) == 0 {
                let position = position(liar, scene);
                let hash = number(liar);
                *item = Item { position, hash };
            }
        }
    }
    said
}

/// A CHUNK with false causes and with what was said before, and a place to go on from that never ends.
pub fn chunk(liar: &mut Liar, scene: &Scene, no: u64) -> Chunk {
    let mut messages = Vec::new();
    let mut draft = line(liar, scene);
    draft.dependencies = causes(liar, scene).into();
    messages.extend(made(&draft));
    let again = liar.said.last().cloned();
    messages.extend(again.clone());
    messages.extend(again);
    let next = Some(position(liar, scene)).filter(|_| liar.rng.bool());
    Chunk { no, next, messages }
}

/// A CHUNK with one message that is new, and a word that there is more.
pub fn endless_chunk(liar: &mut Liar, scene: &Scene, no: u64) -> Message {
    let draft = line(liar, scene);
    let messages: Vec<ChatMessage> = made(&draft).into_iter().collect();
    let next = messages.last().map(ChatMessage::position);
    Message::Chunk(Chunk { no, next, messages })
}
