//! Messages that wait in blocks: many that were committed together are one row of the table `arrived`,
//! which costs a tenth of their rows in `messages`. They become such rows later.
//!
//! Owns which blocks wait, and what goes into one; it never looks for a message in them, which is `arrived`'s
//! business. A message that is in a block is stored: it survives
//! what a row survives, and whoever reads the file reads both. A message may be in both for a while
//! (a commit that did not count is made again), and then counts once.
//!
//! Readers look for a position in the blocks whose span it is in. That these are few is seen to by the
//! writer: what would overlap more than [`OVERLAPS_MAX`] blocks, or does not fit any more
//! ([`ARRIVED_BYTES_MAX`], [`ARRIVED_BLOCKS_MAX`]), becomes rows at once. So does what is too little to be
//! worth a block.

use std::cell::Ref;
use std::collections::VecDeque;

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::packed::{pack, unpack};
use super::schema::{self, bytes_of, position_of};
use super::{Store, StoreError};
use crate::limits::{ARRIVED_BLOCKS_MAX, ARRIVED_BYTES_MAX};
use crate::wire::{ChatMessage, Position};

/// Fewer messages than this, committed together, are no block: their rows take at most 0.2 ms.
pub const BLOCK_MIN: usize = 64;
/// Messages in a block, at most, and about the bytes: becoming rows, a block takes some 2 ms.
const BLOCK_MAX: usize = 512;
const BLOCK_BYTES: usize = 64 * 1024;
/// Other blocks that a new one may overlap in the total order, those of its own commit counted: five that speak
/// at once overlap a few.
const OVERLAPS_MAX: usize = 16;

/// From where to where a block's messages lie in the total order.
#[derive(Clone, Copy, Debug)]
struct Reach {
    least: Position,
    greatest: Position,
}

/// One block that waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    id: i64,
    reach: Reach,
    bytes: usize,
    /// It could not be unpacked.
    is_spoilt: bool,
}

impl Span {
    /// By which the block is found.
    pub(super) fn id(&self) -> i64 {
        self.id
    }

    /// The position of its first message in the total order.
    pub(super) fn least(&self) -> Position {
        self.reach.least
    }

    /// The position of its last message in the total order.
    pub(super) fn greatest(&self) -> Position {
        self.reach.greatest
    }
}

/// The blocks that wait, in the order in which they are to become rows.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    spans: VecDeque<Span>,
    bytes: usize,
    /// How many of them cannot be unpacked: they are left where they are.
    spoilt: usize,
    /// Something became rows at once since too many blocks lie where it does.
    is_crowded: bool,
    /// No position in a block was ever greater.
    newest: Position,
    /// The state of the file in which that was so; none if it was not looked at.
    seen: Option<i64>,
    /// The block that was packed last: memory that is given back each time comes back as pages of zeros.
    packed: Vec<u8>,
}

/// What is to become a block.
#[derive(Debug)]
pub(super) struct Block<'m> {
    reach: Reach,
    messages: Vec<&'m ChatMessage>,
    /// It takes at most so many.
    bytes: usize,
}

/// What is left of a block whose oldest messages were deleted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    id: i64,
    /// The position of its first message now, and its bytes; none if nothing is left.
    left: Option<(Position, usize)>,
}

impl Reach {
    /// That of these messages. Of those that follow each other in memory the first and the last are looked at: the
    /// others lie between them.
    fn of(messages: &[&ChatMessage]) -> Reach {
        let mut runs = messages.chunk_by(|before, message| message.is_next_in_block(before));
        let ends = |run: &[&ChatMessage]| {
            let (first, last) = (run.first()?, run.last()?);
            Some((first.position(), last.position()))
        };
        let first = runs.next().and_then(ends).unwrap_or_default();
        let (least, greatest) = runs
            .filter_map(ends)
            .fold(first, |reach, run| (reach.0.min(run.0), reach.1.max(run.1)));
        Reach { least, greatest }
    }

