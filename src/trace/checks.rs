//! Whether what the traces tell keeps to the rules.
//!
//! Owns what was found. A rule is only held against what the traces have whole: where one begins in the middle of a
//! life, or a node is not traced, nothing is claimed.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::limits::TRACE_FINDINGS_MAX;
use crate::wire::Key;

use super::format::{Hex, Run, What};
use super::lives::{End, Life};
use super::matching::At;
use super::picture::Picture;
use super::words::shown;

/// What is so fresh at the end of a trace that it may still be on its way.
const FRESH: i64 = 2_000_000;
/// Two may coordinate so long after they have heard of each other.
const SETTLING: i64 = 5_000_000;
/// More messages than this are not followed one by one.
const CHAT_MAX: u64 = 1_000_000;

/// A rule, and what was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// The rule, as a sentence.
    pub rule: &'static str,
    /// How often it was looked at.
    pub looked: u64,
    /// Where it does not hold: when, and how.
    pub broken: Vec<(i64, String)>,
}

impl Verdict {
    fn new(rule: &'static str) -> Verdict {
        Verdict {
            rule,
            looked: 0,
            broken: Vec::new(),
        }
    }

    fn look(&mut self, is_kept: bool, at: i64, words: impl FnOnce() -> String) {
        self.looked += 1;
        if !is_kept && self.broken.len() < TRACE_FINDINGS_MAX {
            self.broken.push((at, words()));
        }
    }
}

/// All rules.
#[must_use]
pub fn check(picture: &Picture) -> Vec<Verdict> {
    vec![
        one_winner(picture),
        highest_wins(picture),
        one_coordinator(picture),
        views_in_order(picture),
        unique_ids(picture),
        no_chat_lost(picture),
    ]
}

/// Who has an open link with a node then, as that one's trace tells.
fn links_at(picture: &Picture, node: usize, at: i64) -> BTreeSet<Key> {
    let mut open: BTreeMap<u64, Key> = BTreeMap::new();
    for (line, it) in picture.traces[node].lines.iter().enumerate() {
        if picture.time(At { node, line }) > at {
            break;
        }
        match &it.what {
            What::Node { links, .. } => {
                open = links.iter().map(|l| (l.0, l.1.0)).collect();
            }
            What::Open { link, peer } => drop(open.insert(*link, peer.0)),
            What::Closed { link, .. } => drop(open.remove(link)),
            _ => {}
        }
    }
    open.into_values().collect()
}

fn one_winner(picture: &Picture) -> Verdict {
    let mut verdict = Verdict::new("among nodes that are linked, one wins each election");
    for ballot in &picture.ballots {
        let mut winners: Vec<(usize, i64)> = ballot.winners.clone();
        winners.dedup_by_key(|w| w.0);
        let linked =
            |a: usize, b: usize, at: i64| links_at(picture, a, at).contains(&picture.lives[b].key);
        let clash = winners.iter().enumerate().find_map(|(i, a)| {
            let others = &winners[i + 1..];
            // Who wins after a lower one had won takes the office over.
            others.iter().find(|b| {
                let is_same = a.0 != b.0 && (a.1 - b.1).abs() < SETTLING;
                is_same && linked(b.0, a.0, b.1) && picture.lives[b.0].id < picture.lives[a.0].id
            })
        });
        verdict.look(clash.is_none(), ballot.from, || {
            let names = winners.iter().map(|w| picture.lives[w.0].label.as_str());
            format!("several won: {}", names.collect::<Vec<_>>().join(", "))
        });
    }
    verdict
}

fn highest_wins(picture: &Picture) -> Verdict {
    let mut verdict = Verdict::new("the winner is the highest among its live links");
    for ballot in &picture.ballots {
        for (winner, at) in &ballot.winners {
            let life = &picture.lives[*winner];
            let linked = links_at(picture, *winner, *at);
            let is_live = |other: &&Life| {
                let is_gone = picture.ballots.iter().any(|b| {
                    b.from <= *at && b.lost.as_ref().is_some_and(|(key, _)| *key == other.key)
                });
                let hears = other.runs_at(at.saturating_sub(1_500_000)) && other.runs_at(*at);
                linked.contains(&other.key) && hears && !is_gone && other.end != End::Left
            };
            let higher = picture
                .lives
                .iter()
                .filter(is_live)
                .find(|o| o.id > life.id);
            verdict.look(higher.is_none(), *at, || {
                let higher = higher.map(|h| h.label.as_str()).unwrap_or_default();
                format!("{} won, though {higher} was alive and linked", life.label)
            });
        }
    }
    verdict
}

fn one_coordinator(picture: &Picture) -> Verdict {
    let mut verdict = Verdict::new("in the end those that are linked have one coordinator");
    let end = picture.until;
    let alive: Vec<usize> = (0..picture.lives.len())
        .filter(|n| picture.lives[*n].end == End::Open && picture.lives[*n].runs_at(end))
        .collect();
    for (i, a) in alive.iter().enumerate() {
        let links = links_at(picture, *a, end);
        let settled = picture.lives[*a].reigns.last();
        for b in &alive[i + 1..] {
            let other = &picture.lives[*b];
            let is_calm = [settled, other.reigns.last()]
                .into_iter()
                .flatten()
                .all(|reign| end - reign.from > SETTLING);
            if !links.contains(&other.key) || !is_calm {
                continue;
            }
            let (one, two) = (picture.lives[*a].leader_at(end), other.leader_at(end));
            verdict.look(one == two, end, || {
                let name = |key: Option<Key>| key.map_or("nobody".to_owned(), |k| picture.name(k));
                let (a, b) = (&picture.lives[*a].label, &other.label);
                format!("{a} follows {}, and {b} follows {}", name(one), name(two))
            });
        }
    }
    verdict
}

