//! The prompt on the screen: messages that come in between, long lines, sizes, leaving.

use papo::limits::PROMPT_ROWS_MAX;
use papo::ui::terminal::{Action, Terminal};

use crate::tty::{Tty, WALL_MS, message, size};

#[test]
fn an_incoming_message_leaves_what_is_half_typed() {
    let mut tty = Tty::new(40, 6);
    tty.keys("hello world\x1bb\x1b[D");
    assert_eq!(tty.at_cursor(), "[lobby] me> hello| world");
    for i in 0..20 {
        tty.say("bob", &format!("number {i}"));
        assert_eq!(tty.at_cursor(), "[lobby] me> hello| world");
        let rows = tty.rows();
        assert_eq!(rows[rows.len() - 2], format!("14:13 <bob> number {i}"));
    }
    tty.keys("!");
    assert_eq!(tty.at_cursor(), "[lobby] me> hello!| world");
    assert_eq!(tty.rows().len(), 6);
    assert_eq!(tty.rows()[0], "14:13 <bob> number 15");
}

#[test]
fn a_key_costs_few_bytes() {
    let mut tty = Tty::new(80, 24);
    assert_eq!(tty.keys("a"), b"\x1b[?7la\x1b[?7h");
    assert!(tty.keys("\x1b[D").len() < 32);
    assert_eq!(tty.keys(""), b"");
}

#[test]
fn a_terminal_that_thinks_otherwise_of_widths_still_has_the_cursor_in_place() {
    // The emulator does not join clusters: it gives the family six columns.
    let family = "👨\u{200d}👩\u{200d}👧";
    let mut tty = Tty::new(60, 5);
    tty.keys(&format!("a{family}b❤\u{fe0f}c\x1b[D"));
    assert_eq!(
        tty.at_cursor(),
        format!("[lobby] me> a{family}b❤\u{fe0f}|c")
    );
    tty.keys("\x1b[D\x1b[D\x1b[D");
    assert_eq!(
        tty.at_cursor(),
        format!("[lobby] me> a|{family}b❤\u{fe0f}c")
    );
    tty.keys("\x1b[3~");
    assert_eq!(tty.at_cursor(), "[lobby] me> a|b❤\u{fe0f}c");
    assert_eq!(tty.terminal.line().0, "ab❤\u{fe0f}c");
}

#[test]
fn long_lines_take_several_rows_and_scroll_beyond_their_limit() {
    let mut tty = Tty::new(24, 24);
    tty.keys(&"x".repeat(12));
    assert_eq!(tty.cursor(), (1, 0));
    tty.keys("y");
    assert_eq!((tty.rows().len(), tty.cursor()), (2, (1, 1)));
    tty.keys("\x7f\x7f");
    assert_eq!((tty.rows().len(), tty.cursor()), (1, (0, 23)));
    tty.keys("語");
    assert_eq!(tty.rows(), ["[lobby] me> xxxxxxxxxxx", "語"]);
    tty.say("bob", "a message longer than a row");
    assert_eq!(
        tty.rows(),
        [
            "14:13 <bob> a message",
            "            longer than",
            "            a row",
            "[lobby] me> xxxxxxxxxxx",
            "語"
        ]
    );
    tty.keys(&"z".repeat(500));
    assert_eq!(tty.rows().len(), 3 + PROMPT_ROWS_MAX);
    tty.keys("\x01");
    assert_eq!(tty.at_cursor(), "[lobby] me> |xxxxxxxxxxx");
    tty.keys("\x0b");
    assert_eq!(tty.rows().len(), 4);
}

#[test]
fn a_line_that_fills_a_row_exactly_leaves_no_empty_row() {
    let mut tty = Tty::new(24, 10);
    tty.say("bob", "123456789012");
    tty.say("bob", "日本語日本語");
    tty.say("bob", "12345678901日");
    assert_eq!(
        tty.rows(),
        [
            "14:13 <bob> 123456789012",
            "14:13 <bob> 日本語日本語",
            "14:13 <bob> 12345678901",
            "            日",
            "[lobby] me>"
        ]
    );
}

#[test]
fn resizing_keeps_the_prompt_and_the_lines() {
    for resize in [Tty::reflow, Tty::resize] {
        let mut tty = Tty::new(40, 10);
        tty.say("bob", "short");
        tty.say("bob", "a line longer than twenty-four columns");
        tty.keys("some text that is rather long 語\x1bb\x1bb");
        resize(&mut tty, 24, 10);
        let narrow = [
            "14:13 <bob> short",
            "14:13 <bob> a line",
            "            longer than",
            "            twenty-four",
            "            columns",
            "[lobby] me> some text th",
            "at is rather long 語",
        ];
        assert_eq!(tty.rows(), narrow);
        assert_eq!(tty.at_cursor(), "at is rather |long 語");
        let whole = "[lobby] me> some text that is rather |long 語";
        resize(&mut tty, 60, 10);
        assert_eq!(tty.at_cursor(), whole);
        tty.say("bob", "more");
        assert_eq!(tty.at_cursor(), whole);
        let prompts = |tty: &Tty| tty.rows().iter().filter(|r| r.contains("[lobby]")).count();
        assert_eq!(prompts(&tty), 1);
        resize(&mut tty, 60, 3);
        assert_eq!(tty.at_cursor(), whole);
        resize(&mut tty, 10, 3);
        resize(&mut tty, 40, 12);
        assert_eq!(prompts(&tty), 1);
        assert_eq!(tty.at_cursor(), "[lobby] me> some text that is rather |lon");
        tty.keys("\x15\x0b");
        resize(&mut tty, 13, 12);
        let before = tty.rows();
        assert_eq!(tty.at_cursor(), "[lob… |");
        tty.keys("x\x7f");
        assert_eq!(tty.rows(), before);
    }
}

