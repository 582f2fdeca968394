//! The protections of the protocol: each is switched off in turn, and the simulator must notice.
//!
//! Owns their list and the search for the first seed that notices. It changes no run otherwise.

use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use papo::node::Weakness;

use super::back_briefly::BACK_BRIEFLY;
use super::generate::{scenario, scenario_in, scenario_of};
use super::heard_only::HEARD_ONLY;
use super::host_gone::HOST_GONE;
use super::hostile::{FALSE_QUESTIONS, HOSTILE, UNASKED_VIEWS};
use super::large_lost::LARGE_LOST;
use super::report::run_caught;
use super::scenario::Scenario;
use super::volume::STOPPED_AGAIN;

/// Every protection, by what is lost without it; but those that tests of the library switch off, where the simulator
/// hardly ever comes by chance.
pub const ALL: &[(Weakness, &str)] = &[
    (Weakness::NoDependencyWait, "waiting for dependencies"),
    (Weakness::NoSyncOnLoss, "SYNC on a loss"),
    (Weakness::NoPeriodicSync, "periodic SYNC"),
    (Weakness::NoClaimsOnLinks, "claims on links"),
    (
        Weakness::NoWaitForJoinResponse,
        "change-over only on JOIN_RESPONSE",
    ),
    (
        Weakness::OldAnswersCount,
        "no faith in answers to earlier questions",
    ),
    (Weakness::NoNamedViews, "named views"),
    (Weakness::NoTieBreak, "the tie-break at start"),
    (Weakness::NoAwayRule, "the away rule"),
    (Weakness::NoIndirectProbe, "the indirect probe"),
    (Weakness::LeaveBeforeChat, "LEAVE behind chat"),
    (Weakness::AckOverGaps, "ACKs without a hole"),
    (Weakness::OneAnswerIsEnough, "asking everybody in reach"),
    (Weakness::NoRetention, "keeping what is not stable"),
    (Weakness::FirstSyncJoins, "joining from the best source"),
    (Weakness::NoRelay, "word by way of others"),
    (Weakness::NoRedialByMembers, "dials of lost members by all"),
    (
        Weakness::ThrownAwayCounts,
        "asking again for what was thrown away",
    ),
    (
        Weakness::OneSourceIsEnough,
        "asking the next source that goes back farther",
    ),
    (
        Weakness::HostIsNotAsked,
        "asking the coordinator for the newest, too",
    ),
    (
        Weakness::NoPatienceAfterAbsence,
        "patience after an absence",
    ),
    (Weakness::NoWordOfGaps, "the word on what is missed"),
    (
        Weakness::UnseenCounts,
        "asking again for what its reader never saw",
    ),
    (
        Weakness::NamedOneIsAll,
        "looking for all that an author owes that was lost before it said so",
    ),
    (
        Weakness::AnyOfficeCounts,
        "no office for a coordinator that resigned by the word of another one",
    ),
    (
        Weakness::TooMuchIsNotAsked,
        "questions for gaps with many holes",
    ),
    (
        Weakness::AnybodyAsksForOthers,
        "asking in one's own name only",
    ),
    (
        Weakness::SlowAuthorsAreGivenUp,
        "others' copies of what a slow author has not come to",
    ),
    (
        Weakness::VersionsBeginAgain,
        "versions that go on in a later office",
    ),
    (
        Weakness::EarlierViewsCount,
        "no way back to an earlier view of one coordinator",
    ),
    (
        Weakness::WordlessMayCount,
        "what was said by the HELLO of one that has no word",
    ),
    (Weakness::OldIsNew, "telling old from new"),
    (Weakness::NoLateWord, "the word of who is linked late"),
    (
        Weakness::OnlyTheLiveAreNamed,
        "the word on a group whose coordinator is waited for",
    ),
    (
        Weakness::ElsewhereIsNew,
        "telling old from new in what comes from elsewhere",
    ),
    (
        Weakness::WholeIsForgotten,
        "what was whole when a member was lost",
    ),
    (
        Weakness::AskersMayFoundFirst,
        "the answer to a newcomer before it founds its own room",
    ),
    (
        Weakness::OtherGroupsAreNotAsked,
        "asking members of another group whose coordinator was a member",
    ),
    (
        Weakness::LostAreNotAwaited,
        "the wait of whoever leaves for one that was lost a moment ago",
    ),
    (
        Weakness::SilentKeepTheirPlace,
        "asking those first who speak",
    ),
    (
        Weakness::GivenUpIsForgotten,
        "the word on what could not be stored",
    ),
    (
        Weakness::NewcomersAreOld,
        "the word of who came while its reader was lost",
    ),
    (
        Weakness::HearsayCounts,
        "no faith in what is only heard by datagram",
    ),
    (
        Weakness::NoSecondSearch,
        "a second search without whom nobody reaches",
    ),
    (
        Weakness::UnprovenCounts,
        "no faith in a link whose peer does not hear",
    ),
    (
        Weakness::NoSmallSegments,
        "small segments where large ones get lost",
    ),
    (
        Weakness::NoWordOfUnreached,
        "the word on who is heard and not reached",
    ),
    (Weakness::NoKnock, "the knock at a silent host"),
    (Weakness::NoBeatRequests, "asking for a HEARTBEAT"),
    (
        Weakness::NoSayOfNeighbours,
        "the neighbours' say on a silent host",
    ),
    (
        Weakness::UnaskedViewsCount,
        "no faith in a view that nobody asked for",
    ),
    (
        Weakness::NamedCausesExist,
        "no search for what its author never said",
    ),
    (Weakness::CyclesWait, "no waiting in a circle"),
    (Weakness::LatestStay, "room to wait for what was said first"),
    (
        Weakness::LaterGoFirst,
        "waiting for earlier lines that are looked for",
    ),
];

