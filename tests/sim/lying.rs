//! How lies get to the others: what the real core of a liar sends goes through it, and it adds to that.
//!
//! Owns no state of its own. What is said is `liar`'s and `lies`'s business.

use std::collections::BTreeMap;

use papo::node::{Class, LinkId};
use papo::wire::{Address, Datagram, Key, Message};

use super::agenda::{Entry, RunId};
use super::fate::About;
use super::liar::{Liar, Lie, Said, Scene};
use super::world::World;

impl World {
    /// A process starts: if it is one that lies, it does from its time on.
    pub(super) fn begin_to_lie(&mut self, run: RunId) {
        let host = self.processes[run].host;
        let Some(plan) = self.scenario.liar.clone().filter(|p| p.host == host) else {
            return;
        };
        self.record.on_liar(run);
        let from = plan.from.max(self.now());
        let seed = self.fate.bits(About::Lie, run as u64, 0, 0);
        self.processes[run].liar = Some(Box::new(Liar::new(plan, seed)));
        self.agenda.add(from, Entry::Lie(run));
    }

    pub(super) fn is_liar(&self, run: RunId) -> bool {
        self.processes[run].liar.is_some()
    }

    /// How often which lie was told.
    pub fn lies_told(&self) -> BTreeMap<Lie, u64> {
        let liars = self.processes.iter().filter_map(|p| p.liar.as_ref());
        let mut all = BTreeMap::new();
        for (lie, count) in liars.flat_map(|liar| liar.told()) {
            *all.entry(*lie).or_default() += count;
        }
        all
    }

    /// The liar of a process, and what it knows of the room, once it lies.
    fn with_liar<T>(&mut self, run: RunId, f: impl FnOnce(&mut Liar, &Scene) -> T) -> Option<T> {
        let (now, wall_ms) = (self.now(), self.clocks(run).wall_ms);
        let others = self.others();
        let process = &mut self.processes[run];
        let node = &process.node;
        let liar = process.liar.as_mut().filter(|l| l.plan.from <= now)?;
        let links = process.sockets.iter();
        let is_open = |link: LinkId| node.is_member_link(link);
        let links = links.filter(|(link, s)| s.stream.is_some() && is_open(**link));
        let scene = Scene {
            key: process.key,
            nick: node.nick().to_string(),
            id: node.id().unwrap_or(0),
            address: Address(process.address),
            members: node.members().to_vec(),
            others,
            coordinator: node.coordinator(),
            version: node.view_version(),
            wall_ms,
            links: links.map(|(link, _)| *link).collect(),
            written: node.written(),
        };
        Some(f(liar, &scene))
    }

    /// Who is there and honest, whoever hears it, and how much each has written.
    fn others(&self) -> Vec<(Key, u64)> {
        let all = self.processes.iter();
        all.filter(|p| p.is_running() && p.liar.is_none())
            .map(|p| (p.key, p.node.written()))
            .collect()
    }

    /// What goes out on links instead of this.
    pub(super) fn what_is_said(&mut self, run: RunId, said: Said) -> Vec<Said> {
        if !self.is_liar(run) {
            return vec![said];
        }
        let unchanged = vec![said.clone()];
        let twisted = self.with_liar(run, |liar, scene| liar.twist(scene, said));
        twisted.unwrap_or(unchanged)
    }

    /// What goes out by datagram instead of this.
    pub(super) fn what_is_sent(&mut self, run: RunId, datagram: Datagram) -> Datagram {
        if !self.is_liar(run) {
            return datagram;
        }
        let unchanged = datagram.clone();
        let twisted = self.with_liar(run, |liar, scene| liar.twist_datagram(scene, datagram));
        twisted.unwrap_or(unchanged)
    }

    /// A message comes to a process: a liar answers it by itself, before its core has it.
    pub(super) fn answer_with_lies(&mut self, run: RunId, link: LinkId, message: &Message) {
        if !self.is_liar(run) {
            return;
        }
        let answer = self.with_liar(run, |liar, scene| liar.answer(scene, message));
        if let Some(answer) = answer.flatten() {
            let class = match answer {
                Message::Chunk(_) => Class::Chat,
                _ => Class::Control,
            };
            self.send(run, vec![link], class, &answer);
        }
    }

    /// A liar says something of its own.
    pub(super) fn lie(&mut self, run: RunId) {
        if !self.processes[run].is_alive() {
            return;
        }
        if self.is_on(run)
            && let Some((said, sent)) = self.with_liar(run, Liar::add)
        {
            for (to, class, message) in said {
                self.send(run, to, class, &message);
            }
            for datagram in sent {
                self.send_datagram(run, None, &datagram);
            }
            self.write_all(run);
        }
        if let Some(liar) = &mut self.processes[run].liar {
            let pause = liar.pause();
            self.agenda.add(self.now() + pause, Entry::Lie(run));
        }
    }
}
