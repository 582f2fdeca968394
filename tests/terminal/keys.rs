//! What keys and pastes do.

use papo::limits::PASTE_BYTES_MAX;
use papo::ui::terminal::Action;

use crate::tty::{PROMPT, Tty, member};

#[test]
fn editing_among_wide_and_combining_characters() {
    let mut tty = Tty::new(40, 5);
    tty.keys("日本語e\u{301}🎉x");
    assert_eq!(tty.at_cursor(), "[lobby] me> 日本語e\u{301}🎉x|");
    tty.keys("\x1b[D\x1b[D\x1b[D");
    assert_eq!(tty.at_cursor(), "[lobby] me> 日本語|e\u{301}🎉x");
    tty.keys("\x7f");
    assert_eq!(tty.at_cursor(), "[lobby] me> 日本|e\u{301}🎉x");
    tty.keys("\x1b[3~");
    assert_eq!(tty.at_cursor(), "[lobby] me> 日本|🎉x");
    tty.keys("\x14");
    assert_eq!(tty.at_cursor(), "[lobby] me> 日🎉本|x");
    tty.keys("\x01\x0b");
    assert_eq!(tty.at_cursor(), "[lobby] me> |");
    tty.keys("\x19");
    assert_eq!(tty.at_cursor(), "[lobby] me> 日🎉本x|");
    assert_eq!(tty.rows().len(), 1);
}

#[test]
fn keys_do_what_they_do_in_a_shell() {
    let cases = [
        ("one two three\x17\x17X", "one X|"),
        ("one two\x1b\x7fX", "one X|"),
        ("one two\x15X\x19", "Xone two|"),
        ("one two\x17\x17\x19\x19", "one twoone two|"),
        ("one\x15two\x15\x19\x1by", "one|"),
        ("one two\x01\x1bd\x05\x19", " twoone|"),
        ("one two\x02\x02\x0b", "one t|"),
        ("one two\x1bb\x1bbX", "X|one two"),
        ("one two\x01\x1bfX", "oneX| two"),
        ("one two\x1b[1;5DX", "one X|two"),
        ("one two\x01\x1b[1;3CX", "oneX| two"),
        ("one\x01\x06\x06X", "onX|e"),
        ("one\x1b[HX\x1b[FY", "XoneY|"),
        ("one\x08\x02\x04X", "oX|"),
        ("ab\x14", "ba|"),
        ("a\x07\x1b[15~\x1b[5~b", "ab|"),
        ("ab\x02\x0bc\x03\x19", "ac|"),
    ];
    for (keys, expected) in cases {
        let mut tty = Tty::new(60, 5);
        tty.keys(keys);
        assert_eq!(tty.at_cursor(), format!("{PROMPT}{expected}"), "{keys:?}");
        assert_eq!(tty.actions(), []);
    }
}

#[test]
fn control_c_and_control_d() {
    let mut tty = Tty::new(60, 5);
    tty.keys("text\x03");
    assert_eq!(tty.at_cursor(), format!("{PROMPT}|"));
    assert_eq!(tty.actions(), []);
    tty.keys("\x03");
    assert_eq!(tty.actions(), [Action::Leave]);
    tty.keys("ab\x1b[D\x04\x04");
    assert_eq!(tty.at_cursor(), format!("{PROMPT}a|"));
    assert_eq!(tty.actions(), []);
    tty.keys("\x7f\x04");
    assert_eq!(tty.actions(), [Action::Leave]);
}

#[test]
fn enter_gives_the_line_and_history_brings_it_back() {
    let mut tty = Tty::new(60, 5);
    tty.keys("first\rsecond\r   \r\r/help\n");
    let line = |text: &str| Action::Line(text.into());
    assert_eq!(
        tty.actions(),
        [line("first"), line("second"), line("/help")]
    );
    tty.keys("draft\x1b[A\x1b[A");
    assert_eq!(tty.at_cursor(), format!("{PROMPT}second|"));
    tty.keys("\x1b[A\x1b[A");
    assert_eq!(tty.at_cursor(), format!("{PROMPT}first|"));
    assert_eq!(tty.bells(), 1);
    tty.keys("\x1b[B\x1b[B\x1b[B");
    assert_eq!(tty.at_cursor(), format!("{PROMPT}draft|"));
    tty.keys("\x03\x10!\r");
    assert_eq!(tty.actions(), [line("/help!")]);
}