fn views_in_order(picture: &Picture) -> Verdict {
    let mut verdict = Verdict::new("the versions of one coordinator's views only rise");
    for (node, trace) in picture.traces.iter().enumerate() {
        let mut last: BTreeMap<Key, u64> = BTreeMap::new();
        for (line, it) in trace.lines.iter().enumerate() {
            if let What::View { view, of, .. } = &it.what {
                let before = last.insert(of.0, *view);
                let is_kept = before.is_none_or(|before| before < *view);
                verdict.look(is_kept, picture.time(At { node, line }), || {
                    let (me, of) = (&picture.lives[node].label, picture.name(of.0));
                    let before = before.unwrap_or(0);
                    format!("{me} went from {of}'s view {before} to {view}")
                });
            }
        }
    }
    verdict
}

fn unique_ids(picture: &Picture) -> Verdict {
    let mut verdict = Verdict::new("nobody shares an id within a view");
    for (node, trace) in picture.traces.iter().enumerate() {
        let mut ids: BTreeMap<Key, u64> = BTreeMap::new();
        for (line, it) in trace.lines.iter().enumerate() {
            match &it.what {
                What::Node { members, .. } => {
                    ids = members.iter().map(|m| (m.0.0, m.1)).collect();
                }
                What::View { new, gone, .. } => {
                    ids.retain(|key, _| !gone.contains(&Hex(*key)));
                    ids.extend(new.iter().map(|m| (m.0.0, m.1)));
                }
                _ => continue,
            }
            let distinct: BTreeSet<u64> = ids.values().copied().collect();
            let at = picture.time(At { node, line });
            verdict.look(distinct.len() == ids.len(), at, || {
                format!(
                    "in the view of {} two members have one id",
                    picture.lives[node].label
                )
            });
        }
    }
    verdict
}

/// What one node took in, wrote, and gave up, and who was in its view when.
#[derive(Default)]
struct Chat {
    written: Vec<(u64, i64, Rc<BTreeSet<Key>>)>,
    taken: BTreeMap<Key, Vec<(u64, u64)>>,
    members: Rc<BTreeSet<Key>>,
    /// All who ever were.
    ever: BTreeSet<Key>,
}

impl Chat {
    fn has(&self, author: Key, seq: u64) -> bool {
        let runs = self.taken.get(&author);
        runs.is_some_and(|runs| {
            runs.iter()
                .any(|(first, last)| (*first..=*last).contains(&seq))
        })
    }
}

fn no_chat_lost(picture: &Picture) -> Verdict {
    let mut verdict = Verdict::new(
        "whoever was in its author's view, and stays, has each message or says that it missed it",
    );
    let chats: Vec<Chat> = (0..picture.traces.len())
        .map(|n| chat_of(picture, n))
        .collect();
    let count: usize = chats.iter().map(|c| c.written.len()).sum();
    if (count * chats.len()) as u64 > CHAT_MAX {
        return verdict;
    }
    for (author, chat) in chats.iter().enumerate() {
        let key = picture.lives[author].key;
        for (seq, at, members) in &chat.written {
            for (reader, its) in chats.iter().enumerate() {
                let life = &picture.lives[reader];
                let stays = life.end != End::Died && !life.late && life.to - at >= FRESH;
                let is_owed = members.contains(&life.key) && its.ever.contains(&key);
                if reader == author || !stays || !is_owed {
                    continue;
                }
                verdict.look(its.has(key, *seq), *at, || {
                    let (me, of) = (&life.label, &picture.lives[author].label);
                    let ago = shown(picture.until - at);
                    format!("{me} has not taken in {of}'s message {seq}, {ago} before the end")
                });
            }
        }
    }
    verdict
}

fn chat_of(picture: &Picture, node: usize) -> Chat {
    let mut chat = Chat::default();
    let take = |chat: &mut Chat, runs: &[Run]| {
        for run in runs {
            let all = chat.taken.entry(run.0.0).or_default();
            match all.last_mut() {
                Some(last) if last.1.saturating_add(1) == run.1 => last.1 = run.2,
                _ => all.push((run.1, run.2)),
            }
        }
    };
    for (line, it) in picture.traces[node].lines.iter().enumerate() {
        let at = picture.time(At { node, line });
        match &it.what {
            What::Node { members, .. } => {
                chat.members = Rc::new(members.iter().map(|m| m.0.0).collect());
                chat.ever.extend(chat.members.iter());
            }
            What::View { new, gone, .. } => {
                let all = Rc::make_mut(&mut chat.members);
                all.retain(|key| !gone.contains(&Hex(*key)));
                all.extend(new.iter().map(|m| m.0.0));
                chat.ever.extend(new.iter().map(|m| m.0.0));
            }
            What::Taken { ids, own, .. } => {
                if *own {
                    let seqs = ids
                        .iter()
                        .flat_map(|run| run.1..=run.2.min(run.1.saturating_add(10_000)));
                    let members = &chat.members;
                    let said: Vec<_> = seqs.map(|seq| (seq, at, members.clone())).collect();
                    chat.written.extend(said);
                }
                take(&mut chat, ids);
            }
            What::Missed { ids } => take(&mut chat, ids),
            _ => {}
        }
    }
    chat
}
