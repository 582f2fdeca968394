//! How far apart the clocks of nodes are.
//!
//! Owns nothing. Of two nodes that have sent each other messages, the fastest message each way tells: what the one
//! way seems to take longer than the other is twice the difference of their clocks (as in NTP, Mills 1991). Nodes
//! are joined one by one, by the pair that knows best; those that nobody has exchanged a message with are placed
//! by their wall clocks.

use std::collections::BTreeMap;

use super::matching::Arrow;
use super::read::NodeTrace;

/// How a node's clock is to be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Offset {
    /// What is added to its monotonic clock, in microseconds.
    pub add: i64,
    /// By how much that may be wrong; nothing is known of it where it was placed by its wall clock.
    pub doubt: Option<i64>,
    /// By how much its wall clock is ahead of the first node's, in microseconds.
    pub wall_ahead: i64,
}

/// The offsets of all nodes, so that all times are the first node's.
pub(super) fn offsets(nodes: &[NodeTrace], arrows: &[Arrow]) -> Vec<Offset> {
    let fastest = fastest(nodes, arrows);
    let mut added: Vec<Option<(i64, Option<i64>)>> = vec![None; nodes.len()];
    // What each pair knows of the difference: the second's clock less the first's.
    let mut known: BTreeMap<(usize, usize), (i64, i64)> = BTreeMap::new();
    for (&(a, b), &there) in &fastest {
        let Some(&back) = fastest.get(&(b, a)) else {
            continue;
        };
        let doubt = (there.saturating_add(back) / 2).max(0);
        known.insert((a, b), (there.saturating_sub(back) / 2, doubt));
    }
    for root in 0..nodes.len() {
        if added[root].is_some() {
            continue;
        }
        added[root] = Some((by_wall(nodes, 0, root), (root == 0).then_some(0)));
        spread(&known, &mut added, root);
    }
    let ahead = |node: usize, add: i64| wall_less_clock(&nodes[node]).saturating_sub(add);
    let add_of = |node: usize| added[node].map_or(0, |(add, _)| add);
    let first = if nodes.is_empty() {
        0
    } else {
        ahead(0, add_of(0))
    };
    (0..nodes.len())
        .map(|node| Offset {
            add: add_of(node),
            doubt: added[node].and_then(|(_, doubt)| doubt),
            wall_ahead: ahead(node, add_of(node)).saturating_sub(first),
        })
        .collect()
}

/// Joins to `root` whoever is in reach of it, the surest first.
fn spread(
    known: &BTreeMap<(usize, usize), (i64, i64)>,
    added: &mut [Option<(i64, Option<i64>)>],
    root: usize,
) {
    let mut edges: Vec<Vec<(usize, i64, i64)>> = vec![Vec::new(); added.len()];
    for (&(a, b), &(difference, doubt)) in known {
        edges[a].push((b, difference, doubt));
    }
    // The least doubt of the last step, whom it joins, and what that one's offset is then.
    let mut open = std::collections::BinaryHeap::new();
    let push = |open: &mut std::collections::BinaryHeap<_>, from: usize, add: i64, doubt: i64| {
        for &(to, difference, more) in &edges[from] {
            let step = (
                more,
                to,
                add.saturating_sub(difference),
                doubt.saturating_add(more),
            );
            open.push(std::cmp::Reverse(step));
        }
    };
    let Some((add, doubt)) = added[root] else {
        return;
    };
    push(&mut open, root, add, doubt.unwrap_or(0));
    while let Some(std::cmp::Reverse((_, to, add, doubt))) = open.pop() {
        if added[to].is_none() {
            added[to] = Some((add, Some(doubt)));
            push(&mut open, to, add, doubt);
        }
    }
}

/// The least that a message seemed to take from one node to another.
fn fastest(nodes: &[NodeTrace], arrows: &[Arrow]) -> BTreeMap<(usize, usize), i64> {
    let mut fastest = BTreeMap::new();
    for arrow in arrows {
        let Some(got) = arrow.got else {
            continue;
        };
        let time = |node: usize, line: usize| nodes[node].lines[line].t.cast_signed();
        let took = time(got.node, got.line) - time(arrow.sent.node, arrow.sent.line);
        let least = fastest.entry((arrow.sent.node, got.node)).or_insert(took);
        *least = took.min(*least);
    }
    fastest
}

/// What places a node beside another by their wall clocks.
fn by_wall(nodes: &[NodeTrace], first: usize, node: usize) -> i64 {
    wall_less_clock(&nodes[node]).saturating_sub(wall_less_clock(&nodes[first]))
}

/// The wall clock less the monotonic one, at the node's first line.
fn wall_less_clock(node: &NodeTrace) -> i64 {
    let first = node.lines.first();
    first.map_or(0, |line| {
        let wall = line.wall.saturating_mul(1_000).cast_signed();
        wall.saturating_sub(line.t.cast_signed())
    })
}
