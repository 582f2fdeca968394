//! The commands of the chat, given through a pipe.

use crate::harness::{Node, PATIENCE, Permit, Room, agree, shared};

fn three(permit: &Permit) -> [Node; 3] {
    let room = Room::new(permit);
    let ana = room.join("ana");
    ana.joined();
    let [bia, caio] = room.join_all(["bia", "caio"]);
    let all = [ana, bia, caio];
    for node in &all {
        node.joined();
        node.sees_members(3);
    }
    all
}

#[test]
fn a_private_message_reaches_one_member_and_no_history() {
    let permit = shared();
    let [ana, bia, caio] = three(&permit);
    ana.say("/msg bia between us");
    let private = bia.event("the private message", |e| e.is("message"));
    assert_eq!(private.text("text"), "between us");
    assert_eq!(private.text("nick"), "ana");
    assert!(private.flag("private") && !private.flag("own"));
    ana.say(&format!("/msg {} by number", caio.id()));
    let private = caio.event("the private message", |e| e.is("message"));
    assert_eq!(private.text("text"), "by number");
    ana.say("public");
    for node in [&ana, &bia, &caio] {
        node.heard("ana", 1);
    }
    let history = agree(&[&ana, &bia, &caio], PATIENCE);
    assert_eq!(history.len(), 1);
    assert_eq!(bia.look(|r| r.all("message").count()), 2);
}

#[test]
fn a_private_message_to_nobody_is_an_error_that_is_said() {
    let permit = shared();
    let [ana, ..] = three(&permit);
    for command in [
        "/msg nobody hello",
        "/msg 99 hello",
        "/nosuchcommand",
        "/msg",
    ] {
        let mark = ana.mark();
        ana.say(command);
        ana.event_after(mark, command, |e| e.is("error") || e.is("warning"));
    }
}

#[test]
fn a_new_nick_is_known_to_all_and_old_lines_keep_the_old_one() {
    let permit = shared();
    let [ana, bia, caio] = three(&permit);
    ana.say("as ana");
    bia.heard("ana", 1);
    caio.heard("ana", 1);
    ana.say("/nick Ana Maria");
    for node in [&ana, &bia, &caio] {
        let renamed = node.event("the new nick", |e| e.is("member_renamed"));
        assert_eq!(renamed.text("previous"), "ana");
        assert_eq!(renamed.text("nick"), "Ana Maria");
        assert_eq!(renamed.text("key"), ana.key());
    }
    ana.say("as Ana Maria");
    bia.heard("Ana Maria", 1);
    caio.heard("Ana Maria", 1);
    let history = agree(&[&ana, &bia, &caio], PATIENCE);
    let nicks: Vec<_> = history.iter().map(|m| m.nick.as_str()).collect();
    assert_eq!(nicks, ["ana", "Ana Maria"]);
    let members = bia.ask("/members", "members");
    assert!(
        members
            .list("members")
            .iter()
            .any(|m| m["nick"] == "Ana Maria")
    );
}

#[test]
fn status_tells_the_same_of_the_room_at_each_node() {
    let permit = shared();
    let nodes = three(&permit);
    nodes[0].say("hello");
    for node in &nodes {
        node.heard("ana", 1);
        let status = node.ask("/status", "status");
        assert_eq!(status.num("id"), node.id());
        assert_eq!(status.text("key"), node.key());
        assert_eq!(status.num("coordinator"), nodes[0].id());
        assert_eq!(status.num("members"), 3);
        assert_eq!(status.num("history"), 1);
    }
}

#[test]
fn two_slashes_say_a_line_that_begins_with_one() {
    let permit = shared();
    let [ana, bia, _caio] = three(&permit);
    ana.say("//quit is a word");
    bia.heard("ana", 1);
    assert_eq!(bia.look(|r| r.heard["ana"].clone()), ["/quit is a word"]);
}

#[test]
fn elect_makes_the_highest_id_coordinator_while_the_old_one_lives() {
    let permit = shared();
    let [ana, bia, caio] = three(&permit);
    let highest = [&ana, &bia, &caio].map(Node::id).into_iter().max();
    // The winner is the highest among those that have a live link, which whoever confirms a line has:
    // members are seen a moment before they are linked.
    bia.say("is everybody here?");
    bia.event("a line that both others confirmed", |e| {
        e.is("delivered") && e.num("confirmed") == 2
    });
    bia.say("/elect");
    for node in [&ana, &bia, &caio] {
        let new = node.event("a new coordinator", |e| {
            e.is("coordinator") && Some(e.num("id")) == highest
        });
        assert_eq!(new.num("previous"), ana.id());
    }
    agree(&[&ana, &bia, &caio], PATIENCE);
}

#[test]
fn history_gives_the_newest_when_a_number_is_asked_for() {
    let permit = shared();
    let [ana, bia, _caio] = three(&permit);
    for n in 1..=5 {
        ana.say(&format!("line {n}"));
    }
    bia.heard("ana", 5);
    let history = bia.ask("/history 2", "history");
    let texts: Vec<_> = (history.list("messages").iter())
        .filter_map(|m| m["text"].as_str())
        .collect();
    assert_eq!(texts, ["line 4", "line 5"]);
}

#[test]
fn what_is_said_before_joining_is_sent_after_it() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.say("said at once");
    let bia = room.join("bia");
    bia.say("said at once, too");
    for node in [&ana, &bia] {
        node.joined();
        node.sees_members(2);
    }
    for node in [&ana, &bia] {
        node.event("its own line", |e| e.is("delivered"));
    }
    let history = agree(&[&ana, &bia], PATIENCE);
    assert_eq!(history.len(), 2);
}
