//! What a member does that has lost its coordinator, or is told of another one.

use crate::node::rig::{Rig, office, view};
use crate::node::{Departure, Event, Input, LinkId, Timer, Weakness};
use crate::wire::{Key, Message};

const ME: Key = Key(5);
const LEADER: Key = Key(9);
const BEN: Key = Key(10);

impl Rig {
    /// Its coordinator falls silent, and nobody but this member says anything.
    fn lose_coordinator(&mut self, other: LinkId) {
        self.pass(self.node.cx.config.failure_timeout);
        while !self.node.is_electing() {
            self.receive(other, Message::Ping { coordinator: None });
            self.fire(Timer::Watch);
        }
    }
}

fn leader(rig: &Rig) -> Option<Key> {
    rig.node.coordinator().map(|c| c.key)
}

#[test]
fn an_elector_stays_with_the_coordinator_that_a_higher_member_still_hears() {
    let (mut rig, _) = Rig::member_among(&[(4, LEADER), (2, ME), (3, BEN)]);
    let ben = rig.meet(BEN);
    rig.lose_coordinator(ben);
    let sent = rig.fire(Timer::Election);
    let is_question = |m: &Message| matches!(m, Message::Election { .. });
    assert!(sent.iter().any(is_question), "{sent:?}");
    let coordinator = Some(office(4, LEADER));
    rig.receive(ben, Message::ElectionOk { coordinator });
    assert!(!rig.node.is_electing());
    assert_eq!(leader(&rig), Some(LEADER));
}

/// Two that a liar told different views have one id, and each finds the other higher.
#[test]
fn of_two_with_one_id_that_find_each_other_higher_one_answers() {
    let answers = |weakness: Option<Weakness>, other: Key| {
        let (mut rig, _) = Rig::member_among(&[(4, LEADER), (2, ME), (3, other)]);
        rig.node.cx.config.weakened = weakness;
        let link = rig.meet(other);
        rig.lose_coordinator(link);
        let question = Message::Election {
            id: 2,
            forced: false,
        };
        let sent = rig.receive(link, question);
        sent.contains(&Message::ElectionOk { coordinator: None })
    };
    assert!(!answers(None, BEN), "its key is higher");
    assert!(answers(None, Key(3)));
    assert!(answers(Some(Weakness::EqualsAnswer), BEN));
}

/// Three that lose their coordinator one after the other told each other for nine seconds that it lives.
#[test]
fn who_was_told_that_its_lost_coordinator_lives_tells_others_so_only_while_it_is_told() {
    const CARA: Key = Key(12);
    let answer = |weakness: Option<Weakness>, is_still_told: bool| {
        let members = [(4, LEADER), (2, ME), (3, BEN), (1, CARA)];
        let (mut rig, _) = Rig::member_among(&members);
        rig.node.cx.config.weakened = weakness;
        let (ben, cara) = (rig.meet(BEN), rig.meet(CARA));
        rig.lose_coordinator(ben);
        let coordinator = Some(office(4, LEADER));
        rig.receive(ben, Message::ElectionOk { coordinator });
        assert_eq!(leader(&rig), Some(LEADER));
        if !is_still_told {
            rig.receive(ben, Message::Ping { coordinator: None });
        }
        let question = Message::Election {
            id: 1,
            forced: false,
        };
        let sent = rig.receive(cara, question);
        sent.into_iter().find_map(|m| match m {
            Message::ElectionOk { coordinator } => Some(coordinator.map(|c| c.key)),
            _ => None,
        })
    };
    assert_eq!(answer(None, true), Some(Some(LEADER)));
    assert_eq!(answer(None, false), Some(None));
    let weak = Some(Weakness::HearsayGoesOn);
    assert_eq!(answer(weak, false), Some(Some(LEADER)));
}

/// A member followed one that had won an election beside a cut, and held its office no more when that cut had ended. It
/// could not reach it, and told those who elected that it lives.
#[test]
fn who_does_not_hear_its_coordinator_names_it_only_while_somebody_else_does() {
    const CARA: Key = Key(12);
    let answer = |weakness: Option<Weakness>, is_named: bool| {
        let members = [(4, LEADER), (2, ME), (3, BEN), (1, CARA)];
        let (mut rig, link) = Rig::member_among(&members);
        rig.node.cx.config.weakened = weakness;
        let (ben, cara) = (rig.meet(BEN), rig.meet(CARA));
        let why = crate::node::Closed::Failed;
        rig.turn(vec![Input::Closed { link, why }]);
        rig.pass(rig.node.cx.config.failure_timeout);
        let coordinator = is_named.then(|| office(4, LEADER));
        rig.receive(ben, Message::Ping { coordinator });
        let question = Message::Election {
            id: 1,
            forced: false,
        };
        let sent = rig.receive(cara, question);
        assert_eq!(rig.node.is_electing(), !is_named && weakness.is_none());
        if rig.node.is_electing() {
            // The higher one does not answer.
            rig.fire(Timer::Election);
            rig.fire(Timer::Election);
            assert_eq!(leader(&rig), Some(ME));
            let is_member = |m: &crate::wire::Member| m.key == LEADER;
            assert!(!rig.node.members().iter().any(is_member), "it is lost");
        }
        sent.into_iter().find_map(|m| match m {
            Message::ElectionOk { coordinator } => Some(coordinator.map(|c| c.key)),
            _ => None,
        })
    };
    assert_eq!(answer(None, true), Some(Some(LEADER)));
    assert_eq!(answer(None, false), Some(None));
    let weak = Some(Weakness::UnheardAreNamed);
    assert_eq!(answer(weak, false), Some(Some(LEADER)));
}

#[test]
fn a_lower_member_is_followed_only_once_the_coordinator_leaves_a_ping_unanswered() {
    let members = [(4, LEADER), (2, ME), (3, BEN)];
    let (mut rig, _) = Rig::member_among(&members);
    let ben = rig.meet(BEN);
    let announce = |version| Message::CoordinatorAnnouncement(view(version, &[(3, BEN), (2, ME)]));
    rig.receive(ben, announce(3));
    assert_eq!(leader(&rig), Some(LEADER), "it may well be alive");
    rig.pass(rig.node.cx.config.failure_timeout);
    let sent = rig.turn(vec![Input::Timer(Timer::Watch)]);
    let is_ping = |m: &Message| matches!(m, Message::Ping { .. });
    assert!(sent.iter().any(is_ping), "it is asked whether it lives");
    rig.pass(rig.node.cx.config.heartbeat / 2);
    rig.receive(ben, announce(4));
    assert_eq!(leader(&rig), Some(BEN));
}

#[test]
fn the_next_view_is_without_a_coordinator_that_left() {
    let (mut rig, link) = Rig::member_of(LEADER);
    rig.receive(link, Message::SyncAnswer(rig.answer()));
    assert!(rig.node.is_joined());
    rig.receive(link, Message::Leave);
    assert_eq!(leader(&rig), Some(ME));
    assert_eq!(rig.node.members().len(), 1);
    let has_left = |e: &Event| {
        let Event::MemberLeft(member, departure) = e else {
            return false;
        };
        (member.key, *departure) == (LEADER, Departure::Left)
    };
    assert!(rig.shown.iter().any(has_left), "{:?}", rig.shown);
}
