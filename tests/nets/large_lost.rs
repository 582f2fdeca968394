//! A path on which small packets pass and large ones vanish, as with a tunnel whose MTU is wrong.

use std::time::Instant;

use crate::harness::{Node, ms};
use crate::lab::{Host, Lab};
use crate::{figure, one_room};

/// What the host says of it, and within which time.
const WORDS: &str = "large packets to or from ";
const SAID_WITHIN: std::time::Duration = ms(10_000);

fn eat_large_packets(host: &Host<'_>) {
    host.run(
        "nft 'table inet papo {
             chain input {
                 type filter hook input priority 0
                 iifname != \"lo\" meta length > 1000 drop
             }
             chain output {
                 type filter hook output priority 0
                 oifname != \"lo\" meta length > 1000 drop
             }
         }'",
    );
}

/// The lines that this node was warned with.
fn warnings(node: &Node) -> Vec<String> {
    node.look(|record| {
        let warnings = record.all("warning").map(|e| e.text("text").to_owned());
        warnings.filter(|text| text.starts_with(WORDS)).collect()
    })
}

#[test]
fn to_whom_large_packets_get_lost_is_told_so_and_is_in_the_room_all_the_same() {
    let Some(lab) = Lab::new() else { return };
    let switch = lab.switch("lan");
    let [ana, bia, davi] = [("ana", 1), ("bia", 2), ("davi", 4)]
        .map(|(name, n)| lab.host(name, &switch, &[&format!("10.7.1.{n}/24")]));
    for host in [&ana, &bia, &davi] {
        // Each segment is a packet of its own, as on a real cable.
        host.run("ip link set dev eth0 gso_max_segs 1");
    }
    eat_large_packets(&davi);
    let (ana, bia) = (ana.join(), bia.join());
    ana.joined();
    bia.joined();
    let lines = 200;
    for n in 1..=lines {
        ana.say(&format!("ana {n}{}", " ".repeat(300)));
    }
    bia.heard("ana", lines);
    let started = Instant::now();
    let davi = davi.join();
    davi.event("the warning", |e| {
        e.is("warning") && e.text("text").starts_with(WORDS)
    });
    figure("it said so after", started.elapsed());
    assert!(started.elapsed() < SAID_WITHIN);
    davi.joined();
    figure("it was in after", started.elapsed());
    let history = one_room(&[&ana, &bia, &davi], started, ms(20_000));
    assert_eq!(history.len(), lines);
    // Large lines pass in both directions.
    let spoke = Instant::now();
    for (from, to) in [(&ana, &davi), (&davi, &ana)] {
        let before = to.look(|record| record.heard_of(&from.name));
        from.say(&"x".repeat(8_000));
        to.heard(&from.name, before + 1);
    }
    figure("large lines took", spoke.elapsed());
    assert_eq!(warnings(&davi).len(), 1, "{:?}", warnings(&davi));
}
