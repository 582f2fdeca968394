//! The commands that are typed in the chat: what a line means. Whom one names is the matter of [`super::whom`].
//!
//! This module owns the names of the commands and no state. It never carries a command out, and does
//! not know where its answer goes.

use crate::limits::{NICK_CHARS_MAX, TEXT_BYTES_MAX};
use crate::wire::nick_is_valid;

use super::act::Act;
use super::attention::Notify;
use super::news::Quiet;
use super::rooms::RoomWish;
use super::visible::{Tab, visible};

/// What `/help` says.
pub const HELP: &str = "\
/help               this list
/members            who is in the room, and its topic
/whois NICK|ID      who that is: identity, address, since when
/history [N]        the history, or its newest N messages
/search WORDS       the messages of the history that have all these words
/more               the whole message that was folded last
/msg NICK|ID TEXT   say TEXT to one member only; the history does not have it
/me TEXT            say what you do: * ana TEXT
/topic [TEXT]       the room's topic, or another one; /topic - takes it away
/away [TEXT]        say that you are away, and why; without TEXT, you are back
/nick NAME          take another name
/join ROOM [FILE]   be in another room, too; FILE has its secret, if any
/part [ROOM]        leave this room, or another one; the last one as /quit does
/room [ROOM]        see another room, by its name or number, as Ctrl-N, Ctrl-P
                    and Alt-1 to Alt-9 do; without ROOM, list them
/ignore [NICK]      show nothing more of this person, or list who is ignored
/unignore NICK      show it again
/notify [WHEN]      ring: never, mention (your name, private messages) or all
/quiet [WHEN]       say no more who comes and goes, or say it again; WHEN is
                    on, off or lately: only of those who spoke in the last 10
                    minutes
/trace [FILE|off]   write down what this node does, for papo trace
/status [-v]        what this node knows about itself; -v: all its counters
/elect              start an election of the coordinator now
/quit               leave, once everything said is confirmed
//TEXT              say a line that begins with /
";

/// What a line means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Meaning {
    /// Say this to the room.
    Say(String),
    /// Do this.
    Do(UserCommand),
    /// Nothing: why, for the user.
    Wrong(String),
}

/// A command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UserCommand {
    /// `/help`
    Help,
    /// `/members`
    Members,
    /// `/history [N]`
    History(Option<usize>),
    /// `/more`
    More,
    /// `/msg`, with what follows it; see [`addressee`].
    Msg(String),
    /// `/nick`
    Nick(String),
    /// `/whois`, with the name; see [`named`].
    Whois(String),
    /// `/topic`
    Topic,
    /// `/search`, with the words.
    Search(String),
    /// `/ignore`, with the name, which is empty where there is none.
    Ignore(String),
    /// `/unignore`, with the name.
    Unignore(String),
    /// `/notify [never|mention|all]`
    Notify(Option<Notify>),
    /// `/quiet [on|off|lately]`
    Quiet(Option<Quiet>),
    /// `/status`, or with all counters.
    Status {
        /// `-v`
        is_detailed: bool,
    },
    /// `/trace`, with the file, which is empty where there is none.
    Trace(String),
    /// `/elect`
    Elect,
    /// `/join`, `/part` and `/room`
    Rooms(RoomWish),
    /// `/quit`
    Quit,
}

impl UserCommand {
    /// True for a command that makes sense before the room is joined.
    #[must_use]
    pub fn is_always_ready(&self) -> bool {
        matches!(
            self,
            UserCommand::Help
                | UserCommand::Status { .. }
                | UserCommand::Rooms(_)
                | UserCommand::Quit
        )
    }
}

const NAMES: [&str; 22] = [
    "help", "members", "history", "search", "more", "msg", "me", "topic", "away", "nick", "whois",
    "join", "part", "room", "ignore", "unignore", "notify", "quiet", "trace", "status", "elect",
    "quit",
];

/// The commands as they are typed.
pub fn names() -> impl Iterator<Item = String> {
    NAMES.iter().map(|name| format!("/{name}"))
}

/// What `line` means where commands are taken.
#[must_use]
pub fn parse(line: String) -> Meaning {
    let Some(rest) = line.strip_prefix('/') else {
        return Meaning::Say(line);
    };
    if rest.starts_with('/') {
        return Meaning::Say(rest.to_owned());
    }
    let (name, argument) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let argument = argument.trim();
    if let Some(meaning) = acting(&name.to_lowercase(), argument) {
        return meaning;
    }
    match order(name, argument) {
        Ok(order) => Meaning::Do(order),
        Err(why) => Meaning::Wrong(why),
    }
}

/// What is said by `/me`, `/topic` and `/away`.
fn acting(name: &str, argument: &str) -> Option<Meaning> {
    let act = match (name, argument) {
        ("me", "") => return Some(Meaning::Wrong("/me TEXT: say what you do".to_owned())),
        ("me", what) => Act::Does(what),
        ("topic", "") => return Some(Meaning::Do(UserCommand::Topic)),
        ("topic", "-") => Act::Topic(""),
        ("topic", topic) => Act::Topic(topic),
        ("away", "") => Act::Back,
        ("away", why) => Act::Away(why),
        _ => return None,
    };
    let line = act.line();
    Some(match line.len() <= TEXT_BYTES_MAX {
        true => Meaning::Say(line),
        false => Meaning::Wrong(format!("/{name}: that text is too long")),
    })
}

