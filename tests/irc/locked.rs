//! A locked room: its key is a name, which the configuration file gives to a file with the secret.

use std::fs;

use crate::client::Server;
use crate::harness::{Room, Signal, scratch_dir, shared, write_secret};
use crate::terminal::{Setup, Terminal};

#[test]
fn the_key_of_a_locked_room_is_the_name_of_a_secret() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    write_secret(&dir.join("key"), "between us only");
    write_secret(&dir.join("other"), "between some others");
    let file = dir.join("papo.toml");
    let text = "irc-secret = [\"board=key\", \"wrong=other\"]\n";
    fs::write(&file, text).expect("the directory is ours");
    let path = |name: &str| dir.join(name).display().to_string();
    let key = path("key");
    let bia = room.join_with("bia", &["--secret-file", &key]);
    bia.joined();
    let args = ["--secret-file", &*key];
    let setup = Setup::default();
    let mut ana = Terminal::with(
        &room,
        "ana",
        Setup {
            args: &args,
            ..setup
        },
    );
    bia.sees_members(2);
    let server = Server::alone(&room, &["--config", &path("papo.toml")]);
    let channel = format!("#{}", room.name);
    let mut rita = server.client("rita", "");
    // Neither the secret itself nor a name that nobody gave is one.
    for none in ["nobody", "between", &key] {
        rita.say(&format!("JOIN {channel} {none}"));
        let refused = rita.gets(" 475 rita ");
        assert!(refused.contains(&format!("{channel} :")), "{refused}");
        assert!(refused.contains("the name of a secret"), "{refused}");
    }
    rita.say(&format!("JOIN {channel}"));
    let refused = rita.gets(&format!(" 475 rita {channel} :"));
    assert!(refused.contains("the room is locked"), "{refused}");
    rita.gets(&format!("PART {channel}"));
    rita.say(&format!("JOIN {channel} board"));
    rita.gets(&format!("bia!papo@127.0.0.1 JOIN {channel}"));
    bia.sees_members(3);
    rita.say(&format!("PRIVMSG {channel} :hello behind the door"));
    bia.heard("rita", 1);
    ana.shows("hello behind the door");
    ana.keys("nobody else hears this\r");
    rita.gets("nobody else hears this");
    // One more here joins with the same name, and with no other one.
    let mut eva = server.client("eva", "");
    eva.say(&format!("JOIN {channel} wrong"));
    eva.gets(" 475 eva ");
    eva.say(&format!("JOIN {channel}"));
    eva.gets(" 475 eva ");
    eva.say(&format!("JOIN {channel} board"));
    eva.gets(" 366 ");
    bia.sees_members(4);
    rita.say("PRIVMSG bia :and this only you");
    bia.event("a private message", |e| {
        e.is("message") && e.flag("private") && e.text("text") == "and this only you"
    });
    server.node.signal(Signal::TERM);
    bia.sees_members(2);
}

#[test]
fn another_secret_is_another_room() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    write_secret(&dir.join("key"), "between us only");
    write_secret(&dir.join("other"), "between some others");
    let key = dir.join("key").display().to_string();
    let bia = room.join_with("bia", &["--secret-file", &key]);
    bia.joined();
    let named = format!("wrong={}", dir.join("other").display());
    let server = Server::alone(&room, &["--irc-secret", &named]);
    let channel = format!("#{}", room.name);
    let mut rita = server.client("rita", "");
    rita.say(&format!("JOIN {channel} wrong"));
    // It is alone with this secret, and is told why that may be.
    let told = rita.gets(" NOTICE rita :");
    let why = "uses this room's name with a different secret";
    assert!(told.contains(why), "{told}");
    rita.say(&format!("PRIVMSG {channel} :does anybody hear"));
    rita.all();
    assert!(!rita.lines.iter().any(|l| l.contains("bia!")));
    assert_eq!(bia.look(|record| record.heard_of("rita")), 0);
}
