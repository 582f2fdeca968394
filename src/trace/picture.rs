//! The picture of all traces: one clock, all lives, all messages, all elections.
//!
//! Owns what the traces mean, for whoever draws it, checks it or says it in words. It draws nothing.

use std::collections::BTreeMap;

use crate::limits::TRACE_TYPES_MAX;
use crate::wire::Key;

use super::elections::{Ballot, ballots};
use super::format::{Line, Said, What};
use super::lives::{Life, lives};
use super::matching::{self, Arrow, At, Names};
use super::offsets::{Offset, offsets};
use super::read::{NodeTrace, Traces};

/// By how much a message may seem to come in before it was sent, in microseconds.
const SLACK: i64 = 3_000;

/// Everything that the traces tell.
#[derive(Debug)]
pub struct Picture {
    /// What each node wrote.
    pub traces: Vec<NodeTrace>,
    /// The life of each, with the same numbers.
    pub lives: Vec<Life>,
    /// How each one's clock is read.
    pub offsets: Vec<Offset>,
    /// All messages that were sent.
    pub arrows: Vec<Message>,
    /// The types of messages; an arrow has the number of its own.
    pub types: Vec<String>,
    /// All elections, in their order.
    pub ballots: Vec<Ballot>,
    /// The end of the last trace.
    pub until: i64,
    /// The wall clock of the first node at the time 0, in milliseconds since 1970.
    pub wall_ms: u64,
    /// What was left out or put right, for the user.
    pub notes: Vec<String>,
    /// Which node has which key.
    numbers: BTreeMap<Key, usize>,
}

/// A message on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Message {
    /// Its ends.
    pub ends: Arrow,
    /// Its type, as a number.
    pub m: usize,
    /// When it was sent.
    pub sent: i64,
    /// When it came in, or was sent if it did not.
    pub got: i64,
}

impl Picture {
    /// What these traces tell.
    #[must_use]
    pub fn new(traces: Traces) -> Picture {
        let Traces {
            nodes: traces,
            notes,
        } = traces;
        let mut arrows = matching::exact(&traces);
        let offsets = offsets(&traces, &arrows);
        let raw = |node: usize, line: &Line| line.t.cast_signed().saturating_add(offsets[node].add);
        let firsts = traces.iter().enumerate();
        let zero = firsts.filter_map(|(node, t)| t.lines.first().map(|l| raw(node, l)));
        let zero = zero.min().unwrap_or(0);
        let time = |node: usize, line: &Line| raw(node, line).saturating_sub(zero);
        let time_at = |at: At| time(at.node, &traces[at.node].lines[at.line]);
        matching::by_time(&traces, &mut arrows, time_at, SLACK);
        let (arrows, types) = typed(&traces, arrows, time_at);
        let is_placed = |node: usize| offsets[node].doubt.is_some();
        let lives = lives(&traces, time, is_placed);
        let wall_ms = traces.first().and_then(|t| t.lines.first()).map_or(0, |l| {
            (l.wall).saturating_sub(u64::try_from(time(0, l) / 1_000).unwrap_or(0))
        });
        let placed = lives
            .iter()
            .enumerate()
            .filter(|(node, _)| is_placed(*node));
        let until = placed.map(|(_, life)| life.to).max().unwrap_or(0);
        let numbers = lives.iter().enumerate().map(|(i, l)| (l.key, i)).collect();
        let offsets = offsets.iter().map(|o| Offset {
            add: o.add.saturating_sub(zero),
            ..*o
        });
        let mut picture = Picture {
            offsets: offsets.collect(),
            traces,
            lives,
            arrows,
            types,
            ballots: Vec::new(),
            until,
            wall_ms,
            notes,
            numbers,
        };
        picture.ballots = ballots(&picture);
        picture
    }

    /// When a line was written, on the common clock.
    #[must_use]
    pub fn time(&self, at: At) -> i64 {
        let t = self.line(at).t.cast_signed();
        t.saturating_add(self.offsets[at.node].add)
    }

