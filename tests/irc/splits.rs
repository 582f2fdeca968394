//! A cable breaks between two switches and is mended: what a client sees of it, line by line, and what irssi and
//! weechat make of it.

use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::Duration;

use crate::client::Client;
use crate::harness::{Node, Scratch, scratch_dir};
use crate::lab::{Cable, Host, Lab, Switch};
use crate::programs::{irssi_at, is_there, start, weechat_at};
use crate::terminal::Terminal;

const PORT: u16 = 6667;

/// `papo irc` on one side of the cable, and three nodes on the other, one of which coordinates.
struct Split<'lab> {
    cable: Cable<'lab>,
    here: Host<'lab>,
    others: [Node; 3],
    server: Node,
    home: Scratch,
}

fn switches(lab: &Lab) -> [Switch; 2] {
    [lab.switch("east"), lab.switch("west")]
}

impl<'lab> Split<'lab> {
    fn new(lab: &'lab Lab, [east, west]: &[Switch; 2]) -> Split<'lab> {
        let cable = lab.cable(east, west);
        let here = lab.usual_host("here", east, 1);
        let hosts = [("bia", 2), ("caio", 3), ("davi", 4)];
        let hosts = hosts.map(|(name, n)| lab.usual_host(name, west, n));
        let others = hosts.each_ref().map(|host| {
            let node = host.join();
            node.joined();
            node
        });
        others[0].sees_members(3);
        let home = scratch_dir();
        let at = format!("127.0.0.1:{PORT}");
        let file = format!("unix:{}", home.join("irc").display());
        let args = ["--irc-listen", &at, "--irc-listen", &file, "-v"];
        let args = [&["irc", "--room", "lobby"][..], &args[..]].concat();
        let server = here.start("irc", &args);
        server.logs("IRC clients can connect", 2);
        Split {
            cable,
            here,
            others,
            server,
            home,
        }
    }

    /// A client that is a program of the test, and may come from any network: it connects to a file.
    fn client(&self, nick: &str, caps: &str) -> Client {
        let socket = UnixStream::connect(self.home.join("irc")).expect("papo listens");
        let timeout = Some(Duration::from_millis(20));
        socket.set_read_timeout(timeout).expect("a time-out");
        let mut client = Client::over(Box::new(socket));
        client.say_all(&[
            &format!("CAP REQ :{caps}"),
            &format!("NICK {nick}"),
            "USER test 0 * :A Test",
            "CAP END",
        ]);
        client.gets("JOIN #lobby");
        client
    }

    /// A real client, on the host of `papo irc`.
    fn program(&self, command: &Command) -> Terminal {
        let program = command.get_program().to_str().expect("a name");
        let mut inside = self.here.command(program);
        inside.args(command.get_args());
        start(&inside, self.home.to_str().expect("a path"))
    }

    /// Until everybody sees so many.
    fn are(&self, members: usize) {
        self.others
            .iter()
            .for_each(|node| node.sees_members(members));
    }
}

/// The lines of one batch of this kind, without its beginning and end.
#[track_caller]
fn batch(client: &mut Client, kind: &str) -> Vec<String> {
    let opened = client.gets_that(kind, |l| l.contains(" BATCH +") && l.contains(kind));
    let name = opened
        .split('+')
        .nth(1)
        .and_then(|rest| rest.split(' ').next());
    let name = name.expect("it has a name").to_owned();
    let from = client.lines.iter().position(|l| *l == opened).unwrap_or(0);
    let closed = client.gets(&format!(" BATCH -{name}"));
    let to = client.lines.iter().position(|l| *l == closed).unwrap_or(0);
    let inside = client.lines[from + 1..to].iter();
    inside
        .filter(|l| l.contains(&format!("batch={name}")))
        .cloned()
        .collect()
}

#[test]
fn a_broken_cable_is_a_netsplit_and_a_mended_one_a_netjoin() {
    let Some(lab) = Lab::new() else { return };
    let switches = switches(&lab);
    let split = Split::new(&lab, &switches);
    let mut rita = split.client("rita", "batch server-time message-tags");
    let mut plain = split.client("plain", "");
    rita.gets(" MODE #lobby -o+o rita bia");
    split.are(5);
    split.cable.pull();
    // Who coordinates from then on is shown at once.
    rita.gets(" MODE #lobby +o ");
    let gone = batch(&mut rita, "netsplit");
    println!("{gone:#?}");
    assert_eq!(gone.len(), 3, "{gone:#?}");
    for nick in ["bia", "caio", "davi"] {
        let of = |l: &&String| l.contains(&format!(":{nick}!papo@10.7.1."));
        let line = gone.iter().find(of).expect("each is in it");
        // As other servers say it: programs know a split by that.
        assert!(line.ends_with("QUIT :irc.papo others.papo"), "{line}");
        plain.gets(&format!(":{nick}!papo@10.7.1."));
    }
    rita.say("PRIVMSG #lobby :said here");
    split.others[1].sees_members(3);
    split.others[1].say("said there");
    split.others[2].heard("caio", 1);
    let before = rita.lines.len();
    split.cable.plug_in();
    for nick in ["bia", "caio", "davi"] {
        let is_back =
            |l: &str| l.contains(&format!(":{nick}!papo@10.7.1.")) && l.contains(" JOIN ");
        if !rita.lines[before..].iter().any(|l| is_back(l)) {
            rita.gets_that(nick, is_back);
        }
    }
    // Who is back so much sooner or later than the others, or is shown with something it said, is shown by itself. Who
    // is shown with others is in a netjoin.
    let back = &rita.lines[before..];
    for line in back.iter().filter(|l| l.contains(" JOIN ")) {
        let batch = line.split_once("batch=").map(|(_, rest)| rest);
        let Some(name) = batch.and_then(|rest| rest.split([';', ' ']).next()) else {
            continue;
        };
        let opened = format!(" BATCH +{name} netjoin ");
        assert!(back.iter().any(|l| l.contains(&opened)), "{back:#?}");
    }
    // Both sides have what the other one said meanwhile, once.
    split.others.iter().for_each(|node| node.heard("rita", 1));
    split.others[0].say("and this is the end");
    rita.gets("and this is the end");
    plain.gets("and this is the end");
    for client in [&rita, &plain] {
        let said = |l: &&String| l.contains("said there");
        assert_eq!(client.lines.iter().filter(said).count(), 1);
    }
}

/// A real client sees what its user needs of a split: who is gone, who coordinates then, what is said on its side, who
/// is back, and what the others said meanwhile.
fn a_program_sees(
    open: impl Fn(u16, &Scratch) -> Command,
    nick: &str,
    goes_to: &str,
    (gone, back): (&str, &str),
) {
    let Some(lab) = Lab::new() else { return };
    let switches = switches(&lab);
    let split = Split::new(&lab, &switches);
    split.others[0].say("said before");
    let mut program = split.program(&open(PORT, &split.home));
    program.wait("it is in", |t| {
        let screen = t.screen();
        screen.contains("no message of the day") || screen.contains("has joined")
    });
    program.keys(&format!("{goes_to} #lobby\r"));
    // The past is there, and is the past.
    program.shows("said before");
    program.wait("who coordinates", |t| last(t, ["+o", "bia"]).is_some());
    split.are(4);
    split.cable.pull();
    for nick in ["bia", "caio", "davi"] {
        // On a busy machine one may be noticed so late that it is shown by itself.
        let is_gone = |t: &Terminal| last(t, [gone, nick]).or(last(t, [nick, "has quit"]));
        program.wait(nick, |t| is_gone(t).is_some());
    }
    program.shows(gone);
    program.wait("the failover", |t| last(t, ["+o", nick]).is_some());
    println!("{}", program.screen());
    split.others[1].sees_members(3);
    split.others[1].say("said there");
    program.keys("said here\r");
    split.cable.plug_in();
    for nick in ["bia", "caio", "davi"] {
        let is_gone = |t: &Terminal| last(t, [gone, nick]).max(last(t, [nick, "has quit"]));
        let is_back = |t: &Terminal| last(t, [back, nick]).max(last(t, [nick, "has joined"]));
        program.wait(nick, |t| is_back(t) > is_gone(t));
    }
    program.shows("said there");
    split.others.iter().for_each(|node| node.heard(nick, 1));
    split.others[0].say("all together again");
    program.shows("all together again");
    println!("{}", program.screen());
    program.keys("/quit\r");
    let _ = program.exit();
}

/// The last row of the screen in which these words stand, in this order.
fn last(terminal: &Terminal, words: [&str; 2]) -> Option<usize> {
    let [one, other] = words;
    let has = |row: &str| {
        row.split_once(one)
            .is_some_and(|(_, rest)| rest.contains(other))
    };
    let screen = terminal.screen();
    let rows = screen.lines().enumerate().filter(|(_, row)| has(row));
    rows.last().map(|(at, _)| at)
}

#[test]
fn irssi_sees_a_split_as_one() {
    if is_there("irssi") {
        let says = (
            "Netsplit irc.papo <-> others.papo quits:",
            "Netsplit over, joins:",
        );
        a_program_sees(irssi_at, "ines", "/window goto", says);
    }
}

#[test]
fn weechat_sees_a_split() {
    if is_there("weechat-curses") {
        let says = ("<--", "-->");
        a_program_sees(weechat_at, "wanda", "/buffer", says);
    }
}
