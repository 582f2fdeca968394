//! Nodes with stores that are slow, on a network that is not.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::node::{
    Command, Config, Effect, Event, Input, Lack, LinkId, Node, Now, Outbox, Time, Timer, Weakness,
};
use crate::wire::{Address, Chunk, Draft, Key, Message, Position, SeqRange};

/// One node, what it is to do, and its disk.
struct NodeWithDisk {
    node: Node,
    timers: BTreeMap<Timer, Time>,
    disk: BTreeMap<Position, ChatMessage>,
    works: bool,
    shown: Vec<Event>,
    /// Its end of a stream, and the other host's.
    links: BTreeMap<LinkId, (usize, LinkId)>,
}

struct Net {
    hosts: Vec<NodeWithDisk>,
    now: Time,
    inbox: std::collections::VecDeque<(usize, Input)>,
}

fn address(host: usize) -> std::net::SocketAddr {
    ([127, 0, 0, 1], 1_000 + u16::try_from(host).unwrap()).into()
}

impl Net {
    fn new() -> Net {
        Net {
            hosts: Vec::new(),
            now: Time(0),
            inbox: std::collections::VecDeque::new(),
        }
    }

    fn now(&self) -> Now {
        Now {
            time: self.now,
            wall_ms: self.now.0 / 1_000,
        }
    }

    fn start(&mut self, disk: BTreeMap<Position, ChatMessage>, history_max: usize) -> usize {
        self.start_with(disk, config(self.hosts.len(), history_max))
    }

    fn start_with(&mut self, disk: BTreeMap<Position, ChatMessage>, config: Config) -> usize {
        let (host, history_max) = (self.hosts.len(), config.history_max);
        let mut node = Node::new(config, fastrand::Rng::with_seed(1));
        node.restore(restored(&disk, history_max));
        let mut out = Outbox::new();
        node.start(self.now(), &mut out);
        self.hosts.push(NodeWithDisk {
            node,
            timers: BTreeMap::new(),
            disk,
            works: true,
            shown: Vec::new(),
            links: BTreeMap::new(),
        });
        self.carry_out(host, out);
        host
    }

    fn handle(&mut self, host: usize, input: Input) {
        let mut out = Outbox::new();
        let now = self.now();
        self.hosts[host].node.handle(now, input, &mut out);
        self.carry_out(host, out);
    }

    fn carry_out(&mut self, host: usize, out: Outbox) {
        for effect in out {
            match effect {
                Effect::Send { to, message, .. } => {
                    for link in to {
                        self.deliver(host, link, message.clone());
                    }
                }
                Effect::Multicast(datagram) => {
                    for other in (0..self.hosts.len()).filter(|h| *h != host) {
                        let (from, datagram) = (address(host), datagram.clone());
                        self.inbox
                            .push_back((other, Input::Datagram { from, datagram }));
                    }
                }
                Effect::Dial { link, to, .. } => {
                    let other = usize::from(to.port()) - 1_000;
                    let theirs = self.hosts[other].node.new_link();
                    self.hosts[host].links.insert(link, (other, theirs));
                    self.hosts[other].links.insert(theirs, (host, link));
                    let from = address(host);
                    let accepted = Input::Accepted { link: theirs, from };
                    self.inbox.push_back((other, accepted));
                    self.inbox.push_back((host, Input::Connected { link }));
                }
                Effect::SetTimer { timer, at } => {
                    self.hosts[host].timers.insert(timer, at);
                }
                Effect::CancelTimer(timer) => {
                    self.hosts[host].timers.remove(&timer);
                }
                Effect::FetchStored {
                    link,
                    fetch,
                    until,
                    unstored,
                } => {
                    let (no, after) = (fetch.no, fetch.after);
                    let asks = crate::node::Asks::of(&fetch);
                    let above = (
                        std::ops::Bound::Excluded(after),
                        std::ops::Bound::Included(until),
                    );
                    let found = self.hosts[host].disk.range(above).map(|(_, m)| m);
                    let lacks = |m: &&ChatMessage| asks.for_message(m.position(), m.id());
                    let messages: Vec<_> = found.filter(lacks).take(10).cloned().collect();
                    let next = match messages.len() {
                        10 => messages.last().map(|m| m.position()),
                        _ => Some(until),
                    };
                    let chunk = Chunk { no, next, messages }.with(unstored);
                    self.deliver(host, link, Message::Chunk(chunk));
                }
                Effect::Show(event) => self.hosts[host].shown.push(event),
                Effect::Unicast { .. } | Effect::Close { .. } | Effect::Note(_) => {}
            }
        }
    }

