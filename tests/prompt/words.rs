//! Words: what one does, whom one does not read, what was said before, and who is who.

use crate::harness::{Node, Permit, Room, Signal, scratch_dir, shared};
use crate::terminal::{Setup, Terminal};

/// Bia, who prints events, and ana at a prompt of this width.
fn bia_and_ana<'a>(permit: &'a Permit, cols: u16, options: &[&str]) -> (Terminal, Node, Room<'a>) {
    let room = Room::new(permit);
    let bia = room.join_with("bia", options);
    bia.joined();
    let mut ana = Terminal::wide(cols, &room, "ana");
    ana.shows("coordinates");
    bia.sees_members(2);
    (ana, bia, room)
}

#[test]
fn what_one_does_is_shown_as_such_and_sent_as_other_chats_do() {
    let permit = shared();
    for cols in [40, 80, 200] {
        let (mut ana, bia, _room) = bia_and_ana(&permit, cols, &[]);
        ana.keys("/ME waves\r");
        ana.wait("the act", |t| {
            t.rows().contains(&"00:00 * ana waves".to_owned())
        });
        bia.event("the act", |e| {
            e.is("message") && e.text("text") == "\u{1}ACTION waves\u{1}"
        });
        bia.say("/me nods");
        ana.wait("bia's act", |t| {
            t.rows().contains(&"00:00 * bia nods".to_owned())
        });
        ana.keys("/me\r");
        ana.shows("/me TEXT: say what you do");
    }
}

#[test]
fn the_topic_is_told_to_who_comes_later_and_who_is_away_is_marked() {
    let permit = shared();
    let room = Room::new(&permit);
    let bia = room.join("bia");
    bia.joined();
    bia.say("/topic");
    bia.event("that there is no topic", |e| {
        e.is("topic") && e.body["text"].is_null()
    });
    bia.say("/topic lunch at noon");
    bia.say("/AWAY in a meeting");
    bia.heard("bia", 2);
    let mut ana = Terminal::wide(80, &room, "ana");
    ana.shows("the topic is: lunch at noon (set by bia)");
    bia.sees_members(2);
    ana.keys("/members\r");
    ana.shows("2 members; the topic is: lunch at noon (set by bia)");
    ana.shows("coordinator is away: in a meeting");
    ana.keys("/msg bia hello\r");
    ana.shows("bia#1 is away: in a meeting");
    bia.say("/away");
    ana.shows("* bia is back");
    ana.keys("/topic dinner\r");
    ana.shows("* ana sets the topic: dinner");
    bia.event("the message that sets it", |e| {
        e.is("message") && e.text("text") == "\u{1}TOPIC dinner\u{1}"
    });
    bia.say("/topic");
    bia.event("the topic", |e| e.is("topic") && e.body["text"] == "dinner");
    ana.keys("/topic -\r");
    ana.shows("* ana takes the topic away");
    ana.keys("\x0c/topic\r");
    ana.shows("there is no topic");
}

#[test]
fn who_is_ignored_is_so_under_any_nick_until_read_again() {
    let permit = shared();
    let dir = scratch_dir();
    let path = dir.join("identity");
    let identity = ["--identity", path.to_str().expect("a path in UTF-8")];
    let (mut ana, bia, room) = bia_and_ana(&permit, 80, &identity);
    ana.keys("/ignore zoe\r");
    ana.shows("/ignore: nobody here is called zoe");
    ana.keys("/ignore bia\r");
    ana.shows("bia#1 is ignored, under any nick");
    bia.say("ana, not read");
    bia.say("/msg ana not read either");
    bia.heard("bia", 1);
    bia.signal(Signal::TERM);
    assert_eq!(bia.exit(), 0);
    let again = room.join_with("zoe", &identity);
    again.joined();
    again.sees_members(2);
    again.say("still not read");
    let caio = room.join_with("caio", &["--anonymous"]);
    caio.joined();
    caio.sees_members(3);
    caio.say("good morning");
    ana.shows("<caio> good morning");
    ana.keys("/unignore BIA\r");
    ana.shows("BIA is read again");
    again.say("read");
    ana.shows("<zoe> read");
    assert!(!ana.screen().contains("not read"), "{}", ana.screen());
    assert!(!ana.raw().contains('\x07'), "{:?}", ana.raw());
    ana.keys("/history\r");
    ana.shows("<zoe> still not read");
}

#[test]
fn commands_have_any_case_and_the_nearest_is_offered() {
    let permit = shared();
    let (mut ana, _bia, _room) = bia_and_ana(&permit, 80, &[]);
    ana.keys("/MEMBRES\r");
    ana.shows("unknown command \"/MEMBRES\"; did you mean /members?");
    ana.keys("/Members\r");
    ana.wait("the members", |t| {
        t.screen().contains("ana#2") && t.screen().contains(" you")
    });
    ana.keys("/\r");
    ana.shows("unknown command \"/\"; /help lists the commands");
}

