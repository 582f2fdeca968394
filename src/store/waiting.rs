//! Messages that wait in blocks: many that were committed together are one row of the table `arrived`,
//! which costs a fiftieth of their rows in `messages`. They become such rows later.
//!
//! Owns which blocks wait, and what goes into one. A message that is in a block is stored: it survives
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
use crate::wire::{ChatMessage, MessageId, Position};

/// Fewer messages than this are no block: their rows take at most 0.2 ms.
pub(super) const BLOCK_MIN: usize = 64;
/// Messages in a block, at most, and about the bytes: becoming rows, a block takes some 2 ms.
const BLOCK_MAX: usize = 512;
const BLOCK_BYTES: usize = 64 * 1024;
/// Other blocks that a new one may overlap in the total order: five that speak at once overlap a few.
const OVERLAPS_MAX: usize = 16;
/// Messages read of the blocks at a time, at least, if there are more.
pub(super) const PIECE: usize = 512;

/// One block that waits.
#[derive(Clone, Copy, Debug)]
struct Span {
    id: i64,
    least: Position,
    greatest: Position,
    bytes: usize,
}

/// The blocks that wait, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    spans: VecDeque<Span>,
    bytes: usize,
    /// No position in a block was ever greater.
    newest: Position,
    /// The state of the file in which that was so; none if it was not looked at.
    seen: Option<i64>,
}

/// What is to become a block.
#[derive(Debug)]
pub(super) struct Block {
    least: Position,
    greatest: Position,
    count: i64,
    packed: Vec<u8>,
}

/// What is left of a block whose oldest messages were deleted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    id: i64,
    /// The position of its first message now, and its bytes; none if nothing is left.
    left: Option<(Position, usize)>,
}

/// A message that is to be committed, and its position, which is looked at several times.
#[derive(Clone, Copy)]
struct Candidate<'m>(Position, &'m ChatMessage);

impl Block {
    fn of(piece: &[Candidate<'_>]) -> Block {
        let positions = || piece.iter().map(|c| c.0);
        let messages: Vec<&ChatMessage> = piece.iter().map(|c| c.1).collect();
        Block {
            least: positions().min().unwrap_or_default(),
            greatest: positions().max().unwrap_or_default(),
            count: i64::try_from(piece.len()).unwrap_or(i64::MAX),
            packed: pack(&messages),
        }
    }

    fn span(&self, id: i64) -> Span {
        Span {
            id,
            least: self.least,
            greatest: self.greatest,
            bytes: self.packed.len(),
        }
    }
}

impl Waiting {
    /// Divides what is to be committed: what becomes blocks, and what becomes rows at once.
    pub(super) fn divide<'m>(
        &self,
        messages: Vec<&'m ChatMessage>,
    ) -> (Vec<Block>, Vec<&'m ChatMessage>) {
        if messages.len() < BLOCK_MIN {
            return (Vec::new(), messages);
        }
        // Old messages that come while others are new would make a block that spans everything.
        let candidates = messages.into_iter().map(|m| Candidate(m.position(), m));
        let (later, earlier): (Vec<_>, Vec<_>) = candidates.partition(|c| c.0 > self.newest);
        let (mut blocks, mut rows) = (Vec::new(), Vec::new());
        for part in [earlier, later].iter().filter(|part| !part.is_empty()) {
            for piece in part.chunks(piece_len(part)) {
                let block = (piece.len() >= BLOCK_MIN).then(|| Block::of(piece));
                match block.filter(|block| self.has_room_for(block, &blocks)) {
                    Some(block) => blocks.push(block),
                    None => rows.extend(piece.iter().map(|c| c.1)),
                }
            }
        }
        (blocks, rows)
    }

    fn has_room_for(&self, block: &Block, others: &[Block]) -> bool {
        let bytes: usize = others.iter().map(|other| other.packed.len()).sum();
        let fits = self.bytes + bytes + block.packed.len() <= ARRIVED_BYTES_MAX
            && self.spans.len() + others.len() < ARRIVED_BLOCKS_MAX;
        let overlaps = |least, greatest| least <= block.greatest && greatest >= block.least;
        let here = self.spans.iter();
        let here = here.filter(|span| overlaps(span.least, span.greatest));
        let with_it = others.iter();
        let with_it = with_it.filter(|other| overlaps(other.least, other.greatest));
        fits && (block.least > self.newest || here.count() <= OVERLAPS_MAX)
            && with_it.count() <= OVERLAPS_MAX
    }

