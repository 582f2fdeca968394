//! Carrying: how datagrams and connection requests get from one host to another, and the addresses of
//! hosts.
//!
//! Owns no state of its own. What a stream carries once it is open is `streams`'s.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;

use papo::node::{Closed, LinkId};
use papo::wire::{Datagram, encode_datagram};

use super::agenda::{Entry, RunId};
use super::fate::About;
use super::process::BACKLOG_MAX;
use super::scenario::{Host, SECOND};
use super::trace::short;
use super::traffic::datagram_name;
use super::world::World;

/// An address that every host has for itself, as with a bridge for containers.
pub(super) const DEAD_ADDRESS: Ipv4Addr = Ipv4Addr::new(172, 17, 0, 1);

impl World {
    /// A connection request reaches the host of its address, or nothing.
    pub(super) fn dial_arrives(&mut self, run: RunId, link: LinkId, attempt: u32) {
        let (from, now) = (self.processes[run].host, self.now());
        let Some(socket) = self.processes[run].sockets.get(&link) else {
            return;
        };
        let (target, small) = (socket.to, socket.small);
        let high = self.scenario.network.latency.1;
        let host = if target.ip() == IpAddr::V4(DEAD_ADDRESS) {
            Some(from)
        } else {
            host_of(target.ip())
        };
        let answer = |world: &mut World, failed| {
            world
                .agenda
                .add(now + high, Entry::Dialled { run, link, failed });
        };
        let host = host.filter(|h| *h < self.scenario.hosts);
        let Some(host) = host.filter(|h| self.paths.may_dial(from, *h)) else {
            // Nobody answers: the kernel asks again after 1, 3, 7 s, and gives up at some time.
            let about = (run as u64, link.0, 0);
            let patience = self
                .fate
                .between(About::DialTime, about, SECOND, 20 * SECOND);
            let next = SECOND << attempt;
            if next >= patience {
                return answer(self, Some(Closed::Failed));
            }
            let attempt = attempt + 1;
            return self
                .agenda
                .add(now + next, Entry::Dial { run, link, attempt });
        };
        let listener = self.on_host[host].filter(|l| {
            let process = &self.processes[*l];
            process.listens() && process.address.port() == target.port()
        });
        let Some(listener) = listener.filter(|_| !self.paths.refuses(from, host)) else {
            return answer(self, Some(Closed::Refused));
        };
        if self.processes[listener].backlog.len() >= BACKLOG_MAX {
            let attempt = attempt + 1;
            return self
                .agenda
                .add(now + SECOND, Entry::Dial { run, link, attempt });
        }
        let from_address = SocketAddr::new(ip_of(from), 50_000 + (link.0 % 10_000) as u16);
        let stream = self
            .streams
            .open((from, run, link, from_address), (host, listener), small);
        if let Some(socket) = self.processes[run].sockets.get_mut(&link) {
            socket.dialled = Some(Ok(stream));
            self.processes[run].dialled.insert(link);
        }
        self.processes[listener].backlog.push_back(stream);
        self.poke(listener);
        answer(self, None);
    }

    /// Sends a datagram to all (`to` is None) or to one address.
    pub(super) fn send_datagram(
        &mut self,
        run: RunId,
        to: Option<SocketAddr>,
        datagram: &Datagram,
    ) {
        let bytes: Rc<[u8]> = match encode_datagram(datagram) {
            Ok(bytes) => bytes.into(),
            Err(_) if self.processes[run].liar.is_some() => return,
            Err(error) => return self.fail("encoding", format!("{error:?}: {datagram:?}")),
        };
        let (from_host, from) = (self.processes[run].host, self.processes[run].address);
        self.traffic
            .count(datagram_name(datagram), 1, bytes.len() as u64);
        self.trace.add(self.agenda.now(), || {
            format!("run {run} => {to:?} {}", short(datagram))
        });
        let network = &self.scenario.network;
        let (low, high) = network.latency;
        let mut loss = network.datagram_loss.max(self.paths.datagram_loss);
        if self
            .scenario
            .datagrams_end
            .is_some_and(|end| self.now() >= end)
        {
            loss = 1_000;
        }
        let twice = network.datagram_twice;
        for host in 0..self.scenario.hosts {
            let Some(target) = self.on_host[host] else {
                continue;
            };
            if to.is_some_and(|to| to != self.processes[target].address)
                || !self.paths.one_way(from_host, host)
            {
                continue;
            }
            let (a, b, n) = (run as u64, target as u64, self.datagrams);
            let fate = self.fate;
            if fate.chance(About::DatagramLost, a, b, n, loss) {
                continue;
            }
            let copies = 1 + u64::from(fate.chance(About::DatagramTwice, a, b, n, twice));
            for copy in 0..copies {
                let about = (a, b, n * 2 + copy);
                let mut delay = fate.between(About::Latency, about, low, high);
                if fate.chance(About::DatagramDelay, a, b, n * 2 + copy, loss.min(50)) {
                    delay *= 20; // Overtaken by many.
                }
                let bytes = Rc::clone(&bytes);
                let entry = Entry::Datagram {
                    to: target,
                    from,
                    from_host,
                    bytes,
                };
                self.agenda.add(self.agenda.now() + delay, entry);
            }
        }
        self.datagrams += 1;
    }
}

pub fn ip_of(host: Host) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(
        10,
        0,
        (host / 200) as u8,
        (host % 200) as u8 + 1,
    ))
}

pub(super) fn host_of(ip: IpAddr) -> Option<Host> {
    match ip {
        IpAddr::V4(ip) if ip.octets()[..2] == [10, 0] => {
            let [_, _, high, low] = ip.octets();
            (high as usize * 200 + low as usize).checked_sub(1)
        }
        _ => None,
    }
}