/// What only few scenarios need, and some of them.
pub const RARE: &[(Weakness, &str, u64)] = &[
    // It takes a process that ends after it has answered, while a cut holds the answer back.
    (Weakness::OldAnswersCount, "partitions", 63_007_472),
    (Weakness::OldAnswersCount, "partitions", 63_052_143),
    // Mostly authors say themselves what they wrote; it takes ones that died.
    (Weakness::NoPeriodicSync, "partitions", 3_692),
    (Weakness::NoPeriodicSync, "partitions", 3_630),
    (Weakness::NoRedialByMembers, "cuts that stay", 9_006_857),
    (Weakness::ThrownAwayCounts, "calm", 3_165_875),
    (Weakness::ThrownAwayCounts, "stopped in bursts", 3_160_257),
    (Weakness::OneSourceIsEnough, "short beside long", 4_038_864),
    (Weakness::OneSourceIsEnough, "no dials", 4_018_727),
    (Weakness::UnseenCounts, "partitions", 71_022_863),
    (Weakness::NamedOneIsAll, "no dials", 79_073_881),
    (Weakness::AnyOfficeCounts, "cuts that stay", 79_014_053),
    (Weakness::TooMuchIsNotAsked, HOSTILE, 404),
    (Weakness::OneAnswerIsEnough, "partitions", 25),
    (Weakness::OneAnswerIsEnough, "slow", 3),
    (Weakness::AnybodyAsksForOthers, FALSE_QUESTIONS, 36),
    (Weakness::AnybodyAsksForOthers, FALSE_QUESTIONS, 106),
    (Weakness::SlowAuthorsAreGivenUp, "mixed", 560_000_773),
    (Weakness::VersionsBeginAgain, HOSTILE, 89),
    (Weakness::VersionsBeginAgain, HOSTILE, 125),
    (Weakness::EarlierViewsCount, "one-way cuts", 430_001_222),
    (Weakness::EarlierViewsCount, "peers only", 430_001_795),
    (Weakness::SlowAreHurried, "mixed", 440_104_863),
    (Weakness::WordlessMayCount, "peers only", 420_057_770),
    (Weakness::HostIsNotAsked, "stopped", 63_026_075),
    (Weakness::HostIsNotAsked, "partitions", 58_019_014),
    (Weakness::AskersMayFoundFirst, "pair cuts", 220_102_732),
    (Weakness::WholeIsForgotten, "partitions", 230_020_623),
    (Weakness::NoPatienceAfterAbsence, STOPPED_AGAIN, 2),
    (Weakness::NoPatienceAfterAbsence, STOPPED_AGAIN, 5),
    // Rooms mostly become one before it matters.
    (Weakness::OnlyTheLiveAreNamed, BACK_BRIEFLY, 0),
    (Weakness::OnlyTheLiveAreNamed, BACK_BRIEFLY, 2),
    (Weakness::GivenUpIsForgotten, "stores", 8),
    (Weakness::GivenUpIsForgotten, "stores", 9),
    (Weakness::OtherGroupsAreNotAsked, "partitions", 190_054_710),
    (Weakness::LostAreNotAwaited, "mixed", 1_000_093),
    (Weakness::SilentKeepTheirPlace, "pair cuts", 352_003_783),
    (Weakness::LostAreNotAwaited, "partitions", 2_000_092),
    (Weakness::NewcomersAreOld, "stopped", 90_000_198),
    (Weakness::NewcomersAreOld, "stopped", 90_001_345),
    (Weakness::NoLateWord, "partitions", 60_002_053),
    (Weakness::NoLateWord, "partitions", 63_020_833),
    (Weakness::HearsayCounts, HEARD_ONLY, 3),
    (Weakness::HearsayCounts, HEARD_ONLY, 5),
    (Weakness::NoSecondSearch, HEARD_ONLY, 251),
    (Weakness::NoSecondSearch, HEARD_ONLY, 302),
    (Weakness::UnprovenCounts, HEARD_ONLY, 7),
    (Weakness::UnprovenCounts, HEARD_ONLY, 12),
    (Weakness::NoWordOfUnreached, HEARD_ONLY, 0),
    (Weakness::NoKnock, HOST_GONE, 2),
    (Weakness::NoBeatRequests, HOST_GONE, 14),
    (Weakness::NoBeatRequests, HOST_GONE, 4),
    (Weakness::NoSayOfNeighbours, HOST_GONE, 3),
    (Weakness::NoSayOfNeighbours, HOST_GONE, 5),
    (Weakness::UnaskedViewsCount, UNASKED_VIEWS, 76),
    (Weakness::UnaskedViewsCount, UNASKED_VIEWS, 134),
    (Weakness::UnaskedViewsCount, UNASKED_VIEWS, 148),
    (Weakness::NamedCausesExist, HOSTILE, 128),
    (Weakness::NamedCausesExist, HOSTILE, 174),
    (Weakness::LatestStay, HOSTILE, 377),
    (Weakness::LatestStay, HOSTILE, 401),
    (Weakness::LaterGoFirst, "full queues", 57_020_431),
    (Weakness::LaterGoFirst, "full queues", 57_039_248),
    (Weakness::CyclesWait, HOSTILE, 0),
    (Weakness::CyclesWait, HOSTILE, 14),
    (Weakness::NoSmallSegments, LARGE_LOST, 0),
    (Weakness::NoSmallSegments, LARGE_LOST, 1),
];

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
                    let rare = RARE.iter().filter(|(rare, _, _)| Some(*rare) == *weakness);
                    let rare = rare.flat_map(|(_, kind, seed)| {
                        [scenario_of(kind, *seed), scenario_in(kind, *seed)]
                    });
                    let rare: Vec<Scenario> = rare.collect();
                    let noticed = if rare.is_empty() {
                        (seeds.clone()).find_map(|seed| notices(*weakness, scenario(seed)))
                    } else {
                        (rare.into_iter()).find_map(|scenario| notices(*weakness, scenario))
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

fn notices(weakness: Option<Weakness>, scenario: Scenario) -> Option<Noticed> {
    let scenario = Rc::new(scenario);
    let violation = run_caught(&scenario, weakness, 0).failure?;
    Some(Noticed {
        seed: scenario.seed,
        kind: scenario.kind,
        violation: violation.to_string(),
    })
}
