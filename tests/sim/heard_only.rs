//! Somebody whose datagrams are heard, and whose streams carry nothing: the others are a room without it.
//!
//! Owns this kind of scenario, and what it demands. It looks at nothing but the seed.

use super::scenario::{Demand, MS, Oddity, Run, SECOND, Scenario, What, Who};

/// The name of this kind.
pub const HEARD_ONLY: &str = "heard only";

/// How soon all others are in one room, after the last of them has started; and where several are odd, who
/// may be waited for one after the other.
const ROOM_WITHIN: u64 = 5 * SECOND;
const ROOM_WITHIN_OF_SEVERAL: u64 = 8 * SECOND;

/// The scenario of this kind and seed.
pub fn scenario_of(kind: &'static str, seed: u64) -> Option<Scenario> {
    if kind != HEARD_ONLY {
        return None;
    }
    let mut rng = fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x0dd1);
    let hosts = rng.usize(3..=7);
    let mut scenario = Scenario::quiet(kind, seed, hosts);
    if rng.u8(0..3) == 0 {
        (scenario.heartbeat_ms, scenario.failure_timeout_ms) = (100, 400);
    }
    scenario.fixed_ports = rng.bool();
    scenario.network.latency = *rng.choice(&[(30, 200), (500, 8_000)]).unwrap_or(&(30, 200));
    scenario.network.datagram_loss = *rng.choice(&[0, 0, 20, 200]).unwrap_or(&0);
    let odd = if hosts > 4 && rng.u8(0..4) == 0 { 2 } else { 1 };
    let settled = start(&mut scenario, &mut rng, odd);
    let until = go_on(&mut scenario, &mut rng, (odd, settled));
    scenario.heal_at = until;
    scenario.bound = 12 * SECOND;
    if hosts > odd + 2 {
        scenario.failover = Some(What::Crash(Who::Coordinator));
    }
    scenario.events.sort_by_key(|e| e.at);
    Some(scenario)
}

/// Only one can be there that others cannot dial, or it and another one do not reach each other. Who turns
/// odd later does so in both directions: what a member says is believed as long as it comes.
fn oddity(rng: &mut fastrand::Rng, odd: usize, is_member: bool) -> Oddity {
    let all = [
        Oddity::OnlyDials,
        Oddity::Silent,
        Oddity::Refuses,
        Oddity::Mute,
        Oddity::HearsNothing,
        Oddity::SaysNothing,
    ];
    let first = usize::from(odd > 1);
    let last = if is_member { 4 } else { all.len() };
    all[rng.usize(first..last)]
}

/// The first hosts are odd, from the start or later; returns when all others have been in one room.
fn start(scenario: &mut Scenario, rng: &mut fastrand::Rng, odd: usize) -> u64 {
    let style = rng.u8(0..4);
    let mut last = 0;
    for host in odd..scenario.hosts {
        let at = match style {
            // The odd ones first; all at once; the odd ones come into a room that is there.
            0 => rng.u64(SECOND / 2..3 * SECOND),
            1 => rng.u64(0..5 * MS),
            _ if rng.bool() => 0,
            _ => rng.u64(0..2 * SECOND),
        };
        last = last.max(at);
        scenario.add(at, What::Start(host, Run::Node));
    }
    let within = if odd > 1 {
        ROOM_WITHIN_OF_SEVERAL
    } else {
        ROOM_WITHIN
    };
    let settled = last + within;
    let mut comes_in = false;
    for host in 0..odd {
        let oddity = oddity(rng, odd, style == 3);
        let comes = match style {
            0 => rng.u64(0..10 * MS),
            1 => rng.u64(0..5 * MS),
            2 => settled + rng.u64(0..SECOND),
            _ => last + rng.u64(SECOND..2 * SECOND),
        };
        scenario.add(comes, What::Start(host, Run::Node));
        // In the last style it has been a member, and has the highest id.
        let turns = if style == 3 {
            settled + rng.u64(0..SECOND)
        } else {
            comes
        };
        scenario.add(turns.saturating_sub(1), What::Odd(host, oddity));
        comes_in |= oddity == Oddity::OnlyDials;
    }
    scenario.add(settled, What::Demand(Demand::OneRoom));
    match style {
        1 if scenario.network.datagram_loss == 0 => {
            scenario.add(settled, What::Demand(Demand::OneFounder));
            settled
        }
        2 if !comes_in => {
            scenario.add(settled, What::Demand(Demand::Calm(true)));
            scenario.add(settled, What::Demand(Demand::KeepCoordinator(true)));
            settled + 6 * SECOND
        }
        2 | 3 => settled + 8 * SECOND,
        _ => settled,
    }
}

/// Something happens in the room; returns when it is over.
fn go_on(scenario: &mut Scenario, rng: &mut fastrand::Rng, (odd, settled): (usize, u64)) -> u64 {
    scenario.add(settled, What::Demand(Demand::OneRoom));
    let at = settled + rng.u64(MS..SECOND);
    scenario.add(at, What::Demand(Demand::KeepCoordinator(false)));
    scenario.add(at, What::Demand(Demand::Calm(true)));
    scenario.add(at, What::Say(Who::Host(odd), 2, 12));
    let later = at + 3 * SECOND;
    scenario.add(later, What::Demand(Demand::Calm(false)));
    scenario.add(later, What::Demand(Demand::AllDelivered));
    match rng.u8(0..5) {
        0 => scenario.add(later + MS, What::Crash(Who::Coordinator)),
        1 => scenario.add(later + MS, What::Leave(Who::Coordinator)),
        2 => {
            let long = rng.u64(SECOND..4 * SECOND);
            let what = What::Suspend(Who::Host(rng.usize(odd..scenario.hosts)), long);
            scenario.add(later + MS, what);
        }
        3 => {
            let host = rng.usize(odd..scenario.hosts);
            scenario.add(later + MS, What::Crash(Who::Host(host)));
            let again = later + 2 * SECOND;
            scenario.add(again, What::Demand(Demand::AllConfirmed));
            scenario.add(again, What::Start(host, Run::OneShot(2)));
        }
        _ => {}
    }
    later + 8 * SECOND
}
