//! The messages, and the elections around them.
//!
//! Owns nothing: it writes to the page that it is lent.

use std::fmt::Write as _;

use super::super::matching::At;
use super::super::picture::Message;
use super::axis::Mark;
use super::style::{escaped, kind_of};
use super::{LEFT, Page, RIGHT};
use crate::trace::words::shown;

/// What was sent so short a time before the end may come in yet.
const UNDER_WAY: i64 = 50_000;

impl Page<'_> {
    /// Each election, with what it cost.
    pub(super) fn boxes(&mut self) {
        let right = self.width() - RIGHT;
        let mut free = 0.0_f64;
        for ballot in &self.picture.ballots {
            if ballot.to < self.selection.from || ballot.from > self.selection.to {
                continue;
            }
            let top = self.axis.at(ballot.from) - 9.0;
            let high = self.axis.at(ballot.to + 1) + 9.0 - top;
            let wide = right - LEFT;
            let _ = writeln!(
                self.out,
                "<rect class=\"box\" x=\"{LEFT}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{high:.1}\" rx=\"5\"/>"
            );
            let mut winners: Vec<&str> = (ballot.winners.iter())
                .map(|w| self.picture.lives[w.0].label.as_str())
                .collect();
            winners.dedup();
            let winners = if winners.is_empty() {
                "nobody".to_owned()
            } else {
                winners.join(", ")
            };
            let (best, worst) = ballot.textbook();
            let count = ballot.total();
            let lines = [
                format!("election, {}", shown(ballot.to - ballot.from)),
                format!("won by {winners}"),
                format!("{count} message{}", if count == 1 { "" } else { "s" }),
                format!("textbook Bully: {best} to {worst}"),
            ];
            let (x, mut y) = (right + 10.0, top.max(free) + 12.0);
            for line in lines {
                let line = escaped(&line);
                let _ = writeln!(self.out, "<text x=\"{x:.1}\" y=\"{y:.1}\">{line}</text>");
                y += 14.0;
            }
            free = y;
        }
    }

    pub(super) fn all_arrows(&mut self) {
        for (above, below, quiet) in self.axis.quiet.clone() {
            let (x, y) = (LEFT - 12.0, f64::midpoint(above, below) + 3.0);
            let _ = writeln!(
                self.out,
                "<text class=\"small time\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"end\">⋮ {} later</text>",
                shown(quiet)
            );
        }
        let mut named: Option<At> = None;
        for arrow in self.arrows.clone() {
            if let Some(to) = arrow.ends.to {
                // Copies of one message are named once.
                let is_first = named != Some(arrow.ends.sent);
                named = Some(arrow.ends.sent);
                self.arrow(arrow, to, is_first);
            }
        }
    }

    fn arrow(&mut self, arrow: &Message, to: usize, is_named: bool) {
        let name = &self.picture.types[arrow.m];
        let (x1, x2) = (self.x(arrow.ends.sent.node), self.x(to));
        let y1 = self.axis.of(Mark::Sent(arrow.ends.sent), arrow.sent);
        let inset = if x2 > x1 { -6.0 } else { 6.0 };
        let is_open = self.picture.until - arrow.sent < UNDER_WAY;
        let (end, marker, took) = match arrow.ends.got {
            Some(got) => {
                let y2 = self.axis.of(Mark::Got(got), arrow.got);
                let took = format!("took {}", shown(arrow.got - arrow.sent));
                ((x2 + inset, y2), " marker-end=\"url(#tip)\"", took)
            }
            None => {
                let end = (x1 + (x2 - x1) * 0.72, y1 + 12.0);
                (
                    end,
                    "",
                    if is_open {
                        "under way"
                    } else {
                        "never came in"
                    }
                    .to_owned(),
                )
            }
        };
        let names = (
            &self.picture.lives[arrow.ends.sent.node].label,
            &self.picture.lives[to].label,
        );
        let title = format!(
            "{name} {} → {}, {took}: {}",
            names.0,
            names.1,
            self.picture.said(arrow.ends.sent)
        );
        let _ = writeln!(
            self.out,
            "<path class=\"arrow {}\" d=\"M{x1:.1} {y1:.1}L{:.1} {:.1}\"{marker}><title>{}</title></path>",
            kind_of(name).name,
            end.0,
            end.1,
            escaped(&title)
        );
        if arrow.ends.got.is_none() && !is_open {
            self.lost(end);
        }
        if is_named {
            let slope = (end.1 - y1) / (end.0 - x1);
            let near = (x2 - x1).signum() * self.column * 0.5;
            let words = escaped(short(name));
            let _ = writeln!(
                self.out,
                "<text class=\"small halo\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{words}</text>",
                x1 + near,
                y1 + slope * near - 3.0
            );
        }
    }

    /// A cross where a message got lost.
    fn lost(&mut self, (x, y): (f64, f64)) {
        let (x, y) = (x - 4.0, y - 4.0);
        let _ = writeln!(
            self.out,
            "<path d=\"M{x:.1} {y:.1}l8 8m0 -8l-8 8\" stroke=\"#111\" stroke-width=\"1.6\"/>"
        );
    }
}

/// A type's name, as short as people call it.
fn short(name: &str) -> &str {
    match name {
        "CHAT_MESSAGE" => "CHAT",
        "COORDINATOR_ANNOUNCEMENT" => "COORDINATOR",
        name => name,
    }
}
