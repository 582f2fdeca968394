//! The life of one node, as far as its trace and the others' tell it.
//!
//! Owns the spans: how it stood, whom it held for coordinator, when it did not run, and how it ended.

use std::collections::BTreeMap;

use crate::wire::Key;

use super::format::{Line, What, Who};
use super::read::NodeTrace;

/// A stretch of time, in microseconds on the common clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span<T> {
    /// Its begin.
    pub from: i64,
    /// Its end.
    pub to: i64,
    /// What was so.
    pub is: T,
    /// The line that began it.
    pub line: usize,
}

/// How a life ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// It left in good order.
    Left,
    /// Its process ended without a word.
    Died,
    /// The trace ends, and the node lived on as far as is known.
    Open,
}

/// A node's life.
#[derive(Debug)]
pub struct Life {
    /// The node.
    pub key: Key,
    /// What people call it, as it was first.
    pub nick: String,
    /// Its last id.
    pub id: Option<u64>,
    /// Its nick and its id, safe to look at, and no other node's.
    pub label: String,
    /// Its first line.
    pub from: i64,
    /// Its end, or the end of its trace.
    pub to: i64,
    /// How it ended.
    pub end: End,
    /// How it stood towards the room.
    pub standings: Vec<Span<String>>,
    /// Whom it held for coordinator.
    pub reigns: Vec<Span<Key>>,
    /// When it did not run.
    pub frozen: Vec<Span<()>>,
    /// From whom it was cut off.
    pub cuts: Vec<Span<Key>>,
    /// Its trace begins in the middle of its life.
    pub late: bool,
}

/// The lives of all nodes; `time` is the common clock, and of some it is known what time it is there.
pub(super) fn lives(
    nodes: &[NodeTrace],
    time: impl Fn(usize, &Line) -> i64,
    is_placed: impl Fn(usize) -> bool,
) -> Vec<Life> {
    let names = names(nodes);
    let last = |(node, trace): (usize, &NodeTrace)| trace.lines.last().map(|l| time(node, l));
    let placed = nodes
        .iter()
        .enumerate()
        .filter(|(node, _)| is_placed(*node));
    let until = placed.filter_map(last).max().unwrap_or(0);
    let deaths = deaths(nodes, &time);
    let mut lives: Vec<Life> = (nodes.iter().enumerate())
        .map(|(node, trace)| {
            let mut life = Builder::new(trace, until).build(trace, |line| time(node, line));
            let told = deaths.get(&life.key).copied();
            // Others have seen that the process is gone after its last word.
            if life.end == End::Open && told.is_some_and(|at| at >= life.to - SLACK) {
                life.end = End::Died;
            }
            if life.end == End::Open && is_placed(node) {
                life.stretch(until);
            }
            let (nick, id) = names.get(&life.key).cloned().unwrap_or_default();
            life.nick = if life.nick.is_empty() {
                nick
            } else {
                life.nick
            };
            life.id = id;
            life
        })
        .collect();
    label(&mut lives);
    lives
}

/// By how much a death may seem to be noticed before the last word.
const SLACK: i64 = 5_000;

impl Life {
    /// Nothing is known of its end: it goes on as it was.
    fn stretch(&mut self, until: i64) {
        let last = self.to;
        self.to = until;
        let grow = |to: &mut i64| *to = if *to == last { until } else { *to };
        self.standings
            .last_mut()
            .into_iter()
            .for_each(|s| grow(&mut s.to));
        self.reigns
            .last_mut()
            .into_iter()
            .for_each(|s| grow(&mut s.to));
    }

    /// Whom it held for coordinator then.
    #[must_use]
    pub fn leader_at(&self, at: i64) -> Option<Key> {
        let reign = self
            .reigns
            .iter()
            .rev()
            .find(|r| r.from <= at && at <= r.to);
        reign.map(|r| r.is)
    }

    /// True if it ran then.
    #[must_use]
    pub fn runs_at(&self, at: i64) -> bool {
        let is_frozen = self.frozen.iter().any(|s| s.from < at && at < s.to);
        self.from <= at && at <= self.to && !is_frozen
    }

    /// Until when it ran, of one that has ended by then, does not run then, or runs again from then on.
    #[must_use]
    pub fn ran_until(&self, at: i64) -> i64 {
        let frozen = self.frozen.iter().filter(|s| s.from < at && at <= s.to);
        let since = frozen.map(|s| s.from).min();
        since.unwrap_or(self.to.min(at))
    }
}

/// What is known while the lines of a node are read.
struct Builder {
    life: Life,
    standing: Option<(String, i64, usize)>,
    leader: Option<(Key, i64, usize)>,
    /// The last coordinator that it named.
    named: Option<Key>,
    frozen: Option<(i64, usize)>,
    cut: BTreeMap<Key, (i64, usize)>,
}

impl Builder {
    fn new(trace: &NodeTrace, until: i64) -> Builder {
        let life = Life {
            key: trace.key,
            nick: String::new(),
            id: None,
            label: String::new(),
            from: until,
            to: until,
            end: End::Open,
            standings: Vec::new(),
            reigns: Vec::new(),
            frozen: Vec::new(),
            cuts: Vec::new(),
            late: true,
        };
        Builder {
            life,
            standing: None,
            leader: None,
            named: None,
            frozen: None,
            cut: BTreeMap::new(),
        }
    }

