//! The prompt as the face of the user interface: what keys ask for, and what waits for stdout as
//! lines above the prompt.
//!
//! This module owns the [`Terminal`], what the user has seen of it, whether the process is to be stopped by Ctrl-Z, and to whom
//! the last `/msg` went. It never decides what is shown, or what becomes of a line; how the prompt
//! works is the business of [`terminal`](super::terminal).

use crate::node::{Now, Time};
use crate::timing::JOINING_IS_LONG;
use crate::wire::Member;

use super::act::Act;
use super::attention::{Attention, Notify};
use super::backlog::Kind;
use super::commands;
use super::config::{Listening, ScreenFacts};
use super::event_data::{HeardMessage, PrivateEvent};
use super::output::{Next, Output};
use super::people::People;
use super::room_state::RoomState;
use super::rooms::RoomCall;
use super::terminal::style::StyledLine;
use super::terminal::{Action, Go, RoomTab, Seat, ShownMessage, Sign, Terminal, TerminalOptions};

/// What stands above the prompt while the room is looked for, and after a while.
const LOOK: &str = "looking for the room …";
const LONG_LOOK: &str = "no room yet …; papo doctor says why";

/// A terminal with a prompt.
#[derive(Debug)]
pub(super) struct Prompt {
    terminal: Terminal,
    /// Ctrl-Z was pressed, or the system wants to stop the process.
    wants_stop: bool,
    /// To whom the last `/msg` went.
    addressee: Option<String>,
    attention: Attention,
    /// Another room is seen: its terminal does what calls the user.
    is_behind: bool,
    /// How the user is to be called there.
    call: RoomCall,
    /// Since when the room is looked for.
    since: Time,
}

impl Prompt {
    /// A prompt that is shown once the output is filled next.
    pub(super) fn new(
        now: Now,
        screen: ScreenFacts,
        listening: &Listening,
        notify: Notify,
    ) -> Prompt {
        let mut terminal = Terminal::new(TerminalOptions {
            cols: screen.cols,
            rows: screen.rows,
            color: screen.color,
            abilities: screen.abilities,
            zone: screen.zone,
            room: listening.room.clone(),
            nick: listening.nick.clone(),
            key: listening.key,
            commands: commands::names().collect(),
            wall_ms: now.wall_ms,
        });
        terminal.set_status(Some(LOOK.to_owned()));
        terminal.set_unread(0);
        Prompt {
            terminal,
            wants_stop: false,
            addressee: None,
            attention: Attention::new(notify),
            is_behind: false,
            call: RoomCall::default(),
            since: now.time,
        }
    }

    /// Bytes of keys came.
    pub(super) fn on_bytes(&mut self, now: Time, bytes: &[u8]) {
        self.terminal.on_bytes(now, bytes);
        self.take_signs();
    }

    /// What the keys and the terminal said of the user.
    fn take_signs(&mut self) {
        let signs = self.terminal.take_signs();
        for sign in &signs {
            match sign {
                Sign::Key => self.attention.on_key(),
                Sign::Focus(is_focused) => self.attention.on_focus(*is_focused),
            }
        }
        if !signs.is_empty() {
            self.terminal.set_unread(self.attention.unread());
        }
    }

    /// When the user is called.
    pub(super) fn notify(&self) -> Notify {
        self.attention.notify()
    }

    /// When the user is called from now on.
    pub(super) fn set_notify(&mut self, notify: Notify) {
        self.attention.set_notify(notify);
    }

    /// The machine slept.
    pub(super) fn note_absence(&mut self) {
        self.attention.on_return();
    }

    /// It is so late by the wall clock.
    pub(super) fn on_time(&mut self, wall_ms: u64) {
        self.attention.on_time(wall_ms);
    }

