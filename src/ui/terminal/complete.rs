//! What Tab may make of the word before the cursor: a command at the beginning of the line, a room behind a
//! command that wants one, a nick anywhere.
//!
//! This module owns no state: the candidates and the line are handed in. It never asks who the
//! members are, and never changes the line.

/// The words that can be completed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Candidates {
    /// Nicks, as they are shown.
    pub nicks: Vec<String>,
    /// Commands with their slash.
    pub commands: Vec<String>,
    /// The rooms of this process.
    pub rooms: Vec<String>,
}

/// The commands that a room's name follows.
const OF_ROOMS: [&str; 3] = ["/room ", "/part ", "/join "];

/// What a word can become.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Completion {
    /// The word's beginning in bytes; its end is the cursor.
    pub start: usize,
    /// What it is now replaced with, if that is more than it was.
    pub replacement: Option<String>,
    /// All that it can become, if that is more than one.
    pub options: Vec<String>,
}

/// Completes the word that ends at `cursor`.
#[must_use]
pub fn complete(line: &str, cursor: usize, candidates: &Candidates) -> Completion {
    let before = &line[..cursor];
    let command = is_command(before);
    let begins = |name: &&&str| {
        let begun = before.get(..name.len());
        begun.is_some_and(|begun| begun.eq_ignore_ascii_case(name))
    };
    let of_room = OF_ROOMS.iter().find(begins);
    let start = match (command, of_room) {
        (true, _) => 0,
        (false, Some(name)) => name.len(),
        (false, None) => start_of_nick(before, &candidates.nicks),
    };
    let word = &before[start..];
    let (pool, ending) = match (command, of_room, start) {
        (true, ..) => (&candidates.commands, " "),
        (false, Some(_), _) => (&candidates.rooms, ""),
        (false, None, 0) => (&candidates.nicks, ": "),
        (false, None, _) => (&candidates.nicks, " "),
    };
    let lower = word.to_lowercase();
    let mut options: Vec<String> = pool
        .iter()
        .filter(|c| c.to_lowercase().starts_with(&lower))
        .cloned()
        .collect();
    options.sort();
    options.dedup();
    let replacement = match &options[..] {
        [] => None,
        [only] if line[cursor..].starts_with(' ') => Some(only.clone()),
        [only] => Some(format!("{only}{ending}")),
        [first, rest @ ..] => {
            let common = common_prefix(first, rest);
            (common.len() > word.len()).then(|| common.to_owned())
        }
    };
    if options.len() == 1 {
        options.clear();
    }
    Completion {
        start,
        replacement,
        options,
    }
}

/// Whether this is the beginning of a command's name.
fn is_command(before: &str) -> bool {
    before.starts_with('/') && !before.starts_with("//") && !before.contains(char::is_whitespace)
}

/// Where the nick begins that is half typed: at the last word, behind what opens it (`@`, a bracket, a quote),
/// or at an earlier word of which a nick with spaces goes on like this.
fn start_of_nick(before: &str, nicks: &[String]) -> usize {
    let is_gap = |(_, c): &(usize, char)| c.is_whitespace();
    let gaps = before.char_indices().filter(is_gap);
    let words = gaps.map(|(at, c)| at + c.len_utf8());
    let mut words: Vec<usize> = std::iter::once(0).chain(words).collect();
    let last = words.pop().unwrap_or(0);
    let goes_on = |start: &usize| {
        let half = before[*start..].to_lowercase();
        let begins = |nick: &String| nick.to_lowercase().starts_with(&half);
        !half.trim().is_empty() && nicks.iter().any(begins)
    };
    // No nick has more words than these.
    let most = nicks.iter().map(|n| n.split_whitespace().count()).max();
    let most = most.unwrap_or(0).saturating_sub(1);
    let earliest = words.len().saturating_sub(most);
    if let Some(start) = words[earliest..].iter().copied().find(goes_on) {
        return start;
    }
    let word = &before[last..];
    let is_whole = nicks.iter().any(|nick| nick.starts_with(word));
    match word.strip_prefix(['@', '(', '[', '"', '\'', '<', '«']) {
        Some(rest) if !is_whole => before.len() - rest.len(),
        _ => last,
    }
}

/// The beginning that all have in common, whatever their case, as `first` writes it.
fn common_prefix<'a>(first: &'a str, rest: &[String]) -> &'a str {
    let mut end = first.len();
    for other in rest {
        let common: usize = first
            .chars()
            .zip(other.chars())
            .take_while(|(a, b)| a == b || a.to_lowercase().eq(b.to_lowercase()))
            .map(|(a, _)| a.len_utf8())
            .sum();
        end = end.min(common);
    }
    &first[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(line: &str) -> (Option<String>, usize) {
        let list = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect();
        let candidates = Candidates {
            nicks: list(&["ana#3", "ana#7", "Bob", "Zoë Müller"]),
            commands: list(&["/help", "/history", "/members", "/msg"]),
            rooms: list(&["Bobs place", "lobby"]),
        };
        let (before, after) = line.split_once('|').unwrap();
        let all = [before, after].concat();
        let completion = complete(&all, before.len(), &candidates);
        let text = completion
            .replacement
            .map(|r| format!("{}{r}|{after}", &before[..completion.start]));
        (text, completion.options.len())
    }

    #[test]
    fn nicks_and_commands() {
        let done = |text: &str| (Some(text.to_owned()), 0);
        assert_eq!(run("bo|"), done("Bob: |"));
        assert_eq!(run("hi bo|"), done("hi Bob |"));
        assert_eq!(run("hi bo| x"), done("hi Bob| x"));
        assert_eq!(run("@b|"), done("@Bob |"));
        assert_eq!(run("seen (bo|"), done("seen (Bob |"));
        assert_eq!(run("ask zoë mü|"), done("ask Zoë Müller |"));
        assert_eq!(run("zoë m|"), done("Zoë Müller: |"));
        assert_eq!(run("zo|"), done("Zoë Müller: |"));
        assert_eq!(run("/he|"), done("/help |"));
        assert_eq!(run("/msg b|"), done("/msg Bob |"));
        assert_eq!(run("/WHOIS zoë m|"), done("/WHOIS Zoë Müller |"));
        assert_eq!(run("/ignore b|"), done("/ignore Bob |"));
        assert_eq!(run("/room bo|"), done("/room Bobs place|"));
        assert_eq!(run("/PART bobs p|"), done("/PART Bobs place|"));
        assert_eq!(run("an|"), (Some("ana#|".to_owned()), 2));
        assert_eq!(run("ana#|"), (None, 2));
        assert_eq!(run("/h|"), (None, 2));
        assert_eq!(run("x|"), (None, 0));
        assert_eq!(run("//he|"), (None, 0));
        assert_eq!(run("|").1, 4);
    }
}
