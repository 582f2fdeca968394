//! What clients are told of those who are lost, and of those who are back.

use super::*;

fn lost(key: u64) -> Event {
    Event::MemberLeft(member(key, "x"), Departure::Lost)
}

#[test]
fn a_split_is_one_batch_and_so_is_its_healing() {
    let mut world = World::new();
    let (knows, plain) = (world.client(1, "batch"), world.client(2, "setname"));
    world.says(knows, "JOIN #x");
    world.says(plain, "JOIN #x");
    let all = [(4, "ana"), (5, "bia"), (6, "caio"), (7, "davi")];
    let room = Room(all.map(|(key, nick)| member(key, nick)).into(), Vec::new());
    world.event(1, joined(), &room);
    world.hears(knows);
    world.hears(plain);
    // They are noticed one after the other, and whoever speaks meanwhile does not part them.
    for key in [5, 6] {
        world.event(1, lost(key), &room);
        world.says(plain, "PRIVMSG #x :what was that");
        assert_eq!(world.hears(plain), Vec::<String>::new());
        world.pass(GATHERS / 2);
    }
    world.pass(GATHERS / 2);
    let mut lines = world.hears(knows);
    lines.retain(|l| !l.contains("PRIVMSG"));
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines[0].ends_with(" BATCH +b1 netsplit irc.papo others.papo"));
    assert!(lines[1].starts_with("@batch=b1 :bia!papo@papo QUIT :irc.papo others.papo"));
    assert!(lines[2].starts_with("@batch=b1 :caio!papo@papo QUIT :irc.papo others.papo"));
    assert_eq!(world.hears(plain).len(), 2);
    for (key, nick) in [(5, "bia"), (6, "caio")] {
        world.event(1, Event::MemberJoined(member(key, nick)), &room);
    }
    assert_eq!(world.hears(knows), Vec::<String>::new());
    world.pass(GATHERS);
    assert!(world.hears(knows)[0].contains(" netjoin "));
}

#[test]
fn a_split_from_who_coordinates_takes_longer_and_is_shown_when_nobody_is_left() {
    let mut world = World::new();
    let a = world.client(1, "batch");
    world.says(a, "JOIN #x");
    let all = [(5, "ana"), (6, "bia"), (7, "rui")];
    let room = Room(all.map(|(key, nick)| member(key, nick)).into(), Vec::new());
    world.event(1, joined(), &room);
    world.hears(a);
    world.event(1, lost(5), &room);
    let own = Event::Coordinator {
        id: 100,
        key: Key(100),
        previous: None,
        own: true,
    };
    world.event(1, own, &room);
    world.pass(Duration::from_secs(2));
    // Who coordinates now is shown meanwhile.
    let lines = world.hears(a);
    assert!(
        lines.len() == 1 && lines[0].ends_with("MODE #x +o n1"),
        "{lines:?}"
    );
    assert!(world.server.next_deadline().unwrap() > world.now.time);
    // Others may follow each other slowly.
    world.event(1, lost(6), &room);
    world.pass(GATHERS);
    assert_eq!(world.hears(a), Vec::<String>::new());
    world.event(1, lost(7), &room);
    let lines = world.hears(a);
    let quits = |l: &&String| l.ends_with("QUIT :irc.papo others.papo");
    assert_eq!(lines.iter().filter(quits).count(), 3, "{lines:?}");
    assert_eq!(lines.len(), 5, "{lines:?}");
}

#[test]
fn who_was_lost_is_shown_before_anything_that_depends_on_it() {
    let mut world = World::new();
    let (a, b) = (world.client(1, "batch"), world.client(2, "setname"));
    world.says(a, "JOIN #x");
    world.says(b, "JOIN #x");
    let room = Room(vec![member(5, "ana"), member(6, "bia")], Vec::new());
    world.event(1, joined(), &room);
    world.hears(b);
    // Somebody takes the nick.
    world.event(1, lost(5), &room);
    world.says(a, "NICK ana");
    let lines = world.hears(b);
    assert!(lines[0].contains("ana!papo@papo QUIT") && lines[1].contains("NICK ana"));
    // It is back and speaks.
    world.event(1, lost(6), &room);
    world.event(1, Event::MemberJoined(member(6, "bia")), &room);
    world.event(1, live(&[message(6, 1, 2, "back")]), &room);
    let lines = world.hears(b);
    assert!(lines[0].contains("bia!papo@papo QUIT"), "{lines:?}");
    assert!(lines[1].contains("bia!papo@papo JOIN") && lines[2].contains(":back"));
    // Somebody new is shown at once, and whoever was lost before that before it.
    world.event(1, lost(6), &room);
    world.event(1, Event::MemberJoined(member(7, "rui")), &room);
    let lines = world.hears(b);
    assert!(lines[0].contains("bia!papo@papo QUIT") && lines[1].contains("rui!papo@papo JOIN"));
}
