//! The interactive terminal: a prompt with line editing, and lines printed above it that never
//! disturb what is half typed.
//!
//! [`Terminal`] takes bytes, sizes and deadlines, and plain data to print; it gives actions and
//! bytes for the terminal. It owns what is typed, what stands on the screen, and the names of the
//! members. It has no file descriptor, no clock and no knowledge of the node, and must never get any.
//! Raw mode, signals and stopping are the driver's.
//!
//! Of the files above it, this module and its parts import `visible` and `likeness` alone, which import
//! none of them.
//!
//! | part | owns |
//! | --- | --- |
//! | [`input`] | bytes become keys and pastes |
//! | [`mod@line`], [`recall`], [`mod@complete`], [`editor`] | what keys do to the line |
//! | [`mod@paste`] | several pasted lines, until they are sent or dropped |
//! | [`style`] | what a message or a notice looks like |
//! | [`mod@layout`], [`screen`], `pen` | where the prompt's characters go, and the bytes for that |
//! | [`mod@rows`] | how a printed line is spread over rows |
//! | `names` | who is here, and how each is called |
//! | `notify`, `abilities` | the title and notifications, where the terminal is known to have them |
//! | `among` | the terminals of other rooms in the same one, and the row that shows which there are |
//! | `data` | what the terminal is told, and what it gives |

mod abilities;
mod among;
pub mod complete;
mod data;
pub mod editor;
pub mod input;
pub mod layout;
pub mod line;
mod names;
mod notify;
pub mod paste;
mod pen;
pub mod recall;
pub mod rows;
pub mod screen;
pub mod style;

pub use abilities::{Abilities, NotifyForm};
pub use among::Seat;
pub use data::{Action, Go, RoomTab, ShownMessage, Sign, TerminalOptions};

use std::collections::VecDeque;

use jiff::civil::Date;
use termina::event::{KeyCode, KeyEvent, Modifiers};

use self::among::Among;
use self::complete::Candidates;
use self::editor::{Editor, Outcome};
use self::input::{Decoder, Keystroke};
use self::layout::{Frame, PromptParts, layout, prompt_label};
use self::names::Names;
use self::notify::Notifier;
use self::paste::Paste;
use self::screen::Screen;
use self::style::{Look, ShownLine, Style, StyledLine};
use super::visible::{Tab, visible};
use crate::limits::ACTIONS_MAX;
use crate::node::Time;
use crate::wire::{Key, Member};

/// What stands behind the nick of one who is not the one that was known under it.
const MARK: char = '?';

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Presence {
    /// The prompt is shown.
    Active,
    /// The terminal belongs to somebody else for now.
    Suspended,
    /// Another room of the process is shown.
    Behind,
    /// There is no prompt any more.
    Left,
}

/// The interactive terminal.
#[derive(Debug)]
pub struct Terminal {
    decoder: Decoder,
    editor: Editor,
    paste: Option<Paste>,
    candidates: Candidates,
    screen: Screen,
    style: Style,
    notifier: Notifier,
    presence: Presence,
    names: Names,
    status: Option<String>,
    /// The day of the last line.
    day: Option<Date>,
    /// The wall clock when something was printed last.
    wall_ms: u64,
    actions: VecDeque<Action>,
    /// The terminal said whether it has the focus, or a key was pressed: not taken yet.
    signs: Vec<Sign>,
    among: Among,
    /// Something may have to be drawn.
    dirty: bool,
}

impl Terminal {
    /// A terminal in which the prompt is shown at the next [`fill`](Terminal::fill).
    #[must_use]
    pub fn new(options: TerminalOptions) -> Terminal {
        let style = Style::new(options.color, options.zone);
        Terminal {
            decoder: Decoder::default(),
            editor: Editor::default(),
            paste: None,
            candidates: Candidates {
                nicks: Vec::new(),
                commands: options.commands,
                rooms: Vec::new(),
            },
            screen: Screen::new(
                options.cols,
                options.rows,
                options.color,
                options.abilities.reflows,
            ),
            notifier: Notifier::new(options.abilities),
            presence: Presence::Active,
            names: Names::new(options.room, options.nick, options.key),
            status: None,
            day: style.date(options.wall_ms),
            wall_ms: options.wall_ms,
            style,
            actions: VecDeque::new(),
            signs: Vec::new(),
            among: Among::default(),
            dirty: true,
        }
    }

