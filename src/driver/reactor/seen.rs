//! Which room a terminal shows, and what it shows of the others: where something is unread, what calls the user, and
//! what went wrong.
//!
//! Owns nothing: the rooms are `rooms`. It never decides what is shown of a room: that is its user's side.

use crate::ui::terminal::{Go, RoomTab};
use crate::ui::visible::{Tab, visible};

use super::Reactor;

impl Reactor {
    /// Brings the room of this place to the front.
    pub(super) fn show(&mut self, to: usize) {
        let from = self.rooms.front();
        self.rooms.set_front(to);
        if !self.process.console().has_terminal() {
            return;
        }
        let tabs = self.tabs_now();
        let now = self.process.now();
        if let Some([old, new]) = self.rooms.pair_mut(from, to) {
            // What was typed behind the key may ask for another room again.
            new.ui_mut().set_rooms(tabs);
            let console = self.process.console_mut();
            console.hand_over(now, old.ui_mut(), new.ui_mut());
        }
    }

    /// Where there is a terminal: what it shows of the rooms that are not in front, and which one is.
    pub(super) fn show_others(&mut self) {
        if !self.process.console().has_terminal() {
            return;
        }
        self.follow_keys();
        self.call();
        let tabs = self.tabs_now();
        if tabs != self.tabs {
            self.tabs.clone_from(&tabs);
            let front = self.rooms.front();
            self.rooms.get_mut(front).ui_mut().set_rooms(tabs);
            self.process.console_mut().note_work();
        }
    }

    /// The rooms as the terminal shows them.
    fn tabs_now(&self) -> Vec<RoomTab> {
        let front = self.rooms.front();
        let one = |at: usize| {
            let room = self.rooms.get(at);
            let (unread, mentions) = room.ui().unread();
            RoomTab {
                name: room.name().to_owned(),
                unread,
                mentions,
                is_front: at == front,
            }
        };
        self.rooms.present().map(one).collect()
    }

    /// Shows the room that the user wants to see.
    fn follow_keys(&mut self) {
        loop {
            let front = self.rooms.front();
            let Some(go) = self.rooms.get_mut(front).ui_mut().take_go() else {
                return;
            };
            let present: Vec<usize> = self.rooms.present().collect();
            let count = present.len();
            let here = present.iter().position(|at| *at == front);
            let to = match (go, here) {
                (Go::Number(n), _) => n.checked_sub(1),
                (Go::Next, Some(here)) => Some((here + 1) % count),
                (Go::Previous, Some(here)) => Some((here + count - 1) % count),
                (Go::Next | Go::Previous, None) => None,
            };
            let to = to.and_then(|n| present.get(n).copied());
            match to.filter(|to| *to != front) {
                Some(to) => self.show(to),
                None => {
                    let now = self.process.now();
                    self.rooms.get_mut(front).ui_mut().stay(now);
                }
            }
        }
    }

    /// What calls the user in a room that is not seen does so where another one is, and what went wrong there is
    /// said here.
    fn call(&mut self) {
        let (front, now) = (self.rooms.front(), self.process.now());
        let is_prompt = self.process.console().is_raw();
        for at in (0..self.rooms.len()).filter(|at| *at != front) {
            let name = visible(self.rooms.get(at).name(), Tab::Escape);
            let ui = self.rooms.get_mut(at).ui_mut();
            let mut call = ui.take_call();
            let mut words = Vec::new();
            while is_prompt && let Some(line) = ui.next_word() {
                words.push(line);
            }
            if !call.rings && call.notice.is_none() && words.is_empty() {
                continue;
            }
            call.notice = call.notice.map(|notice| format!("[{name}] {notice}"));
            let ui = self.rooms.get_mut(front).ui_mut();
            ui.call(call);
            words.iter().for_each(|line| ui.warn(now, line));
            self.process.console_mut().note_work();
        }
    }
}
