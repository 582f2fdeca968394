//! The capabilities that a client may ask for.
//!
//! Owns their names and values. What each of them changes is decided where lines are written.

use crate::limits::{IRC_MULTILINE_BYTES_MAX, IRC_MULTILINE_LINES_MAX};

macro_rules! capabilities {
    ($($name:ident $text:literal $what:literal)*) => {
        /// A capability.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum Cap { $(#[doc = $what] $name),* }

        /// All of them, in the order in which they are listed.
        const ALL: &[(Cap, &str)] = &[$((Cap::$name, $text)),*];
    };
}

capabilities! {
    AwayNotify "away-notify" "Who goes away or comes back is told."
    Batch "batch" "Lines may come in batches."
    Notify "cap-notify" "New capabilities are told; there never are any."
    Chathistory "draft/chathistory" "The client asks for history itself."
    Multiline "draft/multiline" "Messages may have several lines."
    Echo "echo-message" "What the client says comes back to it."
    ExtendedJoin "extended-join" "JOIN has the name in full."
    Labels "labeled-response" "Answers name the question."
    Tags "message-tags" "Lines have tags."
    MultiPrefix "multi-prefix" "All prefixes of a nick are listed."
    Confirmed "papo/confirmed" "An echo comes when everybody has confirmed the line."
    Time "server-time" "Lines say when they were said."
    Setname "setname" "Names in full may change."
    Replies "standard-replies" "FAIL, WARN and NOTE may come."
    Userhost "userhost-in-names" "NAMES has users and hosts."
}

/// A set of capabilities.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Caps(u32);

impl Caps {
    /// True if it is in.
    #[must_use]
    pub fn has(self, cap: Cap) -> bool {
        self.0 & (1 << cap as u8) != 0
    }

    /// Takes it in, or out.
    pub fn set(&mut self, cap: Cap, on: bool) {
        let bit = 1 << cap as u8;
        self.0 = if on { self.0 | bit } else { self.0 & !bit };
    }

    /// The names of those that are in.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let all = ALL.iter().filter(move |(cap, _)| self.has(*cap));
        all.map(|(_, name)| *name)
    }

    /// The set after a request, if all of it can be granted: names, those to be taken out with a `-`.
    #[must_use]
    pub fn asked(mut self, names: &str) -> Option<Caps> {
        for name in names.split_ascii_whitespace() {
            let (name, on) = name.strip_prefix('-').map_or((name, true), |n| (n, false));
            let (cap, _) = ALL.iter().find(|(_, known)| *known == name)?;
            self.set(*cap, on);
        }
        Some(self)
    }
}

/// What CAP LS lists; with values for clients that understand them.
#[must_use]
pub fn listed(with_values: bool) -> String {
    let all = ALL.iter().map(|(cap, name)| match cap {
        Cap::Multiline if with_values => format!(
            "{name}=max-bytes={IRC_MULTILINE_BYTES_MAX},max-lines={IRC_MULTILINE_LINES_MAX}"
        ),
        _ => (*name).to_owned(),
    });
    all.collect::<Vec<_>>().join(" ")
}
