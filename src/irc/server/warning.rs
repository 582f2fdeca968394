//! What the nodes warn of: lines that are lost, and whatever else people should know.
//!
//! Owns how a warning reads, and nothing else. Others on the network can bring about any number of them: each client
//! is told so many of each kind at once, and of the rest how many they were.

use crate::node::Time;
use crate::ui::repeats::{About, Matter, first_words};
use crate::wire::Key;

use super::super::{SeatId, names};
use super::{Place, Server};

impl Server {
    /// Lines of this author, from one number to another, are given up.
    pub(super) fn on_missed(
        &mut self,
        id: SeatId,
        (key, nick): (Key, &str),
        (first, last): (u64, u64),
    ) {
        let lines = last.saturating_sub(first).saturating_add(1);
        let author = key.to_string();
        let about = About {
            lost: lines,
            ..Matter::Missed.of(&author)
        };
        let nick = names::nick(nick);
        self.warn(
            id,
            about,
            &format!("{lines} lines of {nick} are lost: nobody in reach has them"),
        );
    }

    /// A node warns.
    pub(super) fn on_warning(&mut self, id: SeatId, text: &str) {
        self.warn(id, Matter::Warning.of(first_words(text)), text);
    }

    fn warn(&mut self, id: SeatId, about: About<'_>, text: &str) {
        let Some(seat) = self.seats.get_mut(&id) else {
            return;
        };
        if seat.repeats.admit(self.now.time, about) {
            let (conn, line) = (seat.conn, format!("{}: {text}", seat.channel));
            self.notice(conn, &line);
        }
    }

    /// Says how many warnings were left out a while ago.
    pub(super) fn sum_up(&mut self) {
        let mut due = Vec::new();
        for seat in self
            .seats
            .values_mut()
            .filter(|s| s.place != Place::Leaving)
        {
            for (_, words) in seat.repeats.sum_up(self.now.time) {
                due.push((seat.conn, format!("{}: {words}", seat.channel)));
            }
        }
        for (conn, line) in due {
            self.notice(conn, &line);
        }
    }

    /// When [`sum_up`](Server::sum_up) has something to say.
    pub(super) fn summed_up_at(&self) -> Option<Time> {
        let staying = self.seats.values().filter(|s| s.place != Place::Leaving);
        staying.filter_map(|s| s.repeats.next_deadline()).min()
    }
}
