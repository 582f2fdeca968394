//! Demonstrations: a lecture in one command, in virtual time or with real processes.
//!
//! Owns the stage and the lessons. Nothing here speaks to a network: on the stage the nodes are those of the program, and
//! all that is around them is played; real processes are the driver's business. What happened is told by the traces that they leave.
//!
//! | file | subject |
//! | --- | --- |
//! | `scene` | what a lesson needs of its nodes, real ones or those of a stage |
//! | `stage` | nodes in virtual time, and what can be done to them |
//! | `lessons` | what is done, said and expected |
//! | `screen` | nodes before one's eyes, and what keys do to them |
//!
#![doc = include_str!("LESSONS.md")]

mod lessons;
mod scene;
mod screen;
mod stage;

pub use lessons::{LESSONS, Lesson, NICKS, Play, play};
pub use scene::{Scene, up};
pub use screen::{Screen, Wish};
pub use stage::{RECENT_MAX, Sent, Stage, State};

use crate::trace::{Picture, Selection, Wanted, check, svg};

/// What came of a lesson.
pub struct Given {
    /// A sentence for each step, and what the traces say.
    pub told: String,
    /// Everything that the nodes did.
    pub trace: Vec<u8>,
    /// The picture of it.
    pub svg: String,
    /// Why the lesson did not end as it says, if it did not.
    pub failed: Option<String>,
}

/// Gives a lesson in virtual time.
///
/// # Errors
///
/// If the trace of it cannot be read, which is a mistake of papo's.
pub fn give(lesson: &Lesson, seed: u64) -> Result<Given, String> {
    give_with(lesson, &mut Stage::new(seed), &mut |_| {})
}

/// Gives a lesson with these nodes. `hears` gets each line as it is said.
///
/// # Errors
///
/// If the trace of it cannot be read.
pub fn give_with(
    lesson: &Lesson,
    scene: &mut dyn Scene,
    hears: &mut dyn FnMut(&str),
) -> Result<Given, String> {
    let (play, ended) = play(lesson, scene, hears);
    let (mut told, from) = (play.told, play.from);
    let trace = scene.trace()?;
    // By the clock of the picture, which begins with the trace; and what was a moment before.
    let from = from.saturating_sub(scene.traced_since()).cast_signed() - 30_000;
    let picture = Picture::new(crate::trace::read_bytes(&trace)?);
    let mut failed = ended.err();
    for verdict in check(&picture) {
        if let Some((_, words)) = verdict.broken.first() {
            failed.get_or_insert_with(|| format!("{}: {words}", verdict.rule));
        }
    }
    for ballot in picture.ballots.iter().filter(|b| b.from >= from) {
        let (best, worst) = ballot.textbook();
        let words = format!(
            "{:<11} the election took {} messages; textbook Bully takes {best} to {worst}\n",
            "",
            ballot.total()
        );
        told.push_str(&words);
    }
    Ok(Given {
        told,
        svg: drawn(&picture, from)?,
        trace,
        failed,
    })
}

/// The picture of what nodes have done so far, by their trace.
///
/// # Errors
///
/// If the trace cannot be read, which is a mistake of papo's.
pub fn picture(trace: &[u8]) -> Result<String, String> {
    let picture = Picture::new(crate::trace::read_bytes(trace)?);
    drawn(&picture, 0)
}

/// The picture from this time on.
fn drawn(picture: &Picture, from: i64) -> Result<String, String> {
    let mut selection = Selection::new(picture, &Wanted::default())?;
    selection.from = from.max(0);
    Ok(svg(picture, &selection))
}
