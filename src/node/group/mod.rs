//! The group: who belongs to the room, and who coordinates.
//!
//! Owns where this node stands towards the room, the view, what is claimed of coordinators, elections, the
//! office, joining and leaving. It drives the mesh, whom to dial and to ask, and tells the talk on whom it
//! counts; it never takes a message in and never touches a link itself.
//!
//! | file | subject |
//! | --- | --- |
//! | `inputs` | which step a message, a datagram or a timer leads to |
//! | `join`, `seek` | how this node comes in: for how long it looks, whom it asks, what an answer does |
//! | `adrift`, `asking` | how it comes in again: which coordinator it asks, for how long, and what follows in vain |
//! | `admission`, `relay` | how a coordinator lets others in; how one is let in through a neighbour |
//! | `office` | how a coordinator begins, announces each step of the view, and takes out who is lost |
//! | `places` | how the places are shared out while the room fills up |
//! | `view`, `asked_views` | how one view replaces another, and what the user sees of it; who was asked for one |
//! | `claims`, `hearsay` | who coordinates, as others say; coordinators that are heard and not linked |
//! | `unreached` | which of these are dialled |
//! | `referrals` | who asks by a datagram is told of the coordinator |
//! | `election`, `watch`, `alarm` | what follows when the coordinator is gone; when a silence counts as a loss; a host that is gone |
//! | `credit` | whose word on a coordinator counts no more |
//! | `awaited` | members that are linked and in the view no more |
//! | `leave` | leaving in good order |
//! | `clocks` | whether this machine's clock is right |
//! | `explain` | what the user is told when no room is found, the room is full, or large packets get lost |

mod admission;
mod adrift;
mod alarm;
mod asked_views;
mod asking;
mod awaited;
mod claims;
mod clocks;
mod credit;
mod election;
mod explain;
mod hearsay;
mod inputs;
#[cfg(debug_assertions)]
mod invariants;
mod join;
mod leave;
mod office;
mod places;
mod referrals;
mod relay;
mod seek;
mod unreached;
mod view;
mod watch;

use std::collections::BTreeMap;

use super::context::Context;
use super::mesh::{Interest, Mesh};
use super::roster::Roster;
use super::talk::{Lent, Talk};
use super::{Event, LinkId, Time, Timer};
use crate::wire::{Claim, Coordinator, Id, Key, Member, View};
use asked_views::AskedViews;
use asking::Asking;
use awaited::Awaited;
use claims::Route;
use credit::{Credit, Mute, Stay};
use election::Election;
use hearsay::Hearsay;
use leave::Leaving;
use office::Office;
use places::Greedy;
use referrals::Referrals;
use relay::Carried;
use seek::Seek;
use unreached::Unreached;

/// What the group is lent for the length of one call.
pub(super) struct Parts<'a> {
    pub(super) cx: &'a mut Context,
    pub(super) mesh: &'a mut Mesh,
    pub(super) talk: &'a mut Talk,
}

/// Where a node stands towards the room.
#[derive(Debug)]
enum Standing {
    /// It never had an id, and looks for the room.
    Seeking(Seek),
    /// It follows another node, `Group::coordinator`.
    Member,
    /// It holds the office.
    Coordinator(Office),
    /// It has no live coordinator, and elects one.
    Electing(Election),
    /// It has no live coordinator, does not elect, and asks in where it was pointed to.
    Adrift {
        /// When it gives up on being answered.
        until: Time,
        /// It gave up an office to ask, and takes it up again if nobody answers.
        held_office: bool,
    },
    /// It has left.
    Gone,
}

impl Standing {
    /// In a word.
    fn name(&self) -> &'static str {
        match self {
            Standing::Seeking(_) => "seeking",
            Standing::Member => "member",
            Standing::Coordinator(_) => "coordinator",
            Standing::Electing(_) => "electing",
            Standing::Adrift { .. } => "adrift",
            Standing::Gone => "gone",
        }
    }
}

