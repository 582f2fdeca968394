//! How often each source may do something: datagrams, JOIN_REQUESTs, connections.
//!
//! Owns one bucket of credit per source and kind, and forgets the sources that are idle longest. It
//! never delays anything: what is over the rate is the caller's to drop.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use crate::limits::{
    CONNECTIONS_PER_SOURCE_BURST, CONNECTIONS_PER_SOURCE_RATE, DATAGRAMS_PER_SENDER_BURST,
    DATAGRAMS_PER_SENDER_RATE, DATAGRAMS_PER_SOURCE_BURST, DATAGRAMS_PER_SOURCE_RATE,
    JOIN_REQUESTS_PER_SENDER_BURST, JOIN_REQUESTS_PER_SENDER_RATE, JOIN_REQUESTS_PER_SOURCE_BURST,
    JOIN_REQUESTS_PER_SOURCE_RATE, SOURCES_MAX,
};
use crate::node::{Time, host_of};

use super::bucket::{Allowed, Bucket};

/// One kind of event, by source.
#[derive(Debug)]
struct Rate<K> {
    allowed: Allowed,
    buckets: BTreeMap<K, Bucket>,
}

impl<K: Ord + Copy> Rate<K> {
    fn new(burst: u32, per_second: u32) -> Rate<K> {
        Rate {
            allowed: Allowed::new(burst, per_second),
            buckets: BTreeMap::new(),
        }
    }

    /// Whether one more event of this source is within the rate.
    fn admits(&mut self, now: Time, source: K) -> bool {
        let allowed = self.allowed;
        if self.buckets.len() >= SOURCES_MAX && !self.buckets.contains_key(&source) {
            // Who has its full credit again is as one never heard of.
            self.buckets.retain(|_, b| !b.is_full(allowed, now));
            let idle = self.buckets.iter().min_by_key(|(_, b)| b.used());
            if self.buckets.len() >= SOURCES_MAX
                && let Some(idle) = idle.map(|(source, _)| *source)
            {
                self.buckets.remove(&idle);
            }
        }
        let new = || Bucket::full(allowed, now);
        self.buckets
            .entry(source)
            .or_insert_with(new)
            .take(allowed, now)
    }
}

/// How often each source may send datagrams.
#[derive(Debug)]
pub(super) struct DatagramRates {
    datagrams: (Rate<SocketAddr>, Rate<IpAddr>),
    join_requests: (Rate<SocketAddr>, Rate<IpAddr>),
}

impl DatagramRates {
    pub(super) fn new() -> DatagramRates {
        DatagramRates {
            datagrams: (
                Rate::new(DATAGRAMS_PER_SENDER_BURST, DATAGRAMS_PER_SENDER_RATE),
                Rate::new(DATAGRAMS_PER_SOURCE_BURST, DATAGRAMS_PER_SOURCE_RATE),
            ),
            join_requests: (
                Rate::new(
                    JOIN_REQUESTS_PER_SENDER_BURST,
                    JOIN_REQUESTS_PER_SENDER_RATE,
                ),
                Rate::new(
                    JOIN_REQUESTS_PER_SOURCE_BURST,
                    JOIN_REQUESTS_PER_SOURCE_RATE,
                ),
            ),
        }
    }

    /// Whether this datagram is worth opening.
    pub(super) fn admits_datagram(&mut self, now: Time, from: SocketAddr) -> bool {
        let (sender, source) = &mut self.datagrams;
        // In this order: what one socket sends too much costs its host nothing.
        sender.admits(now, from) && source.admits(now, host_of(from.ip()))
    }

    /// Whether the node should hear of this JOIN_REQUEST.
    pub(super) fn admits_join_request(&mut self, now: Time, from: SocketAddr) -> bool {
        let (sender, source) = &mut self.join_requests;
        sender.admits(now, from) && source.admits(now, host_of(from.ip()))
    }
}

/// How often each source may connect.
#[derive(Debug)]
pub(super) struct ConnectionRate(Rate<IpAddr>);

impl ConnectionRate {
    pub(super) fn new() -> ConnectionRate {
        ConnectionRate(Rate::new(
            CONNECTIONS_PER_SOURCE_BURST,
            CONNECTIONS_PER_SOURCE_RATE,
        ))
    }

    /// Whether this connection is within its source's rate.
    pub(super) fn admits(&mut self, now: Time, from: IpAddr) -> bool {
        self.0.admits(now, host_of(from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_burst_passes_and_then_so_many_per_second() {
        let mut rate = Rate::new(10, 4);
        let passed = |rate: &mut Rate<u8>, now| (0..100).filter(|_| rate.admits(now, 1)).count();
        assert_eq!(passed(&mut rate, Time(5)), 10);
        let later = Time(5) + Duration::from_secs(1);
        assert_eq!(passed(&mut rate, later), 4);
        assert_eq!(passed(&mut rate, later + Duration::from_millis(300)), 1);
        assert_eq!(passed(&mut rate, later + Duration::from_secs(3600)), 10);
        assert!(rate.admits(later, 2), "another source has its own");
    }

    #[test]
    fn the_memory_of_sources_is_bounded_and_keeps_the_busy_ones() {
        let mut rate = Rate::new(2, 1);
        let now = Time(1);
        assert!(rate.admits(now, 0) && rate.admits(now, 0) && !rate.admits(now, 0));
        for source in 1..5 * SOURCES_MAX {
            let now = Time(source as u64);
            assert!(rate.admits(now, source));
            assert!(!rate.admits(now, 0));
        }
        assert!(rate.buckets.len() <= SOURCES_MAX);
    }

    #[test]
    fn one_socket_that_sends_too_much_does_not_silence_its_neighbours() {
        let mut rates = DatagramRates::new();
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        for _ in 0..1_000_000 {
            rates.admits_datagram(Time(1), at(1));
            rates.admits_join_request(Time(1), at(1));
        }
        assert!(rates.admits_datagram(Time(1), at(2)));
        assert!(rates.admits_join_request(Time(1), at(2)));
    }
}