    fn deliver(&mut self, host: usize, link: LinkId, message: Message) {
        if let Some((other, link)) = self.hosts[host].links.get(&link).copied() {
            self.inbox
                .push_back((other, Input::Message { link, message }));
        }
    }

    /// The end of everybody's turn: disks that work take everything.
    fn end_turns(&mut self) {
        for host in 0..self.hosts.len() {
            let now = self.now();
            let NodeWithDisk {
                node, disk, works, ..
            } = &mut self.hosts[host];
            if *works {
                let all: Vec<_> = node.unstored().cloned().collect();
                node.on_stored(all.len());
                disk.extend(all.into_iter().map(|m| (m.position(), m)));
            }
            let mut out = Outbox::new();
            node.end_turn(now, &mut out);
            self.carry_out(host, out);
        }
    }

    fn run(&mut self, length: Duration) {
        let until = self.now + length;
        while self.now < until {
            self.now = self.now + Duration::from_millis(1);
            for host in 0..self.hosts.len() {
                let timers = &self.hosts[host].timers;
                let is_due = |(_, at): &(&Timer, &Time)| **at <= self.now;
                let due: Vec<Timer> = timers.iter().filter(is_due).map(|(t, _)| *t).collect();
                for timer in due {
                    self.hosts[host].timers.remove(&timer);
                    self.handle(host, Input::Timer(timer));
                }
            }
            self.end_turns();
            while let Some((host, input)) = self.inbox.pop_front() {
                self.handle(host, input);
            }
            self.end_turns();
        }
    }

    fn say(&mut self, host: usize, text: &str) {
        self.handle(
            host,
            Input::Command(Command::Say([text].into_iter().collect())),
        );
    }

    fn delivered(&self, host: usize) -> u64 {
        let shown = self.hosts[host].shown.iter();
        let last = shown.filter_map(|e| match e {
            Event::Delivered { last, .. } => Some(*last),
            _ => None,
        });
        last.max().unwrap_or(0)
    }

    /// Of this author, what its user was told could not be stored.
    fn unstored(&self, host: usize, author: usize) -> Vec<(u64, u64)> {
        let shown = self.hosts[host].shown.iter();
        let told = shown.filter_map(|e| match e {
            Event::Missed {
                key,
                first,
                last,
                lack: Lack::Unstored,
                ..
            } if *key == self.hosts[author].node.key() => Some((*first, *last)),
            _ => None,
        });
        told.collect()
    }

    /// Who is said to have missed this message of this author's, once it is delivered, and how many confirmed it.
    fn word(&self, author: usize, seq: u64) -> Option<(usize, Vec<Key>)> {
        let mut shown = self.hosts[author].shown.iter();
        shown.find_map(|e| match e {
            Event::Delivered {
                first,
                last,
                confirmed,
                missed,
                ..
            } if (*first..=*last).contains(&seq) => Some((*confirmed, missed.clone())),
            _ => None,
        })
    }
}

/// So little waits for a disk that fails.
fn forgetful(host: usize) -> Config {
    Config {
        unstored_bytes_max: 1_000,
        ..config(host, 5)
    }
}

fn config(host: usize, history_max: usize) -> Config {
    Config {
        room: "lobby".into(),
        nick: format!("n{host}"),
        key: Key(100 + host as u64),
        port: address(host).port(),
        addresses: vec![Address(address(host))],
        heartbeat: Duration::from_millis(250),
        failure_timeout: Duration::from_secs(1),
        history_max,
        wants_history: true,
        confirms_printed: false,
        unstable_bytes_max: crate::limits::UNSTABLE_BYTES_MAX,
        unstored_bytes_max: crate::limits::UNSTORED_BYTES_MAX,
        waiting_max: crate::limits::WAITING_MAX,
        peers: Vec::new(),
        weakened: None,
    }
}

