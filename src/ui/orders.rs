//! What a command of the user does: the node is told, or the answer is shown.
//!
//! This module owns no state; what it needs is lent for one command. What a line means is the
//! business of `commands`. `/quit` never comes here: when to leave is the business of `sending`.

use crate::node::{Command, Now};

use super::attention::Notify;
use super::commands::{self, UserCommand};
use super::config::DriverStatus;
use super::display::Display;
use super::news::Quiet;
use super::prompt::Prompt;
use super::room_state::RoomState;
use super::rooms::RoomWish;
use super::searching::{self, Searching};
use super::showing::Showing;
use super::visible::{Tab, visible};
use super::{act, json, json_people, text, whom};

/// What commands are lent for the length of one call.
pub(super) struct CommandParts<'a> {
    pub(super) now: Now,
    pub(super) node: &'a dyn RoomState,
    pub(super) status: DriverStatus,
    pub(super) showing: &'a mut Showing,
    pub(super) display: &'a mut Display,
    pub(super) searching: &'a mut Searching,
    /// What the driver is to trace into.
    pub(super) trace: &'a mut Option<String>,
    /// What the user wants of the rooms.
    pub(super) wish: &'a mut Option<RoomWish>,
}

impl CommandParts<'_> {
    /// True if what follows waits: in a pipe, where it comes after the answers to the searches before it.
    pub(super) fn waits_for_store(&self) -> bool {
        self.searching.is_busy() && self.display.prompt().is_none()
    }
}

/// Carries an order out; what is left to the node is returned.
pub(super) fn carry_out(lent: &mut CommandParts<'_>, order: UserCommand) -> Option<Command> {
    match order {
        UserCommand::Nick(nick) => return Some(Command::Rename(nick)),
        UserCommand::Elect => return Some(Command::Elect),
        UserCommand::Msg(rest) => return say_privately(lent, &rest),
        UserCommand::More => {
            let prompt = lent.display.prompt_mut();
            if !prompt.is_some_and(Prompt::unfold) {
                explain(lent, "/more: no message was folded");
            }
        }
        UserCommand::Rooms(wish) => *lent.wish = Some(wish),
        UserCommand::Trace(file) => *lent.trace = Some(file),
        UserCommand::Topic => show_topic(lent),
        UserCommand::Search(words) => search(lent, words),
        UserCommand::Ignore(name) => ignore(lent, &name),
        UserCommand::Unignore(name) => unignore(lent, &name),
        UserCommand::Notify(wish) => set_notify(lent, wish),
        UserCommand::Quiet(wish) => set_quiet(lent, wish),
        UserCommand::History(count) => show_history(lent, count),
        UserCommand::Whois(name) => show_whois(lent, &name),
        UserCommand::Help | UserCommand::Members | UserCommand::Status { .. }
            if lent.display.is_json() =>
        {
            answer_as_json(lent, &order);
        }
        UserCommand::Help => lent.display.answer(lent.now, commands::HELP),
        UserCommand::Members => {
            let (people, node) = (lent.display.people(), lent.node);
            let known = |key| (people.identity(key), act::away(node, key));
            let mut answer = text::members(lent.node, known);
            if lent.display.prompt().is_some() {
                answer.insert_str(0, &head(node));
            }
            lent.display.answer(lent.now, &answer);
        }
        UserCommand::Status { is_detailed } => {
            let say = if is_detailed {
                text::status
            } else {
                text::state
            };
            let answer = say(lent.showing.room(), lent.node, lent.status);
            lent.display.answer(lent.now, &answer);
        }
        // It is carried out where it was read.
        UserCommand::Quit => {}
    }
    None
}

/// What stands over the members for who looks at a screen: how many there are, and the topic.
fn head(node: &dyn RoomState) -> String {
    let members = text::count(node.members().len() as u64, "member");
    match act::topic(node) {
        Some(set) => format!("{members}; {}\n", text::topic(&set)),
        None => format!("{members}\n"),
    }
}

/// A mistake of the user's is explained.
pub(super) fn explain(lent: &mut CommandParts<'_>, why: &str) {
    if !why.is_empty() {
        lent.display.remark(lent.now, "error", why);
    }
}

/// Calls the user more or less often from now on; without a wish, it is only said how often.
fn set_notify(lent: &mut CommandParts<'_>, wish: Option<Notify>) {
    let Some(prompt) = lent.display.prompt_mut() else {
        return explain(lent, "/notify: there is no terminal to ring");
    };
    wish.into_iter()
        .for_each(|notify| prompt.set_notify(notify));
    let words = match prompt.notify() {
        Notify::Never => "/notify never: nothing rings",
        Notify::Mention => "/notify mention: your name and private messages ring",
        Notify::All => "/notify all: each message rings",
    };
    lent.display.notice(lent.now, words);
}

/// Says more or less of who comes and goes from now on; without a wish, the other way round than before.
fn set_quiet(lent: &mut CommandParts<'_>, wish: Option<Quiet>) {
    let news = lent.showing.news_mut();
    let quiet = wish.unwrap_or(match news.quiet() {
        Quiet::Off => Quiet::On,
        Quiet::Lately | Quiet::On => Quiet::Off,
    });
    news.set_quiet(quiet);
    let words = match quiet {
        Quiet::Off => "who comes and goes is said",
        Quiet::Lately => {
            "who comes and goes is said only of those who spoke in the last 10 minutes"
        }
        Quiet::On => "who comes and goes is not said; /quiet says it again",
    };
    lent.display.notice(lent.now, words);
}

