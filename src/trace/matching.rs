//! Which message that came in is which one that was sent.
//!
//! Owns the arrows while they are being found. Messages of one type keep their order on a link, and both of its
//! ends know one name for it: that finds them exactly. Datagrams, and what went over a link that was traced only
//! from its middle on, are found by their times.

use std::collections::BTreeMap;

use crate::wire::Key;

use super::format::What;
use super::read::NodeTrace;

/// A line of a node's: both are indices.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct At {
    /// The node.
    pub node: usize,
    /// Its line.
    pub line: usize,
}

/// A message on its way, or one that was never heard of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arrow {
    /// Where it was sent, if that node is traced.
    pub sent: At,
    /// Where it came in; nowhere as far as is known, if that is none.
    pub got: Option<At>,
    /// To whom it was sent, if that is known and traced.
    pub to: Option<usize>,
    /// By datagram.
    pub loose: bool,
}

/// What is known of a node's links.
#[derive(Debug, Default)]
struct Links {
    wires: BTreeMap<u64, u32>,
    peers: BTreeMap<u64, Key>,
}

/// Numbers for names, in the order of their coming.
#[derive(Debug, Default)]
pub(super) struct Names {
    numbers: BTreeMap<String, u32>,
}

impl Names {
    /// This name's number.
    pub(super) fn of(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        self.numbers.insert(name.to_owned(), number);
        number
    }
}

/// A message by its link, its sender, its type and its ordinal.
type Exact = (u32, Key, u32, u64);

/// All arrows whose two ends are known exactly, and those whose end was not found.
pub(super) fn exact(nodes: &[NodeTrace]) -> Vec<Arrow> {
    let mut names = Names::default();
    let links: Vec<Links> = nodes
        .iter()
        .map(|node| links_of(node, &mut names))
        .collect();
    let indices: BTreeMap<Key, usize> = nodes.iter().enumerate().map(|(i, n)| (n.key, i)).collect();
    let mut types = Names::default();
    let mut got: BTreeMap<Exact, At> = BTreeMap::new();
    for (node, trace) in nodes.iter().enumerate() {
        for (line, it) in trace.lines.iter().enumerate() {
            if let What::Got { m, link, no, .. } = &it.what
                && let (Some(wire), Some(peer)) =
                    (links[node].wires.get(link), links[node].peers.get(link))
            {
                got.insert((*wire, *peer, types.of(m), *no), At { node, line });
            }
        }
    }
    let mut arrows = Vec::new();
    for (node, trace) in nodes.iter().enumerate() {
        for (line, it) in trace.lines.iter().enumerate() {
            let What::Sent { m, to, .. } = &it.what else {
                continue;
            };
            let m = types.of(m);
            for (link, no) in to {
                let wire = links[node].wires.get(link);
                let end = wire.and_then(|wire| got.get(&(*wire, trace.key, m, *no)).copied());
                let peer = links[node].peers.get(link);
                let to = end.map(|at| at.node);
                arrows.push(Arrow {
                    sent: At { node, line },
                    got: end,
                    to: to.or_else(|| peer.and_then(|key| indices.get(key).copied())),
                    loose: false,
                });
            }
        }
    }
    arrows
}

fn links_of(node: &NodeTrace, names: &mut Names) -> Links {
    let mut links = Links::default();
    for line in &node.lines {
        match &line.what {
            What::Connected { link, wire } | What::Accepted { link, wire } if !wire.is_empty() => {
                links.wires.insert(*link, names.of(wire));
            }
            What::Open { link, peer } => {
                links.peers.insert(*link, peer.0);
            }
            What::Node { links: open, .. } => {
                for it in open {
                    if !it.2.is_empty() {
                        links.wires.insert(it.0, names.of(&it.2));
                    }
                    links.peers.insert(it.0, it.1.0);
                }
            }
            _ => {}
        }
    }
    links
}

/// A node, the key of a peer, and a type.
type Way = (usize, Key, u32);

/// Finds the ends that `exact` did not: by time. `slack`: by how much a message may seem to come in before it was
/// sent, in microseconds, since a node's clock is read once in each turn.
pub(super) fn by_time(
    nodes: &[NodeTrace],
    arrows: &mut Vec<Arrow>,
    time: impl Fn(At) -> i64,
    slack: i64,
) {
    let mut types = Names::default();
    let mut sent: BTreeMap<Way, Vec<usize>> = BTreeMap::new();
    let taken: std::collections::BTreeSet<At> = arrows.iter().filter_map(|a| a.got).collect();
    for (index, arrow) in arrows.iter().enumerate() {
        let Some(to) = arrow.to.filter(|_| arrow.got.is_none()) else {
            continue;
        };
        if let What::Sent { m, .. } = &nodes[arrow.sent.node].lines[arrow.sent.line].what {
            let way = (to, nodes[arrow.sent.node].key, types.of(m));
            sent.entry(way).or_default().push(index);
        }
    }
    for (node, trace) in nodes.iter().enumerate() {
        let links = links_of(trace, &mut Names::default());
        let mut next: BTreeMap<Way, usize> = BTreeMap::new();
        for (line, it) in trace.lines.iter().enumerate() {
            let at = At { node, line };
            let What::Got { m, link, .. } = &it.what else {
                continue;
            };
            if taken.contains(&at) {
                continue;
            }
            let Some(peer) = links.peers.get(link) else {
                continue;
            };
            let way = (node, *peer, types.of(m));
            let Some(candidates) = sent.get(&way) else {
                continue;
            };
            let from = next.entry(way).or_default();
            let rest = &candidates[*from..];
            let early = rest.partition_point(|i| time(arrows[*i].sent) <= time(at) + slack);
            if early > 0 {
                arrows[rest[early - 1]].got = Some(at);
                *from += early;
            }
        }
    }
    datagrams(nodes, arrows, &mut types, &time, slack);
}

/// Each datagram that came is the last of its type that its sender had sent.
fn datagrams(
    nodes: &[NodeTrace],
    arrows: &mut Vec<Arrow>,
    types: &mut Names,
    time: &impl Fn(At) -> i64,
    slack: i64,
) {
    let mut cast: BTreeMap<(Key, u32), Vec<At>> = BTreeMap::new();
    for (node, trace) in nodes.iter().enumerate() {
        for (line, it) in trace.lines.iter().enumerate() {
            if let What::Cast { m, .. } = &it.what {
                let all = cast.entry((trace.key, types.of(m))).or_default();
                all.push(At { node, line });
            }
        }
    }
    for (node, trace) in nodes.iter().enumerate() {
        for (line, it) in trace.lines.iter().enumerate() {
            let What::Heard { m, peer, .. } = &it.what else {
                continue;
            };
            let Some(peer) = peer.filter(|peer| peer.0 != trace.key) else {
                continue;
            };
            let at = At { node, line };
            let Some(all) = cast.get(&(peer.0, types.of(m))) else {
                continue;
            };
            let early = all.partition_point(|sent| time(*sent) <= time(at) + slack);
            if early > 0 {
                arrows.push(Arrow {
                    sent: all[early - 1],
                    got: Some(at),
                    to: Some(node),
                    loose: true,
                });
            }
        }
    }
}
