//! Clients that mean harm, or are none: papo stays, the others notice nothing, and whoever can be helped is told what
//! is wrong.

use std::time::Instant;

use crate::client::{Client, Server};
use crate::harness::{PATIENCE, Room, eventually, shared};

/// Somebody else talks, and is answered at once whatever goes on.
#[track_caller]
fn still_serves(server: &Server, nick: &str) {
    let started = Instant::now();
    let mut client = server.client(nick, "");
    client.gets(" 366 ");
    client.all();
    assert!(
        started.elapsed() < PATIENCE / 6,
        "it took {:?}",
        started.elapsed()
    );
    client.say("QUIT");
    client.is_let_go();
}

#[test]
fn what_is_no_irc_is_told_so_at_its_first_bytes() {
    let permit = shared();
    let room = Room::new(&permit);
    let server = Server::start(&room);
    let verbs = [
        "GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PATCH",
    ];
    for verb in verbs {
        let mut browser = server.connect();
        browser.say(&format!(
            "{verb} / HTTP/1.1\r\nHost: localhost\r\n\r\nNICK evil\r\nUSER u 0 * :r"
        ));
        browser.gets("ERROR :Closing link: 127.0.0.1 (this is no web server)");
        browser.is_let_go();
    }
    // The name of a header, where the first line was cut off.
    let mut browser = server.connect();
    browser.say("Host: localhost:6667\r\nNICK evil\r\nUSER u 0 * :r");
    browser.is_let_go();
    let mut modern = server.connect();
    modern.try_write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    modern.is_let_go();
    // The first bytes of TLS have no line's end, and whoever says them waits for an answer.
    let mut encrypted = server.connect();
    let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    encrypted.try_write(hello);
    encrypted
        .gets("ERROR :Closing link: 127.0.0.1 (nothing is encrypted here; connect without TLS)");
    encrypted.is_let_go();
    still_serves(&server, "ana");
}

#[test]
fn lines_come_in_pieces_with_zeros_or_without_an_end() {
    let permit = shared();
    let room = Room::new(&permit);
    let server = Server::start(&room);
    let channel = format!("#{}", room.name);
    let mut slow = server.connect();
    for byte in b"NICK slow\r\nUSER u 0 * :r\r\n" {
        slow.try_write(&[*byte]);
        slow.all_bytes();
    }
    slow.gets(" 001 slow ");
    slow.gets(" 366 ");
    let mut ana = server.client("ana", "");
    ana.gets(" 366 ");
    slow.try_write(format!("PRIVMSG {channel} :a\0b\rc\r\n\r\n\n \r\n").as_bytes());
    ana.gets(&format!("PRIVMSG {channel} :abc"));
    slow.try_write(b"PRIVMSG #x :\xff\xfe\r\n");
    slow.gets("INVALID_UTF8");
    slow.try_write(&[b'x'; 700]);
    slow.say("");
    slow.gets(" 417 slow ");
    // Half a line, and the end of the stream.
    let mut half = server.connect();
    half.try_write(b"NICK hal");
    drop(half);
    for (nick, bytes) in [("a", b'x'), ("b", 0), ("c", b' ')] {
        let mut endless = server.client(nick, "");
        eventually("it is let go", PATIENCE, || {
            !endless.try_write(&[bytes; 64 * 1024])
        });
        endless.is_let_go();
    }
    still_serves(&server, "rui");
    slow.say(&format!("PRIVMSG {channel} :still here"));
    ana.gets("still here");
}

#[test]
fn a_flood_of_capabilities_and_of_channels_delays_nobody() {
    let permit = shared();
    let room = Room::new(&permit);
    let server = Server::start(&room);
    let mut floods = server.client("caps", "");
    let mut joins = server.client("joins", "");
    let asks = "CAP LS 302\r\nCAP REQ :draft/multiline nothing/here\r\nCAP LIST\r\nCAP X\r\n";
    floods.try_write(asks.repeat(600).as_bytes());
    let names: Vec<String> = (0..1_000).map(|n| format!("#c{n}")).collect();
    for names in names.chunks(40) {
        joins.say(&format!("JOIN {}", names.join(",")));
    }
    still_serves(&server, "ana");
    // It is in as many as it may be, and told so of every other one.
    joins.gets(" 366 joins #c48 ");
    joins.gets(" 405 joins #c50 ");
    joins.gets(" 405 joins #c999 ");
    floods.all();
    let answers = floods.lines.iter().filter(|l| l.contains(" 410 ")).count();
    assert_eq!(answers, 600, "a flood is slowed down, and loses nothing");
    // Coming and going all the time is dear: it is slowed down.
    let comes_and_goes = format!("JOIN 0\r\nJOIN {}\r\n", names[..40].join(","));
    joins.try_write(comes_and_goes.repeat(40).as_bytes());
    for nick in ["rui", "bia", "eva"] {
        still_serves(&server, nick);
    }
    assert!(joins.count(" 366 ") < 1_000, "a node for each was begun");
}

#[test]
fn who_says_nothing_keeps_nobody_out() {
    let permit = shared();
    let room = Room::new(&permit);
    let server = Server::start(&room);
    let silent: Vec<Client> = (0..600).map(|_| server.connect()).collect();
    still_serves(&server, "ana");
    drop(silent);
    still_serves(&server, "ana");
}
