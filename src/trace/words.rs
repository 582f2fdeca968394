//! What happened, in words.
//!
//! Owns the sentences. They say only what lines tell, with the times and the names of those who did it.

use std::collections::{BTreeMap, BTreeSet};

use crate::wire::Key;

use super::elections::Ballot;
use super::format::What;
use super::lives::End;
use super::matching::At;
use super::picture::Picture;

/// What a sentence is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Topic {
    /// Somebody came, or came back.
    Join,
    /// Somebody left or was lost.
    Loss,
    /// An election.
    Election,
    /// Two groups became one.
    Merge,
    /// Something else.
    Other,
}

impl Topic {
    /// As `--around` names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Topic::Join => "join",
            Topic::Loss => "loss",
            Topic::Election => "election",
            Topic::Merge => "merge",
            Topic::Other => "other",
        }
    }
}

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sentence {
    /// When it began.
    pub from: i64,
    /// When it was over.
    pub to: i64,
    /// About what.
    pub topic: Topic,
    /// In words.
    pub words: String,
}

/// A time, or how long something took, for people.
#[must_use]
pub fn shown(micros: i64) -> String {
    let (sign, micros) = if micros < 0 {
        ("-", -micros)
    } else {
        ("", micros)
    };
    match micros {
        0..1_000 => format!("{sign}{micros} µs"),
        1_000..1_000_000 => format!("{sign}{}.{} ms", micros / 1_000, micros / 100 % 10),
        _ => format!(
            "{sign}{}.{:03} s",
            micros / 1_000_000,
            micros / 1_000 % 1_000
        ),
    }
}

/// Everything that happened, in its order.
#[must_use]
pub fn story(picture: &Picture) -> Vec<Sentence> {
    let mut story: Vec<Sentence> = picture
        .ballots
        .iter()
        .map(|ballot| Sentence {
            from: ballot.died_at.unwrap_or(ballot.from).min(ballot.from),
            to: ballot.to,
            topic: Topic::Election,
            words: election(picture, ballot),
        })
        .collect();
    for (node, trace) in picture.traces.iter().enumerate() {
        let mut teller = Teller {
            picture,
            node,
            leader: None,
            leads: false,
            lost: BTreeMap::new(),
        };
        for line in 0..trace.lines.len() {
            story.extend(teller.tell(At { node, line }));
        }
    }
    story.extend(deaths(picture));
    story.extend(ways(picture));
    story.sort_by(|a, b| (a.from, &a.words).cmp(&(b.from, &b.words)));
    story
}

/// Whose process ended, where nobody says so himself.
fn deaths(picture: &Picture) -> Vec<Sentence> {
    let is_told = |node: usize| {
        let lines = picture.traces[node].lines.iter();
        let mut fates =
            lines.filter(|l| matches!(&l.what, What::Fate { fate, .. } if fate == "killed"));
        fates.next().is_some()
    };
    let ended = picture.lives.iter().enumerate();
    let ended = ended.filter(|(node, life)| life.end == End::Died && !is_told(*node));
    ended
        .map(|(_, life)| Sentence {
            from: life.to,
            to: life.to,
            topic: Topic::Loss,
            words: format!(
                "{} wrote its last line: its process ended without a word",
                life.label
            ),
        })
        .collect()
}

/// Tells what one node did.
struct Teller<'a> {
    picture: &'a Picture,
    node: usize,
    leader: Option<Key>,
    leads: bool,
    /// Whom it lost, and when.
    lost: BTreeMap<Key, i64>,
}