    /// Bytes came from the terminal.
    pub fn on_bytes(&mut self, now: Time, bytes: &[u8]) {
        self.decoder.on_bytes(now, bytes);
        self.take_inputs();
    }

    /// The time that [`next_deadline`](Terminal::next_deadline) named has come.
    pub fn on_deadline(&mut self, now: Time) {
        self.decoder.on_deadline(now);
        self.take_inputs();
    }

    /// The terminal has another size (SIGWINCH).
    pub fn on_resize(&mut self, cols: u16, rows: u16) {
        self.dirty = true;
        self.screen.resize(cols, rows);
    }

    /// Gives the terminal away before the process stops: the next [`fill`](Terminal::fill)
    /// restores it.
    pub fn suspend(&mut self) {
        self.set_presence(Presence::Suspended);
    }

    /// The process goes on (SIGCONT), raw mode is set again: shows the prompt anew.
    pub fn resume(&mut self, cols: u16, rows: u16) {
        if self.presence == Presence::Active {
            // Stopped without notice: whatever is on the screen is not where it was.
            self.screen.forget();
        }
        self.set_presence(Presence::Active);
        self.on_resize(cols, rows);
    }

    /// Takes the prompt away for good: the next [`fill`](Terminal::fill) restores the terminal, and
    /// whatever is printed from now on follows as plain lines.
    pub fn leave(&mut self) {
        self.set_presence(Presence::Left);
    }

    /// What restores the terminal wherever its cursor is: for the end in a panic or by a signal.
    #[must_use]
    pub fn leave_bytes() -> Vec<u8> {
        Screen::leave_bytes()
    }

    /// The members as they are now: for names, and for Tab.
    pub fn set_members(&mut self, members: &[Member]) {
        self.names.set_members(members);
        self.candidates.nicks = self.names.others();
        self.dirty = true;
    }

    /// A line right above the prompt that says what is going on, until it is replaced.
    pub fn set_status(&mut self, status: Option<String>) {
        self.dirty |= self.status != status;
        self.status = status;
    }

    /// Shows how much of the history has come.
    pub fn set_progress(&mut self, come: u64, all: u64) {
        const CELLS: u64 = 20;
        let come = come.min(all);
        let percent = (come.saturating_mul(100)).checked_div(all).unwrap_or(100);
        let full = percent * CELLS / 100;
        let bar: String = (0..CELLS)
            .map(|i| if i < full { '█' } else { '░' })
            .collect();
        self.set_status(Some(format!("history {bar} {percent}% ({come} of {all})")));
    }

    /// Prints a message.
    pub fn print_message(&mut self, message: &ShownMessage<'_>) {
        let line = self.style_message(message);
        self.print_styled(message.sent_ms, line);
    }

    /// A message's line, to be printed later.
    #[must_use]
    pub fn style_message(&self, message: &ShownMessage<'_>) -> StyledLine {
        let mut name = self.names.name(message.key, message.id, message.nick);
        if message.is_another {
            name.push(MARK);
        }
        self.style.message(
            &ShownLine {
                hue: match &message.identity {
                    Some(identity) => style::hue(identity.as_str()),
                    None => style::hue(message.nick),
                },
                name: &name,
                text: message.text,
                sent_ms: message.sent_ms,
                own: message.own,
                private_to: message.private_to,
            },
            self.names.nick(),
        )
    }

