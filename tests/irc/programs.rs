//! irssi and weechat in a pseudo-terminal, with a papo in a terminal, a pipe, and each other.

use std::path::Path;
use std::process::Command;

use crate::client::Server;
use crate::harness::{Permit, Room, Scratch, Signal, scratch_dir, shared};
use crate::terminal::{Setup, Terminal};

/// True if this program is there; else why the test does nothing. `PAPO_TEST_NO_SKIP` forbids that.
pub fn is_there(program: &str) -> bool {
    let is_there = Path::new("/usr/bin").join(program).exists();
    let must = std::env::var_os("PAPO_TEST_NO_SKIP").is_some();
    assert!(is_there || !must, "{program} is to be there (see .ci/run)");
    if !is_there {
        eprintln!("skipped: there is no {program} (apt-get install {program})");
    }
    is_there
}

/// irssi, to be connected to this port of this machine.
pub fn irssi_at(port: u16, home: &Scratch) -> Command {
    let mut command = Command::new("irssi");
    let home = home.to_str().expect("a path");
    let port = port.to_string();
    command.args(["--home", home, "--connect", "127.0.0.1", "--port", &port]);
    command.args(["--nick", "ines"]);
    command
}

fn irssi(server: &Server, home: &Scratch) -> Terminal {
    let command = irssi_at(server.port, home);
    start(&command, home.to_str().expect("a path"))
}

/// weechat, likewise.
pub fn weechat_at(port: u16, home: &Scratch) -> Command {
    let mut command = Command::new("weechat-curses");
    let home = home.to_str().expect("a path");
    let add = format!("/server add papo 127.0.0.1/{port} -notls -nicks=wanda -username=wanda");
    let runs = [
        "/set weechat.look.buffer_time_format \"\"",
        "/set irc.server_default.anti_flood_prio_high 0",
        // What is typed as fast as a test types is no paste.
        "/set weechat.look.paste_max_lines -1",
        add.as_str(),
        "/set irc.server.papo.capabilities \"*\"",
        "/connect papo",
    ];
    command.args(["--dir", home]);
    for run in runs {
        command.args(["--run-command", run]);
    }
    command
}

fn weechat(server: &Server, home: &Scratch) -> Terminal {
    let command = weechat_at(server.port, home);
    start(&command, home.to_str().expect("a path"))
}

/// A program in a terminal, with a home of its own.
pub fn start(command: &Command, home: &str) -> Terminal {
    let env = [("HOME", home), ("LANG", "C.UTF-8"), ("LC_ALL", "C.UTF-8")];
    let setup = Setup {
        cols: 110,
        rows: 30,
        env: &env,
        ..Setup::default()
    };
    Terminal::running(command, &setup)
}

/// One of these programs goes through a day: it joins two rooms, of which one has a past, talks with a papo in a
/// terminal and with a pipe, privately, too, sees a topic, a new nick, and that somebody dies who coordinates.
///
/// `goes_to` is what the program is told to show a channel, and `has_private` how it says that there is a window for
/// a private message.
fn a_day(
    open: impl Fn(&Server, &Scratch) -> Terminal,
    nick: &str,
    (goes_to, has_private): (&str, &str),
) {
    let permit: Permit = shared();
    let room = Room::new(&permit);
    let other = room.neighbour();
    let caio = other.join("caio");
    caio.joined();
    caio.say("this was said before");
    let mut ana = Terminal::start(&room, "ana");
    ana.shows("you coordinate");
    ana.keys("/topic lunch at noon\r");
    ana.shows("lunch at noon");
    let server = Server::with(&other, &[]);
    let home = scratch_dir();
    let mut program = open(&server, &home);
    program.wait("it is in", |t| {
        let screen = t.screen();
        screen.contains("no message of the day") || screen.contains("has joined")
    });
    program.keys(&format!("{goes_to} #{}\r", other.name));
    program.shows(&format!("#{}", other.name));
    program.shows("caio");
    // Both know when a line was said, and show the past with its times.
    program.shows("this was said before");
    program.keys(&format!("/join #{}\r", room.name));
    program.shows("lunch at noon");
    ana.shows(nick);
    program.keys("good morning, everybody\r");
    ana.shows("good morning, everybody");
    ana.keys("good morning to you\r");
    program.shows("good morning to you");
    let pipe = room.papo("pipe", &["send", "a line of a pipe"]).start();
    assert_eq!(
        pipe.exit(),
        0,
        "everybody confirms it, the IRC client's node, too"
    );
    program.shows("a line of a pipe");
    ana.keys(&format!("/msg {nick} only for you\r"));
    program.shows(has_private);
    program.keys(&format!("{goes_to} ana\r"));
    program.shows("only for you");
    program.keys(&format!("{goes_to} #{}\r", room.name));
    program.shows("lunch at noon");
    program.keys("/msg ana and this for you\r");
    ana.shows("and this for you");
    program.keys("/nick zuleica\r");
    ana.shows("zuleica");
    ana.keys("/nick anabela\r");
    program.shows("anabela");
    println!("{}", program.screen());
    ana.signal(Signal::KILL);
    program.wait("the failover", |t| t.screen().contains("+o zuleica"));
    println!("{}", program.screen());
    program.keys(&format!("{goes_to} #{}\r", other.name));
    program.shows("this was said before");
    caio.signal(Signal::STOP);
    // What was on the screen before it was drawn anew says the same of somebody else.
    program.wait("caio is lost", |t| {
        let lost = |l: &str| l.contains("caio") && l.contains("connection lost");
        t.screen().lines().any(lost)
    });
    caio.signal(Signal::CONT);
    let came = |t: &Terminal| {
        let screen = t.screen();
        let came = |l: &&str| l.contains("caio") && l.contains("has joined");
        screen.lines().filter(came).count() == 2
    };
    program.wait("caio is back", came);
    println!("{}", program.screen());
    program.keys("/quit\r");
    let _ = program.exit();
}

#[test]
fn irssi_is_a_face_of_papo() {
    if is_there("irssi") {
        a_day(irssi, "ines", ("/window goto", "Act: 1,4"));
    }
}

#[test]
fn weechat_is_a_face_of_papo() {
    if is_there("weechat-curses") {
        a_day(weechat, "wanda", ("/buffer", "4.  ana"));
    }
}
