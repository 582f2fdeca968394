use super::*;
use crate::wire::made::member;

fn started(reason: &str) -> Event {
    Event::Election {
        phase: Phase::Started,
        reason: reason.into(),
    }
}

fn coordinator(id: u64, own: bool) -> Event {
    Event::Coordinator {
        id,
        key: Key(id),
        previous: Some(1),
        own,
    }
}

/// Milliseconds.
fn at(ms: u64) -> Time {
    Time(ms * 1_000)
}

/// In the room with ana, who coordinates, and caio.
fn news(notices: Notices) -> (News, [Member; 3]) {
    let mut news = News::new(notices);
    news.on_joined(Some(Key(1)));
    (news, [member(1, "ana"), member(2, "me"), member(3, "caio")])
}

#[test]
fn a_failover_is_one_line_in_whatever_order_its_parts_come() {
    let (mut news, members) = news(Notices::Brief);
    let lost = Event::MemberLeft(members[0].clone(), Departure::Lost);
    let parts = [
        started("the coordinator's process ended"),
        lost,
        coordinator(2, true),
    ];
    for order in [[0, 1, 2], [0, 2, 1]] {
        news.on_joined(Some(Key(1)));
        let said = order.map(|i| news.on_event(at(0), &parts[i], &members));
        let line = "ana#1 is gone (its process ended); you coordinate now";
        assert_eq!(said, [None, None, Some(line.to_owned())]);
        assert_eq!(news.next_deadline(), None);
    }
}

#[test]
fn one_who_left_in_good_order_is_said_to_have_left() {
    let (mut news, members) = news(Notices::Brief);
    let left = Event::MemberLeft(members[0].clone(), Departure::Left);
    assert_eq!(news.on_event(at(0), &left, &members), None);
    assert_eq!(
        news.on_event(at(10), &coordinator(3, false), &members),
        Some("ana#1 left; caio#3 coordinates now".to_owned())
    );
}

#[test]
fn half_a_failover_is_said_after_a_while() {
    let (mut news, members) = news(Notices::Brief);
    assert_eq!(news.on_event(at(0), &coordinator(3, false), &members), None);
    let due = news.next_deadline().unwrap();
    assert_eq!(news.on_deadline(due), ["caio#3 coordinates now"]);
    let lost = Event::MemberLeft(members[2].clone(), Departure::Lost);
    assert_eq!(news.on_event(due, &lost, &members), None);
    let due = news.next_deadline().unwrap();
    assert_eq!(news.on_deadline(due), ["caio#3 is gone"]);
    assert_eq!(news.next_deadline(), None);
}

#[test]
fn who_says_something_and_goes_is_not_told_of() {
    let (mut news, members) = news(Notices::Brief);
    let (came, went) = (member(7, "cron"), member(7, "cron"));
    assert_eq!(
        news.on_event(at(0), &Event::MemberJoined(came), &members),
        None
    );
    let left = Event::MemberLeft(went, Departure::Left);
    assert_eq!(news.on_event(at(1_000), &left, &members), None);
    assert_eq!(news.next_deadline(), None);
    let stays = Event::MemberJoined(member(8, "bia"));
    assert_eq!(news.on_event(at(0), &stays, &members), None);
    let due = news.next_deadline().unwrap();
    assert!(news.on_deadline(at(100)).is_empty());
    assert_eq!(news.on_deadline(due), ["bia#8 joined"]);
    let left = Event::MemberLeft(member(8, "bia"), Departure::Lost);
    assert_eq!(
        news.on_event(due, &left, &members),
        Some("bia#8 is gone".to_owned())
    );
}

#[test]
fn every_step_is_said_to_who_asks_for_details() {
    let (mut news, members) = news(Notices::All);
    let steps = [
        started("the coordinator left"),
        Event::MemberLeft(members[0].clone(), Departure::Left),
        coordinator(3, false),
        Event::MemberJoined(member(8, "bia")),
    ];
    let said: Vec<String> = (steps.iter())
        .filter_map(|event| news.on_event(at(0), event, &members))
        .collect();
    let lines = [
        "election started: the coordinator left",
        "ana#1 left",
        "caio#3 is the coordinator now",
        "bia#8 joined",
    ];
    assert_eq!(said, lines);
}

#[test]
fn who_is_quiet_hears_of_nobody_or_of_those_who_spoke_lately() {
    let (mut news, members) = news(Notices::Brief);
    let left = Event::MemberLeft(members[2].clone(), Departure::Left);
    news.set_quiet(Quiet::On);
    assert_eq!(news.on_event(at(0), &left, &members), None);
    news.set_quiet(Quiet::Lately);
    assert_eq!(news.on_event(at(0), &left, &members), None);
    news.note_spoke(at(0), Key(3));
    assert_eq!(
        news.on_event(at(0), &left, &members),
        Some("caio#3 left".to_owned())
    );
    news.note_spoke(at(0), Key(3));
    let later = at(0) + SPOKE_LATELY;
    assert_eq!(news.on_event(later, &left, &members), None);
    assert_eq!(News::new(Notices::Never).quiet(), Quiet::On);
}

#[test]
fn a_new_nick_is_said_with_the_number_that_stays() {
    let said = |nick: &str| renamed(&member(8, nick), "bia");
    assert_eq!(said("zoe"), "bia#8 is now known as zoe");
    assert_eq!(said("a b"), "bia#8 is now known as \"a b\"");
}

#[test]
fn what_is_remembered_is_bounded() {
    let (mut news, members) = news(Notices::Brief);
    for n in 10..10 + 2 * ARRIVALS_MAX as u64 {
        news.on_event(at(0), &Event::MemberJoined(member(n, "x")), &members);
    }
    assert_eq!(news.arrivals.len(), ARRIVALS_MAX);
    for n in 0..2 * SPEAKERS_MAX as u64 {
        news.note_spoke(at(n), Key(n));
    }
    assert_eq!(news.spoke.len(), SPEAKERS_MAX);
}
