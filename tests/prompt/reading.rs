//! Reading: lines are wrapped between words, and a long message is folded.

use crate::harness::{Room, Signal, eventually, shared};
use crate::terminal::{PATIENCE, Terminal};

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

#[test]
fn of_a_long_history_the_newest_lines_are_shown_and_parted_from_what_is_new() {
    let permit = shared();
    for (cols, more) in [
        (40, "00:00 · 20 of 30 lines; /history shows"),
        (80, "00:00 · 20 of 30 lines; /history shows more"),
        (200, "00:00 · 20 of 30 lines; /history shows more"),
    ] {
        let room = Room::new(&permit);
        let bia = room.join("bia");
        bia.joined();
        for n in 1..=30 {
            bia.say(&format!("old {n}."));
        }
        bia.heard("bia", 30);
        let mut ana = Terminal::tall(cols, 40, &room, "ana");
        ana.shows("── new ──");
        bia.sees_members(2);
        bia.say("good morning");
        ana.shows("<bia> good morning");
        let rows = rows_from(&ana, "00:00 · 20 of");
        assert_eq!(rows[0], more);
        let end = rows.len();
        assert_eq!(
            rows[end - 3..],
            [
                "00:00 <bia> old 30.",
                "── new ──",
                "00:00 <bia> good morning"
            ]
        );
        assert!(!ana.screen().contains("old 10."));
    }
}

#[test]
fn a_room_without_a_past_has_no_line_of_it() {
    let permit = shared();
    let room = Room::new(&permit);
    let bia = room.join("bia");
    bia.joined();
    let mut ana = Terminal::start(&room, "ana");
    ana.shows("coordinates");
    bia.sees_members(2);
    bia.say("good morning");
    ana.shows("<bia> good morning");
    let screen = ana.screen();
    assert!(
        !screen.contains("── new ──") && !screen.contains("lines"),
        "{screen}"
    );
}

#[test]
fn what_came_while_papo_was_stopped_is_marked_once() {
    let permit = shared();
    for cols in [40, 80, 200] {
        let room = Room::new(&permit);
        let bia = room.join("bia");
        bia.joined();
        let mut ana = Terminal::wide(cols, &room, "ana");
        ana.shows("coordinates");
        bia.sees_members(2);
        bia.say("seen");
        ana.shows("<bia> seen");
        ana.keys("\x1a");
        eventually("papo stops", PATIENCE, || ana.is_stopped());
        bia.say("said meanwhile");
        bia.heard("bia", 2);
        ana.signal(Signal::CONT);
        ana.shows("<bia> said meanwhile");
        bia.say("and now");
        ana.shows("<bia> and now");
        let rows = rows_from(&ana, "── unread ──");
        let wanted = [
            "── unread ──",
            "00:00 <bia> said meanwhile",
            "00:00 <bia> and now",
        ];
        assert_eq!(rows, wanted, "{cols} columns: {}", ana.screen());
        assert_eq!(ana.raw().matches("── unread ──").count(), 1);
    }
}

#[test]
fn the_nick_is_seen_at_the_prompt_however_long_the_room_is_called() {
    let permit = shared();
    let name = "a-room-with-a-name-that-is-long";
    for (cols, wanted) in [
        (40, "[a-room-with…] ana> half a line"),
        (80, "[a-room-with-a-name-that-is-long] ana> half a line"),
        (200, "[a-room-with-a-name-that-is-long] ana> half a line"),
    ] {
        let mut room = Room::new(&permit);
        room.name = name.to_owned();
        let mut ana = Terminal::wide(cols, &room, "ana");
        ana.shows("nobody answered");
        ana.keys("half a line");
        ana.shows(wanted);
    }
}

/// What tmux keeps of rows that were scrolled away is what was said, and no prompt of before.
#[test]
fn no_prompt_is_left_among_the_rows_that_were_scrolled_away() {
    let permit = shared();
    let room = Room::new(&permit);
    let mut ana = Terminal::start(&room, "ana");
    ana.shows("you coordinate");
    ana.resize(60, 20);
    ana.keys("/members\r");
    ana.shows("coordinator");
    ana.keys("\x0chello\r");
    ana.shows("«ana» hello");
    // Some terminals scroll the screen away when all of it is erased at once.
    assert!(!ana.raw().contains("\r\x1b[J"), "{:?}", ana.raw());
}