#[test]
fn control_r_searches_as_it_is_typed() {
    let mut tty = Tty::new(60, 5);
    tty.keys("alpha one\rbeta\ralpha two\rhalf\x12");
    tty.actions();
    assert_eq!(tty.at_cursor(), "(search) : half|");
    tty.keys("alp");
    assert_eq!(tty.at_cursor(), "(search) alp: |alpha two");
    tty.say("bob", "in between");
    assert_eq!(tty.at_cursor(), "(search) alp: |alpha two");
    tty.keys("\x12");
    assert_eq!(tty.at_cursor(), "(search) alp: |alpha one");
    tty.keys("x");
    assert_eq!(tty.at_cursor(), "(not found) alpx: |alpha one");
    tty.keys("\x07");
    assert_eq!(tty.at_cursor(), format!("{PROMPT}half|"));
    tty.keys("\x12be\x05!");
    assert_eq!(tty.at_cursor(), format!("{PROMPT}beta!|"));
    tty.keys("\x03\x12two\r");
    assert_eq!(tty.actions(), [Action::Line("alpha two".into())]);
    tty.keys("\x12one\x1b");
    tty.wait();
    assert_eq!(tty.at_cursor(), format!("{PROMPT}alpha |one"));
}

#[test]
fn tab_completes_nicks_and_commands() {
    let mut tty = Tty::new(60, 8);
    let members = [(1, "me"), (3, "ana"), (7, "ana"), (4, "Bob")];
    tty.terminal
        .set_members(&members.map(|(id, nick)| member(id, nick)));
    tty.keys("bo\t");
    assert_eq!(tty.at_cursor(), format!("{PROMPT}Bob: |"));
    tty.keys("a\t");
    assert_eq!(tty.at_cursor(), format!("{PROMPT}Bob: ana#|"));
    assert_eq!(tty.bells(), 0);
    tty.keys("\t\t");
    assert_eq!(tty.rows()[0], "ana#3  ana#7");
    tty.keys("7\t\x15/m\t@b\tx");
    assert_eq!(tty.at_cursor(), format!("{PROMPT}/msg @Bob x|"));
    tty.keys("\x15mex\t");
    assert_eq!(tty.at_cursor(), format!("{PROMPT}mex|"));
}

#[test]
fn a_paste_of_many_lines_is_shown_before_it_is_sent() {
    let mut tty = Tty::new(60, 12);
    tty.keys("half");
    tty.paste("one\r\n\r\n/two\rthree\x1b[31m\n");
    let shown = [
        "│ one",
        "│ /two",
        "│ three^[[31m",
        "Enter sends these 3 lines, no blank ones; Esc drops them",
        "[lobby] me> half",
    ];
    assert_eq!(tty.rows(), shown);
    assert_eq!(tty.actions(), []);
    tty.say("bob", "hi");
    assert_eq!(tty.rows()[1..], shown);
    tty.keys("x");
    assert_eq!((tty.rows().len(), tty.bells()), (6, 1));
    tty.keys("\r");
    let lines = ["one", "/two", "three\x1b[31m"].map(String::from).to_vec();
    assert_eq!(tty.actions(), [Action::Lines(lines)]);
    assert_eq!(tty.at_cursor(), format!("{PROMPT}half|"));
    assert_eq!(tty.rows().len(), 2);
}

#[test]
fn a_paste_can_be_dropped_and_one_line_is_no_such_thing() {
    let mut tty = Tty::new(60, 12);
    tty.keys("half");
    tty.paste("a\nb");
    tty.keys("\x1b");
    assert_eq!(tty.rows().len(), 4);
    tty.wait();
    assert_eq!((tty.rows().len(), tty.actions()), (1, vec![]));
    tty.keys("\x1b[D");
    tty.paste(" one line\n");
    assert_eq!(tty.at_cursor(), format!("{PROMPT}hal one line|f"));
}

#[test]
fn a_long_paste_is_cut_and_shown_in_part() {
    let mut tty = Tty::new(70, 12);
    tty.paste(&"line\n".repeat(PASTE_BYTES_MAX / 5 + 1_000));
    assert_eq!(tty.rows().len(), 7);
    assert!(tty.rows()[4].ends_with("more lines"), "{:?}", tty.rows());
    assert!(tty.rows()[5].contains("too long"), "{:?}", tty.rows());
    tty.keys("\r");
    let [Action::Lines(lines)] = &tty.actions()[..] else {
        panic!("not sent");
    };
    assert!(lines.len() <= PASTE_BYTES_MAX / 5 + 1);
}
