//! What clap says of a mistake on the command line, in one line that is safe to print.
//!
//! Owns nothing: whoever read the command line prints the line, and ends.

use std::error::Error as _;
use std::ffi::OsStr;

use clap::builder::PossibleValue;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory as _};

use super::{Cli, Stop};
use crate::ui::visible::{Tab, visible};

/// What is to be printed instead of running.
pub(super) fn stop(error: &clap::Error) -> Stop {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            Stop::Shown(error.render().to_string())
        }
        _ => Stop::Wrong(one_line(error)),
    }
}

/// What is wrong, with which option, and what to do: in one line, safe to print.
fn one_line(error: &clap::Error) -> String {
    let what = |kind| context(error, kind).map(|text| visible(&text, Tab::Escape));
    let argument = what(ContextKind::InvalidArg).unwrap_or_default();
    let value = what(ContextKind::InvalidValue).unwrap_or_default();
    // What cannot be seen as it is stands in quotes.
    let quoted = match value.trim() {
        trimmed if trimmed.is_empty() || trimmed != value => format!("{value:?}"),
        _ => value.clone(),
    };
    let option = argument.split([' ', '=']).next().unwrap_or_default();
    let variable = environment(option, &value);
    let said = match error.kind() {
        ErrorKind::UnknownArgument if argument.starts_with('-') => {
            format!("{argument}: no such option")
        }
        ErrorKind::UnknownArgument => format!("{argument}: not expected here"),
        ErrorKind::InvalidSubcommand => {
            let name = what(ContextKind::InvalidSubcommand).unwrap_or_default();
            format!("{name}: no such command")
        }
        ErrorKind::InvalidValue if value.is_empty() && !variable.is_empty() => {
            let name = variable.trim_matches([' ', '(', ')']);
            return format!("{name}: it is set and empty; give it a value, or unset it");
        }
        ErrorKind::InvalidValue if value.is_empty() => format!("{argument}: a value is missing"),
        ErrorKind::InvalidValue => format!("{option}{variable} {value}: not one of its values"),
        ErrorKind::ValueValidation => {
            let why = error.source().map(ToString::to_string).unwrap_or_default();
            format!("{option}{variable} {quoted}: {why}")
        }
        ErrorKind::NoEquals | ErrorKind::TooFewValues => format!("{argument}: a value is missing"),
        ErrorKind::TooManyValues => format!("{option}: takes no value such as {value}"),
        ErrorKind::ArgumentConflict => match what(ContextKind::PriorArg) {
            Some(other) if other != argument => {
                let (one, other) = (argument.trim_end_matches('.'), other.trim_end_matches('.'));
                return format!("{one}: not together with {other}; leave one of them out");
            }
            _ => return format!("{argument}: given more than once; give it once"),
        },
        ErrorKind::MissingRequiredArgument => format!("{argument}: it is missing"),
        ErrorKind::InvalidUtf8 => return not_utf8(),
        kind => kind.as_str().unwrap_or("not understood").to_owned(),
    };
    match error.kind() {
        ErrorKind::ValueValidation => said,
        _ => format!("{said}; {}", remedy(error, &argument)),
    }
}

/// Why a value is not taken, and what to give: for whoever names the option in another way.
pub(super) fn reason(error: &clap::Error) -> String {
    match error.kind() {
        ErrorKind::ValueValidation => {
            let why = error.source().map(ToString::to_string);
            why.unwrap_or_else(|| "it is not understood".to_owned())
        }
        _ => format!("it is not one of the values; {}", remedy(error, "")),
    }
}

/// What to do instead.
fn remedy(error: &clap::Error, argument: &str) -> String {
    let what = |kind| context(error, kind).map(|text| visible(&text, Tab::Escape));
    if let Some(values) = what(ContextKind::ValidValue).or_else(|| values_of(argument)) {
        return format!("give one of {values}");
    }
    let suggested = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand];
    if let Some(better) = suggested.into_iter().find_map(what) {
        return format!("did you mean {better}?");
    }
    let is_option = argument.starts_with('-') && error.kind() == ErrorKind::UnknownArgument;
    // clap suggests that where the command takes a text.
    match is_option && error.get(ContextKind::Suggested).is_some() {
        true => "put -- before a text that begins with -".to_owned(),
        false => "see papo --help".to_owned(),
    }
}

/// The values of a command's own argument that is missing, such as `<SHELL>`.
fn values_of(argument: &str) -> Option<String> {
    let name = argument.strip_prefix('<')?.strip_suffix('>')?;
    let command = Cli::command();
    let mut own = command.get_subcommands().flat_map(Command::get_positionals);
    let arg = own.find(|a| a.get_value_names().is_some_and(|names| names[0] == name))?;
    let values = arg.get_possible_values();
    let names: Vec<&str> = values.iter().map(PossibleValue::get_name).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// Which variable or argument is not UTF-8, which clap does not say.
fn not_utf8() -> String {
    let command = Cli::command();
    let mut variables = command.get_arguments().filter_map(clap::Arg::get_env);
    let is_text = |value: &OsStr| value.to_str().is_some();
    if let Some(name) = variables.find(|name| std::env::var_os(name).is_some_and(|v| !is_text(&v)))
    {
        let name = name.to_string_lossy();
        return format!("{name}: it is not UTF-8; write it in UTF-8, or unset it");
    }
    match std::env::args_os().find(|argument| !is_text(argument)) {
        Some(argument) => {
            let argument = visible(&argument.to_string_lossy(), Tab::Escape);
            format!("{argument}: it is not UTF-8; write it in UTF-8")
        }
        None => "an argument is not UTF-8; write it in UTF-8".to_owned(),
    }
}

/// A part of what clap knows about its error.
fn context(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) if !texts.is_empty() => Some(texts.join(", ")),
        ContextValue::StyledStr(text) => Some(text.to_string()),
        _ => None,
    }
}

/// Where a value came from if it was not the command line: ` (PAPO_ROOM)`.
fn environment(option: &str, value: &str) -> String {
    let command = Cli::command();
    let Some(long) = option.strip_prefix("--") else {
        return String::new();
    };
    let from = command
        .get_arguments()
        .find(|a| a.get_long() == Some(long))
        .and_then(clap::Arg::get_env)
        .map(|name| name.to_string_lossy().into_owned());
    match from {
        Some(name) if std::env::var(&name).is_ok_and(|set| is_in(&set, value)) => {
            format!(" ({name})")
        }
        _ => String::new(),
    }
}

/// Whether a variable says this value: alone, or in a list.
fn is_in(set: &str, value: &str) -> bool {
    let parts = set.split(',').chain([set]);
    parts
        .map(|part| visible(part, Tab::Escape))
        .any(|part| part == value)
}
