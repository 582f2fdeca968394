//! Several rooms at one prompt: one is seen, the others say what is unread there and call the user, and keys bring
//! another one to the front.

use crate::harness::{
    Node, Permit, Room, Signal, alone, eventually, readme_screen, scratch_dir, shared, write_secret,
};
use crate::terminal::{PATIENCE, Setup, Terminal};

const CTRL_N: &str = "\x0e";
const CTRL_P: &str = "\x10";

/// Two rooms on one multicast address, bia in the first and cid in the second, and ana at a prompt in both.
struct Both<'a> {
    lab: Room<'a>,
    den: Room<'a>,
    bia: Node,
    cid: Node,
    ana: Terminal,
}

impl<'a> Both<'a> {
    fn new(permit: &'a Permit, setup: Setup<'_>) -> Both<'a> {
        let lab = Room::new(permit).called("lab");
        let den = lab.called("den");
        let (bia, cid) = (lab.join("bia"), den.join("cid"));
        bia.joined();
        cid.joined();
        let args = [&["--room", "den"], setup.args].concat();
        let setup = Setup {
            args: &args,
            ..setup
        };
        let mut ana = Terminal::with(&lab, "ana", setup);
        ana.shows("in lab as ana#2; here: bia#1;");
        bia.sees_members(2);
        cid.sees_members(2);
        ana.shows("[1 lab]  2 den");
        Both {
            lab,
            den,
            bia,
            cid,
            ana,
        }
    }
}

fn heard(node: &Node) -> Vec<String> {
    node.look(|record| record.heard.get("ana").cloned().unwrap_or_default())
}

/// The rows from the one with this text on.
fn from(ana: &Terminal, text: &str) -> Vec<String> {
    let rows = ana.rows();
    let rows = rows.iter().map(|row| row.trim_end().to_owned());
    rows.skip_while(|row| !row.contains(text)).collect()
}

#[test]
fn one_room_is_seen_and_the_other_says_what_is_unread_at_any_width() {
    let permit = shared();
    for cols in [40, 80, 200] {
        let setup = Setup {
            cols,
            ..Setup::default()
        };
        let mut both = Both::new(&permit, setup);
        let ana = &mut both.ana;
        both.cid.say("is anybody here?");
        ana.shows("[1 lab]  2 den (1)");
        both.cid.say("ana?");
        ana.shows("[1 lab]  2 den (2!)");
        both.bia.say("good morning");
        ana.shows("<bia> good morning");
        assert!(!ana.screen().contains("anybody"), "{}", ana.screen());
        ana.keys("half a li");
        ana.keys(CTRL_N);
        ana.shows("<cid> ana?");
        ana.prompt("", "");
        let rule = "── unread ──";
        assert_eq!(
            from(ana, rule),
            [
                rule,
                "00:00 <cid> is anybody here?",
                "00:00 <cid> ana?",
                "1 lab  [2 den]",
                "[den] ana>"
            ]
        );
        assert!(!ana.screen().contains("good morning"), "{}", ana.screen());
        ana.keys("here I am\r");
        both.cid.heard("ana", 1);
        both.bia.say("and good night");
        ana.shows("1 lab (1)  [2 den]");
        // What was seen before is seen again, and what was half typed.
        ana.keys("\x1b1");
        ana.prompt("half a li", "");
        ana.shows("[1 lab]  2 den");
        assert_eq!(
            from(ana, "good morning"),
            [
                "00:00 <bia> good morning",
                rule,
                "00:00 <bia> and good night",
                "[1 lab]  2 den",
                "[lab] ana> half a li"
            ]
        );
        ana.keys("ne\r");
        both.bia.heard("ana", 1);
        assert_eq!(heard(&both.bia), ["half a line"]);
        assert_eq!(heard(&both.cid), ["here I am"]);
    }
}

#[test]
fn the_readme_shows_the_row_of_the_rooms() {
    let permit = shared();
    let lobby = Room::new(&permit).called("lobby");
    let others = [lobby.called("kitchen"), lobby.called("ops")].map(|room| room.join("bia"));
    others.iter().for_each(|bia| {
        bia.joined();
    });
    let setup = Setup {
        args: &["--room", "kitchen", "--room", "ops"],
        ..Setup::default()
    };
    let mut ana = Terminal::with(&lobby, "ana", setup);
    ana.shows("you coordinate");
    others.iter().for_each(|bia| bia.sees_members(2));
    for line in ["one", "two", "three"] {
        others[0].say(line);
    }
    others[1].say("ana?");
    others[1].say("are you there?");
    let screen = readme_screen("rooms");
    ana.shows(&screen[0]);
    assert_eq!(from(&ana, &screen[0]), screen);
}

