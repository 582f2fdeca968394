//! The examples and the exit statuses that `papo --help` and the manual page show.
//!
//! Owns these words, so that both say the same.

use std::fmt::Write as _;

/// A command line, and what it does.
pub(super) const EXAMPLES: &[(&str, &str)] = &[
    (
        "papo",
        "chat in the room \"lobby\"; /help lists what can be typed",
    ),
    (
        "papo --room kitchen --nick ana",
        "another room, another name",
    ),
    (
        "echo done | papo send",
        "say a line and leave once everybody has confirmed it",
    ),
    (
        "papo send --wait-members 1 hello",
        "wait until somebody is there to hear it",
    ),
    (
        "papo listen | grep -i lunch",
        "what the others say, one line each, as \"<nick> text\"",
    ),
    (
        "papo listen --json --replay all",
        "the same, and all that was said before, as JSON Lines",
    ),
    (
        "papo scan",
        "which rooms there are, and who coordinates them",
    ),
    (
        "papo doctor",
        "what works on this network and what does not, and what to type",
    ),
    (
        "papo irc",
        "let IRC clients of this machine in, at 127.0.0.1:6667",
    ),
    ("papo keygen key", "a new secret, in a file of its own"),
    (
        "papo --secret-file key --room board",
        "a locked room: only holders of the secret get in",
    ),
    (
        "papo --store lobby.db",
        "keep the history in a file, across runs",
    ),
    (
        "papo history --store lobby.db",
        "print it; --grep lunch finds a word",
    ),
    (
        "papo config",
        "which options are in force, and where each comes from",
    ),
    (
        "tail -f log | papo send --room log",
        "each line of a pipe is one message",
    ),
];

/// An exit status, and what it means.
pub(super) const STATUSES: &[(&str, &str)] = &[
    (
        "0",
        "left in good order; everything said was confirmed by every member",
    ),
    (
        "1",
        "something said was not confirmed in time, or missed, or something heard not printed;\n\
         stderr says what and by whom. history and scan: nothing was found;\n\
         doctor: one could not chat",
    ),
    (
        "2",
        "a mistake on the command line, in the environment or in the configuration file",
    ),
    (
        "3",
        "could not start or could not go on: address in use, no such interface, ...;\n\
         what is in no room (history, scan, ...): its output could not be printed",
    ),
    ("130", "interrupted a second time while leaving"),
];

/// What stands below the options in `papo --help`.
pub(super) fn below_help() -> String {
    let mut text = String::from("Examples:\n");
    // Writing to a string cannot fail.
    for (line, what) in EXAMPLES {
        let _ = writeln!(text, "  {line:37} {what}");
    }
    text.push_str("\nExit status:");
    for (status, what) in STATUSES {
        let what = what.replace('\n', "\n       ");
        let _ = write!(text, "\n  {status:4} {what}");
    }
    text
}
