//! Peers that are named by a name: one that is not known yet, one that moves, and a name server that
//! says nothing.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::harness::{Node, PATIENCE, Signal, eventually, ms};
use crate::lab::{Host, Lab, Switch};
use crate::{everybody_hears_everybody, figure, one_room};

const LISTEN: [&str; 2] = ["--listen", "0.0.0.0:4711"];
const BY_NAME: [&str; 2] = ["--peer", "collector.example:4711"];
const NO_MULTICAST: &str = "--no-multicast";
/// Nobody listens there, which is said at once.
const NO_SERVER: &str = "127.0.0.1";
const SILENT_SERVER: &str = "10.7.1.53";

/// A name server that answers any question with 10.7.1.1, or with nothing if it is not for an IPv4 address,
/// after a second.
const SLOW_SERVER: &str = "
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('0.0.0.0', 53))
print('here', flush=True)
waited = False
while True:
    question, asker = s.recvfrom(512)
    if not waited:
        time.sleep(1)
    waited = True
    end = question.index(0, 12) + 5
    is_v4 = question[end - 3] == 1
    head = question[:2] + bytes([0x81, 0x80, 0, 1, 0, int(is_v4), 0, 0, 0, 0])
    answer = bytes([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 7, 1, 1])
    s.sendto(head + question[12:end] + (answer if is_v4 else b''), asker)
";

/// What a node has said of its peer's name.
fn warnings(node: &Node) -> Vec<String> {
    node.look(|record| {
        let warnings = record.all("warning").map(|e| e.text("text").to_owned());
        warnings.filter(|w| w.contains(BY_NAME[1])).collect()
    })
}

fn by_name(host: &Host<'_>) -> Node {
    host.join_with(&[NO_MULTICAST, BY_NAME[0], BY_NAME[1]])
}

fn listening(host: &Host<'_>) -> Node {
    let node = host.join_with(&[NO_MULTICAST, LISTEN[0], LISTEN[1]]);
    node.joined();
    node
}

/// A host that takes questions and answers none.
fn silent_server<'lab>(lab: &'lab Lab, switch: &Switch) -> Host<'lab> {
    let server = lab.host("dns", switch, &[&format!("{SILENT_SERVER}/24")]);
    server.drops(&["udp dport 53", "tcp dport 53"]);
    server
}

