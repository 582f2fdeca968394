//! Limits: how little is kept, and where, so that floors move and disks count in many seeds.
//!
//! Owns what of a scenario of any kind is scaled down. It draws from a generator of its own, so that
//! the rest of a seed's scenario stays as it is, and looks at nothing but the seed.

use super::scenario::{SECOND, Scenario, What};

/// A generator that depends on the seed and on what it is for.
pub fn rng_of(seed: u64, purpose: u64) -> fastrand::Rng {
    fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ purpose)
}

/// Half of all scenarios have short histories, some of them each host its own; some have stores, and
/// some have readers of what is printed.
pub fn scale_down(scenario: &mut Scenario) {
    let mut rng = rng_of(scenario.seed, 0x11a1);
    if rng.bool() {
        scenario.history_max = rng.usize(3..=50);
        if rng.u8(0..3) == 0 {
            keep_unequally(scenario, &mut rng);
        }
        // Two that alone still hold something, and dropped different parts of it, wait for a turn of each other, one
        // in two to four seconds.
        scenario.bound = scenario.bound.max(4 * SECOND * scenario.hosts as u64);
    }
    if rng.u8(0..6) == 0 {
        let share = rng.u8(1..=3);
        store_some(scenario, &mut rng, share);
    }
    if rng.u8(0..8) == 0 {
        print_some(scenario, &mut rng);
    }
}

/// In a quarter of all scenarios little may wait.
pub fn wait_for_few(scenario: &mut Scenario) {
    let mut rng = rng_of(scenario.seed, 0x3a17);
    if rng.u8(0..4) == 0 {
        scenario.waiting_max = rng.usize(2..=40);
    }
}

/// Half of the hosts confirm what they have printed.
pub fn print_some(scenario: &mut Scenario, rng: &mut fastrand::Rng) {
    scenario.printers = (0..scenario.hosts).filter(|_| rng.bool()).collect();
}

/// Each host keeps as much as it likes: a few messages, some, or all.
pub fn keep_unequally(scenario: &mut Scenario, rng: &mut fastrand::Rng) {
    let one = |rng: &mut fastrand::Rng| match rng.u8(0..4) {
        0 => 100_000,
        1 => rng.usize(3..=8),
        _ => rng.usize(3..=50),
    };
    scenario.history_of = (0..scenario.hosts).map(|_| one(rng)).collect();
}

/// So many in four hosts have a store, which fails now and then.
pub fn store_some(scenario: &mut Scenario, rng: &mut fastrand::Rng, share: u8) {
    scenario.stores = (0..scenario.hosts)
        .filter(|_| rng.u8(0..4) < share)
        .collect();
    let until = scenario.heal_at;
    for host in scenario.stores.clone() {
        if rng.u8(0..3) == 0 && until > SECOND {
            let at = rng.u64(SECOND..until);
            let long = rng.u64(SECOND / 100..3 * SECOND);
            scenario.add(at, What::StoreFails(host, long));
        }
    }
    scenario.events.sort_by_key(|e| e.at);
}
