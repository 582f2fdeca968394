//! Which face the user interface shows: text, JSON Lines, or a terminal with a prompt.
//!
//! The value of [`Face`] owns what belongs to one face alone. It never decides what is shown, and
//! keeps nothing that waits for stdout.

use super::config::{Mode, Notices, UiConfig};
use super::prompt::Prompt;

/// The face that is shown.
#[derive(Debug)]
pub(super) enum Face {
    /// `<nick> text` lines on stdout.
    Text {
        /// Who comes and goes is said on stderr.
        notices: bool,
        /// A message begins with when it was said.
        timestamps: bool,
    },
    /// JSON Lines on stdout.
    Json,
    /// A prompt, and lines above it.
    Terminal(Box<Prompt>),
}

impl Face {
    /// The face that is shown until a prompt is opened.
    pub(super) fn new(config: &UiConfig) -> Face {
        match config.mode {
            Mode::Text => Face::Text {
                notices: config.notices != Notices::Never,
                timestamps: config.timestamps,
            },
            Mode::Json => Face::Json,
            Mode::Interactive => Face::Text {
                notices: true,
                timestamps: false,
            },
        }
    }

    /// Whether what scripts rely on is shown.
    pub(super) fn is_json(&self) -> bool {
        matches!(self, Face::Json)
    }

    /// The prompt, if that is the face.
    pub(super) fn prompt(&self) -> Option<&Prompt> {
        match self {
            Face::Terminal(prompt) => Some(prompt),
            Face::Text { .. } | Face::Json => None,
        }
    }

    /// The prompt, if that is the face, to be changed.
    pub(super) fn prompt_mut(&mut self) -> Option<&mut Prompt> {
        match self {
            Face::Terminal(prompt) => Some(prompt),
            Face::Text { .. } | Face::Json => None,
        }
    }
}
