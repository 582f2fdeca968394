//! The commands that are typed in the chat: what a line means, and whom it names.
//!
//! This module owns the names of the commands and no state. It never carries a command out, and does
//! not know where its answer goes.

use crate::limits::{NICK_CHARS_MAX, TEXT_BYTES_MAX};
use crate::wire::{Key, Member, nick_is_valid};

use super::act::Act;
use super::attention::Notify;
use super::news::Quiet;
use super::text;
use super::visible::{Tab, visible};

/// What `/help` says.
pub const HELP: &str = "\
/help               this list
/members            who is in the room
/whois NICK|ID      who that is: identity, address, since when
/history [N]        the history, or its newest N messages
/search WORDS       the messages of the history that have all these words
/more               the whole message that was folded last
/msg NICK|ID TEXT   say TEXT to one member only; it is not part of the history
/me TEXT            say what you do: * ana TEXT
/topic [TEXT]       the room's topic, or another one; /topic - takes it away
/away [TEXT]        say that you are away, and why; without TEXT, that you are back
/nick NAME          take another name
/ignore [NICK]      show nothing more that this person says, or list who is ignored
/unignore NICK      show it again
/notify [WHEN]      ring and notify: never, mention (your name, private messages) or all
/quiet [WHEN]       say no more who comes and goes, or say it again; WHEN is on, off
                    or lately: only of those who spoke in the last 10 minutes
/trace [FILE|off]   write down what this node does from now on, for papo trace
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
    /// `/quit`
    Quit,
}

impl UserCommand {
    /// True for a command that makes sense before the room is joined.
    #[must_use]
    pub fn is_always_ready(&self) -> bool {
        matches!(
            self,
            UserCommand::Help | UserCommand::Status { .. } | UserCommand::Quit
        )
    }
}

const NAMES: [&str; 19] = [
    "help", "members", "history", "search", "more", "msg", "me", "topic", "away", "nick", "whois",
    "ignore", "unignore", "notify", "quiet", "trace", "status", "elect", "quit",
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
        "trace" => Ok(UserCommand::Trace(argument.to_owned())),
        "elect" => plain(UserCommand::Elect),
        "quit" => plain(UserCommand::Quit),
        _ => Err(unknown(typed)),
    }
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

/// Splits what follows `/msg` into the member it names and the text for it.
///
/// A member is named by its nick, which may contain spaces (the longest that fits counts), by its
/// id, or by both (`ana#3`) where two have the same nick.
///
/// # Errors
///
/// Why nobody is named, for the user.
pub fn addressee<'a>(
    rest: &'a str,
    members: &[Member],
    own: Key,
) -> Result<(Key, &'a str), String> {
    let by_nick = members
        .iter()
        .filter_map(|m| Some((m, after(rest, &m.nick)?)));
    let longest = by_nick.clone().map(|(m, _)| m.nick.len()).max();
    let mut named: Vec<(&Member, &str)> = by_nick
        .filter(|(m, _)| Some(m.nick.len()) == longest)
        .collect();
    if named.is_empty() {
        named.extend(members.iter().filter_map(|m| Some((m, by_id(rest, m)?))));
    }
    match named[..] {
        [(member, _)] if member.key == own => Err("/msg: that is you".into()),
        [(member, text)] => Ok((member.key, text)),
        [] => {
            let name = rest.split_whitespace().next().unwrap_or_default();
            let name = visible(name, Tab::Escape);
            Err(format!("/msg: nobody here is called {name}; see /members"))
        }
        _ => {
            let names: Vec<String> = named.iter().map(|(m, _)| text::name(m)).collect();
            let names = names.join(", ");
            Err(format!("/msg: several have that name, say which: {names}"))
        }
    }
}

/// The members that have this nick, or this id (`3`, `#3` or `ana#3`).
///
/// # Errors
///
/// Why nobody is named, for the user.
pub fn named<'a>(
    command: &str,
    name: &str,
    members: &'a [Member],
) -> Result<Vec<&'a Member>, String> {
    let by_nick: Vec<&Member> = members.iter().filter(|m| m.nick == name).collect();
    if !by_nick.is_empty() {
        return Ok(by_nick);
    }
    // As if a text followed.
    let rest = format!("{name} ");
    let by_id: Vec<&Member> = (members.iter())
        .filter(|m| by_id(&rest, m).is_some_and(str::is_empty))
        .collect();
    if by_id.is_empty() {
        let name = visible(name, Tab::Escape);
        return Err(format!(
            "/{command}: nobody here is called {name}; see /members"
        ));
    }
    Ok(by_id)
}

/// The one other member that has this nick, or this id.
///
/// # Errors
///
/// Why nobody is named, for the user.
pub fn one_named<'a>(
    command: &str,
    name: &str,
    members: &'a [Member],
    own: Key,
) -> Result<&'a Member, String> {
    match named(command, name, members)?[..] {
        [member] if member.key == own => Err(format!("/{command}: that is you")),
        [member] => Ok(member),
        ref several => {
            let names: Vec<String> = several.iter().map(|m| text::name(m)).collect();
            let names = names.join(", ");
            Err(format!(
                "/{command}: several have that name, say which: {names}"
            ))
        }
    }
}

/// The text for `member` if `rest` begins with its id, as `3`, `#3` or `ana#3`.
fn by_id<'a>(rest: &'a str, member: &Member) -> Option<&'a str> {
    let id = member.id.to_string();
    let rest = rest.strip_prefix(&member.nick).map_or(rest, |behind| {
        if behind.starts_with('#') {
            behind
        } else {
            rest
        }
    });
    after(rest.strip_prefix('#').unwrap_or(rest), &id)
}

