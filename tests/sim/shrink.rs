//! Shrinking: a smaller schedule that still fails, by taking events out (delta debugging).
//!
//! Owns the search only. The seed stays, so that fates of what is left do not change.

use std::rc::Rc;

use super::scenario::{Event, Scenario, What, Who};

/// Takes events out as long as `fails` still says true; at most `tries` runs. The end of a liar stays: what is asked
/// for afterwards is asked for without it.
pub fn shrink(
    scenario: &Scenario,
    tries: usize,
    fails: impl Fn(&Rc<Scenario>) -> bool,
) -> Scenario {
    let mut best = scenario.clone();
    let mut left = tries;
    let with = |best: &Scenario, events: Vec<Event>| {
        Rc::new(Scenario {
            events,
            ..best.clone()
        })
    };
    let mut chunk = best.events.len().div_ceil(2);
    while chunk > 0 && left > 0 {
        let (mut at, mut smaller) = (0, false);
        while at < best.events.len() && left > 0 {
            let mut events = best.events.clone();
            let end = (at + chunk).min(events.len());
            let out = events.splice(at..end, []).collect::<Vec<_>>();
            let kept = out.into_iter().filter(|e| ends_the_liar(&best, e));
            events.splice(at..at, kept.collect::<Vec<_>>());
            if events.len() == best.events.len() {
                at += chunk;
                continue;
            }
            left -= 1;
            let candidate = with(&best, events);
            if fails(&candidate) {
                best = (*candidate).clone();
                smaller = true;
            } else {
                at += chunk;
            }
        }
        if !smaller || chunk > 1 {
            chunk = if chunk == 1 { 0 } else { chunk.div_ceil(2) };
        }
    }
    best
}

fn ends_the_liar(scenario: &Scenario, event: &Event) -> bool {
    let liar = scenario.liar.as_ref();
    liar.is_some_and(|liar| event.what == What::Crash(Who::Host(liar.host)))
}