    fn overlaps(&self, other: &Reach) -> bool {
        self.least <= other.greatest && self.greatest >= other.least
    }
}

impl Waiting {
    /// Divides what is to be committed: what becomes blocks, and what becomes rows at once.
    pub(super) fn divide<'m>(
        &mut self,
        messages: Vec<&'m ChatMessage>,
    ) -> (Vec<Block<'m>>, Vec<&'m ChatMessage>) {
        if messages.len() < BLOCK_MIN {
            return (Vec::new(), messages);
        }
        // Old messages that come while others are new would make a block that spans everything.
        let (later, earlier) = match Reach::of(&messages).least > self.newest {
            true => (messages, Vec::new()),
            false => (messages.into_iter()).partition(|m| m.position() > self.newest),
        };
        let (mut blocks, mut rows) = (Vec::new(), Vec::new());
        for part in [earlier, later].iter().filter(|part| !part.is_empty()) {
            for piece in part.chunks(piece_len(part)) {
                let (reach, bytes) = (Reach::of(piece), size_of(piece));
                if piece.len() >= BLOCK_MIN && self.has_room_for(reach, bytes, &blocks) {
                    blocks.push(Block {
                        reach,
                        messages: piece.to_vec(),
                        bytes,
                    });
                } else {
                    rows.extend(piece);
                }
            }
        }
        (blocks, rows)
    }

    /// True if a block of at most so many bytes may lie there, besides those of its commit.
    fn has_room_for(&mut self, reach: Reach, bytes: usize, others: &[Block<'_>]) -> bool {
        let more: usize = others.iter().map(|other| other.bytes).sum();
        if self.bytes + more + bytes > ARRIVED_BYTES_MAX
            || self.spans.len() + others.len() >= ARRIVED_BLOCKS_MAX
        {
            return false;
        }
        let here = match reach.least > self.newest {
            true => 0,
            false => (self.spans.iter().filter(|s| s.reach.overlaps(&reach))).count(),
        };
        let with_it = others.iter().filter(|other| other.reach.overlaps(&reach));
        if here + with_it.count() <= OVERLAPS_MAX {
            return true;
        }
        self.note_crowd(reach);
        false
    }

    /// Too many blocks lie there: they become rows before the others.
    fn note_crowd(&mut self, reach: Reach) {
        if std::mem::replace(&mut self.is_crowded, true) {
            return;
        }
        let spans = std::mem::take(&mut self.spans).into_iter();
        let (in_the_way, others): (VecDeque<_>, VecDeque<_>) =
            spans.partition(|span| span.reach.overlaps(&reach));
        self.spans = in_the_way;
        self.spans.extend(others);
    }

    /// These are committed.
    pub(super) fn add(&mut self, spans: Vec<Span>) {
        spans.into_iter().for_each(|span| self.push(span));
    }

    fn push(&mut self, span: Span) {
        self.bytes += span.bytes;
        self.newest = self.newest.max(span.reach.greatest);
        self.spans.push_back(span);
    }

    /// All of them.
    pub(super) fn spans(&self) -> impl DoubleEndedIterator<Item = Span> + '_ {
        self.spans.iter().copied()
    }

    /// The block that is to become rows next.
    fn next(&self) -> Option<Span> {
        self.spans.iter().find(|span| !span.is_spoilt).copied()
    }

    /// This block became rows, or cannot be unpacked.
    fn on_tried(&mut self, id: i64, result: &Result<(), StoreError>) {
        let Some(index) = self.spans.iter().position(|span| span.id == id) else {
            return;
        };
        match result {
            Ok(()) => {
                self.is_crowded = false;
                let span = self.spans.remove(index);
                self.bytes = (self.bytes).saturating_sub(span.map_or(0, |span| span.bytes));
            }
            Err(StoreError::Damaged(_)) => {
                self.spoilt += 1;
                self.spans[index].is_spoilt = true;
            }
            Err(_) => {}
        }
    }

    /// The last position of the block that ends first.
    pub(super) fn oldest(&self) -> Option<Position> {
        let there = self.spans.iter().filter(|span| !span.is_spoilt);
        there.map(|span| span.reach.greatest).min()
    }

    /// These blocks were cut.
    pub(super) fn note_cuts(&mut self, cuts: &[Cut]) {
        for cut in cuts {
            let Some(at) = self.spans.iter().position(|span| span.id == cut.id) else {
                continue;
            };
            self.bytes = self.bytes.saturating_sub(self.spans[at].bytes);
            match cut.left {
                Some((least, bytes)) => {
                    self.bytes += bytes;
                    self.spans[at].reach.least = least;
                    self.spans[at].bytes = bytes;
                }
                None => drop(self.spans.remove(at)),
            }
        }
    }

    /// Reads which blocks wait.
    fn look(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let sql = "PRAGMA data_version";
        let mut ask = connection.prepare_cached(sql)?;
        let version: i64 = ask.query_row([], |row| row.get(0))?;
        if self.seen == Some(version) {
            return Ok(());
        }
        *self = Waiting::default();
        let mut spans = connection.prepare_cached(schema::SPANS)?;
        let mut rows = spans.query([])?;
        while let Some(row) = rows.next()? {
            self.push(Span {
                id: row.get(0)?,
                reach: Reach {
                    least: position_of(&row.get::<_, Vec<u8>>(1)?)?,
                    greatest: position_of(&row.get::<_, Vec<u8>>(2)?)?,
                },
                is_spoilt: false,
                bytes: usize::try_from(row.get::<_, i64>(3)?).unwrap_or(0),
            });
        }
        self.seen = Some(version);
        Ok(())
    }
}