    /// Prints a line that [`style_message`](Terminal::style_message) gave, after one that says the
    /// day if that is another than before.
    pub fn print_styled(&mut self, wall_ms: u64, line: StyledLine) {
        let day = self.style.date(wall_ms);
        if let Some(date) = day
            && day != self.day
        {
            self.day = day;
            let date_line = self.style.date_line(date);
            self.print(date_line);
        }
        self.print(line);
    }

    /// Prints a quiet line about what happens in the room.
    pub fn print_notice(&mut self, wall_ms: u64, text: &str) {
        self.wall_ms = wall_ms;
        let line = self.style.notice(wall_ms, text);
        self.print_styled(wall_ms, line);
    }

    /// Prints a line that should not be overlooked.
    pub fn print_warning(&mut self, wall_ms: u64, text: &str) {
        self.wall_ms = wall_ms;
        let line = self.style.warning(wall_ms, text);
        self.print_styled(wall_ms, line);
    }

    /// Prints lines as they are, but for what could not be seen: a command's answer.
    pub fn print_text(&mut self, lines: &str) {
        for line in lines.lines() {
            let line = visible(line, Tab::Spaces);
            let indent = rows::hanging(&line);
            self.print(StyledLine::hanging(line, indent));
        }
    }

    /// Prints the whole message again that was folded last. False if there is none.
    pub fn unfold(&mut self) -> bool {
        self.dirty = true;
        self.screen.unfold()
    }

    /// Prints a line that parts what stands above it from what follows.
    pub fn print_rule(&mut self, text: &str) {
        let line = self.style.rule(&visible(text, Tab::Spaces));
        self.print(line);
    }

    /// On joining: the room, who is here, who coordinates.
    pub fn print_welcome(&mut self, wall_ms: u64, coordinator: Option<Key>, again: bool) {
        let text = self.welcome(coordinator, again);
        self.print_notice(wall_ms, &text);
    }

    /// What is said on joining, to be printed as a notice later.
    #[must_use]
    pub fn welcome(&self, coordinator: Option<Key>, again: bool) -> String {
        self.names.welcome(coordinator, again)
    }

