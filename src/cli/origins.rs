//! Where the values of options come from that nobody typed, for the lines that refuse one.
//!
//! Owns these places. It never knows a value: who refuses one says it by the option's name, and here the name of a
//! variable, or the place in a file, is put beside it.

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

use super::config::{Settings, levels};

/// The options that have a value from a variable or from the configuration file, each with the place.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Origins(Vec<(String, String)>);

impl Origins {
    /// Those of this command line; `declared` is it without the file.
    pub(super) fn of(declared: &Command, matches: &ArgMatches, settings: &Settings) -> Origins {
        let global = declared.get_arguments().filter(|a| a.is_global_set());
        let found = global.filter_map(|arg| {
            let id = arg.get_id().as_str();
            let source = levels(matches).filter_map(|m| m.value_source(id)).max();
            let place = match source? {
                ValueSource::EnvVariable => arg.get_env()?.to_string_lossy().into_owned(),
                ValueSource::DefaultValue => settings.place_of(id)?,
                _ => return None,
            };
            Some((arg.get_long()?.to_owned(), place))
        });
        Origins(found.collect())
    }

    /// A line that refuses a value, with the place that it comes from.
    #[must_use]
    pub(super) fn told(&self, line: &str) -> String {
        for (long, place) in &self.0 {
            if let Some(rest) = line.strip_prefix(&format!("--{long} ")) {
                return format!("--{long} ({place}) {rest}");
            }
            let behind = format!("(--{long})");
            if line.contains(&behind) {
                return line.replacen(&behind, &format!("(--{long}, {place})"), 1);
            }
        }
        line.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_stands_beside_the_option() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let origins = Origins(vec![
            pair("store", "PAPO_STORE"),
            pair("listen", "c.toml:3"),
        ]);
        let told = |line| origins.told(line);
        assert_eq!(
            told("--store /tmp: it is a directory"),
            "--store (PAPO_STORE) /tmp: it is a directory"
        );
        assert_eq!(
            told("cannot listen on x; choose another port (--listen)"),
            "cannot listen on x; choose another port (--listen, c.toml:3)"
        );
        assert_eq!(
            told("--store-max 1: too little"),
            "--store-max 1: too little"
        );
    }
}
