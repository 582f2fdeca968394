//! What clients and papos hear of each other.

use crate::client::Server;
use crate::harness::{Room, Signal, shared};

#[test]
fn a_client_and_a_node_talk() {
    let permit = shared();
    let room = Room::new(&permit);
    let bia = room.join("bia");
    bia.joined();
    bia.say("/topic lunch at noon");
    let server = Server::start(&room);
    let mut rita = server.client("rita", "");
    let channel = format!("#{}", room.name);
    rita.gets(&format!("rita!test@127.0.0.1 JOIN {channel}"));
    rita.gets(&format!("bia!papo@127.0.0.1 JOIN {channel}"));
    rita.gets(&format!("MODE {channel} -o+o rita bia"));
    rita.gets(&format!(" 332 rita {channel} :lunch at noon"));
    bia.sees_members(2);
    rita.say(&format!("PRIVMSG {channel} :good morning"));
    bia.heard("rita", 1);
    bia.say("good morning, rita");
    bia.say("/me waves");
    rita.gets(&format!(
        "bia!papo@127.0.0.1 PRIVMSG {channel} :good morning, rita"
    ));
    rita.gets(&format!("PRIVMSG {channel} :\u{1}ACTION waves\u{1}"));
    rita.say("PRIVMSG BIA :only for you");
    bia.event("a private message", |e| {
        e.is("message") && e.flag("private") && e.text("text") == "only for you"
    });
    bia.say("/msg rita thank you");
    rita.gets("bia!papo@127.0.0.1 PRIVMSG rita :thank you");
    rita.say(&format!("TOPIC {channel} :dinner"));
    rita.gets(&format!("TOPIC {channel} :dinner"));
    bia.event("the topic", |e| {
        e.is("message") && e.text("text").contains("TOPIC dinner")
    });
    bia.say("/nick beatriz");
    rita.gets("bia!papo@127.0.0.1 NICK beatriz");
    rita.say("NICK margarida");
    bia.event("the nick", |e| e.body.to_string().contains("margarida"));
    rita.say("QUIT :see you");
    rita.gets("ERROR :Closing link: 127.0.0.1 (Quit: see you)");
    rita.is_let_go();
    bia.event("it left", |e| {
        e.is("left") || e.body.to_string().contains("\"left\"")
    });
}

#[test]
fn clients_of_one_process_hear_each_other_at_once_and_once() {
    let permit = shared();
    let room = Room::new(&permit);
    let server = Server::start(&room);
    let channel = format!("#{}", room.name);
    let mut ana = server.client("ana", "");
    ana.gets(" 366 ");
    let mut rui = server.client("rui", "echo-message message-tags server-time");
    rui.gets(" 353 rui = ");
    let bia = room.join("bia");
    bia.sees_members(3);
    let lines = 50;
    for n in 0..lines {
        rui.say(&format!("PRIVMSG {channel} :line {n}."));
    }
    // What was said before is there before the answer to what is asked then.
    let own = rui.all();
    let heard = |lines: &[String]| -> Vec<String> {
        let said = lines
            .iter()
            .filter(|l| l.contains("PRIVMSG") && l.contains(":line "));
        said.map(|l| l.rsplit(':').next().unwrap_or_default().to_owned())
            .collect()
    };
    let wanted: Vec<String> = (0..lines).map(|n| format!("line {n}.")).collect();
    assert_eq!(heard(&own), wanted, "the echoes");
    assert_eq!(heard(&ana.all()), wanted);
    bia.heard("rui", lines);
    bia.say("and this is the end");
    ana.gets("and this is the end");
    rui.gets("and this is the end");
    // By now the room has brought every line to every node.
    assert_eq!(heard(&ana.lines), wanted, "each line once");
    // A message has the same name everywhere.
    let id = own
        .iter()
        .find(|l| l.contains("line 7."))
        .and_then(|l| l.split("msgid=").nth(1));
    let id = id
        .and_then(|rest| rest.split([';', ' ']).next())
        .expect("a msgid")
        .to_owned();
    bia.event("the same id", |e| {
        e.is("message") && e.body.to_string().contains(&id)
    });
}

