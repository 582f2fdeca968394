//! The nodes' lines: names, bands, what did not run, what was cut, what ended, and what each did.
//!
//! Owns nothing: it writes to the page that it is lent.

use std::fmt::Write as _;

use super::super::lives::{End, Life};
use super::axis::Mark;
use super::style::{COLOURS, escaped};
use super::{LEFT, Page};
use crate::trace::words::moment;

/// How much of what a node did is written out.
const WORDS_MOST: usize = 60;

impl Page<'_> {
    pub(super) fn times(&mut self) {
        let stretch = self.selection.to - self.selection.from;
        for (time, y) in self.axis.labels(15.0) {
            let (x, y, words) = (LEFT - 12.0, y + 3.0, moment(time, stretch));
            let _ = writeln!(
                self.out,
                "<text class=\"small time\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"end\">{words}</text>"
            );
        }
    }

    /// A node's name, its line, its bands.
    pub(super) fn life(&mut self, node: usize) {
        let (x, life) = (self.x(node), &self.picture.lives[node]);
        let row = match self.place(node) {
            place if self.column < 80.0 && place % 2 == 1 => 34.0,
            _ => 18.0,
        };
        let _ = writeln!(
            self.out,
            "<text class=\"name\" x=\"{x:.1}\" y=\"{row}\" text-anchor=\"middle\">{}</text>",
            escaped(&life.label)
        );
        if !self.has((life.from, life.to)) {
            return;
        }
        let (top, bottom) = (self.axis.at(life.from), self.axis.at(life.to));
        let _ = writeln!(
            self.out,
            "<line class=\"life\" x1=\"{x:.1}\" y1=\"{top:.1}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\"/>"
        );
        self.reigns(x, life);
        self.not_running(x, life);
        self.cuts(x, life);
        if life.end == End::Died && self.has((life.to, life.to)) {
            let (left, up) = (x - 7.0, bottom - 7.0);
            let _ = writeln!(
                self.out,
                "<path d=\"M{left:.1} {up:.1}l14 14m0 -14l-14 14\" stroke=\"#111\" stroke-width=\"3\"/>\
                 <text class=\"halo\" x=\"{:.1}\" y=\"{:.1}\">its process ended</text>",
                x + 14.0,
                bottom + 14.0
            );
        }
    }

    /// True if something of this is drawn.
    fn has(&self, (from, to): (i64, i64)) -> bool {
        to >= self.selection.from && from <= self.selection.to
    }

    fn reigns(&mut self, x: f64, life: &Life) {
        for reign in &life.reigns {
            if !self.has((reign.from, reign.to)) {
                continue;
            }
            let (top, bottom) = (self.axis.at(reign.from), self.axis.at(reign.to));
            let colour = self.reigning.get(&reign.is).copied().unwrap_or(0) % COLOURS.len();
            let (wide, edge) = if reign.is == life.key {
                (18.0, 1.8)
            } else {
                (10.0, 0.6)
            };
            let (left, high) = (x - wide / 2.0, (bottom - top).max(1.0));
            let _ = writeln!(
                self.out,
                "<rect class=\"reign\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{wide}\" height=\"{high:.1}\" \
                 fill=\"url(#c{colour})\" stroke=\"#111\" stroke-width=\"{edge}\">\
                 <title>{} holds {} for coordinator</title></rect>",
                escaped(&life.label),
                escaped(&self.picture.name(reign.is))
            );
        }
    }

    fn not_running(&mut self, x: f64, life: &Life) {
        for span in &life.frozen {
            // A node that noticed that it was away says so at the end of what is drawn already.
            if !self.has((span.from, span.to)) || span.to - span.from < 1_000 {
                continue;
            }
            let (top, bottom) = (self.axis.at(span.from), self.axis.at(span.to));
            let _ = writeln!(
                self.out,
                "<rect class=\"frozen\" x=\"{:.1}\" y=\"{top:.1}\" width=\"22\" height=\"{:.1}\"/>\
                 <text class=\"small halo\" x=\"{:.1}\" y=\"{:.1}\">does not run</text>",
                x - 11.0,
                (bottom - top).max(2.0),
                x + 14.0,
                f64::midpoint(top, bottom)
            );
        }
    }

    fn cuts(&mut self, x: f64, life: &Life) {
        for cut in &life.cuts {
            if !self.has((cut.from, cut.to)) {
                continue;
            }
            let side = match self.picture.number(cut.is) {
                Some(peer) if self.x(peer) < x => x - 14.0,
                _ => x + 14.0,
            };
            let (top, bottom) = (self.axis.at(cut.from), self.axis.at(cut.to));
            let _ = writeln!(
                self.out,
                "<line class=\"cut\" x1=\"{side:.1}\" y1=\"{top:.1}\" x2=\"{side:.1}\" y2=\"{bottom:.1}\">\
                 <title>{} is cut from {}</title></line>",
                escaped(&life.label),
                escaped(&self.picture.name(cut.is))
            );
        }
    }

    pub(super) fn all_deeds(&mut self) {
        let last = self.selection.nodes.len().saturating_sub(1);
        for deed in std::mem::take(&mut self.deeds) {
            let x = self.x(deed.at.node);
            let y = self.axis.of(Mark::Did(deed.at), deed.time);
            // Beyond the last line stands what is said of elections.
            let is_last = last > 0 && self.place(deed.at.node) == last;
            let (beside, anchor) = if is_last {
                (x - 12.0, "end")
            } else {
                (x + 12.0, "start")
            };
            let short: String = deed.words.chars().take(WORDS_MOST).collect();
            let fill = if deed.is_grave { "#111" } else { "#fff" };
            let _ = writeln!(
                self.out,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.2\" fill=\"{fill}\" stroke=\"#111\"/>\
                 <text class=\"small halo\" x=\"{beside:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}\
                 <title>{}</title></text>",
                y + 3.0,
                escaped(&short),
                escaped(&deed.words)
            );
        }
    }
}
