//! Whose bytes wait in stdout, where several rooms print there.
//!
//! Owns how many bytes of each room wait, in their order, and how many of them the system has taken. It never sees
//! the bytes.

use std::collections::{BTreeMap, VecDeque};

use crate::driver::tokens::RoomNo;

/// The rooms' shares of stdout.
#[derive(Debug, Default)]
pub(super) struct Shares {
    /// None: of none, who waits to hear of it.
    waiting: VecDeque<(Option<RoomNo>, u64)>,
    written: BTreeMap<RoomNo, u64>,
}

impl Shares {
    /// So many more bytes of this room wait, or of none.
    pub(super) fn add(&mut self, room: Option<RoomNo>, bytes: u64) {
        match self.waiting.back_mut() {
            _ if bytes == 0 => {}
            Some((last, waiting)) if *last == room => *waiting += bytes,
            _ => self.waiting.push_back((room, bytes)),
        }
    }

    /// The system has taken the first so many bytes of those that wait.
    pub(super) fn on_written(&mut self, mut bytes: u64) {
        while bytes > 0
            && let Some((room, waiting)) = self.waiting.front_mut()
        {
            let taken = bytes.min(*waiting);
            bytes -= taken;
            *waiting -= taken;
            if let Some(room) = room {
                *self.written.entry(*room).or_default() += taken;
            }
            if *waiting == 0 {
                self.waiting.pop_front();
            }
        }
    }

    /// How many bytes of this room were taken since the last call.
    pub(super) fn take(&mut self, room: RoomNo) -> u64 {
        self.written.remove(&room).unwrap_or(0)
    }

    /// True if bytes were taken of which their rooms do not know yet.
    pub(super) fn is_news(&self) -> bool {
        !self.written.is_empty()
    }

    /// The room has ended: it waits to hear of nothing.
    pub(super) fn forget(&mut self, room: RoomNo) {
        self.written.remove(&room);
        let its = (self.waiting.iter_mut()).filter(|(whose, _)| *whose == Some(room));
        its.for_each(|(whose, _)| *whose = None);
    }

    /// What waits is dropped: nobody reads it.
    pub(super) fn drop_waiting(&mut self) {
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_room_learns_of_its_own_bytes_in_their_order() {
        let (a, b) = (RoomNo(1), RoomNo(2));
        let mut shares = Shares::default();
        for (room, bytes) in [(a, 5), (a, 5), (b, 3), (a, 2), (b, 0)] {
            shares.add(Some(room), bytes);
        }
        assert_eq!(shares.waiting.len(), 3);
        shares.on_written(11);
        assert!(shares.is_news());
        assert_eq!((shares.take(a), shares.take(b)), (10, 1));
        assert_eq!(shares.take(a), 0);
        shares.on_written(3);
        assert_eq!((shares.take(a), shares.take(b)), (1, 2));
        assert!(!shares.is_news());
        shares.on_written(1);
        assert_eq!(shares.take(a), 1);
        // Of what was nobody's, or of one that has gone, there is no news.
        shares.add(None, 4);
        shares.add(Some(b), 4);
        shares.forget(b);
        shares.add(Some(a), 4);
        shares.on_written(8);
        assert!(!shares.is_news());
        shares.drop_waiting();
        shares.on_written(1);
        assert_eq!(shares.take(a), 0);
    }
}
