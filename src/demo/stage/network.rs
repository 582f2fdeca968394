//! The stage's network: what is under way, and what becomes of it.
//!
//! Owns nothing of its own: it moves what the stage has. A stream keeps its order; what is sent across a cut waits, as
//! systems let it, and goes out once the cut is healed; datagrams are lost there.

use std::net::SocketAddr;

use crate::node::{Close, Closed, Input, LinkId};
use crate::wire::{Datagram, Message};

use super::{Coming, Stage, State, Stream};

/// How long anything is under way, in microseconds: from, to.
const DELAY: (u64, u64) = (150, 600);

impl Stage {
    pub(super) fn deliver(&mut self, actor: usize, coming: Coming) {
        match self.actors[actor].state {
            State::Up => {
                self.arrive(actor, coming);
                self.end_turn(actor);
            }
            State::Frozen(_) => self.actors[actor].waiting.push_back(coming),
            State::Gone => {
                // Its system refuses what comes for nobody.
                if let Coming::Accepted { stream } = coming {
                    let (dialler, link) = self.streams[stream].ends[0];
                    if let Some(link) = link {
                        self.streams[stream].open = [false; 2];
                        self.send(actor, dialler, Coming::Refused { link });
                    }
                }
            }
        }
    }

    pub(super) fn arrive(&mut self, actor: usize, coming: Coming) {
        let input = match coming {
            Coming::Dialled { stream } => self.streams[stream].ends[0]
                .1
                .map(|link| Input::Connected { link }),
            Coming::Accepted { stream } => {
                let link = self.actors[actor].node.new_link();
                self.streams[stream].ends[1].1 = Some(link);
                self.links.insert((actor, link), (stream, 1));
                let (dialler, _) = self.streams[stream].ends[0];
                let from = self.actors[dialler].address;
                Some(Input::Accepted { link, from })
            }
            Coming::Refused { link } => {
                self.links.remove(&(actor, link));
                let why = Closed::Refused;
                Some(Input::Closed { link, why })
            }
            Coming::Message {
                stream,
                end,
                message,
            } => {
                let link = self.streams[stream].ends[end].1;
                let is_open = self.streams[stream].open[end];
                link.filter(|_| is_open)
                    .map(|link| Input::Message { link, message })
            }
            Coming::Closed { stream, end } => self.ended(actor, stream, end),
            Coming::Datagram { from, datagram } => Some(Input::Datagram { from, datagram }),
        };
        if let Some(input) = input {
            self.feed(actor, input);
        }
    }

    /// The other end of a stream was closed.
    fn ended(&mut self, actor: usize, stream: usize, end: usize) -> Option<Input> {
        let link = self.streams[stream].ends[end].1?;
        self.links.remove(&(actor, link));
        let was_open = std::mem::replace(&mut self.streams[stream].open[end], false);
        if was_open && self.streams[stream].open[1 - end] {
            self.push_closed(stream, 1 - end);
        }
        let why = Closed::Ended;
        was_open.then_some(Input::Closed { link, why })
    }

    /// This end of a stream is told that the other one was closed.
    fn push_closed(&mut self, stream: usize, end: usize) {
        let actor = self.streams[stream].ends[end].0;
        self.push(stream, end, actor, Coming::Closed { stream, end });
    }

    pub(super) fn send_message(&mut self, actor: usize, link: LinkId, message: Message) {
        let Some(&(stream, end)) = self.links.get(&(actor, link)) else {
            return;
        };
        let (to, end) = (self.streams[stream].ends[1 - end].0, 1 - end);
        if self.streams[stream].open == [true; 2] {
            self.push(
                stream,
                end,
                to,
                Coming::Message {
                    stream,
                    end,
                    message,
                },
            );
        }
    }

    pub(super) fn send_datagram(&mut self, from: usize, to: usize, datagram: Datagram) {
        let is_heard = self.actors[to].state != State::Gone && !self.is_cut(from, to);
        if is_heard {
            let from_at = self.actors[from].address;
            self.send(
                from,
                to,
                Coming::Datagram {
                    from: from_at,
                    datagram,
                },
            );
        }
    }

    pub(super) fn dial(&mut self, actor: usize, link: LinkId, to: SocketAddr) {
        let Some(other) = self.actors.iter().position(|a| a.address == to) else {
            return;
        };
        let stream = self.streams.len();
        self.streams.push(Stream {
            ends: [(actor, Some(link)), (other, None)],
            open: [true; 2],
            last: [0; 2],
        });
        self.links.insert((actor, link), (stream, 0));
        if self.is_cut(actor, other) {
            // It is never answered: the node gives it up.
            return;
        }
        if self.actors[other].state == State::Gone {
            self.streams[stream].open = [false; 2];
            return self.send(other, actor, Coming::Refused { link });
        }
        self.push(stream, 1, other, Coming::Accepted { stream });
        self.push(stream, 0, actor, Coming::Dialled { stream });
    }

    pub(super) fn close(&mut self, actor: usize, link: LinkId, how: Close) {
        let Some((stream, end)) = self.links.remove(&(actor, link)) else {
            return;
        };
        if self.streams[stream].open == [true; 2] {
            self.push_closed(stream, 1 - end);
        }
        if how == Close::Graceful {
            // It reads to the end, and hears of it.
            self.links.insert((actor, link), (stream, end));
        } else {
            self.streams[stream].open[end] = false;
        }
    }

    /// The process is no more: its system ends its streams.
    pub(super) fn end(&mut self, actor: usize) {
        self.actors[actor].state = State::Gone;
        self.actors[actor].timers.clear();
        self.actors[actor].waiting.clear();
        let ends = self
            .links
            .range((actor, LinkId(0))..=(actor, LinkId(u64::MAX)));
        let ends: Vec<(LinkId, (usize, usize))> = ends.map(|((_, l), e)| (*l, *e)).collect();
        for (link, (stream, end)) in ends {
            self.links.remove(&(actor, link));
            let other = self.streams[stream].ends[1 - end].0;
            if std::mem::replace(&mut self.streams[stream].open[end], false) {
                self.push(
                    stream,
                    1 - end,
                    other,
                    Coming::Closed {
                        stream,
                        end: 1 - end,
                    },
                );
            }
        }
    }

    /// Something goes to an end of a stream, behind what went before.
    fn push(&mut self, stream: usize, end: usize, to: usize, coming: Coming) {
        let from = self.streams[stream].ends[1 - end].0;
        if self.is_cut(from, to) {
            return self.held.push((from, to, coming));
        }
        let at = (self.now + self.delay()).max(self.streams[stream].last[end] + 1);
        self.streams[stream].last[end] = at;
        self.put(at, to, coming);
    }

    pub(super) fn send(&mut self, from: usize, to: usize, coming: Coming) {
        match &coming {
            Coming::Message { stream, end, .. } | Coming::Closed { stream, end } => {
                let (stream, end) = (*stream, *end);
                self.push(stream, end, to, coming);
            }
            _ if self.is_cut(from, to) => self.held.push((from, to, coming)),
            _ => {
                let at = self.now + self.delay();
                self.put(at, to, coming);
            }
        }
    }

    fn put(&mut self, at: u64, to: usize, coming: Coming) {
        self.serial += 1;
        self.agenda.insert((at, self.serial), (to, coming));
    }

    fn delay(&mut self) -> u64 {
        self.rng.u64(DELAY.0..=DELAY.1)
    }
}