/// Who belongs, and who coordinates.
#[derive(Debug)]
pub(super) struct Group {
    standing: Standing,
    /// This node's id, once it had one.
    id: Option<Id>,
    /// Whom this node follows; itself when it coordinates.
    coordinator: Option<Coordinator>,
    /// The id of the last coordinator shown to the user.
    shown_coordinator: Option<(Id, Key)>,
    /// The highest view version heard of.
    version_seen: u64,
    /// The highest version of a view that this node announced itself.
    version_announced: u64,
    roster: Roster,
    /// An announcement that was not followed, because a higher coordinator was alive.
    announced: Option<(Time, View)>,
    asking: Option<Asking>,
    /// The number of the question that was put last, which its repetitions share.
    question: u64,
    /// The number of the last question whose answer let this node in.
    answered: u64,
    /// Whose word on a coordinator came to nothing.
    credit: Credit,
    /// On whose word this node is still the member of a coordinator that it had lost.
    stay: Option<Stay>,
    /// The coordinator, if it is not heard and confirms nothing.
    mute: Option<Mute>,
    /// Since when this node has no coordinator, though it belonged to the room.
    leaderless: Option<Time>,
    /// Coordinators that are heard, and not linked.
    hearsay: Hearsay,
    /// Which of them are dialled.
    unreached: Unreached,
    /// Since when this node's coordinator itself says that it holds no office.
    resigned: Option<Time>,
    /// Until then this node has just come back from being away.
    away_until: Time,
    /// Questions for the whole view, and on whose word this node holds the one that it has.
    asked_views: AskedViews,
    /// When the coordinator's last HEARTBEAT came.
    last_beat: Time,
    /// A HEARTBEAT came or went in this turn.
    has_beat: bool,
    alarms: alarm::Alarms,
    referrals: Referrals,
    leaving: Option<Leaving>,
    /// The clock that each newcomer of the view was let in with: what is said later it is to count as new,
    /// also if it asks again.
    admissions: BTreeMap<Key, u64>,
    awaited: Awaited,
    /// Questions that come, or go, by way of others.
    carried: Carried,
    /// The user was told that this machine's clock seems to be wrong.
    is_clock_told: bool,
}

impl Group {
    pub(super) fn new() -> Group {
        Group {
            standing: Standing::Seeking(Seek::new(Time(0))),
            id: None,
            coordinator: None,
            shown_coordinator: None,
            version_seen: 0,
            version_announced: 0,
            roster: Roster::empty(),
            announced: None,
            asking: None,
            question: 0,
            answered: 0,
            credit: Credit::default(),
            stay: None,
            mute: None,
            leaderless: None,
            hearsay: Hearsay::default(),
            unreached: Unreached::default(),
            resigned: None,
            away_until: Time(0),
            asked_views: AskedViews::default(),
            last_beat: Time(0),
            has_beat: false,
            alarms: alarm::Alarms::default(),
            referrals: Referrals::default(),
            leaving: None,
            admissions: BTreeMap::new(),
            awaited: Awaited::default(),
            carried: Carried::default(),
            is_clock_told: false,
        }
    }

