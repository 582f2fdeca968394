//! The lessons end as they say, are the same play twice, and their pictures are those that are kept.

use std::path::Path;

use papo::demo::{LESSONS, give};
use regex::Regex;

use crate::{lesson_trace, papo, scratch, text};

const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/demo/pictures");

#[test]
fn each_lesson_ends_as_it_says_whatever_the_seed() {
    for lesson in &LESSONS {
        for seed in 0..30 {
            let given = give(lesson, seed).expect("a lesson");
            assert_eq!(
                given.failed, None,
                "{}, seed {seed}:\n{}",
                lesson.name, given.told
            );
        }
    }
}

#[test]
fn the_same_seed_is_the_same_picture_and_another_one_is_not() {
    for lesson in &LESSONS {
        let draw = |seed| give(lesson, seed).expect("a lesson").svg;
        assert!(draw(7) == draw(7), "{}", lesson.name);
        assert!(draw(7) != draw(8), "{}", lesson.name);
    }
}

/// Real processes are what a lesson is played with unless virtual time is asked for: all come out, the network is cut, too,
/// and nothing is left of them.
#[test]
fn lessons_are_given_with_real_processes() {
    let temporary = scratch("processes");
    std::fs::create_dir_all(&temporary).expect("a directory");
    let give = |lesson: &str| {
        let svg = scratch(&format!("real-{lesson}.svg"));
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_papo"));
        command.env_clear().env("TMPDIR", &temporary);
        command
            .args(["demo", "--script", lesson, "--svg"])
            .arg(&svg);
        let given = command.output().expect("papo runs");
        assert!(given.status.success(), "{given:?}");
        assert!(text(&given.stdout).contains("with real processes"));
        std::fs::read_to_string(svg).expect("a picture")
    };
    std::thread::scope(|scope| {
        let all = LESSONS
            .iter()
            .map(|l| scope.spawn(|| (l.name, give(l.name))));
        for one in all.collect::<Vec<_>>() {
            let (lesson, svg) = one.join().expect("a lesson");
            let is_cut = svg.contains("is cut from");
            assert_eq!(is_cut, lesson == "split-brain", "{lesson}");
        }
    });
    let left = std::fs::read_dir(&temporary).expect("a directory").count();
    assert_eq!(left, 0, "the processes' files are removed");
}

#[test]
fn a_lesson_in_virtual_time_is_the_same_picture_twice_by_its_commands() {
    let draw = |args: &[&str]| {
        let given = papo(&[&["demo", "--script", "split-brain", "--svg", "-"], args].concat());
        assert!(given.status.success(), "{given:?}");
        text(&given.stdout)
    };
    let first = draw(&["--simulated"]);
    assert!(first.starts_with("<svg"));
    assert!(draw(&["--simulated", "--seed", "1"]) == first && draw(&["--seed", "1"]) == first);
    let other = draw(&["--seed", "2"]);
    assert!(draw(&["--simulated", "--seed", "2"]) == other && other != first);
}

#[test]
fn what_froze_is_told_with_how_long_it_did_not_run() {
    let trace = lesson_trace("freeze", "frozen.trace");
    let told = papo(&["trace", trace.to_str().expect("a path")]);
    let said = text(&told.stdout);
    let long =
        Regex::new(r"noticed that ana#1 is gone, (1\.\d+ s|[6-9]\d\d\.\d ms) after its last line");
    assert!(long.expect("an expression").is_match(&said), "{said}");
    let long = Regex::new(r"ana#1 noticed that it had not run for (1\.\d+ s|[6-9]\d\d\.\d ms)");
    assert!(long.expect("an expression").is_match(&said), "{said}");
}

/// What is there and in which order, without when and where on the page.
fn without_times(svg: &str) -> String {
    let labels = Regex::new(r#"<text class="small time"[^\n]*\n"#).expect("an expression");
    let places = Regex::new(r#" (x|y|x1|x2|y1|y2|cx|cy|d|width|height|viewBox)="[^"]*""#)
        .expect("an expression");
    let times = Regex::new(r"[0-9.]+ (µs|ms|s)\b").expect("an expression");
    let svg = labels.replace_all(svg, "");
    let svg = places.replace_all(&svg, "");
    times.replace_all(&svg, "T").into_owned()
}

#[test]
fn the_pictures_are_those_that_are_kept() {
    for lesson in &LESSONS {
        let path = Path::new(KEPT).join(format!("{}.svg", lesson.name));
        let drawn = give(lesson, 1).expect("a lesson").svg;
        if std::env::var_os("PAPO_DRAW").is_some() {
            std::fs::write(&path, &drawn).expect("a disk with room");
        }
        let kept = std::fs::read_to_string(&path).expect("a kept picture");
        assert!(
            without_times(&kept) == without_times(&drawn),
            "{} is drawn otherwise: look at it, and draw it anew with PAPO_DRAW=1",
            path.display()
        );
    }
}

#[test]
fn a_lesson_is_one_command_with_a_sentence_for_each_step_and_a_picture() {
    let (svg, trace) = (scratch("one.svg"), scratch("one.trace"));
    let (svg, trace) = (
        svg.to_str().expect("a path"),
        trace.to_str().expect("a path"),
    );
    let args = [
        "demo", "--script", "failover", "--seed", "3", "--svg", svg, "--trace", trace,
    ];
    let given = papo(&args);
    assert!(given.status.success(), "{given:?}");
    let said = text(&given.stdout);
    assert!(said.contains("all that are left follow eva#5"), "{said}");
    assert!(said.contains("textbook Bully takes 3 to 19"), "{said}");
    assert!(
        std::fs::read_to_string(svg)
            .expect("a picture")
            .contains("won by eva#5")
    );
    let told = papo(&["trace", trace]);
    assert!(told.status.success(), "{told:?}");
    assert!(
        text(&told.stdout).contains("eva#5, who announced itself to 3"),
        "{told:?}"
    );
    assert_eq!(
        papo(&["demo", "--script", "nonsense"]).status.code(),
        Some(2)
    );
    let list = papo(&["demo", "--list"]);
    assert!(list.status.success() && text(&list.stdout).contains("split-brain"));
}

/// The tour in the README shows the picture that a test has drawn.
#[test]
fn the_readme_shows_a_kept_picture() {
    let readme = include_str!("../../README.md");
    assert!(readme.contains("(src/demo/pictures/failover.svg)"));
}