    /// When [`on_deadline`](Terminal::on_deadline) wants to be called.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Time> {
        self.decoder.next_deadline()
    }

    /// What was seen of the user since the last call.
    pub fn take_signs(&mut self) -> Vec<Sign> {
        std::mem::take(&mut self.signs)
    }

    /// Whether a text names the user.
    #[must_use]
    pub fn is_named_in(&self, text: &str) -> bool {
        style::names(text, self.names.nick())
    }

    /// Rings the bell.
    pub fn ring(&mut self) {
        self.dirty = true;
        self.screen.bell();
    }

    /// Notifies the user, where the terminal does that.
    pub fn notify(&mut self, text: &str) {
        self.dirty = true;
        self.notifier.notify(text);
    }

    /// The next thing that the user wants.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Appends bytes for the terminal; of the lines that wait, about `limit` bytes. What it gives
    /// must be written whole before the process stops or ends.
    pub fn fill(&mut self, out: &mut Vec<u8>, limit: usize) {
        if self.presence == Presence::Behind || !std::mem::take(&mut self.dirty) {
            return;
        }
        let skipped = self.screen.take_skipped();
        if skipped > 0 {
            let text = self.among.skipped(skipped);
            let line = self.style.warning(self.wall_ms, &text);
            self.screen.print_first(line);
        }
        match self.presence {
            Presence::Active => {
                self.notifier.fill(out);
                let frame = self.frame();
                self.screen.draw(out, frame, limit);
                self.dirty = self.screen.waiting_bytes() > 0;
            }
            Presence::Suspended | Presence::Behind | Presence::Left => {
                self.notifier.leave(out);
                self.screen.leave(out);
            }
        }
    }

    /// Bytes of the lines that [`fill`](Terminal::fill) has not given yet: a hint to print no more
    /// for now.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        self.screen.waiting_bytes()
    }

    /// The line being edited, and the cursor's byte in it.
    #[must_use]
    pub fn line(&self) -> (&str, usize) {
        let view = self.editor.view();
        (view.text, view.cursor)
    }

    fn set_presence(&mut self, presence: Presence) {
        self.dirty = true;
        let leaves_behind = self.presence == Presence::Behind && presence == Presence::Left;
        if self.presence != Presence::Left && !leaves_behind {
            self.presence = presence;
        }
    }

    fn take_inputs(&mut self) {
        // Keys that follow are for the room that is seen then.
        while self.among.go.is_none()
            && let Some(input) = self.decoder.poll()
        {
            self.dirty = true;
            self.signs.push(match input {
                Keystroke::Focus(has_it) => Sign::Focus(has_it),
                Keystroke::Key(_) | Keystroke::Paste { .. } => Sign::Key,
            });
            match input {
                Keystroke::Key(key) => self.on_key(key),
                Keystroke::Paste { text, cut } => self.on_paste(&text, cut),
                Keystroke::Focus(_) => {}
            }
        }
    }

    fn on_key(&mut self, key: KeyEvent) {
        if self.room_key(key) {
            return;
        }
        let plain = !key
            .modifiers
            .intersects(Modifiers::CONTROL | Modifiers::ALT);
        let control = |c| key.code == KeyCode::Char(c) && key.modifiers == Modifiers::CONTROL;
        let enter = key.code == KeyCode::Enter || control('j') || control('m');
        if enter && self.actions.len() >= ACTIONS_MAX {
            return self.screen.bell();
        }
        if self.paste.is_some() && !control('z') && !control('l') {
            if enter && let Some(paste) = self.paste.take() {
                self.actions.push_back(Action::Lines(paste.into_lines()));
            } else if (key.code == KeyCode::Escape && plain) || control('c') || control('g') {
                self.paste = None;
            } else {
                self.screen.bell();
            }
            return;
        }
        match self.editor.on_key(key, &self.candidates) {
            Outcome::Nothing => {}
            Outcome::Bell => self.screen.bell(),
            Outcome::Submit(line) => self.actions.push_back(Action::Line(line)),
            Outcome::Interrupt | Outcome::End => self.want_once(Action::Leave),
            Outcome::Suspend => {
                self.suspend();
                self.want_once(Action::Suspend);
            }
            Outcome::Clear => self.screen.clear(),
            Outcome::List(words) => self.print(StyledLine::hanging(words.join("  "), 0)),
        }
    }

    /// Wishes that do not pile up while nobody takes them.
    fn want_once(&mut self, action: Action) {
        if self.actions.back() != Some(&action) {
            self.actions.push_back(action);
        }
    }

    fn on_paste(&mut self, text: &str, cut: bool) {
        let mut lines = paste::lines(text);
        let inserted = match lines.len() {
            0 => return,
            // A single line is inserted as if typed, its newline left to the user.
            1 if self.paste.is_none() && !cut => self.editor.insert(&lines.remove(0)),
            _ => {
                self.paste.get_or_insert_default().add(lines, cut);
                return;
            }
        };
        if inserted == Outcome::Bell {
            let text = "this is too long for one line; it was not pasted";
            self.print_warning(self.wall_ms, text);
        }
    }

    fn print(&mut self, line: StyledLine) {
        self.dirty = true;
        self.screen.print(line);
    }

    fn frame(&self) -> Frame {
        let view = self.editor.view();
        let (cols, rows) = self.screen.size();
        let mut above = Vec::new();
        above.extend(self.status.iter().map(|s| (Look::Dim, s.clone())));
        above.extend(self.paste.iter().flat_map(Paste::preview));
        let label = match view.search {
            Some((query, failing)) => {
                let failing = if failing { "not found" } else { "search" };
                vec![(Look::Dim, format!("({failing}) {query}: "))]
            }
            None => prompt_label(self.names.room(), self.names.nick(), cols),
        };
        let block = PromptParts {
            above,
            bar: self.among.bar(cols),
            label,
            text: view.text,
            cursor: view.cursor,
        };
        layout(&block, cols, rows)
    }
}