    /// The talk, and what it is lent.
    fn talk<'a>(&'a self, parts: &'a mut Parts<'_>) -> (&'a mut Talk, Lent<'a>) {
        let lent = Lent {
            cx: parts.cx,
            mesh: parts.mesh,
            view: &self.roster,
            leader: self.leader(),
            id: self.id,
            awaits_no_view: self.awaits_no_view(),
        };
        (parts.talk, lent)
    }

    /// The view that this node holds.
    pub(super) fn roster(&self) -> &Roster {
        &self.roster
    }

    /// This node's id, once it has one.
    pub(super) fn id(&self) -> Option<Id> {
        self.id
    }

    /// Whom this node follows, itself perhaps.
    pub(super) fn leader(&self) -> Option<Key> {
        self.coordinator.as_ref().map(|c| c.key)
    }

    /// The live coordinator's claim, this node's own perhaps.
    pub(super) fn claim(&self) -> Option<Claim> {
        self.coordinator.as_ref().map(Coordinator::claim)
    }

    /// True if this node asks this coordinator to let it in.
    fn asks(&self, key: Key) -> bool {
        self.asking.as_ref().is_some_and(|a| a.is_to(key))
    }

    /// True while an election goes on here.
    pub(super) fn is_electing(&self) -> bool {
        matches!(self.standing, Standing::Electing(_))
    }

    /// True once this node has left.
    pub(super) fn is_gone(&self) -> bool {
        matches!(self.standing, Standing::Gone)
    }

    /// True once this node has heard of a group, or is in one.
    pub(super) fn has_heard(&self) -> bool {
        !matches!(&self.standing, Standing::Seeking(seek) if seek.heard().is_none())
    }

    /// True if a HEARTBEAT came or went since this was last asked.
    pub(super) fn take_beat(&mut self) -> bool {
        std::mem::take(&mut self.has_beat)
    }

    /// The coordinator, if its HEARTBEATs are missing, and when the last one came.
    pub(super) fn beatless_leader(&self, cx: &Context) -> Option<(Key, Time)> {
        let is_missing = cx.since(self.last_beat) > cx.config.heartbeat * 2;
        self.leader()
            .filter(|_| is_missing)
            .map(|key| (key, self.last_beat))
    }

    /// The one place where a standing begins: the timers of the one before, which mean nothing in it, end.
    fn enter(&mut self, cx: &mut Context, standing: Standing, why: &str) {
        let over: &[Timer] = match standing {
            Standing::Member => &[Timer::Heartbeat, Timer::Losses, Timer::Election],
            Standing::Coordinator(_) => &[Timer::Watch, Timer::Election, Timer::Join],
            Standing::Electing(_) => &[Timer::Heartbeat, Timer::Losses, Timer::Watch],
            Standing::Adrift { .. } => &[
                Timer::Heartbeat,
                Timer::Losses,
                Timer::Watch,
                Timer::Election,
            ],
            Standing::Seeking(_) | Standing::Gone => &[],
        };
        for timer in over.iter().chain(&[Timer::Alarm]) {
            cx.cancel_timer(*timer);
        }
        self.alarms.clear();
        cx.note_standing(standing.name(), why);
        self.leaderless = match standing {
            Standing::Electing(_) | Standing::Adrift { .. } => {
                self.leaderless.or(Some(cx.now.time))
            }
            _ => None,
        };
        self.standing = standing;
    }

    /// Where this node stands, in a word.
    pub(super) fn standing(&self) -> &'static str {
        self.standing.name()
    }

    fn is_member(&self) -> bool {
        matches!(self.standing, Standing::Member)
    }

    /// Tells the user that large packets get lost on the way to or from this peer.
    pub(super) fn explain_narrow(&self, parts: &mut Parts<'_>, key: Key) {
        let nick = self.roster.get(key).map(|m| m.nick.as_str());
        let ip = parts.mesh.link_to(key).map(|l| l.address().ip());
        let text = explain::narrow(&explain::name_of(nick, ip));
        parts.cx.show(Event::Warning(text));
    }

    /// Tells the user that this peer is not let in, because the room is full.
    fn explain_full(parts: &mut Parts<'_>, link: LinkId, nick: &str) {
        Self::explain_refusal(parts, link, nick, explain::full);
    }

    /// Tells the user that this peer is not let in, because the room fills up.
    fn explain_greedy(parts: &mut Parts<'_>, link: LinkId, nick: &str, greedy: Greedy) {
        let count = match greedy {
            Greedy::Host(count) => format!("there are {count} members at that address"),
            Greedy::Person(count) => format!("{count} members are the same person's"),
        };
        Self::explain_refusal(parts, link, nick, |who| explain::crowded(who, &count));
    }

    fn explain_refusal(
        parts: &mut Parts<'_>,
        link: LinkId,
        nick: &str,
        words: impl Fn(&str) -> String,
    ) {
        let ip = parts.mesh.link(link).map(|l| l.address().ip());
        if let Some(host) = ip.map(|ip| ip.to_canonical()) {
            let text = words(&explain::name_of(Some(nick), Some(host)));
            parts.cx.show(Event::NotLetIn { host, text });
        }
    }

    /// Tells these peers who coordinates, by a PING.
    fn tell_claim(&self, parts: &mut Parts<'_>, links: Vec<LinkId>) {
        let coordinator = self.vouched_coordinator(parts.cx, parts.mesh);
        parts.mesh.ping(parts.cx, links, coordinator);
    }
}

impl Interest for Group {
    fn members(&self) -> &[Member] {
        self.roster.members()
    }

    fn is_member(&self, key: Key) -> bool {
        self.roster.contains(key)
    }

    fn own_id(&self) -> Option<Id> {
        self.id
    }

    fn is_asked(&self, key: Key) -> bool {
        self.asks(key) || self.is_sought(key)
    }

    fn leads(&self) -> bool {
        matches!(self.standing, Standing::Coordinator(_))
    }

    fn is_seeking(&self) -> bool {
        matches!(self.standing, Standing::Seeking(_))
    }

    fn is_leaving(&self) -> bool {
        self.leaving.is_some()
    }
}
