//! `papo trace`: what traces tell, in words, as text, and as files for a browser.
//!
//! Owns which of these is wanted, and where it goes. What is drawn is the business of `trace`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::platform::reason;
use crate::trace::words::{shown, story};
use crate::trace::{Picture, Selection, Wanted, check, html, read, shiviz, svg, text};
use crate::ui::visible::{Tab, visible};

use super::values;

/// How wide a diagram is where nobody says so, and stdout is no terminal.
const WIDTH: usize = 100;

/// What `papo trace` was asked for.
#[derive(Args, Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// What nodes wrote with --trace; the older parts FILE.1, FILE.2 and FILE.3 of each are read, too
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Draw it for a terminal: time downwards, a column for each node
    #[arg(long)]
    pub text: bool,
    /// Draw it into this SVG file; - is stdout
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Draw it into this HTML page, which needs no network: zoom, filter, and click on what you want to know
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Write it for ShiViz, with vector clocks, into this file
    #[arg(long, value_name = "FILE")]
    pub shiviz: Option<PathBuf>,
    /// Draw what is around an election, a loss, a merge or a join (election.2 is the second), or around a time
    #[arg(long, value_name = "WHAT", allow_hyphen_values = true)]
    pub around: Option<String>,
    /// Draw only what was between two times, such as 1.5s..2s after the start or 10:41..10:42 in UTC
    #[arg(long, value_name = "A..B", allow_hyphen_values = true)]
    pub between: Option<String>,
    /// Draw only these nodes: nicks, nick#id, or keys
    #[arg(long, value_name = "NODE", value_delimiter = ',')]
    pub nodes: Vec<String>,
    /// Draw only these types of messages, or all; without it, all but those that come all the time
    #[arg(long, value_name = "TYPE", value_delimiter = ',')]
    pub types: Vec<String>,
    /// How many columns the diagram of --text has
    #[arg(long, value_name = "COLUMNS", value_parser = values::between::<40, { u16::MAX }>)]
    pub width: Option<u16>,
}

/// What is for stdout, and whether all rules were kept.
///
/// # Errors
///
/// One line: what cannot be read, found or written.
pub fn draw(asked: &Asked) -> Result<(String, bool), String> {
    let picture = Picture::new(read(&asked.files)?);
    let selection = Selection::new(
        &picture,
        &Wanted {
            around: asked.around.clone(),
            between: asked.between.clone(),
            nodes: asked.nodes.clone(),
            types: asked.types.clone(),
        },
    )?;
    let verdicts = check(&picture);
    let is_kept = verdicts.iter().all(|v| v.broken.is_empty());
    let files: [(&Option<PathBuf>, &dyn Fn() -> String); 3] = [
        (&asked.svg, &|| svg(&picture, &selection)),
        (&asked.html, &|| html(&picture, &verdicts)),
        (&asked.shiviz, &|| shiviz(&picture, &selection)),
    ];
    let mut out = String::new();
    let mut drawn = 0;
    for (path, drawing) in files {
        let Some(path) = path else {
            continue;
        };
        drawn += 1;
        if path == Path::new("-") {
            out.push_str(&drawing());
        } else {
            std::fs::write(path, drawing()).map_err(|e| {
                format!(
                    "{}: it cannot be written: {}; name another file",
                    visible(&path.to_string_lossy(), Tab::Escape),
                    reason(&e)
                )
            })?;
        }
    }
    if asked.text {
        let width = asked.width.map_or_else(width, usize::from);
        out.push_str(&text(&picture, &selection, width));
    } else if drawn == 0 {
        out.push_str(&said(&picture, &selection, &verdicts));
    }
    Ok((out, is_kept))
}

/// In words: clocks, what happened, and whether the rules were kept.
fn said(picture: &Picture, selection: &Selection, verdicts: &[crate::trace::Verdict]) -> String {
    let mut out = String::new();
    for note in &picture.notes {
        let _ = writeln!(out, "note: {note}");
    }
    let lines: usize = picture.traces.iter().map(|t| t.lines.len()).sum();
    let _ = writeln!(
        out,
        "{} nodes, {lines} lines, {} messages, {}",
        picture.lives.len(),
        picture.arrows.len(),
        shown(picture.until)
    );
    for (life, offset) in picture.lives.iter().zip(&picture.offsets).skip(1) {
        let doubt = match offset.doubt {
            Some(doubt) => format!("known to {}", shown(doubt)),
            None => "placed by the clock on the wall, since no message matches".to_owned(),
        };
        let ahead = offset.wall_ahead;
        let wall = match ahead.abs() {
            0..5_000 => "its wall clock agrees".to_owned(),
            _ if ahead > 0 => format!("its wall clock is {} ahead", shown(ahead)),
            _ => format!("its wall clock is {} behind", shown(-ahead)),
        };
        let (me, first) = (&life.label, &picture.lives[0].label);
        let _ = writeln!(out, "clock of {me} beside {first}'s: {wall}; {doubt}");
    }
    out.push('\n');
    for it in story(picture) {
        if it.to >= selection.from && it.from <= selection.to {
            let _ = writeln!(out, "+{:<10} {}", shown(it.from), it.words);
        }
    }
    out.push('\n');
    for verdict in verdicts {
        let state = match verdict.broken.is_empty() {
            true if verdict.looked == 0 => "nothing to look at",
            true => "kept",
            false => "BROKEN",
        };
        let _ = writeln!(
            out,
            "{state}: {} (looked at {} times)",
            verdict.rule, verdict.looked
        );
        for (at, words) in &verdict.broken {
            let _ = writeln!(out, "  +{} {words}", shown(*at));
        }
    }
    out
}

/// The terminal's width, if stdout is one.
fn width() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stdout());
    let columns = size.map_or(0, |size| usize::from(size.ws_col));
    if columns >= 40 { columns } else { WIDTH }
}
