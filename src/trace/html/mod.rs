//! The picture as one HTML page that needs no network: zoom, filter, and a click says what and why.
//!
//! Owns what the page is given. The page's script is the same in every page, and is the only one that the page lets
//! run (its Content-Security-Policy names its hash); everything from a file is JSON in which no `<` is left.

use std::collections::BTreeMap;

use serde::Serialize;

use super::checks::Verdict;
use super::format::What;
use super::lives::{End, Life};
use super::matching::At;
use super::picture::Picture;
use super::selection::is_noise;
use super::svg::style::kind_of;
use super::words::{deed, shown, story};

const SCRIPT: &str = include_str!("page.js");
const STYLE: &str = include_str!("page.css");
/// The SHA-256 of the script, in base64; a test reckons it again.
const SCRIPT_HASH: &str = "u6N4GBILS9g4AODGanJkY0h7XlHjyEdV5FsX6zwoLto=";

#[derive(Serialize)]
struct Data<'a> {
    nodes: Vec<Node<'a>>,
    types: Vec<Type<'a>>,
    /// From, to, type, sent, got or -1, what it says, why.
    arrows: Vec<(usize, usize, usize, i64, i64, usize, usize)>,
    words: Vec<String>,
    ballots: Vec<Vote>,
    story: Vec<Told>,
    rules: Vec<Rule>,
    notes: Vec<String>,
    until: i64,
}

#[derive(Serialize)]
struct Node<'a> {
    name: &'a str,
    key: String,
    from: i64,
    to: i64,
    end: &'static str,
    standings: Vec<(i64, i64, String, String)>,
    reigns: Vec<(i64, i64, i64, String)>,
    frozen: Vec<(i64, i64)>,
    cuts: Vec<(i64, i64, i64)>,
    marks: Vec<(i64, String)>,
}

#[derive(Serialize)]
struct Type<'a> {
    name: &'a str,
    kind: &'static str,
    quiet: bool,
}

#[derive(Serialize)]
struct Vote {
    from: i64,
    to: i64,
    total: u64,
    textbook: String,
}

#[derive(Serialize)]
struct Told {
    from: i64,
    to: i64,
    words: String,
}

#[derive(Serialize)]
struct Rule {
    words: String,
    broken: Vec<String>,
}

/// The whole page.
#[must_use]
pub fn html(picture: &Picture, verdicts: &[Verdict]) -> String {
    let data = data(picture, verdicts);
    // There is nothing in it that cannot be written.
    let json = serde_json::to_string(&data).unwrap_or_default();
    let json = json
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026");
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'; script-src 'sha256-{SCRIPT_HASH}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>What the nodes of a papo room did</title>\n<style>{STYLE}</style></head>\n<body>\n\
         <header><h1>papo trace</h1>\
         <span><button id=\"left\" title=\"earlier\">←</button> <button id=\"right\" title=\"later\">→</button> \
         <button id=\"in\">zoom in</button> <button id=\"out\">zoom out</button> <button id=\"all\">all</button></span>\
         <span id=\"span\"></span><div id=\"types\"></div></header>\n\
         <main id=\"view\"><canvas id=\"canvas\"></canvas></main>\n\
         <aside><div id=\"chosen\" role=\"status\">Click on an arrow, a mark or a band: here is said what it is, and why.\n\
         The wheel zooms; drag to move; a sentence below goes to where it happened.</div>\n\
         <h2>What happened</h2><ol id=\"story\"></ol>\n<h2>The rules</h2><ol id=\"rules\"></ol>\n\
         <h2>Clocks, and what was left out</h2><ol id=\"notes\"></ol></aside>\n\
         <script type=\"application/json\" id=\"data\">{json}</script>\n<script>{SCRIPT}</script>\n</body></html>\n"
    )
}

/// Texts that are the same are there once.
#[derive(Default)]
struct Words {
    all: Vec<String>,
    numbers: BTreeMap<String, usize>,
}

impl Words {
    fn of(&mut self, text: String) -> usize {
        if let Some(number) = self.numbers.get(&text) {
            return *number;
        }
        let number = self.all.len();
        self.all.push(text.clone());
        self.numbers.insert(text, number);
        number
    }
}

fn data<'a>(picture: &'a Picture, verdicts: &[Verdict]) -> Data<'a> {
    let mut words = Words::default();
    let mut last: Option<(At, usize, usize)> = None;
    let mut arrows = Vec::with_capacity(picture.arrows.len());
    for arrow in &picture.arrows {
        let Some(to) = arrow.ends.to else {
            continue;
        };
        let sent = arrow.ends.sent;
        let (said, why) = match last {
            Some((at, said, why)) if at == sent => (said, why),
            _ => (words.of(picture.said(sent)), words.of(cause(picture, sent))),
        };
        last = Some((sent, said, why));
        let got = arrow.ends.got.map_or(-1, |_| arrow.got);
        arrows.push((sent.node, to, arrow.m, arrow.sent, got, said, why));
    }
    let types = picture.types.iter().map(|name| Type {
        name,
        kind: kind_of(name).name,
        quiet: is_noise(name),
    });
    let told = story(picture).into_iter().map(|s| Told {
        from: s.from,
        to: s.to,
        words: s.words,
    });
    Data {
        nodes: (0..picture.lives.len()).map(|n| node(picture, n)).collect(),
        types: types.collect(),
        arrows,
        words: words.all,
        ballots: picture.ballots.iter().map(vote).collect(),
        story: told.collect(),
        rules: verdicts.iter().map(rule).collect(),
        notes: notes(picture),
        until: picture.until,
    }
}

