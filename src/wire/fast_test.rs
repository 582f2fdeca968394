//! The fast codec against the one through serde.

use super::super::chat::Draft;
use super::super::codec::{deserialize_message, encode_frame, serialize_message};
use super::*;
use crate::limits::{DEPENDENCIES_MAX, TEXT_BYTES_MAX};

/// Both codecs' bytes, which must be the same.
fn encoded(message: &Message) -> Vec<u8> {
    let (mut fast, mut slow) = (Vec::new(), Vec::new());
    match message {
        Message::Chat(messages) => encode_chat(messages, &mut fast),
        Message::Chunk(chunk) => encode_chunk(chunk, &mut fast),
        Message::Ack(ack) => encode_ack(ack, &mut fast),
        Message::Stable(stable) => encode_stable(stable, &mut fast),
        _ => unreachable!("not of the hot path"),
    }
    serialize_message(message, &mut slow);
    assert_eq!(fast, slow, "{message:?}");
    fast
}

/// What the fast decoder accepts, the other accepts too, and understands it in the same way.
fn assert_agree(item: &[u8]) -> bool {
    let fast = decode(item);
    if let Some(message) = &fast {
        assert_eq!(deserialize_message(item).as_ref(), Ok(message));
    }
    fast.is_some()
}

fn number(rng: &mut fastrand::Rng) -> u64 {
    let bits = rng.u32(0..=64);
    rng.u64(..).checked_shr(bits).unwrap_or(0)
}

fn text(rng: &mut fastrand::Rng, chars: usize) -> String {
    let count = rng.usize(0..=chars);
    let any = rng.bool();
    (0..count)
        .map(|_| if any { rng.char(..) } else { rng.alphabetic() })
        .collect()
}

/// Any values at all, valid or not.
fn draft(rng: &mut fastrand::Rng) -> Draft<'static> {
    let dependencies = match rng.u8(0..40) {
        0 => rng.usize(0..=DEPENDENCIES_MAX + 1),
        1..20 => rng.usize(0..4),
        _ => 0,
    };
    let dependency = |_| MessageId {
        origin: Key(number(rng)),
        seq: number(rng),
    };
    let dependencies: Vec<MessageId> = (0..dependencies).map(dependency).collect();
    let length = match rng.u8(0..40) {
        0 => TEXT_BYTES_MAX + 1,
        _ => 300,
    };
    Draft {
        origin: Key(number(rng)),
        seq: number(rng),
        timestamp: number(rng),
        sent_at: number(rng),
        from: number(rng),
        nick: text(rng, 33).into(),
        dependencies: dependencies.into(),
        text: text(rng, length).into(),
    }
}

