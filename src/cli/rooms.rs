//! Several rooms in one program: which command may be in several, and what each room has for itself.
//!
//! Owns the word that stands for a room's name in the names of files, and the rules on what several rooms cannot
//! share. It opens nothing.

use std::path::{Path, PathBuf};

use super::{Options, Task, peers, values};
use crate::limits::ROOMS_MAX;
use crate::ui::visible::{Tab, visible};

/// What stands for the room's name in the name of a file.
const PLACE: &str = "{room}";

impl Options {
    /// The room, or the first one.
    #[must_use]
    pub fn first_room(&self) -> &str {
        self.room.first().map_or("", String::as_str)
    }

    /// The same for one room alone: its own name, and its own files.
    #[must_use]
    pub fn in_room(&self, room: &str) -> Options {
        let own = |path: &Option<PathBuf>| path.as_deref().map(|path| file_of(path, room));
        Options {
            room: vec![room.to_owned()],
            store: own(&self.store),
            trace: own(&self.trace),
            // A room that has no such file is open.
            secret_file: own(&self.secret_file)
                .filter(|own| !self.names_secrets() || !is_missing(own)),
            peer: peers::of_room(&self.peer, room),
            ..self.clone()
        }
    }

    /// The same with the secret that is in this file, whose name somebody has typed in the chat.
    #[must_use]
    pub fn with_secret(&self, room: &str, file: &str) -> Options {
        let below_home = file.strip_prefix("~/").zip(std::env::home_dir());
        let file = below_home.map_or_else(|| file.into(), |(rest, home)| home.join(rest));
        Options {
            // It must be there, whatever its name has in it: who names a secret wants no open room.
            secret_file: Some(file_of(&file, room)),
            ..self.clone()
        }
    }

    /// What the user is to be told of a room that has no secret where others may have one.
    #[must_use]
    pub fn says_open(&self, room: &str) -> Option<String> {
        let path = self
            .secret_file
            .as_deref()
            .filter(|_| self.names_secrets())?;
        let own = file_of(path, room);
        let is_open = is_missing(&own) && std::env::var_os("PAPO_SECRET").is_none();
        is_open.then(|| {
            let shown = |text: &str| visible(text, Tab::Escape);
            let (own, room) = (own.display().to_string(), shown(room));
            let own = shown(&own);
            format!(
                "--secret-file {own}: there is no such file, so the room \"{room}\" is not locked"
            )
        })
    }

    fn names_secrets(&self) -> bool {
        self.secret_file.as_deref().is_some_and(has_place)
    }

    /// Each room once; of several, a command that can be in one only takes the first, unless they were typed.
    ///
    /// # Errors
    ///
    /// One line about what several rooms cannot be or share, and what to do.
    pub(super) fn settle_rooms(
        &mut self,
        action: Option<&Task>,
        are_typed: bool,
    ) -> Result<(), String> {
        let mut seen = Vec::new();
        for room in self.room.drain(..) {
            if !seen.contains(&room) {
                seen.push(room);
            }
        }
        self.room = seen;
        let name = match action {
            _ if self.room.len() < 2 => return Ok(()),
            None | Some(Task::Chat | Task::Listen { .. }) => {
                if self.room.len() > ROOMS_MAX {
                    return Err(format!("--room: give {ROOMS_MAX} rooms at the most"));
                }
                return self.check_shared();
            }
            Some(action) => only_one(action),
        };
        match name {
            Some(name) if are_typed => Err(format!(
                "--room {}: `papo {name}` is in one room; give one",
                visible(&self.room[1], Tab::Escape)
            )),
            Some(_) => {
                self.room.truncate(1);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// What several rooms cannot share.
    ///
    /// # Errors
    ///
    /// One line about it, and what to do.
    pub fn check_shared(&self) -> Result<(), String> {
        for (name, path) in [("store", &self.store), ("trace", &self.trace)] {
            if let Some(path) = path.as_deref().filter(|path| !has_place(path)) {
                let shown = |path: &Path| visible(&path.display().to_string(), Tab::Escape);
                return Err(format!(
                    "--{name} {}: each room needs a file of its own; write {PLACE} where its name belongs, such as \
                     {}",
                    shown(path),
                    shown(&with_place(path)),
                ));
            }
        }
        match self.listen {
            Some(at) if at.port() != 0 => Err(format!(
                "--listen {at}: one port serves one room; give port 0 for several rooms"
            )),
            _ => Ok(()),
        }
    }
}

/// The name of a room that is joined while papo runs, as all write it.
///
/// # Errors
///
/// Why it is none.
pub fn name(text: &str) -> Result<String, String> {
    values::room(text)
}

/// The command's name, if it can be in one room only.
fn only_one(action: &Task) -> Option<&'static str> {
    match action {
        Task::Send { .. } => Some("send"),
        Task::Scan => Some("scan"),
        Task::Doctor => Some("doctor"),
        Task::History { .. } => Some("history"),
        Task::Rekey => Some("rekey"),
        Task::Irc(_) => Some("irc"),
        _ => None,
    }
}

/// True if there is no such file. One that cannot be looked at is there: a room must not be open because of that.
fn is_missing(path: &Path) -> bool {
    matches!(path.try_exists(), Ok(false))
}

fn has_place(path: &Path) -> bool {
    path.to_string_lossy().contains(PLACE)
}

/// A name for a file that has the place.
fn with_place(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let mut name = format!("{stem}-{PLACE}");
    if let Some(extension) = path.extension() {
        name = format!("{name}.{}", extension.to_string_lossy());
    }
    path.with_file_name(name)
}

/// The file of this room.
fn file_of(path: &Path, room: &str) -> PathBuf {
    match path.to_str() {
        Some(text) if text.contains(PLACE) => text.replace(PLACE, &as_file(room)).into(),
        _ => path.to_owned(),
    }
}

/// A room's name as a part of a file's name: what would mean something else there is written as in an address of
/// the web.
fn as_file(room: &str) -> String {
    let mut name = String::new();
    for (n, c) in room.chars().enumerate() {
        match c {
            '/' | '\\' | '%' | ':' => name.push_str(&format!("%{:02X}", u32::from(c))),
            '.' if n == 0 => name.push_str("%2E"),
            c => name.push(c),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_s_name_stands_in_the_names_of_its_files() {
        let file = |path: &str, room| file_of(Path::new(path), room).display().to_string();
        assert_eq!(file("/var/papo-{room}.db", "ops"), "/var/papo-ops.db");
        assert_eq!(file("{room}/{room}", "a b"), "a b/a b");
        assert_eq!(file("x-{room}", "../é%"), "x-%2E.%2Fé%25");
        assert_eq!(file("plain", "ops"), "plain");
    }

    #[test]
    fn a_file_that_cannot_be_looked_at_is_not_missing() {
        let program = std::env::current_exe().unwrap();
        assert!(!is_missing(&program));
        assert!(is_missing(&program.with_extension("not-there")));
        // It is no directory.
        assert!(!is_missing(&program.join("lobby")));
    }

    #[test]
    fn a_name_with_the_place_is_offered() {
        let offered = |path: &str| with_place(Path::new(path)).display().to_string();
        assert_eq!(offered("/var/chat.db"), "/var/chat-{room}.db");
        assert_eq!(offered("chat"), "chat-{room}");
    }
}