fn restored(disk: &BTreeMap<Position, ChatMessage>, max: usize) -> Restored {
    let older = disk.len().saturating_sub(max);
    let until = older.checked_sub(1).and_then(|n| disk.keys().nth(n));
    let mut buckets = crate::wire::Buckets::default();
    disk.values().take(older).for_each(|m| buckets.push(m));
    let range = |m: &ChatMessage| SeqRange::new(m.origin(), m.seq(), m.seq());
    Restored {
        ranges: disk.values().map(range).collect(),
        newest: disk.values().skip(older).cloned().collect(),
        until: until.copied().unwrap_or_default(),
        buckets: buckets.parts().to_vec(),
        dropped_to: Position::default(),
    }
}

const LONG: Duration = Duration::from_secs(5);

fn disk(key: u64, count: u64) -> BTreeMap<Position, ChatMessage> {
    let message = |n| Draft {
        origin: Key(key),
        seq: n,
        timestamp: n * 1_000 + key,
        sent_at: n,
        from: 1,
        nick: "old".into(),
        dependencies: Vec::new().into(),
        text: format!("{key} {n}").into(),
    };
    let all = (1..=count).map(|n| ChatMessage::new(&message(n)).unwrap());
    all.map(|m| (m.position(), m)).collect()
}

#[test]
fn nothing_is_confirmed_before_it_is_stored() {
    let mut net = Net::new();
    let a = net.start(BTreeMap::new(), 100);
    net.run(LONG);
    let b = net.start(BTreeMap::new(), 100);
    net.run(LONG);
    net.say(a, "one");
    net.run(LONG);
    assert_eq!((net.delivered(a), net.hosts[b].disk.len()), (1, 1));
    // The other's disk.
    net.hosts[b].works = false;
    net.say(a, "two");
    net.run(LONG);
    assert_eq!(
        (net.hosts[b].node.history().len(), net.delivered(a)),
        (2, 1)
    );
    net.hosts[b].works = true;
    net.run(LONG);
    assert_eq!(net.delivered(a), 2);
    // Its own.
    net.hosts[a].works = false;
    net.say(a, "three");
    net.run(LONG);
    assert_eq!((net.hosts[b].disk.len(), net.delivered(a)), (3, 2));
    net.hosts[a].works = true;
    net.run(LONG);
    assert_eq!(net.delivered(a), 3);
    assert_eq!(net.hosts[a].disk, net.hosts[b].disk);
}

#[test]
fn what_a_full_disk_has_no_room_for_is_missed_on_both_sides_and_the_rest_is_confirmed() {
    let mut net = Net::new();
    let a = net.start(BTreeMap::new(), 100);
    net.run(LONG);
    let b = net.start_with(BTreeMap::new(), forgetful(1));
    net.run(LONG);
    net.say(a, "one");
    net.run(LONG);
    net.hosts[b].works = false;
    for n in 2..=30 {
        net.say(a, &format!("{n} {}", "x".repeat(100)));
        net.run(Duration::from_millis(10));
    }
    net.run(LONG);
    let told = net.unstored(b, a);
    let upto = told.last().expect("something is given up").1;
    assert_eq!(told[0].0, 2);
    assert!(told.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0));
    assert!((3..30).contains(&upto), "{upto}");
    let ben = net.hosts[b].node.key();
    assert_eq!(net.delivered(a), upto, "the author hears of it at once");
    assert_eq!(net.word(a, 1), Some((1, vec![])));
    assert_eq!(net.word(a, upto), Some((0, vec![ben])));
    net.hosts[b].works = true;
    net.run(LONG);
    assert_eq!(net.word(a, upto + 1), Some((1, vec![])));
    assert_eq!(net.delivered(a), 30);
    assert_eq!(net.hosts[b].disk.len() as u64, 30 - (upto - 1));
    assert_eq!(net.hosts[b].node.given_up_count(), upto - 1);
    let patience = Duration::from_secs(1);
    net.handle(a, Input::Command(Command::Leave { patience }));
    net.run(LONG);
    let Some(Event::Left {
        confirmed, missed, ..
    }) = net.hosts[a].shown.last()
    else {
        panic!("it has left");
    };
    assert!(!confirmed);
    assert_eq!((missed[0].0.key, missed[0].1), (ben, upto - 1));
}

