//! Whom a command means: a member by its nick, by its id, or by both.
//!
//! This module owns no state. A nick may be anything, also what reads like an id or like another nick and the first
//! word for it, and an id is its member's alone: what may mean two members means nobody, since a private message that
//! went to the wrong one cannot be had back.

use crate::wire::{Key, Member};

use super::text;
use super::visible::{Tab, visible};

/// Splits what follows `/msg` into the member it names and the text for it.
///
/// A member is named by its nick, which may contain spaces, by its id, or by both (`ana#3`). `#3` and `ana#3` are
/// that member whatever the others are called.
///
/// # Errors
///
/// Why nobody is named, or that several may be meant, for the user.
pub(super) fn addressee<'a>(
    rest: &'a str,
    members: &[Member],
    own: Key,
) -> Result<(Key, &'a str), String> {
    match meant(rest, members, |_| true)[..] {
        [(member, _)] if member.key == own => Err("/msg: that is you".into()),
        [(member, text)] => Ok((member.key, text)),
        [] => {
            let name = rest.split_whitespace().next().unwrap_or_default();
            Err(nobody("msg", name))
        }
        ref several => Err(which("msg", several.iter().map(|(member, _)| *member))),
    }
}

/// The members that have this nick, or this id (`3`, `#3` or `ana#3`).
///
/// # Errors
///
/// Why nobody is named, for the user.
pub(super) fn named<'a>(
    command: &str,
    name: &str,
    members: &'a [Member],
) -> Result<Vec<&'a Member>, String> {
    // As if a text followed.
    let rest = format!("{name} ");
    let meant = meant(&rest, members, str::is_empty);
    if meant.is_empty() {
        return Err(nobody(command, name));
    }
    Ok(meant.into_iter().map(|(member, _)| member).collect())
}

/// The one other member that has this nick, or this id.
///
/// # Errors
///
/// Why nobody is named, or that several may be meant, for the user.
pub(super) fn one_named<'a>(
    command: &str,
    name: &str,
    members: &'a [Member],
    own: Key,
) -> Result<&'a Member, String> {
    match named(command, name, members)?[..] {
        [member] if member.key == own => Err(format!("/{command}: that is you")),
        [member] => Ok(member),
        ref several => Err(which(command, several.iter().copied())),
    }
}

/// The members that the beginning of this may mean, each once, with what follows its name, which must be so.
fn meant<'m, 'a>(
    rest: &'a str,
    members: &'m [Member],
    is_so: impl Fn(&str) -> bool,
) -> Vec<(&'m Member, &'a str)> {
    let read = |names: fn(&'a str, &Member) -> Option<&'a str>| {
        let text = |m: &'m Member| Some((m, names(rest, m).filter(|text| is_so(text))?));
        members.iter().filter_map(text).collect::<Vec<_>>()
    };
    let mut meant = read(by_number_sign);
    if meant.is_empty() {
        meant = read(by_nick);
        let by_id = read(|rest, member| after(rest, &member.id.to_string()));
        let others = by_id.into_iter();
        let others: Vec<_> = others
            .filter(|(m, _)| meant.iter().all(|(n, _)| n.key != m.key))
            .collect();
        meant.extend(others);
    }
    meant
}

fn nobody(command: &str, name: &str) -> String {
    let name = visible(name, Tab::Escape);
    format!("/{command}: nobody here is called {name}; see /members")
}

fn which<'m>(command: &str, members: impl Iterator<Item = &'m Member>) -> String {
    let names: Vec<String> = members.map(text::name).collect();
    let names = names.join(", ");
    format!("/{command}: several may be meant by that, say which: {names}")
}

/// The text for `member` if `rest` begins with its id, as `#3` or `ana#3`.
fn by_number_sign<'a>(rest: &'a str, member: &Member) -> Option<&'a str> {
    let is_id = |rest: &'a str| after(rest.strip_prefix('#')?, &member.id.to_string());
    is_id(rest).or_else(|| is_id(rest.strip_prefix(member.nick.as_str())?))
}

fn by_nick<'a>(rest: &'a str, member: &Member) -> Option<&'a str> {
    after(rest, &member.nick)
}

/// What follows `name` and white space in `rest`.
fn after<'a>(rest: &'a str, name: &str) -> Option<&'a str> {
    let behind = rest.strip_prefix(name)?;
    behind
        .starts_with(char::is_whitespace)
        .then(|| behind.trim_start())
}

#[cfg(test)]
#[path = "whom_test.rs"]
mod tests;
