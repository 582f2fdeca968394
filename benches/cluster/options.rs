//! The flags of the cluster bench. Owns their names, defaults and meaning.

use clap::Parser;

use super::Scenario;

/// Stress-tests papo on this machine, beside a floor: the same bytes moved without a protocol.
#[derive(Parser, Debug)]
#[command(name = "cluster", bin_name = "cargo bench --bench cluster --")]
pub struct Options {
    /// What to run (repeatable, or separated by commas); everything if absent
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub scenario: Vec<String>,
    /// How many nodes there are, the sender included
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = at_least(2))]
    nodes: u64,
    /// How many messages a run sends; each scenario has its own default
    #[arg(long, value_name = "N")]
    messages: Option<u64>,
    /// How many bytes each message's text has
    #[arg(long, value_name = "BYTES", default_value_t = 100, value_parser = at_least(16))]
    size: u64,
    /// How many messages a second the latency scenario sends
    #[arg(long, value_name = "PER_SECOND", default_value_t = 1_000, value_parser = at_least(1))]
    pub rate: u64,
    /// How often each measurement is repeated; at least 5 times by default
    #[arg(long, value_name = "N", value_parser = at_least(1))]
    runs: Option<u64>,
    /// Print the results as JSON Lines on stdout, and the table on stderr
    #[arg(long)]
    pub json: bool,
    /// Give up on a scenario after this long
    #[arg(long, value_name = "SECONDS", default_value_t = 90, value_parser = at_least(1))]
    pub deadline: u64,
    /// Measure another papo than the one that cargo has built
    #[arg(long, value_name = "FILE", default_value = env!("CARGO_BIN_EXE_papo"), hide_default_value = true)]
    pub papo: String,
    /// Pass this on to every papo (repeatable)
    #[arg(long, value_name = "ARG", allow_hyphen_values = true)]
    pub papo_arg: Vec<String>,
    /// Also what takes minutes: a newcomer to a million messages
    #[arg(long)]
    pub large: bool,
    /// The seed of the churn scenario
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// What cargo itself passes to every bench
    #[arg(long, hide = true)]
    bench: bool,
}

fn at_least(least: u64) -> clap::builder::RangedU64ValueParser<u64> {
    clap::value_parser!(u64).range(least..)
}

impl Options {
    /// Reads the command line; ends the program on a mistake or on `--help`.
    pub fn from_command_line(scenarios: &[(&str, Scenario)]) -> Options {
        use clap::{CommandFactory, FromArgMatches};
        let names: Vec<&str> = scenarios.iter().map(|(name, _)| *name).collect();
        let listed = format!("Scenarios: {}", names.join(", "));
        let command = Options::command().after_help(listed);
        let options = command.get_matches();
        let options = Options::from_arg_matches(&options).unwrap_or_else(|e| e.exit());
        if let Some(unknown) = options
            .scenario
            .iter()
            .find(|s| !names.contains(&s.as_str()))
        {
            let kind = clap::error::ErrorKind::InvalidValue;
            let what = format!("no scenario '{unknown}': there are {}", names.join(", "));
            Options::command().error(kind, what).exit();
        }
        options
    }

    /// True if this scenario is to be run.
    pub fn wants(&self, scenario: &str) -> bool {
        self.scenario.is_empty() || self.scenario.iter().any(|s| s == scenario)
    }

    /// How many nodes, the sender included.
    pub fn nodes(&self) -> usize {
        usize::try_from(self.nodes).unwrap_or(usize::MAX)
    }

    /// How many messages a run sends, where the scenario's own number is `default`.
    pub fn messages(&self, default: u64) -> u64 {
        self.messages.unwrap_or(default).max(1)
    }

    /// The bytes of each text.
    pub fn size(&self) -> usize {
        usize::try_from(self.size).unwrap_or(usize::MAX)
    }

    /// How often to measure, where the scenario's own number is `default`.
    pub fn runs(&self, default: u64) -> u64 {
        self.runs.unwrap_or(default)
    }
}
