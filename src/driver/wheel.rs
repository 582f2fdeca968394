//! A hierarchical timer wheel (Varghese and Lauck 1987): timers by key, in microseconds.
//!
//! Owns when each timer is due, and nothing else: it never reads a clock and never calls anybody.
//! Setting, cancelling and firing cost O(1), however many timers there are: a timer is moved at
//! most once per level on its way down. A timer fires at exactly the time that it was set to or
//! after it, never before. The wheel repeats nothing by itself: whoever wants a periodic timer
//! sets the next deadline from the last one, so nothing drifts.

use std::hash::Hash;

use slab::Slab;

use crate::node::Time;

/// Bits of the time that one level looks at.
const LEVEL_BITS: u32 = 6;
/// Slots of one level; their occupation fits the bits of one word.
const SLOTS: usize = 1 << LEVEL_BITS;
/// Enough levels for every 64-bit time: no timer is too far away to be exact.
const LEVELS: usize = 64_usize.div_ceil(LEVEL_BITS as usize);
/// The end of a list.
const NIL: u32 = u32::MAX;

/// Which timer sits where. Only looked up, never iterated, so that its random order decides
/// nothing.
#[allow(
    clippy::disallowed_types,
    reason = "never iterated: only a hash map makes set and cancel O(1)"
)]
type Index<K> = std::collections::HashMap<K, u32>;

/// A timer that is set, linked into the list of its slot.
#[derive(Debug)]
struct Entry<K> {
    key: K,
    at: Time,
    place: Slot,
    previous: u32,
    next: u32,
}

/// A slot of the wheel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Slot {
    level: usize,
    slot: usize,
}

/// One ring of slots, each a list of timers.
#[derive(Debug)]
struct Level {
    /// Bit n is set when slot n has a timer.
    occupied: u64,
    heads: [u32; SLOTS],
    tails: [u32; SLOTS],
}

/// Timers by key; at most one of each key is set at a time.
#[derive(Debug)]
pub struct Wheel<K> {
    /// Everything due up to this time was handed out.
    elapsed: u64,
    levels: [Level; LEVELS],
    entries: Slab<Entry<K>>,
    index: Index<K>,
    /// The earliest deadline; outer `None`: not known.
    earliest: Option<Option<Time>>,
}

impl<K: Copy + Eq + Hash> Wheel<K> {
    /// An empty wheel; timers set before `now` are due at `now`.
    #[must_use]
    pub fn new(now: Time) -> Wheel<K> {
        Wheel {
            elapsed: now.0,
            levels: std::array::from_fn(|_| Level {
                occupied: 0,
                heads: [NIL; SLOTS],
                tails: [NIL; SLOTS],
            }),
            entries: Slab::new(),
            index: Index::default(),
            earliest: Some(None),
        }
    }

    /// Sets a timer, instead of the same timer's earlier time. A time in the past means the next
    /// call of [`Wheel::pop_due`].
    pub fn set(&mut self, key: K, at: Time) {
        self.cancel(key);
        let at = Time(at.0.max(self.elapsed));
        let place = self.place_of(at);
        let entry = Entry {
            key,
            at,
            place,
            previous: NIL,
            next: NIL,
        };
        // Slab indices stay far below `NIL`: every timer belongs to a link or to a fixed name.
        let id = u32::try_from(self.entries.insert(entry)).unwrap_or(NIL);
        self.append(place, id);
        self.index.insert(key, id);
        if let Some(earliest) = self.earliest
            && earliest.is_none_or(|e| at < e)
        {
            self.earliest = Some(Some(at));
        }
    }

    /// Cancels a timer; nothing happens if it is not set.
    pub fn cancel(&mut self, key: K) {
        if let Some(id) = self.index.remove(&key) {
            self.take(id);
        }
    }

    /// Takes out a timer that is due at `now`, earliest first; `None` when there is none left.
    pub fn pop_due(&mut self, now: Time) -> Option<K> {
        loop {
            let Some((place, start)) = self.first_slot().filter(|(_, start)| *start <= now.0)
            else {
                self.elapsed = self.elapsed.max(now.0);
                return None;
            };
            self.elapsed = self.elapsed.max(start);
            if place.level == 0 {
                let id = self.levels[0].heads[place.slot];
                let entry = self.take(id)?;
                self.index.remove(&entry.key);
                return Some(entry.key);
            }
            self.cascade(place);
        }
    }

