//! Where a moment is on the page.
//!
//! Owns the places. Time runs downwards, but not evenly: what happens within a millisecond is drawn apart, and a
//! second in which nothing happens takes little room.

use std::collections::BTreeMap;

use super::super::matching::At;

/// What has a place of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Mark {
    /// A node did something.
    Did(At),
    /// A message left.
    Sent(At),
    /// A message came in.
    Got(At),
}

impl Mark {
    /// How much room it takes more than an arrow: words stand beside it.
    fn needs(self) -> f64 {
        match self {
            Mark::Did(_) => 5.0,
            Mark::Sent(_) | Mark::Got(_) => 0.0,
        }
    }
}

/// The places of all moments.
#[derive(Debug)]
pub(super) struct Axis {
    points: Vec<(i64, f64)>,
    places: BTreeMap<Mark, f64>,
    /// Stretches without anything: from where to where, and how long.
    pub(super) quiet: Vec<(f64, f64, i64)>,
    from: i64,
    to: i64,
    pub(super) bottom: f64,
}

/// Nothing happened for so long: that is marked.
const QUIET: i64 = 100_000;

impl Axis {
    /// The places of these moments, from `top` on.
    pub(super) fn new(mut marks: Vec<(i64, Mark)>, (from, to): (i64, i64), top: f64) -> Axis {
        marks.sort_unstable();
        marks.dedup();
        let mut axis = Axis {
            points: vec![(from, top)],
            places: BTreeMap::new(),
            quiet: Vec::new(),
            from,
            to,
            bottom: top,
        };
        let (mut last, mut y) = (from, top);
        for (at, mark) in marks {
            let at = at.clamp(from, to);
            let step = step(at - last) + mark.needs();
            if at - last >= QUIET {
                axis.quiet.push((y, y + step, at - last));
            }
            y += step;
            last = at;
            axis.points.push((at, y));
            axis.places.insert(mark, y);
        }
        let step = step(to - last);
        if to - last >= QUIET {
            axis.quiet.push((y, y + step, to - last));
        }
        axis.points.push((to, y + step));
        axis.bottom = y + step;
        axis
    }

    /// The place of something that has its own.
    pub(super) fn of(&self, mark: Mark, at: i64) -> f64 {
        self.places
            .get(&mark)
            .copied()
            .unwrap_or_else(|| self.at(at))
    }

    /// The place of a time.
    pub(super) fn at(&self, at: i64) -> f64 {
        let at = at.clamp(self.from, self.to);
        let after = self.points.partition_point(|(time, _)| *time < at);
        let (Some(before), Some(after)) = (
            self.points.get(after.saturating_sub(1)),
            self.points.get(after),
        ) else {
            return self.points.last().map_or(0.0, |p| p.1);
        };
        if after.0 <= before.0 {
            return after.1;
        }
        let share = (at - before.0) as f64 / (after.0 - before.0) as f64;
        before.1 + share * (after.1 - before.1)
    }

    /// Times with their places, no nearer to each other than `apart`.
    pub(super) fn labels(&self, apart: f64) -> Vec<(i64, f64)> {
        let mut labels: Vec<(i64, f64)> = Vec::new();
        for (time, y) in &self.points {
            if labels.last().is_none_or(|last| y - last.1 >= apart) {
                labels.push((*time, *y));
            }
        }
        labels
    }
}

/// How far down the next moment is, so many microseconds later.
fn step(micros: i64) -> f64 {
    let micros = micros.max(0) as f64;
    7.0 + 8.0 * (1.0 + micros / 100.0).log10()
}
