//! What a configuration file says, checked as the command line is.
//!
//! Owns the rules of the file: which keys it may have, and together with which.

use std::path::Path;

use clap::{Arg, Command};
use toml::de::{DeTable, DeValue};

use super::value::{self, Kind};
use super::{Setting, own_options};
use crate::cli::mistakes;
use crate::ui::visible::{Tab, visible};

/// Characters of a value that are repeated in a message about it.
const SHOWN_CHARS_MAX: usize = 60;
/// Options that no file sets.
const NEVER: &[&str] = &["config", "help", "version"];

/// The line that is wrong, and why.
type Wrong = (usize, String);

/// The settings in the order of their lines.
pub(super) fn parse(
    command: &Command,
    bytes: &[u8],
    directory: &Path,
) -> Result<Vec<Setting>, Wrong> {
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let line = bytes[..e.valid_up_to()].iter().filter(|b| **b == b'\n');
        let why = "it is not UTF-8; write it as UTF-8";
        (line.count() + 1, why.to_owned())
    })?;
    // Some editors put a mark before the text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let line_at = |at: usize| text.as_bytes()[..at.min(text.len())].iter();
    let line_at = |at: usize| 1 + line_at(at).filter(|b| **b == b'\n').count();
    let table = DeTable::parse(text).map_err(|e| {
        let line = line_at(e.span().map_or(0, |span| span.start));
        let why = visible(e.message().trim(), Tab::Escape).replace('\n', ", ");
        let example = "each line is an option's name, = and its value, such as room = \"kitchen\"";
        (line, format!("{why}; {example}"))
    })?;
    let mut found = Vec::new();
    for (key, value) in table.get_ref() {
        let line = line_at(key.span().start);
        let setting = one(command, key.get_ref(), value.get_ref(), directory);
        let written = shown(text.get(value.span()).unwrap_or_default());
        let setting = setting.map_err(|why| match why {
            Why::Key(why) => (line, why),
            Why::Value(why) => (line, format!("{} = {written}: {why}", key.get_ref())),
        })?;
        found.push(Setting { line, ..setting });
    }
    found.sort_by_key(|setting| setting.line);
    conflict(command, &found)?;
    Ok(found)
}

/// What is wrong with one key: itself, or its value.
enum Why {
    Key(String),
    Value(String),
}

fn one(command: &Command, key: &str, value: &DeValue, directory: &Path) -> Result<Setting, Why> {
    let arg = known(command, key).ok_or_else(|| Why::Key(unknown(command, key)))?;
    let values = value::written(arg, value, directory).map_err(Why::Value)?;
    check(arg, &values).map_err(Why::Value)?;
    Ok(Setting {
        id: arg.get_id().to_string(),
        values,
        line: 0,
    })
}

fn options(command: &Command) -> impl Iterator<Item = &Arg> {
    let global = command.get_arguments().filter(|a| a.is_global_set());
    let own = own_options(command).map(|(_, arg)| arg);
    let all = global.chain(own);
    all.filter(|a| !NEVER.contains(&a.get_id().as_str()))
}

fn known<'a>(command: &'a Command, key: &str) -> Option<&'a Arg> {
    options(command).find(|a| a.get_long() == Some(key))
}

fn unknown(command: &Command, key: &str) -> String {
    let name = visible(key, Tab::Escape);
    let longs = || options(command).filter_map(Arg::get_long);
    let mut commands = command.get_subcommands();
    let is_own = |c: &&Command| {
        let mut own = c.get_arguments().filter(|a| !a.is_global_set());
        own.any(|a| a.get_long() == Some(key) && !a.is_hide_set())
    };
    if known_elsewhere(key) {
        return format!("{name}: a file cannot set it; give it on the command line");
    }
    if let Some(own) = commands.find(is_own) {
        let own = own.get_name();
        return format!("{name}: only `papo {own}` has it; give it on the command line");
    }
    if key == "secret" {
        return format!("{name}: a secret does not stand here; name its file with secret-file");
    }
    let near = |long: &&str| strsim::damerau_levenshtein(long, &key.replace('_', "-"));
    match longs().min_by_key(near).filter(|long| near(long) <= 2) {
        Some(long) => format!("{name}: no option has this name; did you mean {long}?"),
        None => format!("{name}: no option has this name; papo config lists them"),
    }
}

fn known_elsewhere(key: &str) -> bool {
    NEVER.contains(&key)
}

/// Lets the option's own check see the values.
fn check(arg: &Arg, values: &[String]) -> Result<(), String> {
    if values.is_empty() && !arg.get_default_values().is_empty() {
        return Err("the list is empty; put something into it, or leave the line out".to_owned());
    }
    if !matches!(value::kind(arg), Kind::Flag | Kind::Count) {
        let alone = Arg::new("value")
            .long("value")
            .action(clap::ArgAction::Append)
            .value_parser(arg.get_value_parser().clone());
        let command = Command::new("papo").no_binary_name(true).arg(alone);
        let typed = values.iter().map(|value| format!("--value={value}"));
        let matched = command.try_get_matches_from(typed);
        matched.map_err(|e| mistakes::reason(&e))?;
    }
    Ok(())
}

/// Two options that do not go together.
fn conflict(command: &Command, found: &[Setting]) -> Result<(), Wrong> {
    let arg = |id: &str| command.get_arguments().find(|a| a.get_id() == id);
    let long = |id: &str| arg(id).and_then(Arg::get_long).unwrap_or_default();
    // A flag that is off is together with anything.
    let is_on = |setting: &&Setting| {
        let is_flag = |arg: &Arg| matches!(value::kind(arg), Kind::Flag | Kind::Count);
        let is_off = ["false", "0"].contains(&&*setting.values.concat());
        !(is_off && arg(&setting.id).is_some_and(is_flag))
    };
    let on: Vec<&Setting> = found.iter().filter(is_on).collect();
    for (n, setting) in on.iter().enumerate() {
        for before in &on[..n] {
            let pair = (&*before.id, &*setting.id);
            let declared = |one: &str, other: &str| {
                arg(one).is_some_and(|one| {
                    let others = command.get_arg_conflicts_with(one);
                    others.iter().any(|o| o.get_id() == other)
                })
            };
            let are_two_persons =
                matches!(pair, ("identity", "anonymous") | ("anonymous", "identity"));
            if are_two_persons || declared(pair.0, pair.1) || declared(pair.1, pair.0) {
                let (one, other) = (long(&before.id), long(&setting.id));
                let why = format!(
                    "{other}: not together with {one} of line {}; leave one of them out",
                    before.line
                );
                return Err((setting.line, why));
            }
        }
    }
    Ok(())
}

/// A value as it is written, on one line and not too long.
fn shown(written: &str) -> String {
    let line = written.lines().next().unwrap_or_default();
    let line = visible(line, Tab::Escape);
    match line.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None if written.lines().nth(1).is_some() => format!("{line}…"),
        None => line,
    }
}