/// What may come next of the same author: mostly what follows in the same block.
fn next(rng: &mut fastrand::Rng, before: &Draft<'static>) -> Draft<'static> {
    let other = draft(rng);
    let mut next = Draft {
        seq: before.seq.wrapping_add(1),
        timestamp: before.timestamp.wrapping_add(rng.u64(1..9)),
        dependencies: Vec::new().into(),
        text: other.text.clone(),
        ..before.clone()
    };
    match rng.u8(0..20) {
        0 => next.seq = other.seq,
        1 => next.timestamp = other.timestamp,
        2 => next.timestamp = before.timestamp,
        3 => next.timestamp = before.timestamp.wrapping_add(rng.u64(65_000..67_000)),
        4 => next.sent_at = other.sent_at,
        5 => next.from = other.from,
        6 => next.nick = other.nick,
        7 => next.dependencies = other.dependencies,
        8 => next.origin = other.origin,
        _ => {}
    }
    next
}

/// A valid message of the hot path.
fn message(rng: &mut fastrand::Rng) -> Message {
    match rng.u8(0..8) {
        0 => {
            let from = 1 + number(rng) / 2;
            let seq = from + number(rng) / 2;
            let missed = Vec::new();
            Message::Ack(Ack { from, seq, missed })
        }
        1 => {
            let said = number(rng);
            let from = rng.bool().then(|| number(rng).max(1));
            let stable = said - number(rng).min(said);
            Message::Stable(Stable { from, said, stable })
        }
        _ => chat(rng),
    }
}

/// Any valid messages, packed as they come.
fn chat(rng: &mut fastrand::Rng) -> Message {
    let mut packer = Packer::default();
    let (mut drafts, mut before) = (Vec::new(), None);
    for _ in 0..rng.usize(0..8) {
        let draft = match before.take().filter(|_| rng.u8(0..4) > 0) {
            Some(before) => next(rng, &before),
            None => draft(rng),
        };
        if packer.add(&draft.parts()).is_ok() {
            drafts.push(draft.clone());
        }
        before = Some(draft);
    }
    let messages = packer.take();
    assert!(messages.iter().map(ChatMessage::draft).eq(drafts));
    if rng.bool() {
        return Message::Chat(messages);
    }
    let next = rng
        .bool()
        .then(|| Position::new(number(rng), Key(number(rng)), 7));
    let no = number(rng);
    Message::Chunk(Chunk { no, next, messages })
}

#[test]
fn both_codecs_write_the_same_bytes_and_read_the_same_messages() {
    let mut rng = fastrand::Rng::with_seed(1);
    for _ in 0..3_000 {
        let message = message(&mut rng);
        assert!(assert_agree(&encoded(&message)), "{message:?}");
    }
}

#[test]
fn both_codecs_refuse_what_breaks_a_rule() {
    let mut rng = fastrand::Rng::with_seed(3);
    let mut refused = 0;
    for _ in 0..3_000 {
        let mut drafts = vec![draft(&mut rng)];
        if rng.bool() {
            drafts.push(next(&mut rng, &drafts[0]));
        }
        let mut item = Vec::new();
        let fields = std::collections::BTreeMap::from([("messages", &drafts)]);
        ciborium::into_writer(&(6, fields), &mut item).unwrap();
        let valid = drafts.iter().all(|d| ChatMessage::new(d).is_ok());
        assert_eq!(assert_agree(&item), valid, "{drafts:?}");
        assert_eq!(deserialize_message(&item).is_ok(), valid, "{drafts:?}");
        refused += u32::from(!valid);
    }
    assert!(refused > 500, "only {refused} were refused");
}

#[test]
fn both_codecs_agree_on_damaged_bytes() {
    let mut rng = fastrand::Rng::with_seed(2);
    let mut accepted = 0;
    for _ in 0..20_000 {
        let message = message(&mut rng);
        let mut item = encoded(&message);
        if item.len() > 2_000 {
            continue;
        }
        for _ in 0..rng.usize(1..3) {
            let at = rng.usize(0..item.len());
            match rng.u8(0..4) {
                0 => item[at] = rng.u8(..),
                1 => item[at] ^= 1 << rng.u8(0..8),
                2 => item.insert(at, rng.u8(..)),
                _ => drop(item.remove(at)),
            }
        }
        accepted += u32::from(assert_agree(&item));
    }
    assert!(accepted > 500, "only {accepted} were accepted");
}

#[test]
fn both_codecs_refuse_confirmations_that_break_a_rule_or_are_written_in_another_way() {
    let refused: [&[u8]; 8] = [
        b"\x82\x14\xa2\x64from\x01\x63seq\x05",
        b"\x82\x14\xa2\x64from\x00\x63seq\x05",
        b"\x82\x14\xa2\x64from\x06\x63seq\x05",
        b"\x82\x14\xa1\x63seq\x00",
        b"\x82\x14\xa1\x63seq\x05\x00",
        b"\x82\x18\x18\xa3\x64from\x00\x64said\x05\x66stable\x05",
        b"\x82\x18\x18\xa2\x64said\x04\x66stable\x05",
        // What breaks a rule is not skipped for what follows.
        b"\x82\x14\xa1\x63seq\x00\x82\x12\xa2\x62no\x01\x68messages\x80",
    ];
    for item in refused {
        assert!(!assert_agree(item), "{item:x?}");
        assert!(deserialize_message(item).is_err(), "{item:x?}");
    }
    // The fields in another order are for the other codec.
    let turned = b"\x82\x18\x18\xa2\x66stable\x04\x64said\x05";
    assert!(!assert_agree(turned));
    assert!(deserialize_message(turned).is_ok());
    let some = Ack {
        from: 2,
        seq: 5,
        missed: vec![(3, 3)],
    };
    assert!(!is_usual(&some));
    let frame = encode_frame(&Message::Ack(some.clone())).unwrap();
    assert_eq!(deserialize_message(&frame[4..]), Ok(Message::Ack(some)));
}
