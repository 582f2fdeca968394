//! A line of a trace, as data: what is written, and what is read again.
//!
//! Owns the names in the file. It never looks at a node, and opens no file. `TRACE.md` says what each means;
//! names are only ever added, and whoever reads skips those that it does not know.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::wire::{Claim, Key};

/// The number of this format.
pub const VERSION: u64 = 1;

/// A key, in a file that is made for JSON: sixteen hexadecimal digits, since a script's numbers are too small
/// for it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Hex(pub Key);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Hex {
    /// The digits, in ASCII.
    pub(super) fn digits(self) -> [u8; 16] {
        let mut digits = [0; 16];
        for (place, digit) in digits.iter_mut().enumerate() {
            let value = self.0.0 >> (60 - 4 * place) & 15;
            *digit = b"0123456789abcdef"[value as usize];
        }
        digits
    }
}

impl Serialize for Hex {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(std::str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Hex, D::Error> {
        struct Digits;
        impl serde::de::Visitor<'_> for Digits {
            type Value = Hex;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key of sixteen hexadecimal digits")
            }
            fn visit_str<E: serde::de::Error>(self, s: &str) -> Result<Hex, E> {
                let is_key = s.len() == 16 && s.bytes().all(|b| b.is_ascii_hexdigit());
                let number = u64::from_str_radix(s, 16).ok().filter(|_| is_key);
                let wrong = || E::invalid_value(serde::de::Unexpected::Str("another text"), &self);
                number.map(|n| Hex(Key(n))).ok_or_else(wrong)
            }
        }
        d.deserialize_str(Digits)
    }
}

/// One line: one thing that a node did, or that happened to it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Line {
    /// Which node.
    pub key: Hex,
    /// Its number among this node's lines, from 1.
    pub n: u64,
    /// The node's monotonic clock, in microseconds since a start of its own.
    pub t: u64,
    /// The node's wall clock, in milliseconds since 1970.
    pub wall: u64,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// A member, as it is named in a trace: its key, its id and its nick.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Who(pub Hex, pub u64, pub String);

/// A link that a node has: its number, the peer, and the name that both ends have for it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LinkNow(pub u64, pub Hex, pub String);

/// Consecutive messages of one author.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Run(pub Hex, pub u64, pub u64);

/// A coordinator's id and key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Claims(pub u64, pub Hex);

impl From<Claim> for Claims {
    fn from(claim: Claim) -> Claims {
        Claims(claim.id, Hex(claim.key))
    }
}

/// What a message says, as far as a trace has it; each of these is absent where there is nothing to say.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Said {
    /// The coordinator that it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claims>,
    /// The version of the view that it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<u64>,
    /// The id that it gives, or that its sender has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// Whom it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<Hex>,
    /// Which chat it carries.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<Run>,
    /// Up to which number it confirms, or has said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// How many members it lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<u64>,
    /// An election that ignores a live coordinator.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub forced: bool,
    /// What kind of step, or which attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The texts, if they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<String>,
}

/// What a line tells. `e` names it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "e", rename_all = "snake_case")]
pub enum What {
    /// How the node stands: at its start, and at the head of each file.
    Node {
        /// [`VERSION`].
        trace: u64,
        /// What people call it.
        nick: String,
        /// Its room.
        room: String,
        /// Its id, once it has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        /// How it stands towards the room.
        standing: String,
        /// Whom it follows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        coordinator: Option<Claims>,
        /// The version of its view, and whose view it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        view: Option<(u64, Hex)>,
        /// The members of its view.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        members: Vec<Who>,
        /// Its open links.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        links: Vec<LinkNow>,
        /// What was sent and received on them before has not been counted.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        late: bool,
    },
    /// It dials.
    Dial {
        /// The new link's number.
        link: u64,
        /// Where.
        at: String,
    },
    /// A dial succeeded.
    Connected {
        /// The link.
        link: u64,
        /// The name that both ends have for it.
        wire: String,
    },
    /// A peer dialled this node.
    Accepted {
        /// The new link's number.
        link: u64,
        /// The name that both ends have for it.
        wire: String,
    },
    /// HELLO came: the link is this peer's.
    Open {
        /// The link.
        link: u64,
        /// Whose.
        peer: Hex,
    },
    /// A link is no more.
    Closed {
        /// The link.
        link: u64,
        /// Why.
        why: String,
    },
    /// A message was sent.
    Sent {
        /// Its type.
        m: String,
        /// On which links, and which of its type it is on each, from 1.
        to: Vec<(u64, u64)>,
        /// What it says.
        #[serde(flatten)]
        said: Said,
    },
    /// A message came in.
    Got {
        /// Its type.
        m: String,
        /// On which link.
        link: u64,
        /// Which of its type it is on this link, from 1.
        no: u64,
        /// What it says.
        #[serde(flatten)]
        said: Said,
    },
    /// A datagram was sent.
    Cast {
        /// Its type.
        m: String,
        /// To whom: an address, or the group.
        to: String,
        /// What it says.
        #[serde(flatten)]
        said: Said,
    },
    /// A datagram came in.
    Heard {
        /// Its type.
        m: String,
        /// From where.
        at: String,
        /// From whom, if it says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        peer: Option<Hex>,
        /// What it says.
        #[serde(flatten)]
        said: Said,
    },
    /// A timer fired.
    Timer {
        /// Which.
        timer: String,
    },
    /// The node noticed that it had not run for a while.
    Away,
    /// The user, or a script, wanted something.
    Command {
        /// What.
        command: String,
    },
    /// It stands towards the room in another way.
    Standing {
        /// How.
        standing: String,
        /// Why.
        why: String,
    },
    /// It counts on another node no more.
    Lost {
        /// On whom.
        peer: Hex,
        /// Why.
        why: String,
    },
    /// An election, here.
    Election {
        /// `started`, `won` or `ended`.
        phase: String,
        /// Why.
        why: String,
    },
    /// It knows who coordinates.
    Coordinator {
        /// Who.
        claim: Claims,
    },
    /// It holds another view.
    View {
        /// The version.
        view: u64,
        /// Whose view.
        of: Hex,
        /// How many members it has.
        size: u64,
        /// Who is new or has another name.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        new: Vec<Who>,
        /// Who is gone.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        gone: Vec<Hex>,
    },
    /// Its floor is higher.
    Floor {
        /// The position: a timestamp, an author, a number.
        at: (u64, Hex, u64),
    },
    /// Chat was taken in, or written here.
    Taken {
        /// What.
        ids: Vec<Run>,
        /// By this node.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        own: bool,
        /// `live`, `old` or `late`.
        how: String,
        /// The texts, if they were asked for.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        texts: Vec<String>,
    },
    /// Chat was given up.
    Missed {
        /// What.
        ids: Vec<Run>,
    },
    /// Own chat is delivered.
    Confirmed {
        /// What.
        ids: Vec<Run>,
        /// How many members were to have it.
        members: u64,
        /// How many of them have.
        confirmed: u64,
        /// Who missed it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        missed: Vec<Hex>,
    },
    /// It is in the room.
    Joined {
        /// Not for the first time.
        again: bool,
    },
    /// It has left: its last line.
    Left {
        /// Everything that it said was confirmed.
        confirmed: bool,
    },
    /// What was done to this process from outside, as whoever did it says: a simulator, a lesson.
    Fate {
        /// `killed`, `frozen`, `thawed`, `cut` or `healed`.
        fate: String,
        /// From whom it is cut, or no longer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        peer: Option<Hex>,
    },
    /// Something that this version does not know.
    #[serde(other)]
    Unknown,
}
