//! How much a trace takes, and how long it takes to draw one.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use papo::demo::Stage;
use papo::trace::{Picture, Selection, Wanted, check, html, read_bytes, svg, text};

use crate::scratch;

fn room(count: usize) -> Stage {
    let mut stage = Stage::new(5);
    for number in 0..count {
        stage.add(&format!("n{number}"));
        stage.pass(Duration::from_millis(if number == 0 { 700 } else { 20 }));
    }
    stage
}

#[test]
fn ten_minutes_of_a_quiet_room_are_a_small_trace() {
    let mut stage = room(5);
    stage.pass(Duration::from_secs(600));
    let mut bytes: BTreeMap<&[u8], usize> = BTreeMap::new();
    for line in stage
        .trace()
        .split(|b| *b == b'\n')
        .filter(|l| l.len() > 24)
    {
        *bytes.entry(&line[8..24]).or_default() += line.len() + 1;
    }
    println!("10 quiet minutes: {:?} bytes", bytes.values());
    assert_eq!(bytes.len(), 5);
    assert!(bytes.values().all(|n| *n < 5 << 20), "{bytes:?}");
}

/// Fifty nodes, and ten of them die one after another while they coordinate. The tests are not built for speed:
/// they take a multiple of what the program takes.
#[test]
fn a_large_trace_is_read_and_drawn_in_a_moment() {
    let mut stage = room(50);
    for _ in 0..10 {
        stage.pass(Duration::from_secs(2));
        let leader = stage.up().first().and_then(|a| stage.leader(*a));
        stage.kill(leader.expect("somebody coordinates"));
    }
    stage.pass(Duration::from_secs(3));
    let lines = stage.trace().iter().filter(|b| **b == b'\n').count();
    if let Some(path) = std::env::var_os("PAPO_LARGE_TRACE") {
        std::fs::write(path, stage.trace()).expect("a disk with room");
    }
    // The program itself has no more memory than it may take.
    let (trace, page) = (scratch("large.trace"), scratch("large.html"));
    std::fs::write(&trace, stage.trace()).expect("a disk with room");
    let drawn = Command::new("sh")
        .args(["-c", "ulimit -d 262144 && exec \"$0\" \"$@\""])
        .args([env!("CARGO_BIN_EXE_papo"), "trace", "--html"])
        .args([&page, &trace])
        .output();
    let drawn = drawn.expect("papo runs");
    assert!(drawn.status.success(), "{drawn:?}");
    std::fs::remove_file(&trace).expect("it was there");
    let begin = Instant::now();
    let picture = Picture::new(read_bytes(stage.trace()).expect("a trace"));
    let selection = Selection::new(&picture, &Wanted::default()).expect("all of it");
    let verdicts = check(&picture);
    let page = html(&picture, &verdicts);
    let drawn = svg(&picture, &selection).len() + text(&picture, &selection, 120).len();
    let took = begin.elapsed();
    println!(
        "{lines} lines: {took:?}, {} bytes of HTML, {drawn} of others",
        page.len()
    );
    assert!(lines > 30_000);
    assert!(verdicts.iter().all(|v| v.broken.is_empty()), "{verdicts:?}");
    let elections = picture
        .ballots
        .iter()
        .filter(|b| b.winners.len() == 1)
        .count();
    assert_eq!(elections, 10);
    assert!(took < Duration::from_secs(30), "{took:?}");
}
