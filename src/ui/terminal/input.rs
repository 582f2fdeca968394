//! Bytes from the terminal become keys and pastes.
//!
//! This module cuts the bytes into characters, escape sequences and pastes, with a limit for each;
//! what a sequence means is left to termina's parser, which sees whole sequences only. It owns no
//! clock and must never wait for a byte: whatever is half arrived is resolved by the next byte or
//! by the deadline that the owner is told of.

use std::collections::VecDeque;
use std::time::Duration;

use termina::event::{KeyCode, KeyEvent, KeyEventKind, Modifiers};
use termina::{Event, Parser};

use crate::limits::{ANSWER_BYTES_MAX, PASTE_BYTES_MAX, SEQUENCE_BYTES_MAX};
use crate::node::Time;

/// How long after ESC its sequence may go on; then it was the key.
const ESCAPE_WAIT: Duration = Duration::from_millis(50);
/// How long a sequence that is certainly none of the keyboard's may pause.
const SEQUENCE_WAIT: Duration = Duration::from_millis(500);
/// How long a paste may pause before it counts as ended.
const PASTE_WAIT: Duration = Duration::from_secs(1);

const ESC: u8 = 0x1b;
const PASTE_START: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";

/// What the user did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Keystroke {
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted.
    Paste {
        /// The text as it came, invalid UTF-8 replaced.
        text: String,
        /// The paste was longer than [`PASTE_BYTES_MAX`].
        cut: bool,
    },
    /// The terminal has the focus, or has lost it.
    Focus(bool),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum ParserState {
    Ground,
    /// `pending` begins with ESC.
    Sequence,
    /// `pending` is the beginning of a character.
    Character,
    /// In a terminal's answer that nobody asked for; so many bytes more.
    Answer(usize),
    /// In a paste; so many bytes of its end are matched.
    Paste(usize),
}

/// Cuts bytes into keys and pastes.
pub struct Decoder {
    state: ParserState,
    pending: Vec<u8>,
    /// An ESC stands before what is pending: the key is pressed with Alt.
    alt: bool,
    paste: Vec<u8>,
    cut: bool,
    parser: Parser,
    ready: VecDeque<Keystroke>,
    deadline: Option<Time>,
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder")
            .field("state", &self.state)
            .field("pending", &self.pending)
            .finish_non_exhaustive()
    }
}

impl Default for Decoder {
    fn default() -> Decoder {
        Decoder {
            state: ParserState::Ground,
            pending: Vec::new(),
            alt: false,
            paste: Vec::new(),
            cut: false,
            parser: Parser::default(),
            ready: VecDeque::new(),
            deadline: None,
        }
    }
}

impl Decoder {
    /// Takes bytes as they come; [`poll`](Decoder::poll) gives what they mean.
    pub fn on_bytes(&mut self, now: Time, bytes: &[u8]) {
        for &byte in bytes {
            self.byte(byte);
        }
        self.deadline = match self.state {
            ParserState::Ground | ParserState::Character => None,
            ParserState::Sequence if self.pending.len() <= 2 => Some(now + ESCAPE_WAIT),
            ParserState::Sequence | ParserState::Answer(_) => Some(now + SEQUENCE_WAIT),
            ParserState::Paste(_) => Some(now + PASTE_WAIT),
        };
    }

    /// The next thing that the user did.
    pub fn poll(&mut self) -> Option<Keystroke> {
        self.ready.pop_front()
    }

