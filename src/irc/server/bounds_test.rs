//! What one client may cost the others.

use super::*;

#[test]
fn a_node_is_begun_only_while_there_are_descriptors() {
    let mut world = World::new();
    let clients = [1, 2, 3].map(|n| world.client(n, "batch"));
    let [a, b, c] = clients;
    // Two nodes and their links with each other, three clients, and what is spared.
    let two = 2 * IRC_NODE_DESCRIPTORS + 2;
    world
        .server
        .set_descriptors(IRC_OTHER_DESCRIPTORS + clients.len() + two);
    world.says(a, "JOIN #x");
    world.says(b, "JOIN #x");
    world.says(c, "JOIN #x");
    let refused = world.hears(c);
    assert!(refused[0].contains(" 471 n3 #x :") && refused[0].contains("ulimit -n"));
    assert_eq!(
        world
            .hears(b)
            .iter()
            .filter(|l| l.contains(" 366 "))
            .count(),
        1
    );
    // What one has left is there for another one, once it is gone.
    world.says(b, "PART #x");
    world.server.on_closed(world.now, SeatId(2), "it has left");
    world.says(c, "JOIN #x");
    assert!(world.hears(c).iter().any(|l| l.contains(" 366 ")));
}

#[test]
fn to_come_and_go_is_dear_and_is_slowed_down() {
    let mut world = World::new();
    let a = world.client(1, "batch");
    let names: Vec<String> = (0..800).map(|n| format!("#c{n}")).collect();
    let joins = names
        .chunks(40)
        .map(|names| format!("JOIN 0\nJOIN {}\n", names.join(",")));
    world.says(a, &joins.collect::<String>());
    // In one turn, and in a second.
    let of_turn = world.opened().len();
    assert!((40..=120).contains(&of_turn), "{of_turn}");
    for _ in 0..10 {
        world.pass(Duration::from_millis(100));
        world.says(a, "");
    }
    let of_second = world.opened().len();
    assert!((of_turn + 1..=160).contains(&of_second), "{of_second}");
    // Nothing is lost.
    for _ in 0..100 {
        world.pass(Duration::from_secs(1));
        world.says(a, "");
    }
    assert_eq!(world.opened().len(), names.len());
    world.says(a, "PRIVMSG nobody :here");
    assert!(world.hears(a).iter().any(|l| l.contains(" 401 n1 nobody ")));
}

#[test]
fn who_begins_with_tls_is_told_that_nothing_is_encrypted() {
    let mut world = World::new();
    let conn = Conn(7);
    world.server.on_connected(world.now, conn, "here");
    world
        .server
        .on_bytes(world.now, conn, b"\x16\x03\x01\x02\x00\x01");
    let mut round = world.server.round(world.now);
    assert!(!world.server.step(world.now, &mut round));
    let lines = world.hears(conn);
    assert!(
        lines[0].ends_with("(nothing is encrypted here; connect without TLS)"),
        "{lines:?}"
    );
    assert_eq!(world.server.dead(), [conn]);
}

#[test]
fn who_has_waited_longest_without_a_name_makes_room() {
    let mut world = World::new();
    world.client(1, "batch");
    world.server.on_connected(world.now, Conn(2), "here");
    world.server.on_connected(world.now, Conn(3), "here");
    assert_eq!(world.server.oldest_unknown(), Some(Conn(2)));
    world.server.on_disconnected(world.now, Conn(2), "gone");
    world.server.on_disconnected(world.now, Conn(3), "gone");
    assert_eq!(world.server.oldest_unknown(), None);
}

#[test]
fn what_a_client_asks_for_is_written_before_it_is_understood_further() {
    let mut world = World::new();
    let a = world.client(1, "batch server-time");
    let long = "x".repeat(400);
    world.says(a, "JOIN #x");
    (0..100).for_each(|n| world.says(a, &format!("PRIVMSG #x :{n} {long}")));
    world.hears(a);
    // All of it would be far more than waits for one client.
    let asked = 200;
    world.says(a, &"CHATHISTORY LATEST #x * 100\n".repeat(asked));
    let mut answered = 0;
    let mut turns = 0;
    while answered < asked && turns < 1_000 {
        let most = IRC_ANSWERS_BYTES_MAX + IRC_ANSWERS_BYTES_MAX / 4;
        assert!(world.server.unsent(a).len() < most);
        let lines = world.hears(a);
        answered += lines.iter().filter(|l| l.contains(" BATCH -")).count();
        assert!(lines.iter().all(|l| !l.starts_with("ERROR")));
        world.pass(Duration::from_millis(100));
        world.says(a, "");
        turns += 1;
    }
    assert_eq!(answered, asked, "nothing is lost");
    assert!(turns > 20, "much for little is slowed down: {turns} turns");
}

#[test]
fn a_line_that_is_too_long_is_answered_though_it_comes_in_pieces() {
    let mut world = World::new();
    let a = world.client(1, "batch");
    for _ in 0..2 {
        let piece = [b'x'; 4_500];
        world.server.on_bytes(world.now, a, &piece);
        let mut round = world.server.round(world.now);
        assert!(!world.server.step(world.now, &mut round));
    }
    world.says(a, "\nPING y");
    let lines = world.hears(a);
    assert!(lines[0].contains(" 417 n1 "), "{lines:?}");
    assert!(lines[1].contains(" PONG "), "{lines:?}");
}