/// How many messages of a part go into each of its pieces, which are of about one length.
fn piece_len(part: &[&ChatMessage]) -> usize {
    let by_bytes = size_of(part).div_ceil(BLOCK_BYTES);
    let pieces = part.len().div_ceil(BLOCK_MAX).max(by_bytes);
    part.len().div_ceil(pieces.max(1))
}

/// More bytes than these messages take in a block.
fn size_of(part: &[&ChatMessage]) -> usize {
    part.iter().map(|m| m.size_bound()).sum()
}

impl Waiting {
    /// Within a transaction: makes these blocks wait. What the result says is so once it is committed.
    pub(super) fn insert(
        &mut self,
        transaction: &Transaction<'_>,
        blocks: Vec<Block<'_>>,
    ) -> Result<Vec<Span>, StoreError> {
        let mut insert = transaction.prepare_cached(schema::INSERT_BLOCK)?;
        let mut spans = Vec::with_capacity(blocks.len());
        for Block {
            reach, messages, ..
        } in blocks
        {
            pack(&messages, &mut self.packed);
            let bytes = self.packed.len();
            insert.execute(params![
                bytes_of(reach.least),
                bytes_of(reach.greatest),
                i64::try_from(messages.len()).unwrap_or(i64::MAX),
                i64::try_from(bytes).unwrap_or(i64::MAX),
                self.packed
            ])?;
            spans.push(Span {
                id: transaction.last_insert_rowid(),
                reach,
                bytes,
                is_spoilt: false,
            });
        }
        Ok(spans)
    }
}

