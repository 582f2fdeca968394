//! Texts: unaltered where programs read them, harmless where people do; long and broken lines.

use crate::harness::{PATIENCE, Room, Signal, shared};

/// What must not reach a terminal as it is: controls, the 8-bit ones too, and what reverses text.
fn is_harmful(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[test]
fn control_characters_arrive_unaltered_in_json_and_never_raw_in_text() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    let reader = room.papo("reader", &["listen"]).start();
    let bia = room.join("bia");
    bia.joined();
    ana.sees_members(3);
    bia.sees_members(3);
    let texts = [
        "\u{1b}[31mred\u{1b}[0m",
        "\u{1b}]0;title\u{7}",
        "bell \u{7} and back \u{8}\u{8}\u{8}",
        "8-bit \u{9b}31m and \u{90}",
        "over\rwritten",
        "gnp.\u{202e}txt and \u{2066}isolated\u{2069}",
        "delete \u{7f} and null \u{0} end",
        "the end",
    ];
    for text in texts {
        ana.say(text);
    }
    bia.heard("ana", texts.len());
    assert_eq!(bia.look(|r| r.heard["ana"].clone()), texts);
    reader.wait("all lines", PATIENCE, |r| {
        (r.lines.len() >= texts.len()).then_some(())
    });
    reader.signal(Signal::TERM);
    assert_eq!(reader.exit(), 0);
    let shown = reader.stdout();
    assert_eq!(shown.lines().count(), texts.len());
    let harmful: Vec<_> = shown.chars().filter(|c| is_harmful(*c)).collect();
    assert!(harmful.is_empty(), "{harmful:?} in {shown:?}");
    assert!(
        shown.contains("red") && shown.contains("written"),
        "{shown}"
    );
}

#[test]
fn texts_of_all_scripts_arrive_as_they_are() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    let reader = room.papo("reader", &["listen"]).start();
    ana.sees_members(2);
    let texts = [
        "olá, você?",
        "你好",
        "שלום",
        "👩‍👩‍👧‍👦 🇧🇷",
        "e\u{301} not \u{e9}",
        "\"quoted\" \\ /slash",
        "  spaces  ",
    ];
    for text in texts {
        ana.say(text);
    }
    reader.wait("all lines", PATIENCE, |r| {
        (r.lines.len() >= texts.len()).then_some(())
    });
    let expected: String = texts.iter().map(|t| format!("<ana> {t}\n")).collect();
    assert_eq!(reader.stdout(), expected);
}

#[test]
fn a_long_line_arrives_as_several_messages_that_together_are_the_line() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    // Characters of 1 to 4 bytes, so that some cut falls into the middle of one.
    let line: String = "aé€𝄞".chars().cycle().take(41_000).collect();
    assert!(line.len() > 100 * 1024);
    let mut bia = room.papo("bia", &["--wait-members", "1"]).start();
    bia.say(&line);
    bia.say("after it");
    bia.close_input();
    assert_eq!(bia.exit(), 0, "{}", bia.stderr());
    let stderr = bia.stderr();
    let said = stderr.lines().filter(|l| l.contains("longer than"));
    assert_eq!(said.count(), 1, "{stderr}");
    let parts = line.len().div_ceil(16 * 1024);
    ana.heard("bia", parts + 1);
    let mut texts = ana.look(|r| r.heard["bia"].clone());
    assert_eq!(texts.pop().as_deref(), Some("after it"));
    assert!(texts.concat() == line, "altered on the way");
}

#[test]
fn invalid_utf_8_is_replaced_and_said() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    let mut bia = room.papo("bia", &["--wait-members", "1"]).start();
    bia.write(b"good\nbad \xff\xc3 bytes\ngood again\n");
    bia.close_input();
    assert_eq!(bia.exit(), 0);
    ana.heard("bia", 3);
    let texts = ana.look(|r| r.heard["bia"].clone());
    assert_eq!(texts, ["good", "bad \u{fffd}\u{fffd} bytes", "good again"]);
    let stderr = bia.stderr();
    assert!(stderr.contains("UTF-8"), "{stderr}");
}

#[test]
fn a_line_that_comes_in_pieces_is_one_message() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    let bia = room.join("bia");
    ana.sees_members(2);
    bia.write(b"first\nol");
    bia.write("á".as_bytes().split_at(1).0);
    ana.heard("bia", 1);
    bia.write("á".as_bytes().split_at(1).1);
    bia.write(b" to all\n");
    ana.heard("bia", 2);
    assert_eq!(
        ana.look(|r| r.heard["bia"].clone()),
        ["first", "olá to all"]
    );
}