    /// A message of somebody else is about to be shown: the user is called, if that is wanted. True if a mark
    /// belongs above it, since it came while the user was away.
    pub(super) fn on_message(&mut self, message: &HeardMessage<'_>) -> bool {
        let is_meant = message.is_private || self.terminal.is_named_in(message.text);
        let call = self.attention.on_message(is_meant);
        let (nick, text) = (message.nick, message.text);
        let notice = call.notifies.then(|| match Act::of(text) {
            Some(act) => format!("* {nick} {}", act.words()),
            None => format!("<{nick}> {text}"),
        });
        if self.is_behind {
            self.call.rings |= call.rings;
            self.call.notice = notice.or(self.call.notice.take());
        } else {
            self.ring(call.rings, notice);
        }
        self.terminal.set_unread(self.attention.unread());
        self.attention.is_marked(message.sent_at)
    }

    fn ring(&mut self, rings: bool, notice: Option<String>) {
        if rings {
            self.terminal.ring();
        }
        if let Some(notice) = notice {
            self.terminal.notify(&notice);
        }
    }

    /// How the user is to be called for what came here, since another room is seen.
    pub(super) fn take_call(&mut self) -> RoomCall {
        std::mem::take(&mut self.call)
    }

    /// Calls the user for what came in another room.
    pub(super) fn call(&mut self, call: RoomCall) {
        let looks = self.attention.is_focused() == Some(true);
        self.ring(call.rings, call.notice.filter(|_| !looks));
    }

    /// True while another room is seen.
    pub(super) fn is_behind(&self) -> bool {
        self.is_behind
    }

    /// How much is unread here, and in how much of it the user is meant.
    pub(super) fn unread(&self) -> (u64, u64) {
        (self.attention.unread(), self.attention.mentions())
    }

    /// The rooms of the process in their order, this one among them.
    pub(super) fn set_rooms(&mut self, tabs: Vec<RoomTab>) {
        self.terminal.set_rooms(tabs);
    }

    /// Which room the user wants to see.
    pub(super) fn take_go(&mut self) -> Option<Go> {
        self.terminal.take_go()
    }

    /// Goes on with the keys that waited since the user wanted to see another room, which is not there.
    pub(super) fn go_on(&mut self) {
        self.terminal.go_on();
        self.take_signs();
    }

    /// Another room is seen from now on; what takes the prompt away is appended.
    pub(super) fn go_behind(&mut self, out: &mut Vec<u8>) -> (Seat, Option<bool>) {
        self.is_behind = true;
        self.attention.go_behind();
        (self.terminal.go_behind(out), self.attention.is_focused())
    }

    /// This room is seen from now on.
    pub(super) fn come_to_front(
        &mut self,
        (seat, is_focused): (Seat, Option<bool>),
        (cols, rows): (u16, u16),
    ) {
        self.is_behind = false;
        self.attention.come_to_front(is_focused);
        self.terminal.set_unread(0);
        self.terminal.come_to_front(seat, cols, rows);
        self.take_signs();
    }

    /// Keeps of what waits in `stdout` what is shown once this room is seen.
    pub(super) fn keep(&mut self, (stdout, people): (&mut Output, &People)) {
        while let Some(next) = stdout.next() {
            print(&mut self.terminal, &next, people);
        }
        stdout.on_terminal_filled(0, true);
    }