#[test]
fn where_rows_are_wrapped_anew_nothing_is_printed_twice() {
    let mut tty = Tty::with(40, 16, true, true);
    tty.emulator.process(b"\rwhat the shell said before\r\n");
    tty.terminal.resume(40, 16);
    tty.say("bob", "a line longer than twenty-four columns");
    tty.keys("some text that is rather long 語\x1bb\x1bb");
    for cols in [24, 33, 20, 31, 26] {
        tty.reflow(cols, 16);
    }
    assert_eq!(
        tty.rows(),
        [
            "what the shell said before",
            "14:13 <bob> a line longer",
            "than",
            "            twenty-four co",
            "lumns",
            "[lobby] me> some text that",
            " is rather long 語",
        ]
    );
    assert_eq!(tty.at_cursor(), " is rather |long 語");
}

#[test]
fn an_empty_prompt_survives_a_resize_without_a_repaint() {
    let mut tty = Tty::new(40, 10);
    tty.emulator.process(b"\rwhat the shell said before\r\n");
    tty.terminal.resume(40, 10);
    tty.flush();
    tty.resize(30, 10);
    tty.resize(70, 8);
    assert_eq!(tty.rows(), ["what the shell said before", "[lobby] me>"]);
}

#[test]
fn control_z_restores_the_terminal_and_resume_shows_the_prompt_again() {
    let mut tty = Tty::new(40, 10);
    assert!(tty.emulator.screen().bracketed_paste());
    tty.say("bob", "hi");
    tty.keys("half\x1b[D\x1a");
    assert_eq!(tty.actions(), [Action::Suspend]);
    assert!(!tty.emulator.screen().bracketed_paste());
    assert_eq!((tty.rows().len(), tty.cursor()), (1, (1, 0)));
    tty.emulator.process(b"$ fg\r\n");
    tty.terminal.print_message(&message("bob", 2, "meanwhile"));
    tty.terminal.resume(50, 10);
    tty.emulator.set_size(size(10), size(50));
    tty.flush();
    assert_eq!(
        tty.rows(),
        [
            "14:13 <bob> hi",
            "$ fg",
            "14:13 <bob> meanwhile",
            "[lobby] me> half"
        ]
    );
    assert_eq!(tty.at_cursor(), "[lobby] me> hal|f");
    assert!(tty.emulator.screen().bracketed_paste());
}

#[test]
fn a_stop_that_nobody_announced_is_survived() {
    let mut tty = Tty::new(40, 10);
    tty.keys("half");
    tty.emulator.process(b"\r\n[1]+ Stopped\r\n$ fg\r\n");
    tty.terminal.resume(40, 10);
    tty.flush();
    assert_eq!(tty.at_cursor(), "[lobby] me> half|");
    assert_eq!(tty.rows()[1], "[1]+ Stopped");
}

#[test]
fn leaving_takes_the_prompt_away() {
    let mut tty = Tty::new(40, 10);
    tty.keys(&"half ".repeat(20));
    tty.terminal.print_notice(WALL_MS, "goodbye");
    tty.terminal.leave();
    tty.flush();
    tty.terminal.print_notice(WALL_MS, "really");
    tty.flush();
    assert_eq!(tty.rows(), ["14:13 · goodbye", "14:13 · really"]);
    assert_eq!(tty.cursor(), (2, 0));
    assert!(!tty.emulator.screen().bracketed_paste());
}

#[test]
fn the_terminal_is_restored_from_the_middle_of_anything() {
    let mut tty = Tty::new(40, 10);
    tty.keys("half");
    tty.emulator.process(b"\x1b[1m\x1b[1;3");
    tty.emulator.process(&Terminal::leave_bytes());
    assert_eq!(tty.cursor(), (1, 0));
    assert!(!tty.emulator.screen().bold());
    assert!(!tty.emulator.screen().bracketed_paste());
}

#[test]
fn control_l_clears_the_screen() {
    let mut tty = Tty::new(40, 10);
    tty.say("bob", "hi");
    tty.keys("half\x0c");
    assert_eq!(tty.rows(), ["[lobby] me> half"]);
    assert_eq!(tty.at_cursor(), "[lobby] me> half|");
}
