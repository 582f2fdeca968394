//! Reading: lines are wrapped between words, and a long message is folded.

use crate::harness::{Room, shared};
use crate::terminal::Terminal;

const URL: &str = "https://example.org/wiki/points?floor=2";

/// The rows of the screen from the one that begins with this text on, up to the prompt.
fn rows_from(ana: &Terminal, first: &str) -> Vec<String> {
    let rows = ana.rows();
    let rows = rows.into_iter().skip_while(|row| !row.starts_with(first));
    rows.take_while(|row| !row.starts_with('[')).collect()
}

#[test]
fn words_are_whole_and_hang_under_the_text_in_any_width() {
    let permit = shared();
    let text = format!("good morning, the areas that are reached are listed at {URL} as of today");
    let screens: [(u16, &[&str]); 3] = [
        (
            40,
            &[
                "00:00 <bia> good morning, the areas that",
                "            are reached are listed at",
                URL,
                "            as of today",
            ],
        ),
        (
            80,
            &[
                "00:00 <bia> good morning, the areas that are reached are listed at",
                "            https://example.org/wiki/points?floor=2 as of today",
            ],
        ),
        (
            200,
            &[
                "00:00 <bia> good morning, the areas that are reached are listed at \
                 https://example.org/wiki/points?floor=2 as of today",
            ],
        ),
    ];
    for (cols, wanted) in screens {
        let room = Room::new(&permit);
        let bia = room.join("bia");
        bia.joined();
        let mut ana = Terminal::wide(cols, &room, "ana");
        ana.shows("coordinates");
        bia.sees_members(2);
        bia.say(&text);
        ana.shows("as of today");
        assert_eq!(rows_from(&ana, "00:00 <bia>"), wanted, "{cols} columns");
    }
}

#[test]
fn a_long_message_is_folded_and_more_shows_it() {
    let permit = shared();
    for cols in [40, 80, 200] {
        let room = Room::new(&permit);
        let bia = room.join("bia");
        bia.joined();
        let mut ana = Terminal::wide(cols, &room, "ana");
        ana.shows("coordinates");
        bia.sees_members(2);
        bia.say(&format!(
            "the beginning {} the end",
            "some words ".repeat(1_000)
        ));
        ana.shows("/more shows them");
        let screen = ana.screen();
        assert!(
            screen.contains("the beginning") && !screen.contains("the end"),
            "{screen}"
        );
        ana.keys("/more\r");
        ana.shows("the end");
    }
}

#[test]
fn more_says_when_nothing_was_folded() {
    let permit = shared();
    let room = Room::new(&permit);
    let mut ana = Terminal::start(&room, "ana");
    ana.shows("you coordinate");
    ana.keys("/more\r");
    ana.shows("/more: no message was folded");
}
