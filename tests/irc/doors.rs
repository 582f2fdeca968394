//! Who may connect, and who is let go.

use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::client::{Client, Server};
use crate::harness::{PATIENCE, Room, eventually, mode, scratch_dir, shared};

#[test]
fn other_machines_need_a_password() {
    let permit = shared();
    let room = Room::new(&permit);
    let open = room.raw(&["irc", "--irc-listen", "0.0.0.0:0"]).start();
    assert_eq!(open.exit(), 2);
    let said = open.stderr();
    assert!(
        said.contains("--irc-password-file") && said.contains("speaks in your name"),
        "{said}"
    );
    let dir = scratch_dir();
    let file = dir.join("password");
    std::fs::write(&file, "right\nnot this\n").expect("a file");
    let file = file.to_str().expect("a path");
    let server = Server::with(&room, &["--irc-password-file", file]);
    let mut right = server.connect();
    right.say_all(&["PASS right", "NICK a", "USER u 0 * :r"]);
    right.gets(" 001 a ");
    let mut wrong = server.connect();
    wrong.say_all(&["PASS wrong", "NICK b", "USER u 0 * :r"]);
    wrong.gets(" 464 b ");
    wrong.gets("ERROR :");
    wrong.is_let_go();
}

#[test]
fn a_socket_in_the_file_system_is_its_owners_alone() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let path = dir.join("irc");
    let at = format!("unix:{}", path.display());
    let server = room
        .papo("irc", &["irc", "--irc-listen", &at, "-v"])
        .start();
    server.logs("IRC clients can connect", 1);
    assert_eq!(mode(&path), 0o600);
    let socket = UnixStream::connect(&path).expect("papo listens");
    socket
        .set_read_timeout(Some(Duration::from_millis(20)))
        .expect("a time-out");
    let mut client = Client::over(Box::new(socket));
    client.say_all(&["NICK a", "USER u 0 * :r"]);
    client.gets(" 001 a :Welcome to papo, a!u@localhost");
    server.signal(crate::harness::Signal::TERM);
    client.gets("ERROR :Closing link: localhost (papo ends)");
    assert_eq!(server.exit(), 0);
    assert!(!path.exists(), "the file goes with papo");
}

#[test]
fn nothing_of_the_users_is_deleted_or_told_to_others() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = dir.join("irc");
    std::fs::write(&file, "mine").expect("a file");
    let link = dir.join("link");
    std::os::unix::fs::symlink(&file, &link).expect("a link");
    for path in [&file, &link, &dir.to_path_buf()] {
        let at = format!("unix:{}", path.display());
        let refused = room.raw(&["irc", "--irc-listen", &at]).start();
        assert_eq!(refused.exit(), 3);
        let said = refused.stderr();
        assert!(
            said.contains("something is there that is no socket"),
            "{said}"
        );
    }
    assert_eq!(std::fs::read(&file).expect("it is there"), b"mine");
    assert!(link.is_symlink());
    // A file with a secret that everybody may read is used, and papo says so.
    let all = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&file, all).expect("the file is ours");
    let secret = file.to_str().expect("a path");
    let args = ["--irc-password-file", secret];
    let server = Server::with(&room, &args);
    server
        .node
        .logs("everybody on this machine may read the password", 1);
}

#[test]
fn a_browser_that_is_made_to_speak_is_let_go_at_its_first_line() {
    let permit = shared();
    let room = Room::new(&permit);
    let server = Server::start(&room);
    let mut browser = server.connect();
    browser.say(
        "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nNICK evil\r\nUSER u 0 * :r\r\nPRIVMSG #x :bad",
    );
    browser.is_let_go();
    assert_eq!(browser.lines.len(), 1, "{:?}", browser.lines);
    assert!(
        browser.lines[0].starts_with("ERROR :"),
        "{:?}",
        browser.lines
    );
}

#[test]
fn one_that_does_not_read_is_let_go_and_costs_the_others_nothing() {
    let permit = shared();
    let room = Room::new(&permit);
    let server = Server::start(&room);
    let channel = format!("#{}", room.name);
    let mut ana = server.client("ana", "");
    ana.gets(" 366 ");
    let mut lazy = server.client("lazy", "");
    lazy.gets(" 366 ");
    let long = "x".repeat(400);
    (0..100).for_each(|n| ana.say(&format!("PRIVMSG {channel} :{n} {long}")));
    // Each asks for all of these lines.
    let asks = format!("CHATHISTORY LATEST {channel} * 100\r\n");
    eventually("it is let go", PATIENCE, || {
        lazy.try_write(asks.repeat(50).as_bytes());
        let said = ana.all();
        said.iter()
            .any(|l| l.contains("lazy!") && l.contains("QUIT"))
    });
    let gone = ana
        .lines
        .iter()
        .find(|l| l.contains("lazy!") && l.contains("QUIT"));
    assert!(gone.is_some_and(|l| l.contains("did not read")), "{gone:?}");
    ana.say(&format!("PRIVMSG {channel} :I am still here"));
    ana.say(&format!("NAMES {channel}"));
    ana.gets(" 353 ana = ");
}
