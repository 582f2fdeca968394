//! A turn: what the reactor does with a node between two waits.
//!
//! In the reactor's order: being away, dials and accepts, reads, datagrams, timers, the user, the
//! store, the end of the turn, writes. Nothing here knows what the messages mean; what the node
//! wants done is `effects`'s, what is stored is `keeping`'s.

use papo::node::{Closed, Command, Input, LinkId, Time};
use papo::wire::{decode_datagram, decode_message};

use super::agenda::{RunId, StreamId};
use super::fate::About;
use super::process::{Line, Process, Socket, State};
use super::scenario::MS;
use super::scene::Scene;
use super::streams::Read;
use super::trace::short;
use super::world::World;

use std::collections::BTreeMap;
use std::time::Duration;

/// Bytes read from one stream in one turn.
const READ_BUDGET: usize = 64 * 1024;
/// Bytes of lines read from the user in one turn.
const LINES_BUDGET: usize = 64 * 1024;
/// More than so many inputs within one virtual millisecond, or turns within one microsecond, is a
/// node that never rests.
const INPUTS_MAX: u32 = 10_000;
const TURNS_MAX: u32 = 200;

/// The name of the stream that an input is about, for both of its ends.
fn stream_of(sockets: &BTreeMap<LinkId, Socket>, input: &Input) -> String {
    let (Input::Accepted { link, .. } | Input::Connected { link }) = input else {
        return String::new();
    };
    let stream = sockets.get(link).and_then(|socket| socket.stream);
    stream
        .map(|(stream, _)| format!("stream {stream}"))
        .unwrap_or_default()
}

impl World {
    /// One turn of a process.
    pub(super) fn turn(&mut self, run: RunId) {
        match self.processes[run].state {
            State::Running => {}
            State::Leaving => return self.write_all(run),
            State::Stopped(_) | State::Ended => return,
        }
        self.count_turn(run);
        let inputs = self.inputs;
        if std::mem::take(&mut self.processes[run].away) {
            self.handle(run, Input::Away);
        }
        self.take_congestion(run);
        self.take_dials(run);
        self.take_accepts(run);
        // While what was taken in is being stored, nothing more is.
        let is_storing = self.processes[run].is_storing;
        if !is_storing {
            self.take_reads(run);
        }
        self.take_datagrams(run);
        self.take_timers(run);
        if !is_storing {
            self.take_lines(run);
        }
        // A kernel that takes more of a stream, or is told that something arrived, wakes nobody up.
        self.processes[run].turns_taken += u64::from(self.inputs > inputs);
        self.end_turn(run);
    }

    pub(super) fn is_on(&self, run: RunId) -> bool {
        self.processes[run].is_running() && self.failure.is_none()
    }

    fn count_turn(&mut self, run: RunId) {
        let now = self.now();
        let turns = &mut self.processes[run].turns;
        *turns = if turns.0 == now {
            (now, turns.1 + 1)
        } else {
            (now, 1)
        };
        if turns.1 > TURNS_MAX {
            let timers = short(&self.processes[run].timers);
            self.fail("time moves on", format!("run {run} never rests: {timers}"));
        }
    }

    /// The node hears at once that a queue is full, and in the next turn that it is empty again.
    fn take_congestion(&mut self, run: RunId) {
        for (link, full) in std::mem::take(&mut self.processes[run].congested) {
            if self.processes[run].sockets.contains_key(&link) {
                let full_now = Input::Congested { link };
                self.handle(
                    run,
                    if full {
                        full_now
                    } else {
                        Input::Drained { link }
                    },
                );
            }
        }
    }

    fn take_dials(&mut self, run: RunId) {
        for link in std::mem::take(&mut self.processes[run].dialled) {
            let Some(socket) = self.processes[run].sockets.get_mut(&link) else {
                continue;
            };
            match socket.dialled.take() {
                None => {}
                Some(Ok(stream)) => {
                    socket.stream = Some((stream, 0));
                    self.handle(run, Input::Connected { link });
                }
                Some(Err(why)) => {
                    self.processes[run].sockets.remove(&link);
                    self.handle(run, Input::Closed { link, why });
                }
            }
        }
    }

    fn take_accepts(&mut self, run: RunId) {
        while let Some(stream) = self.processes[run].backlog.pop_front() {
            let Some(from) = self.streams.get(stream).map(|s| s.from) else {
                continue;
            };
            let link = self.processes[run].node.new_link();
            self.streams.accept(stream, link);
            let socket = Socket::new(from, Some((stream, 1)), self.now());
            self.processes[run].sockets.insert(link, socket);
            self.processes[run].readable.insert(link);
            self.handle(run, Input::Accepted { link, from });
            if !self.is_on(run) {
                return;
            }
        }
    }