/// What follows `name` and white space in `rest`.
fn after<'a>(rest: &'a str, name: &str) -> Option<&'a str> {
    let behind = rest.strip_prefix(name)?;
    behind
        .starts_with(char::is_whitespace)
        .then(|| behind.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::made::member;

    fn say(line: &str) -> Meaning {
        parse(line.to_owned())
    }

    fn wrong(line: &str) -> String {
        match say(line) {
            Meaning::Wrong(why) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn other_lines_are_said() {
        for line in ["", "hello", " /quit", "a/b"] {
            assert_eq!(say(line), Meaning::Say(line.into()));
        }
        assert_eq!(say("//quit"), Meaning::Say("/quit".into()));
        assert_eq!(say("///"), Meaning::Say("//".into()));
    }

    #[test]
    fn commands_are_recognised() {
        let orders = [
            ("/help", UserCommand::Help),
            ("/help me", UserCommand::Help),
            ("/members ", UserCommand::Members),
            ("/history", UserCommand::History(None)),
            ("/history 5", UserCommand::History(Some(5))),
            (
                "/msg ana hello  there",
                UserCommand::Msg("ana hello  there".into()),
            ),
            ("/nick  Ana Maria ", UserCommand::Nick("Ana Maria".into())),
            ("/whois ana maria", UserCommand::Whois("ana maria".into())),
            ("/status", UserCommand::Status { is_detailed: false }),
            ("/status -v", UserCommand::Status { is_detailed: true }),
            ("/MEMBERS", UserCommand::Members),
            ("/Search a b", UserCommand::Search("a b".into())),
            ("/ignore", UserCommand::Ignore(String::new())),
            ("/quiet Lately", UserCommand::Quiet(Some(Quiet::Lately))),
            ("/elect", UserCommand::Elect),
            ("/quit", UserCommand::Quit),
        ];
        for (line, order) in orders {
            assert_eq!(say(line), Meaning::Do(order), "{line}");
        }
    }

    #[test]
    fn an_unknown_command_is_explained_with_the_nearest() {
        assert!(wrong("/qiut").contains("did you mean /quit?"));
        assert!(wrong("/mebmers").contains("did you mean /members?"));
        assert!(!wrong("/supercalifragilistic").contains("did you mean"));
        let bare =
            "unknown command \"/\"; /help lists the commands; begin a line with // to say it";
        assert_eq!(wrong("/"), bare);
        assert!(wrong("/\x1b[2J").contains("^[[2J"));
    }

    #[test]
    fn an_act_is_a_line_as_ctcp_has_it() {
        assert_eq!(
            say("/ME waves  twice"),
            Meaning::Say("\u{1}ACTION waves  twice\u{1}".into())
        );
        assert!(wrong("/me ").contains("/me TEXT"));
        assert!(wrong(&format!("/me {}", "x".repeat(TEXT_BYTES_MAX - 4))).contains("too long"));
    }

    #[test]
    fn arguments_are_checked() {
        assert!(wrong("/notify often").contains("never, mention or all"));
        assert!(wrong("/quiet please").contains("on, off or lately"));
        assert!(wrong("/search").contains("/search WORDS"));
        assert!(wrong("/status -w").contains("/status"));
        assert!(wrong("/history five").contains("five"));
        assert!(wrong("/msg ana").contains("NICK|ID"));
        assert!(wrong("/nick").contains("/nick NAME"));
        assert!(wrong(&format!("/nick {}", "x".repeat(33))).contains("32"));
        assert!(wrong("/quit now").contains("/quit"));
    }

    #[test]
    fn who_is_asked_for_is_named_by_nick_or_id() {
        let members = [member(1, "ana"), member(2, "ana"), member(3, "ana maria")];
        let ids = |name| {
            named("whois", name, &members).map(|n| n.iter().map(|m| m.id).collect::<Vec<_>>())
        };
        assert_eq!(ids("ana"), Ok(vec![1, 2]));
        assert_eq!(ids("ana maria"), Ok(vec![3]));
        for name in ["2", "#2", "ana#2"] {
            assert_eq!(ids(name), Ok(vec![2]), "{name}");
        }
        assert!(ids("zoe").unwrap_err().contains("zoe"));
        assert!(wrong("/whois").contains("NICK|ID"));
    }

    #[test]
    fn a_member_is_named_by_nick_id_or_both() {
        let members = [
            member(1, "me"),
            member(2, "ana"),
            member(3, "ana maria"),
            member(4, "ben"),
            member(5, "ben"),
            member(6, "7"),
            member(7, "eve"),
        ];
        let to = |rest| addressee(rest, &members, Key(1)).map(|(key, text)| (key.0, text));
        assert_eq!(to("ana hi there"), Ok((2, "hi there")));
        assert_eq!(to("ana maria hi"), Ok((3, "hi")));
        assert_eq!(to("4 hi"), Ok((4, "hi")));
        assert_eq!(to("#5 hi"), Ok((5, "hi")));
        assert_eq!(to("ben#4 hi"), Ok((4, "hi")));
        assert_eq!(to("7 a nick before an id"), Ok((6, "a nick before an id")));
        assert_eq!(to("#7 hi"), Ok((7, "hi")));
        assert!(to("ben hi").unwrap_err().contains("ben#4, ben#5"));
        assert!(to("me hi").unwrap_err().contains("you"));
        assert!(to("zoe hi").unwrap_err().contains("zoe"));
        assert!(to("eve#4 hi").is_err());
    }
}
