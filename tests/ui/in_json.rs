//! Events as JSON Lines.

use super::*;

#[test]
fn every_line_begins_with_event_and_at() {
    let mut bench = Bench::new(config(Mode::Json));
    bench.join(&["ana"]);
    bench.heard(message(1, "ana", 7, "hi"));
    let out = bench.stdout();
    let starts = [
        "{\"event\":\"listening\",\"at\":\"2023-11-14T22:13:20.000Z\",\"version\":",
        "{\"event\":\"joined\",\"at\":\"2023-11-14T22:13:20.000Z\",\"id\":2,",
        "{\"event\":\"message\",\"at\":\"2023-11-14T22:13:20.000Z\",\"id\":\"0000000000000001-7\",",
    ];
    for (line, start) in out.lines().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
    assert_eq!(out.lines().count(), starts.len());
}

#[test]
fn of_several_rooms_each_event_names_its_room_once() {
    let mut bench = Bench::new(UiConfig {
        commands: true,
        ..config(Mode::Json)
    });
    bench.ui.name_room("lobby");
    bench.join(&["ana", "ben"]);
    bench.heard(message(1, "ana", 7, "hi"));
    bench.arrived(Arrival::Late, &[message(1, "ana", 6, "late")]);
    bench
        .ui
        .on_input(bench.now, b"/members\n/status\n/history\n/nothing\n");
    bench.polled();
    bench.ui.warn(bench.now, "careful");
    let out = bench.stdout();
    assert_eq!(out.lines().count(), 9, "{out}");
    for line in out.lines() {
        assert_eq!(line.matches("\"room\":\"lobby\"").count(), 1, "{line}");
    }
    let stderr = bench.stderr();
    assert!(stderr.contains("papo: [lobby] careful\n"), "{stderr}");
}

#[test]
fn listening_and_joined_say_all() {
    let mut bench = Bench::new(config(Mode::Json));
    bench.wait(1_500);
    bench.join(&["ana"]);
    let at = "2023-11-14T22:13:20.000Z";
    let events = bench.events();
    let listening = json!({"event": "listening", "at": at, "version": env!("CARGO_PKG_VERSION"),
        "schema": 1, "tcp": ["10.0.0.2:4000"], "group": "239.255.112.97:28783",
        "room": "lobby", "nick": "me", "key": "0000000000000011"});
    assert_eq!(events[0], listening);
    let at = "2023-11-14T22:13:21.500Z";
    let members = json!([
        {"id": 2, "nick": "me", "key": "0000000000000011", "address": "10.0.0.2:4000"},
        {"id": 1, "nick": "ana", "key": "0000000000000001", "address": "10.0.0.1:4000"}]);
    let joined = json!({"event": "joined", "at": at, "id": 2, "coordinator": 1,
        "members": members, "history": 0, "again": false});
    assert_eq!(events[1], joined);
}

#[test]
fn messages_keep_their_text_but_no_control_reaches_a_terminal() {
    let mut bench = Bench::json();
    bench.join(&[]);
    bench.stdout();
    let text = "é\"\\\x1b\u{9b}\u{202e}\x7f\u{e0041}\u{1f389}\t";
    bench.heard(message(1, "ana", 7, text));
    bench.heard(message(2, "me", 1, "mine"));
    let out = bench.stdout();
    assert!(
        !out.trim_end_matches('\n')
            .replace('\n', "")
            .contains(char::is_control)
    );
    assert!(out.contains("é") && out.contains("\u{1f389}") && out.contains("\\u202e"));
    let events: Vec<Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let expected = json!({"event": "message", "at": "2023-11-14T22:13:20.000Z",
        "id": "0000000000000001-7", "from": 1, "nick": "ana", "key": "0000000000000001",
        "seq": 7, "text": text, "sent_at": "2023-11-14T22:13:20.123Z", "own": false,
        "replay": false, "private": false});
    assert_eq!(events[0], expected);
    assert_eq!(
        (&events[1]["own"], &events[1]["text"]),
        (&json!(true), &json!("mine"))
    );
}

