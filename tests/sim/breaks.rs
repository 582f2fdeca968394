//! How streams break: a machine loses its power, a process resets what it did not read, a stream is cut in the
//! middle.
//!
//! Owns what of the bytes that were under way gets lost then, and when the ends learn of it.

use super::{About, Agenda, Entry, MS, Paths, RunId, SECOND, Segment, StreamId, Streams};

impl Streams {
    /// The machine of `end` lost its power: nothing of what it still had goes out.
    pub fn vanish(&mut self, id: StreamId, end: usize) {
        if let Some(stream) = &mut self.all[id] {
            stream.ends[end].owner = None;
            stream.ends[end].received.clear();
            stream.dirs[end].break_off();
        }
        self.forget_if_over(id);
    }

    /// The stream breaks in the middle: a tail of both directions is lost, the ends learn of it at
    /// once, later, or when they write.
    pub fn cut_off(&mut self, id: StreamId, paths: &Paths, agenda: &mut Agenda) {
        self.break_at(id, 0, paths, agenda);
        self.break_at(id, 1, paths, agenda);
    }

    /// The direction from `end` loses a tail; the other end learns of it somehow.
    pub(super) fn break_at(
        &mut self,
        id: StreamId,
        end: usize,
        paths: &Paths,
        agenda: &mut Agenda,
    ) {
        let Some(stream) = &mut self.all[id] else {
            return;
        };
        let (dir, n) = (&mut stream.dirs[end], stream.ends[0].host as u64);
        let kept = self.fate.bits(About::BrokenTail, id as u64, end as u64, n) as usize;
        let kept = kept % (dir.flying() + 1);
        let arrived: Vec<Segment> = (0..kept).filter_map(|_| dir.take()).collect();
        let stalled = dir.is_stalled();
        dir.break_off();
        let (from, to) = (stream.ends[end].host, stream.ends[1 - end].host);
        let owned = stream.ends[end].owner.is_some();
        let other = &mut stream.ends[1 - end];
        if !stalled && paths.carries(from, to) {
            for segment in arrived {
                other.received.extend(segment.bytes);
            }
            self.ready.extend(other.owner.zip(other.link));
        }
        let notice = self
            .fate
            .bits(About::BrokenNotice, id as u64, end as u64, n);
        match notice % 4 {
            0 if other.owner.is_some() && owned => {
                other.half_open = true;
            }
            _ => {
                let late = (notice >> 8) % (300 * MS);
                let at = agenda.now() + self.network.latency.1 + late;
                let (stream, end) = (id, 1 - end);
                agenda.add(at, Entry::Notice { stream, end });
            }
        }
        // What the other end sends from now on is lost as well.
        if !owned {
            stream.dirs[1 - end].lose_all();
        }
    }

    /// An end learns that the stream is broken. Returns whose turn it is.
    pub fn notice(
        &mut self,
        id: StreamId,
        end: usize,
        paths: &Paths,
        agenda: &mut Agenda,
    ) -> Option<RunId> {
        let stream = self.all[id].as_mut()?;
        let (at, other) = (stream.ends[end].host, stream.ends[1 - end].host);
        if !paths.carries(other, at) {
            // The reset is lost on its way; the next attempt to write meets it again.
            if stream.ends[end].owner.is_some() {
                let again = agenda.now() + SECOND;
                agenda.add(again, Entry::Notice { stream: id, end });
            }
            return None;
        }
        stream.ends[end].reset = true;
        self.ready
            .extend(stream.ends[end].owner.zip(stream.ends[end].link));
        stream.dirs[end].break_off();
        let owner = stream.ends[end].owner;
        self.forget_if_over(id);
        owner
    }
}
