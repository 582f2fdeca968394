//! The structure of a CBOR item (RFC 8949), checked before anything is built from it.
//!
//! What lives here: reading heads (a major type and its argument) and the scan of a whole item for
//! depth, lengths and UTF-8. Nothing here knows about messages or allocates.

use crate::limits::CBOR_DEPTH_MAX;

pub(super) const UINT: u8 = 0;
pub(super) const BYTES: u8 = 2;
pub(super) const TEXT: u8 = 3;
pub(super) const ARRAY: u8 = 4;
pub(super) const MAP: u8 = 5;
const TAG: u8 = 6;
pub(super) const SIMPLE: u8 = 7;

/// A place in a CBOR item. Each method takes what it returns; after `None` the place is undefined.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub(super) rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// A major type and its argument, in whichever width; `None` for an indefinite length.
    #[inline]
    pub(super) fn head(&mut self) -> Option<(u8, u64)> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        let argument = match first & 31 {
            n @ 0..=23 => u64::from(n),
            24 => u64::from(u8::from_be_bytes(self.chunk()?)),
            25 => u64::from(u16::from_be_bytes(self.chunk()?)),
            26 => u64::from(u32::from_be_bytes(self.chunk()?)),
            27 => u64::from_be_bytes(self.chunk()?),
            _ => return None,
        };
        Some((first >> 5, argument))
    }

    /// The argument of a head of this major type.
    #[inline]
    pub(super) fn argument(&mut self, major: u8) -> Option<u64> {
        self.head().filter(|h| h.0 == major).map(|h| h.1)
    }

    /// True and taken if these bytes come next.
    #[inline]
    pub(super) fn eat(&mut self, bytes: &[u8]) -> bool {
        let rest = self.rest.strip_prefix(bytes);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    #[inline]
    pub(super) fn take(&mut self, length: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(usize::try_from(length).ok()?)?;
        self.rest = rest;
        Some(taken)
    }

    /// Passes over one item, which was scanned.
    pub(super) fn skip_item(&mut self) -> Option<()> {
        let mut left = 1_u64;
        while left > 0 {
            let (major, argument) = self.head()?;
            let inner = match major {
                BYTES | TEXT => self.take(argument).map(|_| 0)?,
                ARRAY => argument,
                MAP => argument.checked_mul(2)?,
                TAG => 1,
                _ => 0,
            };
            left = (left - 1).checked_add(inner)?;
        }
        Some(())
    }

    #[inline]
    fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*taken)
    }
}

/// Checks that the bytes are exactly one well-formed CBOR item without indefinite lengths, of at most
/// `CBOR_DEPTH_MAX` arrays, maps and tags in each other, that announces no more than there is. The error
/// names the rule. What is skipped is held to this, and to nothing else.
///
/// A decoder that sees only such items allocates no more than in proportion to their size.
pub(super) fn scan(item: &[u8]) -> Result<(), &'static str> {
    let mut at = Cursor { rest: item };
    // How many items are still to come in each array, map or tag that is open.
    let mut open = [0_u64; CBOR_DEPTH_MAX];
    let mut depth = 0;
    loop {
        let first = at.rest.first().copied();
        let Some((major, argument)) = at.head() else {
            return Err(match first.map(|b| b & 31) {
                Some(31) => "indefinite length",
                Some(28..=30) => "reserved CBOR head",
                _ => "CBOR item cut short",
            });
        };
        let inner = match major {
            BYTES | TEXT => {
                let bytes = at.take(argument).ok_or("CBOR string cut short")?;
                if major == TEXT && str::from_utf8(bytes).is_err() {
                    return Err("text is not UTF-8");
                }
                0
            }
            ARRAY => argument,
            MAP => argument.checked_mul(2).ok_or("CBOR map cut short")?,
            TAG => 1,
            // What fits the first byte is not written in two (RFC 8949, section 3.3).
            SIMPLE if first == Some(SIMPLE << 5 | 24) && argument < 32 => {
                return Err("CBOR simple value that is not well-formed");
            }
            _ => 0,
        };
        let is_level = matches!(major, ARRAY | MAP | TAG);
        if is_level && depth == CBOR_DEPTH_MAX {
            return Err("CBOR nested too deep");
        }
        // Every item takes a byte, so more than the bytes left cannot be there.
        if inner > at.rest.len() as u64 {
            return Err("CBOR array or map cut short");
        }
        if inner > 0 {
            open[depth] = inner;
            depth += 1;
            continue;
        }
        while depth > 0 {
            open[depth - 1] -= 1;
            if open[depth - 1] > 0 {
                break;
            }
            depth -= 1;
        }
        if depth == 0 {
            return if at.rest.is_empty() {
                Ok(())
            } else {
                Err("bytes after the CBOR item")
            };
        }
    }
}
