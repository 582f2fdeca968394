//! What the manual page says that is said in no other place of the program.
//!
//! Owns these words, and nothing of how they are set.

pub(super) const CHAT: &str = "\
A line that begins with / is a command, in a terminal and wherever --commands is given.";

pub(super) const ROOMS: &str = "\
Option --room may be given several times, or as a list in the configuration file: papo is in all these rooms then. \
In a terminal one of them is seen, and what is typed is said there; a row over the prompt says which there are, how \
many messages are unread in each, and with ! that you are named. Ctrl-N, Ctrl-P and Alt-1 to Alt-9 show another \
one. In a pipe each line begins with its room in brackets, and in JSON each event has the field room; lines of \
stdin go to the first room or, with --commands, to that of the last /room or /join. In the names of --store, \
--secret-file and --trace, {room} stands for the name of each room. A --secret-file without {room} locks all rooms; \
with it, those are locked whose file is there.";

pub(super) const CONFIGURATION: &str = "\
The file has options by their names, in TOML: a text in quotes, a number without, true or false for an option \
that takes no value, and a list for one that may be given several times. What is on the command line goes over \
the environment, and that over the file. A relative name of a file begins at the directory of the configuration \
file, and ~/ is the home directory.

An option that the file sets to true cannot be taken back by the command line; --config /dev/null does without \
the file. Command config prints all that is in force and where each value comes from, in the form of such a file.";

pub(super) const CONFIGURATION_EXAMPLE: &str = "\
nick = \"ana\"
room = [\"kitchen\", \"ops\"]
interface = [\"eth0\", \"wlan0\"]
replay = \"all\"
store = \"~/papo/{room}.db\"
failure-timeout = 2000
stay = true";

pub(super) const FILES: &[(&str, &str)] = &[
    (
        "$XDG_CONFIG_HOME/papo/config.toml",
        "Options by name, if --config and PAPO_CONFIG name no other file. Where the variable is not \
         set, it is the directory that the system has for this, mostly ~/.config.",
    ),
    (
        "$XDG_STATE_HOME/papo/identity",
        "Who you are across runs. Where the variable is not set, it is the directory that the system has for this, \
         mostly ~/.local/state.",
    ),
    (
        "FILE of --store",
        "The history, an SQLite database. Beside it are FILE-wal and FILE-shm, its log, which belong to it when it \
         is copied; FILE.lock, which stays; and FILE.damaged-..., what was set aside.",
    ),
];

pub(super) const VARIABLES: &[(&str, &str)] = &[
    (
        "PAPO_SECRET",
        "The secret of a locked room itself, where --secret-file names no file.",
    ),
    (
        "RUST_LOG",
        "What is logged on stderr, where neither -q nor -v is given: error, warn, info, debug or trace.",
    ),
    (
        "NO_COLOR",
        "If it is set and not empty, there are no colours, as with --color never.",
    ),
    (
        "TERM",
        "The terminal's type. One that is dumb, unknown or not set gets plain lines and no control sequence.",
    ),
    (
        "USER, LOGNAME",
        "The login name, which is the nick if no other is given.",
    ),
    (
        "HOME, XDG_CONFIG_HOME, XDG_STATE_HOME",
        "Where the files are that are named below.",
    ),
    (
        "TZ",
        "The time zone of the times that are shown, and of those given with --since and --until.",
    ),
];

pub(super) const VARIABLES_OF_EXEC: &[(&str, &str)] = &[
    ("PAPO_FROM", "The nick of who said it."),
    ("PAPO_FROM_ID", "The number of that member."),
    ("PAPO_FROM_KEY", "The key of that run of papo."),
    (
        "PAPO_FROM_IDENTITY",
        "The fingerprint of the person, if one is known.",
    ),
    ("PAPO_MESSAGE_ID", "The message's id."),
    (
        "PAPO_SENT_AT",
        "When it was said, in milliseconds since 1970.",
    ),
    ("PAPO_ROOM", "The room, where papo is in several."),
    ("PAPO_PRIVATE", "Whether it was said to this member only."),
];

pub(super) const SEE_ALSO: &str = "\
The README that comes with papo says more: what is confirmed and what is stored, locked rooms, networks, limits.";