/// Within a transaction: deletes what lies up to this position in blocks, and adds what that was. What cannot be
/// unpacked stays where it is.
pub(super) fn cut(
    transaction: &Transaction<'_>,
    waiting: &Waiting,
    upto: Position,
    deleted: &mut Vec<ChatMessage>,
) -> Result<Vec<Cut>, StoreError> {
    let (mut cuts, mut packed) = (Vec::new(), Vec::new());
    let reached = |span: &&Span| !span.is_spoilt && span.reach.least <= upto;
    for span in waiting.spans.iter().filter(reached) {
        let id = span.id;
        let messages = unpack_at(transaction, id)?;
        let is_gone = |message: &ChatMessage| message.position() <= upto;
        let (gone, kept): (Vec<_>, Vec<_>) = messages.into_iter().partition(is_gone);
        deleted.extend(gone);
        let Some(least) = kept.iter().map(ChatMessage::position).min() else {
            let mut delete = transaction.prepare_cached("DELETE FROM arrived WHERE id = ?1")?;
            delete.execute([id])?;
            cuts.push(Cut { id, left: None });
            continue;
        };
        let kept: Vec<&ChatMessage> = kept.iter().collect();
        pack(&kept, &mut packed);
        let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let sql =
            "UPDATE arrived SET least = ?2, count = ?3, bytes = ?4, messages = ?5 WHERE id = ?1";
        let mut update = transaction.prepare_cached(sql)?;
        update.execute(params![
            id,
            bytes_of(least),
            number(kept.len()),
            number(packed.len()),
            packed
        ])?;
        let left = Some((least, packed.len()));
        cuts.push(Cut { id, left });
    }
    Ok(cuts)
}

impl Store {
    /// How many messages' bytes wait in blocks.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        self.waiting.borrow().bytes
    }

    /// How many blocks of messages wait to become rows, those left out that cannot be unpacked.
    #[must_use]
    pub fn waiting_blocks(&self) -> usize {
        let waiting = self.waiting.borrow();
        waiting.spans.len() - waiting.spoilt
    }

    /// True if blocks lie where others should, so that what comes becomes rows at once: that ends sooner if
    /// they become rows.
    #[must_use]
    pub fn is_crowded(&self) -> bool {
        self.waiting.borrow().is_crowded
    }

    /// Turns the messages of one block into rows, in one transaction, which takes some 2 ms. It does not
    /// wait for the disk.
    ///
    /// # Errors
    ///
    /// If that failed; nothing has changed then. A block that cannot be unpacked is not tried again before the
    /// file is opened anew.
    pub fn make_rows(&mut self) -> Result<(), StoreError> {
        let Some(span) = self.waiting.borrow().next() else {
            return Ok(());
        };
        let result = self.make_rows_of(span.id);
        self.waiting.get_mut().on_tried(span.id, &result);
        result
    }

    fn make_rows_of(&mut self, id: i64) -> Result<(), StoreError> {
        let transaction =
            (self.connection).transaction_with_behavior(TransactionBehavior::Immediate)?;
        let messages = unpack_at(&transaction, id)?;
        {
            let mut insert = transaction.prepare_cached(schema::INSERT)?;
            for message in &messages {
                schema::insert(&mut insert, message)?;
            }
            let mut delete = transaction.prepare_cached("DELETE FROM arrived WHERE id = ?1")?;
            delete.execute([id])?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// The blocks that wait. Somebody else may change which these are, if this is not the writer: then
    /// they stay the same only within a transaction.
    pub(super) fn waiting(&self) -> Result<Ref<'_, Waiting>, StoreError> {
        if !self.has_blocks {
            return Ok(self.waiting.borrow());
        }
        let is_known = self.is_writable() && self.waiting.borrow().seen.is_some();
        if !is_known {
            self.waiting.borrow_mut().look(&self.connection)?;
        }
        Ok(self.waiting.borrow())
    }

    /// For who writes: looks which blocks wait.
    pub(super) fn look_at_waiting(&self) -> Result<(), StoreError> {
        self.waiting().map(drop)
    }
}

/// The messages of a block; none if it is not there any more.
pub(super) fn unpack_at(connection: &Connection, id: i64) -> Result<Vec<ChatMessage>, StoreError> {
    let mut ask = connection.prepare_cached("SELECT messages FROM arrived WHERE id = ?1")?;
    let messages = ask.query_row([id], |row| {
        let block = row.get_ref(0)?.as_blob();
        Ok(block.map(unpack))
    });
    match messages.optional()? {
        Some(Ok(messages)) => messages,
        Some(Err(e)) => Err(rusqlite::Error::from(e).into()),
        None => Ok(Vec::new()),
    }
}