#[test]
fn who_is_named_in_a_room_that_is_not_seen_is_called() {
    let permit = shared();
    let setup = Setup {
        term: Some("foot"),
        ..Setup::default()
    };
    let mut both = Both::new(&permit, setup);
    let ana = &mut both.ana;
    let bells = |ana: &Terminal| {
        // Those of the sequences that notify end otherwise.
        ana.raw().matches('\x07').count()
    };
    both.cid.say("nothing for you");
    ana.shows("2 den (1)");
    assert_eq!(bells(ana), 0);
    both.cid.say("ana, lunch?");
    ana.shows("2 den (2!)");
    assert_eq!(bells(ana), 1);
    let notified = "\x1b]777;notify;papo;[den] <cid> ana, lunch?\x1b\\";
    ana.wait("the notification", |t| t.raw().contains(notified));
    ana.wait("the title", |t| t.raw().ends_with_title("(2) lab – papo"));
    ana.keys(CTRL_P);
    ana.shows("[2 den]");
    ana.wait("the title", |t| t.raw().ends_with_title("den – papo"));
    ana.keys("\x04");
    assert_eq!(ana.exit().code(), Some(0));
    // What the title was before papo is kept once, and given back once.
    for once in ["\x1b[22;0t", "\x1b[23;0t"] {
        assert_eq!(ana.raw().matches(once).count(), 1, "{once:?}");
    }
}

/// What was written last as the title.
trait Titled {
    fn ends_with_title(&self, title: &str) -> bool;
}

impl Titled for String {
    fn ends_with_title(&self, title: &str) -> bool {
        let last = self.rsplit("\x1b]2;").next();
        last.is_some_and(|rest| rest.starts_with(&format!("{title}\x1b\\")))
    }
}

#[test]
fn rooms_are_joined_and_left_at_the_prompt() {
    let permit = shared();
    let lab = Room::new(&permit).called("lab");
    let den = lab.called("den");
    let (bia, cid) = (lab.join("bia"), den.join("cid"));
    bia.joined();
    cid.joined();
    let mut ana = Terminal::start(&lab, "ana");
    ana.shows("bia#1 coordinates");
    ana.keys("one\r");
    bia.heard("ana", 1);
    // One room alone has no row of rooms, and its keys are what they were.
    assert!(!ana.screen().contains("[1 lab]"), "{}", ana.screen());
    ana.keys(CTRL_P);
    ana.prompt("one", "");
    ana.keys("\x15/join den\r");
    ana.shows("in den as ana#2");
    ana.shows("1 lab  [2 den]");
    ana.keys("two\r");
    cid.heard("ana", 1);
    ana.keys("/room\r");
    ana.shows("rooms: 1 lab, 2 den (here); /room shows another one");
    ana.keys("/ROOM l\t\r");
    ana.shows("[1 lab]  2 den");
    ana.keys("/join den\r");
    ana.shows("1 lab  [2 den]");
    ana.keys("/part 3\r");
    ana.shows("/part 3: this is none of your rooms; /room lists them");
    ana.keys("/part\r");
    let gone = cid.event("ana is gone", |e| e.is("member_left"));
    assert_eq!(gone.text("reason"), "left");
    ana.wait("one room", |t| {
        t.at_cursor().0 == "[lab] ana> " && !t.screen().contains("2 den")
    });
    ana.keys("still here\r");
    bia.heard("ana", 2);
    ana.keys("/part\r");
    assert_eq!(ana.exit().code(), Some(0));
    assert!(ana.is_restored());
    bia.event("ana is gone", |e| e.is("member_left"));
}

#[test]
fn keys_typed_at_once_go_to_the_room_that_is_seen_then() {
    let permit = shared();
    let mut both = Both::new(&permit, Setup::default());
    let ana = &mut both.ana;
    ana.keys(&format!(
        "one\r{CTRL_N}two\r{CTRL_P}three\r\x1b2four\rhalf{CTRL_N}"
    ));
    both.bia.heard("ana", 2);
    both.cid.heard("ana", 2);
    assert_eq!(heard(&both.bia), ["one", "three"]);
    assert_eq!(heard(&both.cid), ["two", "four"]);
    ana.shows("[1 lab]  2 den");
    ana.keys("\x1b9");
    ana.keys("x\x1b2");
    ana.prompt("half", "");
    // Typed ahead of the answer to a command.
    ana.keys("\x15/room lab\rfive\r");
    both.bia.heard("ana", 3);
    assert_eq!(heard(&both.bia), ["one", "three", "five"]);
}

