//! The picture as one SVG file, for a page, a slide or a print.
//!
//! Owns the page: where its columns are, what is drawn in which order, and its legend. Whatever comes from a file
//! is escaped where it is written; there is no script in it, and nothing is fetched.
//!
//! | file | owns |
//! | --- | --- |
//! | `axis` | where a moment is |
//! | `lives` | the nodes' lines, their bands, and what they did |
//! | `arrows` | the messages, and the elections around them |
//! | `style` | how things look |

mod arrows;
mod axis;
mod lives;
pub(super) mod style;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::limits::TRACE_SVG_ARROWS_MAX;
use crate::wire::Key;

use super::format::What;
use super::matching::At;
use super::picture::{Message, Picture};
use super::selection::Selection;
use super::words::deed;
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
    /// Something ended.
    is_grave: bool,
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

    /// Which column is this node's.
    fn place(&self, node: usize) -> usize {
        let place = self.selection.nodes.iter().position(|n| *n == node);
        place.unwrap_or(0)
    }

    fn x(&self, node: usize) -> f64 {
        LEFT + self.column * (self.place(node) as f64 + 0.5)
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
            let is_grave = matches!(
                &picture.line(at).what,
                What::Lost { .. } | What::Fate { .. }
            );
            deeds.push(Deed {
                at,
                time,
                is_grave,
                words,
            });
        }
    }
    deeds
}
