//! Times, keys and message ids as JSON strings, written digit by digit.
//!
//! They are in every message, twice over, and going through the standard library's formatting
//! takes longer than all the rest of one. This module owns no state, and never asks what the values
//! are for.

use serde::ser::Error;
use serde::{Serialize, Serializer};

use crate::wire::MessageId;

/// Milliseconds since 1970 as RFC 3339 in UTC, with milliseconds.
pub(super) struct Stamp(pub(super) u64);

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        ascii(s, &stamp(self.0))
    }
}

/// A key or a digest: 16 lower-case hexadecimal digits.
pub(super) struct Hex(pub(super) u64);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        ascii(s, &hex(self.0))
    }
}

/// A message's name: `<key>-<seq>`.
pub(super) struct IdText(pub(super) MessageId);

impl Serialize for IdText {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut text = Vec::with_capacity(16 + 1 + DIGITS);
        push_id(&mut text, self.0);
        ascii(s, &text)
    }
}

/// Appends what [`Stamp`] is.
pub(super) fn push_stamp(out: &mut Vec<u8>, ms: u64) {
    out.extend_from_slice(&stamp(ms));
}

/// Appends what [`Hex`] is.
pub(super) fn push_hex(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&hex(value));
}

/// Appends what [`IdText`] is.
pub(super) fn push_id(out: &mut Vec<u8>, id: MessageId) {
    push_hex(out, id.origin.0);
    out.push(b'-');
    push_decimal(out, id.seq);
}

/// Appends a number.
pub(super) fn push_decimal(out: &mut Vec<u8>, value: u64) {
    let mut text = [0; DIGITS];
    let mut start = text.len();
    let mut rest = value;
    loop {
        start -= 1;
        text[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&text[start..]);
}

/// How many digits a u64 has at most.
const DIGITS: usize = 20;

fn stamp(ms: u64) -> [u8; 24] {
    // An author's clock may say anything: what no calendar has is shown as the end of ours.
    let stamp = i64::try_from(ms)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
        .unwrap_or(jiff::Timestamp::MAX);
    let time = jiff::tz::Offset::UTC.to_datetime(stamp);
    let mut text = *b"0000-00-00T00:00:00.000Z";
    put(&mut text[0..4], time.year());
    put(&mut text[5..7], time.month().into());
    put(&mut text[8..10], time.day().into());
    put(&mut text[11..13], time.hour().into());
    put(&mut text[14..16], time.minute().into());
    put(&mut text[17..19], time.second().into());
    put(&mut text[20..23], time.millisecond());
    text
}

fn hex(value: u64) -> [u8; 16] {
    let mut text = [0; 16];
    for (n, digit) in text.iter_mut().enumerate() {
        *digit = b"0123456789abcdef"[(value >> (60 - 4 * n)) as usize & 0xf];
    }
    text
}

/// Fills `digits` with a number that is not negative and has no more of them.
fn put(digits: &mut [u8], value: i16) {
    let mut rest = value;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
}

fn ascii<S: Serializer>(s: S, text: &[u8]) -> Result<S::Ok, S::Error> {
    s.serialize_str(std::str::from_utf8(text).map_err(S::Error::custom)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Key;

    fn written(value: impl Serialize) -> String {
        serde_json::to_value(value)
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned()
    }

    #[test]
    fn times_agree_with_the_library() {
        let mut rng = fastrand::Rng::with_seed(3);
        let edges = [
            0,
            999,
            951_782_399_999,
            951_782_400_000,
            253_402_207_200_000,
        ];
        let some = std::iter::repeat_with(|| rng.u64(0..253_402_207_200_000)).take(1_000);
        for ms in edges.into_iter().chain(some) {
            let stamp = jiff::Timestamp::from_millisecond(ms as i64).unwrap();
            assert_eq!(written(Stamp(ms)), format!("{stamp:.3}"));
        }
        assert_eq!(written(Stamp(u64::MAX)), "9999-12-30T22:00:00.999Z");
    }

    #[test]
    fn keys_and_ids_agree_with_their_display() {
        let mut rng = fastrand::Rng::with_seed(4);
        for seq in [0, 1, 9, 10, 1_234_567_890, u64::MAX] {
            let origin = Key(rng.u64(..) >> rng.u32(0..64));
            let id = MessageId { origin, seq };
            assert_eq!(written(IdText(id)), id.to_string());
            assert_eq!(written(Hex(origin.0)), origin.to_string());
        }
    }
}
