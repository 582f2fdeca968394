//! What each key does to the line: editing, killing and yanking, own earlier lines, search and
//! completion, as in a shell.
//!
//! This module owns the line, the user's earlier lines and what was killed. It never knows of the
//! screen; what others must do is an [`Outcome`].

use std::collections::VecDeque;

use termina::event::{KeyCode, KeyEvent, Modifiers};

use super::complete::{Candidates, complete};
use super::line::EditLine;
use super::recall::{Recall, RecallSearch};
use crate::limits::{EDIT_BYTES_MAX, KILLS_MAX};

/// What a key asks of others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Nothing.
    Nothing,
    /// The key could do nothing: the terminal may say so.
    Bell,
    /// Enter: this is to be said.
    Submit(String),
    /// Ctrl-C with nothing typed.
    Interrupt,
    /// Ctrl-D with nothing typed.
    End,
    /// Ctrl-Z.
    Suspend,
    /// Ctrl-L.
    Clear,
    /// Tab was pressed twice, and these are the possibilities.
    List(Vec<String>),
}

/// What the key before did, where that changes the meaning of this one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Last {
    Other,
    Kill,
    /// Inserted the text of this number of the kill ring; it begins at this byte.
    Yank(usize, usize),
    Tab,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

/// The line, and all that editing it remembers.
#[derive(Debug)]
pub struct Editor {
    line: EditLine,
    recall: Recall,
    search: Option<RecallSearch>,
    /// The newest first.
    kills: VecDeque<String>,
    last: Last,
}

/// What is to be seen of the editor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EditorView<'a> {
    /// What is looked for, instead of the usual prompt; `true` if it is not found.
    pub search: Option<(&'a str, bool)>,
    /// The line.
    pub text: &'a str,
    /// The cursor's byte in it.
    pub cursor: usize,
}

impl Default for Editor {
    fn default() -> Editor {
        Editor {
            line: EditLine::default(),
            recall: Recall::default(),
            search: None,
            kills: VecDeque::new(),
            last: Last::Other,
        }
    }
}

impl Editor {
    /// A key was pressed.
    pub fn on_key(&mut self, key: KeyEvent, candidates: &Candidates) -> Outcome {
        if let Some(outcome) = self.search_key(key) {
            return outcome;
        }
        let last = std::mem::replace(&mut self.last, Last::Other);
        let ctrl = key.modifiers.contains(Modifiers::CONTROL);
        let alt = key.modifiers.contains(Modifiers::ALT);
        match (key.code, ctrl, alt) {
            (KeyCode::Char('c'), true, false) => self.interrupt(),
            (KeyCode::Char('d'), true, false) if self.line.is_empty() => Outcome::End,
            (KeyCode::Char('z'), true, false) => Outcome::Suspend,
            (KeyCode::Char('l'), true, false) => Outcome::Clear,
            (KeyCode::Enter, ..) | (KeyCode::Char('j' | 'm'), true, false) => self.submit(),
            (KeyCode::Tab, ..) => self.complete(candidates, last),
            (KeyCode::Char('r' | 's'), true, false) => {
                self.search = Some(RecallSearch::default());
                Outcome::Nothing
            }
            (KeyCode::Up, false, false) | (KeyCode::Char('p'), true, false) => {
                let line = self.recall.older(self.line.text());
                self.recalled(line)
            }
            (KeyCode::Down, false, false) | (KeyCode::Char('n'), true, false) => {
                let line = self.recall.newer();
                self.recalled(line)
            }
            (KeyCode::Char('y'), true, false) => self.yank(),
            (KeyCode::Char('y'), false, true) => self.yank_older(last),
            (KeyCode::Char(c), false, false) if !c.is_control() => {
                self.insert(c.encode_utf8(&mut [0; 4]))
            }
            _ => self.edit_key(key.code, ctrl, alt, last),
        }
    }

    /// Inserts text that was pasted.
    pub fn insert(&mut self, text: &str) -> Outcome {
        self.accept_search();
        done(self.line.insert(text))
    }

    /// Brings a line back that could not be taken.
    pub fn restore(&mut self, text: String) {
        self.line.set(text);
    }