    /// When the earliest timer is due, exactly; `None` when none is set.
    pub fn next_deadline(&mut self) -> Option<Time> {
        if let Some(known) = self.earliest {
            return known;
        }
        let earliest = self.first_slot().and_then(|(place, _)| {
            let head = self.levels[place.level].heads[place.slot];
            self.list(head).map(|entry| entry.at).min()
        });
        self.earliest = Some(earliest);
        earliest
    }

    /// How many timers are set.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    fn list(&self, head: u32) -> impl Iterator<Item = &Entry<K>> {
        let mut id = head;
        std::iter::from_fn(move || {
            let entry = self.entries.get(id as usize)?;
            id = entry.next;
            Some(entry)
        })
    }

    /// The level is that of the highest digit in which `at` differs from the time elapsed, so that
    /// all timers of a level come before all timers of a higher one.
    fn place_of(&self, at: Time) -> Slot {
        let differing = (self.elapsed ^ at.0) | 1;
        let level = ((63 - differing.leading_zeros()) / LEVEL_BITS) as usize;
        let slot = slot_at(at.0, level);
        Slot { level, slot }
    }

    /// The first occupied slot and the time at which it begins.
    fn first_slot(&self) -> Option<(Slot, u64)> {
        let (level, ring) = (self.levels.iter().enumerate()).find(|(_, l)| l.occupied != 0)?;
        // No slot before the current one is occupied: those times have elapsed.
        let slot = ring.occupied.trailing_zeros() as usize;
        let shift = LEVEL_BITS * level as u32;
        let above = self
            .elapsed
            .checked_shr(shift + LEVEL_BITS)
            .unwrap_or(0)
            .checked_shl(shift + LEVEL_BITS)
            .unwrap_or(0);
        let start = above | ((slot as u64) << shift);
        Some((Slot { level, slot }, start))
    }

    /// Moves the timers of a slot that has begun to lower levels, in their order.
    fn cascade(&mut self, from: Slot) {
        let mut id = self.levels[from.level].heads[from.slot];
        self.clear(from);
        while let Some(entry) = self.entries.get(id as usize) {
            let next = entry.next;
            let place = self.place_of(entry.at);
            self.append(place, id);
            id = next;
        }
    }

    fn clear(&mut self, place: Slot) {
        let level = &mut self.levels[place.level];
        level.heads[place.slot] = NIL;
        level.tails[place.slot] = NIL;
        level.occupied &= !(1 << place.slot);
    }

    fn append(&mut self, place: Slot, id: u32) {
        let level = &mut self.levels[place.level];
        let tail = level.tails[place.slot];
        level.tails[place.slot] = id;
        level.occupied |= 1 << place.slot;
        match self.entries.get_mut(tail as usize) {
            Some(last) => last.next = id,
            None => level.heads[place.slot] = id,
        }
        if let Some(entry) = self.entries.get_mut(id as usize) {
            entry.place = place;
            entry.previous = tail;
            entry.next = NIL;
        }
    }

    /// Unlinks and removes an entry; its key stays in the index.
    fn take(&mut self, id: u32) -> Option<Entry<K>> {
        let entry = self.entries.try_remove(id as usize)?;
        let Slot { level, slot } = entry.place;
        match self.entries.get_mut(entry.previous as usize) {
            Some(previous) => previous.next = entry.next,
            None => self.levels[level].heads[slot] = entry.next,
        }
        match self.entries.get_mut(entry.next as usize) {
            Some(next) => next.previous = entry.previous,
            None => self.levels[level].tails[slot] = entry.previous,
        }
        if self.levels[level].heads[slot] == NIL {
            self.clear(entry.place);
        }
        if self.earliest == Some(Some(entry.at)) {
            self.earliest = None;
        }
        Some(entry)
    }
}

