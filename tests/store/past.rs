//! What a store brings to others is a part of the past, and no news.

use super::join_storing;
use crate::harness::{PATIENCE, Room, agree, scratch_dir, shared};

/// Nobody is left who could say of these lines whom they were said to.
#[test]
fn whoever_founded_a_room_is_shown_nothing_of_what_a_newcomers_store_holds() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = dir.join("room.db");
    let ana = join_storing(&room, "ana", &file);
    let bia = room.join("bia");
    bia.joined();
    ana.sees_members(2);
    for n in 1..=10 {
        bia.say(&format!("yesterday {n}"));
    }
    ana.heard("bia", 10);
    ana.say("and I");
    bia.heard("ana", 1);
    for node in [bia, ana] {
        node.say("/quit");
        assert_eq!(node.exit(), 0, "{}", node.stderr());
    }

    let founder = room.join("caio");
    founder.joined();
    let keeper = join_storing(&room, "davi", &file);
    assert_eq!(keeper.joined().num("history"), 11);
    founder.sees_members(2);
    keeper.say("today");
    founder.heard("davi", 1);
    assert_eq!(agree(&[&founder, &keeper], PATIENCE).len(), 12);
    let shown = founder.look(|record| {
        let shown = record.all("message").filter(|e| !e.flag("replay"));
        shown.map(|e| e.text("text").to_owned()).collect::<Vec<_>>()
    });
    assert_eq!(shown, ["today"]);
}
