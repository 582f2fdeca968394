//! The picture as one SVG file, for a page, a slide or a print.
//!
//! Owns the page: where its columns are, what is drawn in which order, and its legend. Whatever comes from a file
//! is escaped where it is written; there is no script in it, and nothing is fetched.
//!
//! | file | owns |
//! | --- | --- |
//! | `axis` | where a moment is |
//! | `style` | how things look |

mod axis;
pub(super) mod style;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::limits::TRACE_SVG_ARROWS_MAX;
use crate::wire::Key;

use super::format::What;
use super::lives::End;
use super::matching::At;
use super::picture::{Message, Picture};
use super::selection::Selection;
use super::words::{deed, moment, shown};
use axis::{Axis, Mark};
use style::{COLOURS, KINDS, escaped, kind_of};

/// Left of the first column: the times.
const LEFT: f64 = 92.0;
/// Above the first moment: the names.
const TOP: f64 = 54.0;
/// Right of the last column: what is said of elections.
const RIGHT: f64 = 196.0;

/// The whole file.
#[must_use]
pub fn svg(picture: &Picture, selection: &Selection) -> String {
    Page::new(picture, selection).draw()
}

/// Something that a node did, for the page.
struct Deed {
    at: At,
    time: i64,
    mark: char,
    words: String,
}

struct Page<'a> {
    picture: &'a Picture,
    selection: &'a Selection,
    arrows: Vec<&'a Message>,
    left_out: usize,
    deeds: Vec<Deed>,
    axis: Axis,
    column: f64,
    /// Who was somebody's coordinator, in the order of appearance: each has a colour.
    reigning: BTreeMap<Key, usize>,
    out: String,
}