fn slot_at(time: u64, level: usize) -> usize {
    let digits = time >> (LEVEL_BITS * level as u32);
    digits as usize & (SLOTS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// What the wheel does, said simply.
    #[derive(Default)]
    struct SimpleWheel {
        timers: BTreeMap<u32, Time>,
    }

    impl SimpleWheel {
        fn next_deadline(&self) -> Option<Time> {
            self.timers.values().min().copied()
        }

        fn take_due(&mut self, now: Time) -> Vec<(Time, u32)> {
            let mut due: Vec<_> = (self.timers.iter().map(|(k, at)| (*at, *k)))
                .filter(|(at, _)| *at <= now)
                .collect();
            due.sort_unstable();
            self.timers.retain(|_, at| *at > now);
            due
        }
    }

    fn distance(rng: &mut fastrand::Rng) -> u64 {
        let bits = rng.u32(0..40);
        rng.u64(0..=1 << bits)
    }

    fn compare_with_model(seed: u64) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut now = Time(rng.u64(0..1 << 50));
        let mut wheel = Wheel::new(now);
        let mut model = SimpleWheel::default();
        for _ in 0..2_000 {
            match rng.u32(0..10) {
                0..4 => {
                    let (key, at) = (rng.u32(0..60), Time(now.0 + distance(&mut rng)));
                    wheel.set(key, at);
                    model.timers.insert(key, at);
                }
                4 => {
                    // In the past: due at once.
                    let at = Time(now.0 - distance(&mut rng).min(now.0));
                    wheel.set(77, at);
                    model.timers.insert(77, now);
                }
                5..7 => {
                    let key = rng.u32(0..60);
                    wheel.cancel(key);
                    model.timers.remove(&key);
                }
                op => {
                    now = match wheel.next_deadline() {
                        Some(at) if op == 7 => Time(at.0.max(now.0)),
                        _ => Time(now.0 + distance(&mut rng)),
                    };
                    let due = model.take_due(now);
                    let mut fired = Vec::new();
                    let mut last = Time(0);
                    while let Some(key) = wheel.pop_due(now) {
                        let &(at, _) = due.iter().find(|(_, k)| *k == key).expect("is due");
                        assert!(at >= last, "seed {seed}: out of order");
                        last = at;
                        fired.push((at, key));
                    }
                    fired.sort_unstable();
                    assert_eq!(fired, due, "seed {seed}");
                }
            }
            assert_eq!(wheel.next_deadline(), model.next_deadline(), "seed {seed}");
            assert_eq!(wheel.len(), model.timers.len());
        }
    }

    #[test]
    fn behaves_like_a_sorted_list_under_random_operations_and_jumps() {
        for seed in 0..200 {
            compare_with_model(seed);
        }
    }

    #[test]
    fn never_fires_early_and_is_exact_across_levels() {
        for at in [0, 1, 63, 64, 65, 4_095, 4_096, 250_000, 1 << 36, u64::MAX] {
            let mut wheel = Wheel::new(Time(0));
            wheel.set("x", Time(at));
            assert_eq!(wheel.next_deadline(), Some(Time(at)));
            if at > 0 {
                assert_eq!(wheel.pop_due(Time(at - 1)), None, "{at}");
                assert_eq!(wheel.next_deadline(), Some(Time(at)));
            }
            assert_eq!(wheel.pop_due(Time(at)), Some("x"), "{at}");
            assert_eq!(wheel.pop_due(Time(at)), None);
            assert_eq!(wheel.len(), 0);
        }
    }

    #[test]
    fn a_periodic_timer_set_from_its_last_deadline_does_not_drift() {
        let mut wheel = Wheel::new(Time(0));
        let (mut next, mut fired) = (250_000, 0);
        wheel.set((), Time(next));
        // Each look at the wheel is late by up to 7 ms; the deadlines stay multiples of the period.
        let mut now = 0;
        while now < 60_000_000 {
            now += 7_001;
            while wheel.pop_due(Time(now)).is_some() {
                fired += 1;
                next += 250_000;
                wheel.set((), Time(next));
            }
        }
        assert_eq!(fired, 240);
    }

    #[test]
    fn setting_again_replaces_and_equal_deadlines_fire_in_the_order_set() {
        let mut wheel = Wheel::new(Time(5));
        wheel.set(1, Time(100));
        wheel.set(2, Time(100));
        wheel.set(1, Time(100));
        assert_eq!(wheel.len(), 2);
        assert_eq!(wheel.pop_due(Time(1_000)), Some(2));
        assert_eq!(wheel.pop_due(Time(1_000)), Some(1));
        assert_eq!(wheel.pop_due(Time(1_000)), None);
    }
}