#[test]
fn a_failover_is_a_change_of_the_operator() {
    let permit = shared();
    let room = Room::new(&permit);
    let [caio, bia] = room.join_all(["caio", "bia"]);
    caio.sees_members(2);
    bia.sees_members(2);
    let server = Server::start(&room);
    let mut rita = server.client("rita", "");
    let mode = rita.gets(" MODE ");
    let first = mode.rsplit(' ').next().unwrap_or_default().to_owned();
    let (lost, stays) = match first.as_str() {
        "caio" => (&caio, "bia"),
        _ => (&bia, "caio"),
    };
    lost.signal(Signal::KILL);
    let mode = rita.gets(" MODE ");
    let is_new = mode.ends_with(&format!("+o {stays}")) || mode.ends_with("+o rita");
    assert!(is_new, "{mode}");
    // Others may have been lost with it, which shows a moment later.
    let gone = rita.gets(&format!("{first}!papo@127.0.0.1 QUIT :"));
    assert!(gone.contains("connection lost"), "{gone}");
}

#[test]
fn a_split_and_its_healing_are_batches() {
    let permit = shared();
    let room = Room::new(&permit);
    let server = Server::start(&room);
    let mut rita = server.client("rita", "batch server-time");
    rita.gets(" 366 ");
    let nodes = room.join_all(["bia", "caio"]);
    rita.gets_all(["bia!papo@127.0.0.1 JOIN", "caio!papo@127.0.0.1 JOIN"]);
    nodes.iter().for_each(|node| node.sees_members(3));
    for node in &nodes {
        node.signal(Signal::STOP);
    }
    rita.gets_all(["bia!papo@127.0.0.1 QUIT", "caio!papo@127.0.0.1 QUIT"]);
    rita.say(&format!("PRIVMSG #{} :nobody hears this yet", room.name));
    for node in &nodes {
        node.signal(Signal::CONT);
    }
    rita.gets_all(["bia!papo@127.0.0.1 JOIN", "caio!papo@127.0.0.1 JOIN"]);
    nodes.iter().for_each(|node| node.heard("rita", 1));
}

#[test]
fn the_past_is_shown_as_the_past_or_not_at_all() {
    let permit = shared();
    let room = Room::new(&permit);
    let bia = room.join("bia");
    bia.joined();
    bia.say("one");
    bia.say("two");
    bia.event("said", |e| e.is("delivered") || e.is("message"));
    let server = Server::start(&room);
    let mut plain = server.client("plain", "");
    plain.gets("bia!papo@127.0.0.1 JOIN");
    let mut knows = server.client("knows", "batch server-time message-tags");
    let opened = knows.gets(" BATCH +");
    assert!(
        opened.ends_with(&format!("chathistory #{}", room.name)),
        "{opened}"
    );
    for line in ["one", "two"] {
        let line = knows.gets(&format!(":{line}"));
        assert!(
            line.contains("time=") && line.contains("batch=") && line.contains("msgid="),
            "{line}"
        );
    }
    knows.gets(" BATCH -");
    let mut asks = server.client("asks", "batch server-time message-tags draft/chathistory");
    asks.gets(" 366 ");
    asks.say(&format!("CHATHISTORY LATEST #{} * 1", room.name));
    asks.gets(" BATCH +");
    asks.gets(":two");
    asks.gets(" BATCH -");
    bia.say("now");
    for client in [&mut plain, &mut knows, &mut asks] {
        client.gets(":now");
    }
    let old = plain
        .lines
        .iter()
        .filter(|l| l.ends_with(":one") || l.ends_with(":two"));
    assert_eq!(old.count(), 0, "{:?}", plain.lines);
    let old = asks.lines.iter().filter(|l| l.ends_with(":one"));
    assert_eq!(old.count(), 0, "who asks for history gets what it asks for");
}

#[test]
fn an_echo_comes_when_everybody_has_confirmed_the_line() {
    let permit = shared();
    let room = Room::new(&permit);
    let bia = room.join("bia");
    bia.joined();
    let server = Server::start(&room);
    let mut rita = server.client("rita", "echo-message papo/confirmed");
    rita.gets("bia!papo@127.0.0.1 JOIN");
    bia.sees_members(2);
    bia.signal(Signal::STOP);
    rita.say(&format!("PRIVMSG #{} :do you hear", room.name));
    let before = rita.all();
    assert!(
        before.iter().all(|l| !l.contains("do you hear")),
        "{before:?}"
    );
    bia.signal(Signal::CONT);
    rita.gets("@papo/confirmed=1 :rita!test@127.0.0.1 PRIVMSG");
}
