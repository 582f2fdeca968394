//! Which room a terminal shows, and what it shows of the others: where something is unread, what calls the user, and
//! what went wrong.
//!
//! Owns what the terminal was shown of the rooms. It never decides what is shown of a room: that is its user's side.

use crate::ui::terminal::{Go, RoomTab};
use crate::ui::visible::{Tab, visible};

use super::process::Process;
use super::rooms::Rooms;

/// What a terminal shows of the rooms.
#[derive(Default)]
pub(super) struct Seen {
    /// The rooms as they stand beside the prompt.
    tabs: Vec<RoomTab>,
}

/// Brings the room of this place to the front.
pub(super) fn show(process: &mut Process, rooms: &mut Rooms, to: usize) {
    let from = rooms.front();
    rooms.set_front(to);
    if !process.console().has_terminal() {
        return;
    }
    let tabs = tabs_of(rooms);
    let now = process.now();
    if let Some([old, new]) = rooms.pair_mut(from, to) {
        // What was typed behind the key may ask for another room again.
        new.ui_mut().set_rooms(tabs);
        let console = process.console_mut();
        console.hand_over(now, old.ui_mut(), new.ui_mut());
    }
}

/// The rooms as the terminal shows them.
fn tabs_of(rooms: &Rooms) -> Vec<RoomTab> {
    let front = rooms.front();
    let one = |at: usize| {
        let room = rooms.get(at);
        let (unread, mentions) = room.ui().unread();
        RoomTab {
            name: room.name().to_owned(),
            unread,
            mentions,
            is_front: at == front,
        }
    };
    rooms.present().map(one).collect()
}

impl Seen {
    /// Where there is a terminal: what it shows of the rooms that are not in front, and which one is.
    pub(super) fn show_others(&mut self, process: &mut Process, rooms: &mut Rooms) {
        if !process.console().has_terminal() {
            return;
        }
        follow_keys(process, rooms);
        call(process, rooms);
        let tabs = tabs_of(rooms);
        if tabs != self.tabs {
            self.tabs.clone_from(&tabs);
            let front = rooms.front();
            rooms.get_mut(front).ui_mut().set_rooms(tabs);
            process.console_mut().note_work();
        }
    }
}

/// Shows the room that the user wants to see.
fn follow_keys(process: &mut Process, rooms: &mut Rooms) {
    loop {
        let front = rooms.front();
        let Some(go) = rooms.get_mut(front).ui_mut().take_go() else {
            return;
        };
        let present: Vec<usize> = rooms.present().collect();
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
            Some(to) => show(process, rooms, to),
            None => rooms.get_mut(front).ui_mut().stay(process.now()),
        }
    }
}

/// What calls the user in a room that is not seen does so where another one is, and what went wrong there is said
/// here.
fn call(process: &mut Process, rooms: &mut Rooms) {
    let (front, now) = (rooms.front(), process.now());
    let is_prompt = process.console().is_raw();
    for at in (0..rooms.len()).filter(|at| *at != front) {
        let name = visible(rooms.get(at).name(), Tab::Escape);
        let ui = rooms.get_mut(at).ui_mut();
        let mut call = ui.take_call();
        let mut words = Vec::new();
        while is_prompt && let Some(line) = ui.next_word() {
            words.push(line);
        }
        if !call.rings && call.notice.is_none() && words.is_empty() {
            continue;
        }
        call.notice = call.notice.map(|notice| format!("[{name}] {notice}"));
        let ui = rooms.get_mut(front).ui_mut();
        ui.call(call);
        words.iter().for_each(|line| ui.warn(now, line));
        process.console_mut().note_work();
    }
}