    /// A line.
    #[must_use]
    pub fn line(&self, at: At) -> &Line {
        &self.traces[at.node].lines[at.line]
    }

    /// The number of the node with this key, if it is traced.
    #[must_use]
    pub fn number(&self, key: Key) -> Option<usize> {
        self.numbers.get(&key).copied()
    }

    /// What a node is called, traced or not.
    #[must_use]
    pub fn name(&self, key: Key) -> String {
        match self.number(key) {
            Some(number) => self.lives[number].label.clone(),
            None => format!("{key}"),
        }
    }

    /// All lines in the order of the common clock.
    #[must_use]
    pub fn in_order(&self) -> Vec<(i64, At)> {
        let mut all = Vec::new();
        for (node, trace) in self.traces.iter().enumerate() {
            let ats = (0..trace.lines.len()).map(|line| At { node, line });
            all.extend(ats.map(|at| (self.time(at), at)));
        }
        all.sort_by_key(|(time, at)| (*time, *at));
        all
    }

    /// What a message says, in words.
    #[must_use]
    pub fn said(&self, at: At) -> String {
        match &self.line(at).what {
            What::Sent { said, .. }
            | What::Got { said, .. }
            | What::Cast { said, .. }
            | What::Heard { said, .. } => self.words_of(said),
            _ => String::new(),
        }
    }

    fn words_of(&self, said: &Said) -> String {
        let mut words = Vec::new();
        if let Some(claim) = said.claim {
            words.push(format!("coordinator {}", self.name(claim.1.0)));
        }
        if let Some(view) = said.view {
            words.push(format!("view {view}"));
        }
        if let Some(members) = said.members {
            words.push(format!("{members} members"));
        }
        if let Some(about) = said.about {
            words.push(format!("about {}", self.name(about.0)));
        }
        if let Some(id) = said.id {
            words.push(format!("id {id}"));
        }
        if let Some(kind) = &said.kind {
            words.push(super::plain(kind));
        }
        if said.forced {
            words.push("asked for by a user".to_owned());
        }
        let ids = said.ids.iter().take(4).map(|run| {
            let name = self.name(run.0.0);
            match run.1 == run.2 {
                true => format!("{name} {}", run.1),
                false => format!("{name} {} to {}", run.1, run.2),
            }
        });
        words.extend(ids);
        if said.ids.len() > 4 {
            words.push(format!("and {} more", said.ids.len() - 4));
        }
        if let Some(seq) = said.seq {
            words.push(format!("up to {seq}"));
        }
        let texts = said.texts.iter().take(2);
        words.extend(texts.map(|text| format!("“{}”", super::plain(text))));
        words.join(", ")
    }
}

/// The arrows with their types and times, in the order of sending.
fn typed(
    traces: &[NodeTrace],
    arrows: Vec<Arrow>,
    time: impl Fn(At) -> i64,
) -> (Vec<Message>, Vec<String>) {
    let mut names = Names::default();
    let mut types: Vec<String> = Vec::new();
    let mut messages: Vec<Message> = Vec::with_capacity(arrows.len());
    for ends in arrows {
        let line = &traces[ends.sent.node].lines[ends.sent.line];
        let name = match &line.what {
            What::Sent { m, .. } | What::Cast { m, .. } => m.as_str(),
            _ => "",
        };
        let name = if types.len() < TRACE_TYPES_MAX || types.iter().any(|t| t == name) {
            super::plain(name)
        } else {
            "others".to_owned()
        };
        let m = names.of(&name) as usize;
        if m == types.len() {
            types.push(name);
        }
        let sent = time(ends.sent);
        let got = ends.got.map_or(sent, &time);
        messages.push(Message {
            ends,
            m,
            sent,
            got: got.max(sent),
        });
    }
    messages.sort_by_key(|m| (m.sent, m.ends.sent, m.ends.to));
    (messages, types)
}