impl Teller<'_> {
    fn tell(&mut self, at: At) -> Option<Sentence> {
        let picture = self.picture;
        let time = picture.time(at);
        let (topic, words) = match &picture.line(at).what {
            What::Node { coordinator, .. } => {
                self.leader = coordinator.map(|c| c.1.0);
                return None;
            }
            What::Standing { standing, .. } => {
                self.leads = standing == "coordinator";
                return None;
            }
            What::Coordinator { claim } => return self.follow(time, claim.1.0),
            What::Joined { again } => (Topic::Join, self.joined(time, *again)),
            What::Lost { peer, why } if self.leads => (Topic::Loss, self.lost(time, peer.0, why)?),
            what => self.other(at, what)?,
        };
        Some(Sentence {
            from: time,
            to: time,
            topic,
            words,
        })
    }

    /// What needs no memory of what was before.
    fn other(&self, at: At, what: &What) -> Option<(Topic, String)> {
        let picture = self.picture;
        let me = &picture.lives[self.node].label;
        Some(match what {
            What::Away => {
                let time = picture.time(at);
                let gap = shown(time - picture.lives[self.node].ran_until(time));
                let words = format!(
                    "{me} noticed that it had not run for {gap}, and asks in before it says anything"
                );
                (Topic::Other, words)
            }
            What::Left { confirmed } => {
                let all = if *confirmed { "everything" } else { "not all" };
                let words = format!("{me} left in good order; {all} that it said was confirmed");
                (Topic::Loss, words)
            }
            What::Missed { ids } => {
                let counts = ids
                    .iter()
                    .map(|run| run.2.saturating_sub(run.1).saturating_add(1));
                let count = counts.fold(0, u64::saturating_add);
                let words = format!("{me} gave up {count} messages");
                (Topic::Other, words)
            }
            What::Fate { fate, peer: None } => (fate_topic(fate), fate_words(me, fate)),
            _ => return None,
        })
    }

    /// A coordinator counts on a node no more, which it may have several reasons for.
    fn lost(&mut self, time: i64, peer: Key, why: &str) -> Option<String> {
        let before = self.lost.insert(peer, time);
        if before.is_some_and(|before| time - before < 1_000_000) {
            return None;
        }
        let (me, who) = (
            &self.picture.lives[self.node].label,
            self.picture.name(peer),
        );
        let why = super::plain(why);
        Some(format!(
            "{me}, who coordinates, counts on {who} no more: {why}"
        ))
    }

    fn joined(&self, time: i64, again: bool) -> String {
        let life = &self.picture.lives[self.node];
        let me = &life.label;
        match self.leader {
            Some(leader) if leader == life.key && !again => {
                format!(
                    "{me} heard of nobody for {} and founded the room",
                    shown(time - life.from)
                )
            }
            Some(leader) if !again => format!(
                "{me} is in the room, {} after it started; {} coordinates",
                shown(time - life.from),
                self.picture.name(leader)
            ),
            Some(leader) if leader != life.key => {
                format!(
                    "{me} is in the room again; {} coordinates",
                    self.picture.name(leader)
                )
            }
            _ => format!("{me} is in the room{}", if again { " again" } else { "" }),
        }
    }

    /// It has another coordinator: a merge, if no election explains it.
    fn follow(&mut self, time: i64, leader: Key) -> Option<Sentence> {
        let before = self.leader.replace(leader)?;
        let is_elected = |b: &&Ballot| b.from <= time && time <= b.to;
        if before == leader || self.picture.ballots.iter().any(|b| is_elected(&b)) {
            return None;
        }
        let (me, old, new) = (
            &self.picture.lives[self.node].label,
            self.picture.name(before),
            self.picture.name(leader),
        );
        let old = if before == self.picture.lives[self.node].key {
            "itself".to_owned()
        } else {
            old
        };
        Some(Sentence {
            from: time,
            to: time,
            topic: Topic::Merge,
            words: format!("{me} changes over from {old} to {new}, whose claim is higher"),
        })
    }
}

fn fate_topic(fate: &str) -> Topic {
    match fate {
        "killed" => Topic::Loss,
        _ => Topic::Other,
    }
}

fn fate_words(me: &str, fate: &str) -> String {
    match fate {
        "killed" => format!("{me}'s process is killed"),
        "frozen" => format!("{me}'s process is frozen: its system goes on, it does not run"),
        "thawed" => format!("{me}'s process runs again"),
        _ => format!("{me}: {}", super::plain(fate)),
    }
}

/// What was done to the network within so many microseconds was done at once.
const NEAR: i64 = 5_000;

/// Where the network was cut and healed: what happened at one time is one sentence.
fn ways(picture: &Picture) -> Vec<Sentence> {
    let mut pairs: BTreeMap<(i64, &str), BTreeSet<(Key, Key)>> = BTreeMap::new();
    for (node, trace) in picture.traces.iter().enumerate() {
        for (line, it) in trace.lines.iter().enumerate() {
            if let What::Fate {
                fate,
                peer: Some(peer),
            } = &it.what
            {
                let (a, b) = (trace.key.min(peer.0), trace.key.max(peer.0));
                let at = picture.time(At { node, line });
                // Both ends say it, each by its own clock.
                let near = pairs.range((at - NEAR, "")..(at + NEAR, ""));
                let same = near.map(|(key, _)| *key).find(|(_, same)| same == fate);
                let key = same.unwrap_or((at, fate));
                pairs.entry(key).or_default().insert((a, b));
            }
        }
    }
    let sentence = |((at, fate), pairs): ((i64, &str), BTreeSet<(Key, Key)>)| Sentence {
        from: at,
        to: at,
        topic: Topic::Other,
        words: format!(
            "the network between {} is {}",
            sides(picture, &pairs),
            super::plain(fate)
        ),
    };
    pairs.into_iter().map(sentence).collect()
}

/// These pairs, as two sides where they are that.
fn sides(picture: &Picture, pairs: &BTreeSet<(Key, Key)>) -> String {
    let names = |keys: &BTreeSet<Key>| {
        let mut names: Vec<String> = keys.iter().map(|key| picture.name(*key)).collect();
        names.sort();
        names.join(", ")
    };
    let Some((first, _)) = pairs.first() else {
        return String::new();
    };
    let has = |a: Key, b: Key| pairs.contains(&(a.min(b), a.max(b)));
    let all: BTreeSet<Key> = pairs.iter().flat_map(|(a, b)| [*a, *b]).collect();
    let other: BTreeSet<Key> = all
        .iter()
        .copied()
        .filter(|key| has(*first, *key))
        .collect();
    let one: BTreeSet<Key> = all.difference(&other).copied().collect();
    let is_whole = one.iter().all(|a| other.iter().all(|b| has(*a, *b)));
    match is_whole && one.len() * other.len() == pairs.len() {
        true => format!("{} and {}", names(&one), names(&other)),
        false => format!("{} pairs of nodes", pairs.len()),
    }
}

