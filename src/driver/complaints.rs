//! What strangers did that the user is told: how often, and for how many of them.
//!
//! Owns who was named, and when. Everything that somebody outside can cause to be said goes through here: of
//! each host and matter so many lines in ten minutes, and of each matter so many hosts: a flood of one, whose
//! senders can be made up, silences no other. It prints nothing, and knows nothing of what was done: whoever
//! noticed it brings the words.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::limits::COMPLAINTS_KEPT_MAX;
use crate::node::{Time, host_of};
use crate::timing;

/// Nodes with another secret in a room of this name.
pub(super) const OTHER_SECRET: Topic = Topic::once("another secret");
/// Nodes with a secret in a room of this name, which has none here.
pub(super) const LOCKED: Topic = Topic::once("a secret");
/// A clock that is wrong, or a recording.
pub(super) const OTHER_TIME: Topic = Topic::once("another time");
/// Another version of the protocol.
pub(super) const OTHER_VERSION: Topic = Topic::once("another version");
/// Somebody was not let into the room.
pub(super) const NOT_LET_IN: Topic = Topic::once("not let in");
/// A rule that was broken on a connection; there are several rules.
pub(super) const CONNECTION: Topic = Topic {
    name: "connection",
    lines: 5,
};

/// What a complaint is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Topic {
    name: &'static str,
    /// Lines about one host in ten minutes.
    lines: u32,
}

impl Topic {
    const fn once(name: &'static str) -> Topic {
        Topic { name, lines: 1 }
    }
}

/// Something that a host did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Complaint {
    pub(super) topic: Topic,
    pub(super) host: IpAddr,
    /// One line for the user.
    pub(super) text: String,
}

/// What was said of one host.
#[derive(Clone, Copy, Debug)]
struct Said {
    first: Time,
    lines: u32,
    /// How often it happened since without a word.
    kept_back: u64,
}

/// Who was complained of.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    said: BTreeMap<&'static str, Hosts>,
}

/// Who was complained of in one matter.
#[derive(Debug, Default)]
struct Hosts {
    said: BTreeMap<IpAddr, Said>,
    /// When it was said last that there are so many that others are not named.
    full_at: Option<Time>,
}

impl Complaints {
    /// What the user is to be told of this now, if anything.
    pub(super) fn admit(&mut self, now: Time, complaint: Complaint) -> Option<String> {
        let hosts = self.said.entry(complaint.topic.name).or_default();
        hosts.admit(now, complaint)
    }
}

impl Hosts {
    fn admit(&mut self, now: Time, complaint: Complaint) -> Option<String> {
        let Complaint { topic, host, text } = complaint;
        let host = host_of(host);
        if let Some(said) = self.said.get_mut(&host) {
            return said.again(now, topic, text);
        }
        if self.said.len() >= COMPLAINTS_KEPT_MAX {
            self.said.retain(|_, said| !said.is_old(now));
        }
        if self.said.len() >= COMPLAINTS_KEPT_MAX {
            return self.say_full(now);
        }
        let said = Said {
            first: now,
            lines: 1,
            kept_back: 0,
        };
        self.said.insert(host, said);
        Some(text)
    }

    /// There are too many of them: that is said as seldom as each of them would be.
    fn say_full(&mut self, now: Time) -> Option<String> {
        let is_new = (self.full_at).is_none_or(|at| now.since(at) >= timing::COMPLAINT_AGAIN);
        is_new.then(|| {
            self.full_at = Some(now);
            let minutes = timing::COMPLAINT_AGAIN.as_secs() / 60;
            format!(
                "more hosts do the like: another one is named only once it is {minutes} minutes ago that one \
                 of these was"
            )
        })
    }
}

impl Said {
    fn is_old(&self, now: Time) -> bool {
        now.since(self.first) >= timing::COMPLAINT_AGAIN
    }

    fn again(&mut self, now: Time, topic: Topic, text: String) -> Option<String> {
        if self.is_old(now) {
            let times = std::mem::take(&mut self.kept_back);
            (self.first, self.lines) = (now, 1);
            return Some(match times {
                0 => text,
                times => format!("{text} ({times} times more since this was said)"),
            });
        }
        if self.lines >= topic.lines {
            self.kept_back += 1;
            return None;
        }
        self.lines += 1;
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(topic: Topic, host: &str, text: &str) -> Complaint {
        Complaint {
            topic,
            host: host.parse().unwrap(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_host_is_named_once_and_again_after_ten_minutes() {
        let mut all = Complaints::default();
        let one = || complaint(OTHER_SECRET, "10.0.0.1", "one");
        assert_eq!(all.admit(Time(0), one()).as_deref(), Some("one"));
        for second in 1..600 {
            assert_eq!(all.admit(Time(second * 1_000_000), one()), None);
        }
        let other = complaint(OTHER_SECRET, "10.0.0.2", "two");
        assert_eq!(all.admit(Time(1), other).as_deref(), Some("two"));
        let again = all.admit(Time(600_000_000), one()).unwrap();
        assert_eq!(again, "one (599 times more since this was said)");
        assert_eq!(all.admit(Time(600_000_001), one()), None);
    }

    #[test]
    fn connections_have_several_lines_and_an_ipv6_network_is_one_host() {
        let mut all = Complaints::default();
        let said = (0..100).filter(|n| {
            let host = format!("2001:db8::{n:x}");
            let rule = complaint(CONNECTION, &host, "a rule");
            all.admit(Time(0), rule).is_some()
        });
        assert_eq!(said.count(), 5);
        for host in ["fe80::1", "fe80::2", "::ffff:10.0.0.1"] {
            let rule = complaint(CONNECTION, host, "a rule");
            assert!(all.admit(Time(0), rule).is_some(), "{host}");
        }
    }

    #[test]
    fn many_hosts_are_as_many_lines_and_one_more() {
        let mut all = Complaints::default();
        let mut flood = |now| {
            let hosts = (0..100_000_u32).map(|n| IpAddr::from((n | 10 << 24).to_be_bytes()));
            let said = hosts.filter(|host| {
                let text = String::new();
                let (topic, host) = (OTHER_TIME, *host);
                all.admit(now, Complaint { topic, host, text }).is_some()
            });
            said.count()
        };
        assert_eq!(flood(Time(0)), COMPLAINTS_KEPT_MAX + 1);
        assert_eq!(flood(Time(1_000_000)), 0);
        assert!(flood(Time(600_000_000)) <= 2 * COMPLAINTS_KEPT_MAX + 1);
    }

    #[test]
    fn a_flood_of_one_matter_silences_no_other() {
        let mut all = Complaints::default();
        for n in 0..1_000_u32 {
            let host = IpAddr::from((n | 10 << 24).to_be_bytes());
            let (topic, text) = (OTHER_TIME, String::new());
            all.admit(Time(n.into()), Complaint { topic, host, text });
        }
        for topic in [CONNECTION, NOT_LET_IN] {
            let one = complaint(topic, "192.168.0.1", "one");
            assert_eq!(all.admit(Time(2_000), one).as_deref(), Some("one"));
        }
    }
}