fn vote(ballot: &super::Ballot) -> Vote {
    let (best, worst) = ballot.textbook();
    Vote {
        from: ballot.from,
        to: ballot.to,
        total: ballot.total(),
        textbook: format!("{best} to {worst}"),
    }
}

fn rule(verdict: &Verdict) -> Rule {
    let broken = verdict.broken.iter();
    Rule {
        words: format!("{} (looked at {} times)", verdict.rule, verdict.looked),
        broken: broken
            .map(|(at, words)| format!("+{} {words}", shown(*at)))
            .collect(),
    }
}

fn notes(picture: &Picture) -> Vec<String> {
    let mut notes = picture.notes.clone();
    for (life, offset) in picture.lives.iter().zip(&picture.offsets).skip(1) {
        let doubt = match offset.doubt {
            Some(doubt) => format!("known to {}", shown(doubt)),
            None => "placed by its wall clock".to_owned(),
        };
        let ahead = shown(offset.wall_ahead);
        let first = &picture.lives[0].label;
        notes.push(format!(
            "{}: its wall clock is {ahead} ahead of {first}'s; {doubt}",
            life.label
        ));
    }
    notes
}

fn node(picture: &Picture, number: usize) -> Node<'_> {
    let life: &Life = &picture.lives[number];
    let index = |key| {
        picture
            .number(key)
            .map_or(-1, |n| i64::try_from(n).unwrap_or(-1))
    };
    let trace = &picture.traces[number];
    let standings = life.standings.iter().map(|s| {
        let why = match trace.lines.get(s.line).map(|l| &l.what) {
            Some(What::Standing { why, .. }) => super::plain(why),
            _ => String::new(),
        };
        (s.from, s.to, super::plain(&s.is), why)
    });
    let marks = (0..trace.lines.len()).filter_map(|line| {
        let at = At { node: number, line };
        mark(picture, at).map(|words| (picture.time(at), words))
    });
    Node {
        name: &life.label,
        key: life.key.to_string(),
        from: life.from,
        to: life.to,
        end: match life.end {
            End::Died => "died",
            End::Left => "left",
            End::Open => "open",
        },
        standings: standings.collect(),
        reigns: (life.reigns.iter())
            .map(|r| (r.from, r.to, index(r.is), picture.name(r.is)))
            .collect(),
        frozen: life.frozen.iter().map(|s| (s.from, s.to)).collect(),
        cuts: life
            .cuts
            .iter()
            .map(|s| (s.from, s.to, index(s.is)))
            .collect(),
        marks: marks.collect(),
    }
}

/// What is worth a mark on a node's line.
fn mark(picture: &Picture, at: At) -> Option<String> {
    Some(match &picture.line(at).what {
        What::View { view, size, .. } => format!("view {view}: {size} members"),
        What::Confirmed { ids, confirmed, .. } => {
            let last = ids.last().map_or(0, |run| run.2);
            format!("its message {last} is confirmed by {confirmed}")
        }
        _ => return deed(picture, at),
    })
}

/// Why a node sent something: what it was told just before.
fn cause(picture: &Picture, at: At) -> String {
    /// Lines of one turn that are looked at.
    const BACK: usize = 64;
    let lines = &picture.traces[at.node].lines;
    let now = lines[at.line].t;
    let before = lines[..at.line].iter().enumerate().rev().take(BACK);
    for (line, it) in before.take_while(|(_, it)| it.t == now) {
        let here = At {
            node: at.node,
            line,
        };
        return match &it.what {
            What::Got { m, .. } | What::Heard { m, .. } => {
                let said = picture.said(here);
                format!("{} had come in ({said})", super::plain(m))
            }
            What::Timer { timer } => format!("its timer {} had fired", super::plain(timer)),
            What::Closed { .. } => "a link had ended".to_owned(),
            What::Connected { .. } | What::Accepted { .. } => "a link had been opened".to_owned(),
            What::Away => "it had noticed that it was away".to_owned(),
            What::Command { command } => format!("its user wanted it: {}", super::plain(command)),
            What::Lost { why, .. } => super::plain(why),
            What::Node { .. } => "it had just started".to_owned(),
            _ => continue,
        };
    }
    String::new()
}
