//! `papo demo`: lessons, in virtual time or with real processes, and a room on the screen.
//!
//! Owns which lesson is wanted, and where its picture goes.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::demo::{LESSONS, Scene, Screen, Stage, give as give_lesson, give_with, picture};
use crate::driver::{self, Troupe};
use crate::platform::reason;
use crate::ui::visible::{Tab, visible};

use super::values;

/// What `papo demo` was asked for.
#[derive(Args, Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// Which lesson; without it a room is shown on the screen, and keys kill, freeze, cut and add
    #[arg(long, value_name = "LESSON", value_parser = PossibleValuesParser::new(LESSONS.iter().map(|l| l.name)))]
    pub script: Option<String>,
    /// The same nodes in virtual time instead of real processes: a lesson takes no time, and keys slow time down
    #[arg(long, conflicts_with = "processes")]
    pub simulated: bool,
    /// Real processes on 127.0.0.1, which is what you get unless you ask for --simulated or a --seed
    #[arg(long, conflicts_with = "seed")]
    pub processes: bool,
    /// Which play in virtual time: the same seed is the same play, and the same picture [default: 1]
    #[arg(long, value_name = "N", value_parser = values::whole)]
    pub seed: Option<u64>,
    /// List the lessons
    #[arg(long)]
    pub list: bool,
    /// How many nodes the room has that is shown without a lesson
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = values::between::<1, 12>)]
    pub nodes: u16,
    /// Where the picture goes; - is stdout, instead of the words [default: papo-LESSON.svg]
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

impl Asked {
    /// The seed of a play in virtual time; nothing if real processes are wanted.
    fn seed(&self) -> Option<u64> {
        let usual = self.simulated.then_some(1);
        self.seed.or(usual)
    }
}

/// What is for stdout, and why the lesson did not end as it says, if it did not.
///
/// # Errors
///
/// One line: a file that cannot be written.
pub fn give(asked: &Asked, trace: Option<&Path>) -> Result<(String, Option<String>), String> {
    let lesson = LESSONS
        .iter()
        .find(|l| Some(l.name) == asked.script.as_deref());
    let Some(lesson) = lesson else {
        if asked.list {
            return Ok((list(), None));
        }
        return show(asked, trace);
    };
    let usual = PathBuf::from(format!("papo-{}.svg", lesson.name));
    let path = asked.svg.as_ref().unwrap_or(&usual);
    let is_picture = path == Path::new("-");
    let mut heard = 0;
    // Whoever watches real processes reads what happens as it happens.
    let mut hears = |line: &str| {
        if !is_picture {
            let mut out = io::stdout().lock();
            // Nobody may be there to read any more: the lesson's end is its status and its picture.
            let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
            heard += line.len();
        }
    };
    let mut given = match asked.seed() {
        None => give_with(lesson, &mut Troupe::new()?, &mut hears)?,
        Some(seed) => give_lesson(lesson, seed)?,
    };
    if let Some(path) = trace {
        write(path, &given.trace)?;
    }
    let mut out = given.told.split_off(heard);
    if is_picture {
        out = given.svg;
    } else {
        write(path, given.svg.as_bytes())?;
        let _ = writeln!(out, "the picture: {}", shown(path));
    }
    let failed = given
        .failed
        .map(|why| format!("demo {}: {why}", lesson.name));
    Ok((out, failed))
}

/// A room on the screen.
fn show(asked: &Asked, trace: Option<&Path>) -> Result<(String, Option<String>), String> {
    let usual = PathBuf::from("papo-demo.svg");
    let path = asked.svg.as_ref().unwrap_or(&usual);
    let keep = |screen: &Screen| {
        let written = screen.stage().trace()?;
        if let Some(trace) = trace {
            write(trace, &written)?;
        }
        write(path, picture(&written)?.as_bytes())?;
        Ok(format!("the picture: {}", shown(path)))
    };
    let stage: Box<dyn Scene> = match asked.seed() {
        None => Box::new(Troupe::new()?),
        Some(seed) => Box::new(Stage::new(seed)),
    };
    let mut screen = Screen::new(stage, usize::from(asked.nodes));
    driver::lecture(&mut screen, keep)?;
    let words = keep(&screen)?;
    Ok((words + "\n", None))
}

fn list() -> String {
    let mut out = String::from("papo demo --script LESSON plays one of these:\n");
    for lesson in &LESSONS {
        let _ = writeln!(out, "  {:<19} {}", lesson.name, lesson.title);
    }
    out
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    std::fs::write(path, bytes).map_err(|e| {
        format!(
            "{}: it cannot be written: {}; name another file",
            shown(path),
            reason(&e)
        )
    })
}

fn shown(path: &Path) -> String {
    visible(&path.to_string_lossy(), Tab::Escape)
}
