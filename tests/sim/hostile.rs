//! A member that lies in whatever it may send, for some time; then it is gone.
//!
//! Owns this kind of scenario. The others talk, and lose their coordinator perhaps; nothing else is wrong.

use super::liar::{ALL, Lie, Plan, QUESTIONS};
use super::scenario::{MS, Run, SECOND, Scenario, What, Who};

/// The name of this kind.
pub const HOSTILE: &str = "hostile";
/// The same with one lie only, told all the time: views that nobody asked for. Few of the other seeds show what they do.
pub const UNASKED_VIEWS: &str = "unasked views";
/// The same with questions out of nothing, and perhaps one of the other lies.
pub const FALSE_QUESTIONS: &str = "false questions";

/// The scenario of this kind and seed.
pub fn scenario_of(kind: &'static str, seed: u64) -> Option<Scenario> {
    let only = match kind {
        HOSTILE => None,
        FALSE_QUESTIONS => None,
        UNASKED_VIEWS => Some(Lie::UnaskedView),
        _ => return None,
    };
    let mut rng = fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x11a4);
    let hosts = rng.usize(3..=7);
    let mut scenario = Scenario::quiet(kind, seed, hosts);
    scenario.fixed_ports = rng.bool();
    scenario.network.latency = *rng.choice(&[(30, 200), (500, 8_000)]).unwrap_or(&(30, 200));
    let liar = rng.usize(0..hosts);
    start(&mut scenario, &mut rng, liar);
    let from = rng.u64(2 * SECOND..4 * SECOND);
    let gone = from + rng.u64(6 * SECOND..18 * SECOND);
    scenario.liar = Some(Plan {
        host: liar,
        from,
        lies: lies(&mut rng, seed),
        permille: *rng.choice(&[100, 500, 1_000]).unwrap_or(&500),
        every: rng.u64(20 * MS..400 * MS),
    });
    if let (Some(lie), Some(plan)) = (only, &mut scenario.liar) {
        (plan.lies, plan.permille, plan.every) = (vec![lie], 1_000, plan.every / 4);
    }
    if let Some(plan) = scenario.liar.as_mut().filter(|_| kind == FALSE_QUESTIONS) {
        plan.lies = questions(&mut rng, seed);
    }
    talk(&mut scenario, &mut rng, gone);
    trouble(&mut scenario, &mut rng, (liar, from, gone));
    scenario.add(gone, What::Crash(Who::Host(liar)));
    scenario.heal_at = gone + 10 * MS;
    scenario.bound = 20 * SECOND;
    scenario.failover = Some(What::Crash(Who::Coordinator)).filter(|_| hosts > 3);
    scenario.events.sort_by_key(|e| e.at);
    Some(scenario)
}

/// The liar is the first and coordinates, or comes later; or has the highest id and is asked in elections.
fn start(scenario: &mut Scenario, rng: &mut fastrand::Rng, liar: usize) {
    let style = rng.u8(0..3);
    for host in 0..scenario.hosts {
        let at = match (style, host == liar) {
            (0, true) | (1, false) => rng.u64(0..10 * MS),
            (0, false) | (1, true) => rng.u64(SECOND..3 * SECOND / 2),
            _ => rng.u64(0..SECOND),
        };
        scenario.add(at, What::Start(host, Run::Node));
    }
}

/// Each seed has one lie of its own, so that each happens; some have others beside it, or all.
fn lies(rng: &mut fastrand::Rng, seed: u64) -> Vec<Lie> {
    let own = ALL[(seed % ALL.len() as u64) as usize];
    let mut lies = match rng.u8(0..4) {
        0 => ALL.to_vec(),
        1 => vec![own],
        _ => {
            let share = rng.u8(2..6);
            let others = ALL.into_iter().filter(|_| rng.u8(0..share) == 0);
            others.collect()
        }
    };
    if !lies.contains(&own) {
        lies.push(own);
    }
    lies
}

/// One question by turns, or several, or all; half of the seeds have another lie beside them.
fn questions(rng: &mut fastrand::Rng, seed: u64) -> Vec<Lie> {
    let own = QUESTIONS[(seed % QUESTIONS.len() as u64) as usize];
    let share = rng.u8(1..4);
    let is_told = |lie: &Lie, rng: &mut fastrand::Rng| *lie == own || rng.u8(0..share) == 0;
    let mut lies: Vec<Lie> = QUESTIONS
        .into_iter()
        .filter(|lie| is_told(lie, rng))
        .collect();
    if rng.bool() {
        lies.extend(rng.choice(ALL));
    }
    lies
}

fn talk(scenario: &mut Scenario, rng: &mut fastrand::Rng, gone: u64) {
    for _ in 0..rng.usize(10..40) {
        let host = rng.usize(0..scenario.hosts);
        let count = if rng.u8(0..6) == 0 { rng.u64(2..12) } else { 1 };
        let what = match rng.u8(0..20) {
            0 => What::Private(Who::Host(host)),
            1 => What::Rename(Who::Host(host)),
            _ => What::Say(Who::Host(host), count, 12),
        };
        scenario.add(rng.u64(SECOND..gone), what);
    }
}

/// Somebody honest is lost, for good or not, while the liar is there; mostly the coordinator.
fn trouble(
    scenario: &mut Scenario,
    rng: &mut fastrand::Rng,
    (liar, from, gone): (usize, u64, u64),
) {
    if scenario.hosts < 4 {
        return;
    }
    for _ in 0..rng.usize(0..=2) {
        let at = rng.u64(from..gone);
        let host = (liar + rng.usize(1..scenario.hosts)) % scenario.hosts;
        let what = match rng.u8(0..8) {
            0 => What::PowerCut(Who::Host(host)),
            1 => What::Leave(Who::Host(host)),
            2 => What::Elect(Who::Host(host)),
            3 => What::Crash(Who::Host(host)),
            4 => What::PowerCut(Who::Honest),
            5 => What::Leave(Who::Honest),
            _ => What::Crash(Who::Honest),
        };
        scenario.add(at, what);
        let again = at + rng.u64(SECOND / 2..4 * SECOND);
        for host in (0..scenario.hosts).filter(|h| *h != liar) {
            scenario.add(again, What::Start(host, Run::Node));
        }
    }
}
