//! What the user's side is asked by whoever runs it: about the store, about the other rooms of the process, and when
//! papo ends. It is a part of [`Ui`], of which each call is a question or an answer.
//!
//! Owns nothing of its own. It reads no store, knows no other room, and waits for nothing.

use crate::node::Now;
use crate::wire::{ChatMessage, Position};

use super::prompt::Prompt;
use super::queued_lines::QueuedLines;
use super::room_state::RoomState;
use super::rooms::{RoomCall, RoomWish};
use super::searching::{self, FoundInStore};
use super::terminal::{Go, RoomTab, Seat};
use super::{Ui, text};

/// What goes from the prompt of one room to that of another which is seen from now on.
#[derive(Debug)]
pub struct Handover((Seat, Option<bool>));

/// Lines that were read for one room and are meant for another.
#[derive(Debug)]
pub struct ReadLines(QueuedLines);

/// The store.
impl Ui {
    /// What the node shows from now on is in a store: what has no room in memory may be left there.
    pub fn has_store(&mut self) {
        self.searching.on_store();
        self.display.stdout_mut().has_store();
    }

    /// What is to be fetched from the store before more can be printed: after the one position, and up to
    /// the other.
    pub fn wants_stored(&mut self) -> Option<(Position, Position)> {
        self.display.stdout_mut().wanted()
    }

    /// True if a message at this position is among what [`wants_stored`](Ui::wants_stored) named.
    #[must_use]
    pub fn is_wanted_of_store(&self, position: Position) -> bool {
        self.display.stdout().is_wanted(position)
    }

    /// Takes in what was fetched from the store: all that was found of what
    /// [`wants_stored`](Ui::wants_stored) named up to this position, in the history's order.
    pub fn give_stored(&mut self, mut found: Vec<ChatMessage>, upto: Position) {
        let people = self.display.people();
        found.retain(|message| self.showing.wants(message, people));
        self.display.stdout_mut().give(found, upto);
    }

    /// The words that are to be looked for in the store, among what is not in memory. The answer is
    /// [`give_search`](Ui::give_search), before which there are no others.
    pub fn next_search(&mut self) -> Option<String> {
        self.searching.next()
    }

    /// What the store has of what was looked for; None if it could not be searched.
    pub fn give_search(&mut self, now: Now, node: &dyn RoomState, found: Option<FoundInStore>) {
        let Some(words) = self.searching.end() else {
            return;
        };
        if found.is_none() {
            let why = "the store could not be searched; this is what is in memory";
            self.display.warn(now, why);
        }
        let parts = (&mut self.display, &self.showing);
        searching::show(parts, now, node, &words, found);
    }
}

/// The other rooms.
impl Ui {
    /// The process is in several rooms: each line and each event names this one from now on.
    pub fn name_room(&mut self, room: &str) {
        self.display.name_room(room);
    }

    /// What the user wants of the rooms; nothing more is done for the user here until this is asked.
    pub fn take_wish(&mut self) -> Option<RoomWish> {
        self.wish.take()
    }

    /// True once stdin is at its end, and nothing that was read of it waits.
    #[must_use]
    pub fn has_said_all(&self) -> bool {
        self.sending.has_said_all()
    }

    /// True unless the user wants to leave, or has left.
    #[must_use]
    pub fn stays(&self) -> bool {
        self.sending.stays()
    }

    /// True unless the node was told to leave.
    #[must_use]
    pub fn takes_lines(&self) -> bool {
        self.sending.takes_lines()
    }

    /// The lines that were read and wait, for another room.
    pub fn take_lines(&mut self) -> ReadLines {
        ReadLines(self.sending.hand_over())
    }

    /// Takes lines that were read for another room.
    pub fn give_lines(&mut self, lines: ReadLines) {
        self.sending.take_over(lines.0);
    }

    /// The lines that wait are for a room that takes none any more: they are not sent.
    pub fn drop_lines(&mut self) {
        self.sending.drop_lines();
    }

    /// How many messages were shown since the last call of those that the user counts (`--count`).
    pub fn take_counted(&mut self) -> u64 {
        self.showing.take_counted()
    }

    /// So many of the messages that the user counts were shown by another room.
    pub fn count_elsewhere(&mut self, now: Now, count: u64) {
        self.showing.count_elsewhere(count);
        if self.showing.is_done() {
            self.stop(now);
        }
    }