    fn build(mut self, trace: &NodeTrace, time: impl Fn(&Line) -> i64) -> Life {
        let first = trace.lines.first();
        self.life.from = first.map_or(self.life.from, &time);
        let mut before = self.life.from;
        for (number, line) in trace.lines.iter().enumerate() {
            let at = time(line);
            self.take(&line.what, (at, before), number);
            before = at;
        }
        self.life.to = before;
        self.stand(None, before, 0);
        self.follow(None, before, 0);
        if let Some((from, line)) = self.frozen.take() {
            self.life.frozen.push(Span {
                from,
                to: before,
                is: (),
                line,
            });
        }
        for (is, (from, line)) in std::mem::take(&mut self.cut) {
            self.life.cuts.push(Span {
                from,
                to: before,
                is,
                line,
            });
        }
        self.life
    }

    fn take(&mut self, what: &What, (at, before): (i64, i64), line: usize) {
        match what {
            What::Node {
                nick,
                standing,
                coordinator,
                late,
                ..
            } => {
                if self.life.nick.is_empty() {
                    self.life.nick.clone_from(nick);
                    self.life.late = *late || line > 0 || standing != "seeking";
                }
                self.named = coordinator.map(|c| c.1.0).or(self.named);
                self.stand(Some(standing), at, line);
            }
            What::Standing { standing, .. } => self.stand(Some(standing), at, line),
            What::Coordinator { claim } => {
                self.named = Some(claim.1.0);
                let stands = self.standing.as_ref().map(|s| s.0.as_str());
                if matches!(stands, Some("member" | "coordinator")) {
                    self.follow(self.named, at, line);
                }
            }
            What::Away => {
                let from = self.frozen.take().unwrap_or((before, line)).0;
                self.life.frozen.push(Span {
                    from,
                    to: at,
                    is: (),
                    line,
                });
            }
            What::Left { .. } => self.life.end = End::Left,
            What::Fate { fate, peer } => self.meet(fate, peer.map(|p| p.0), at, line),
            _ => {}
        }
    }

    fn meet(&mut self, fate: &str, peer: Option<Key>, at: i64, line: usize) {
        match (fate, peer) {
            ("killed", _) => self.life.end = End::Died,
            ("frozen", _) => self.frozen = Some((at, line)),
            ("thawed", _) => {
                // The node says itself that it was away, if it was for long.
                if let Some((from, line)) = self.frozen.take() {
                    self.life.frozen.push(Span {
                        from,
                        to: at,
                        is: (),
                        line,
                    });
                }
            }
            ("cut", Some(peer)) => drop(self.cut.insert(peer, (at, line))),
            ("healed", Some(is)) => {
                if let Some((from, line)) = self.cut.remove(&is) {
                    self.life.cuts.push(Span {
                        from,
                        to: at,
                        is,
                        line,
                    });
                }
            }
            _ => {}
        }
    }

    fn stand(&mut self, standing: Option<&str>, at: i64, line: usize) {
        if self.standing.as_ref().map(|s| s.0.as_str()) != standing {
            if let Some((is, from, line)) = self.standing.take() {
                self.life.standings.push(Span {
                    from,
                    to: at,
                    is,
                    line,
                });
            }
            self.standing = standing.map(|s| (s.chars().take(40).collect(), at, line));
        }
        match standing {
            Some("member") => self.follow(self.named, at, line),
            Some("coordinator") => self.follow(Some(self.life.key), at, line),
            _ => self.follow(None, at, line),
        }
    }

    fn follow(&mut self, leader: Option<Key>, at: i64, line: usize) {
        if self.leader.map(|l| l.0) == leader {
            return;
        }
        if let Some((is, from, line)) = self.leader.take()
            && from < at
        {
            self.life.reigns.push(Span {
                from,
                to: at,
                is,
                line,
            });
        }
        self.leader = leader.map(|leader| (leader, at, line));
    }
}

/// Nicks and ids of all nodes that are named anywhere.
fn names(nodes: &[NodeTrace]) -> BTreeMap<Key, (String, Option<u64>)> {
    let mut names: BTreeMap<Key, (String, Option<u64>)> = BTreeMap::new();
    let note = |names: &mut BTreeMap<Key, (String, Option<u64>)>, who: &Who| {
        names.insert(who.0.0, (who.2.clone(), Some(who.1)));
    };
    for trace in nodes {
        for line in &trace.lines {
            match &line.what {
                What::Node { members: whos, .. } | What::View { new: whos, .. } => {
                    whos.iter().for_each(|who| note(&mut names, who));
                }
                _ => {}
            }
        }
    }
    names
}

/// When others last saw that a process is no more.
fn deaths(nodes: &[NodeTrace], time: &impl Fn(usize, &Line) -> i64) -> BTreeMap<Key, i64> {
    let mut deaths = BTreeMap::new();
    for (node, trace) in nodes.iter().enumerate() {
        for line in &trace.lines {
            if let What::Lost { peer, .. } = &line.what {
                let at = time(node, line);
                let latest = deaths.entry(peer.0).or_insert(at);
                *latest = at.max(*latest);
            }
        }
    }
    deaths
}

/// Gives each node a name of its own.
fn label(lives: &mut [Life]) {
    let mut count: BTreeMap<String, u64> = BTreeMap::new();
    for life in lives.iter_mut() {
        let nick: String = super::plain(&life.nick);
        let nick = if nick.is_empty() {
            "?".to_owned()
        } else {
            nick
        };
        life.label = match life.id {
            Some(id) => format!("{nick}#{id}"),
            None => nick,
        };
        *count.entry(life.label.clone()).or_default() += 1;
    }
    for life in lives.iter_mut() {
        if count.get(&life.label).is_some_and(|n| *n > 1) {
            life.label = format!("{}/{:04x}", life.label, life.key.0 >> 48);
        }
    }
}
