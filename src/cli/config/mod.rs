//! The configuration file: options by their names, below the environment and the command line.
//!
//! Owns which file that is, and how its values come in as defaults of the command line. It must never write the
//! file, and a secret has no place in it: only the name of the file that has one.

mod in_force;
mod reading;
mod value;

use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

use super::Stop;
use super::files;
use crate::limits::CONFIG_BYTES_MAX;
use crate::platform;
use crate::ui::visible::{Tab, visible};

pub(super) use in_force::in_force;

/// Commands that use nothing that a file could say: a mistake in it does not keep them from working.
const WITHOUT: &[&str] = &["completions", "man", "keygen"];
/// Commands whose own options a file may set, too: what they say is so in general, and not of one run.
const LASTING: &[&str] = &["irc"];

/// What a configuration file says.
#[derive(Default, Debug)]
pub(super) struct Settings {
    /// Which file that is, as far as there is a place for one.
    path: Option<PathBuf>,
    is_there: bool,
    found: Vec<Setting>,
}

/// One option in the file.
#[derive(Debug)]
struct Setting {
    /// The option's name in the program.
    id: String,
    /// As they would be typed.
    values: Vec<String>,
    line: usize,
}

/// Where the file is if nobody says.
pub(super) fn usual_place() -> Option<PathBuf> {
    platform::config_home().map(|home| home.join("papo").join("config.toml"))
}

/// Reads the file that was named, or the usual one if there is one. `matches` is what the command line and the
/// environment say without it.
///
/// # Errors
///
/// One line that names the file, what is wrong in it, and what to do.
pub(super) fn load(
    command: &Command,
    matches: &ArgMatches,
    usual: Option<PathBuf>,
) -> Result<Settings, Stop> {
    if matches
        .subcommand_name()
        .is_some_and(|name| WITHOUT.contains(&name))
    {
        return Ok(Settings::default());
    }
    let named = matches.get_one::<PathBuf>("config");
    let Some(path) = named.cloned().or(usual) else {
        return Ok(Settings::default());
    };
    let shown = visible(&path.display().to_string(), Tab::Escape);
    let bytes = match files::read_whole(&path, CONFIG_BYTES_MAX) {
        Ok(bytes) => bytes,
        Err(e) if named.is_none() && is_nowhere(&e) => {
            return Ok(Settings {
                path: Some(path),
                ..Settings::default()
            });
        }
        Err(e) => {
            let (name, remedy) = match matches.value_source("config") {
                None => (shown, "make it readable, or name another one with --config"),
                Some(ValueSource::EnvVariable) => (
                    format!("--config (PAPO_CONFIG) {shown}"),
                    "name a file with options",
                ),
                _ => (format!("--config {shown}"), "name a file with options"),
            };
            return Err(Stop::Failed(format!(
                "{name}: cannot read it: {}; {remedy}",
                platform::reason(&e)
            )));
        }
    };
    let directory = path.parent().unwrap_or(Path::new(""));
    let found = reading::parse(command, &bytes, directory)
        .map_err(|(line, why)| Stop::Wrong(format!("{shown}:{line}: {why}")))?;
    let mut settings = Settings {
        path: Some(path),
        is_there: true,
        found,
    };
    settings.yield_to(matches);
    Ok(settings)
}

impl Settings {
    /// Drops what the command line or the environment says otherwise, though with another name.
    fn yield_to(&mut self, matches: &ArgMatches) {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
        let is_given = |id: &str| {
            let source = levels(matches).find_map(|m| m.value_source(id).filter(is_no_default));
            source.is_some()
        };
        let mut dropped: Vec<&str> = Vec::new();
        // One that is set and empty is a mistake, and is said to be.
        if std::env::var_os("PAPO_SECRET").is_some() {
            dropped.push("secret_file");
        }
        if is_set("RUST_LOG") || is_given("quiet") || is_given("verbose") {
            dropped.extend(["quiet", "verbose"]);
        }
        if is_given("identity") {
            dropped.push("anonymous");
        }
        if is_given("anonymous") {
            dropped.push("identity");
        }
        self.found.retain(|s| !dropped.contains(&&*s.id));
    }

    /// True if the file sets anything.
    #[must_use]
    pub(super) fn has_any(&self) -> bool {
        !self.found.is_empty()
    }

    /// The command line with these values in the place of its defaults.
    #[must_use]
    pub(super) fn below(&self, mut command: Command) -> Command {
        for Setting { id, values, .. } in &self.found {
            let set = |arg: Arg| arg.default_values(values.clone());
            let owner = own_options(&command).find(|(_, arg)| arg.get_id() == id);
            command = match owner.map(|(owner, _)| owner.to_owned()) {
                Some(owner) => command.mut_subcommand(owner, |c| c.mut_arg(id, set)),
                None => command.mut_arg(id, set),
            };
        }
        command
    }

    /// What the file sets an option to, as it would be typed.
    #[must_use]
    fn values_of(&self, id: &str) -> Option<&[String]> {
        let setting = self.found.iter().find(|s| s.id == id)?;
        Some(&setting.values)
    }

    /// The place in the file that sets an option.
    #[must_use]
    pub(super) fn place_of(&self, id: &str) -> Option<String> {
        let setting = self.found.iter().find(|s| s.id == id)?;
        let path = self.path.as_ref()?.display().to_string();
        Some(format!("{}:{}", visible(&path, Tab::Escape), setting.line))
    }
}

/// True if there can be no such file: a home directory may be no directory, as /dev/null is for many services.
fn is_nowhere(e: &std::io::Error) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    matches!(e.kind(), NotFound | NotADirectory)
}

/// The options that only one command has, and that a file may set, with that command's name.
fn own_options(command: &Command) -> impl Iterator<Item = (&str, &Arg)> {
    let owners = command.get_subcommands();
    let owners = owners.filter(|c| LASTING.contains(&c.get_name()));
    owners.flat_map(|owner| {
        let args = owner.get_arguments().filter(|a| !a.is_global_set());
        let args = args.filter(|a| a.get_long().is_some_and(|long| long != "help"));
        args.map(|arg| (owner.get_name(), arg))
    })
}

/// What was matched before the command's name, and after it.
pub(super) fn levels(matches: &ArgMatches) -> impl Iterator<Item = &ArgMatches> {
    let below = matches.subcommand().map(|(_, below)| below);
    [Some(matches), below].into_iter().flatten()
}

fn is_no_default(source: &ValueSource) -> bool {
    *source != ValueSource::DefaultValue
}
