//! How the names of papo read in IRC, and back: one to one.
//!
//! Owns nothing. What IRC cannot say in a nick or in the name of a channel is written as `^HEX^`, the number of
//! the character; so is a `^` that would be read as the beginning of that. Who has which name is not known here.

use crate::limits::NICK_CHARS_MAX;
use crate::wire::{nick_is_valid, room_is_valid};

/// What begins the name of a channel.
pub const CHANNEL: char = '#';
const ESCAPE: char = '^';

/// A nick of papo as IRC says it.
#[must_use]
pub fn nick(papo: &str) -> String {
    escaped(papo, |at, c| match c {
        '[' | ']' | '\\' | '`' | '_' | '{' | '}' | '|' | ESCAPE => true,
        '-' | '0'..='9' => at > 0,
        c => c.is_alphanumeric(),
    })
}

/// The nick of papo that a client asks for; none if IRC cannot say it, or would say it in another way.
#[must_use]
pub fn papo_nick(irc: &str) -> Option<String> {
    let papo = unescaped(irc);
    let is_same = nick(&papo) == irc;
    (is_same && nick_is_valid(&papo) && papo.chars().count() <= NICK_CHARS_MAX).then_some(papo)
}

/// A room as IRC says it.
#[must_use]
pub fn channel(room: &str) -> String {
    let name = escaped(room, |_, c| {
        !(c.is_control() || c.is_whitespace() || c == ',')
    });
    format!("{CHANNEL}{name}")
}

/// The room that the name of a channel means, if it is one.
#[must_use]
pub fn room(channel: &str) -> Option<String> {
    let room = unescaped(channel.strip_prefix(CHANNEL)?);
    let has_bad = room.contains(['\0', '\r', '\n']);
    let is_said = !channel.contains(|c: char| c.is_control() || c.is_whitespace() || c == ',');
    (is_said && !has_bad && room_is_valid(&room)).then_some(room)
}

/// The form in which names are compared: ASCII letters have no case.
#[must_use]
pub fn folded(name: &str) -> String {
    name.to_ascii_lowercase()
}

fn escaped(name: &str, says: impl Fn(usize, char) -> bool) -> String {
    let mut out = String::with_capacity(name.len());
    let mut characters = name.chars().enumerate().peekable();
    while let Some((at, c)) = characters.next() {
        let next = characters.peek().map(|(_, next)| *next);
        let looks_so = c == ESCAPE && next.is_some_and(|c| c.is_ascii_hexdigit());
        if says(at, c) && !looks_so {
            out.push(c);
        } else {
            out.push_str(&format!("{ESCAPE}{:X}{ESCAPE}", u32::from(c)));
        }
    }
    out
}

fn unescaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find(ESCAPE) {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let coded = rest.split_once(ESCAPE).and_then(|(code, after)| {
            let is_code = !code.is_empty() && code.len() <= 6;
            let is_code = is_code && code.bytes().all(|b| b.is_ascii_hexdigit());
            let number = u32::from_str_radix(code, 16).ok().filter(|_| is_code)?;
            Some((char::from_u32(number)?, after))
        });
        match coded {
            Some((c, after)) => {
                out.push(c);
                rest = after;
            }
            None => out.push(ESCAPE),
        }
    }
    out.push_str(rest);
    out
}

/// True if the name fits a mask with `*` and `?`, whatever the case.
#[must_use]
pub fn fits(mask: &str, name: &str) -> bool {
    let (mask, name) = (folded(mask), folded(name));
    let mask: Vec<char> = mask.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut m, mut n) = (0, 0);
    // Where the last star stood, and what it stands for so far.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match mask.get(m) {
            Some('*') => {
                star = Some((m, n));
                m += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => (m, n) = (m + 1, n + 1),
            _ => match star {
                Some((at, upto)) => {
                    star = Some((at, upto + 1));
                    (m, n) = (at + 1, upto + 1);
                }
                None => return false,
            },
        }
    }
    mask[m..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_irc_cannot_say_is_said_one_to_one() {
        let nicks = [
            "ana",
            "ana maria",
            "^",
            "^20",
            "^ 20^",
            "a^20 b",
            "7up",
            "-x",
            "a!b@c",
            "ção",
            "#x",
            "^^41^",
            "@",
            "\u{1f600}",
        ];
        let mut said = std::collections::BTreeSet::new();
        for papo in nicks {
            let irc = nick(papo);
            assert_eq!(papo_nick(&irc).as_deref(), Some(papo), "{irc}");
            assert!(
                !irc.contains([' ', '!', '@', '#', ',', ':', '*', '?']),
                "{irc}"
            );
            assert!(said.insert(irc));
        }
        assert_eq!(nick("ana maria"), "ana^20^maria");
        assert_eq!(nick("ção"), "ção");
        for none in [
            "",
            "a b",
            "a!b",
            "^41^",
            "#a",
            "*",
            "@a",
            ":a",
            "1a",
            &"x".repeat(33),
        ] {
            assert_eq!(papo_nick(none), None, "{none}");
        }
        for name in [
            "lobby",
            "Lobby",
            "a b",
            "x,y",
            "#",
            "^20",
            "sala\u{a0}1",
            "\u{7}",
        ] {
            assert_eq!(room(&channel(name)).as_deref(), Some(name));
        }
        assert_eq!(channel("a b"), "#a^20^b");
        for none in [
            "lobby",
            "",
            "#",
            "#a b",
            "#^A^",
            &format!("#{}", "x".repeat(65)),
        ] {
            assert_eq!(room(none), None, "{none}");
        }
    }

    #[test]
    fn masks() {
        for (mask, name) in [
            ("*", ""),
            ("*", "x"),
            ("a*c", "ABBC"),
            ("?b*", "abc"),
            ("*a*a", "banana"),
        ] {
            assert!(fits(mask, name), "{mask} {name}");
        }
        for (mask, name) in [("", "x"), ("a", "ab"), ("a*d", "abc"), ("??", "a")] {
            assert!(!fits(mask, name), "{mask} {name}");
        }
    }
}
