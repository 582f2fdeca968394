//! The picture for a terminal: time downwards, a column for each node.
//!
//! Owns the rows. It writes no control sequence, and nothing from a file that is not safe to look at.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar as _;

use crate::limits::TRACE_TEXT_ROWS_MAX;

use super::format::What;
use super::lives::End;
use super::matching::At;
use super::picture::{Message, Picture};
use super::selection::Selection;
use super::words::{deed, moment, shown};

/// The columns that the time takes.
const TIME_WIDTH: usize = 11;
/// The least that a node's column takes.
const COLUMN_LEAST: usize = 4;
/// The most.
const COLUMN_MOST: usize = 24;

/// What one row is about.
enum Row<'a> {
    /// A message to one or more, sent at once.
    Sent(Vec<&'a Message>),
    /// Something that a node did.
    Did(usize, char, String),
}

/// The rows of the picture, at most `width` wide.
#[must_use]
pub fn text(picture: &Picture, selection: &Selection, width: usize) -> String {
    let mut drawing = Drawing::new(picture, selection, width.max(40));
    let mut rows = rows(picture, selection, &drawing.nodes);
    let dropped = rows.len().saturating_sub(TRACE_TEXT_ROWS_MAX);
    rows.truncate(TRACE_TEXT_ROWS_MAX);
    drawing.head();
    let mut before = None;
    for (at, row) in rows {
        drawing.gap(before, at);
        before = Some(at);
        match row {
            Row::Sent(messages) => drawing.sent(at, &messages),
            Row::Did(node, mark, words) => drawing.did(at, node, mark, &words),
        }
    }
    let mut out = drawing.out;
    if dropped > 0 {
        let _ = writeln!(
            out,
            "and {dropped} rows more: --around or --between picks a stretch"
        );
    }
    out
}

/// What is drawn, in its order.
fn rows<'a>(picture: &'a Picture, selection: &Selection, nodes: &[usize]) -> Vec<(i64, Row<'a>)> {
    let mut rows: Vec<(i64, Row<'a>)> = Vec::new();
    let has = |m: &&Message| {
        selection.has(m)
            && nodes.contains(&m.ends.sent.node)
            && m.ends.to.is_some_and(|to| nodes.contains(&to))
    };
    let mut last: Option<At> = None;
    for message in picture.arrows.iter().filter(has) {
        match rows.last_mut() {
            Some((_, Row::Sent(all))) if last == Some(message.ends.sent) => all.push(message),
            _ => rows.push((message.sent, Row::Sent(vec![message]))),
        }
        last = Some(message.ends.sent);
    }
    for &node in nodes {
        for line in 0..picture.traces[node].lines.len() {
            let at = picture.time(At { node, line });
            if (selection.from..=selection.to).contains(&at)
                && let Some((mark, words)) = marked(picture, At { node, line })
            {
                rows.push((at, Row::Did(node, mark, words)));
            }
        }
        let life = &picture.lives[node];
        if life.end == End::Died && (selection.from..=selection.to).contains(&life.to) {
            let words = "its process ended".to_owned();
            rows.push((life.to, Row::Did(node, '✖', words)));
        }
    }
    // What a node does comes before what it sends in the same turn.
    let rank = |row: &Row<'_>| matches!(row, Row::Sent(_));
    rows.sort_by_key(|(at, row)| (*at, rank(row)));
    rows
}

/// What is worth a row, with its mark.
fn marked(picture: &Picture, at: At) -> Option<(char, String)> {
    let words = deed(picture, at)?;
    let mark = match &picture.line(at).what {
        What::Standing { standing, .. } => match standing.as_str() {
            "coordinator" => '◆',
            "electing" => '?',
            "gone" => '■',
            _ => '○',
        },
        What::Lost { .. } | What::Fate { .. } => '!',
        What::Away => '▒',
        What::Taken { .. } => '▪',
        _ => '●',
    };
    Some((mark, words))
}

/// The rows while they are drawn.
struct Drawing<'a> {
    picture: &'a Picture,
    nodes: Vec<usize>,
    left_out: usize,
    column: usize,
    width: usize,
    /// How long the stretch is that is drawn.
    stretch: i64,
    out: String,
}