    fn take_reads(&mut self, run: RunId) {
        for (owner, link) in self.streams.take_ready() {
            self.processes[owner].readable.insert(link);
        }
        for link in std::mem::take(&mut self.processes[run].readable) {
            let Some(socket) = self.processes[run].sockets.get(&link) else {
                continue;
            };
            if let Some((stream, end)) = socket.stream
                && self.streams.is_readable(stream, end)
            {
                self.read_one(run, link, stream, end);
            }
            if !self.is_on(run) {
                return;
            }
        }
    }

    fn read_one(&mut self, run: RunId, link: LinkId, stream: StreamId, end: usize) {
        let mut budget = READ_BUDGET;
        let mut n = 0;
        while budget > 0 && self.is_on(run) && self.processes[run].sockets.contains_key(&link) {
            let fate = self
                .fate
                .bits(About::ReadSize, stream as u64, self.now(), n);
            let limit = if fate.is_multiple_of(4) {
                1 + (fate >> 8) as usize % 60
            } else {
                budget
            };
            n += 1;
            match self
                .streams
                .read(stream, end, limit, &self.paths, &mut self.agenda)
            {
                Read::Nothing => return,
                Read::Ended => return self.stream_ended(run, link),
                Read::Bytes(bytes) => {
                    budget = budget.saturating_sub(bytes.len());
                    self.take_bytes(run, (link, stream, end), &bytes);
                }
            }
        }
        if self.streams.is_readable(stream, end) {
            self.processes[run].readable.insert(link);
            self.wake_at(run, self.now() + 20);
        }
    }

    fn stream_ended(&mut self, run: RunId, link: LinkId) {
        if let Some(socket) = self.processes[run].sockets.remove(&link)
            && let Some((stream, end)) = socket.stream
        {
            self.streams
                .close(stream, end, &self.paths, &mut self.agenda);
        }
        let why = Closed::Ended;
        self.handle(run, Input::Closed { link, why });
    }

    fn take_bytes(
        &mut self,
        run: RunId,
        (link, stream, end): (LinkId, StreamId, usize),
        bytes: &[u8],
    ) {
        let from = self.streams.get(stream).map(|s| s.ends[1 - end].opener);
        if let Some(socket) = self.processes[run].sockets.get_mut(&link) {
            socket.reader.push(bytes);
        }
        while self.is_on(run)
            && let Some(socket) = self.processes[run].sockets.get_mut(&link)
            && let Some(frame) = socket.reader.next_frame()
        {
            let message = match frame.map(decode_message) {
                Ok(Ok(message)) => message,
                Ok(Err(_)) if from.is_some_and(|from| self.is_liar(from)) => {
                    return self.stream_ended(run, link);
                }
                Ok(Err(error)) => return self.fail("decoding", format!("{error:?}")),
                Err(error) => return self.fail("framing", format!("{error:?}")),
            };
            if let Some(from) = from {
                self.note_heard(run, from);
            }
            self.answer_with_lies(run, link, &message);
            self.handle(run, Input::Message { link, message });
        }
    }

    /// A frame of this peer came in.
    fn note_heard(&mut self, run: RunId, from: RunId) {
        let (now, timeout) = (self.now(), self.scenario.failure_timeout_ms * MS);
        let (since, last) = self.processes[run].heard.entry(from).or_insert((now, now));
        if now - *last > timeout {
            *since = now;
        }
        *last = now;
    }

    fn take_datagrams(&mut self, run: RunId) {
        while self.is_on(run)
            && let Some((from, bytes)) = self.processes[run].datagrams.pop_front()
        {
            match decode_datagram(&bytes) {
                Ok(datagram) => self.handle(run, Input::Datagram { from, datagram }),
                Err(_) if self.scenario.liar.is_some() => {}
                Err(error) => self.fail("decoding", format!("{error:?}")),
            }
        }
    }

    fn take_timers(&mut self, run: RunId) {
        let now = self.now();
        for (at, timer) in self.processes[run].due(now) {
            let timers = &mut self.processes[run].timers;
            if self.failure.is_none() && timers.get(&timer) == Some(&at) {
                timers.remove(&timer);
                self.handle(run, Input::Timer(timer));
            }
            if !self.is_on(run) {
                return;
            }
        }
    }

