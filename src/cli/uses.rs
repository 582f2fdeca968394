//! Which options each command uses: its `--help` lists these, and any other that is typed for it is a mistake.
//!
//! Owns the table, and what an option says of itself where it means something else to one command. It must never
//! refuse what comes from the environment or a file, or who one is and where: that is meant for whatever command is
//! run, and a script has it with each.

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

/// How much is logged.
const LOG: &[&str] = &["quiet", "verbose"];
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

/// What the commands use. A command that is not named uses every option.
const USES: &[(&str, &[&[&str]])] = &[
    (
        "send",
        &[
            FILE,
            LOG,
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
            LOG,
            WHO,
            KEEPING,
            TRACE,
            NETWORK,
            &["replay", "stay", "timeout"],
        ],
    ),
    ("history", &[FILE, LOG, &["store", "room", "json"]]),
    (
        "scan",
        &[
            FILE,
            LOG,
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
    (
        "doctor",
        &[FILE, LOG, NETWORK, &["room", "secret_file", "json"]],
    ),
    (
        "irc",
        &[
            FILE,
            LOG,
            NETWORK,
            &["room", "identity", "anonymous", "history", "timeout"],
            &["trace", "trace_max", "trace_text"],
        ],
    ),
    ("keygen", &[]),
    ("trace", &[]),
    ("demo", &[&["trace"]]),
    ("rekey", &[FILE, LOG, &["store", "secret_file"]]),
    ("completions", &[]),
    ("man", &[]),
];

/// What an option means to one command, where that is not what it means to whoever chats.
const MEANS: &[(&str, &str, &str)] = &[
    ("send", "room", ROOM),
    (
        "send",
        "wait_members",
        "Start sending only once N other members are in the room",
    ),
    (
        "send",
        "timeout",
        "How long to wait for the room, for members, and for confirmations",
    ),
    (
        "listen",
        "timeout",
        "How long leaving may take: what was printed is confirmed to the others first",
    ),
    ("scan", "room", "List this room only"),
    (
        "scan",
        "secret_file",
        "The secret of --room, if it is locked: the file's content, or PAPO_SECRET",
    ),
    (
        "scan",
        "heartbeat",
        "How often, in milliseconds, coordinators say that they are alive: two of that are listened for",
    ),
    ("scan", "json", OBJECTS),
    ("doctor", "room", "The room to look for"),
    (
        "doctor",
        "secret_file",
        "The room's secret, if it is locked: the file's content, or PAPO_SECRET",
    ),
    (
        "doctor",
        "json",
        "Print one JSON object on stdout, and nothing else there",
    ),
    ("irc", "room", "The room that clients are put into"),
    (
        "history",
        "room",
        "The room whose history it is: that of another one is refused; {room} in the name of \
      --store stands for it",
    ),
    ("history", "store", "The file that keeps the history"),
    ("history", "json", OBJECTS),
    ("rekey", "store", "The file that keeps the history"),
    (
        "rekey",
        "secret_file",
        "The new secret: the file's content, or PAPO_SECRET",
    ),
    ("demo", "trace", "Where the traces of the nodes go"),
];
const ROOM: &str = "The room to join; rooms do not hear each other";
const OBJECTS: &str = "Print one JSON object a line on stdout, and nothing else there";
/// Commands that are in no room: nobody comes and goes.
const ALONE: &[&str] = &["scan", "doctor", "history", "rekey"];

/// What the option says of itself there, if that is something else.
fn meaning(command: &str, option: &str) -> Option<&'static str> {
    let own = MEANS.iter().find(|(c, o, _)| (*c, *o) == (command, option));
    match (own, option, ALONE.contains(&command)) {
        (Some((.., what)), ..) => Some(what),
        (None, "quiet", true) => Some("Log errors only"),
        (None, "verbose", true) => {
            Some("Log what happens (-v), or all details (-vv); without it, RUST_LOG is heeded")
        }
        _ => None,
    }
}

fn is_used(command: &str, option: &str) -> bool {
    let Some((_, used)) = USES.iter().find(|(name, _)| *name == command) else {
        return true;
    };
    used.iter().any(|group| group.contains(&option))
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
        // What a command has already is not handed down to it.
        let own = global.iter().map(|arg| {
            let id = arg.get_id().as_str();
            let arg = arg.clone().hide(!is_used(&name, id));
            match meaning(&name, id) {
                Some(what) => arg.help(what).long_help(what),
                None => arg,
            }
        });
        let own: Vec<_> = own.collect();
        command = command.mut_subcommand(&name, |sub| sub.args(own));
    }
    command
}

/// What was typed for a command that does not use it, as one line.
#[must_use]
pub(super) fn unused(whole: &Command, matches: &ArgMatches) -> Option<String> {
    let (name, below) = matches.subcommand()?;
    let source = |m: &ArgMatches, id: &str| m.value_source(id) == Some(ValueSource::CommandLine);
    let is_typed = |id: &str| source(matches, id) || source(below, id);
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
