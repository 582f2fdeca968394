//! The talk: what is said, heard, waited for, repaired and confirmed.
//!
//! Owns the history, what this node writes, what waits for its causes, what is missing, the exchanges that
//! repair it, what is confirmed to whom and by whom, and how far joining has come. It reads from the view
//! and the links what it is lent of them; it never changes the view, opens a link or closes one.
//!
//! | file | subject |
//! | --- | --- |
//! | `chat`, `heads` | what this node writes, and which causes it names |
//! | `causality`, `waiting`, `taking`, `runs` | what waits for a cause; what is taken in and shown, singly or many at once |
//! | `gaps`, `noticed`, `turns`, `whom`, `answers` | what is missing: who is asked for it, what they answered, and when it is given up |
//! | `sync`, `lagging` | the repair from one peer; peers that do not keep up |
//! | `odds` | with whom another exchange would bring nothing |
//! | `source`, `holes` | from whom a newcomer gets the history, and what of it does not come |
//! | `past`, `elsewhere`, `unshown` | what is old, being from before this node's time, or from another group's; what of it is not shown |
//! | `trust` | whose word counts |
//! | `acks`, `delivery`, `overdue`, `stability` | what is confirmed to others; who confirmed what this node wrote, in time or later; what everybody has |
//! | `storing` | what a store changes |

mod acks;
mod answering;
mod answers;
mod budget;
mod causality;
mod chat;
mod chunks;
mod delivery;
mod doubles;
mod exchange;
mod former;
mod gaps;
mod heads;
mod holes;
#[cfg(debug_assertions)]
mod invariants;
mod lagging;
mod noticed;
mod odds;
mod overdue;
mod pace;
mod past;
mod plan;
mod returning;
mod rounds;
mod runs;
mod sought;
mod source;
mod stability;
mod storing;
mod sync;
mod taking;
mod trust;
mod turns;
mod unsaid;
mod unshown;
mod waiting;
mod whom;

use super::context::Context;
use super::history::History;
use super::mesh::{Link, Mesh};
use super::roster::Roster;
use super::{Config, LinkId, Time, Weakness};
use crate::wire::{Id, Key, Position};
use acks::Acks;
use answers::Answers;
use chat::Chat;
use delivery::Delivery;
use doubles::Doubles;
use noticed::Gaps;
use overdue::Overdue;
use past::Past;
use source::Membership;
use stability::Stability;
use sync::Repair;
pub(super) use sync::Why;
use taking::HeldBack;
use unsaid::Unsaid;
use unshown::Unshown;
use waiting::Waiting;

/// What the talk is lent for the length of one call.
pub(super) struct Lent<'a> {
    pub(super) cx: &'a mut Context,
    pub(super) mesh: &'a mut Mesh,
    /// The view that this node holds.
    pub(super) view: &'a Roster,
    /// The coordinator that this node follows, itself perhaps.
    pub(super) leader: Option<Key>,
    /// This node's id, once it has one.
    pub(super) id: Option<Id>,
    /// No view will tell this node who is gone.
    pub(super) awaits_no_view: bool,
}

/// All that is said and heard.
#[derive(Debug)]
pub(super) struct Talk {
    history: History,
    membership: Membership,
    /// Where the history is complete from, as the peers say that it was fetched from.
    whole_above: Option<Position>,
    chat: Chat,
    past: Past,
    held_back: HeldBack,
    waiting: Waiting,
    gaps: Gaps,
    answers: Answers,
    repair: Repair,
    doubles: Doubles,
    acks: Acks,
    stability: Stability,
    /// When a peer that is behind, and not far, last asked for more.
    chased: Option<Time>,
    /// When this node joined for the first time.
    joined_at: Option<Time>,
    delivery: Delivery,
    overdue: Overdue,
    unshown: Unshown,
    /// When chat of somebody else last came in.
    heard_chat: Time,
    /// The user was told that somebody's messages lie too far ahead.
    is_far_ahead_told: bool,
    /// Causes that somebody named and nobody said.
    unsaid: Unsaid,
    /// Causes that somebody named and nobody had, of whom nobody is known to count on them.
    unfound: Unsaid,
}

impl Talk {
    pub(super) fn new(config: &Config) -> Talk {
        let mut history = History::new(config);
        history.origin_mut(config.key).watch();
        Talk {
            history,
            membership: Membership::Outside,
            whole_above: None,
            chat: Chat::default(),
            past: Past::default(),
            held_back: HeldBack::default(),
            waiting: Waiting::default(),
            gaps: Gaps::default(),
            answers: Answers::default(),
            repair: Repair::default(),
            doubles: Doubles::default(),
            acks: Acks::default(),
            stability: Stability::default(),
            chased: None,
            joined_at: None,
            delivery: Delivery::default(),
            overdue: Overdue::default(),
            unshown: Unshown::default(),
            heard_chat: Time(0),
            is_far_ahead_told: false,
            unsaid: Unsaid::default(),
            unfound: Unsaid::default(),
        }
    }