#[test]
fn replayed_and_private_messages_are_marked() {
    let mut bench = Bench::new(UiConfig {
        replay: Replay::All,
        ..config(Mode::Json)
    });
    bench.node.history = vec![message(1, "ana", 1, "old"), message(2, "me", 1, "own")];
    bench.join(&[]);
    bench.event(Event::Private {
        from: 1,
        key: Key(1),
        nick: "ana".into(),
        sent_at: u64::MAX,
        text: "psst".into(),
        own: false,
    });
    let events = bench.events().split_off(2);
    let flags = |e: &Value| [&e["own"], &e["replay"], &e["private"]].map(|v| v == true);
    assert_eq!(flags(&events[0]), [false, true, false]);
    assert_eq!(flags(&events[1]), [true, true, false]);
    assert_eq!(flags(&events[2]), [false, false, true]);
    assert_eq!(events[2]["id"], Value::Null);
    assert_eq!(events[2]["sent_at"], "9999-12-30T22:00:00.999Z");
}

#[test]
fn what_happens_to_the_group_is_told() {
    let mut bench = Bench::json();
    let eve = || member(7, Key(7), "eve");
    let previous = "eva".to_owned();
    bench.event(Event::MemberJoined(eve()));
    bench.event(Event::MemberLeft(eve(), Departure::Left));
    bench.event(Event::MemberLeft(eve(), Departure::Lost));
    let member = eve();
    bench.event(Event::MemberRenamed { member, previous });
    bench.event(Event::Election {
        phase: Phase::Won,
        reason: "r".into(),
    });
    bench.event(Event::Coordinator {
        id: 7,
        key: Key(7),
        previous: Some(1),
        own: false,
    });
    bench.event(Event::Delivered {
        first: 3,
        last: 3,
        members: 2,
        confirmed: 1,
        missed: Vec::new(),
    });
    bench.event(Event::Warning("w".into()));
    let key = "0000000000000007";
    let at = "2023-11-14T22:13:20.000Z";
    let expected = [
        json!({"event": "member_joined", "at": at, "id": 7, "nick": "eve", "key": key}),
        json!({"event": "member_left", "at": at, "id": 7, "nick": "eve", "key": key, "reason": "left"}),
        json!({"event": "member_left", "at": at, "id": 7, "nick": "eve", "key": key, "reason": "lost"}),
        json!({"event": "member_renamed", "at": at, "id": 7, "nick": "eve", "key": key, "previous": "eva"}),
        json!({"event": "election", "at": at, "phase": "won", "reason": "r"}),
        json!({"event": "coordinator", "at": at, "id": 7, "key": key, "previous": 1, "own": false}),
        json!({"event": "delivered", "at": at, "id": "0000000000000011-3", "members": 2, "confirmed": 1}),
        json!({"event": "warning", "at": at, "text": "w"}),
    ];
    assert_eq!(bench.events(), expected);
}

#[test]
fn commands_have_answers_as_events() {
    let mut bench = Bench::joined(Mode::Json);
    bench.node.history = vec![message(1, "ana", 1, "one"), message(1, "ana", 2, "two")];
    bench.type_in("/history 1\n/members\n/status\n/help\n");
    assert_eq!(bench.polled(), []);
    let events = bench.events();
    let at = "2023-11-14T22:13:20.000Z";
    let two = json!({"id": "0000000000000001-2", "from": 1, "nick": "ana",
        "key": "0000000000000001", "seq": 2, "text": "two",
        "sent_at": "2023-11-14T22:13:20.123Z"});
    let history = json!({"event": "history", "at": at, "count": 2,
        "digest": "0000000000000abc", "messages": [two]});
    assert_eq!(events[0], history);
    assert_eq!(events[1]["coordinator"], 1);
    assert_eq!(events[1]["members"].as_array().unwrap().len(), 3);
    let status = json!({"event": "status", "at": at, "id": 2, "key": "0000000000000011",
        "room": "lobby", "coordinator": 1, "members": 3, "history": 2,
        "digest": "0000000000000abc", "queued_bytes": 9, "uptime_ms": 1234, "links": 3});
    assert_eq!(events[2], status);
    assert_eq!(events[3]["event"], "help");
}

