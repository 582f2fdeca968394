//! What the user wants of the rooms: to join one, to leave one, to see another one.
//!
//! Owns nothing: the rooms are `rooms`, and how one is opened, or ends, is its own business. It never decides what
//! a room is joined with: that is for whoever has the command line.

use crate::limits::ROOMS_MAX;
use crate::ui::RoomWish;
use crate::ui::visible::{Tab, visible};

use super::super::start_error::StartError;
use super::super::status::STATUS_FAILED;
use super::room::Room;
use super::{Reactor, seen};

impl Reactor {
    /// Does what the user wants of the rooms.
    pub(super) fn follow_wishes(&mut self) {
        for at in 0..self.rooms.len() {
            if let Some(wish) = self.rooms.get_mut(at).ui_mut().take_wish() {
                self.follow(at, wish);
                // What the user said after that is gone on with.
                self.process.console_mut().note_work();
            }
        }
    }

    /// Does what the user wanted in the room of this place.
    fn follow(&mut self, at: usize, wish: RoomWish) {
        let done = match wish {
            RoomWish::Leave => {
                self.leave_all(false);
                Ok(())
            }
            RoomWish::List => {
                let list = self.list();
                self.rooms.get_mut(at).tell(&list);
                Ok(())
            }
            RoomWish::Show(name) => {
                let found = self.find("/room", &name);
                found.map(|to| self.go(at, to))
            }
            RoomWish::Part(name) if name.is_empty() => {
                self.part(at);
                Ok(())
            }
            RoomWish::Part(name) => {
                let found = self.find("/part", &name);
                found.map(|which| self.part(which))
            }
            RoomWish::Join { room, secret } => self.join(at, &room, secret.as_deref()),
        };
        if let Err(why) = done {
            self.rooms.get_mut(at).refuse(&why);
        }
    }

    /// Each room is left in good order; `quiet`: since nobody reads what is printed.
    pub(super) fn leave_all(&mut self, quiet: bool) {
        let now = self.process.now();
        for room in self.rooms.iter_mut() {
            room.ui_mut().on_stop(now, quiet);
        }
    }

    /// The rooms with their numbers, as the user reads them.
    fn list(&self) -> String {
        let front = self.rooms.front();
        let one = |(n, at): (usize, usize)| {
            let name = visible(self.rooms.get(at).name(), Tab::Escape);
            let mark = if at == front { " (here)" } else { "" };
            format!("{} {name}{mark}", n + 1)
        };
        let all: Vec<String> = self.rooms.present().enumerate().map(one).collect();
        format!("rooms: {}; /room shows another one", all.join(", "))
    }

    /// The place of the room of this name or number.
    fn find(&self, command: &str, name: &str) -> Result<usize, String> {
        let numbered = || {
            let n = name.parse::<usize>().ok()?.checked_sub(1)?;
            self.rooms.present().nth(n)
        };
        (self.rooms.named(name).or_else(numbered)).ok_or_else(|| {
            let name = visible(name, Tab::Escape);
            format!("{command} {name}: this is none of your rooms; /room lists them")
        })
    }

    /// The room of one place was in front, and that of another one is from now on: lines that were read and wait
    /// are for that one.
    pub(super) fn go(&mut self, from: usize, to: usize) {
        if from != to {
            let lines = self.rooms.get_mut(from).ui_mut().take_lines();
            if self.rooms.get(to).ui().takes_lines() {
                self.rooms.get_mut(to).ui_mut().give_lines(lines);
            } else {
                let ui = self.rooms.get_mut(from).ui_mut();
                ui.give_lines(lines);
                ui.drop_lines();
            }
        }
        seen::show(&mut self.process, &mut self.rooms, to);
    }

    /// Leaves the room of this place; the last one is left as papo is.
    fn part(&mut self, which: usize) {
        if !self.yields(which) {
            return self.leave_all(false);
        }
        let now = self.process.now();
        self.rooms.get_mut(which).part(now);
    }

    /// If the room of this place is in front, another one is from now on. False if there is none.
    pub(super) fn yields(&mut self, which: usize) -> bool {
        let other = self.neighbour(which);
        if let Some(other) = other
            && which == self.rooms.front()
        {
            self.go(which, other);
        }
        other.is_some()
    }

    /// The room next to that of this place in which the user stays, the one before it rather than the one behind it.
    fn neighbour(&self, which: usize) -> Option<usize> {
        let others = (self.rooms.present()).filter(|at| self.rooms.get(*at).ui().stays());
        others
            .filter(|at| *at != which)
            .min_by_key(|at| (*at > which, at.abs_diff(which)))
    }

    /// Joins a room, and brings it to the front. `at` is where the user said that.
    fn join(&mut self, at: usize, name: &str, secret: Option<&str>) -> Result<(), String> {
        let shown = visible(name, Tab::Escape);
        let fail = |why: String| format!("/join {shown}: {why}");
        let config = self.joins.config(name, secret).map_err(fail)?;
        if let Some(there) = self.rooms.named(&config.room) {
            if secret.is_some() {
                let why = "you are in it already; /part leaves it, and then it can be joined with another secret";
                return Err(fail(why.into()));
            }
            self.go(at, there);
            return Ok(());
        }
        let has_file = |room: &Room| room.name() == config.room && room.has_store();
        if self.rooms.iter().any(has_file) {
            let why = "its store is still being closed; try again in a moment";
            return Err(fail(why.into()));
        }
        if !self.rooms.has_place() {
            let why = format!("so many rooms are the most: {ROOMS_MAX}; /part leaves one");
            return Err(fail(why));
        }
        self.open(&config).map_err(|e| fail(e.to_string()))?;
        self.go(at, self.rooms.len() - 1);
        Ok(())
    }

    /// What a room has met with does not let it go on: the others do.
    pub(super) fn fail(&mut self, at: usize, why: &StartError) {
        self.worst = self.worst.max(STATUS_FAILED);
        self.yields(at);
        let room = self.rooms.get_mut(at);
        room.fail();
        if self.process.console().has_terminal() {
            let name = visible(self.rooms.get(at).name(), Tab::Escape);
            let front = self.rooms.front();
            let mut words = format!("[{name}] {why}");
            if let StartError::Locked(_) = why {
                words += &format!("; /join {name} FILE joins it with the secret in a file");
            }
            self.rooms.get_mut(front).refuse(&words);
        } else {
            self.rooms.get_mut(at).refuse(&why.to_string());
        }
    }

    /// Rooms whose nodes have left end, while the others go on.
    pub(super) fn end_rooms(&mut self) {
        let now = self.process.now();
        let has_ended = |room: &Room| room.has_left() && !room.is_ending();
        for at in 0..self.rooms.len() {
            if has_ended(self.rooms.get(at)) {
                self.yields(at);
                self.rooms.get_mut(at).begin_ending(now.time);
            }
        }
        while let Some(mut room) = self.rooms.take_ended() {
            self.process.console_mut().forget(room.no());
            self.worst = self.worst.max(room.end(&self.process));
        }
    }
}