#[test]
fn a_writer_that_cannot_store_its_own_lines_says_so_itself() {
    let mut net = Net::new();
    let a = net.start_with(BTreeMap::new(), forgetful(0));
    net.run(LONG);
    let b = net.start(BTreeMap::new(), 100);
    net.run(LONG);
    net.hosts[a].works = false;
    for n in 1..=30 {
        net.say(a, &format!("{n} {}", "x".repeat(100)));
        net.run(Duration::from_millis(10));
    }
    net.run(LONG);
    let upto = net.unstored(a, a).last().expect("something is given up").1;
    assert_eq!(net.delivered(a), upto);
    let ana = net.hosts[a].node.key();
    assert_eq!(net.word(a, upto), Some((1, vec![ana])));
    net.hosts[a].works = true;
    net.run(LONG);
    assert_eq!(net.word(a, 30), Some((1, vec![])));
    assert_eq!(net.hosts[b].disk.len(), 30);
    assert_eq!(net.hosts[a].disk.len() as u64, 30 - upto);
}

#[test]
fn alone_a_confirmation_still_means_stored() {
    let mut net = Net::new();
    let a = net.start(BTreeMap::new(), 100);
    net.run(LONG);
    net.hosts[a].works = false;
    net.say(a, "one");
    net.run(LONG);
    assert_eq!(net.delivered(a), 0);
    let patience = Duration::from_secs(1);
    net.handle(a, Input::Command(Command::Leave { patience }));
    net.end_turns();
    assert!(!matches!(
        net.hosts[a].shown.last(),
        Some(Event::Left { .. })
    ));
    net.run(LONG);
    let left = net.hosts[a].shown.last();
    assert!(matches!(
        left,
        Some(Event::Left {
            confirmed: false,
            unconfirmed: 1,
            ..
        })
    ));
}

#[test]
fn what_is_old_and_not_stored_yet_is_given_to_others_all_the_same() {
    let got = |weakened| {
        let mut net = Net::new();
        let slow = Config {
            weakened,
            ..config(0, 10)
        };
        let a = net.start_with(disk(1, 95), slow);
        net.run(LONG);
        net.hosts[a].works = false;
        let b = net.start(disk(2, 77), 20);
        net.run(LONG);
        let patience = Duration::from_secs(1);
        net.handle(b, Input::Command(Command::Leave { patience }));
        net.run(LONG);
        let c = net.start(BTreeMap::new(), 1_000);
        net.run(LONG);
        assert_eq!(net.hosts[a].disk.len(), 95);
        net.hosts[c].disk.len()
    };
    assert_eq!(got(None), 172);
    assert!(got(Some(Weakness::UnstoredIsNotGiven)) < 172);
}

#[test]
fn stores_that_differ_become_the_union_and_the_old_is_not_shown() {
    let mut net = Net::new();
    let a = net.start(disk(1, 95), 10);
    net.run(LONG);
    let b = net.start(disk(2, 77), 20);
    net.run(LONG);
    let c = net.start(BTreeMap::new(), 30);
    net.run(LONG);
    for host in [a, b, c] {
        assert_eq!(net.hosts[host].node.history().len(), 172, "{host}");
        assert_eq!(net.hosts[host].disk, net.hosts[a].disk, "{host}");
        assert_eq!(
            net.hosts[host].node.history().digest(),
            net.hosts[a].node.history().digest()
        );
        let shown = net.hosts[host].shown.iter();
        let messages = shown.filter(|e| matches!(e, Event::Messages { .. }));
        // What was not yet there when the others joined is news to the first one.
        assert!(host == a || messages.count() == 0, "{host}");
    }
    net.say(c, "new");
    net.run(LONG);
    assert_eq!(net.delivered(c), 1);
    let newest = net.hosts[a].disk.last_key_value().map(|(_, m)| m.text());
    assert_eq!(newest, Some("new"));
}