impl<'a> Page<'a> {
    fn new(picture: &'a Picture, selection: &'a Selection) -> Page<'a> {
        let mut arrows: Vec<&Message> =
            picture.arrows.iter().filter(|m| selection.has(m)).collect();
        let left_out = arrows.len().saturating_sub(TRACE_SVG_ARROWS_MAX);
        if left_out > 0 {
            // Elections and views first: they are what the picture is for.
            arrows.sort_by_key(|m| {
                let kind = kind_of(&picture.types[m.m]).name;
                (KINDS.iter().position(|k| k.name == kind), m.sent)
            });
            arrows.truncate(TRACE_SVG_ARROWS_MAX);
            arrows.sort_by_key(|m| (m.sent, m.ends.sent));
        }
        let deeds = deeds(picture, selection);
        let mut marks: Vec<(i64, Mark)> = Vec::new();
        for arrow in &arrows {
            marks.push((arrow.sent, Mark::Sent(arrow.ends.sent)));
            marks.extend(arrow.ends.got.map(|got| (arrow.got, Mark::Got(got))));
        }
        marks.extend(deeds.iter().map(|d| (d.time, Mark::Did(d.at))));
        let span = (selection.from, selection.to);
        let axis = Axis::new(marks, span, TOP + 14.0);
        let count = selection.nodes.len().max(1) as f64;
        let mut reigning = BTreeMap::new();
        let mut reigns: Vec<(i64, Key)> = (selection.nodes.iter())
            .flat_map(|n| picture.lives[*n].reigns.iter().map(|r| (r.from, r.is)))
            .collect();
        reigns.sort_unstable();
        for (_, key) in reigns {
            let next = reigning.len();
            reigning.entry(key).or_insert(next);
        }
        Page {
            picture,
            selection,
            arrows,
            left_out,
            deeds,
            axis,
            column: (860.0 / count).clamp(46.0, 190.0),
            reigning,
            out: String::new(),
        }
    }

    fn x(&self, node: usize) -> f64 {
        let place = self.selection.nodes.iter().position(|n| *n == node);
        LEFT + self.column * (place.unwrap_or(0) as f64 + 0.5)
    }

    fn width(&self) -> f64 {
        LEFT + self.column * self.selection.nodes.len() as f64 + RIGHT
    }

    fn draw(mut self) -> String {
        let (width, bottom) = (self.width(), self.axis.bottom);
        let legend = 40.0 + 18.0 * self.reigning.len().div_ceil(3) as f64;
        let height = bottom + 20.0 + legend + if self.left_out > 0 { 16.0 } else { 0.0 };
        let _ = writeln!(
            self.out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
             width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\">"
        );
        self.out
            .push_str("<title>What the nodes of a papo room did</title>");
        self.out.push_str(&style::definitions());
        let _ = writeln!(
            self.out,
            "<rect width=\"{width:.0}\" height=\"{height:.0}\" fill=\"#fff\"/>"
        );
        self.boxes();
        self.times();
        for node in self.selection.nodes.clone() {
            self.life(node);
        }
        self.all_arrows();
        self.all_deeds();
        self.legend();
        self.out.push_str("</svg>\n");
        self.out
    }

    /// Each election, with what it cost.
    fn boxes(&mut self) {
        let right = self.width() - RIGHT;
        let mut free = 0.0_f64;
        for ballot in &self.picture.ballots {
            if ballot.to < self.selection.from || ballot.from > self.selection.to {
                continue;
            }
            // The messages of the last step are drawn below the moment in which they were sent.
            let top = self.axis.at(ballot.from) - 9.0;
            let bottom = self.axis.at(ballot.to + 1) + 9.0;
            let _ = writeln!(
                self.out,
                "<rect class=\"box\" x=\"{LEFT}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"5\"/>",
                right - LEFT,
                bottom - top
            );
            let (best, worst) = ballot.textbook();
            let winners: Vec<&str> = ballot
                .winners
                .iter()
                .map(|w| self.picture.lives[w.0].label.as_str())
                .collect();
            let lines = [
                format!("election, {}", shown(ballot.to - ballot.from)),
                format!(
                    "won by {}",
                    if winners.is_empty() {
                        "nobody".to_owned()
                    } else {
                        winners.join(", ")
                    }
                ),
                format!("{} messages", ballot.total()),
                format!("textbook Bully: {best} to {worst}"),
            ];
            let mut y = top.max(free) + 12.0;
            for line in lines {
                let _ = writeln!(
                    self.out,
                    "<text x=\"{:.1}\" y=\"{y:.1}\">{}</text>",
                    right + 10.0,
                    escaped(&line)
                );
                y += 14.0;
            }
            free = y;
        }
    }

    fn times(&mut self) {
        for (time, y) in self.axis.labels(15.0) {
            let _ = writeln!(
                self.out,
                "<text class=\"small time\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 12.0,
                y + 3.0,
                escaped(&moment(time, self.selection.to - self.selection.from))
            );
        }
    }

    /// A node's name, its line, its bands.
    fn life(&mut self, node: usize) {
        let (x, life) = (self.x(node), &self.picture.lives[node]);
        let (from, to) = (self.selection.from, self.selection.to);
        let row = match self.selection.nodes.iter().position(|n| *n == node) {
            Some(place) if self.column < 80.0 && place % 2 == 1 => 34.0,
            _ => 18.0,
        };
        let _ = writeln!(
            self.out,
            "<text class=\"name\" x=\"{x:.1}\" y=\"{row}\" text-anchor=\"middle\">{}</text>",
            escaped(&life.label)
        );
        if life.to < from || life.from > to {
            return;
        }
        let (top, bottom) = (self.axis.at(life.from), self.axis.at(life.to));
        let _ = writeln!(
            self.out,
            "<line class=\"life\" x1=\"{x:.1}\" y1=\"{top:.1}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\"/>"
        );
        for reign in &life.reigns {
            if reign.to < from || reign.from > to {
                continue;
            }
            let (top, bottom) = (self.axis.at(reign.from), self.axis.at(reign.to));
            let colour = self.reigning.get(&reign.is).copied().unwrap_or(0) % COLOURS.len();
            let (wide, edge) = if reign.is == life.key {
                (18.0, 1.8)
            } else {
                (10.0, 0.6)
            };
            let _ = writeln!(
                self.out,
                "<rect x=\"{:.1}\" y=\"{top:.1}\" width=\"{wide}\" height=\"{:.1}\" fill=\"url(#c{colour})\" \
                 stroke=\"#111\" stroke-width=\"{edge}\"><title>{} holds {} for coordinator</title></rect>",
                x - wide / 2.0,
                (bottom - top).max(1.0),
                escaped(&life.label),
                escaped(&self.picture.name(reign.is))
            );
        }
        for span in life.frozen.iter().filter(|s| s.to >= from && s.from <= to) {
            let (top, bottom) = (self.axis.at(span.from), self.axis.at(span.to));
            let _ = writeln!(
                self.out,
                "<rect class=\"frozen\" x=\"{:.1}\" y=\"{top:.1}\" width=\"22\" height=\"{:.1}\"/>\
                 <text class=\"small halo\" x=\"{:.1}\" y=\"{:.1}\">not running</text>",
                x - 11.0,
                (bottom - top).max(2.0),
                x + 14.0,
                (top + bottom) / 2.0
            );
        }
        for cut in life.cuts.iter().filter(|s| s.to >= from && s.from <= to) {
            let side = match self.picture.number(cut.is) {
                Some(peer) if self.x(peer) < x => -13.0,
                _ => 13.0,
            };
            let _ = writeln!(
                self.out,
                "<line class=\"cut\" x1=\"{0:.1}\" y1=\"{1:.1}\" x2=\"{0:.1}\" y2=\"{2:.1}\">\
                 <title>cut from {3}</title></line>",
                x + side,
                self.axis.at(cut.from),
                self.axis.at(cut.to),
                escaped(&self.picture.name(cut.is))
            );
        }
        if life.end == End::Died && (from..=to).contains(&life.to) {
            let _ = writeln!(
                self.out,
                "<path d=\"M{0:.1} {1:.1}l14 14m0 -14l-14 14\" stroke=\"#111\" stroke-width=\"3\"/>\
                 <text class=\"halo\" x=\"{2:.1}\" y=\"{3:.1}\">its process ended</text>",
                x - 7.0,
                bottom - 7.0,
                x + 14.0,
                bottom + 14.0
            );
        }
    }

    fn all_arrows(&mut self) {
        for (y, below, quiet) in self.axis.quiet.clone() {
            let middle = f64::midpoint(y, below);
            let _ = writeln!(
                self.out,
                "<text class=\"small quiet\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">⋮ {} later</text>",
                LEFT - 12.0,
                middle + 3.0,
                escaped(&shown(quiet))
            );
        }
        let mut named: Option<At> = None;
        for arrow in self.arrows.clone() {
            let Some(to) = arrow.ends.to else {
                continue;
            };
            let name = self.picture.types[arrow.m].clone();
            let kind = kind_of(&name);
            let (x1, x2) = (self.x(arrow.ends.sent.node), self.x(to));
            let y1 = self.axis.of(Mark::Sent(arrow.ends.sent), arrow.sent);
            let inset = if x2 > x1 { -6.0 } else { 6.0 };
            let (end, tip) = match arrow.ends.got {
                Some(got) => ((x2 + inset, self.axis.of(Mark::Got(got), arrow.got)), true),
                None => ((x1 + (x2 - x1) * 0.72, y1 + 12.0), false),
            };
            let marker = if tip { " marker-end=\"url(#tip)\"" } else { "" };
            let said = self.picture.said(arrow.ends.sent);
            let took = if tip {
                shown(arrow.got - arrow.sent)
            } else {
                "never came in".to_owned()
            };
            let _ = writeln!(
                self.out,
                "<path class=\"arrow {}\" d=\"M{x1:.1} {y1:.1}L{:.1} {:.1}\"{marker}><title>{} {} → {}, {}: {}</title></path>",
                kind.name,
                end.0,
                end.1,
                escaped(&name),
                escaped(&self.picture.lives[arrow.ends.sent.node].label),
                escaped(&self.picture.lives[to].label),
                escaped(&took),
                escaped(&said)
            );
            if !tip {
                let _ = writeln!(
                    self.out,
                    "<path d=\"M{:.1} {:.1}l8 8m0 -8l-8 8\" stroke=\"#111\" stroke-width=\"1.6\"/>",
                    end.0 - 4.0,
                    end.1 - 4.0
                );
            }
            // Copies of one message are named once.
            if named != Some(arrow.ends.sent) {
                named = Some(arrow.ends.sent);
                let at = if x2 > x1 { 0.5 } else { 0.5 };
                let near = x1 + (x2 - x1).signum() * self.column * at;
                let slope = (end.1 - y1) / (end.0 - x1);
                let _ = writeln!(
                    self.out,
                    "<text class=\"small halo\" x=\"{near:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                    y1 + slope * (near - x1) - 3.0,
                    escaped(short(&name))
                );
            }
        }
    }

    fn all_deeds(&mut self) {
        for deed in std::mem::take(&mut self.deeds) {
            let x = self.x(deed.at.node);
            let y = self.axis.of(Mark::Did(deed.at), deed.time);
            let short: String = deed.words.chars().take(46).collect();
            let _ = writeln!(
                self.out,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.2\" fill=\"{}\" stroke=\"#111\"/>\
                 <text class=\"small halo\" x=\"{:.1}\" y=\"{:.1}\">{}<title>{}</title></text>",
                if deed.mark == '!' { "#111" } else { "#fff" },
                x + 12.0,
                y + 3.0,
                escaped(&short),
                escaped(&deed.words)
            );
        }
    }

    fn legend(&mut self) {
        let mut y = self.axis.bottom + 30.0;
        let mut x = 14.0;
        for kind in KINDS {
            let _ = writeln!(
                self.out,
                "<path class=\"arrow {}\" d=\"M{x:.0} {y:.0}h34\" marker-end=\"url(#tip)\"/>\
                 <text x=\"{:.0}\" y=\"{:.0}\">{}</text>",
                kind.name,
                x + 40.0,
                y + 4.0,
                kind.words
            );
            x += 72.0 + 6.4 * kind.words.len() as f64;
        }
        y += 22.0;
        let mut keys: Vec<(usize, Key)> = self.reigning.iter().map(|(key, n)| (*n, *key)).collect();
        keys.sort_unstable();
        let row = ((self.width() - 20.0) / 3.0).max(180.0);
        for (number, key) in keys {
            let column = number % 3;
            let (x, y) = (14.0 + row * column as f64, y + 18.0 * (number / 3) as f64);
            let _ = writeln!(
                self.out,
                "<rect x=\"{x:.0}\" y=\"{:.0}\" width=\"26\" height=\"12\" fill=\"url(#c{})\" stroke=\"#111\" \
                 stroke-width=\".6\"/><text x=\"{:.0}\" y=\"{y:.0}\">holds {} for coordinator</text>",
                y - 10.0,
                number % COLOURS.len(),
                x + 32.0,
                escaped(&self.picture.name(key))
            );
        }
        if self.left_out > 0 {
            let y = y + 18.0 * self.reigning.len().div_ceil(3) as f64;
            let _ = writeln!(
                self.out,
                "<text x=\"14\" y=\"{y:.0}\">{} messages are left out: --around, --between, --types or --nodes picks fewer, --html has all</text>",
                self.left_out
            );
        }
    }
}

/// What is worth a mark.
fn deeds(picture: &Picture, selection: &Selection) -> Vec<Deed> {
    let mut deeds = Vec::new();
    for &node in &selection.nodes {
        for line in 0..picture.traces[node].lines.len() {
            let at = At { node, line };
            let time = picture.time(at);
            if !(selection.from..=selection.to).contains(&time) {
                continue;
            }
            let Some(words) = deed(picture, at) else {
                continue;
            };
            let mark = match &picture.line(at).what {
                What::Lost { .. } | What::Fate { .. } => '!',
                _ => 'o',
            };
            deeds.push(Deed {
                at,
                time,
                mark,
                words,
            });
        }
    }
    deeds
}

/// A type's name, as short as people call it.
fn short(name: &str) -> &str {
    match name {
        "CHAT_MESSAGE" => "CHAT",
        "COORDINATOR_ANNOUNCEMENT" => "COORDINATOR",
        name => name,
    }
}
