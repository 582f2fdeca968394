//! What a node shows to its user, as plain data.
//!
//! Owns no state, and no words: how an event looks is the user interface's business. It never holds anything
//! that the node reads back.

use crate::wire::{ChatMessage, Id, Key, Member};

/// Why a member is no more in the view.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Departure {
    /// It said so.
    Left,
    /// It fell silent or died.
    Lost,
}

/// How a message came to this node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arrival {
    /// It was said while this node was in its author's view.
    Live,
    /// It was said before this node was in its author's view: a part of the past.
    Old,
    /// It had been given up, and was found all the same.
    Late,
}

/// Why messages are missed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lack {
    /// Nobody in reach has them.
    Unfound,
    /// They were here, and could not be stored for so long that there was no room for them any more.
    Unstored,
}

/// Where a node stands in an election.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// It takes part.
    Started,
    /// It is the new coordinator.
    Won,
    /// Another one is.
    Ended,
}

/// What a user sees.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// This node is a member, and the history that it was sent is complete.
    Joined {
        /// After a merge, a suspension or an expulsion.
        again: bool,
    },
    /// Messages were taken in (one's own included), in an order that has no effect before its
    /// cause; at least one. Of what the history holds at the first `Joined`, only what is not
    /// [`Node::old`](super::Node::old) is shown like this.
    Messages {
        /// What was said.
        messages: Vec<ChatMessage>,
        /// All of it by this node, or all by others.
        own: bool,
        /// How all of it came here.
        arrival: Arrival,
    },
    /// Messages of one author were given up.
    Missed {
        /// The author's key.
        key: Key,
        /// The author's nick, or its key where no nick is known.
        nick: String,
        /// The sequence number of the first.
        first: u64,
        /// The sequence number of the last.
        last: u64,
        /// Why.
        lack: Lack,
    },
    /// A message to this node alone, or by this node to one member.
    Private {
        /// The author's id.
        from: Id,
        /// The author's key.
        key: Key,
        /// The author's nick.
        nick: String,
        /// The author's wall clock in milliseconds since 1970.
        sent_at: u64,
        /// What was said.
        text: String,
        /// By this node.
        own: bool,
    },
    /// Consecutive messages of one's own are delivered.
    Delivered {
        /// The sequence number of the first.
        first: u64,
        /// The sequence number of the last.
        last: u64,
        /// How many others were in the view when it was sent.
        members: usize,
        /// How many of them have acknowledged it.
        confirmed: usize,
        /// Who of them has missed it; this node itself, too, if it could not store it.
        missed: Vec<Key>,
    },
    /// Somebody is new in the view.
    MemberJoined(Member),
    /// Somebody is no more in the view.
    MemberLeft(Member, Departure),
    /// Somebody has another nick.
    MemberRenamed {
        /// As it is now.
        member: Member,
        /// The nick until now.
        previous: String,
    },
    /// This node takes part in an election.
    Election {
        /// How far it is.
        phase: Phase,
        /// Why, in words.
        reason: String,
    },
    /// This node knows a new coordinator.
    Coordinator {
        /// Its id.
        id: Id,
        /// Its key.
        key: Key,
        /// The id of the one before.
        previous: Option<Id>,
        /// It is this node.
        own: bool,
    },
    /// Something that the user should know.
    Warning(String),
    /// Somebody was not let into the room. Strangers can cause any number of these.
    NotLetIn {
        /// Where it is.
        host: std::net::IpAddr,
        /// Why, for the user.
        text: String,
    },
    /// The node has left: the last event. LEAVE is queued on every link; the driver writes what is
    /// queued and ends.
    Left {
        /// Everything said was confirmed.
        confirmed: bool,
        /// How many messages were not.
        unconfirmed: u64,
        /// By whom.
        missing: Vec<Member>,
        /// Who said that it had missed some, and how many.
        missed: Vec<(Member, u64)>,
        /// Who was lost, and did not say whether it has so many of what was delivered: nobody waits for its word longer.
        lost: Vec<(Member, u64)>,
    },
}
