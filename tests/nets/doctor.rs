//! `papo doctor` on networks with something wrong.

use crate::harness::Node;
use crate::lab::{Host, Lab};

/// The first packet of a connection.
const SYN: &str = "tcp flags & (syn|ack) == syn";
const MULTICAST: [&str; 2] = [
    "meta l4proto udp ip daddr 224.0.0.0/4",
    "meta l4proto udp ip6 daddr ff00::/8",
];

/// An examination from this host, and its status.
fn examined(host: &Host<'_>, options: &[&str]) -> (String, i32) {
    let mut args = vec!["doctor"];
    args.extend(options);
    let doctor: Node = host.start("doctor", &args);
    let status = doctor.exit();
    assert_eq!(doctor.stderr(), "");
    (doctor.stdout(), status)
}

#[track_caller]
fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is not in: {text}");
    }
}

#[test]
fn a_coordinator_that_cannot_be_dialled_is_asked_to_dial() {
    let Some(lab) = Lab::new() else { return };
    let switch = lab.switch("lan");
    let [ana, bia] = lab.usual_hosts(&switch, ["ana", "bia"]);
    ana.drops(&[SYN]);
    let node = ana.join();
    node.joined();
    let (text, status) = examined(&bia, &[]);
    assert_eq!(status, 0, "{text}");
    says(&text, &["cannot be dialled", "it dials this machine"]);
    bia.drops(&[SYN]);
    let (text, status) = examined(&bia, &[]);
    assert_eq!(status, 1, "{text}");
    says(
        &text,
        &[
            "does not dial this machine either",
            "--listen 0.0.0.0:28783",
        ],
    );
    assert_eq!(node.look(|r| r.all("warning").count()), 0);
}

#[test]
fn what_no_multicast_gets_through_is_told_with_the_way_around() {
    let Some(lab) = Lab::new() else { return };
    let switch = lab.switch("lan");
    let [ana, bia] = lab.usual_hosts(&switch, ["ana", "bia"]);
    bia.drops(&MULTICAST);
    let node = ana.join_with(&["--listen", "0.0.0.0:28783"]);
    node.joined();
    let (text, status) = examined(&bia, &[]);
    // One's own datagrams come by another way, and say nothing of the others'.
    assert_eq!(status, 0, "{text}");
    says(&text, &["nothing of others", "the network keeps multicast"]);
    let (text, status) = examined(&bia, &["--peer", "10.7.1.1:28783"]);
    assert_eq!(status, 0, "{text}");
    says(
        &text,
        &["10.7.1.1:28783 answers in", "papo --peer 10.7.1.1:28783"],
    );
}

#[test]
fn a_path_that_loses_large_packets_is_told() {
    let Some(lab) = Lab::new() else { return };
    let switch = lab.switch("lan");
    let [ana, bia] = lab.usual_hosts(&switch, ["ana", "bia"]);
    for host in [&ana, &bia] {
        // Each segment is a packet of its own, as on a real cable.
        host.run("ip link set dev eth0 gso_max_segs 1");
    }
    ana.drops(&["meta length > 1000"]);
    let node = ana.join();
    node.joined();
    let (text, status) = examined(&bia, &[]);
    assert_eq!(status, 0, "{text}");
    says(
        &text,
        &[
            "only small packets get through",
            "a lower MTU of the interface",
        ],
    );
}