/// The processes that this one has started and not reaped.
fn children(node: &Node) -> Vec<String> {
    let pid = node.pid().as_raw_nonzero();
    let path = format!("/proc/{pid}/task/{pid}/children");
    let all = std::fs::read_to_string(path).unwrap_or_default();
    all.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn a_name_that_is_not_there_at_the_start_is_found_once_it_is() {
    let Some(lab) = Lab::new() else { return };
    if !lab.take_names_from("127.0.0.1 localhost", NO_SERVER) {
        return;
    }
    let switch = lab.switch("lan");
    let ana = listening(&lab.usual_host("ana", &switch, 1));
    let bia = by_name(&lab.usual_host("bia", &switch, 2));
    bia.joined();
    figure("alone in a room after", bia.joined().at - bia.born);
    let warning = bia.event("a warning", |e| e.is("warning"));
    let text = warning.text("text");
    for word in [
        "collector.example:4711",
        "cannot be looked up",
        "still trying",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
    lab.set_hosts("10.7.1.1 collector.example");
    let started = Instant::now();
    let nodes = [&ana, &bia];
    one_room(&nodes, started, PATIENCE);
    everybody_hears_everybody(&nodes, "greeting");
    let warnings = warnings(&bia);
    assert_eq!(warnings.len(), 2, "trouble once, and its end: {warnings:?}");
    assert!(
        warnings[1].contains("found now, at 10.7.1.1:4711"),
        "{warnings:?}"
    );
    eventually("no process is left of it", ms(2_000), || {
        children(&bia).is_empty()
    });
}

#[test]
fn while_a_name_server_says_nothing_commands_are_answered_and_multicast_goes_on() {
    let Some(lab) = Lab::alone() else { return };
    if !lab.take_names_from("127.0.0.1 localhost", SILENT_SERVER) {
        return;
    }
    let switch = lab.switch("lan");
    let _server = silent_server(&lab, &switch);
    let ana = lab.usual_host("ana", &switch, 1).join();
    ana.joined();
    let names: Vec<String> = (0..40)
        .map(|n| format!("nowhere{n}.example:4711"))
        .collect();
    let mut options: Vec<&str> = BY_NAME.to_vec();
    options.extend(names.iter().flat_map(|name| ["--peer", name]));
    let bia = lab.usual_host("bia", &switch, 2).join_with(&options);
    bia.joined();
    one_room(&[&ana, &bia], bia.born, ms(3_000));
    let mut worst = Duration::ZERO;
    for _ in 0..30 {
        let asked = Instant::now();
        bia.ask("/members", "members");
        worst = worst.max(asked.elapsed());
    }
    figure("the slowest answer to a command", worst);
    assert!(worst < ms(100), "{worst:?}");
    let slow = bia.event("a warning", |e| e.is("warning"));
    assert!(
        slow.text("text").contains("has not answered yet"),
        "{:?}",
        slow.text("text")
    );
    let helpers = children(&bia);
    assert!((1..=16).contains(&helpers.len()), "{helpers:?}");
    // However it ends, they end with it.
    bia.signal(Signal::KILL);
    let is_gone = |pid: &String| !Path::new("/proc").join(pid).exists();
    eventually("its look-ups have ended", ms(2_000), || {
        helpers.iter().all(is_gone)
    });
}

#[test]
fn send_ends_in_time_although_a_name_server_says_nothing() {
    let Some(lab) = Lab::new() else { return };
    if !lab.take_names_from("127.0.0.1 localhost", SILENT_SERVER) {
        return;
    }
    let switch = lab.switch("lan");
    let _server = silent_server(&lab, &switch);
    let host = lab.usual_host("ana", &switch, 1);
    let options = ["send", "--timeout", "1", BY_NAME[0], BY_NAME[1]];
    let waits = [&options[..], &["--wait-members", "1", "hello"]].concat();
    let node = host.start("ana", &waits);
    let (ended, status) = node.exit_within(PATIENCE);
    figure("gave up after", ended - node.born);
    assert!(ended - node.born < ms(2_500), "{:?}", ended - node.born);
    assert_eq!(status.code(), Some(1), "{}", node.stderr());
    // Nobody to wait for: it says so to an empty room, once it has waited for the name.
    let node = host.start("ana", &[&options[..], &["hello"]].concat());
    let (ended, status) = node.exit_within(PATIENCE);
    figure("was done after", ended - node.born);
    assert!(ended - node.born < ms(4_000), "{:?}", ended - node.born);
    assert_eq!(status.code(), Some(0), "{}", node.stderr());
    assert!(node.stderr().contains(BY_NAME[1]), "{}", node.stderr());
}

#[test]
fn a_peer_is_found_again_where_its_name_leads_now() {
    let Some(lab) = Lab::new() else { return };
    if !lab.take_names_from("10.7.1.1 collector.example", NO_SERVER) {
        return;
    }
    let switch = lab.switch("lan");
    let ana = listening(&lab.usual_host("ana", &switch, 1));
    let bia = by_name(&lab.usual_host("bia", &switch, 2));
    one_room(&[&ana, &bia], bia.born, ms(5_000));
    figure("in by name after", bia.joined().at - bia.born);
    assert_eq!(
        bia.look(|r| r.all("member_joined").count()),
        0,
        "ana founded it"
    );
    let caio = listening(&lab.usual_host("caio", &switch, 3));
    lab.set_hosts("10.7.1.3 collector.example");
    let killed = ana.signal(Signal::KILL);
    let nodes = [&bia, &caio];
    one_room(&nodes, killed, PATIENCE);
    everybody_hears_everybody(&nodes, "greeting");
    assert_eq!(warnings(&bia), [""; 0]);
}

#[test]
fn a_slow_name_server_is_waited_for_before_a_room_is_founded() {
    let Some(lab) = Lab::new() else { return };
    if !lab.take_names_from("127.0.0.1 localhost", SILENT_SERVER) {
        return;
    }
    let switch = lab.switch("lan");
    let server = lab.host("dns", &switch, &[&format!("{SILENT_SERVER}/24")]);
    let server = server.start_program("dns", "python3", &["-c", SLOW_SERVER]);
    server.wait("the name server", PATIENCE, |r| {
        (!r.lines.is_empty()).then_some(())
    });
    let ana = listening(&lab.usual_host("ana", &switch, 1));
    let host = lab.usual_host("bia", &switch, 2);
    let node = host.start(
        "bia",
        &[
            "send",
            "--nick",
            "bia",
            NO_MULTICAST,
            BY_NAME[0],
            BY_NAME[1],
            "hello",
        ],
    );
    assert_eq!(node.exit(), 0, "{}", node.stderr());
    ana.heard("bia", 1);
    assert_eq!(node.stderr(), "");
}