    /// True while something waits for stdout or stderr.
    #[must_use]
    pub fn has_output(&self) -> bool {
        self.display.has_output()
    }

    /// How much is unread at the prompt, and in how much of it the user is meant.
    #[must_use]
    pub fn unread(&self) -> (u64, u64) {
        self.display.prompt().map_or((0, 0), Prompt::unread)
    }

    /// The rooms of the process in their order, this one among them.
    pub fn set_rooms(&mut self, tabs: Vec<RoomTab>) {
        if let Some(prompt) = self.display.prompt_mut() {
            prompt.set_rooms(tabs);
        }
    }

    /// Which room the user wants to see, by a key. The keys that came after it are for that one.
    pub fn take_go(&mut self) -> Option<Go> {
        self.display.prompt_mut().and_then(Prompt::take_go)
    }

    /// There is no other room to see.
    pub fn stay(&mut self, now: Now) {
        if let Some(prompt) = self.display.prompt_mut() {
            prompt.go_on();
            self.take_actions(now);
        }
    }

    /// Another room is seen from now on; what takes the prompt away is appended.
    pub fn go_behind(&mut self, out: &mut Vec<u8>) -> Handover {
        let prompt = self.display.prompt_mut();
        Handover(
            prompt
                .map(|prompt| prompt.go_behind(out))
                .unwrap_or_default(),
        )
    }

    /// This room is seen from now on, in a terminal of this size; its user types on where another room was seen.
    pub fn come_to_front(&mut self, now: Now, from: Handover, size: (u16, u16)) {
        if let Some(prompt) = self.display.prompt_mut() {
            prompt.come_to_front(from.0, size);
            self.take_actions(now);
        }
    }

    /// While another room is seen: keeps, of what is to be shown, as much as is shown once this one is.
    pub fn keep_behind(&mut self) {
        self.display.keep_behind();
    }

    /// While another room is seen: how the user is to be called for what came here.
    pub fn take_call(&mut self) -> RoomCall {
        let prompt = self.display.prompt_mut();
        prompt.map(Prompt::take_call).unwrap_or_default()
    }

    /// Calls the user for what came in another room.
    pub fn call(&mut self, call: RoomCall) {
        if let Some(prompt) = self.display.prompt_mut() {
            prompt.call(call);
        }
    }

    /// While another room is seen: the next thing that the user is to read on stderr, without who says it.
    pub fn next_word(&mut self) -> Option<String> {
        self.display.next_word()
    }
}

/// The end: what was not done by then.
impl Ui {
    /// How many messages are not written to stdout, and nothing was said of them: none if the reader
    /// went away, since nobody misses them.
    #[must_use]
    pub fn unprinted(&self) -> u64 {
        self.display.stdout().unprinted()
    }

    /// True if messages were skipped, and it was said: stdout took them too slowly, and they were kept nowhere else.
    #[must_use]
    pub fn has_skipped(&self) -> bool {
        self.display.stdout().has_skipped()
    }

    /// How many messages were dropped since stdout takes no more.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.display.stdout().dropped()
    }

    /// Papo ends since stdout could not be written to, and so many messages with it.
    pub fn say_failed(&mut self, reason: &str, count: u64) {
        let lines = match count {
            0 => String::new(),
            count => format!("; {} not printed", text::count(count, "line")),
        };
        let words = format!(
            "cannot write to stdout: {reason}{lines}; make room for it, or send it elsewhere"
        );
        self.display.say_on_stderr(&words);
    }

    /// Papo ends, and nobody has read so many messages.
    pub fn say_unprinted(&mut self, count: u64) {
        self.say_not_printed(count, "nobody read the output");
    }

    /// Papo ends since its time is over, and so many messages were not read yet.
    pub fn say_read_late(&mut self, count: u64) {
        self.say_not_printed(count, "the output was not read in time (--timeout)");
    }

    fn say_not_printed(&mut self, count: u64, why: &str) {
        let lines = text::count(count, "line");
        let words = format!("{lines} not printed: {why}");
        self.display.say_on_stderr(&words);
    }

    /// Papo ends, and for so many messages a command has not ended, or was not run.
    pub fn say_unrun(&mut self, count: u64) {
        let commands = text::count(count, "command");
        let words = format!("--exec: {commands} not waited for: they took too long");
        self.display.say_on_stderr(&words);
    }
}
