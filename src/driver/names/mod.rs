//! The members that `--peer` names: where they are, as far as that is known.
//!
//! Owns each name, when it is looked up next, and what the user was told of it. A name is looked up until
//! its addresses are known, and again when one of them is dialled once more: its address may have changed.
//! Looking up may take as long as a name server likes, so processes of their own do it. It dials nobody,
//! and knows neither the node nor what a member is.
//!
//! | file | owns |
//! | --- | --- |
//! | `lookup` | one process that looks a name up, from its start until it is reaped |
//! | `helper` | what such a process does, and how its answer is written |

mod helper;
mod lookup;

use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::process::Child;
use std::time::Duration;

use mio::{Registry, Token};
use slab::Slab;

use crate::limits::LOOKUPS_MAX;
use crate::node::{Peer, Time};
use crate::platform;
use crate::timing;
use crate::ui::visible::{Tab, visible};

pub use helper::look_up;
use lookup::{Lookup, Progress};

/// How soon a process that is about to end is looked for again.
const REAP_AGAIN: Duration = Duration::from_millis(10);

/// A member that the user named.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamedPeer {
    /// As it was given, for messages: safe to print.
    pub name: String,
    /// Its host: an address or a name.
    pub host: String,
    /// The port that its listener has, not zero.
    pub port: u16,
}

impl NamedPeer {
    /// Where it is, if it was given by its address.
    fn literal(&self) -> Option<SocketAddr> {
        if let Ok(ip) = self.host.parse::<IpAddr>() {
            return Some((ip, self.port).into());
        }
        let (ip, scope) = self.host.split_once('%')?;
        let named = || nix::net::if_::if_nametoindex(scope).ok();
        let scope = scope.parse().ok().or_else(named)?;
        let at = SocketAddrV6::new(ip.parse().ok()?, self.port, 0, scope);
        Some(at.into())
    }
}

/// What is new: for the node, and for the user.
#[derive(Debug, Default)]
pub(super) struct NameNews {
    /// A peer and where it is now; its addresses are none if that is not known.
    pub(super) found: Option<Peer>,
    pub(super) words: Option<String>,
}

/// One name that has to be looked up.
#[derive(Debug)]
struct Name {
    peer: NamedPeer,
    /// Empty as long as they are not known.
    addresses: Vec<SocketAddr>,
    /// They were found, and not dialled since.
    is_fresh: bool,
    /// They are known, and may have changed.
    is_doubted: bool,
    /// The process that looks it up, and when that began.
    running: Option<(usize, Time)>,
    /// When it is looked up next, if it is to be.
    next: Time,
    /// The pause after the next look-up.
    pause: Duration,
    /// The user knows that there is trouble with it.
    is_said: bool,
}

impl Name {
    fn is_due(&self, now: Time) -> bool {
        self.is_wanted() && self.running.is_none() && self.next <= now
    }

    fn is_wanted(&self) -> bool {
        self.addresses.is_empty() || self.is_doubted
    }

    /// Words on trouble, once until it is over, and not while an address is known.
    fn trouble(&mut self, why: &str) -> Option<String> {
        let name = &self.peer.name;
        if !self.addresses.is_empty() {
            log::info!("--peer {name}: {why}");
            return None;
        }
        let is_new = !std::mem::replace(&mut self.is_said, true);
        is_new.then(|| {
            format!(
                "--peer {name}: {why}; still trying: check the name and the name server, or give an \
                 address"
            )
        })
    }

    fn found(&mut self, addresses: Vec<SocketAddr>) -> NameNews {
        let is_same = self.addresses == addresses;
        self.is_fresh = true;
        self.is_doubted = false;
        if is_same {
            return NameNews::default();
        }
        self.pause = timing::NAME_AGAIN_FIRST;
        self.addresses.clone_from(&addresses);
        let name = self.peer.name.clone();
        let at: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        let at = at.join(", ");
        log::info!("--peer {name}: it is at {at}");
        let was_said = std::mem::take(&mut self.is_said);
        NameNews {
            words: was_said.then(|| format!("--peer {name}: it is found now, at {at}")),
            found: Some(Peer { name, addresses }),
        }
    }

    fn not_found(&mut self, why: &str) -> NameNews {
        self.nowhere(&format!("it cannot be looked up: {why}"))
    }

    /// There is no address for it yet: the node is not to wait for one.
    fn nowhere(&mut self, why: &str) -> NameNews {
        let is_first = self.addresses.is_empty();
        let words = self.trouble(why);
        let found = is_first.then(|| Peer {
            name: self.peer.name.clone(),
            addresses: Vec::new(),
        });
        NameNews { found, words }
    }
}

/// All names.
#[derive(Debug)]
pub(super) struct Names {
    registry: Registry,
    /// The first look-up's token; the others follow.
    first: usize,
    /// How long a first look-up may take before the user is told, and the node goes on without it.
    patience: Duration,
    all: Vec<Name>,
    running: Slab<Lookup>,
    /// Processes that are about to end.
    ending: Vec<Child>,
}

impl Names {
    /// The names among these peers; nothing is looked up yet. Tokens are `first` and the `LOOKUPS_MAX` - 1
    /// after it. `within` is how long the user waits for the room, if that is limited: half of it is left
    /// to name servers.
    pub(super) fn new(
        registry: Registry,
        first: usize,
        peers: &[NamedPeer],
        within: Option<Duration>,
    ) -> Names {
        let named = peers.iter().filter(|peer| peer.literal().is_none());
        let name = |peer: &NamedPeer| Name {
            peer: peer.clone(),
            addresses: Vec::new(),
            is_fresh: false,
            is_doubted: false,
            running: None,
            next: Time(0),
            pause: timing::NAME_AGAIN_FIRST,
            is_said: false,
        };
        Names {
            registry,
            first,
            patience: within.map_or(timing::NAME_PATIENCE, |t| timing::NAME_PATIENCE.min(t / 2)),
            all: named.map(name).collect(),
            running: Slab::new(),
            ending: Vec::new(),
        }
    }

