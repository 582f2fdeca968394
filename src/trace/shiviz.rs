//! The picture for ShiViz (Beschastnikh et al. 2016): events with vector clocks.
//!
//! Owns the clocks. The file's first line is the regular expression by which ShiViz reads the others.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::format::What;
use super::matching::At;
use super::picture::Picture;
use super::selection::Selection;

/// What ShiViz is to be told, together with the two lines before each event.
const PATTERN: &str = r"(?<host>\S*) (?<clock>{.*})\n(?<event>.*)";

/// The file.
#[must_use]
pub fn shiviz(picture: &Picture, selection: &Selection) -> String {
    let mut out = format!("{PATTERN}\n\n");
    let mut came: BTreeMap<At, At> = BTreeMap::new();
    let mut sent: BTreeMap<At, ()> = BTreeMap::new();
    for message in picture.arrows.iter().filter(|m| selection.has(m)) {
        if let Some(got) = message.ends.got {
            came.insert(got, message.ends.sent);
            sent.insert(message.ends.sent, ());
        }
    }
    let hosts = hosts(picture);
    let mut clocks: Vec<BTreeMap<usize, u64>> = vec![BTreeMap::new(); picture.lives.len()];
    let mut carried: BTreeMap<At, BTreeMap<usize, u64>> = BTreeMap::new();
    let mut order = picture.in_order();
    // An effect never comes before its cause, whatever the clocks say.
    let cause_of = |at: &At| came.get(at).map_or(i64::MIN, |cause| picture.time(*cause));
    order.sort_by_key(|(time, at)| ((*time).max(cause_of(at)), came.contains_key(at), *at));
    for (time, at) in order {
        let is_in =
            (selection.from..=selection.to).contains(&time) && selection.nodes.contains(&at.node);
        let is_message = came.contains_key(&at) || sent.contains_key(&at);
        let Some(words) = words(picture, at, is_message).filter(|_| is_in) else {
            continue;
        };
        if let Some(cause) = came.get(&at).and_then(|cause| carried.get(cause)) {
            for (node, count) in cause {
                let own = clocks[at.node].entry(*node).or_default();
                *own = (*own).max(*count);
            }
        }
        *clocks[at.node].entry(at.node).or_default() += 1;
        if sent.contains_key(&at) {
            carried.insert(at, clocks[at.node].clone());
        }
        let clock = clocks[at.node].iter();
        let clock: Vec<String> = clock
            .map(|(node, n)| format!("\"{}\":{n}", hosts[*node]))
            .collect();
        let _ = writeln!(out, "{} {{{}}}\n{words}", hosts[at.node], clock.join(","));
    }
    out
}

/// The nodes' names without spaces and without quotes, which the file has no way to write; no two are the same.
fn hosts(picture: &Picture) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let lives = picture.lives.iter();
    lives
        .map(|life| {
            let plain = |c: char| c.is_alphanumeric() || "#-_/.".contains(c);
            let chars = life.label.chars();
            let name: String = chars.map(|c| if plain(c) { c } else { '_' }).collect();
            // What begins with two underscores has a meaning of its own in the script that reads it.
            let name = match name.is_empty() || name.starts_with("__") || taken.contains(&name) {
                true => format!("{}~{name}", life.key),
                false => name,
            };
            taken.insert(name.clone());
            name
        })
        .collect()
}

fn words(picture: &Picture, at: At, is_message: bool) -> Option<String> {
    Some(match &picture.line(at).what {
        What::Sent { m, .. } | What::Cast { m, .. } if is_message => {
            format!("sends {} {}", super::plain(m), picture.said(at))
        }
        What::Got { m, .. } | What::Heard { m, .. } if is_message => {
            format!("gets {} {}", super::plain(m), picture.said(at))
        }
        What::Standing { standing, why } => {
            format!("{}: {}", super::plain(standing), super::plain(why))
        }
        What::Lost { peer, why } => format!("lost {}: {}", picture.name(peer.0), super::plain(why)),
        What::Joined { .. } => "is in the room".to_owned(),
        What::Left { .. } => "has left".to_owned(),
        What::Away => "was not running".to_owned(),
        _ => return None,
    })
}
