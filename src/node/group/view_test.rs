//! What the user sees of a change of the view.

use crate::node::rig::{Rig, address, config, hello, office, request, response, step, view};
use crate::node::{Closed, Departure, Event, Input, Weakness};
use crate::wire::{Key, Message, Position, UpdateKind};

const LEADER: Key = Key(9);
const BEN: Key = Key(10);

fn renamed(rig: &Rig) -> Vec<&str> {
    let renamed = rig.shown.iter().filter_map(|e| match e {
        Event::MemberRenamed { member, .. } => Some(&member.nick[..]),
        _ => None,
    });
    renamed.collect()
}

#[test]
fn a_member_is_renamed_when_its_nick_changes_and_not_when_its_address_does() {
    let mut rig = Rig::new();
    let ben = rig.meet(BEN);
    rig.admit(ben, BEN);
    let mut again = request(BEN);
    again.addresses = vec![address(4_010)];
    rig.receive(ben, Message::JoinRequest(again));
    let entry = rig.node.members().iter().find(|m| m.key == BEN);
    assert_eq!(entry.map(|m| &m.addresses[..]), Some(&[address(4_010)][..]));
    assert!(renamed(&rig).is_empty());
    rig.receive(ben, Message::Rename("bob".to_string()));
    assert_eq!(renamed(&rig), ["bob"]);
}

#[test]
fn the_user_sees_no_member_renamed_before_this_node_has_joined() {
    let members = [(1, LEADER), (2, Key(5)), (3, BEN)];
    let (mut rig, leader) = Rig::member_among(&members);
    let mut ben = view(2, &members).members[2].clone();
    ben.nick = "bob".to_string();
    rig.receive(leader, step(LEADER, UpdateKind::Renamed, ben));
    assert_eq!(rig.node.members()[2].nick, "bob");
    assert!(renamed(&rig).is_empty());
}

/// The coordinator had no link with the one that left, and held it for lost after a while.
#[test]
fn who_was_heard_leaving_is_not_said_to_be_lost() {
    let members = [(1, LEADER), (2, Key(5)), (3, BEN)];
    for has_said_so in [true, false] {
        let (mut rig, leader) = Rig::member_among(&members);
        let ben = rig.meet(BEN);
        rig.receive(leader, Message::SyncAnswer(rig.answer()));
        if has_said_so {
            rig.receive(ben, Message::Leave);
        }
        let lost = view(2, &members).members[2].clone();
        let why = Closed::Ended;
        rig.turn(vec![Input::Closed { link: ben, why }]);
        rig.receive(leader, step(LEADER, UpdateKind::Lost, lost));
        let said = rig.shown.iter().find_map(|e| match e {
            Event::MemberLeft(member, departure) => Some((member.key, *departure)),
            _ => None,
        });
        let departure = if has_said_so {
            Departure::Left
        } else {
            Departure::Lost
        };
        assert_eq!(said, Some((BEN, departure)), "{:?}", rig.shown);
    }
}

/// What its user said while a node joined is written as soon as it has joined, and that may be when another group
/// lets it in: all members of that group's view owe it.
#[test]
fn what_is_said_as_a_view_is_taken_over_is_owed_by_its_new_members() {
    const OTHER: Key = Key(30);
    let first_owed = |weakness: Option<Weakness>| {
        let own = Key(5);
        let (mut rig, leader) = Rig::member_among(&[(1, LEADER), (2, own), (3, BEN)]);
        rig.node.cx.config.weakened = weakness;
        rig.say(1);
        // Its coordinator has no office any more, so that it has not joined with the history.
        let coordinator = Some(office(1, OTHER));
        rig.receive(leader, Message::Ping { coordinator });
        rig.receive(leader, Message::SyncAnswer(rig.answer()));
        assert!(!rig.node.is_joined());
        let answer = response(&[(1, OTHER), (2, own), (4, LEADER)], Position::default());
        let sent = rig.receive(leader, Message::JoinResponse(answer));
        assert!(rig.node.is_joined());
        assert_eq!(Rig::seqs(&sent), [1]);
        let (_, sent) = rig.greet(hello(OTHER, Some(office(1, OTHER))));
        let word = sent.iter().find_map(|m| match m {
            Message::Stable(stable) => stable.from,
            _ => None,
        });
        word.expect("the new member is told")
    };
    assert_eq!(first_owed(None), 1);
    assert_eq!(first_owed(Some(Weakness::HalfAViewCounts)), 2);
}

/// What a cut held up comes all at once, behind the answer that another link brought: it is of before.
#[test]
fn an_announcement_that_was_long_on_the_way_takes_nobody_back_to_an_earlier_view() {
    let held_after = |weakness: Option<Weakness>| {
        let own = config().key;
        let members = [(1, LEADER), (2, own), (3, BEN)];
        let (mut rig, leader) = Rig::member_among(&members);
        rig.node.cx.config.weakened = weakness;
        let earlier = view(1, &members[..2]);
        rig.receive(leader, Message::CoordinatorAnnouncement(earlier));
        (rig.node.view_version(), rig.node.members().len())
    };
    assert_eq!(held_after(None), (2, 3));
    assert_eq!(held_after(Some(Weakness::EarlierViewsCount)), (1, 2));
}