    /// True if all peers were given by their addresses.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Takes an event in; false if it is of no look-up.
    pub(super) fn on_event(&mut self, token: Token) -> bool {
        let Some(n) = token.0.checked_sub(self.first).filter(|n| *n < LOOKUPS_MAX) else {
            return false;
        };
        if let Some(lookup) = self.running.get_mut(n) {
            lookup.on_event();
        }
        true
    }

    /// This address is dialled. If a name led to it and it was dialled before, the name is looked up again.
    pub(super) fn on_dial(&mut self, now: Time, to: SocketAddr) {
        for name in self.all.iter_mut().filter(|n| n.addresses.contains(&to)) {
            if std::mem::take(&mut name.is_fresh) || name.is_doubted {
                continue;
            }
            name.is_doubted = true;
            if now.since(name.next) > timing::NAME_AGAIN_SLOWEST {
                name.pause = timing::NAME_AGAIN_FIRST;
            }
        }
    }

    /// When [`Names::step`] is to be called, if no event says so before.
    pub(super) fn next_deadline(&self, now: Time) -> Option<Time> {
        let has_room = self.running.len() + self.ending.len() < LOOKUPS_MAX;
        let of = |name: &Name| match name.running {
            Some((n, began)) => {
                let ends = self.running.get(n).map(Lookup::until);
                let is_quiet = name.is_said || !name.addresses.is_empty();
                let slow = (!is_quiet).then(|| began + self.patience);
                [ends, slow].into_iter().flatten().min()
            }
            None => (name.is_wanted() && has_room).then_some(name.next),
        };
        let reap = (!self.ending.is_empty()).then(|| now + REAP_AGAIN);
        self.all.iter().filter_map(of).chain(reap).min()
    }

    /// Goes on with everything that is due, and gives the next news of it; none if nothing is left.
    pub(super) fn step(&mut self, now: Time) -> Option<NameNews> {
        (self.ending).retain_mut(|child| matches!(child.try_wait(), Ok(None)));
        for n in 0..self.all.len() {
            let news = match self.all[n].running {
                Some((lookup, began)) => self.follow(now, n, lookup, began),
                None if self.all[n].is_due(now) => self.start(now, n),
                None => continue,
            };
            if news.found.is_some() || news.words.is_some() {
                return Some(news);
            }
        }
        None
    }

    fn start(&mut self, now: Time, n: usize) -> NameNews {
        if self.running.len() + self.ending.len() >= LOOKUPS_MAX {
            return NameNews::default();
        }
        let name = &mut self.all[n];
        let entry = self.running.vacant_entry();
        let token = Token(self.first + entry.key());
        match Lookup::start(now, &name.peer, &self.registry, token) {
            Ok(lookup) => {
                name.running = Some((entry.key(), now));
                entry.insert(lookup);
                NameNews::default()
            }
            Err(e) => {
                name.wait(now);
                name.not_found(&format!("no process can be started for it: {e}"))
            }
        }
    }

    fn follow(&mut self, now: Time, n: usize, lookup: usize, began: Time) -> NameNews {
        let name = &mut self.all[n];
        let answer = match self.running.get_mut(lookup).map(|l| l.read(now)) {
            Some(Progress::Ended(answer)) => answer,
            Some(Progress::Overdue) => Err("the name server does not answer".to_owned()),
            Some(Progress::Running) => {
                let is_slow = now.since(began) >= self.patience && !name.is_said;
                if !is_slow || !name.addresses.is_empty() {
                    return NameNews::default();
                }
                return name.nowhere("the name server has not answered yet");
            }
            None => Err("its look-up was lost".to_owned()),
        };
        name.running = None;
        name.wait(now);
        if let Some(lookup) = self.running.try_remove(lookup) {
            self.ending.push(lookup.end(&self.registry));
        }
        match answer {
            Ok(addresses) => name.found(addresses),
            Err(why) => name.not_found(&why),
        }
    }
}

impl Name {
    /// The next look-up is put off, each time for longer.
    fn wait(&mut self, now: Time) {
        self.next = now + self.pause;
        self.pause = (self.pause * 2).min(timing::NAME_AGAIN_SLOWEST);
    }
}

impl Drop for Names {
    /// No process outlives this one.
    fn drop(&mut self) {
        for lookup in self.running.drain() {
            self.ending.push(lookup.end(&self.registry));
        }
        for child in &mut self.ending {
            let _ = child.try_wait();
        }
    }
}

/// The peers as the node is to know them at its start: those given by name are nowhere yet.
pub(super) fn peers(named: &[NamedPeer]) -> Vec<Peer> {
    let peer = |peer: &NamedPeer| Peer {
        name: peer.name.clone(),
        addresses: peer.literal().into_iter().collect(),
    };
    named.iter().map(peer).collect()
}

/// What a failed look-up says, without what the standard library puts before it.
fn reason(e: &io::Error) -> String {
    let text = platform::reason(e);
    let reason = text.rsplit_once("information: ").map_or(&*text, |(_, r)| r);
    visible(reason, Tab::Escape)
}

#[cfg(test)]
#[path = "names_test.rs"]
mod tests;
