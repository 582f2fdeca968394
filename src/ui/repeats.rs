//! How many lines of one kind people are told, where others can bring about as many as they like.
//!
//! Owns how many of each kind were said lately, and what was left out and not summed up yet. Whatever is left out is
//! counted, and said in one line after a while: nothing is ever silent. It decides nothing about events for
//! scripts, which are complete, and shows nothing itself.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::limits::{
    ALIKE_SAID_MAX, COMINGS_SAID_MAX, MISSED_OF_ONE_SAID_MAX, MISSED_SAID_MAX,
    OTHERS_OF_ONE_SAID_MAX, OTHERS_SAID_MAX, RENAMES_OF_ONE_SAID_MAX, RENAMES_SAID_MAX,
    WARNINGS_OF_ONE_SAID_MAX, WARNINGS_SAID_MAX,
};
use crate::node::Time;
use crate::timing::{LEFT_OUT_SAID, REPEATED_EVERY};

use super::text::grouped;

/// Kinds of lines of which there may be many.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Matter {
    /// Lines of an author were given up; each is about one author.
    Missed,
    /// Somebody is not who had a nick before; each is about one nick.
    Another,
    /// Nicks look alike.
    Alike,
    /// The node warns; each is about what its first words say.
    Warning,
    /// Somebody has a new nick; each is about one member.
    Renamed,
    /// Somebody came, went, or coordinates.
    Coming,
}

/// What a line is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About<'a> {
    pub(crate) matter: Matter,
    /// Of whom or what it is, as far as that is told apart: of one there are fewer lines than of all, so that
    /// one who brings about too many takes nobody else's place.
    pub(crate) whom: &'a str,
    /// How many lost lines of the talk it tells of.
    pub(crate) lost: u64,
}

impl Matter {
    /// A line of this kind.
    pub(crate) fn of(self, whom: &str) -> About<'_> {
        About {
            matter: self,
            whom,
            lost: 0,
        }
    }

    /// True of what people are warned of, rather than told.
    pub(crate) fn is_warning(self) -> bool {
        !matches!(self, Matter::Renamed | Matter::Coming)
    }

    const ALL: [Matter; 6] = [
        Matter::Missed,
        Matter::Another,
        Matter::Alike,
        Matter::Warning,
        Matter::Renamed,
        Matter::Coming,
    ];

    /// How many are said at once in all, and how many of one.
    fn burst(self) -> (u32, u32) {
        match self {
            Matter::Missed => (MISSED_SAID_MAX, MISSED_OF_ONE_SAID_MAX),
            Matter::Another => (OTHERS_SAID_MAX, OTHERS_OF_ONE_SAID_MAX),
            Matter::Alike => (ALIKE_SAID_MAX, ALIKE_SAID_MAX),
            Matter::Warning => (WARNINGS_SAID_MAX, WARNINGS_OF_ONE_SAID_MAX),
            Matter::Renamed => (RENAMES_SAID_MAX, RENAMES_OF_ONE_SAID_MAX),
            Matter::Coming => (COMINGS_SAID_MAX, COMINGS_SAID_MAX),
        }
    }
}

/// What was said lately, by kind.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    said: [Said; Matter::ALL.len()],
}

/// What was said lately of one kind.
#[derive(Debug, Default)]
struct Said {
    all: Credit,
    /// Of those of whom something was said lately. There are never many, since not many lines are said.
    each: BTreeMap<String, Credit>,
    left_out: Option<LeftOut>,
}

/// Lines that were not said.
#[derive(Clone, Copy, Debug)]
struct LeftOut {
    lines: u64,
    /// How many lost lines of the talk they would have told of.
    lost: u64,
    /// When they are summed up.
    due: Time,
}

/// How much may be said: each line takes something, which time gives back.
#[derive(Clone, Copy, Debug, Default)]
struct Credit {
    /// When all of it is there again.
    full_at: Time,
}

impl Credit {
    fn has_some(self, burst: u32, now: Time) -> bool {
        let most: Duration = REPEATED_EVERY * burst.saturating_sub(1);
        self.full_at.since(now) <= most
    }

    fn take(&mut self, now: Time) {
        self.full_at = self.full_at.max(now) + REPEATED_EVERY;
    }
}

impl Repeats {
    /// Whether this line is said now; if not, it is counted.
    pub(crate) fn admit(&mut self, now: Time, about: About<'_>) -> bool {
        let (all, of_one) = about.matter.burst();
        let said = &mut self.said[about.matter as usize];
        let each = said.each.get(about.whom).copied().unwrap_or_default();
        if said.all.has_some(all, now) && each.has_some(of_one, now) {
            said.all.take(now);
            said.each.retain(|_, credit| credit.full_at > now);
            said.each
                .entry(about.whom.to_owned())
                .or_default()
                .take(now);
            return true;
        }
        let left_out = said.left_out.get_or_insert(LeftOut {
            lines: 0,
            lost: 0,
            due: now + LEFT_OUT_SAID,
        });
        left_out.lines += 1;
        left_out.lost = left_out.lost.saturating_add(about.lost);
        false
    }

    /// When [`sum_up`](Repeats::sum_up) wants to be called.
    pub(crate) fn next_deadline(&self) -> Option<Time> {
        let all = self.said.iter().filter_map(|said| said.left_out);
        all.map(|left_out| left_out.due).min()
    }

    /// What was left out long enough ago to be summed up, one line for each kind.
    pub(crate) fn sum_up(&mut self, now: Time) -> Vec<(Matter, String)> {
        self.sum_up_if(|left_out| left_out.due <= now)
    }

    /// All that was left out and not summed up yet.
    pub(crate) fn sum_up_all(&mut self) -> Vec<(Matter, String)> {
        self.sum_up_if(|_| true)
    }

    fn sum_up_if(&mut self, is_due: impl Fn(&LeftOut) -> bool) -> Vec<(Matter, String)> {
        let all = Matter::ALL.into_iter().filter_map(|matter| {
            let left_out = &mut self.said[matter as usize].left_out;
            let summed = left_out.take_if(|left_out| is_due(left_out))?;
            Some((matter, words(matter, summed)))
        });
        all.collect()
    }
}

/// What a warning of the node is about, as far as warnings are told apart: what it begins with.
pub(crate) fn first_words(text: &str) -> &str {
    let third = text.match_indices(' ').nth(2);
    third.map_or(text, |(end, _)| &text[..end])
}

/// What is said of lines that were not: `392 more changes of nicks were left out`.
fn words(matter: Matter, LeftOut { lines, lost, .. }: LeftOut) -> String {
    let (one, many) = match matter {
        Matter::Missed => ("warning of missed lines", "warnings of missed lines"),
        Matter::Another => (
            "warning that somebody is not who had a nick before",
            "warnings that somebody is not who had a nick before",
        ),
        Matter::Alike => (
            "warning of nicks that look alike",
            "warnings of nicks that look alike",
        ),
        Matter::Warning => ("warning", "warnings"),
        Matter::Renamed => ("change of a nick", "changes of nicks"),
        Matter::Coming => (
            "line on who comes, goes or coordinates",
            "lines on who comes, goes or coordinates",
        ),
    };
    let (what, were) = match lines {
        1 => (one, "was"),
        _ => (many, "were"),
    };
    let of_it = match (matter, lost) {
        (Matter::Missed, 1) => ": 1 line in all".to_owned(),
        (Matter::Missed, _) => format!(": {} lines in all", grouped(lost)),
        _ => String::new(),
    };
    format!("{} more {what} {were} left out{of_it}", grouped(lines))
}

#[cfg(test)]
#[path = "repeats_test.rs"]
mod tests;
