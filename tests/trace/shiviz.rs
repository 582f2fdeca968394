//! The file for ShiViz, read by ShiViz's own rules (`js/shiviz.js`, `js/model/parser.js` and `modelGraph.js` of
//! DistributedClocks/shiviz): the first line is the expression for the rest, the second one that for a delimiter.

use std::collections::BTreeMap;

use papo::demo::{LESSONS, give};
use papo::trace::{Picture, Selection, Wanted, read_bytes, shiviz};
use regex::RegexBuilder;

use crate::files::hostile;

type Clock = BTreeMap<String, u64>;

/// All events: whose, their clocks, and what happened.
fn events(file: &str) -> Vec<(String, Clock, String)> {
    let (pattern, rest) = file.split_once('\n').expect("an expression");
    let (delimiter, log) = rest.split_once('\n').expect("a delimiter");
    assert_eq!(delimiter, "", "one execution");
    // A script's `{` needs no backslash, and Rust's does.
    let pattern = format!("^{}$", pattern.replace("{.*}", r"\{.*\}"));
    let pattern = RegexBuilder::new(&pattern).multi_line(true).build();
    let pattern = pattern.expect("an expression");
    let mut end = 0;
    let mut events = Vec::new();
    for found in pattern.captures_iter(log) {
        let whole = found.get(0).expect("all of it");
        assert!(
            whole.start() <= end + 1,
            "nothing is left out: {:?}",
            &log[end..whole.start()]
        );
        end = whole.end();
        let clock = serde_json::from_str(&found["clock"]).expect("a clock");
        events.push((found["host"].to_owned(), clock, found["event"].to_owned()));
    }
    assert!(
        log.len() <= end + 1,
        "nothing is left out: {:?}",
        &log[end..]
    );
    events
}

/// What ShiViz demands of the clocks before it draws them.
fn checked(file: &str) -> usize {
    let events = events(file);
    let mut known: BTreeMap<(String, u64), Clock> = BTreeMap::new();
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    for (host, clock, event) in &events {
        let own = last.entry(host.clone()).or_default();
        *own += 1;
        assert_eq!(clock.get(host), Some(&*own), "{event}");
        let mut expected = known
            .get(&(host.clone(), *own - 1))
            .cloned()
            .unwrap_or_default();
        for (other, time) in clock.iter().filter(|(other, _)| *other != host) {
            let cause = known.get(&(other.clone(), *time));
            let cause =
                cause.unwrap_or_else(|| panic!("{event}: nothing happened at {other} {time}"));
            for (whose, count) in cause {
                let mine = expected.entry(whose.clone()).or_default();
                *mine = (*mine).max(*count);
            }
        }
        expected.insert(host.clone(), *own);
        assert_eq!(*clock, expected, "{event}");
        known.insert((host.clone(), *own), expected);
    }
    events.len()
}

fn drawn(trace: &[u8]) -> String {
    let picture = Picture::new(read_bytes(trace).expect("a trace"));
    let selection = Selection::new(&picture, &Wanted::default()).expect("all of it");
    shiviz(&picture, &selection)
}

#[test]
fn shiviz_reads_each_lesson() {
    for lesson in &LESSONS {
        let file = drawn(&give(lesson, 1).expect("a lesson").trace);
        assert!(checked(&file) > 20, "{}", lesson.name);
        assert!(events(&file).iter().any(|(_, clock, _)| clock.len() > 2));
    }
}

#[test]
fn shiviz_reads_whatever_nodes_are_called() {
    checked(&drawn(hostile().as_bytes()));
    let line = |key: u64, nick: &str| {
        format!(
            r#"{{"key":"{key:016x}","n":1,"t":1,"wall":1,"e":"node","trace":1,"nick":"{nick}","room":"r","standing":"seeking"}}
{{"key":"{key:016x}","n":2,"t":2,"wall":1,"e":"standing","standing":"member","why":"x {{}}\n\u2028y {{\"a\":1}}"}}
"#
        )
    };
    let nicks = ["a b", "a_b", "__proto__", "{}", "\\u2028", "ç", "__proto__"];
    let trace: String = nicks
        .iter()
        .zip(1..)
        .map(|(nick, key)| line(key, nick))
        .collect();
    assert_eq!(checked(&drawn(trace.as_bytes())), nicks.len());
}