    /// These are committed.
    pub(super) fn add(&mut self, blocks: &[Block], ids: &[i64]) {
        for (block, id) in blocks.iter().zip(ids) {
            self.push(block.span(*id));
        }
    }

    fn push(&mut self, span: Span) {
        self.bytes += span.bytes;
        self.newest = self.newest.max(span.greatest);
        self.spans.push_back(span);
    }

    /// The last position of the block that ends first.
    pub(super) fn oldest(&self) -> Option<Position> {
        self.spans.iter().map(|span| span.greatest).min()
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
                    self.spans[at] = Span {
                        least,
                        bytes,
                        ..self.spans[at]
                    };
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
        let sql = "SELECT id, least, greatest, length(messages) FROM arrived ORDER BY id";
        let mut spans = connection.prepare_cached(sql)?;
        let mut rows = spans.query([])?;
        while let Some(row) = rows.next()? {
            self.push(Span {
                id: row.get(0)?,
                least: position_of(&row.get::<_, Vec<u8>>(1)?)?,
                greatest: position_of(&row.get::<_, Vec<u8>>(2)?)?,
                bytes: usize::try_from(row.get::<_, i64>(3)?).unwrap_or(0),
            });
        }
        self.seen = Some(version);
        Ok(())
    }
}

/// How many messages of a part go into each of its pieces, which are of about one length.
fn piece_len(part: &[Candidate<'_>]) -> usize {
    let bytes: usize = part.iter().map(|c| c.1.size_bound()).sum();
    let pieces = part
        .len()
        .div_ceil(BLOCK_MAX)
        .max(bytes.div_ceil(BLOCK_BYTES));
    part.len().div_ceil(pieces.max(1))
}

/// Within a transaction: makes these blocks wait, and says which rows they are.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    blocks: &[Block],
) -> Result<Vec<i64>, StoreError> {
    let mut insert = transaction.prepare_cached(schema::INSERT_BLOCK)?;
    let mut ids = Vec::with_capacity(blocks.len());
    for block in blocks {
        insert.execute(params![
            bytes_of(block.least),
            bytes_of(block.greatest),
            block.count,
            block.packed
        ])?;
        ids.push(transaction.last_insert_rowid());
    }
    Ok(ids)
}