/// An election, as one sentence after another.
fn election(picture: &Picture, ballot: &Ballot) -> String {
    let name = |node: usize| picture.lives[node].label.as_str();
    let first = name(ballot.first.node);
    let start = ballot.died_at.filter(|at| *at <= ballot.from);
    let mut words = match &ballot.lost {
        Some((key, why)) => {
            let after =
                start.map(|at| format!(", {} after its last line", shown(ballot.from - at)));
            format!(
                "{first} noticed that {} is gone{}: {why}",
                picture.name(*key),
                after.unwrap_or_default()
            )
        }
        None => format!("{first} begins an election"),
    };
    let mut winners = ballot.winners.clone();
    // Who is asked again announces itself again.
    winners.dedup_by_key(|w| w.0);
    for (winner, at) in &winners {
        let took = shown(at - ballot.from);
        let told: u64 = announced(picture, *winner, *at);
        let higher = ballot.messages.get("ELECTION").copied().unwrap_or(0);
        let why = match higher {
            0 => "nobody higher was alive",
            _ => "nobody higher took over",
        };
        words.push_str(&format!(
            "; {why} for {}, who announced itself to {told} after {took}",
            name(*winner)
        ));
    }
    if ballot.winners.is_empty() {
        words.push_str("; nobody won");
    } else {
        words.push_str(&format!(
            "; all {} knew at +{}",
            ballot.voters.len(),
            shown(ballot.to - ballot.from)
        ));
    }
    let counts: Vec<String> = ballot
        .messages
        .iter()
        .map(|(m, n)| format!("{n} {m}"))
        .collect();
    let counts = if counts.is_empty() {
        "no message".to_owned()
    } else {
        counts.join(", ")
    };
    let (best, worst) = ballot.textbook();
    words.push_str(&format!(
        ". It took {counts}; textbook Bully takes {best} to {worst}"
    ));
    words
}

/// To how many this winner announced itself.
fn announced(picture: &Picture, winner: usize, at: i64) -> u64 {
    let from = picture.arrows.partition_point(|m| m.sent < at);
    let sent = picture.arrows[from..].iter().take_while(|m| m.sent <= at);
    let is_it = |m: &&super::picture::Message| {
        m.ends.sent.node == winner && picture.types[m.m] == "COORDINATOR_ANNOUNCEMENT"
    };
    sent.filter(is_it).count() as u64
}

/// A moment of a stretch of so many microseconds: the shorter that is, the more exactly.
#[must_use]
pub fn moment(at: i64, stretch: i64) -> String {
    let (sign, at) = if at < 0 { ("-", -at) } else { ("", at) };
    let (seconds, micros) = (at / 1_000_000, at % 1_000_000);
    match stretch {
        0..2_000_000 => format!(
            "{sign}{seconds}.{:03} {:03}",
            micros / 1_000,
            micros % 1_000
        ),
        _ => format!("{sign}{seconds}.{:03}", micros / 1_000),
    }
}

/// What a node did that is worth a mark in any picture, in words.
#[must_use]
pub fn deed(picture: &Picture, at: At) -> Option<String> {
    Some(match &picture.line(at).what {
        What::Standing { standing, .. } if standing == "seeking" => "starts".to_owned(),
        What::Standing { standing, why } if begins(picture, at) => {
            format!("{}: {}", super::plain(standing), super::plain(why))
        }
        What::Lost { peer, why } if !is_said_before(picture, at, peer.0) => {
            format!("lost {}: {}", picture.name(peer.0), super::plain(why))
        }
        What::Joined { again: false } => "in the room".to_owned(),
        What::Joined { again: true } => "in the room again".to_owned(),
        What::Away => "had not been running".to_owned(),
        What::Left { .. } => "has left".to_owned(),
        What::Fate { fate, peer } if fate != "killed" => {
            let peer = peer.map(|p| format!(" from {}", picture.name(p.0)));
            format!("{}{}", super::plain(fate), peer.unwrap_or_default())
        }
        What::Taken { ids, own: true, .. } => {
            let last = ids.last().map_or(0, |run| run.2);
            format!("says its message {last}")
        }
        _ => return None,
    })
}

/// It stands in another way from this line on.
fn begins(picture: &Picture, at: At) -> bool {
    let standings = &picture.lives[at.node].standings;
    standings
        .binary_search_by_key(&at.line, |span| span.line)
        .is_ok()
}

/// The line before says the same.
fn is_said_before(picture: &Picture, at: At, peer: Key) -> bool {
    let before = at
        .line
        .checked_sub(1)
        .map(|line| picture.line(At { line, ..at }));
    before.is_some_and(|line| {
        line.t == picture.line(at).t
            && matches!(&line.what, What::Lost { peer: p, .. } if p.0 == peer)
    })
}
