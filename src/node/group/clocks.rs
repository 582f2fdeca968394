//! Whether the clock on this machine's wall is right, as far as those of the others tell.
//!
//! What is dated more than a day ahead counts as not said. So a node whose clock is wrong by more than that
//! would be deaf, or mute, in silence: its user is told, once. Nothing else follows from it here.

use super::{Group, Parts};
use crate::node::Event;
use crate::timing::TIMESTAMP_AHEAD_MAX;

const HOUR_MS: u64 = 60 * 60 * 1_000;

impl Group {
    /// At each look: tells the user if most members' clocks differ from this node's by more than a day.
    pub(in crate::node) fn look_at_clocks(&mut self, parts: &mut Parts<'_>) {
        let limit = i64::try_from(TIMESTAMP_AHEAD_MAX.as_millis()).unwrap_or(i64::MAX);
        let links = parts.mesh.open_links();
        let members = links.filter(|(key, _, _)| self.roster.contains(*key));
        let mut ahead: Vec<i64> = members
            .filter_map(|(_, _, link)| link.wall_ahead(parts.cx))
            .collect();
        if ahead.is_empty() {
            return;
        }
        // Most are beyond the limit, on one side, if the one in the middle is.
        let (count, middle) = (ahead.len(), (ahead.len() - 1) / 2);
        let (_, low, _) = ahead.select_nth_unstable(middle);
        let low = *low;
        let (_, high, _) = ahead.select_nth_unstable(count / 2);
        let (low, high) = (low.min(*high), low.max(*high));
        let by = if low > limit {
            low
        } else if high < -limit {
            high
        } else {
            return;
        };
        if !std::mem::replace(&mut self.is_clock_told, true) {
            parts.cx.show(Event::Warning(words(by, count)));
        }
    }
}

fn words(by: i64, count: usize) -> String {
    let hours = (by.unsigned_abs() + HOUR_MS / 2) / HOUR_MS;
    let wrong = match hours / 24 {
        1 => format!("{hours} hours"),
        days => format!("{days} days"),
    };
    let others = match count {
        1 => "that of the other member".to_string(),
        _ => "those of most members".to_string(),
    };
    let (side, follows) = if by > 0 {
        ("behind", "what they say is not shown here")
    } else {
        ("ahead of", "what is said here is not shown there")
    };
    format!(
        "this machine's clock seems to be wrong by {wrong}: it is {side} {others}; until it is set right, \
         {follows}"
    )
}
