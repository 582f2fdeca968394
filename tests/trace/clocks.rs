//! Traces of several machines: their clocks have nothing to do with each other, and are laid on one.

use papo::trace::{Picture, read_bytes};
use serde_json::{Value, json};

/// A lesson's trace, in which the clocks of each node are wrong by so much: microseconds, and milliseconds of the wall
/// clock.
fn skewed(lesson: &str, by: impl Fn(usize) -> (u64, u64)) -> Picture {
    let lesson = papo::demo::LESSONS.iter().find(|l| l.name == lesson);
    let given = papo::demo::give(lesson.expect("a lesson"), 1).expect("a lesson");
    let mut keys: Vec<String> = Vec::new();
    let mut lines = String::new();
    for line in given.trace.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
        let mut line: Value = serde_json::from_slice(line).expect("JSON");
        let key = line["key"].as_str().expect("a key").to_owned();
        let node = keys.iter().position(|k| *k == key).unwrap_or_else(|| {
            keys.push(key.clone());
            keys.len() - 1
        });
        let (t, wall) = by(node);
        line["t"] = json!(line["t"].as_u64().expect("a time") + t);
        line["wall"] = json!(line["wall"].as_u64().expect("a time") + wall);
        lines += &format!("{line}\n");
    }
    Picture::new(read_bytes(lines.as_bytes()).expect("a trace"))
}

#[test]
fn clocks_that_differ_are_laid_on_one() {
    let right = skewed("failover", |_| (0, 0));
    // Hours apart, in an order that is not that of their start.
    let wrong = skewed("failover", |n| {
        (3_600_000_000 * (5 - n as u64), 7_000 * n as u64)
    });
    assert_eq!(right.lives.len(), wrong.lives.len());
    for (node, life) in right.lives.iter().enumerate() {
        let other = wrong
            .lives
            .iter()
            .position(|l| l.key == life.key)
            .expect("the node");
        let apart = (wrong.lives[other].from - life.from).abs();
        assert!(apart < 1_000, "{}: {apart} µs off", life.label);
        let ahead = wrong.offsets[other].wall_ahead - wrong.offsets[0].wall_ahead;
        let first = wrong.lives[0].key;
        let first = right
            .lives
            .iter()
            .position(|l| l.key == first)
            .expect("the node");
        let expected = 7_000_000 * (node as i64 - first as i64);
        assert!(
            (ahead - expected).abs() < 5_000,
            "{}: {ahead} µs ahead",
            life.label
        );
        assert!(wrong.offsets[other].doubt.is_some_and(|d| d < 1_000));
    }
    assert_eq!(wrong.ballots.len(), 1);
    assert_eq!(wrong.ballots[0].total(), 3);
    let came = |p: &Picture| {
        p.arrows
            .iter()
            .filter(|a| a.ends.got.is_some() && !a.ends.loose)
            .count()
    };
    assert_eq!(came(&right), came(&wrong));
}

/// What nobody has exchanged a message with is placed by its clock on the wall, and that is said.
#[test]
fn who_has_spoken_with_nobody_is_placed_by_the_clock_on_the_wall() {
    let alone = |key: u64, t: u64, wall: u64| {
        format!(
            "{{\"key\":\"{key:016x}\",\"n\":1,\"t\":{t},\"wall\":{wall},\"e\":\"node\",\"trace\":1,\"nick\":\"n{key}\",\"room\":\"r\",\"standing\":\"seeking\"}}\n"
        )
    };
    let lines = alone(1, 50, 1_000_000) + &alone(2, 9_000_000, 1_002_000);
    let picture = Picture::new(read_bytes(lines.as_bytes()).expect("a trace"));
    assert_eq!(picture.lives[1].from - picture.lives[0].from, 2_000_000);
    assert_eq!(picture.offsets[0].doubt, Some(0));
    assert_eq!(picture.offsets[1].doubt, None);
}