#[test]
fn two_with_one_nick_are_warned_of_and_told_apart() {
    let permit = shared();
    for (cols, nick) in [(40, "bia"), (80, "Bia"), (200, "bіa")] {
        let (mut ana, bia, room) = bia_and_ana(&permit, cols, &["--anonymous"]);
        let other = room.join_with(nick, &["--anonymous"]);
        other.joined();
        other.sees_members(3);
        bia.say("one");
        other.say("two");
        ana.wait("both", |t| {
            let rows = t.rows();
            let wanted = [
                "00:00 <bia#1> one".to_owned(),
                format!("00:00 <{nick}#3> two"),
            ];
            wanted.iter().all(|row| rows.contains(row))
        });
        let warning = match nick {
            "bia" => "! bia#1 and bia#3 are two with one nick".to_owned(),
            _ => format!("! bia#1 and {nick}#3 look alike and are two"),
        };
        let joined = |t: &Terminal| t.screen().split_whitespace().collect::<Vec<_>>().join(" ");
        ana.wait("the warning", |t| joined(t).contains(&warning));
    }
}

#[test]
fn who_has_one_s_own_nick_is_warned_of() {
    let permit = shared();
    let (mut ana, _bia, room) = bia_and_ana(&permit, 80, &[]);
    let other = room.join_with("ana", &["--anonymous"]);
    other.joined();
    ana.shows("! ana#3 has your nick, too; /nick NAME takes another");
}

/// A room of which this file has more than papo keeps in memory.
fn stored<'a>(permit: &'a Permit, file: &str) -> Room<'a> {
    let room = Room::new(permit);
    let bia = room.join_with("bia", &["--store", file]);
    bia.joined();
    bia.say("Lunch at noon?");
    bia.say("no, LUNCHTIME is at one");
    for n in 1..=30 {
        bia.say(&format!("about something else {n}"));
    }
    bia.say("lunch was good");
    bia.heard("bia", 33);
    bia.say("/quit");
    assert_eq!(bia.exit(), 0);
    room
}

#[test]
fn a_search_finds_what_only_the_store_has() {
    let permit = shared();
    let dir = scratch_dir();
    for cols in [40, 80, 200] {
        let file = dir.join(format!("{cols}.db"));
        let file = file.to_str().expect("a path in UTF-8");
        let room = stored(&permit, file);
        let setup = Setup {
            cols,
            args: &["--store", file, "--history", "10", "--replay", "none"],
            ..Setup::default()
        };
        let mut ana = Terminal::with(&room, "ana", setup);
        ana.shows("nobody answered");
        ana.keys("\x0c/search lunch\r");
        ana.shows("── end of the search ──");
        let rows = ana.rows();
        let wanted = [
            "── 3 lines with \"lunch\" ──",
            "00:00 <bia> Lunch at noon?",
            "00:00 <bia> no, LUNCHTIME is at one",
            "00:00 <bia> lunch was good",
            "── end of the search ──",
        ];
        assert_eq!(rows[..5], wanted);
        ana.keys("\x0c/search dinner\r");
        ana.shows("none of 33 lines has \"dinner\"");
    }
}

/// In a pipe what is typed after a search comes after its answer, and the end of stdin, too.
#[test]
fn a_script_has_the_answer_of_a_search_in_the_store_before_the_end() {
    let permit = shared();
    let dir = scratch_dir();
    let file = dir.join("room.db");
    let file = file.to_str().expect("a path in UTF-8");
    let room = stored(&permit, file);
    let options = ["--json", "--commands", "--history", "10", "--store", file];
    let mut bia = room.papo("bia", &options).start();
    bia.say("/search lunch");
    bia.say("/search noon");
    bia.say("good bye");
    bia.say("/search something");
    bia.close_input();
    assert_eq!(bia.exit(), 0, "{}", bia.stderr());
    let out = bia.stdout();
    let events: Vec<serde_json::Value> = (out.lines())
        .map(|line| serde_json::from_str(line).expect("an event"))
        .collect();
    let found = events.iter().filter(|e| e["event"] == "search");
    let counts: Vec<_> = found.map(|e| e["count"].clone()).collect();
    assert_eq!(counts, [3, 1, 30]);
    let of = |words: &str| events.iter().position(|e| e["words"] == words);
    let said = events.iter().position(|e| e["text"] == "good bye");
    assert!(of("noon") < said && said < of("something"), "{out}");
}

#[test]
fn a_search_finds_what_has_all_words_in_any_case() {
    let permit = shared();
    for cols in [40, 80, 200] {
        let (mut ana, bia, _room) = bia_and_ana(&permit, cols, &[]);
        for line in ["Lunch at noon", "no lunch", "at noon", "late: LUNCH, noon"] {
            bia.say(line);
        }
        ana.shows("late: LUNCH, noon");
        ana.keys("\x0c/search lunch noon\r");
        ana.shows("── end of the search ──");
        let rows = ana.rows();
        let found = [
            "── 2 lines with \"lunch noon\" ──",
            "00:00 <bia> Lunch at noon",
            "00:00 <bia> late: LUNCH, noon",
            "── end of the search ──",
        ];
        assert_eq!(rows[..4], found, "{}", ana.screen());
        ana.keys("/search dinner\r");
        ana.shows("none of 4 lines has \"dinner\"");
    }
}
