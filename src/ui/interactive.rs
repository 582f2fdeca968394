//! The prompt in the user's side: keys become lines for [`sending`](super::sending), and what waits
//! for stdout is printed above the prompt.
//!
//! Without [`Ui::open_terminal`] the interactive mode works line by line, as the terminal's own
//! editing gives them. How the prompt works is the business of [`terminal`](super::terminal).

use jiff::tz::TimeZone;

use crate::node::Now;
use crate::wire::Member;

use super::node_view::NodeView;
use super::output::{Kind, Next};
use super::sending::Stage;
use super::terminal::{Action, Message, Options, Terminal};
use super::{Listening, Private, Ui, commands};

/// What the driver knows of the terminal.
#[derive(Clone, Debug)]
pub struct Screen {
    /// Columns; 0 if unknown.
    pub cols: u16,
    /// Rows; 0 if unknown.
    pub rows: u16,
    /// Colours may be used.
    pub color: bool,
    /// Whether the terminal wraps rows anew; see [`reflows`](super::terminal::reflows).
    pub reflows: bool,
    /// Where "local time" is.
    pub zone: TimeZone,
}

impl Ui {
    /// Shows a prompt from now on: stdin gives single keys (raw mode), stdout is the same terminal.
    /// To be called after [`on_listening`](Ui::on_listening), in interactive mode only.
    pub fn open_terminal(&mut self, now: Now, screen: Screen, listening: &Listening) {
        let mut terminal = Terminal::new(Options {
            cols: screen.cols,
            rows: screen.rows,
            color: screen.color,
            reflows: screen.reflows,
            zone: screen.zone,
            room: listening.room.clone(),
            nick: listening.nick.clone(),
            key: listening.key,
            commands: commands::names().collect(),
            wall_ms: now.wall_ms,
        });
        terminal.set_status(Some("looking for the room …".to_owned()));
        self.terminal = Some(terminal);
    }

    /// True while the prompt owns the terminal: raw mode is to be set exactly as long.
    #[must_use]
    pub fn has_prompt(&self) -> bool {
        self.terminal.is_some() && !self.wants_stop && self.reads_input()
    }

    /// The terminal has another size (SIGWINCH).
    pub fn on_resize(&mut self, cols: u16, rows: u16) {
        if let Some(terminal) = &mut self.terminal {
            terminal.on_resize(cols, rows);
        }
    }

    /// The process is about to be stopped (SIGTSTP): what
    /// [`fill_stdout`](Ui::fill_stdout) gives next restores the terminal.
    pub fn on_suspend(&mut self) {
        if let Some(terminal) = &mut self.terminal {
            terminal.suspend();
            self.wants_stop = true;
        }
    }

    /// Whether the process is to stop, by Ctrl-Z or [`on_suspend`](Ui::on_suspend), once everything
    /// for stdout is written and the terminal's mode is restored.
    #[must_use]
    pub fn wants_stop(&self) -> bool {
        self.wants_stop
    }

    /// The process goes on after it was stopped (SIGCONT).
    pub fn on_resume(&mut self, cols: u16, rows: u16) {
        self.wants_stop = false;
        if let Some(terminal) = &mut self.terminal {
            terminal.resume(cols, rows);
        }
    }

    /// A line for stderr while stderr is the terminal with the prompt: printed above it. False if
    /// there is no prompt, and stderr is free.
    pub fn log(&mut self, now: Now, line: &str) -> bool {
        let shown = self.has_prompt();
        if shown {
            self.push_kind(now, Kind::Notice, line);
        }
        shown
    }

    pub(super) fn on_keys(&mut self, now: Now, bytes: &[u8]) {
        if let Some(terminal) = &mut self.terminal {
            terminal.on_bytes(now.time, bytes);
        }
        self.take_actions(now);
    }

