//! Who coordinates, as a member tells others and hears from them.

use crate::node::rig::{Rig, address, config, office, request, view};
use crate::node::{Effect, Input, LinkId, Timer, Weakness};
use crate::wire::{Datagram, Key, Message, PeerUpdate, UpdateKind};

const LEADER: Key = Key(9);
const BEN: Key = Key(10);
const OTHER: Key = Key(11);

#[test]
fn who_asks_again_by_multicast_is_pointed_to_the_coordinator_by_a_member() {
    let (mut rig, _) = Rig::member_of(LEADER);
    let from = address(6_000).0;
    let mut request = request(Key(20));
    request.attempt = 1;
    let datagram = Datagram::JoinRequest(request);
    rig.turn(vec![Input::Datagram { from, datagram }]);
    rig.done.clear();
    rig.fire(Timer::Referral);
    let is_pointer = |effect: &Effect| {
        let Effect::Unicast { to, datagram } = effect else {
            return false;
        };
        let points = |d: &Datagram| matches!(d, Datagram::Referral { coordinator: c, .. } if c.key == LEADER);
        *to == from && points(datagram)
    };
    assert!(rig.done.iter().any(is_pointer), "{:?}", rig.done);
}

/// A member elects: its coordinator has left, and ben, who is higher, has a head start.
fn electing() -> (Rig, LinkId) {
    let (mut rig, leader) = Rig::member_among(&[(4, LEADER), (2, Key(5)), (3, BEN)]);
    let ben = rig.meet(BEN);
    rig.receive(leader, Message::Leave);
    assert!(rig.node.is_electing());
    (rig, ben)
}

#[test]
fn an_election_ends_when_a_member_names_a_live_coordinator() {
    let (mut rig, ben) = electing();
    let coordinator = Some(office(5, OTHER));
    rig.receive(ben, Message::Pong { coordinator });
    assert!(!rig.node.is_electing());
}

#[test]
fn an_election_goes_on_whomever_a_stranger_names() {
    let (mut rig, _) = electing();
    let stranger = rig.meet(Key(30));
    let coordinator = Some(office(5, OTHER));
    rig.receive(stranger, Message::Pong { coordinator });
    assert!(rig.node.is_electing());
}

#[test]
fn a_newer_view_comes_from_the_member_that_mentions_it_where_the_coordinator_is_silent() {
    let members = [(4, LEADER), (2, Key(5)), (3, BEN)];
    let (mut rig, _) = Rig::member_among(&members);
    rig.pass(rig.node.cx.config.failure_timeout);
    let ben = rig.meet(BEN);
    let mut newer = office(4, LEADER);
    newer.version = 3;
    let coordinator = Some(newer);
    let sent = rig.receive(ben, Message::Ping { coordinator });
    assert!(sent.contains(&Message::ViewRequest), "{sent:?}");
}

/// Who is a stranger only because this view is old would pass a question on; another one must not keep it from that.
#[test]
fn a_stranger_that_mentions_a_newer_view_is_not_asked_for_it_but_the_coordinator_is_asked_in_again()
{
    let asks = |weakened: Option<Weakness>| {
        let members = [(4, LEADER), (2, Key(5)), (3, BEN)];
        let (mut rig, _) = Rig::member_among(&members);
        rig.node.cx.config.weakened = weakened;
        rig.pass(rig.node.cx.config.failure_timeout);
        let stranger = rig.meet(Key(30));
        let mut newer = office(4, LEADER);
        newer.version = 3;
        let coordinator = Some(newer);
        let sent = rig.receive(stranger, Message::Ping { coordinator });
        assert!(!sent.contains(&Message::ViewRequest), "{sent:?}");
        rig.node.group.asking.is_some()
    };
    assert!(asks(None));
    assert!(!asks(Some(Weakness::NoAskingPastStrangers)));
}

/// What a cut held up is older than the view that somebody else has brought meanwhile.
#[test]
fn a_coordinator_that_names_this_node_is_given_up_only_when_it_does_so_for_a_while() {
    let is_held = |weakened: Option<Weakness>, is_repeated: bool| {
        let own = config().key;
        let members = [(4, LEADER), (2, own), (3, BEN)];
        let (mut rig, leader) = Rig::member_among(&members);
        rig.node.cx.config.weakened = weakened;
        rig.pass(rig.node.cx.config.failure_timeout);
        let ben = rig.meet(BEN);
        let mut newer = office(4, LEADER);
        newer.version = 3;
        let coordinator = Some(newer);
        rig.receive(ben, Message::Ping { coordinator });
        let whole = view(3, &members);
        let update = PeerUpdate {
            coordinator: LEADER,
            version: 3,
            next_id: whole.next_id,
            kind: UpdateKind::Whole,
            members: whole.members,
            clock: 0,
        };
        rig.receive(ben, Message::PeerUpdate(update));
        assert_eq!(rig.node.view_version(), 3);
        let dated = || Message::Ping {
            coordinator: Some(office(2, own)),
        };
        rig.receive(leader, dated());
        if is_repeated {
            rig.pass(rig.node.cx.config.failure_timeout);
            rig.receive(leader, dated());
        }
        rig.node.group.leader() == Some(LEADER)
    };
    assert!(is_held(None, false));
    assert!(!is_held(None, true), "it follows this node indeed");
    assert!(!is_held(Some(Weakness::DatedWordsCount), false));
}