    /// A user has lines to say.
    pub fn want_lines(&mut self, run: RunId, count: u64, size: usize) {
        for _ in 0..count {
            let process = &mut self.processes[run];
            process.said += 1;
            let mut text = format!("{run}#{} ", process.said);
            while text.len() < size {
                text.push('x');
            }
            let early = self
                .fate
                .bits(About::Choice, run as u64, process.said, 1)
                .is_multiple_of(2);
            process.lines.push_back(Line { text, early });
        }
        self.poke(run);
    }

    fn take_lines(&mut self, run: RunId) {
        let (now, queue_max) = (self.now(), self.scenario.network.queue_max);
        let mut budget = LINES_BUDGET;
        while self.is_on(run)
            && let Some(line) = self.processes[run].lines.front().cloned()
        {
            if budget == 0 {
                return self.wake_at(run, now + 20);
            }
            budget = budget.saturating_sub(line.text.len());
            let process = &self.processes[run];
            let wants = process.node.wants_lines();
            let chased = process.node.chased_until(Time(now)).is_some();
            if wants && (chased || !process.takes_lines(now, queue_max)) {
                return self.wake_at(run, now + 100 * MS);
            }
            if !wants && (process.leave_asked || process.node.is_joined() || !line.early) {
                break;
            }
            self.processes[run].lines.pop_front();
            self.record.on_said(run, &line.text);
            let written = self.processes[run].node.written();
            self.handle(
                run,
                Input::Command(Command::Say([line.text].into_iter().collect())),
            );
            if wants && self.processes[run].node.written() == written {
                self.fail(
                    "nothing is dropped in silence",
                    format!("run {run} lost a line"),
                );
            }
        }
        let process = &mut self.processes[run];
        if process.one_shot
            && !process.leave_asked
            && process.lines.is_empty()
            && process.node.is_joined()
        {
            self.ask_to_leave(run);
        }
    }

    /// The user leaves in good order.
    pub(super) fn ask_to_leave(&mut self, run: RunId) {
        let (now, patience) = (self.now(), Duration::from_secs(5));
        self.processes[run].leave_asked = true;
        self.processes[run].leaves_at_latest = now + patience.as_micros() as u64;
        self.handle(run, Input::Command(Command::Leave { patience }));
    }

    /// A command from the user, and the end of the turn that it came in.
    pub(super) fn command(&mut self, run: RunId, command: Command) {
        if self.is_on(run) {
            self.handle(run, Input::Command(command));
            self.end_turn(run);
        }
    }

    /// Hands one input to a node, and carries out what it wants done.
    fn handle(&mut self, run: RunId, input: Input) {
        if !self.is_on(run) {
            return;
        }
        self.inputs += 1;
        let millisecond = self.now() / MS;
        let busy = &mut self.processes[run].busy;
        *busy = if busy.0 == millisecond {
            (millisecond, busy.1 + 1)
        } else {
            (millisecond, 1)
        };
        if busy.1 > INPUTS_MAX {
            return self.fail(
                "time moves on",
                format!("run {run} is flooded by {}", short(&input)),
            );
        }
        self.trace.add(self.agenda.now(), || {
            format!("run {run} <- {}", short(&input))
        });
        let now = self.clocks(run);
        let mut out = std::mem::take(&mut self.outbox);
        let Process { node, sockets, .. } = &mut self.processes[run];
        self.trace
            .input(run, now, &input, || stream_of(sockets, &input));
        node.handle(now, input, &mut out);
        self.trace.output(run, now, node, &out);
        self.carry_out_effects(run, &mut out);
        self.outbox = out;
        self.take_congestion(run);
    }

    pub(super) fn end_turn(&mut self, run: RunId) {
        if self.is_on(run) {
            self.store_turn(run);
            self.print_turn(run);
            let now = self.clocks(run);
            let mut out = std::mem::take(&mut self.outbox);
            let node = &mut self.processes[run].node;
            node.end_turn(now, &mut out);
            self.trace.output(run, now, node, &out);
            self.carry_out_effects(run, &mut out);
            self.outbox = out;
        }
        if self.failure.is_some() {
            return;
        }
        let at = (run, self.now());
        let scene = Scene {
            processes: &self.processes,
            paths: &self.paths,
            stores: &self.stores,
        };
        let verdict = self.record.on_turn(at, scene);
        self.judge(verdict);
        self.write_all(run);
        if self.processes[run].is_running()
            && let Some(at) = self.processes[run].next_deadline()
        {
            self.wake_at(run, at);
        }
    }
}