    /// At the end of each turn: sends what the turn gathered, and shows what became delivered.
    pub(super) fn end_turn(&mut self, lent: &mut Lent<'_>) {
        self.flush_chat(lent);
        self.call_unstored_missed(lent);
        self.flush_acks(lent);
        self.step_delivery(lent);
        self.flush_stable(lent);
    }

    /// A link opened, by which a peer says what it has seen, and whom it follows.
    pub(super) fn greet(
        &mut self,
        lent: &mut Lent<'_>,
        (key, clock): (Key, u64),
        leader: Option<Key>,
    ) {
        self.greet_past(lent, (key, clock), leader);
        follow_clock(lent, key);
    }

    /// The same, once the group has taken note of it: what is owed to each other is told.
    pub(super) fn meet(&mut self, lent: &mut Lent<'_>, link: LinkId, key: Key) {
        self.acks.owe_again(key);
        self.tell_stable(lent, link, key);
        if lent.mesh.link(link).is_some_and(Link::is_ours) {
            self.want_sync(lent, key, Why::Lacks);
        }
    }

    /// The same, in the end: a source of the history may be there again.
    pub(super) fn go_on_joining(&mut self, lent: &mut Lent<'_>, key: Key) {
        self.has_source_again(lent, key);
        self.step_joining(lent);
    }

    /// Nothing is kept of a key that is neither linked nor a member.
    pub(super) fn forget(&mut self, cx: &Context, key: Key) {
        self.acks.forget(key);
        self.delivery.forget(key);
        self.answers.forget_peer(key);
        self.repair.forget_peer(key);
        self.past.forget(cx, key);
    }

    /// This node was away: who was in reach may have given its links up.
    pub(super) fn come_back(&mut self, cx: &Context) {
        if !cx.is_weakened(Weakness::NoPatienceAfterAbsence) {
            self.gaps.come_back(cx.now.time);
            self.answers.come_back();
        }
    }

    /// Somebody left the view, died or said goodbye.
    pub(super) fn recheck_delivery(&mut self) {
        self.delivery.recheck();
    }

    /// True from the first `Joined` on.
    pub(super) fn has_joined(&self) -> bool {
        matches!(
            self.membership,
            Membership::Inside | Membership::Returning(_)
        )
    }

    /// True while this node has joined, and is not about to do so again.
    fn is_inside(&self) -> bool {
        matches!(self.membership, Membership::Inside)
    }

    /// True while this node has not been let in yet.
    pub(super) fn is_new(&self) -> bool {
        matches!(self.membership, Membership::Outside)
    }

    pub(super) fn history(&self) -> &History {
        &self.history
    }

    /// Own messages that are not yet delivered, lines that wait for the room included.
    pub(super) fn undelivered(&self) -> u64 {
        self.delivery.undelivered() + self.chat.unsent_lines()
    }

    /// Lines that wait for the room.
    pub(super) fn unsent_lines(&self) -> u64 {
        self.chat.unsent_lines()
    }

    /// When chat of somebody else last came in.
    pub(super) fn heard_chat(&self) -> Time {
        self.heard_chat
    }

    /// How many messages wait for a cause.
    pub(super) fn waiting_len(&self) -> usize {
        self.waiting.len()
    }

    /// Nobody else is in the room: all of its history is here, and what came so far is from a room that did
    /// not let this node in.
    pub(super) fn found_room(&mut self, lent: &mut Lent<'_>) {
        self.whole_above = Some(self.history.floor());
        let clock = lent.cx.clock.last();
        self.enter_past(lent, clock, Vec::new());
        self.complete_join(lent);
    }

    /// This node was let in with this clock and these members, or another group lets it in before it has
    /// joined.
    pub(super) fn be_let_in(
        &mut self,
        lent: &mut Lent<'_>,
        (host, clock): (Key, u64),
        members: Vec<Key>,
        lost: &[Key],
    ) {
        self.acks.carry_again();
        self.note_let_in(lent.cx.now.time);
        self.hear_of_former(lent.cx, &members, lost);
        let elsewhere = !self.has_joined() && self.is_let_in_elsewhere(host);
        if self.is_new() || elsewhere {
            self.enter_past(lent, clock, members);
        }
    }

    /// What lies beyond this position is dated so far ahead that nobody writes after it yet.
    pub(in crate::node) fn set_reach(&mut self, reach: Position) {
        self.history.set_reach(reach);
    }

    /// The history that is there is not wanted: it lies at or below this position.
    pub(super) fn skip_history(&mut self, newest: Position) {
        self.history.raise_floor(newest);
        self.whole_above = Some(self.history.floor());
    }
}

/// What this node writes to a member is later than all that it had seen when they met: it counts as
/// new there.
fn follow_clock(lent: &mut Lent<'_>, key: Key) {
    let counts = lent.view.contains(key);
    if let Some(link) = lent.mesh.link_to(key).filter(|_| counts) {
        let clock = link.clock();
        lent.cx.observe(clock);
    }
}

#[cfg(test)]
#[path = "repair_test.rs"]
mod repair_tests;