impl<'a> Drawing<'a> {
    fn new(picture: &'a Picture, selection: &Selection, width: usize) -> Drawing<'a> {
        let room = width - TIME_WIDTH;
        let mut nodes = selection.nodes.clone();
        let most = room / COLUMN_LEAST;
        let left_out = nodes.len().saturating_sub(most);
        nodes.truncate(most);
        let column = (room / nodes.len().max(1)).clamp(COLUMN_LEAST, COLUMN_MOST);
        Drawing {
            picture,
            nodes,
            left_out,
            column,
            width,
            stretch: selection.to - selection.from,
            out: String::new(),
        }
    }

    /// Where a node's line is.
    fn x(&self, node: usize) -> usize {
        let place = self.nodes.iter().position(|n| *n == node).unwrap_or(0);
        TIME_WIDTH + place * self.column + self.column / 2
    }

    /// The nodes' names, each above its column, in as many rows as they need.
    fn head(&mut self) {
        let mut rows: Vec<Vec<char>> = Vec::new();
        for node in self.nodes.clone() {
            let name: Vec<char> = self.picture.lives[node].label.chars().collect();
            let from = (self.x(node) + 1).saturating_sub(name.len().div_ceil(2));
            let from = from.min(self.width.saturating_sub(name.len()));
            let is_free = |row: &Vec<char>| row.len() < from;
            let place = rows.iter().position(is_free).unwrap_or(rows.len());
            if place == rows.len() {
                rows.push(Vec::new());
            }
            let row = &mut rows[place];
            row.resize(from, ' ');
            row.extend(name);
        }
        for row in rows {
            self.line(row);
        }
        if self.left_out > 0 {
            let words = format!(
                "{} nodes have no place in {} columns: --nodes picks some\n",
                self.left_out, self.width
            );
            self.out.push_str(&words);
        }
    }

    /// The nodes' lines at this time, with the time in front.
    fn ground(&self, at: i64) -> Vec<char> {
        let mut row: Vec<char> = format!("{:>1$} ", moment(at, self.stretch), TIME_WIDTH - 1)
            .chars()
            .collect();
        row.resize(self.width, ' ');
        for &node in &self.nodes {
            let life = &self.picture.lives[node];
            let x = self.x(node);
            row[x] = match life.leader_at(at) {
                _ if at < life.from || at > life.to => ' ',
                _ if !life.runs_at(at) => '░',
                Some(leader) if leader == life.key => '║',
                _ => '│',
            };
        }
        row
    }

    fn line(&mut self, row: Vec<char>) {
        // What takes two columns takes the place of two.
        let mut used = 0;
        let mut text = String::new();
        let mut cells = row.into_iter().peekable();
        while let Some(c) = cells.next() {
            let wide = c.width().unwrap_or(0);
            used += wide;
            if used > self.width {
                break;
            }
            text.push(c);
            if wide == 2 && cells.peek() == Some(&' ') {
                cells.next();
            }
        }
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    /// A row that says that nothing was drawn for a while.
    fn gap(&mut self, before: Option<i64>, at: i64) {
        let Some(quiet) = before.map(|before| at - before).filter(|q| *q >= 100_000) else {
            return;
        };
        let mut row = self.ground(at);
        let words = format!("{:>1$} ", "⋮", TIME_WIDTH - 1);
        row.splice(..TIME_WIDTH, words.chars());
        for &node in &self.nodes {
            let x = self.x(node);
            if row[x] != ' ' {
                row[x] = '⋮';
            }
        }
        let words = format!("  {} later", shown(quiet));
        let from = self.width.saturating_sub(words.chars().count());
        put(&mut row, from, &words);
        self.line(row);
    }

    fn sent(&mut self, at: i64, messages: &[&Message]) {
        let Some(first) = messages.first() else {
            return;
        };
        let mut row = self.ground(at);
        let from = self.x(first.ends.sent.node);
        let ends: Vec<(usize, bool)> = messages
            .iter()
            .filter_map(|m| m.ends.to.map(|to| (self.x(to), m.ends.got.is_some())))
            .collect();
        let (low, high) = ends.iter().fold((from, from), |(low, high), (x, _)| {
            (low.min(*x), high.max(*x))
        });
        let shaft = if first.ends.loose { '┄' } else { '─' };
        for cell in &mut row[low..=high] {
            *cell = if *cell == ' ' { shaft } else { '┼' };
        }
        row[from] = '●';
        for (x, came) in &ends {
            row[*x] = match (came, *x < from) {
                (false, _) => '×',
                (true, true) => '◀',
                (true, false) => '▶',
            };
        }
        let name = &self.picture.types[first.m];
        self.name_shaft(&mut row, (low, high), name);
        let slowest = messages.iter().map(|m| m.got - m.sent).max().unwrap_or(0);
        let said = self.picture.said(first.ends.sent);
        let after = match slowest {
            0..10_000 => said,
            _ => format!("{said}, took {}", shown(slowest)),
        };
        self.beside(&mut row, high + 2, &after);
        self.line(row);
    }

    /// The type, where the shaft has room for it; else behind it.
    fn name_shaft(&self, row: &mut [char], (low, high): (usize, usize), name: &str) {
        let name: String = short(name).to_owned();
        let length = name.chars().count();
        let mut free = low + 1;
        while free + length < high {
            let is_free = row[free..free + length]
                .iter()
                .all(|c| matches!(c, '─' | '┄'));
            if is_free {
                return put(row, free, &name);
            }
            free += 1;
        }
        // What a damaged trace says that a node has sent to itself has no shaft.
        let shaft = row.get(low + 1..high).unwrap_or_default();
        let gap = shaft.split(|c| !matches!(c, '─' | '┄'));
        let mut at = low + 1;
        for part in gap {
            if part.len() >= 3 {
                let cut: String = name.chars().take(part.len()).collect();
                return put(row, at, &cut);
            }
            at += part.len() + 1;
        }
    }

    /// Words to the right of what is drawn, as far as nothing else is there but the nodes' lines.
    fn beside(&self, row: &mut [char], from: usize, words: &str) {
        if words.is_empty() || from + 8 > self.width {
            return;
        }
        let room = self.width - from;
        let mut words: String = words.chars().take(room).collect();
        words.push(' ');
        put(row, from, &words);
    }

    fn did(&mut self, at: i64, node: usize, mark: char, words: &str) {
        let mut row = self.ground(at);
        let x = self.x(node);
        row[x] = mark;
        let length = words.chars().count();
        if x + 2 + length <= self.width || x < length + TIME_WIDTH + 2 {
            self.beside(&mut row, x + 2, words);
        } else {
            put(&mut row, x - 1 - length, words);
        }
        self.line(row);
    }
}

fn put(row: &mut [char], from: usize, words: &str) {
    for (cell, c) in row.iter_mut().skip(from).zip(words.chars()) {
        *cell = c;
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