    /// What is to be seen.
    #[must_use]
    pub fn view(&self) -> EditorView<'_> {
        let (text, cursor) = match self
            .search
            .as_ref()
            .and_then(|s| Some((s, s.line(&self.recall)?)))
        {
            Some((search, line)) => (line, search.found.map_or(0, |(_, at)| at)),
            None => (self.line.text(), self.line.cursor()),
        };
        EditorView {
            search: self.search.as_ref().map(|s| (s.query.as_str(), s.failing)),
            text,
            cursor,
        }
    }

    /// Moves of the cursor, and what cuts text away.
    fn edit_key(&mut self, code: KeyCode, ctrl: bool, alt: bool, last: Last) -> Outcome {
        use KeyCode as K;
        use Side::{After, Before};
        let line = &self.line;
        let at = line.cursor();
        let word = ctrl || alt;
        match (code, ctrl, alt) {
            (K::Left, ..) if word => self.go(line.word_before()),
            (K::Right, ..) if word => self.go(line.word_after()),
            (K::Left, ..) | (K::Char('b'), true, false) => self.go(line.before(at)),
            (K::Right, ..) | (K::Char('f'), true, false) => self.go(line.after(at)),
            (K::Char('b'), false, true) => self.go(line.word_before()),
            (K::Char('f'), false, true) => self.go(line.word_after()),
            (K::Home, ..) | (K::Char('a'), true, false) => self.go(0),
            (K::End, ..) | (K::Char('e'), true, false) => self.go(line.text().len()),
            (K::Delete, false, false) | (K::Char('d'), true, false) => {
                self.erase(at, line.after(at))
            }
            (K::Backspace, false, false) | (K::Char('h'), true, false) => {
                self.erase(line.before(at), at)
            }
            (K::Char('t'), true, false) => done(self.line.transpose()),
            (K::Char('k'), true, false) => self.kill(line.text().len(), After, last),
            (K::Char('u'), true, false) => self.kill(0, Before, last),
            (K::Char('w'), true, false) => self.kill(line.blank_before(), Before, last),
            (K::Backspace, ..) | (K::Char('h'), true, true) => {
                self.kill(line.word_before(), Before, last)
            }
            (K::Char('d'), false, true) | (K::Delete, ..) => {
                self.kill(line.word_after(), After, last)
            }
            _ => Outcome::Bell,
        }
    }

    fn go(&mut self, to: usize) -> Outcome {
        let from = self.line.cursor();
        self.line.place(to);
        done(self.line.cursor() != from)
    }

    fn erase(&mut self, from: usize, to: usize) -> Outcome {
        self.recall.stop();
        done(!self.line.cut(from..to).is_empty())
    }

    /// Cuts from the cursor to `to`; kills that follow one another become one.
    fn kill(&mut self, to: usize, side: Side, last: Last) -> Outcome {
        let at = self.line.cursor();
        let text = self.line.cut(at.min(to)..at.max(to));
        if text.is_empty() {
            self.last = last;
            return Outcome::Bell;
        }
        self.recall.stop();
        self.last = Last::Kill;
        match self.kills.front_mut() {
            Some(front) if last == Last::Kill && front.len() + text.len() <= EDIT_BYTES_MAX => {
                match side {
                    Side::Before => front.insert_str(0, &text),
                    Side::After => front.push_str(&text),
                }
            }
            _ => self.remember_kill(text),
        }
        Outcome::Nothing
    }

    fn remember_kill(&mut self, text: String) {
        self.kills.push_front(text);
        self.kills.truncate(KILLS_MAX);
    }

    fn yank(&mut self) -> Outcome {
        let start = self.line.cursor();
        let inserted = self.kills.front().is_some_and(|k| self.line.insert(k));
        if inserted {
            self.last = Last::Yank(0, start);
        }
        done(inserted)
    }

    /// Right after a yank: the kill before it instead.
    fn yank_older(&mut self, last: Last) -> Outcome {
        let Last::Yank(index, start) = last else {
            return Outcome::Bell;
        };
        let index = (index + 1) % self.kills.len().max(1);
        self.line
            .cut(start.min(self.line.cursor())..self.line.cursor());
        if self.kills.get(index).is_some_and(|k| self.line.insert(k)) {
            self.last = Last::Yank(index, start);
        }
        Outcome::Nothing
    }

    fn interrupt(&mut self) -> Outcome {
        if self.line.is_empty() {
            return Outcome::Interrupt;
        }
        let text = self.line.take();
        self.recall.stop();
        self.remember_kill(text);
        Outcome::Nothing
    }

    fn submit(&mut self) -> Outcome {
        let text = self.line.take();
        self.recall.stop();
        if text.chars().all(char::is_whitespace) {
            return Outcome::Nothing;
        }
        self.recall.add(&text);
        Outcome::Submit(text)
    }

    fn recalled(&mut self, line: Option<String>) -> Outcome {
        match line {
            Some(line) => {
                self.line.set(line);
                Outcome::Nothing
            }
            None => Outcome::Bell,
        }
    }

    fn complete(&mut self, candidates: &Candidates, last: Last) -> Outcome {
        let (text, cursor) = (self.line.text(), self.line.cursor());
        let completion = complete(text, cursor, candidates);
        self.last = Last::Tab;
        match completion.replacement {
            Some(replacement) => {
                self.line.cut(completion.start..cursor);
                done(self.line.insert(&replacement))
            }
            None if completion.options.is_empty() || last != Last::Tab => Outcome::Bell,
            None => Outcome::List(completion.options),
        }
    }

    /// While searching: what the key means for the search; None if it ends it and means what it
    /// always means.
    fn search_key(&mut self, key: KeyEvent) -> Option<Outcome> {
        let search = self.search.as_mut()?;
        let ctrl = key.modifiers.contains(Modifiers::CONTROL);
        let alt = key.modifiers.contains(Modifiers::ALT);
        match (key.code, ctrl, alt) {
            (KeyCode::Char('r'), true, false) => search.older(&self.recall),
            (KeyCode::Char('s'), true, false) => search.newer(&self.recall),
            (KeyCode::Char('c' | 'g'), true, false) => {
                self.search = None;
                return Some(Outcome::Nothing);
            }
            (KeyCode::Escape, ..) => {
                self.accept_search();
                return Some(Outcome::Nothing);
            }
            (KeyCode::Backspace, false, false) | (KeyCode::Char('h'), true, false) => {
                search.query.pop();
                search.found = None;
                search.refresh(&self.recall);
            }
            (KeyCode::Char(c), false, false) if !c.is_control() => {
                if search.query.len() < EDIT_BYTES_MAX {
                    search.query.push(c);
                    search.refresh(&self.recall);
                }
            }
            (KeyCode::Char('l' | 'z'), true, false) => return None,
            _ => {
                self.accept_search();
                return None;
            }
        }
        let failing = self.search.as_ref().is_some_and(|s| s.failing);
        Some(done(!failing))
    }

    fn accept_search(&mut self) {
        let Some(search) = self.search.take() else {
            return;
        };
        if let (Some(line), Some((_, at))) = (search.line(&self.recall), search.found) {
            self.line.set(line.to_owned());
            self.line.place(at);
            self.recall.stop();
        }
    }
}

fn done(something: bool) -> Outcome {
    match something {
        true => Outcome::Nothing,
        false => Outcome::Bell,
    }
}
