//! `papo config`: what is in force, and where each value comes from.
//!
//! Owns how that is written: as a configuration file, so that it can be kept as one.

use std::fmt::Write as _;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::value::in_toml;
use super::{Settings, levels, own_options};
use crate::ui::visible::{Tab, visible};

/// Up to here, what is behind the values stands in one column.
const COLUMN: usize = 40;

/// All options, each with its value and where that comes from. `declared` is the command line without a file.
#[must_use]
pub(in crate::cli) fn in_force(
    declared: &Command,
    matches: &ArgMatches,
    settings: &Settings,
    login: &str,
) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{}", head(settings));
    let mut heading = None;
    for arg in declared.get_arguments().filter(|a| a.is_global_set()) {
        if arg.get_id() == "config" {
            continue;
        }
        if arg.get_help_heading() != heading {
            heading = arg.get_help_heading();
            let _ = writeln!(out, "\n# {}", heading.unwrap_or("Other"));
        }
        let long = arg.get_long().unwrap_or_default();
        let line = match (value_of(arg, matches), long) {
            (Some((values, source)), _) => {
                let value = format!("{long} = {}", in_toml(arg, &values));
                format!("{value:COLUMN$} # {}", origin(arg, source, settings))
            }
            (None, "nick") => {
                let value = format!("nick = {}", in_toml(arg, &[login.to_owned()]));
                format!("{value:COLUMN$} # the login name")
            }
            (None, "secret-file") if std::env::var_os("PAPO_SECRET").is_some() => {
                let is_empty = std::env::var_os("PAPO_SECRET").is_some_and(|s| s.is_empty());
                let what = if is_empty {
                    "is set and empty, which papo refuses"
                } else {
                    "has the secret"
                };
                format!("# secret-file: PAPO_SECRET {what}")
            }
            (None, _) => format!("# {long}: {}", without(arg)),
        };
        let _ = writeln!(out, "{}", visible(&line, Tab::Escape));
    }
    write_own(&mut out, declared, settings);
    out
}

/// The options that only one command has: what they are there if that command is not told otherwise.
fn write_own(out: &mut String, declared: &Command, settings: &Settings) {
    let mut owner = "";
    for (command, arg) in own_options(declared) {
        if command != owner {
            owner = command;
            let _ = writeln!(out, "\n# papo {owner}");
        }
        let (id, long) = (arg.get_id().as_str(), arg.get_long().unwrap_or_default());
        let defaults = arg.get_default_values().iter();
        let defaults: Vec<String> = defaults.map(|v| v.to_string_lossy().into()).collect();
        let values = settings.values_of(id).unwrap_or(&defaults);
        let line = match values.is_empty() {
            true => format!("# {long}: not set"),
            false => {
                let value = format!("{long} = {}", in_toml(arg, values));
                let from = settings.place_of(id);
                format!("{value:COLUMN$} # {}", from.as_deref().unwrap_or("default"))
            }
        };
        let _ = writeln!(out, "{}", visible(&line, Tab::Escape));
    }
}

fn head(settings: &Settings) -> String {
    let Some(path) = &settings.path else {
        return "# No configuration file: there is no home directory to look in.".to_owned();
    };
    let path = visible(&path.display().to_string(), Tab::Escape);
    match settings.is_there {
        true => format!("# With the configuration file {path}."),
        false => format!("# There is no configuration file {path}; what follows could be one."),
    }
}

/// The values as they are typed, and from where.
fn value_of(arg: &Arg, matches: &ArgMatches) -> Option<(Vec<String>, ValueSource)> {
    let id = arg.get_id().as_str();
    // Where a value stands on several levels, clap hands the one that counts down.
    let matches = levels(matches).last()?;
    let source = matches.value_source(id)?;
    let values = match arg.get_action() {
        ArgAction::SetTrue => vec![matches.get_flag(id).to_string()],
        ArgAction::Count => vec![matches.get_count(id).to_string()],
        _ => {
            let raw = matches.get_raw(id)?;
            raw.map(|v| v.to_string_lossy().trim().to_owned()).collect()
        }
    };
    Some((values, source))
}

fn origin(arg: &Arg, source: ValueSource, settings: &Settings) -> String {
    match source {
        ValueSource::CommandLine => "command line".to_owned(),
        ValueSource::EnvVariable => {
            let name = arg.get_env().unwrap_or_default();
            name.to_string_lossy().into_owned()
        }
        _ => (settings.place_of(arg.get_id().as_str())).unwrap_or_else(|| "default".to_owned()),
    }
}

/// What an option that is not given means: its help says so in brackets.
fn without(arg: &Arg) -> String {
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let default = help.split_once("[default: ").map(|(_, rest)| rest);
    match default.and_then(|rest| rest.split_once(']')) {
        Some((default, _)) => default.split_whitespace().collect::<Vec<_>>().join(" "),
        None => "not set".to_owned(),
    }
}
