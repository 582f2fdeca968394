//! What the scenarios share: the options, the report, the deadline, and the progress line.

use std::fs;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use super::options::Options;
use super::report::Report;
use super::{Scenario, process};

/// How long after its deadline a scenario's processes are killed, if it has not ended by itself.
const GRACE: Duration = Duration::from_secs(10);

/// The state of one run of the bench.
#[derive(Debug)]
pub struct Bench {
    /// The flags.
    pub options: Options,
    /// What was measured.
    pub report: Report,
    /// Where the nodes' stderr is kept.
    pub logs: PathBuf,
    /// When the current scenario is to be given up.
    pub deadline: Instant,
    directory: PathBuf,
    scenario: &'static str,
    draws: bool,
}

impl Bench {
    /// Makes the directory for what is written: `papo-bench` in cargo's target directory.
    pub fn new(options: Options) -> Bench {
        let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let directory = tmp.parent().unwrap_or(tmp).join("papo-bench");
        let logs = directory.join("logs");
        let _ = fs::remove_dir_all(&logs);
        fs::create_dir_all(&logs).expect("cargo's target directory can be written");
        Bench {
            options,
            report: Report::default(),
            logs,
            deadline: Instant::now(),
            directory,
            scenario: "",
            draws: std::io::stderr().is_terminal(),
        }
    }

    /// Runs one scenario within its deadline; a failure becomes a row of the report.
    pub fn run(&mut self, name: &'static str, scenario: Scenario) {
        let limit = Duration::from_secs(self.options.deadline);
        self.scenario = name;
        self.deadline = Instant::now() + limit;
        self.progress("");
        let watchdog = watchdog(limit + GRACE);
        let outcome = scenario(self);
        drop(watchdog);
        if let Err(what) = outcome {
            self.report.fail(name, &what);
        }
        self.clear_line();
        if !self.draws {
            eprintln!("{name}: done");
        }
    }

    /// Repeats a measurement, `default` times unless the user said otherwise; at least once, and no
    /// more often than the deadline allows.
    pub fn repeat(
        &mut self,
        default: u64,
        mut measure: impl FnMut(&mut Bench) -> Result<(), String>,
    ) -> Result<(), String> {
        let runs = self.options.runs(default);
        let start = Instant::now();
        for run in 1..=runs {
            self.progress(&format!("{run}/{runs}"));
            measure(self)?;
            let mean = start.elapsed() / u32::try_from(run).unwrap_or(u32::MAX);
            if Instant::now() + mean > self.deadline {
                break;
            }
        }
        Ok(())
    }

    /// Says on a terminal how far this scenario is.
    pub fn progress(&self, what: &str) {
        if self.draws {
            let mut stderr = std::io::stderr().lock();
            let _ = write!(stderr, "\r\x1b[K{} {what}", self.scenario);
            let _ = stderr.flush();
        }
    }

    fn clear_line(&self) {
        if self.draws {
            eprint!("\r\x1b[K");
        }
    }

    /// A file among those that are written.
    pub fn path(&self, name: &str) -> String {
        self.directory.join(name).to_string_lossy().into_owned()
    }

    /// Writes a file that the user may look at.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        if let Err(e) = fs::write(&path, text) {
            eprintln!("{path}: {e}");
        }
    }

    /// True if this papo knows an option.
    pub fn papo_knows(&self, option: &str) -> bool {
        let help = std::process::Command::new(&self.options.papo)
            .arg("--help")
            .output();
        help.is_ok_and(|h| String::from_utf8_lossy(&h.stdout).contains(option))
    }

    /// Prints and writes the results.
    pub fn finish(self) -> ExitCode {
        let lines = self.report.json_lines();
        self.write("results.jsonl", &lines);
        if self.options.json {
            print!("{lines}");
            eprint!("{}", self.report.table());
        } else {
            print!("{}", self.report.table());
        }
        eprintln!("written to {}", self.directory.display());
        if self.report.has_failed() {
            eprintln!("what the nodes said is in {}", self.logs.display());
            return ExitCode::FAILURE;
        }
        let _ = fs::remove_dir_all(&self.logs);
        ExitCode::SUCCESS
    }
}

/// Kills every child after `limit`, unless what is returned is dropped before: whatever waits for
/// one of them then fails.
fn watchdog(limit: Duration) -> Sender<()> {
    let (sender, dropped) = channel();
    std::thread::spawn(move || {
        if dropped.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
            process::kill_all();
        }
    });
    sender
}