fn order(typed: &str, argument: &str) -> Result<UserCommand, String> {
    let name = typed.to_lowercase();
    let plain = |order| match argument {
        "" => Ok(order),
        _ => Err(format!("/{name} takes nothing after it")),
    };
    match name.as_str() {
        "help" => Ok(UserCommand::Help),
        "members" => plain(UserCommand::Members),
        "history" => history(argument),
        "more" => plain(UserCommand::More),
        "msg" if argument.contains(char::is_whitespace) => {
            Ok(UserCommand::Msg(argument.to_owned()))
        }
        "msg" => Err("/msg NICK|ID TEXT: say to whom, and what".into()),
        "nick" => nick(argument),
        "whois" if argument.is_empty() => Err("/whois NICK|ID: say who".into()),
        "whois" => Ok(UserCommand::Whois(argument.to_owned())),
        "notify" => notify(argument),
        "quiet" => quiet(argument),
        "search" if argument.is_empty() => Err("/search WORDS: say what for".into()),
        "search" => Ok(UserCommand::Search(argument.to_owned())),
        "ignore" => Ok(UserCommand::Ignore(argument.to_owned())),
        "unignore" if argument.is_empty() => Err("/unignore NICK: say who".into()),
        "unignore" => Ok(UserCommand::Unignore(argument.to_owned())),
        "status" if argument == "-v" => Ok(UserCommand::Status { is_detailed: true }),
        "status" => plain(UserCommand::Status { is_detailed: false }),
        "join" => join(argument),
        "part" => Ok(UserCommand::Rooms(RoomWish::Part(argument.to_owned()))),
        "room" if argument.is_empty() => Ok(UserCommand::Rooms(RoomWish::List)),
        "room" => Ok(UserCommand::Rooms(RoomWish::Show(argument.to_owned()))),
        "trace" => Ok(UserCommand::Trace(argument.to_owned())),
        "elect" => plain(UserCommand::Elect),
        "quit" => plain(UserCommand::Quit),
        _ => Err(unknown(typed)),
    }
}

/// A room, and perhaps the file that has its secret. What follows a word is never taken for a part of the room's name:
/// who mistypes a file must not be in a room that is open.
fn join(argument: &str) -> Result<UserCommand, String> {
    let (room, file) = match argument.strip_prefix('"') {
        Some(rest) => rest
            .split_once('"')
            .ok_or("/join \"ROOM\" [FILE]: the quote behind the room is missing")?,
        None => argument
            .split_once(char::is_whitespace)
            .unwrap_or((argument, "")),
    };
    if room.is_empty() {
        return Err("/join ROOM: say which room".into());
    }
    let file = file.trim();
    Ok(UserCommand::Rooms(RoomWish::Join {
        room: room.to_owned(),
        secret: (!file.is_empty()).then(|| file.to_owned()),
    }))
}

fn history(argument: &str) -> Result<UserCommand, String> {
    match argument {
        "" => Ok(UserCommand::History(None)),
        _ => argument
            .parse()
            .map(|n| UserCommand::History(Some(n)))
            .map_err(|_| {
                let argument = visible(argument, Tab::Escape);
                format!("/history [N]: {argument} is not a number of messages")
            }),
    }
}

fn notify(argument: &str) -> Result<UserCommand, String> {
    if argument.is_empty() {
        return Ok(UserCommand::Notify(None));
    }
    let notify = argument.parse().map_err(|()| {
        let argument = visible(argument, Tab::Escape);
        format!("/notify {argument}: give never, mention or all")
    })?;
    Ok(UserCommand::Notify(Some(notify)))
}

fn quiet(argument: &str) -> Result<UserCommand, String> {
    let quiet = match argument.to_lowercase().as_str() {
        "" => None,
        "on" => Some(Quiet::On),
        "off" => Some(Quiet::Off),
        "lately" => Some(Quiet::Lately),
        _ => {
            let argument = visible(argument, Tab::Escape);
            return Err(format!("/quiet {argument}: give on, off or lately"));
        }
    };
    Ok(UserCommand::Quiet(quiet))
}

fn nick(argument: &str) -> Result<UserCommand, String> {
    if nick_is_valid(argument) {
        return Ok(UserCommand::Nick(argument.to_owned()));
    }
    Err(format!(
        "/nick NAME: a name has 1 to {NICK_CHARS_MAX} characters, no control characters"
    ))
}

/// An unknown command is explained with the nearest one, if one is near.
fn unknown(name: &str) -> String {
    let meant = name.to_lowercase();
    let nearest = NAMES
        .iter()
        .map(|known| (strsim::damerau_levenshtein(known, &meant), known))
        .min()
        .filter(|(distance, known)| *distance <= 2 && *distance < known.len().min(name.len()))
        .map(|(_, known)| format!("did you mean /{known}? "))
        .unwrap_or_default();
    let mut name: String = visible(name, Tab::Escape);
    if name.chars().count() > NICK_CHARS_MAX {
        name = name.chars().take(NICK_CHARS_MAX).collect::<String>() + "…";
    }
    format!(
        "unknown command \"/{name}\"; {nearest}/help lists the commands; begin a line with // to say it"
    )
}

#[cfg(test)]
#[path = "commands_test.rs"]
mod tests;
