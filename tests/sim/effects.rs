//! Effects: what a node wants done, and the writing of what is queued.
//!
//! Owns no state of its own. Nothing here knows what the messages mean.

use papo::node::{Arrival, Class, Close, Effect, Event, LinkId, Outbox};
use papo::wire::{Message, encode_frame};

use super::agenda::{Entry, RunId};
use super::process::{Socket, State};
use super::scenario::SECOND;
use super::scene::Scene;
use super::trace::short;
use super::traffic::name_of;
use super::world::World;

/// What control frames, answers and the rest of a turn may add to a full queue.
const QUEUE_SLACK: usize = 512 * 1024;

impl World {
    pub(super) fn carry_out_effects(&mut self, run: RunId, out: &mut Outbox) {
        // What is shown further on in this batch is not yet known to the user.
        for at in 0..out.len() {
            if let Effect::Show(event) = &out[at] {
                let event = event.clone();
                self.show(run, &event, &out[at + 1..]);
            }
        }
        for effect in out.drain(..) {
            self.carry_out_effect(run, effect);
        }
    }

    fn carry_out_effect(&mut self, run: RunId, effect: Effect) {
        let now = self.now();
        match effect {
            Effect::Send { to, class, message } => {
                for (to, class, message) in self.what_is_said(run, (to, class, message)) {
                    self.send(run, to, class, &message);
                }
            }
            Effect::Multicast(datagram) => {
                let datagram = self.what_is_sent(run, datagram);
                self.send_datagram(run, None, &datagram);
            }
            Effect::Unicast { to, datagram } => {
                let datagram = self.what_is_sent(run, datagram);
                self.send_datagram(run, Some(to), &datagram);
            }
            Effect::Dial { link, to, small } => {
                self.trace
                    .add(now, || format!("run {run} dials {to} as {link:?}"));
                let mut socket = Socket::new(to, None, now);
                socket.small = small;
                self.processes[run].sockets.insert(link, socket);
                let high = self.scenario.network.latency.1;
                self.agenda.add(
                    now + high,
                    Entry::Dial {
                        run,
                        link,
                        attempt: 0,
                    },
                );
            }
            Effect::Close { link, how } => self.close(run, link, how),
            Effect::SetTimer { timer, at } => {
                self.processes[run].timers.insert(timer, at);
            }
            Effect::CancelTimer(timer) => {
                self.processes[run].timers.remove(&timer);
            }
            fetch @ Effect::FetchStored { .. } => self.fetch_stored(run, fetch),
            Effect::Show(Event::Left { .. }) => {
                if self.processes[run].is_running() {
                    self.close_store(run);
                    self.processes[run].state = State::Leaving;
                    self.record.elections.on_disturbed(run, now, true);
                    self.agenda.add(now + SECOND, Entry::Exit(run));
                }
            }
            Effect::Show(_) | Effect::Note(_) => {}
        }
    }

    /// Sends one message to each of these links.
    pub(super) fn send(&mut self, run: RunId, to: Vec<LinkId>, class: Class, message: &Message) {
        let frame = match encode_frame(message) {
            Ok(frame) => frame,
            // Not every lie fits into a frame.
            Err(_) if self.processes[run].liar.is_some() => return,
            Err(error) => return self.fail("encoding", format!("{error:?}: {message:?}")),
        };
        self.traffic
            .count(name_of(message), to.len() as u64, frame.len() as u64);
        self.trace.add(self.agenda.now(), || {
            format!("run {run} -> {to:?} {}", short(message))
        });
        for link in to {
            self.enqueue(run, link, class, frame.clone());
        }
    }

    fn enqueue(&mut self, run: RunId, link: LinkId, class: Class, frame: std::rc::Rc<[u8]>) {
        let (now, queue_max) = (self.now(), self.scenario.network.queue_max);
        let Some(socket) = self.processes[run].sockets.get_mut(&link) else {
            return;
        };
        if socket.closing {
            return;
        }
        socket.queue(class, frame, now);
        let queued = socket.queued;
        self.processes[run].writable.insert(link);
        let Some(socket) = self.processes[run].sockets.get_mut(&link) else {
            return;
        };
        if queued > queue_max && !socket.congested {
            socket.congested = true;
            let process = &mut self.processes[run];
            process.congested_at = Some(now);
            process.congested.push((link, true));
        }
        if queued > queue_max + QUEUE_SLACK {
            self.fail(
                "bounded memory",
                format!("run {run} has {queued} bytes queued for {link:?}"),
            );
        }
    }

    fn close(&mut self, run: RunId, link: LinkId, how: Close) {
        self.trace.add(self.agenda.now(), || {
            format!("run {run} closes {link:?} {how:?}")
        });
        let Some(socket) = self.processes[run].sockets.get_mut(&link) else {
            return;
        };
        if how == Close::Graceful && socket.stream.is_some() {
            socket.closing = true;
            self.processes[run].writable.insert(link);
            return;
        }
        let Some(socket) = self.processes[run].sockets.remove(&link) else {
            return;
        };
        let dialled = socket
            .dialled
            .and_then(Result::ok)
            .map(|stream| (stream, 0));
        if let Some((stream, end)) = socket.stream.or(dialled) {
            self.streams
                .close(stream, end, &self.paths, &mut self.agenda);
        }
    }

    /// Writes what the kernel takes of every queue.
    pub(super) fn write_all(&mut self, run: RunId) {
        let now = self.now();
        let mut left = 0;
        for link in std::mem::take(&mut self.processes[run].writable) {
            let Some(socket) = self.processes[run].sockets.get_mut(&link) else {
                continue;
            };
            let Some((stream, end)) = socket.stream else {
                self.processes[run].writable.insert(link);
                continue;
            };
            while let Some(bytes) = socket.take(self.streams.room(stream, end), now) {
                self.streams
                    .write(stream, end, &bytes, &self.paths, &mut self.agenda);
            }
            left += socket.queued;
            if socket.queued > 0 {
                self.processes[run].writable.insert(link);
                continue;
            }
            if socket.congested {
                socket.congested = false;
                self.processes[run].congested_at = Some(now);
                self.processes[run].congested.push((link, false));
                self.poke(run);
            }
            if let Some(socket) = self.processes[run].sockets.get_mut(&link)
                && socket.closing
                && !socket.finished
            {
                socket.finished = true;
                self.streams
                    .finish(stream, end, &self.paths, &mut self.agenda);
            }
        }
        if left == 0 && self.processes[run].state == State::Leaving {
            self.end_process(run);
        }
    }

    fn show(&mut self, run: RunId, event: &Event, later: &[Effect]) {
        self.trace.add(self.agenda.now(), || {
            format!("run {run} SHOWS {}", short(event))
        });
        if let Event::Messages {
            messages,
            own: false,
            ..
        } = event
            && self.processes[run].prints
        {
            let ids = messages.iter().map(|m| m.id());
            self.processes[run].unprinted.extend(ids);
        }
        let at = (run, self.now());
        let scene = Scene {
            processes: &self.processes,
            paths: &self.paths,
            stores: &self.stores,
        };
        let verdict = self.record.on_show(at, event, later, scene);
        self.judge(verdict);
    }
}
