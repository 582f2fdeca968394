//! Who comes and goes and who coordinates, in as few lines as people need.
//!
//! This module owns what it has seen and not said yet: who came a moment ago, and of a coordinator that is
//! gone the parts that make one sentence. It never asks where its lines go, and decides nothing about events
//! for scripts.

use std::collections::{BTreeMap, VecDeque};

use crate::limits::{ARRIVALS_MAX, SPEAKERS_MAX};
use crate::node::{Departure, Event, Phase, Time};
use crate::timing::{ARRIVAL_SAID, DEPARTURE_GATHERED, SPOKE_LATELY, SUCCESSOR_GATHERED};
use crate::wire::{Key, Member};

use super::config::Notices;
use super::text;
use super::visible::{Tab, visible};

/// Of whose comings and goings nothing is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quiet {
    /// Of nobody's: all are said.
    Off,
    /// Of those who said nothing lately.
    Lately,
    /// Of everybody's.
    On,
}

/// What happens in the room, as people are told of it.
#[derive(Debug)]
pub(super) struct News {
    /// Each step of an election is said.
    is_detailed: bool,
    quiet: Quiet,
    /// This node is in the room.
    has_joined: bool,
    coordinator: Option<Key>,
    /// Who coordinated before, while nothing was said of the change.
    previous: Option<Key>,
    /// Why the last election began.
    reason: String,
    /// Who came, and when that is said.
    arrivals: VecDeque<(Time, Member)>,
    /// The coordinator that is gone, and when that is said at the latest.
    gone: Option<(Time, Member, Departure)>,
    /// What is said of the new coordinator, and when at the latest.
    successor: Option<(Time, String)>,
    /// When those spoke last who spoke lately.
    spoke: BTreeMap<Key, Time>,
}

impl News {
    /// Nothing happened yet.
    pub(super) fn new(notices: Notices) -> News {
        News {
            is_detailed: notices == Notices::All,
            quiet: match notices {
                Notices::Never => Quiet::On,
                Notices::Brief | Notices::All => Quiet::Off,
            },
            has_joined: false,
            coordinator: None,
            previous: None,
            reason: String::new(),
            arrivals: VecDeque::new(),
            gone: None,
            successor: None,
            spoke: BTreeMap::new(),
        }
    }

    /// Of whose comings and goings nothing is said now.
    pub(super) fn quiet(&self) -> Quiet {
        self.quiet
    }

    /// Of whose comings and goings nothing is said from now on.
    pub(super) fn set_quiet(&mut self, quiet: Quiet) {
        self.quiet = quiet;
    }

    /// This node is in the room, perhaps again: what it is told then says who is there.
    pub(super) fn on_joined(&mut self, coordinator: Option<Key>) {
        self.has_joined = true;
        self.coordinator = coordinator;
        (self.gone, self.successor, self.previous) = (None, None, None);
        self.arrivals.clear();
    }

    /// One with this key spoke.
    pub(super) fn note_spoke(&mut self, now: Time, key: Key) {
        if self.spoke.len() >= SPEAKERS_MAX && !self.spoke.contains_key(&key) {
            self.spoke.retain(|_, at| now.since(*at) < SPOKE_LATELY);
            while self.spoke.len() >= SPEAKERS_MAX {
                self.spoke.pop_first();
            }
        }
        self.spoke.insert(key, now);
    }

    /// Something happened: what is to be said now.
    pub(super) fn on_event(
        &mut self,
        now: Time,
        event: &Event,
        members: &[Member],
    ) -> Option<String> {
        if let Event::MemberRenamed { member, previous } = event {
            return Some(renamed(member, previous));
        }
        if !self.is_detailed {
            return self.brief(now, event, members);
        }
        self.says(now, key_of(event)).then_some(())?;
        Some(match event {
            Event::MemberJoined(member) => format!("{} joined", text::name(member)),
            Event::MemberLeft(member, departure) => departed(member, *departure),
            Event::Election { phase, reason } => text::election(*phase, reason),
            Event::Coordinator { id, key, own, .. } => text::coordinator(*id, *key, *own, members),
            // The others have ways of their own.
            _ => return None,
        })
    }

    /// When [`on_deadline`](News::on_deadline) wants to be called.
    pub(super) fn next_deadline(&self) -> Option<Time> {
        let arrival = self.arrivals.front().map(|(at, _)| *at);
        let gone = self.gone.as_ref().map(|(at, ..)| *at);
        let successor = self.successor.as_ref().map(|(at, _)| *at);
        [arrival, gone, successor].into_iter().flatten().min()
    }

