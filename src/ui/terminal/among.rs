//! The terminal of one room among those of the other rooms of the process, of which one is seen.
//!
//! This module owns which rooms there are, as this one was told, and which of them the user wants to see. It never
//! changes which is seen: whoever has the rooms does.

use termina::event::{KeyCode, KeyEvent, Modifiers};

use super::data::{Go, RoomTab};
use super::input::Decoder;
use super::layout::{shortened, width};
use super::notify::Shown;
use super::style::Look;
use super::{Presence, Terminal};

/// Columns of a room's name where not all rooms have room for theirs.
const NAME_WIDTH: usize = 8;
/// What stands between two rooms.
const GAP: &str = "  ";

/// The other rooms, as one terminal knows them.
#[derive(Debug, Default)]
pub(super) struct Among {
    /// All rooms in their order, this one among them; empty if there is no other.
    tabs: Vec<RoomTab>,
    /// What the user wants to see.
    pub(super) go: Option<Go>,
    /// How much is unread here.
    pub(super) unread: u64,
    /// Another room was seen before this one was.
    was_behind: bool,
}

/// What goes from the terminal of one room to that of another which is seen from now on: what was typed and not
/// used, and what stands outside the screen.
#[derive(Debug, Default)]
pub struct Seat {
    decoder: Decoder,
    shown: Shown,
}

impl Among {
    /// How much is unread in the other rooms.
    pub(super) fn unread_elsewhere(&self) -> u64 {
        let others = self.tabs.iter().filter(|tab| !tab.is_front);
        others.map(|tab| tab.unread).sum()
    }

    /// What is said of lines that were skipped.
    pub(super) fn skipped(&mut self, count: u64) -> String {
        match std::mem::take(&mut self.was_behind) {
            true => format!("{count} earlier lines are not shown; /history has what was said"),
            false => format!("{count} lines were skipped, since nobody read them"),
        }
    }

    /// The row that shows which rooms there are: the one that is seen in brackets, and how much is unread in the
    /// others, with a mark if the user is meant. What does not fit is said in fewer words.
    pub(super) fn bar(&self, cols: usize) -> Vec<(Look, String)> {
        let loud = |tab: &RoomTab| tab.is_front || tab.unread > 0;
        let forms = [
            bar(&self.tabs, |_| true, usize::MAX),
            bar(&self.tabs, |_| true, NAME_WIDTH),
            bar(&self.tabs, loud, NAME_WIDTH),
        ];
        let fits = |bar: &Vec<(Look, String)>| {
            let used: usize = bar.iter().map(|(_, text)| width(text)).sum();
            used <= cols
        };
        let least = bar(&self.tabs, loud, 0);
        forms.into_iter().find(fits).unwrap_or(least)
    }
}

/// The rooms of which `names` holds are shown, with so many columns of their names at the most.
fn bar(tabs: &[RoomTab], names: impl Fn(&RoomTab) -> bool, most: usize) -> Vec<(Look, String)> {
    let mut spans: Vec<(Look, String)> = Vec::new();
    for (n, tab) in tabs.iter().enumerate().filter(|(_, tab)| names(tab)) {
        if !spans.is_empty() {
            spans.push((Look::Dim, GAP.to_owned()));
        }
        let most = if tab.is_front {
            most.max(NAME_WIDTH)
        } else {
            most
        };
        let name = match most {
            0 => String::new(),
            _ => format!(" {}", shortened(&tab.name, most)),
        };
        let unread = match (tab.unread, tab.mentions) {
            _ if tab.is_front => String::new(),
            (0, _) => String::new(),
            (unread, 0) => format!(" ({unread})"),
            (unread, _) => format!(" ({unread}!)"),
        };
        let text = format!("{}{name}{unread}", n + 1);
        spans.push(match tab {
            tab if tab.is_front => (Look::Strong, format!("[{text}]")),
            tab if tab.mentions > 0 => (Look::Strong, text),
            tab if tab.unread > 0 => (Look::Plain, text),
            _ => (Look::Dim, text),
        });
    }
    spans
}

