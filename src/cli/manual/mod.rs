//! The manual page, `papo man`: made of what the command line, the chat and the examples say of themselves.
//!
//! Owns the page's order. What is said in no other place is in `prose`; how the parts are set is in `setting`. It
//! must say nothing twice in other words: an option's help stands here as it stands in `--help`.

mod prose;
mod setting;

use clap::{Arg, Command};

use super::examples::{EXAMPLES, STATUSES};
use crate::ui::COMMANDS_HELP;
use setting::Page;

/// When the words of the page last changed: a page has a date.
const DATE: &str = "2026-11-27";

/// The page, for a reader of manual pages (man, mandoc).
#[must_use]
pub fn page(command: &Command) -> String {
    let mut command = command.clone();
    // What each command takes is known only then.
    command.build();
    let version = command.get_version().unwrap_or_default();
    let mut page = Page::new("PAPO", "1", DATE, &format!("papo {version}"));
    page.section("Name");
    page.text("papo - group chat for a local network, without a server");
    synopsis(&mut page, &command);
    page.section("Description");
    let about = command.get_long_about().or(command.get_about());
    page.paragraphs(&about.map(ToString::to_string).unwrap_or_default());
    commands(&mut page, &command);
    options(&mut page, &command);
    typed_in_the_chat(&mut page);
    page.section("Several rooms");
    page.paragraphs(prose::ROOMS);
    page.section("Configuration file");
    page.paragraphs(prose::CONFIGURATION);
    page.example(prose::CONFIGURATION_EXAMPLE);
    page.section("Exit status");
    for (status, what) in STATUSES {
        page.entry(status, "", what);
    }
    environment(&mut page, &command);
    page.section("Files");
    for (file, what) in prose::FILES {
        page.file(file, what);
    }
    page.section("Examples");
    for (line, what) in EXAMPLES {
        page.entry(line, "", what);
    }
    page.section("See also");
    page.paragraphs(prose::SEE_ALSO);
    page.finish()
}

fn is_shown(arg: &&Arg) -> bool {
    !arg.is_hide_set() && !matches!(arg.get_id().as_str(), "help" | "version")
}

/// What a command takes alone.
fn own(command: &Command) -> impl Iterator<Item = &Arg> {
    command
        .get_arguments()
        .filter(|a| !a.is_global_set())
        .filter(is_shown)
}

fn synopsis(page: &mut Page, command: &Command) {
    page.section("Synopsis");
    page.usage("papo", "[OPTIONS]");
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let has_options = sub.get_opts().any(|o| is_shown(&o));
        let mut rest = Vec::new();
        if has_options {
            rest.push("[OPTIONS]".to_owned());
        }
        rest.extend(sub.get_positionals().map(|arg| {
            let name = setting::value_names(arg);
            match arg.is_required_set() {
                true => name,
                false => format!("[{name}]"),
            }
        }));
        page.usage(&format!("papo {}", sub.get_name()), &rest.join(" "));
    }
}

/// Each command with what only it takes, and the names of the general options that it heeds.
fn commands(page: &mut Page, command: &Command) {
    page.section("Commands");
    page.text("Without a command, papo chats.");
    let general = command.get_arguments().filter(|a| a.is_global_set());
    let all = general.filter(is_shown).count();
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        page.part(&format!("papo {}", sub.get_name()));
        let about = sub.get_long_about().or(sub.get_about());
        page.text(&sentence(
            &about.map(ToString::to_string).unwrap_or_default(),
        ));
        let general = sub.get_arguments().filter(|a| a.is_global_set());
        let used: Vec<_> = general.filter(is_shown).filter_map(Arg::get_long).collect();
        if used.len() >= all {
            page.paragraphs("It takes all options that are below.");
        } else if !used.is_empty() {
            page.paragraph_of_options("Of the options below it takes", &used);
        }
        for arg in own(sub) {
            page.option(arg);
        }
    }
}

fn options(page: &mut Page, command: &Command) {
    page.section("Options");
    page.text("An option stands before the command or after it.");
    let mut heading = None;
    for arg in command.get_arguments().filter(|a| a.is_global_set()) {
        if !is_shown(&arg) {
            continue;
        }
        if arg.get_help_heading() != heading {
            heading = arg.get_help_heading();
            page.part(heading.unwrap_or("Other"));
        }
        page.option(arg);
    }
}

/// The chat's own list, whose columns are two spaces apart.
fn typed_in_the_chat(page: &mut Page) {
    page.section("Commands typed in the chat");
    page.paragraphs(prose::CHAT);
    let mut entries: Vec<(String, String)> = Vec::new();
    for line in COMMANDS_HELP.lines() {
        match (line.split_once("  "), entries.last_mut()) {
            (Some(("", rest)), Some((_, what))) => {
                what.push(' ');
                what.push_str(rest.trim());
            }
            (Some((command, what)), _) => {
                entries.push((command.to_owned(), what.trim().to_owned()));
            }
            (None, _) => entries.push((line.to_owned(), String::new())),
        }
    }
    for (command, what) in entries {
        let (name, value) = command.split_once(' ').unwrap_or((&command, ""));
        page.entry(name, value, &sentence(&what));
    }
}

fn environment(page: &mut Page, command: &Command) {
    page.section("Environment");
    for arg in command.get_arguments().filter(is_shown) {
        if let (Some(variable), Some(long)) = (arg.get_env(), arg.get_long()) {
            let list = match arg.get_value_delimiter() {
                Some(_) => "; several are separated by commas",
                None => "",
            };
            page.entry(
                &variable.to_string_lossy(),
                "",
                &format!("The same as --{long}{list}."),
            );
        }
    }
    for (variable, what) in prose::VARIABLES {
        page.entry(variable, "", what);
    }
    page.part("For the command of listen --exec");
    for (variable, what) in prose::VARIABLES_OF_EXEC {
        page.entry(variable, "", what);
    }
}

/// A line of help with a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.trim().chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    let mut whole = first.unwrap_or_default() + chars.as_str();
    if !whole.is_empty() && !whole.ends_with(['.', ':', '?', '!']) {
        whole.push('.');
    }
    whole
}
