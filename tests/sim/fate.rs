//! Fates: every random decision of the simulated world, from a hash of what is decided about.
//!
//! Owns no state: a packet's fate depends on the seed, its link and its number only, so that taking
//! one event out of a schedule does not reshuffle the others. It must never be used by a node.

/// What is being decided; part of the hash.
#[derive(Clone, Copy, Debug)]
pub enum About {
    Latency = 1,
    DatagramLost,
    DatagramTwice,
    DatagramDelay,
    SegmentSize,
    SegmentLost,
    Wake,
    BrokenTail,
    BrokenNotice,
    DialTime,
    ReadSize,
    Key,
    Node,
    Choice,
    Commit,
    Print,
    Lie,
}

/// The source of all fates of one run.
#[derive(Clone, Copy, Debug)]
pub struct Fate {
    seed: u64,
}

impl Fate {
    pub fn new(seed: u64) -> Fate {
        Fate { seed }
    }

    /// 64 bits that depend on all arguments.
    pub fn bits(self, about: About, a: u64, b: u64, n: u64) -> u64 {
        let mut h = mix(self.seed ^ 0x9e37_79b9_7f4a_7c15);
        for part in [about as u64, a, b, n] {
            h = mix(h ^ part.wrapping_mul(0xd6e8_feb8_6659_fd93));
        }
        h
    }

    /// True in `permille` of a thousand cases.
    pub fn chance(self, about: About, a: u64, b: u64, n: u64, permille: u64) -> bool {
        permille > 0 && self.bits(about, a, b, n) % 1_000 < permille
    }

    /// A number from `low` to `high`, both included.
    pub fn between(self, about: About, (a, b, n): (u64, u64, u64), low: u64, high: u64) -> u64 {
        low + self.bits(about, a, b, n) % (high.saturating_sub(low) + 1)
    }
}

fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
