//! Whether nodes agree: one group, one coordinator, one history.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::inbox::Event;
use super::process::Node;
use super::{let_pass, ms};

/// One message of a history.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Said {
    pub id: String,
    pub nick: String,
    pub text: String,
}

/// Waits until these nodes, and nobody else, are in one group with one coordinator, and all hold the
/// same history; checks the histories message by message; gives the one they hold.
#[track_caller]
pub fn agree(nodes: &[&Node], within: Duration) -> Vec<Said> {
    let asked = Instant::now();
    let deadline = asked + within;
    let mut keys: Vec<_> = nodes.iter().map(|n| n.key()).collect();
    keys.sort_unstable();
    loop {
        let answers = ask_all(nodes, deadline);
        if let Some(answers) = &answers
            && answers
                .iter()
                .all(|a| a.members == keys && a.coordinator == answers[0].coordinator)
            && answers.iter().all(|a| a.coordinator.is_some())
            && answers
                .iter()
                .all(|a| (&a.digest, a.count) == (&answers[0].digest, answers[0].count))
        {
            match same_histories(nodes) {
                Ok(history) => {
                    println!("{} nodes agreed after {:?}", nodes.len(), asked.elapsed());
                    return history;
                }
                // What had waited in both may have gone on in one of them since it answered.
                Err(text) => assert!(Instant::now() < deadline, "{text}"),
            }
        }
        if Instant::now() >= deadline {
            let shown = match answers {
                Some(answers) => answers.iter().map(|a| format!("  {a:?}\n")).collect(),
                None => "  not everybody answered\n".to_owned(),
            };
            let difference = difference(nodes);
            panic!(
                "no agreement within {within:?}; members should be {keys:?}\n{shown}{difference}"
            );
        }
        let_pass(ms(10));
    }
}

/// What one node says about its group.
#[derive(Debug)]
struct Answer {
    #[expect(dead_code, reason = "printed")]
    name: String,
    coordinator: Option<u64>,
    members: Vec<String>,
    count: u64,
    digest: String,
}

/// None if some node did not answer in time.
fn ask_all(nodes: &[&Node], deadline: Instant) -> Option<Vec<Answer>> {
    let marks: Vec<_> = nodes.iter().map(|n| n.mark()).collect();
    for node in nodes {
        node.say("/members");
        node.say("/status");
    }
    let mut answers = Vec::new();
    for (node, mark) in nodes.iter().zip(marks) {
        let (members, status) = loop {
            let found = node.look(|record| {
                let new = || record.events[mark..].iter();
                let members = new().rfind(|e| e.is("members"))?;
                let status = new().rfind(|e| e.is("status"))?;
                Some((Arc::clone(members), Arc::clone(status)))
            });
            match found {
                Some(found) => break found,
                None if Instant::now() >= deadline => return None,
                None => node.wait_for_anything(ms(50)),
            }
        };
        let mut keys: Vec<_> = (members.list("members").iter())
            .filter_map(|m| m["key"].as_str().map(str::to_owned))
            .collect();
        keys.sort_unstable();
        answers.push(Answer {
            name: node.name.clone(),
            coordinator: members.body["coordinator"].as_u64(),
            members: keys,
            count: status.num("history"),
            digest: status.text("digest").to_owned(),
        });
    }
    Some(answers)
}

/// All nodes' histories in full: the same messages in the same order, with the same digest. Where two differ, which.
#[track_caller]
fn same_histories(nodes: &[&Node]) -> Result<Vec<Said>, String> {
    let mut first: Option<(Vec<Said>, String)> = None;
    let marks: Vec<_> = nodes.iter().map(|n| n.mark()).collect();
    for node in nodes {
        node.say("/history");
    }
    for (node, mark) in nodes.iter().zip(marks) {
        let event = node.event_after(mark, "its history", |e| e.is("history"));
        let this = history_of(&event);
        let digest = event.text("digest").to_owned();
        assert_eq!(event.num("count"), this.len() as u64, "{}", node.name);
        let distinct: BTreeSet<_> = this.iter().map(|m| &m.id).collect();
        assert_eq!(distinct.len(), this.len(), "{}: a message twice", node.name);
        match &first {
            None => first = Some((this, digest)),
            Some(first) => {
                let place = this.iter().zip(&first.0).position(|(a, b)| a != b);
                if place.is_some() || this.len() != first.0.len() {
                    let (one, other) = (&node.name, &nodes[0].name);
                    return Err(format!("{one} and {other} differ at {place:?}"));
                }
                assert_eq!(first.1, digest, "{}: another digest", node.name);
            }
        }
    }
    Ok(first.map(|(history, _)| history).unwrap_or_default())
}

/// Who lacks what, for the failure's report.
fn difference(nodes: &[&Node]) -> String {
    let mut out = String::new();
    let mut histories = Vec::new();
    for node in nodes {
        let mark = node.mark();
        node.say("/history");
        let deadline = Instant::now() + ms(2_000);
        loop {
            let found = node.look(|r| r.events[mark..].iter().rfind(|e| e.is("history")).cloned());
            if let Some(event) = found {
                let all: BTreeSet<_> = history_of(&event).into_iter().collect();
                histories.push((&node.name, all));
                break;
            }
            if Instant::now() >= deadline {
                out.push_str(&format!("  {} does not answer\n", node.name));
                break;
            }
            node.wait_for_anything(ms(50));
        }
    }
    let all: BTreeSet<_> = histories
        .iter()
        .flat_map(|(_, h)| h.iter().cloned())
        .collect();
    for (name, held) in &histories {
        let missing: Vec<_> = all.difference(held).collect();
        if !missing.is_empty() {
            let some: Vec<_> = missing.iter().take(5).collect();
            out.push_str(&format!("  {name} lacks {}: {some:?}\n", missing.len()));
        }
    }
    out
}

fn history_of(event: &Event) -> Vec<Said> {
    let field = |m: &Value, name: &str| m[name].as_str().unwrap_or_default().to_owned();
    let said = |m| Said {
        id: field(m, "id"),
        nick: field(m, "nick"),
        text: field(m, "text"),
    };
    event.list("messages").iter().map(said).collect()
}

/// Question and answer: each line is said once the one before it was heard.
#[track_caller]
pub fn talk_in_turn(one: &Node, other: &Node, lines: usize) {
    for n in 0..lines {
        let (from, to) = if n % 2 == 0 {
            (one, other)
        } else {
            (other, one)
        };
        from.say(&format!("line {n}"));
        to.heard(&from.name, n / 2 + 1);
    }
}

/// The lines of one author in the order of the history.
pub fn said_by<'a>(history: &'a [Said], nick: &str) -> Vec<&'a str> {
    let of = history.iter().filter(|m| m.nick == nick);
    of.map(|m| m.text.as_str()).collect()
}