#[test]
fn late_messages_are_marked_and_old_ones_are_replays() {
    let mut bench = Bench::new(UiConfig {
        replay: Replay::Last(1),
        ..config(Mode::Json)
    });
    bench.join(&["ana"]);
    bench.stdout();
    bench.arrived(Arrival::Old, &[message(1, "ana", 1, "old")]);
    bench.arrived(
        Arrival::Old,
        &[message(1, "ana", 2, "older than is wanted")],
    );
    bench.arrived(Arrival::Late, &[message(1, "ana", 102, "late")]);
    bench.heard(message(1, "ana", 103, "live"));
    let events = bench.events();
    assert_eq!(events.len(), 3);
    assert_eq!(events[0]["replay"], true);
    assert_eq!(events[0].get("late"), None);
    assert_eq!(events[1]["replay"], false);
    assert_eq!(events[1]["late"], true);
    assert_eq!(events[2].get("late"), None);
}

#[test]
fn what_was_given_up_is_a_warning_and_an_event() {
    let mut bench = Bench::json();
    bench.join(&["ana"]);
    bench.stdout();
    bench.stderr();
    bench.missed(1, 1_024);
    let at = "2023-11-14T22:13:20.000Z";
    let missed = json!({"event": "missed", "at": at, "key": "0000000000000b1a", "nick": "bia",
        "first": 1, "last": 1024, "count": 1024});
    let text = "me missed 1,024 lines of bia, 1 to 1,024";
    let warning = json!({"event": "warning", "at": at, "text": text});
    assert_eq!(bench.events(), [warning, missed]);
    assert_eq!(
        bench.stderr(),
        "papo: me missed 1,024 lines of bia, 1 to 1,024\n"
    );
    bench.event(Event::Missed {
        key: Key(0xb1a),
        nick: "bia".into(),
        first: 5,
        last: 5,
        lack: Lack::Unstored,
    });
    let missed = json!({"event": "missed", "at": at, "key": "0000000000000b1a", "nick": "bia",
        "first": 5, "last": 5, "count": 1, "unstored": true});
    assert_eq!(bench.events()[1], missed);
}

#[test]
fn who_missed_a_message_is_told_with_its_confirmation() {
    let mut bench = Bench::json();
    bench.join(&["ana", "ben"]);
    bench.stdout();
    bench.event(Event::Delivered {
        first: 3,
        last: 4,
        members: 3,
        confirmed: 1,
        missed: vec![Key(3), Key(0xe0a)],
    });
    let at = "2023-11-14T22:13:20.000Z";
    // The second is no member any more.
    let missed = json!([{"id": 3, "nick": "ben", "key": "0000000000000003"},
        {"key": "0000000000000e0a"}]);
    let event = |seq: u64| {
        json!({"event": "delivered", "at": at, "id": format!("0000000000000011-{seq}"),
            "members": 3, "confirmed": 1, "missed": missed})
    };
    assert_eq!(bench.events(), [event(3), event(4)]);
}

#[test]
fn skipped_messages_are_a_warning_and_missed_in_their_place() {
    let mut bench = Bench::json();
    bench.join(&["ana"]);
    bench.stdout();
    bench.stderr();
    let text = "x".repeat(TEXT_BYTES_MAX);
    let kept = OUTPUT_KEPT_BYTES_MAX / message(1, "ana", 1, &text).size_bound();
    for seq in 1..=kept as u64 + 3 {
        bench.heard(message(1, "ana", seq, &text));
    }
    let events = bench.events();
    assert_eq!(events.len(), 2 + kept);
    assert_eq!(events[0]["event"], "warning");
    assert_eq!(events[0]["text"], "3 lines skipped: nobody read the output");
    let range = ["first", "last", "count"].map(|f| events[1][f].as_u64());
    assert_eq!(
        (&events[1]["event"], range),
        (&json!("missed"), [Some(1), Some(3), Some(3)])
    );
    assert_eq!(events[2]["seq"], 4);
}
