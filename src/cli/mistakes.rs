//! What clap says of a mistake on the command line, in one line that is safe to print.
//!
//! Owns nothing: whoever read the command line prints the line, and ends.

use std::error::Error as _;

use clap::CommandFactory as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};

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
        ErrorKind::InvalidValue if value.is_empty() => format!("{argument}: a value is missing"),
        ErrorKind::InvalidValue => format!("{option}{variable} {value}: not one of its values"),
        ErrorKind::ValueValidation => {
            let why = error.source().map(ToString::to_string).unwrap_or_default();
            format!("{option}{variable} {quoted}: {why}")
        }
        ErrorKind::NoEquals | ErrorKind::TooFewValues => format!("{argument}: a value is missing"),
        ErrorKind::TooManyValues => format!("{option}: takes no value such as {value}"),
        ErrorKind::ArgumentConflict => match what(ContextKind::PriorArg) {
            Some(other) if other != argument => format!("{argument}: not together with {other}"),
            _ => format!("{argument}: given more than once"),
        },
        ErrorKind::MissingRequiredArgument => format!("{argument}: it is missing"),
        ErrorKind::InvalidUtf8 => "an argument is not valid UTF-8".to_owned(),
        kind => kind.as_str().unwrap_or("not understood").to_owned(),
    };
    let better = [
        (ContextKind::SuggestedArg, "did you mean"),
        (ContextKind::SuggestedSubcommand, "did you mean"),
        (ContextKind::SuggestedValue, "did you mean"),
        (ContextKind::ValidValue, "give one of"),
    ];
    let better = better
        .iter()
        .find_map(|(kind, words)| Some(format!("{words} {}", what(*kind)?)));
    let help = "see papo --help".to_owned();
    let better = match error.kind() {
        ErrorKind::ValueValidation => return said,
        _ => better.unwrap_or(help),
    };
    format!("{said}; {better}")
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
        Some(name) if std::env::var(&name).is_ok_and(|set| visible(&set, Tab::Escape) == value) => {
            format!(" ({name})")
        }
        _ => String::new(),
    }
}