impl Terminal {
    /// The terminal's title, where it has one: the room, and how much in it is unread.
    pub fn set_unread(&mut self, unread: u64) {
        let room = self.names.room();
        self.dirty = true;
        self.among.unread = unread;
        self.notifier
            .set_title(&match unread + self.among.unread_elsewhere() {
                0 => format!("{room} – papo"),
                n => format!("({n}) {room} – papo"),
            });
    }

    /// The rooms of the process in their order, this one among them.
    pub fn set_rooms(&mut self, tabs: Vec<RoomTab>) {
        let tabs = if tabs.len() > 1 { tabs } else { Vec::new() };
        if self.among.tabs != tabs {
            self.candidates.rooms = tabs.iter().map(|tab| tab.name.clone()).collect();
            self.among.tabs = tabs;
            // The title counts all that is unread.
            self.set_unread(self.among.unread);
        }
    }

    /// Which room the user wants to see. The keys that came after that wait for whoever is given the [`Seat`].
    pub fn take_go(&mut self) -> Option<Go> {
        self.among.go.take()
    }

    /// Goes on with the keys that waited.
    pub fn go_on(&mut self) {
        self.take_inputs();
    }

    /// Another room is seen from now on: what takes the prompt away is appended.
    pub fn go_behind(&mut self, out: &mut Vec<u8>) -> Seat {
        let mut seat = Seat {
            decoder: std::mem::take(&mut self.decoder),
            ..Seat::default()
        };
        self.notifier.hand_over(&mut seat.shown);
        self.screen.step_back(out);
        self.among.was_behind = true;
        if self.presence == Presence::Active {
            self.presence = Presence::Behind;
        }
        seat
    }

    /// This room is seen from now on, in a terminal of this size, and gets the keys.
    pub fn come_to_front(&mut self, seat: Seat, cols: u16, rows: u16) {
        self.decoder = seat.decoder;
        self.notifier.take_over(seat.shown);
        self.on_resize(cols, rows);
        self.screen.step_forward();
        if self.presence == Presence::Behind {
            self.presence = Presence::Active;
        }
        self.take_inputs();
    }

    /// True if this key asks for another room, of which there are some.
    pub(super) fn room_key(&mut self, key: KeyEvent) -> bool {
        let go = match (key.code, key.modifiers) {
            _ if self.among.tabs.is_empty() => return false,
            (KeyCode::Char('n'), Modifiers::CONTROL) => Go::Next,
            (KeyCode::Char('p'), Modifiers::CONTROL) => Go::Previous,
            (KeyCode::Char(c @ '1'..='9'), Modifiers::ALT) => {
                Go::Number(c.to_digit(10).unwrap_or(0) as usize)
            }
            _ => return false,
        };
        let is_there = !matches!(go, Go::Number(n) if n > self.among.tabs.len());
        if self.paste.is_none() && is_there {
            self.among.go = Some(go);
        } else {
            self.screen.bell();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tab(name: &str, unread: u64, mentions: u64, is_front: bool) -> RoomTab {
        RoomTab {
            name: name.to_owned(),
            unread,
            mentions,
            is_front,
        }
    }

    #[test]
    fn the_row_of_the_rooms_fits_and_says_where_something_is_unread() {
        let among = Among {
            tabs: vec![
                tab("lobby", 3, 0, false),
                tab("the kitchen", 9, 9, true),
                tab("quiet corner", 0, 0, false),
                tab("operations", 12, 1, false),
            ],
            ..Among::default()
        };
        let shown = |cols| {
            let spans = among.bar(cols);
            spans
                .iter()
                .map(|(_, text)| text.as_str())
                .collect::<String>()
        };
        let all = "1 lobby (3)  [2 the kitchen]  3 quiet corner  4 operations (12!)";
        assert_eq!(shown(200), all);
        assert_eq!(shown(all.len()), all);
        assert_eq!(
            shown(63),
            "1 lobby (3)  [2 the kit…]  3 quiet c…  4 operati… (12!)"
        );
        assert_eq!(shown(45), "1 lobby (3)  [2 the kit…]  4 operati… (12!)");
        assert_eq!(shown(40), "1 (3)  [2 the kit…]  4 (12!)");
        assert_eq!(among.unread_elsewhere(), 15);
        assert!(Among::default().bar(80).is_empty());
    }
}
