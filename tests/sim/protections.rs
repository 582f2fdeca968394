//! The protections of the protocol: each is switched off in turn, and the simulator must notice.
//!
//! Owns their list and the search for the first seed that notices. It changes no run otherwise.

use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use papo::node::Weakness;

use super::generate::scenario;
use super::report::run_caught;

/// Every protection, by what is lost without it.
pub const ALL: [(Weakness, &str); 16] = [
    (Weakness::NoDependencyWait, "waiting for dependencies"),
    (Weakness::NoSyncOnLoss, "SYNC on a loss"),
    (Weakness::NoPeriodicSync, "periodic SYNC"),
    (Weakness::NoClaimsOnLinks, "claims on links"),
    (
        Weakness::NoWaitForJoinResponse,
        "change-over only on JOIN_RESPONSE",
    ),
    (Weakness::NoNamedViews, "named views"),
    (Weakness::NoTieBreak, "the tie-break at start"),
    (Weakness::NoAwayRule, "the away rule"),
    (Weakness::NoIndirectProbe, "the indirect probe"),
    (Weakness::LeaveBeforeChat, "LEAVE behind chat"),
    (Weakness::AckOverGaps, "ACKs without a hole"),
    (Weakness::OneAnswerIsEnough, "asking everybody in reach"),
    (Weakness::NoRetention, "keeping what is not stable"),
    (Weakness::NoRelay, "word by way of others"),
    (Weakness::NoWordOfGaps, "the word on what is missed"),
    (Weakness::OldIsNew, "telling old from new"),
];

/// Seeds among which the loss of a protection must be noticed that few scenarios need.
const RARE_SEEDS: u64 = 3_000;

/// Where a lost protection was noticed.
#[derive(Clone, Debug)]
pub struct Noticed {
    pub seed: u64,
    pub kind: &'static str,
    pub violation: String,
}

/// The first of these seeds at which each of these fails, in their order.
pub fn first_noticed(
    weaknesses: &[Option<Weakness>],
    seeds: std::ops::Range<u64>,
) -> Vec<Option<Noticed>> {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(vec![None; weaknesses.len()]);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(weakness) = weaknesses.get(at) else {
                        return;
                    };
                    let noticed = match *weakness {
                        // Mostly authors say themselves what they wrote; it takes ones that died.
                        Some(Weakness::NoPeriodicSync) => (0..RARE_SEEDS)
                            .filter(|seed| scenario(*seed).kind == "cuts that stay")
                            .find_map(|seed| notices(*weakness, seed)),
                        weakness => seeds.clone().find_map(|seed| notices(weakness, seed)),
                    };
                    let mut found = found
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner);
                    found[at] = noticed;
                }
            });
        }
    });
    found
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn notices(weakness: Option<Weakness>, seed: u64) -> Option<Noticed> {
    let scenario = Rc::new(scenario(seed));
    let violation = run_caught(&scenario, weakness, 0).failure?;
    Some(Noticed {
        seed,
        kind: scenario.kind,
        violation: violation.to_string(),
    })
}
