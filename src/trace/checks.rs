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
/// Whoever was heard so short a time before is alive for whoever heard it.
const LATELY: i64 = 50_000;
/// How long leaving takes at most, and how long a cut has its effects.
const LEAVING: i64 = 11_000_000;
/// Repair takes less, whatever happens.
const LONG: i64 = 20_000_000;
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
        // Who wins after a lower one had won takes the office over; who wins after a higher one is wrong.
        let clash = ballot
            .winners
            .iter()
            .enumerate()
            .find_map(|(place, later)| {
                let live = live_for(picture, later.0, later.1, LATELY);
                let mut before = ballot.winners[..place].iter();
                before.find(|it| {
                    live.contains(&it.0) && picture.lives[it.0].id > picture.lives[later.0].id
                })
            });
        verdict.look(clash.is_none(), ballot.from, || {
            let names = ballot
                .winners
                .iter()
                .map(|w| picture.lives[w.0].label.as_str());
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
            let live = live_for(picture, *winner, *at, LATELY);
            // Whoever is on the way in has no rank yet.
            let ids = view_at(picture, *winner, *at);
            let id_of = |life: &Life| ids.get(&life.key).copied();
            let higher = live
                .iter()
                .map(|n| &picture.lives[*n])
                .find(|other| id_of(other) > id_of(life));
            verdict.look(higher.is_none(), *at, || {
                let higher = higher.map(|h| h.label.as_str()).unwrap_or_default();
                format!("{} won, though {higher} was alive and linked", life.label)
            });
        }
    }
    verdict
}

/// The members of a node's view then, with their ids.
fn view_at(picture: &Picture, node: usize, at: i64) -> BTreeMap<Key, u64> {
    let mut ids = BTreeMap::new();
    for (line, it) in picture.traces[node].lines.iter().enumerate() {
        if picture.time(At { node, line }) > at {
            break;
        }
        follow_view(&mut ids, &it.what);
    }
    ids
}

/// The members and their ids after this line; false if it is not about them.
fn follow_view(ids: &mut BTreeMap<Key, u64>, what: &What) -> bool {
    match what {
        What::Node { members, .. } => *ids = members.iter().map(|m| (m.0.0, m.1)).collect(),
        What::View { new, gone, .. } => {
            ids.retain(|key, _| !gone.contains(&Hex(*key)));
            ids.extend(new.iter().map(|m| (m.0.0, m.1)));
        }
        _ => return false,
    }
    true
}

/// Who is certainly alive for this node then: linked, heard a moment ago, running, not cut off, not leaving.
fn live_for(picture: &Picture, node: usize, at: i64, lately: i64) -> BTreeSet<usize> {
    let life = &picture.lives[node];
    let linked = links_at(picture, node, at);
    let mut heard = BTreeSet::new();
    for message in &picture.arrows {
        let is_late = message.got <= at && at - message.got < lately;
        if is_late && message.ends.got.is_some_and(|got| got.node == node) && !message.ends.loose {
            heard.insert(message.ends.sent.node);
        }
    }
    heard.retain(|number| {
        let other = &picture.lives[*number];
        let is_leaving = other.end == End::Left && other.to < at + LEAVING;
        let is_cut = [life, other].iter().any(|l| {
            let keys = [life.key, other.key];
            let mut cuts = l.cuts.iter().filter(|c| keys.contains(&c.is));
            cuts.any(|c| c.from <= at && at - c.to < LEAVING)
        });
        linked.contains(&other.key) && other.runs_at(at) && !is_leaving && !is_cut
    });
    heard
}

fn one_coordinator(picture: &Picture) -> Verdict {
    let mut verdict = Verdict::new("in the end those that are linked have one coordinator");
    let end = picture.until;
    let alive: Vec<usize> = (0..picture.lives.len())
        .filter(|n| picture.lives[*n].end == End::Open && picture.lives[*n].runs_at(end))
        // Where nobody's message tells what time it is there, nothing can be said.
        .filter(|n| picture.offsets[*n].doubt.is_some())
        .collect();
    for (i, a) in alive.iter().enumerate() {
        let live = live_for(picture, *a, end, FRESH);
        let settled = picture.lives[*a].reigns.last();
        for b in &alive[i + 1..] {
            let other = &picture.lives[*b];
            let is_calm = [settled, other.reigns.last()]
                .into_iter()
                .flatten()
                .all(|reign| end - reign.from > SETTLING);
            if !live.contains(b) || !is_calm {
                continue;
            }
            let (one, two) = (picture.lives[*a].leader_at(end), other.leader_at(end));
            // Who has none just then is about to find one.
            if one.is_none() || two.is_none() {
                continue;
            }
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
    let mut verdict =
        Verdict::new("while a node follows one coordinator, the version of its view never falls");
    for (node, trace) in picture.traces.iter().enumerate() {
        let mut last: BTreeMap<Key, u64> = BTreeMap::new();
        for (line, it) in trace.lines.iter().enumerate() {
            if let What::Standing { standing, .. } = &it.what
                && standing == "adrift"
            {
                // It follows nobody now, and whom it finds it believes.
                last.clear();
            }
            if let What::View { view, of, .. } = &it.what {
                let before = last.remove(&of.0);
                // What it followed in between has been another story.
                last = BTreeMap::from([(of.0, *view)]);
                let is_kept = before.is_none_or(|before| before <= *view);
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
            if !follow_view(&mut ids, &it.what) {
                continue;
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
                let stays = stays(picture, (author, reader), *at);
                let is_owed = members.contains(&life.key) && its.ever.contains(&key);
                // What died with all who had it cannot be had any more.
                let is_left = chats.iter().enumerate().any(|(holder, chat)| {
                    let other = &picture.lives[holder];
                    let stays = other.end != End::Died && other.to >= life.to.min(at + LONG);
                    holder != reader
                        && stays
                        && chat.has(key, *seq)
                        && chat.ever.contains(&life.key)
                });
                if reader == author || !stays || !is_owed || !is_left {
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

/// True if a node lives on after this, and ends, or is at the end, in one group with the author: whoever leaves
/// out of another part of a network that is cut lacks what was said here.
fn stays(picture: &Picture, (author, reader): (usize, usize), at: i64) -> bool {
    let (author, life) = (&picture.lives[author], &picture.lives[reader]);
    let has_settled = |l: &Life| l.reigns.last().is_some_and(|r| l.to - r.from >= FRESH);
    let is_with = author.end == End::Died
        || (author.leader_at(life.to) == life.leader_at(life.to) && has_settled(author));
    let lives = life.end != End::Died && !life.late && life.to - at >= FRESH;
    lives && is_with && has_settled(life)
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
