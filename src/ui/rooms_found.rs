//! The rooms that `papo scan` heard: what is said of each, as text and as JSON.
//!
//! This module owns the list of these rooms, and writes into memory only. It never asks the network
//! anything, and never shows a name from the network as it came: such names are made visible in
//! text.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::limits;
use crate::wire::{Address, Coordinator, Id, Key};

use super::json;
use super::visible::{Tab, push};

/// A room as its coordinator's HEARTBEAT describes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeardRoom {
    /// The room's name; `None` for a locked room without its secret.
    pub name: Option<String>,
    /// Whether the room is locked.
    pub locked: bool,
    /// How many members the room has, and who coordinates; `None` for a locked room without its secret.
    pub told: Option<(u64, Coordinator)>,
    /// The host that the datagram came from.
    pub host: std::net::IpAddr,
}

impl HeardRoom {
    fn address(&self) -> String {
        match self.told.as_ref().and_then(|(_, c)| c.addresses.first()) {
            Some(Address(at)) => at.to_string(),
            None => self.host.to_string(),
        }
    }
}

/// The event `room`; what a lock hides is `None`.
#[derive(Debug, Serialize)]
struct RoomEvent<'a> {
    /// The room's name.
    room: Option<&'a str>,
    /// Whether it is locked.
    locked: bool,
    /// How many members the room has.
    members: Option<u64>,
    /// Who coordinates.
    coordinator: Option<Id>,
    /// The coordinator's key.
    #[serde(serialize_with = "optional_key")]
    key: Option<Key>,
    /// Where the coordinator can be reached.
    address: String,
}

// serde hands the field over by reference.
#[allow(clippy::ref_option, clippy::trivially_copy_pass_by_ref)]
fn optional_key<S: Serializer>(key: &Option<Key>, s: S) -> Result<S::Ok, S::Error> {
    match key {
        Some(key) => s.collect_str(key),
        None => s.serialize_none(),
    }
}

/// All rooms heard.
#[derive(Debug, Default)]
pub struct Rooms {
    /// The rooms by what tells them apart: a name and a coordinator, or a tag and a host.
    heard: BTreeMap<(Option<String>, u64), HeardRoom>,
}

impl Rooms {
    /// The names that are known, each once.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let names = self.heard.values().filter_map(|room| room.name.clone());
        let mut names: Vec<String> = names.collect();
        names.dedup();
        names
    }

    /// Notes a room; `mark` tells rooms of one name apart.
    pub fn hear(&mut self, mark: u64, room: HeardRoom) {
        let key = (room.name.clone(), mark);
        if self.heard.len() < limits::ROOMS_FOUND_MAX || self.heard.contains_key(&key) {
            self.heard.insert(key, room);
        }
    }

    /// Forgets all but those of this name, and locked ones whose names are not known.
    pub fn keep(&mut self, name: &str) {
        self.heard
            .retain(|_, room| room.name.as_deref().is_none_or(|own| own == name));
    }

    /// True if none was heard.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heard.is_empty()
    }

    /// One JSON object a line.
    pub fn write_json(&self, out: &mut Vec<u8>, at: u64) {
        for room in self.heard.values() {
            let told = room.told.as_ref();
            let heard = RoomEvent {
                room: room.name.as_deref(),
                locked: room.locked,
                members: told.map(|(n, _)| *n),
                coordinator: told.map(|(_, c)| c.id),
                key: told.map(|(_, c)| c.key),
                address: room.address(),
            };
            json::event(out, "room", at, &heard);
        }
    }

    /// One room a line, in columns under a heading.
    pub fn write_text(&self, out: &mut Vec<u8>) {
        let mut rows: Vec<[String; 4]> =
            vec![["ROOM", "MEMBERS", "COORDINATOR", "ADDRESS"].map(str::to_string)];
        for room in self.heard.values() {
            let mut name = Vec::new();
            push(
                &mut name,
                room.name.as_deref().unwrap_or("?").as_bytes(),
                Tab::Escape,
            );
            let mut name = String::from_utf8_lossy(&name).into_owned();
            if room.locked {
                name.push_str(" (locked)");
            }
            let (members, coordinator) = match &room.told {
                Some((n, c)) => (n.to_string(), format!("#{}", c.id)),
                None => ("?".to_string(), "?".to_string()),
            };
            rows.push([name, members, coordinator, room.address()]);
        }
        let width = |n: usize| rows.iter().map(|r| r[n].chars().count()).max().unwrap_or(0);
        let widths = [width(0), width(1), width(2)];
        for row in &rows {
            for (cell, width) in row.iter().zip(widths) {
                out.extend_from_slice(format!("{cell:<width$}  ").as_bytes());
            }
            out.extend_from_slice(row[3].as_bytes());
            out.push(b'\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Key;

    fn heard() -> Rooms {
        let mut rooms = Rooms::default();
        let coordinator = Coordinator {
            id: 3,
            key: Key(7),
            addresses: vec![Address("127.0.0.1:40".parse().unwrap())],
            version: 1,
        };
        rooms.hear(
            7,
            HeardRoom {
                name: Some("lob\u{1b}by".into()),
                locked: false,
                told: Some((2, coordinator)),
                host: [127, 0, 0, 1].into(),
            },
        );
        rooms.hear(
            9,
            HeardRoom {
                name: None,
                locked: true,
                told: None,
                host: [10, 0, 0, 9].into(),
            },
        );
        rooms
    }

    #[test]
    fn rooms_stand_in_columns_and_names_are_made_visible() {
        let mut out = Vec::new();
        heard().write_text(&mut out);
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("ROOM"));
        assert!(lines[1].contains("? (locked)") && lines[1].ends_with("10.0.0.9"));
        assert!(!lines[2].contains('\u{1b}') && lines[2].ends_with("#3           127.0.0.1:40"));
    }

    #[test]
    fn json_says_null_where_a_lock_hides_it() {
        let mut out = Vec::new();
        heard().write_json(&mut out, 0);
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|l| serde_json::from_str(l).unwrap())
            .collect();
        assert_eq!(lines[0]["room"], serde_json::Value::Null);
        assert_eq!(lines[0]["locked"], true);
        assert_eq!(lines[1]["room"], "lob\u{1b}by");
        assert_eq!(lines[1]["members"], 2);
        assert_eq!(lines[1]["coordinator"], 3);
        assert_eq!(lines[1]["key"], "0000000000000007");
        assert_eq!(lines[1]["address"], "127.0.0.1:40");
    }
}
