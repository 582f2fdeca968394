//! The values of options in TOML: of which type each is, how one is read, and how one is written.
//!
//! Owns the types. What a value may be is the option's own matter.

use std::any::TypeId;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Arg, ArgAction};
use toml::de::DeValue;

use crate::ui::Replay;

/// Which type of TOML an option's value has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// true or false.
    Flag,
    /// How often a flag is given.
    Count,
    /// A number.
    Number,
    /// A number or a text.
    Either,
    /// A text.
    Text,
    /// The name of a file.
    File,
    /// A text, or a list of texts.
    List,
    /// Likewise; what follows this in each of them is the name of a file.
    Files(&'static str),
}

/// Options that name files within a text, and what stands before the name there.
const WITHIN: &[(&str, &str)] = &[("irc_listen", "unix:"), ("irc_secret", "=")];

pub(super) fn kind(arg: &Arg) -> Kind {
    let parsed = arg.get_value_parser().type_id();
    match arg.get_action() {
        ArgAction::SetTrue | ArgAction::SetFalse => Kind::Flag,
        ArgAction::Count => Kind::Count,
        ArgAction::Append => {
            let within = WITHIN.iter().find(|(id, _)| arg.get_id() == id);
            within.map_or(Kind::List, |(_, before)| Kind::Files(before))
        }
        _ if parsed == TypeId::of::<PathBuf>() => Kind::File,
        _ if parsed == TypeId::of::<usize>() || parsed == TypeId::of::<Duration>() => Kind::Number,
        _ if parsed == TypeId::of::<u64>() || parsed == TypeId::of::<Replay>() => Kind::Either,
        _ => Kind::Text,
    }
}

/// The values as they would be typed.
///
/// # Errors
///
/// What the type should be.
pub(super) fn written(arg: &Arg, value: &DeValue, directory: &Path) -> Result<Vec<String>, String> {
    let kind = kind(arg);
    let text = match (kind, value) {
        (Kind::Flag, DeValue::Boolean(set)) => set.to_string(),
        (Kind::Count, DeValue::Integer(n)) if matches!(n.as_str(), "0" | "1" | "2") => {
            n.as_str().to_owned()
        }
        (Kind::Number | Kind::Either, DeValue::Integer(n)) if n.radix() == 10 => {
            n.as_str().to_owned()
        }
        (Kind::Number, DeValue::Float(n)) => n.as_str().to_owned(),
        (Kind::Text | Kind::Either | Kind::List, DeValue::String(text)) => text.to_string(),
        (Kind::Files(before), DeValue::String(text)) => within(directory, text, before),
        (Kind::File, DeValue::String(text)) if !text.is_empty() => from(directory, text),
        (Kind::List | Kind::Files(_), DeValue::Array(all)) => {
            let said = |text: &str| match kind {
                Kind::Files(before) => within(directory, text, before),
                _ => text.to_owned(),
            };
            let texts = all.iter().map(|one| one.get_ref().as_str());
            let texts: Option<Vec<_>> = texts.map(|t| t.map(said)).collect();
            return texts.ok_or_else(|| remedy(kind).to_owned());
        }
        _ => return Err(remedy(kind).to_owned()),
    };
    Ok(vec![text])
}

fn remedy(kind: Kind) -> &'static str {
    match kind {
        Kind::Flag => "it is not of its type; write true or false",
        Kind::Count => "it is not of its type; write 1 for -v, or 2 for -vv",
        Kind::Number => "it is not of its type; write a number, without quotes",
        Kind::Either => "it is not of its type; write a number, or a text in quotes",
        Kind::Text => "it is not of its type; write a text in quotes",
        Kind::File => "it is not of its type; write the name of a file in quotes",
        Kind::List | Kind::Files(_) => {
            "it is not of its type; write a text in quotes, or a list such as [\"a\", \"b\"]"
        }
    }
}

/// A file's name, which begins at the directory of the configuration file, or with `~/` at the home directory.
fn from(directory: &Path, name: &str) -> String {
    let home = || std::env::var_os("HOME").map(PathBuf::from);
    let path = match name.strip_prefix("~/").zip(home()) {
        Some((rest, home)) => home.join(rest),
        None => directory.join(name),
    };
    path.to_string_lossy().into_owned()
}

/// The same for the name of a file within a text: what stands after `before`, if that is in it.
fn within(directory: &Path, text: &str, before: &str) -> String {
    match text.split_once(before) {
        Some((head, name)) if !name.is_empty() => {
            format!("{head}{before}{}", from(directory, name))
        }
        _ => text.to_owned(),
    }
}

/// Values as they are typed, in TOML.
pub(super) fn in_toml(arg: &Arg, values: &[String]) -> String {
    let first = values.first().map(String::as_str).unwrap_or_default();
    match kind(arg) {
        Kind::Flag | Kind::Count | Kind::Number => first.to_owned(),
        Kind::Either if first.parse::<u64>().is_ok() => first.to_owned(),
        Kind::Either | Kind::Text | Kind::File => quoted(first),
        // What is no list where it is typed is none here, either.
        Kind::List if values.len() == 1 && arg.get_value_delimiter().is_none() => quoted(first),
        Kind::List | Kind::Files(_) => {
            let all: Vec<_> = values.iter().map(|value| quoted(value)).collect();
            format!("[{}]", all.join(", "))
        }
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