fn say_privately(lent: &mut CommandParts<'_>, rest: &str) -> Option<Command> {
    let members = lent.node.members();
    match whom::addressee(rest, members, lent.node.key()) {
        Ok((to, text)) => {
            if let Some(prompt) = lent.display.prompt_mut() {
                prompt.set_addressee(text::name_of(to, 0, members));
            }
            let text = text.to_owned();
            if let Some(member) = members.iter().find(|m| m.key == to)
                && let Some(away) = act::away(lent.node, to)
            {
                let words = format!("{} {away}", text::name(member));
                lent.display.notice(lent.now, &words);
            }
            Some(Command::Private { to, text })
        }
        Err(why) => {
            explain(lent, &why);
            None
        }
    }
}

/// Says what the room's topic is.
fn show_topic(lent: &mut CommandParts<'_>) {
    let topic = act::topic(lent.node);
    if lent.display.is_json() {
        return (lent.display).json(lent.now, |out, at, _| json::topic(out, at, topic.as_ref()));
    }
    let words = topic.map_or_else(
        || "there is no topic; /topic TEXT sets one".to_owned(),
        |set| text::topic(&set),
    );
    lent.display.notice(lent.now, &words);
}

/// Says who those are that have this name.
fn show_whois(lent: &mut CommandParts<'_>, name: &str) {
    let CommandParts {
        now, node, display, ..
    } = lent;
    let named = match whom::named("whois", name, node.members()) {
        Ok(named) => named,
        Err(why) => return explain(lent, &why),
    };
    for member in named {
        let link = node.link(member.key);
        let link = link.map(|(address, since)| (address, now.time.since(since)));
        if display.is_json() {
            display.json(*now, |out, at, people| {
                json_people::whois(out, at, member, people, link);
            });
        } else {
            let people = display.people();
            let known = people
                .is_met(member.key)
                .then(|| people.identity(member.key));
            let is_another = people.is_another(member.key, &member.nick);
            let answer = text::whois(member, known, is_another, link);
            display.answer(*now, &answer);
        }
    }
}

fn answer_as_json(lent: &mut CommandParts<'_>, order: &UserCommand) {
    let CommandParts {
        now,
        node,
        status,
        showing,
        display,
        ..
    } = lent;
    display.json(*now, |out, at, people| match order {
        UserCommand::Help => json::remark(out, at, "help", commands::HELP),
        UserCommand::Members => json_people::members(out, at, *node, people),
        _ => json::status(out, at, showing.room(), *node, *status),
    });
}

fn show_history(lent: &mut CommandParts<'_>, count: Option<usize>) {
    /// People look at a screenful; scripts want all.
    const INTERACTIVE_COUNT: usize = 20;
    let CommandParts {
        now,
        node,
        display,
        showing,
        ..
    } = lent;
    let count = count.unwrap_or(match display.prompt() {
        Some(_) => INTERACTIVE_COUNT,
        None => usize::MAX,
    });
    let mut messages = node.newest(count);
    if display.is_json() {
        display.json(*now, |out, at, _| json::history(out, at, *node, &messages));
        return;
    }
    let people = display.people();
    messages.retain(|message| showing.wants(message, people));
    let (shown, all) = (messages.len() as u64, node.history_len() as u64);
    display.rule(*now, &text::stretch_of_history(shown, all));
    display.replay(*now, messages, node.key());
    display.rule(*now, "end of the history");
}

/// Shows what has all these words, at once if there is no store to look in.
fn search(lent: &mut CommandParts<'_>, words: String) {
    match lent.searching.put_off(words) {
        Ok(None) => {}
        Ok(Some(words)) => {
            let parts = (&mut *lent.display, &*lent.showing);
            searching::show(parts, lent.now, lent.node, &words, None);
        }
        Err(why) => explain(lent, why),
    }
}

/// Shows nothing more of one member, or says of whom nothing is shown.
fn ignore(lent: &mut CommandParts<'_>, name: &str) {
    let CommandParts {
        now,
        node,
        display,
        showing,
        ..
    } = lent;
    if name.is_empty() {
        let nicks: Vec<String> = (showing.ignored_mut().nicks())
            .map(|nick| visible(nick, Tab::Escape))
            .collect();
        let words = match nicks.is_empty() {
            true => "nobody is ignored".to_owned(),
            false => format!("ignored: {}", nicks.join(", ")),
        };
        return display.notice(*now, &words);
    }
    let member = match whom::one_named("ignore", name, node.members(), node.key()) {
        Ok(member) => member,
        Err(why) => return explain(lent, &why),
    };
    let identity = display.people().identity(member.key);
    let who = text::name(member);
    let words = if !showing
        .ignored_mut()
        .add(member.key, identity, &member.nick)
    {
        "/ignore: too many are ignored; /unignore NICK makes room".to_owned()
    } else if identity.is_some() {
        format!("{who} is ignored, under any nick, until /unignore or the end of this run")
    } else {
        format!("{who} is ignored until it comes back: it shows no identity")
    };
    display.notice(*now, &words);
}

/// Shows again what one says that was ignored.
fn unignore(lent: &mut CommandParts<'_>, name: &str) {
    let CommandParts {
        now,
        node,
        display,
        showing,
        ..
    } = lent;
    let present = whom::named("unignore", name, node.members());
    let one = present.ok().and_then(|named| named.first().copied());
    let one = one.map(|m| (m.key, display.people().identity(m.key)));
    let shown = visible(name, Tab::Escape);
    if showing.ignored_mut().remove(name, one) {
        display.notice(*now, &format!("{shown} is read again"));
    } else {
        let why = format!("/unignore {shown}: nobody of that name is ignored; /ignore lists them");
        explain(lent, &why);
    }
}