    /// What has waited long enough for what would belong to it.
    pub(super) fn on_deadline(&mut self, now: Time) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some((_, member)) = self.arrivals.pop_front_if(|(at, _)| *at <= now) {
            if self.says(now, Some(member.key)) {
                lines.push(format!("{} joined", text::name(&member)));
            }
        }
        let is_due = |at: Option<Time>| at.is_some_and(|at| at <= now);
        if is_due(self.gone.as_ref().map(|g| g.0)) || is_due(self.successor.as_ref().map(|s| s.0)) {
            lines.extend(self.succession(now));
        }
        lines
    }

    fn brief(&mut self, now: Time, event: &Event, members: &[Member]) -> Option<String> {
        match event {
            Event::MemberJoined(member) => self.arrive(now, member),
            Event::MemberLeft(member, departure) => self.depart(now, member, *departure),
            Event::Election {
                phase: Phase::Started,
                reason,
            } => {
                self.reason.clone_from(reason);
                None
            }
            Event::Coordinator { id, key, own, .. } => {
                let before = self.coordinator.replace(*key);
                if !self.has_joined || before == Some(*key) {
                    return None;
                }
                self.previous = before;
                let words = match own {
                    true => "you coordinate now".to_owned(),
                    false => format!("{} coordinates now", text::name_of(*key, *id, members)),
                };
                self.successor = Some((now + SUCCESSOR_GATHERED, words));
                self.gone.is_some().then(|| self.succession(now)).flatten()
            }
            _ => None,
        }
    }

    /// Somebody came. Whoever only says something and goes is not worth a line.
    fn arrive(&mut self, now: Time, member: &Member) -> Option<String> {
        if self.arrivals.len() < ARRIVALS_MAX {
            self.arrivals
                .push_back((now + ARRIVAL_SAID, member.clone()));
            return None;
        }
        let is_said = self.says(now, Some(member.key));
        is_said.then(|| format!("{} joined", text::name(member)))
    }

    fn depart(&mut self, now: Time, member: &Member, departure: Departure) -> Option<String> {
        let key = Some(member.key);
        let waiting = self.arrivals.iter().position(|(_, m)| m.key == member.key);
        if let Some(at) = waiting {
            self.arrivals.remove(at);
            return None;
        }
        if self.coordinator == key || self.previous == key {
            self.gone = Some((now + DEPARTURE_GATHERED, member.clone(), departure));
            return (self.successor.is_some())
                .then(|| self.succession(now))
                .flatten();
        }
        let is_said = self.says(now, key);
        self.spoke.remove(&member.key);
        is_said.then(|| departed(member, departure))
    }

    /// One sentence of who coordinated and who does now, as far as that is known.
    fn succession(&mut self, now: Time) -> Option<String> {
        let reason = short_reason(&std::mem::take(&mut self.reason));
        let gone = self.gone.take().map(|(_, member, departure)| {
            let name = text::name(&member);
            match (departure, reason) {
                (Departure::Left, _) => format!("{name} left"),
                (Departure::Lost, Some(reason)) => format!("{name} is gone ({reason})"),
                (Departure::Lost, None) => format!("{name} is gone"),
            }
        });
        self.previous = None;
        let successor = self.successor.take().map(|(_, words)| words);
        let parts: Vec<String> = [gone, successor].into_iter().flatten().collect();
        let is_said = self.says(now, None) && !parts.is_empty();
        is_said.then(|| parts.join("; "))
    }

    /// Whether it is said that one with this key comes or goes, or, without a key, who coordinates.
    fn says(&self, now: Time, key: Option<Key>) -> bool {
        match (self.quiet, key) {
            (Quiet::Off, _) | (Quiet::Lately, None) => true,
            (Quiet::On, _) => false,
            (Quiet::Lately, Some(key)) => {
                let spoke = self.spoke.get(&key);
                spoke.is_some_and(|at| now.since(*at) < SPOKE_LATELY)
            }
        }
    }
}

/// Whom an event is about.
fn key_of(event: &Event) -> Option<Key> {
    match event {
        Event::MemberJoined(member) | Event::MemberLeft(member, _) => Some(member.key),
        _ => None,
    }
}

fn departed(member: &Member, departure: Departure) -> String {
    match departure {
        Departure::Left => format!("{} left", text::name(member)),
        Departure::Lost => format!("{} is gone", text::name(member)),
    }
}

/// `bia#8 is now known as "a b"`: the name that it had, with the number that it keeps.
fn renamed(member: &Member, previous: &str) -> String {
    let before = visible(previous, Tab::Escape);
    let nick = visible(&member.nick, Tab::Escape);
    let is_word = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    let nick = match nick.chars().all(is_word) {
        true => nick,
        false => format!("\"{nick}\""),
    };
    format!("{before}#{} is now known as {nick}", member.id)
}

/// Why a coordinator is gone, in a sentence that names it already.
fn short_reason(reason: &str) -> Option<String> {
    let reason = visible(reason, Tab::Escape);
    if let Some(of_it) = reason.strip_prefix("the coordinator's ") {
        return Some(format!("its {of_it}"));
    }
    let rest = reason.strip_prefix("the coordinator ")?;
    Some(format!("it {rest}"))
}

#[cfg(test)]
#[path = "news_test.rs"]
mod tests;
