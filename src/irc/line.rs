//! One line of IRC: read into its parts, and written.
//!
//! Owns nothing. It knows the grammar (tags, source, command, parameters) and the bytes that a line may have,
//! and no command. It never allocates more than the line that it is given.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::limits::{IRC_LINE_BYTES_MAX, IRC_PARAMS_MAX, IRC_TAG_BYTES_MAX};

/// Why a line is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bad {
    /// There is nothing in it: to be passed over in silence.
    Empty,
    /// The tags, or the rest, are longer than a line may be.
    TooLong,
    /// It is not UTF-8.
    NotUtf8,
}

/// A line's parts, which lie in the line itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Line<'a> {
    /// In their order, with their values unescaped; of a key that comes twice the last one counts.
    pub tags: Vec<(&'a str, Cow<'a, str>)>,
    /// Who says it, as far as the line tells.
    pub source: Option<&'a str>,
    /// As it was written: commands have any case.
    pub command: &'a str,
    /// At most [`IRC_PARAMS_MAX`]; further ones belong to the last.
    pub params: Vec<&'a str>,
}

impl<'a> Line<'a> {
    /// Reads a line without its end.
    ///
    /// # Errors
    ///
    /// If it is no line that a client may send.
    pub fn read(bytes: &'a [u8]) -> Result<Line<'a>, Bad> {
        let spaces = bytes.iter().take_while(|b| **b == b' ').count();
        let bytes = &bytes[spaces..];
        let tags_end = match bytes.first() {
            Some(b'@') => memchr::memchr(b' ', bytes).map_or(bytes.len(), |at| at + 1),
            _ => 0,
        };
        // Two bytes are the line's end.
        if tags_end > IRC_TAG_BYTES_MAX || bytes.len() - tags_end > IRC_LINE_BYTES_MAX - 2 {
            return Err(Bad::TooLong);
        }
        let text = str::from_utf8(bytes).map_err(|_| Bad::NotUtf8)?;
        Line::read_text(text).ok_or(Bad::Empty)
    }

    /// The same for a line of any length; none if there is no command.
    #[must_use]
    pub fn read_text(text: &'a str) -> Option<Line<'a>> {
        let mut rest = text.trim_end_matches(['\r', '\n']).trim_start_matches(' ');
        let mut line = Line::default();
        if let Some(tagged) = rest.strip_prefix('@') {
            let (tags, after) = tagged.split_once(' ').unwrap_or((tagged, ""));
            line.tags = read_tags(tags);
            rest = after;
        }
        rest = rest.trim_start_matches(' ');
        if let Some(sourced) = rest.strip_prefix(':') {
            let (source, after) = sourced.split_once(' ').unwrap_or((sourced, ""));
            line.source = Some(source);
            rest = after.trim_start_matches(' ');
        }
        let (command, after) = rest.split_once(' ').unwrap_or((rest, ""));
        line.command = command;
        line.params = read_params(after);
        (!command.is_empty()).then_some(line)
    }

    /// A parameter, if it is there.
    #[must_use]
    pub fn param(&self, at: usize) -> Option<&'a str> {
        self.params.get(at).copied()
    }

    /// A tag's value, if it is there; empty, if it has none.
    #[must_use]
    pub fn tag(&self, key: &str) -> Option<&str> {
        let found = self.tags.iter().find(|(k, _)| *k == key);
        found.map(|(_, value)| value.as_ref())
    }

    /// The line again, without its end.
    #[must_use]
    pub fn write(&self) -> String {
        let mut out = String::new();
        for (n, (key, value)) in self.tags.iter().enumerate() {
            out.push(if n == 0 { '@' } else { ';' });
            push_tag(&mut out, key, value);
        }
        if !self.tags.is_empty() {
            out.push(' ');
        }
        if let Some(source) = self.source {
            out.extend([":", source, " "]);
        }
        out.push_str(self.command);
        for (n, param) in self.params.iter().enumerate() {
            let is_last = n + 1 == self.params.len();
            let is_long = param.is_empty() || param.starts_with(':') || param.contains(' ');
            out.push_str(if is_last && is_long { " :" } else { " " });
            out.push_str(param);
        }
        out
    }
}

fn read_tags(text: &str) -> Vec<(&str, Cow<'_, str>)> {
    let mut tags: Vec<(&str, Cow<'_, str>)> = Vec::new();
    // A thousand of them are no more work for each than one.
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for tag in text.split(';') {
        let (key, value) = tag.split_once('=').unwrap_or((tag, ""));
        if key.is_empty() {
            continue;
        }
        let value = unescaped(value);
        let place = *places.entry(key).or_insert(tags.len());
        match tags.get_mut(place) {
            Some(known) => known.1 = value,
            None => tags.push((key, value)),
        }
    }
    tags
}

fn read_params(mut rest: &str) -> Vec<&str> {
    let mut params = Vec::new();
    loop {
        rest = rest.trim_start_matches(' ');
        if let Some(last) = rest.strip_prefix(':') {
            params.push(last);
            return params;
        }
        if rest.is_empty() {
            return params;
        }
        if params.len() + 1 == IRC_PARAMS_MAX {
            params.push(rest);
            return params;
        }
        let (param, after) = rest.split_once(' ').unwrap_or((rest, ""));
        params.push(param);
        rest = after;
    }
}

/// A tag's value as it is meant.
fn unescaped(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(c) = characters.next() {
        match (c, c == '\\') {
            (c, false) => out.push(c),
            (_, true) => match characters.next() {
                Some(':') => out.push(';'),
                Some('s') => out.push(' '),
                Some('r') => out.push('\r'),
                Some('n') => out.push('\n'),
                Some(other) => out.push(other),
                None => {}
            },
        }
    }
    Cow::Owned(out)
}

/// Writes a tag, with its value escaped.
pub fn push_tag(out: &mut String, key: &str, value: &str) {
    out.push_str(key);
    if value.is_empty() {
        return;
    }
    out.push('=');
    for c in value.chars() {
        match c {
            ';' => out.push_str("\\:"),
            ' ' => out.push_str("\\s"),
            '\r' => out.push_str("\\r"),
            '\n' => out.push_str("\\n"),
            '\\' => out.push_str("\\\\"),
            c => out.push(c),
        }
    }
}

/// A line for a client, from its source to its end: cut between two characters where it is too long. The text
/// is the last parameter, whatever is in it.
#[must_use]
pub fn body(source: &str, command: &str, params: &[&str], text: Option<&str>) -> String {
    let mut out = String::with_capacity(128);
    if !source.is_empty() {
        out.extend([":", source, " "]);
    }
    out.push_str(command);
    for param in params {
        out.push(' ');
        out.push_str(param);
    }
    if let Some(text) = text {
        out.push_str(" :");
        out.push_str(text);
    }
    // What would end the line early is no part of it.
    if out.contains(['\r', '\n', '\0']) {
        out = out.replace(['\r', '\n', '\0'], " ");
    }
    let end = out.floor_char_boundary(IRC_LINE_BYTES_MAX - 2);
    out.truncate(end);
    out.push_str("\r\n");
    out
}

/// The first part of a text that has at most so many bytes, cut between two characters.
#[must_use]
pub fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
#[path = "line_test.rs"]
mod tests;
