//! Who is heard, and not reached: which of them are dialled while a stranger forges any number of them.

use std::net::SocketAddr;
use std::time::Duration;

use super::*;
use crate::node::rig::{Rig, address, config, hello, office};
use crate::node::{Closed, Input, LinkId, Timer, micros};
use crate::wire::{Datagram, Id, Message};

/// One that lives, in a room that it founded itself. Its claim is higher than this node's, by its key alone.
const BEN: Key = Key(9);
const BENS_PORT: u16 = 4_009;
/// The forged ones of a second, in a slow flood.
const SLOW: u64 = 40;

fn beat(id: Id, key: Key, port: u16) -> Input {
    let mut coordinator = office(id, key);
    coordinator.addresses = vec![address(port)];
    let datagram = Datagram::Heartbeat {
        room: "lobby".to_string(),
        coordinator,
        members: 1,
        nick: None,
    };
    let from = address(6_000).0;
    Input::Datagram { from, datagram }
}

/// A room in a flood of forged coordinators, each of them heard once.
struct Flood {
    rig: Rig,
    forged: u64,
    /// The pause between two of them.
    pause: Duration,
}

impl Flood {
    /// So many of them a second, which have gone on for a while.
    fn of(a_second: u64) -> Flood {
        let mut flood = Flood {
            rig: Rig::new(),
            forged: 0,
            pause: Duration::from_secs(1) / u32::try_from(a_second).expect("it is small"),
        };
        flood.go_on(Duration::from_secs(3));
        flood.rig.done.clear();
        flood
    }

    fn go_on(&mut self, time: Duration) {
        let end = self.rig.micros + micros(time);
        while self.rig.micros < end {
            self.forged += 1;
            let forged = beat(1_000 + self.forged, Key(1_000 + self.forged), 9);
            self.rig.turn(vec![forged]);
            self.rig.fire_due(&[Timer::Join, Timer::Heartbeat]);
            self.rig.pass(self.pause);
        }
    }

    /// Lets ben be heard at each of his heartbeats until he is dialled, and returns the dial.
    fn dial_of_ben(&mut self, beats: u32) -> Option<LinkId> {
        let is_ben = |(_, to): &(LinkId, SocketAddr)| *to == address(BENS_PORT).0;
        for _ in 0..beats {
            self.rig.turn(vec![beat(1, BEN, BENS_PORT)]);
            if let Some((link, _)) = self.rig.dials().into_iter().find(is_ben) {
                return Some(link);
            }
            self.go_on(self.rig.node.cx.config.heartbeat);
        }
        None
    }
}

#[test]
fn who_is_heard_again_in_a_flood_of_forged_coordinators_is_dialled_and_asked_in() {
    for a_second in [SLOW, 200, 2_000] {
        let mut flood = Flood::of(a_second);
        let link = flood.dial_of_ben(4).expect("a dial of ben");
        let rig = &mut flood.rig;
        rig.turn(vec![Input::Connected { link }]);
        let hello = hello(BEN, Some(office(1, BEN)));
        let sent = rig.receive(link, Message::Hello(hello));
        let is_question = |m: &Message| matches!(m, Message::JoinRequest(_));
        assert!(sent.iter().any(is_question), "{a_second}: {sent:?}");
    }
}

#[test]
fn who_is_heard_when_the_flood_is_over_is_dialled_at_its_second_heartbeat() {
    let mut flood = Flood::of(SLOW);
    let mut dialled = Vec::new();
    for _ in 0..2 {
        flood.rig.turn(vec![beat(1, BEN, BENS_PORT)]);
        dialled.push(flood.rig.dials().len());
        flood.rig.pass(flood.rig.node.cx.config.heartbeat);
    }
    assert_eq!(dialled, [0, 1]);
}

#[test]
fn who_is_forged_once_is_not_dialled_whatever_copies_of_it_come() {
    let mut flood = Flood::of(SLOW);
    for key in 0..100 {
        let copy = || beat(1_000, Key(100_000 + key), 9);
        flood.rig.turn(vec![copy(), copy(), copy()]);
    }
    assert_eq!(flood.rig.dials(), []);
}

/// A room in which two hundred forged coordinators are heard at every heartbeat, and ben a moment later: after how
/// many heartbeats ben was dialled, and how often all of them were, of so many heartbeats after the first ones.
fn among_those_that_beat(beats: usize) -> (Option<usize>, usize) {
    const EARLY: usize = 20;
    let mut rig = Rig::new();
    let moment = rig.node.cx.config.heartbeat / 4;
    let (mut bens, mut dials) = (None, 0);
    for n in 0..EARLY + beats {
        let mut round = |inputs: Vec<Input>, rest: u32| {
            for input in inputs {
                rig.turn(vec![input]);
            }
            rig.fire_due(&[Timer::Join, Timer::Heartbeat]);
            let dialled = rig.dials();
            for (link, _) in &dialled {
                let (link, why) = (*link, Closed::Refused);
                rig.turn(vec![Input::Closed { link, why }]);
            }
            rig.pass(moment * rest);
            // Those whose word counts at first are asked to let this node in.
            dials += if n < EARLY { 0 } else { dialled.len() };
            dialled
        };
        let forged = |key: u64| beat(1_000, Key(1_000 + key), 9);
        round((0..200).map(forged).collect(), 1);
        let dialled = round(vec![beat(1, BEN, BENS_PORT)], 3);
        if dialled.iter().any(|(_, to)| *to == address(BENS_PORT).0) {
            bens.get_or_insert(n);
        }
    }
    (bens, dials)
}

#[test]
fn no_more_dials_are_made_however_many_are_heard_again() {
    let beats = 400;
    let (_, dials) = among_those_that_beat(beats);
    let time = config().heartbeat * u32::try_from(beats).expect("it is small");
    let pauses = time.as_secs_f64() / timing::LOST_REDIAL.as_secs_f64();
    let share = dials as f64 / pauses;
    assert!(
        (1.0..=f64::from(limits::HEARSAY_DIALS)).contains(&share),
        "{share}"
    );
}

#[test]
fn who_lives_is_dialled_among_forged_coordinators_that_are_heard_as_often() {
    let (beats, _) = among_those_that_beat(100);
    let beats = beats.expect("a dial of ben");
    assert!(beats < 40, "{beats} heartbeats");
}

#[test]
fn those_heard_once_are_forgotten_and_those_heard_again_stay() {
    let mut all = FurtherOnes::default();
    all.hear(BEN, Time(0)).dialled = Some(Time(0));
    let half = limits::HEARSAY_FURTHER_MAX as u64 / 2;
    for n in 1..half * 10 {
        all.hear(Key(1_000 + n), Time(n));
        if n % half == 0 {
            assert_eq!(all.hear(BEN, Time(n)).dialled, Some(Time(0)));
        }
        let len = all.newer.len() + all.older.len();
        assert!(len <= limits::HEARSAY_FURTHER_MAX, "{len}");
    }
    assert!(!all.newer.contains_key(&Key(1_001)) && !all.older.contains_key(&Key(1_001)));
    all.forget(BEN);
    assert_eq!(all.hear(BEN, Time(1)).dialled, None);
}