/// Within a transaction: deletes what lies up to this position in blocks, and says which messages these were.
pub(super) fn cut(
    transaction: &Transaction<'_>,
    waiting: &Waiting,
    upto: Position,
    ids: &mut Vec<MessageId>,
) -> Result<Vec<Cut>, StoreError> {
    let mut cuts = Vec::new();
    for span in waiting.spans.iter().filter(|span| span.least <= upto) {
        let id = span.id;
        let messages = unpack_at(transaction, id)?;
        let (gone, kept): (Vec<_>, Vec<_>) = messages
            .iter()
            .partition(|message| message.position() <= upto);
        ids.extend(gone.iter().map(|message| message.id()));
        let Some(least) = kept.iter().map(|message| message.position()).min() else {
            let mut delete = transaction.prepare_cached("DELETE FROM arrived WHERE id = ?1")?;
            delete.execute([id])?;
            cuts.push(Cut { id, left: None });
            continue;
        };
        let (count, packed) = (i64::try_from(kept.len()).unwrap_or(i64::MAX), pack(&kept));
        let sql = "UPDATE arrived SET least = ?2, count = ?3, messages = ?4 WHERE id = ?1";
        let mut update = transaction.prepare_cached(sql)?;
        update.execute(params![id, bytes_of(least), count, packed])?;
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

    /// How many blocks of messages wait to become rows.
    #[must_use]
    pub fn waiting_blocks(&self) -> usize {
        self.waiting.borrow().spans.len()
    }

    /// Turns the messages of one block into rows, in one transaction, which takes some 2 ms. It does not
    /// wait for the disk.
    ///
    /// # Errors
    ///
    /// If that failed; nothing has changed then.
    pub fn make_rows(&mut self) -> Result<(), StoreError> {
        let Some(span) = self.waiting.borrow().spans.front().copied() else {
            return Ok(());
        };
        let transaction =
            (self.connection).transaction_with_behavior(TransactionBehavior::Immediate)?;
        let messages = unpack_at(&transaction, span.id)?;
        {
            let mut insert = transaction.prepare_cached(schema::INSERT)?;
            for message in &messages {
                schema::insert(&mut insert, message)?;
            }
            let mut delete = transaction.prepare_cached("DELETE FROM arrived WHERE id = ?1")?;
            delete.execute([span.id])?;
        }
        transaction.commit()?;
        let waiting = self.waiting.get_mut();
        waiting.spans.pop_front();
        waiting.bytes = waiting.bytes.saturating_sub(span.bytes);
        Ok(())
    }

    /// The blocks that wait. Somebody else may change which these are, if this is not the writer: then
    /// they stay the same only within a transaction.
    fn waiting(&self) -> Result<Ref<'_, Waiting>, StoreError> {
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

    /// A moment of the file, for reading it more than once.
    pub(super) fn moment(&self) -> Result<Transaction<'_>, StoreError> {
        Ok(self.connection.unchecked_transaction()?)
    }

    /// The messages in blocks after one position and up to another, in the total order, and up to where
    /// these are all: there are at least [`PIECE`] unless that is the end.
    pub(super) fn arrived(
        &self,
        after: Position,
        until: Position,
    ) -> Result<(Vec<ChatMessage>, Position), StoreError> {
        let mut spans: Vec<Span> = {
            let waiting = self.waiting()?;
            let spans = waiting.spans.iter().copied();
            spans
                .filter(|span| span.greatest > after && span.least <= until)
                .collect()
        };
        spans.sort_unstable_by_key(|span| span.least);
        let (mut found, mut upto): (Vec<ChatMessage>, _) = (Vec::new(), until);
        for span in spans {
            // What comes before all that is not read yet.
            let known = || {
                found
                    .iter()
                    .map(ChatMessage::position)
                    .filter(|p| *p < span.least)
            };
            if found.len() >= PIECE && known().count() >= PIECE {
                upto = known().max().unwrap_or(after);
                break;
            }
            let messages = unpack_at(&self.connection, span.id)?.into_iter();
            found.extend(messages.filter(|m| after < m.position() && m.position() <= until));
        }
        found.retain(|m| m.position() <= upto);
        found.sort_unstable_by_key(ChatMessage::position);
        found.dedup_by_key(|m| m.position());
        Ok((found, upto))
    }

    /// The messages in blocks at these positions, which are in the total order.
    pub(super) fn arrived_at(
        &self,
        positions: &[Position],
    ) -> Result<Vec<ChatMessage>, StoreError> {
        let spans: Vec<Span> = self.waiting()?.spans.iter().copied().collect();
        let mut found = Vec::new();
        for span in spans {
            let from = positions.partition_point(|p| *p < span.least);
            let to = positions.partition_point(|p| *p <= span.greatest);
            let here = positions.get(from..to).unwrap_or_default();
            if here.is_empty() {
                continue;
            }
            let messages = unpack_at(&self.connection, span.id)?.into_iter();
            found.extend(messages.filter(|m| here.binary_search(&m.position()).is_ok()));
        }
        found.sort_unstable_by_key(ChatMessage::position);
        found.dedup_by_key(|m| m.position());
        Ok(found)
    }

    /// Hands over the messages of each block, a block at a time, in no order; `wants` is asked by the
    /// greatest position in it.
    pub(super) fn each_block(
        &self,
        wants: impl Fn(Position) -> bool,
        mut take: impl FnMut(Vec<ChatMessage>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let spans: Vec<Span> = self.waiting()?.spans.iter().copied().collect();
        for span in spans.iter().rev() {
            if wants(span.greatest) {
                take(unpack_at(&self.connection, span.id)?)?;
            }
        }
        Ok(())
    }
}

/// The messages of a block; none if it is not there any more.
fn unpack_at(connection: &Connection, id: i64) -> Result<Vec<ChatMessage>, StoreError> {
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
