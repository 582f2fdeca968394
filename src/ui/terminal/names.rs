//! Who is here, and how each is called so that nobody is taken for another.
//!
//! This module owns the room's name, the members as they are, and one's own nick. It never decides what is
//! printed, and knows nothing of the screen.

use std::collections::BTreeMap;

use crate::ui::likeness::likeness;
use crate::ui::visible::{Tab, visible};
use crate::wire::{Id, Key, Member};

/// Names listed on joining; of more, only the number is said.
const NAMES_MAX: usize = 20;
/// Signs that stand around names, and therefore say nothing certain within one.
const SIGNS: [char; 6] = ['<', '>', '#', '«', '»', '*'];

/// The room and its members.
#[derive(Debug)]
pub(super) struct Names {
    room: String,
    nick: String,
    key: Key,
    members: Vec<Member>,
    /// Who has a nick that looks like this; None: several.
    owners: BTreeMap<String, Option<Key>>,
}

impl Names {
    /// A room in which nobody is known but oneself.
    pub(super) fn new(room: String, nick: String, key: Key) -> Names {
        Names {
            room,
            nick,
            key,
            members: Vec::new(),
            owners: BTreeMap::new(),
        }
    }

    /// The room's name.
    pub(super) fn room(&self) -> &str {
        &self.room
    }

    /// One's own nick.
    pub(super) fn nick(&self) -> &str {
        &self.nick
    }

    /// The members as they are now.
    pub(super) fn set_members(&mut self, members: &[Member]) {
        self.members = members.to_vec();
        self.owners.clear();
        for member in members {
            self.owners
                .entry(likeness(&member.nick))
                .and_modify(|owner| *owner = None)
                .or_insert(Some(member.key));
        }
        if let Some(own) = self.members.iter().find(|m| m.key == self.key) {
            self.nick.clone_from(&own.nick);
        }
    }

    /// The names of the others.
    pub(super) fn others(&self) -> Vec<String> {
        let others = self.members.iter().filter(|m| m.key != self.key);
        others.map(|m| self.name(m.key, m.id, &m.nick)).collect()
    }

    /// A member's name as it is shown: the nick, with the id where it alone does not say who it is.
    pub(super) fn name(&self, key: Key, id: Id, nick: &str) -> String {
        let shown = visible(nick, Tab::Escape);
        let owner = self.owners.get(&likeness(nick));
        let is_another = owner.is_some_and(|owner| *owner != Some(key));
        match is_another || nick.contains(SIGNS) {
            true => format!("{shown}#{id}"),
            false => shown,
        }
    }

    /// What is said on joining: the room, who is here, who coordinates.
    pub(super) fn welcome(&self, coordinator: Option<Key>, again: bool) -> String {
        let name = |m: &Member| format!("{}#{}", visible(&m.nick, Tab::Escape), m.id);
        let find = |key| self.members.iter().find(|m| m.key == key);
        let own = find(self.key).map_or_else(|| self.nick.clone(), name);
        let others = self.members.iter().filter(|m| m.key != self.key);
        let count = others.clone().count();
        let listed: Vec<String> = others.take(NAMES_MAX).map(name).collect();
        let mut here = listed.join(", ");
        if count == 0 {
            here.push_str("nobody else");
        } else if count > NAMES_MAX {
            here.push_str(&format!(" and {} more", count - NAMES_MAX));
        }
        let coordinates = match coordinator {
            Some(key) if key == self.key => "you coordinate".to_owned(),
            Some(key) => match find(key) {
                Some(member) => format!("{} coordinates", name(member)),
                None => "nobody known coordinates".to_owned(),
            },
            None => "nobody coordinates yet".to_owned(),
        };
        let again = if again { "again " } else { "" };
        let room = visible(&self.room, Tab::Escape);
        format!("{again}in {room} as {own}; here: {here}; {coordinates}")
    }
}
