//! Tests across hosts: real processes in network namespaces that veth pairs and bridges connect, so
//! that cables can be pulled, addresses change, and firewalls and bad radio drop what they drop.
//! No root is needed, and no packet leaves the namespaces.
//!
//! Where the kernel forbids namespaces, or a tool is missing, the tests are skipped and say why;
//! `PAPO_TEST_NO_SKIP=1` makes that a failure. `PAPO_TEST_VERBOSE=1` makes the nodes log all that they
//! do; the log is printed when a test fails. Each test prints its figures in any case.
//!
//! `shell` makes the namespaces, `lab` the network in them; each other module is a kind of trouble.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run against real clocks"
)]

#[path = "../harness/mod.rs"]
mod harness;
mod lab;
mod shell;

mod cables;
mod doctor;
mod families;
mod firewalls;
mod heard_only;
mod host_gone;
mod large_lost;
mod many;
mod names;
mod peers;
mod radio;
mod roaming;
mod sleep;
mod subnets;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::{Duration, Instant};

use harness::{Node, Said, agree, said_by};

/// Prints a line whether or not the test passes.
pub fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Prints a figure of the current test.
pub fn figure(what: &str, value: impl std::fmt::Debug) {
    let test = std::thread::current();
    let test = test.name().unwrap_or("a test");
    tell(&format!("{test}: {what}: {value:.2?}"));
}

/// Waits until these nodes and nobody else are one room with one history; gives what was said.
/// Everybody has the same id at everybody, and nobody has another's.
#[track_caller]
pub fn one_room(nodes: &[&Node], since: Instant, within: Duration) -> Vec<Said> {
    let left = within.saturating_sub(since.elapsed());
    let history = agree(nodes, left);
    figure("one room after", since.elapsed());
    let views: Vec<BTreeMap<String, u64>> =
        nodes.iter().map(|n| n.look(|r| r.view.clone())).collect();
    for (node, view) in nodes.iter().zip(&views) {
        assert_eq!(
            *view, views[0],
            "{} sees other ids than {}",
            node.name, nodes[0].name
        );
    }
    let mut ids: Vec<_> = views[0].values().collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), nodes.len(), "an id twice: {:?}", views[0]);
    history
}

/// How many elections these nodes took part in since then.
pub fn elections(nodes: &[&Node], since: Instant) -> usize {
    let of = |node: &&Node| {
        node.look(|record| {
            let elections = record.all("election");
            elections
                .filter(|e| e.at > since && e.text("phase") == "started")
                .count()
        })
    };
    nodes.iter().map(of).sum()
}

/// Each says a line of its own, and everybody hears everybody.
#[track_caller]
pub fn everybody_hears_everybody(nodes: &[&Node], word: &str) {
    let before: Vec<Vec<usize>> = nodes
        .iter()
        .map(|n| n.look(|r| nodes.iter().map(|a| r.heard_of(&a.name)).collect()))
        .collect();
    let started = Instant::now();
    for node in nodes {
        node.say(&format!("{word} of {}", node.name));
    }
    for (node, before) in nodes.iter().zip(before) {
        for (author, before) in nodes.iter().zip(before) {
            node.heard(&author.name, before + 1);
        }
    }
    figure(
        &format!("everybody heard everybody's {word} after"),
        started.elapsed(),
    );
}

/// What was shown of an author, in the order in which it was shown.
pub fn shown(node: &Node, author: &str) -> Vec<String> {
    node.look(|r| r.heard.get(author).cloned().unwrap_or_default())
}

/// Checks that a history has exactly the lines `<author> 1` to `<author> n`.
#[track_caller]
pub fn has_all_of(history: &[Said], author: &str, n: usize) {
    let expected: Vec<_> = (1..=n).map(|k| format!("{author} {k}")).collect();
    assert_eq!(said_by(history, author), expected);
}
