//! A path that gets its speed back carries on at that speed, what waited to leave for it included.

use std::net::Ipv4Addr;

use super::super::fate::Fate;
use super::*;

const SLOW: u64 = 10_000;
const BYTES: usize = 50_000;

/// What is read of a stream on a path that is slow for two seconds, by when it came.
fn read_over_a_slow_path(hastens: bool) -> Vec<(u64, u8)> {
    let network = Network {
        latency: (MS, 5 * MS),
        rate: 12_000_000,
        ..super::super::generate::scenario(0).network
    };
    let (mut paths, mut agenda) = (Paths::new(2), Agenda::default());
    let mut streams = Streams::new(Fate::new(1), network);
    let from = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    let id = streams.open((0, 0, LinkId(1), from), (1, 1), false);
    streams.accept(id, LinkId(1));
    paths.set_slow(0, 0, 1, Some(SLOW));
    let said: Vec<u8> = (0..BYTES).map(|at| at as u8).collect();
    streams.write(id, 0, &said, &paths, &mut agenda);
    streams.finish(id, 0, &paths, &mut agenda);
    let mut read = Vec::new();
    for until in [2 * SECOND, 20 * SECOND] {
        while let Some(entry) = agenda.next(until) {
            if let Entry::Arrive { stream, dir, no } = entry {
                streams.arrive((stream, dir, no), &paths, &mut agenda);
            }
            while let Read::Bytes(bytes) = streams.read(id, 1, BYTES, &paths, &mut agenda) {
                read.extend(bytes.into_iter().map(|byte| (agenda.now(), byte)));
            }
        }
        paths.set_slow(agenda.now(), 0, 1, None);
        if hastens {
            streams.hasten(&paths, &mut agenda);
        }
    }
    let bytes: Vec<u8> = read.iter().map(|(_, byte)| *byte).collect();
    assert!(bytes == said, "each byte comes once, and in order");
    read
}

#[test]
fn what_waits_on_a_slow_path_comes_soon_once_that_is_fast_again() {
    let read = read_over_a_slow_path(true);
    let early = read.iter().filter(|(at, _)| *at <= 2 * SECOND).count();
    assert!(
        (1..25_000).contains(&early),
        "{early} bytes while it was slow"
    );
    let last = read[BYTES - 1].0;
    assert!(last < 2 * SECOND + 50 * MS, "the last at {last}");
    // Otherwise what the kernel has taken once goes on as slowly as it began.
    assert!(read_over_a_slow_path(false)[BYTES - 1].0 > 4 * SECOND);
}