    /// When [`on_deadline`](Decoder::on_deadline) wants to be called.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Time> {
        self.deadline
    }

    /// Resolves what is half arrived.
    pub fn on_deadline(&mut self, now: Time) {
        if self.deadline.is_none_or(|at| now < at) {
            return;
        }
        self.deadline = None;
        match self.state {
            ParserState::Sequence => self.give_up(),
            ParserState::Paste(matched) => {
                self.keep(&PASTE_END[..matched]);
                self.end_paste();
            }
            ParserState::Ground | ParserState::Character | ParserState::Answer(_) => {}
        }
        self.reset();
    }

    /// Bytes held, for tests of the limits.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.pending.len() + self.paste.len()
    }

    fn reset(&mut self) {
        self.state = ParserState::Ground;
        self.pending.clear();
        self.alt = false;
    }

    fn byte(&mut self, byte: u8) {
        match self.state {
            ParserState::Ground => self.ground(byte),
            ParserState::Sequence => self.sequence(byte),
            ParserState::Character => self.character(byte),
            ParserState::Answer(left) => self.answer(byte, left),
            ParserState::Paste(matched) => self.pasted(byte, matched),
        }
    }

    fn ground(&mut self, byte: u8) {
        self.pending.clear();
        self.pending.push(byte);
        match byte {
            ESC => self.state = ParserState::Sequence,
            0..0x80 => self.emit(),
            _ => {
                self.state = ParserState::Character;
                self.check_character();
            }
        }
    }

    fn character(&mut self, byte: u8) {
        if byte & 0xc0 == 0x80 {
            self.pending.push(byte);
            self.check_character();
        } else {
            self.broken_character();
            self.ground(byte);
        }
    }

    fn check_character(&mut self) {
        match std::str::from_utf8(&self.pending) {
            Ok(_) => self.emit(),
            Err(e) if e.error_len().is_none() => {}
            Err(_) => self.broken_character(),
        }
    }

    fn broken_character(&mut self) {
        self.push(KeyCode::Char(char::REPLACEMENT_CHARACTER).into());
        self.reset();
    }

    fn sequence(&mut self, byte: u8) {
        match (self.pending.get(1), byte) {
            (None, _) => self.second(byte),
            // Whatever stood before it, ESC begins anew.
            (_, ESC) => {
                self.reset();
                self.ground(byte);
            }
            (Some(b'['), _) => self.control_sequence(byte),
            (Some(b'O'), b'0'..=b'9') => self.lengthen(byte),
            (Some(b'O'), b' '..=b'~') => {
                self.pending.push(byte);
                self.emit();
            }
            (Some(b'O'), _) => {
                self.reset();
                self.ground(byte);
            }
            _ => {
                self.reset();
                self.answer(byte, ANSWER_BYTES_MAX);
            }
        }
    }

    /// The byte after ESC.
    fn second(&mut self, byte: u8) {
        match byte {
            b'[' | b'O' | b']' | b'P' | b'_' | b'^' | b'X' => self.pending.push(byte),
            ESC if self.alt => self.push_plain(KeyCode::Escape.into()),
            ESC => self.alt = true,
            _ => {
                if self.alt {
                    self.push_plain(KeyCode::Escape.into());
                }
                self.alt = true;
                self.state = ParserState::Ground;
                self.ground(byte);
            }
        }
    }

    fn control_sequence(&mut self, byte: u8) {
        match byte {
            // The Linux console's F1 to F5.
            b'[' if self.pending.len() == 2 => self.pending.push(byte),
            b' '..=b'?' => self.lengthen(byte),
            b'@'..=b'~' => {
                self.lengthen(byte);
                if self.pending == PASTE_START {
                    self.reset();
                    self.state = ParserState::Paste(0);
                } else {
                    self.emit();
                }
            }
            _ => {
                self.reset();
                self.ground(byte);
            }
        }
    }

    /// Adds to a sequence; beyond the limit it is counted on but means nothing any more.
    fn lengthen(&mut self, byte: u8) {
        if self.pending.len() < SEQUENCE_BYTES_MAX {
            self.pending.push(byte);
        }
    }

    fn answer(&mut self, byte: u8, left: usize) {
        match byte {
            ESC => self.ground(byte),
            // BEL ends an answer; CAN and SUB abort one.
            0x07 | 0x18 | 0x1a => self.reset(),
            _ if left <= 1 => self.reset(),
            _ => self.state = ParserState::Answer(left - 1),
        }
    }

    fn pasted(&mut self, byte: u8, matched: usize) {
        if byte == PASTE_END[matched] {
            if matched + 1 == PASTE_END.len() {
                self.end_paste();
                self.reset();
            } else {
                self.state = ParserState::Paste(matched + 1);
            }
            return;
        }
        self.keep(&PASTE_END[..matched]);
        if byte == ESC {
            self.state = ParserState::Paste(1);
        } else {
            self.keep(&[byte]);
            self.state = ParserState::Paste(0);
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = PASTE_BYTES_MAX - self.paste.len();
        self.cut |= bytes.len() > room;
        self.paste
            .extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn end_paste(&mut self) {
        let mut bytes = std::mem::take(&mut self.paste);
        if self.cut {
            // Not in the middle of a character.
            if let Err(e) = std::str::from_utf8(&bytes)
                && e.error_len().is_none()
            {
                bytes.truncate(e.valid_up_to());
            }
        }
        self.ready.push_back(Keystroke::Paste {
            text: String::from_utf8_lossy(&bytes).into_owned(),
            cut: std::mem::take(&mut self.cut),
        });
    }

    /// A sequence that did not go on was typed by hand.
    fn give_up(&mut self) {
        match self.pending[..] {
            [ESC] => {
                if self.alt {
                    self.push_plain(KeyCode::Escape.into());
                }
                self.push_plain(KeyCode::Escape.into());
            }
            [ESC, second] => {
                self.alt = true;
                self.push(KeyCode::Char(char::from(second)).into());
            }
            _ => {}
        }
    }

    /// Gives what is pending, which is whole, to termina.
    fn emit(&mut self) {
        self.parser.parse(&self.pending, false);
        match self.parser.pop() {
            Some(Event::Key(key)) => self.push(key),
            Some(Event::FocusIn) => self.ready.push_back(Keystroke::Focus(true)),
            Some(Event::FocusOut) => self.ready.push_back(Keystroke::Focus(false)),
            Some(_) => {}
            // The parser may hold on to what it does not know.
            None => {
                self.parser = Parser::default();
                if let Some(key) = rare_key(&self.pending) {
                    self.push(key);
                }
            }
        }
        self.reset();
    }

    fn push(&mut self, mut key: KeyEvent) {
        if self.alt {
            key.modifiers |= Modifiers::ALT;
        }
        self.push_plain(key);
    }

    fn push_plain(&mut self, key: KeyEvent) {
        if key.kind != KeyEventKind::Release {
            self.ready.push_back(Keystroke::Key(key));
        }
    }
}

/// Keys that termina does not know: rxvt's control-arrows and the keypad's Enter.
fn rare_key(sequence: &[u8]) -> Option<KeyEvent> {
    let code = match sequence {
        b"\x1bOa" => KeyCode::Up,
        b"\x1bOb" => KeyCode::Down,
        b"\x1bOc" => KeyCode::Right,
        b"\x1bOd" => KeyCode::Left,
        b"\x1bOM" => return Some(KeyCode::Enter.into()),
        _ => return None,
    };
    Some(KeyEvent::new(code, Modifiers::CONTROL))
}

#[cfg(test)]
#[path = "input_test.rs"]
mod tests;
