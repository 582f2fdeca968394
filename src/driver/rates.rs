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
use crate::node::Time;

/// Credit is counted in millionths, so that each microsecond earns a whole number.
const ONE: u64 = 1_000_000;

#[derive(Clone, Copy, Debug)]
struct Bucket {
    credit: u64,
    at: Time,
}

/// One kind of event, by source.
#[derive(Debug)]
struct Rate<K> {
    burst: u64,
    per_second: u64,
    buckets: BTreeMap<K, Bucket>,
}

impl<K: Ord + Copy> Rate<K> {
    fn new(burst: u32, per_second: u32) -> Rate<K> {
        Rate {
            burst: u64::from(burst) * ONE,
            per_second: u64::from(per_second),
            buckets: BTreeMap::new(),
        }
    }

    /// Whether one more event of this source is within the rate.
    fn admits(&mut self, now: Time, source: K) -> bool {
        let (burst, per_second) = (self.burst, self.per_second);
        let earned = |b: &Bucket| {
            let passed = u64::try_from(now.since(b.at).as_micros()).unwrap_or(u64::MAX);
            let credit = b.credit.saturating_add(passed.saturating_mul(per_second));
            credit.min(burst)
        };
        if self.buckets.len() >= SOURCES_MAX && !self.buckets.contains_key(&source) {
            // Who has its full credit again is as one never heard of.
            self.buckets.retain(|_, b| earned(b) < burst);
            let idle = self.buckets.iter().min_by_key(|(_, b)| b.at);
            if self.buckets.len() >= SOURCES_MAX
                && let Some(idle) = idle.map(|(source, _)| *source)
            {
                self.buckets.remove(&idle);
            }
        }
        let new = Bucket {
            credit: burst,
            at: now,
        };
        let bucket = self.buckets.entry(source).or_insert(new);
        bucket.credit = earned(bucket);
        bucket.at = now;
        let admitted = bucket.credit >= ONE;
        bucket.credit -= if admitted { ONE } else { 0 };
        admitted
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
        sender.admits(now, from) && source.admits(now, from.ip())
    }

    /// Whether the node should hear of this JOIN_REQUEST.
    pub(super) fn admits_join_request(&mut self, now: Time, from: SocketAddr) -> bool {
        let (sender, source) = &mut self.join_requests;
        sender.admits(now, from) && source.admits(now, from.ip())
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
        self.0.admits(now, from)
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