    /// When [`on_deadline`](Prompt::on_deadline) wants to be called: while half a sequence of keys
    /// has come.
    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.terminal.next_deadline()
    }

    /// The time that [`next_deadline`](Prompt::next_deadline) named has come.
    pub(super) fn on_deadline(&mut self, now: Time) {
        self.terminal.on_deadline(now);
        self.take_signs();
    }

    /// The terminal has another size.
    pub(super) fn on_resize(&mut self, cols: u16, rows: u16) {
        self.terminal.on_resize(cols, rows);
    }

    /// The process is about to be stopped: what is filled next restores the terminal.
    pub(super) fn suspend(&mut self) {
        self.terminal.suspend();
        self.wants_stop = true;
    }

    /// The process goes on after it was stopped.
    pub(super) fn resume(&mut self, cols: u16, rows: u16) {
        self.wants_stop = false;
        self.attention.on_return();
        self.terminal.resume(cols, rows);
    }

    /// Whether the process is to be stopped.
    pub(super) fn wants_stop(&self) -> bool {
        self.wants_stop
    }

    /// The next line that was entered, or the wish to leave. Ctrl-Z is dealt with here.
    pub(super) fn poll_action(&mut self) -> Option<Action> {
        let action = self.terminal.poll_action()?;
        self.wants_stop |= action == Action::Suspend;
        Some(action)
    }

    /// The members as they are now.
    pub(super) fn set_members(&mut self, members: &[Member]) {
        self.terminal.set_members(members);
    }

    /// A `/msg` goes to the member of this name.
    pub(super) fn set_addressee(&mut self, name: String) {
        self.addressee = Some(name);
    }

    /// Prints the whole message again that was folded last. False if there is none.
    pub(super) fn unfold(&mut self) -> bool {
        self.terminal.unfold()
    }

    /// Shows what has come of the history while it comes.
    pub(super) fn show_progress(&mut self, now: Time, node: &dyn RoomState, has_joined: bool) {
        let come = node.history_len();
        if has_joined {
            self.terminal.set_status(None);
        } else if let Some(all) = node.history_expected() {
            self.terminal.set_progress(come as u64, all);
        } else if come > 0 {
            let status = format!("the history comes: {come} messages so far …");
            self.terminal.set_status(Some(status));
        } else if now.since(self.since) >= JOINING_IS_LONG {
            self.terminal.set_status(Some(LONG_LOOK.to_owned()));
        }
    }

    /// What is said on joining, as a notice.
    pub(super) fn welcome(&self, node: &dyn RoomState, again: bool) -> String {
        let coordinator = node.coordinator().map(|c| c.key);
        self.terminal.welcome(coordinator, again)
    }

    /// The line of a message to or from one member alone.
    pub(super) fn style_private(&mut self, said: &PrivateEvent<'_>, people: &People) -> StyledLine {
        let to = match said.own {
            true => self.addressee.take().unwrap_or_default(),
            false => "you".to_owned(),
        };
        self.terminal.style_message(&ShownMessage {
            id: said.from,
            key: said.key,
            nick: said.nick,
            text: said.text,
            sent_ms: said.sent_at,
            own: said.own,
            private_to: Some(&to),
            identity: people.identity(said.key),
            is_another: people.is_another(said.key, said.nick),
        })
    }

    /// Prints what waits in `stdout`, about `limit` bytes of it, and draws the prompt, or takes it
    /// away for good if the user `leaves`.
    pub(super) fn fill(
        &mut self,
        out: &mut Vec<u8>,
        limit: usize,
        leaves: bool,
        (stdout, people): (&mut Output, &People),
    ) {
        if leaves {
            self.terminal.leave();
        }
        let room = limit.saturating_sub(out.len());
        while self.terminal.waiting_bytes() < room
            && let Some(next) = stdout.next()
        {
            print(&mut self.terminal, &next, people);
        }
        let before = out.len();
        self.terminal.fill(out, room);
        let is_all = self.terminal.waiting_bytes() == 0;
        stdout.on_terminal_filled(out.len() - before, is_all);
    }
}

fn print(terminal: &mut Terminal, next: &Next, people: &People) {
    match next {
        Next::Message { message, own } => terminal.print_message(&ShownMessage {
            id: message.from(),
            key: message.origin(),
            nick: message.nick(),
            text: message.text(),
            sent_ms: message.sent_at(),
            own: *own,
            private_to: None,
            identity: people.identity(message.origin()),
            is_another: people.is_another(message.origin(), message.nick()),
        }),
        Next::Lines { at, kind, text } => match kind {
            Kind::Text => terminal.print_text(text),
            Kind::Notice => terminal.print_notice(*at, text),
            Kind::Warning => terminal.print_warning(*at, text),
            Kind::Rule => terminal.print_rule(text),
            Kind::Styled(indent) => terminal.print_styled(
                *at,
                StyledLine {
                    text: text.clone(),
                    indent: *indent,
                    folds: true,
                },
            ),
        },
    }
}