#[test]
fn much_that_comes_in_a_room_that_is_not_seen_is_cut_and_said_to_be() {
    let permit = shared();
    let mut both = Both::new(&permit, Setup::default());
    let ana = &mut both.ana;
    for n in 0..2_000 {
        both.cid.say(&format!("line {n} {}", "x".repeat(50)));
    }
    both.cid.event("all is confirmed", |e| {
        e.is("delivered") && e.text("id").ends_with("-2000")
    });
    ana.shows("2 den (2000)");
    ana.keys(CTRL_N);
    ana.shows("line 1999");
    let raw = ana.raw();
    assert!(raw.contains("earlier lines are not shown; /history has what was said"));
    assert!(!raw.contains("line 1000 ") && raw.contains("line 1900 "));
}

#[test]
fn ctrl_c_leaves_all_rooms_and_ctrl_z_stops_all() {
    let permit = shared();
    let mut both = Both::new(&permit, Setup::default());
    let ana = &mut both.ana;
    ana.keys(CTRL_N);
    ana.shows("[2 den]");
    ana.keys("\x1a");
    eventually("papo stops", PATIENCE, || ana.is_stopped());
    assert!(ana.is_restored());
    both.bia.say("said meanwhile");
    ana.signal(Signal::CONT);
    ana.shows("1 lab (1)  [2 den]");
    ana.prompt("", "");
    ana.keys("\x03");
    assert_eq!(ana.exit().code(), Some(0));
    assert!(ana.is_restored());
    for node in [&both.bia, &both.cid] {
        let gone = node.event("ana is gone", |e| e.is("member_left"));
        assert_eq!(gone.text("reason"), "left");
    }
}

#[test]
fn what_leaving_waits_for_is_said_of_a_room_that_is_not_seen_and_its_lines_are_not() {
    let permit = alone();
    let mut both = Both::new(&permit, Setup::default());
    let ana = &mut both.ana;
    let dan = both.den.join("dan");
    dan.sees_members(3);
    both.cid.signal(Signal::STOP);
    ana.keys(&format!("{CTRL_N}not confirmed\r{CTRL_P}"));
    ana.shows("[1 lab]");
    dan.heard("ana", 1);
    dan.say("not seen");
    ana.shows("2 den (1)");
    ana.keys("\x03");
    ana.shows("papo: [den] waiting for cid#1 to confirm 1 line; Ctrl-C again leaves at once");
    assert!(ana.is_restored());
    // The others take cid for lost.
    assert_eq!(ana.exit().code(), Some(0));
    both.cid.signal(Signal::CONT);
    assert!(!ana.raw().contains("not seen"), "{}", ana.raw());
}

#[test]
fn a_room_that_cannot_go_on_is_said_where_the_user_looks() {
    let permit = shared();
    let lab = Room::new(&permit).called("lab");
    let den = lab.called("den");
    let dir = scratch_dir();
    let key = dir.join("key");
    write_secret(&key, "correct horse battery staple");
    let key = key.to_str().expect("a plain path");
    let (bia, cid) = (
        lab.join("bia"),
        den.join_with("cid", &["--secret-file", key]),
    );
    bia.joined();
    cid.joined();
    let setup = Setup {
        args: &["--room", "den"],
        ..Setup::default()
    };
    let mut ana = Terminal::with(&lab, "ana", setup);
    ana.shows("! [den] the room \"den\" is locked; give its secret");
    ana.wait("one room", |t| !t.screen().contains("[1 lab]"));
    ana.keys("still here\r");
    bia.heard("ana", 1);
    ana.keys("/quit\r");
    assert_eq!(ana.exit().code(), Some(3));
}

#[test]
fn a_locked_room_is_joined_with_the_file_of_its_secret() {
    let permit = shared();
    let lab = Room::new(&permit).called("lab");
    let dir = scratch_dir();
    let key = dir.join("key");
    write_secret(&key, "correct horse battery staple");
    let key = key.to_str().expect("a path in UTF-8");
    let board = lab.called("board");
    let bia = board.join_with("bia", &["--secret-file", key]);
    bia.joined();
    let mut ana = Terminal::start(&lab, "ana");
    ana.shows("you coordinate");
    // Without it, nobody is in an open room of that name by mistake.
    ana.keys("/join board\r");
    ana.shows("[board] the room \"board\" is locked");
    ana.shows("/join board FILE");
    ana.keys(&format!("\x0c/join board {key}x\r"));
    ana.shows("cannot read it");
    ana.keys(&format!("\x0c/join board {key}\r"));
    ana.shows("in board as ana#2; here: bia#1");
    ana.keys("hello\r");
    bia.heard("ana", 1);
    ana.keys(&format!("/join board {key}\r"));
    ana.shows("/join board: you are in it already");
    // The other room is open as it was.
    ana.keys("/room lab\r/join \"a b\"\r");
    ana.shows("in a b as ana#1");
}
