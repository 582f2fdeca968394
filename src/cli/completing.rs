//! Completions: what a shell asks for while somebody types, the names of rooms and interfaces among it.
//!
//! Owns what is offered for values. A room's name is others' word, and a shell takes it into a command: one with any
//! character that a shell could read more into is never offered.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Command, CommandFactory as _};
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::Shells;

use super::{Cli, Options, secret, uses};
use crate::driver::{Host, ScanConfig, Selection, scan};
use crate::limits::COMPLETION_MESSAGES_MAX;
use crate::store::{Search, Store};

/// Set by the script of a shell when it asks.
const VARIABLE: &str = "PAPO_COMPLETE";

/// What a shell asked for, if this process was started for that; it goes to stdout.
///
/// # Errors
///
/// One line without its end.
pub fn answer() -> Result<bool, String> {
    let asked = CompleteEnv::with_factory(command).var(VARIABLE);
    let here = std::env::current_dir().ok();
    let answered = asked.try_complete(std::env::args_os(), here.as_deref());
    answered.map_err(|e| e.to_string().trim().replace('\n', ", "))
}

/// The script that has this shell ask.
///
/// # Errors
///
/// One line without its end.
pub fn script(shell: clap_complete::Shell) -> Result<Vec<u8>, String> {
    let name = shell.to_string();
    let shells = Shells::builtins();
    let completer = shells.completer(&name);
    let completer = completer.ok_or_else(|| format!("no completions for {name}"))?;
    let mut script = Vec::new();
    let written = completer.write_registration(VARIABLE, "papo", "papo", "papo", &mut script);
    written.map_err(|e| format!("cannot write the completions: {e}"))?;
    Ok(script)
}

fn command() -> Command {
    let command = Cli::command()
        .mut_arg("interface", |arg| {
            arg.add(ArgValueCandidates::new(interfaces))
        })
        .mut_arg("room", |arg| arg.add(ArgValueCandidates::new(rooms)))
        .mut_subcommand("history", |history| {
            history.mut_arg("from", |arg| arg.add(ArgValueCandidates::new(nicks)))
        });
    let command = uses::trimmed(command);
    match current_word(std::env::args_os()) {
        // The commands are what is asked for; the engine offers what is hidden where there is nothing else.
        Some(word) if word.is_empty() => command.mut_args(|arg| arg.hide(true)),
        _ => command,
    }
}

/// The word that is being completed: a shell says which one it is, or it is the last one.
fn current_word(words: impl Iterator<Item = OsString>) -> Option<OsString> {
    let words: Vec<OsString> = words.skip_while(|word| word != "--").skip(1).collect();
    let index = std::env::var("_CLAP_COMPLETE_INDEX").ok();
    let index = index.and_then(|index| index.parse::<usize>().ok());
    match index {
        Some(index) => words.into_iter().nth(index).or(Some(OsString::new())),
        None => words.into_iter().next_back(),
    }
}

fn interfaces() -> Vec<CompletionCandidate> {
    let host = Host::now().unwrap_or_default();
    let found = Selection::All.of(&host);
    let names = found.into_iter().map(|interface| interface.name);
    names
        .filter(|name| is_plain(name))
        .map(CompletionCandidate::new)
        .collect()
}

/// The rooms that `papo scan` hears with the environment and the configuration file.
fn rooms() -> Vec<CompletionCandidate> {
    // What is set for the question is not papo's own.
    let Ok(Cli { options, .. }) = Cli::read(["papo", "scan"]) else {
        return Vec::new();
    };
    let heard = scan(&ScanConfig {
        group: options.group,
        interfaces: match options.interface.as_slice() {
            [] => Selection::All,
            names => Selection::Named(names.to_vec()),
        },
        heartbeat: options.heartbeat,
        locked: locked(&options),
        only: None,
    });
    let names = heard.map(|heard| heard.rooms.names()).unwrap_or_default();
    let names = names.into_iter().filter(|name| is_plain(name));
    names.map(CompletionCandidate::new).collect()
}

/// Under which nicks something was said that is in the store that is named.
fn nicks() -> Vec<CompletionCandidate> {
    let Ok(Cli { options, .. }) = Cli::read(["papo", "scan"]) else {
        return Vec::new();
    };
    let options = options.in_room(options.first_room());
    let Some(path) = typed_store(std::env::args_os()).or(options.store) else {
        return Vec::new();
    };
    let (mut nicks, mut looked_at) = (BTreeSet::new(), 0);
    if let Ok(store) = Store::open_for_reading(&path, None) {
        // Of a file that cannot be read, nothing is offered.
        let _ = store.search(&Search::default(), |message| {
            nicks.insert(message.nick().to_owned());
            looked_at += 1;
            looked_at < COMPLETION_MESSAGES_MAX
        });
    }
    let nicks = nicks.into_iter().filter(|nick| is_plain(nick));
    nicks.map(CompletionCandidate::new).collect()
}

/// What is typed for `--store` on the line that is being completed.
fn typed_store(words: impl Iterator<Item = OsString>) -> Option<PathBuf> {
    let words: Vec<OsString> = words.collect();
    let store = words.iter().enumerate().find_map(|(n, word)| {
        match word.to_str()?.strip_prefix("--store")? {
            "" => words.get(n + 1).map(PathBuf::from),
            rest => rest.strip_prefix('=').map(PathBuf::from),
        }
    });
    let below_home =
        |path: &PathBuf| Some(std::env::home_dir()?.join(path.strip_prefix("~").ok()?));
    store.map(|path| below_home(&path).unwrap_or(path))
}

fn locked(options: &Options) -> Option<(String, crate::lock::Secret)> {
    let options = options.in_room(options.first_room());
    let given = secret::given(options.secret_file.as_deref()).ok()??;
    let secret = given.derive(options.first_room()).ok()?;
    Some((options.first_room().to_owned(), secret))
}

/// Whether a shell takes the word as it is.
fn is_plain(word: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    !word.is_empty() && !word.starts_with('-') && word.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_a_shell_would_read_more_into_is_not_offered() {
        for name in ["lobby", "cozinha-2", "café", "eth0.7"] {
            assert!(is_plain(name), "{name}");
        }
        for name in [
            "$(reboot)",
            "a b",
            "a;b",
            "`x`",
            "-x",
            "",
            "a'b",
            "a\u{202e}b",
        ] {
            assert!(!is_plain(name), "{name}");
        }
    }
}
