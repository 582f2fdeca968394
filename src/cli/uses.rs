//! Which options each command uses: its `--help` lists these, and any other that is typed for it is a mistake.
//!
//! Owns the table. It must never refuse what comes from the environment or a file, or who one is and where:
//! that is meant for whatever command is run, and a script has it in front of each.

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

/// What every command takes.
const ALL: &[&str] = &["quiet", "verbose"];
/// Where options come from: whatever reads it heeds it, and any command may be told.
const FILE: &[&str] = &["config"];
/// How a node finds the others and is found.
const NETWORK: &[&str] = &[
    "group",
    "interface",
    "listen",
    "peer",
    "no_multicast",
    "heartbeat",
    "failure_timeout",
];
/// Who a node is, and in which room.
const WHO: &[&str] = &["room", "secret_file", "nick", "identity", "anonymous"];
/// What a node keeps, and how it says things.
const KEEPING: &[&str] = &["history", "store", "store_strict", "store_max", "json"];
/// What a node writes down of what it does.
const TRACE: &[&str] = &["trace", "trace_max", "trace_text"];

/// What the commands use beside [`ALL`]. A command that is not named uses every option.
const USES: &[(&str, &[&[&str]])] = &[
    (
        "send",
        &[
            FILE,
            WHO,
            KEEPING,
            TRACE,
            NETWORK,
            &["wait_members", "timeout"],
        ],
    ),
    (
        "listen",
        &[
            FILE,
            WHO,
            KEEPING,
            TRACE,
            NETWORK,
            &["replay", "stay", "timeout"],
        ],
    ),
    ("history", &[FILE, &["store", "room", "json"]]),
    (
        "scan",
        &[
            FILE,
            &[
                "room",
                "secret_file",
                "group",
                "interface",
                "heartbeat",
                "json",
            ],
        ],
    ),
    ("doctor", &[FILE, NETWORK, &["room", "secret_file", "json"]]),
    (
        "irc",
        &[
            FILE,
            NETWORK,
            &["room", "identity", "anonymous", "history", "timeout"],
            &["trace", "trace_max", "trace_text"],
        ],
    ),
    ("keygen", &[]),
    ("trace", &[]),
    ("demo", &[&["trace"]]),
    ("rekey", &[FILE, &["store", "secret_file"]]),
    ("completions", &[]),
    ("man", &[]),
];

fn is_used(command: &str, option: &str) -> bool {
    let Some((_, used)) = USES.iter().find(|(name, _)| *name == command) else {
        return true;
    };
    ALL.contains(&option) || used.iter().any(|group| group.contains(&option))
}

/// The command line whose commands list only what they use.
#[must_use]
pub(super) fn trimmed(mut command: Command) -> Command {
    let global = command.get_arguments().filter(|a| a.is_global_set());
    let global: Vec<_> = global.cloned().collect();
    let names: Vec<String> = command
        .get_subcommands()
        .map(|c| c.get_name().to_owned())
        .collect();
    for name in names {
        let unused = global
            .iter()
            .filter(|a| !is_used(&name, a.get_id().as_str()));
        // What a command has already is not handed down to it.
        let hidden: Vec<_> = unused.map(|a| a.clone().hide(true)).collect();
        command = command.mut_subcommand(&name, |sub| sub.args(hidden));
    }
    command
}

/// What was typed for a command that does not use it, as one line.
#[must_use]
pub(super) fn unused(whole: &Command, matches: &ArgMatches) -> Option<String> {
    let (name, below) = matches.subcommand()?;
    let is_typed = |id: &str| {
        let source = |m: &ArgMatches| m.value_source(id) == Some(ValueSource::CommandLine);
        source(matches) || source(below)
    };
    let global = whole.get_arguments().filter(|a| a.is_global_set());
    let is_borne = |id: &str| [WHO, NETWORK, FILE].iter().any(|group| group.contains(&id));
    let is_refused = |id: &str| !is_used(name, id) && !is_borne(id);
    let mut unused = global.filter(|a| is_refused(a.get_id().as_str()));
    let option = unused.find(|a| is_typed(a.get_id().as_str()))?;
    let long = option.get_long().unwrap_or_default();
    Some(format!(
        "--{long}: `papo {name}` does not use it; leave it out"
    ))
}