    /// Takes what the keys asked for, as far as there is room for lines.
    pub(super) fn take_actions(&mut self, now: Now) {
        while self.reads_input()
            && self.pending.has_room()
            && let Some(action) = self.terminal.as_mut().and_then(Terminal::poll_action)
        {
            match action {
                Action::Line(line) => self.take_bytes(now, (line + "\n").as_bytes()),
                Action::Lines(lines) => {
                    for line in lines {
                        // What is pasted is never a command.
                        let slash = if line.starts_with('/') && self.config.commands {
                            "/"
                        } else {
                            ""
                        };
                        self.take_bytes(now, format!("{slash}{line}\n").as_bytes());
                    }
                }
                Action::Suspend => self.wants_stop = true,
                Action::Leave => self.stop(now),
            }
        }
    }

    pub(super) fn set_members(&mut self, members: &[Member]) {
        self.stdout.set_members(members);
        if let Some(terminal) = &mut self.terminal {
            terminal.set_members(members);
        }
    }

    /// Shows what has come of the history while it comes.
    pub(super) fn show_progress(&mut self, node: &dyn NodeView) {
        let Some(terminal) = &mut self.terminal else {
            return;
        };
        let come = node.history_len();
        if self.joined {
            terminal.set_status(None);
        } else if let Some(all) = node.history_expected() {
            terminal.set_progress(come as u64, all);
        } else if come > 0 {
            terminal.set_status(Some(format!("the history comes: {come} messages so far …")));
        }
    }

    pub(super) fn welcome(&mut self, now: Now, again: bool, node: &dyn NodeView) {
        if let Some(terminal) = &self.terminal {
            let text = terminal.welcome(node.coordinator().map(|c| c.key), again);
            self.push_kind(now, Kind::Notice, &text);
        }
    }

    pub(super) fn show_private_styled(&mut self, said: &Private<'_>) {
        let to = match said.own {
            true => self.addressee.take().unwrap_or_default(),
            false => "you".to_owned(),
        };
        let Some(terminal) = &self.terminal else {
            return;
        };
        let line = terminal.style_message(&Message {
            id: said.from,
            key: said.key,
            nick: said.nick,
            text: said.text,
            sent_ms: said.sent_at,
            own: said.own,
            private_to: Some(&to),
        });
        self.stdout
            .push_kind(said.sent_at, Kind::Styled, line.into_bytes());
    }

    pub(super) fn push_kind(&mut self, now: Now, kind: Kind, text: &str) {
        if self.sending.stage != Stage::Gone {
            let text = text.as_bytes().to_vec();
            self.stdout.push_kind(now.wall_ms, kind, text);
        }
    }

    /// Prints what waits, about `limit` bytes of it, and draws the prompt.
    pub(super) fn fill_terminal(&mut self, out: &mut Vec<u8>, limit: usize) {
        let leaves = !self.reads_input();
        let Some(terminal) = &mut self.terminal else {
            return;
        };
        if leaves {
            terminal.leave();
        }
        let room = limit.saturating_sub(out.len());
        while terminal.waiting_bytes() < room
            && let Some(next) = self.stdout.next()
        {
            print(terminal, &next);
        }
        let before = out.len();
        terminal.fill(out, room);
        let is_all = terminal.waiting_bytes() == 0;
        self.stdout.on_terminal_filled(out.len() - before, is_all);
    }
}

fn print(terminal: &mut Terminal, next: &Next) {
    match next {
        Next::Message { message, own } => terminal.print_message(&Message {
            id: message.from(),
            key: message.origin(),
            nick: message.nick(),
            text: message.text(),
            sent_ms: message.sent_at(),
            own: *own,
            private_to: None,
        }),
        Next::Lines { at, kind, text } => match kind {
            Kind::Text => terminal.print_text(text),
            Kind::Notice => terminal.print_notice(*at, text),
            Kind::Warning => terminal.print_warning(*at, text),
            Kind::Styled => terminal.print_styled(*at, text.clone()),
        },
    }
}
