//! How a command line becomes a [`Cli`]: what is typed, over the environment, over the configuration file, over
//! the defaults; then what no option can see by itself.
//!
//! Owns that order. What the options are is `cli`, what a file says is `config`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory as _, FromArgMatches as _};

use super::config::{self, Settings};
use super::mistakes::stop;
use super::origins::Origins;
use super::values::nick_of_login;
use super::{Cli, Options, Stop, Task, uses};

impl Cli {
    /// The command line as clap knows it.
    #[must_use]
    pub fn parser() -> Command {
        uses::trimmed(Cli::command())
    }

    /// Reads arguments, the program's name first, the environment, and the configuration file.
    ///
    /// # Errors
    ///
    /// What is to be printed instead of running.
    pub fn read<A: Into<OsString> + Clone>(
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Cli, Stop> {
        Cli::read_with(arguments, config::usual_place())
    }

    /// The same, with the place of the configuration file if nobody names one.
    pub(super) fn read_with<A: Into<OsString> + Clone>(
        arguments: impl IntoIterator<Item = A>,
        usual: Option<PathBuf>,
    ) -> Result<Cli, Stop> {
        let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
        let declared = Cli::command();
        let mut matches = matched(&declared, &arguments).map_err(|e| stop(&e))?;
        if let Some(line) = uses::unused(&declared, &matches) {
            return Err(Stop::Wrong(line));
        }
        let settings = config::load(&declared, &matches, usual)?;
        if settings.has_any() {
            let command = settings.below(declared.clone());
            matches = matched(&command, &arguments).map_err(|e| stop(&e))?;
        }
        let mut cli = Cli::from_arg_matches(&matches).map_err(|e| stop(&e))?;
        cli.options.room_given = is_given(&matches, "room");
        let wrong = |line: &str| Err(Stop::Wrong(line.to_owned()));
        let are_typed = is_typed(&matches, "room");
        cli.options.room_typed = are_typed;
        cli.options.origins = Origins::of(&declared, &matches, &settings);
        (cli.options)
            .settle_rooms(cli.action.as_ref(), are_typed)
            .map_err(Stop::Wrong)?;
        if cli.options.anonymous && is_typed(&matches, "identity") {
            return wrong("--anonymous: --identity is given, too; leave one of them out");
        }
        cli.options.check(&settings).map_err(Stop::Wrong)?;
        if matches!(cli.action, Some(Task::Config)) {
            let text = config::in_force(&declared, &matches, &settings, &nick_of_login());
            return Err(Stop::Shown(text));
        }
        settle_period(&mut cli.action).map_err(Stop::Wrong)?;
        let has_store = cli.options.store.is_some();
        if matches!(cli.action, Some(Task::History { .. } | Task::Rekey)) && !has_store {
            return wrong("--store: it is missing; name the file that keeps the history");
        }
        for (id, option) in [
            ("store_strict", "--store-strict"),
            ("store_max", "--store-max"),
        ] {
            if is_typed(&matches, id) && !has_store {
                return Err(Stop::Wrong(format!(
                    "{option}: there is no --store; name the file that keeps the history"
                )));
            }
        }
        Ok(cli)
    }
}

/// What a command line says. It is read as if there were only the commands that it may name: clap hands every option
/// down to every command, which takes longer than a node takes to join a room. A mistake is looked at with all of
/// them, for what is said of it.
fn matched(command: &Command, arguments: &[OsString]) -> Result<ArgMatches, clap::Error> {
    let is_named = |c: &&Command| arguments.iter().any(|argument| argument == c.get_name());
    let few = Command::new(command.get_name().to_owned())
        .args(command.get_arguments().cloned())
        .groups(command.get_groups().cloned())
        .subcommands(command.get_subcommands().filter(is_named).cloned());
    let matched = uses::trimmed(few).try_get_matches_from(arguments);
    matched.or_else(|_| uses::trimmed(command.clone()).try_get_matches_from(arguments))
}

/// Of a time of day that ends what is asked for, the next one is meant.
fn settle_period(action: &mut Option<Task>) -> Result<(), String> {
    if let Some(Task::History {
        since: Some(since),
        until: Some(until),
        ..
    }) = action
    {
        let later = until.after(*since);
        *until = later.ok_or(
            "--until: it is before --since, and nothing can be between; change one of them",
        )?;
    }
    Ok(())
}

/// Where a value stands, before the command or after it.
fn sources<'a>(matches: &'a ArgMatches, id: &'a str) -> impl Iterator<Item = ValueSource> + 'a {
    config::levels(matches).filter_map(move |matches| matches.value_source(id))
}

fn is_typed(matches: &ArgMatches, id: &str) -> bool {
    sources(matches, id).any(|source| source == ValueSource::CommandLine)
}

/// Typed, or in the environment: a file says what is so in general, and nothing of this one run.
fn is_given(matches: &ArgMatches, id: &str) -> bool {
    sources(matches, id).any(|source| source != ValueSource::DefaultValue)
}

impl Options {
    /// A line that refuses the value of an option, with the variable or the place in a file that it is from.
    #[must_use]
    pub fn blame(&self, line: &str) -> String {
        self.origins.told(line)
    }

    /// What no option's own parser can see.
    fn check(&self, settings: &Settings) -> Result<(), String> {
        let least = self.heartbeat * 2;
        let given = self.failure_timeout.as_millis();
        if self.failure_timeout < least {
            let name = match settings.place_of("failure_timeout") {
                Some(place) => format!("{place}: failure-timeout = {given}"),
                None => format!("--failure-timeout {given}"),
            };
            return Err(format!(
                "{name}: it must be at least twice the heartbeat of {} ms; give {} or more",
                self.heartbeat.as_millis(),
                least.as_millis(),
            ));
        }
        Ok(())
    }
}
