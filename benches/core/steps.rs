//! Single steps under criterion: codec, framing, history, queues, timers.

use std::hint::black_box;
use std::io::{self, IoSlice, Write};
use std::rc::Rc;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use papo::node::{Class, Effect, Time};
use papo::wire::{Fetch, FrameReader, Key, Message, Position, Span, decode_message, encode_frame};

use super::material::{Room, batch, frame, frames, message, per_batch};
use super::outqueue::OutQueue;
use super::wheel::Wheel;

/// How many messages a history holds here.
const HELD: u64 = 100_000;

/// Messages to frames and back: one, and as many as a frame carries.
pub fn codec(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("codec");
    for count in [1, per_batch()] {
        let messages = Message::Chat(batch(1, count));
        let bytes = frame(&messages);
        group.throughput(Throughput::Elements(count));
        group.bench_function(BenchmarkId::new("encode", count), |b| {
            b.iter(|| encode_frame(black_box(&messages)));
        });
        group.bench_function(BenchmarkId::new("decode", count), |b| {
            b.iter(|| decode_message(black_box(&bytes[4..])));
        });
    }
    group.finish();
}

/// A stream of small frames, read in pieces, cut into frames.
pub fn framing(criterion: &mut Criterion) {
    let stream: Vec<u8> = frames(5_000, 1).concat();
    let mut group = criterion.benchmark_group("framing");
    group.throughput(Throughput::Elements(5_000));
    for piece in [1_448, 64 * 1024] {
        group.bench_function(BenchmarkId::new("pieces of", piece), |b| {
            b.iter(|| {
                let (mut reader, mut frames) = (FrameReader::new(), 0);
                let mut rest = &stream[..];
                while !rest.is_empty() {
                    let space = reader.space();
                    let n = space.len().min(piece).min(rest.len());
                    space[..n].copy_from_slice(&rest[..n]);
                    reader.filled(n);
                    rest = &rest[n..];
                    while let Some(Ok(frame)) = reader.next_frame() {
                        black_box(frame);
                        frames += 1;
                    }
                }
                assert_eq!(frames, 5_000);
            });
        });
    }
    group.finish();
}

/// A room whose history holds so many messages of the peer.
fn full_room(count: u64) -> Room {
    let mut room = Room::new(usize::try_from(2 * count).unwrap_or(usize::MAX));
    for n in 0..count / 100 {
        room.receive(Message::Chat(batch(1 + n * 100, 100)));
        room.end_turn();
        room.out.clear();
    }
    assert_eq!(room.node.history().len() as u64, count);
    room
}

/// Taking in, in the order written and from many authors at once; going through all; handing all
/// out, chunk by chunk.
pub fn history(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("history");
    group.throughput(Throughput::Elements(10_000));
    let in_order: Vec<_> = (0..100).map(|n| batch(1 + n * 100, 100)).collect();
    let authors = |n: u64| (1..=10).map(move |author| message(Key(1_000 + author), n));
    let interleaved: Vec<Vec<_>> = (1..=1_000).map(|n| authors(n).collect()).collect();
    for (name, batches) in [
        ("insert", &in_order),
        ("insert from 10 authors", &interleaved),
    ] {
        group.bench_function(name, |b| {
            b.iter_batched_ref(
                || (Room::new(20_000), batches.clone()),
                |(room, batches)| {
                    for batch in batches.drain(..) {
                        room.receive(Message::Chat(batch));
                        room.end_turn();
                        room.out.clear();
                    }
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.throughput(Throughput::Elements(HELD));
    let mut room = full_room(HELD);
    group.bench_function("iterate", |b| {
        b.iter(|| {
            room.node
                .history()
                .iter()
                .map(|m| m.text().len())
                .sum::<usize>()
        });
    });
    group.bench_function("hand out by chunks", |b| b.iter(|| hand_out(&mut room)));
    let chunks = hand_out(&mut room);
    group.bench_function("decode and take in chunks", |b| {
        b.iter_batched_ref(
            || Room::new(usize::try_from(HELD).unwrap_or(usize::MAX)),
            |room| {
                for chunk in &chunks {
                    // As live chat: without a SYNC a node takes no chunk.
                    if let Ok(Message::Chunk(chunk)) = decode_message(&chunk[4..]) {
                        room.receive(Message::Chat(chunk.messages));
                        room.out.clear();
                    }
                }
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

/// Fetches a whole history; returns the frames.
fn hand_out(room: &mut Room) -> Vec<Rc<[u8]>> {
    let mut frames = Vec::new();
    let mut after = Some(Position::default());
    while let Some(position) = after.take() {
        room.receive(Message::Fetch(Fetch {
            no: 1,
            after: position,
            spans: vec![Span::new(Position::default(), Position::END)],
            skip: Vec::new(),
            floor: None,
            want: Vec::new(),
        }));
        for effect in room.out.drain(..) {
            if let Effect::Send { message, .. } = effect {
                frames.push(frame(&message));
                if let Message::Chunk(chunk) = message {
                    after = chunk.next;
                }
            }
        }
    }
    frames
}

/// A socket that takes everything.
struct Sink(usize);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let n = slices.iter().map(|s| s.len()).sum();
        self.0 += n;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One message encoded once, queued for every peer and written.
pub fn queues(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fan-out into queues");
    for peers in [4, 32] {
        let messages = Message::Chat(batch(1, 1));
        let mut queues: Vec<OutQueue> = (0..peers).map(|_| OutQueue::default()).collect();
        let mut sink = Sink(0);
        group.throughput(Throughput::Elements(100));
        group.bench_function(BenchmarkId::new("peers", peers), |b| {
            b.iter(|| {
                for _ in 0..100 {
                    let frame = frame(black_box(&messages));
                    for queue in &mut queues {
                        queue.push(Class::Chat, Rc::clone(&frame));
                    }
                }
                for queue in &mut queues {
                    let _ = queue.write_to(&mut sink);
                }
            });
        });
        black_box(sink.0);
    }
    group.finish();
}

/// Setting, moving, cancelling and firing among many timers.
pub fn timers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("timer wheel");
    for held in [10u64, 10_000] {
        let mut rng = fastrand::Rng::with_seed(3);
        let mut wheel = Wheel::new(Time(0));
        for key in 0..held {
            wheel.set(key, Time(rng.u64(1..10_000_000)));
        }
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::new("move one of", held), |b| {
            b.iter(|| wheel.set(rng.u64(0..held), Time(rng.u64(1..10_000_000))));
        });
        group.bench_function(BenchmarkId::new("set and cancel beside", held), |b| {
            b.iter(|| {
                wheel.set(held, Time(rng.u64(1..10_000_000)));
                wheel.cancel(held);
            });
        });
        let mut now = 10_000_000;
        group.bench_function(BenchmarkId::new("set and fire beside", held), |b| {
            b.iter(|| {
                wheel.set(held, Time(now + 50));
                now += 100;
                let fired = wheel.pop_due(Time(now));
                if let Some(key) = fired.filter(|key| *key != held) {
                    wheel.set(key, Time(now + rng.u64(1_000_000..10_000_000)));
                }
                fired
            });
        });
    }
    group.finish();
}
