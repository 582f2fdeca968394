//! Paths: which host reaches which, how fast, and since when that is so.
//!
//! Owns every fault of the network between hosts. It knows nothing of streams, processes or nodes.

use std::collections::BTreeMap;

use super::scenario::{Host, Oddity};

/// The state of one direction between two hosts.
#[derive(Clone, Debug, Default)]
struct Path {
    cuts: u32,
    no_dial: u32,
    refuse: u32,
    /// When a fault last began or ended that refuses.
    refused_at: Option<u64>,
    /// Streams carry nothing.
    stalls: u32,
    /// Bytes a second, while a fault makes it slow.
    slow: Option<u64>,
}

/// All paths.
#[derive(Debug)]
pub struct Paths {
    paths: Vec<Vec<Path>>,
    up: Vec<bool>,
    /// Hosts whose streams fare otherwise than their datagrams.
    odd: Vec<Option<Oddity>>,
    /// Losses in permille that are under way.
    pub datagram_loss: u64,
    pub segment_loss: u64,
    /// When more than one segment in ten last got lost.
    lost_many_at: Option<u64>,
    /// When something last changed for a pair, for a host, and for all.
    touched: Vec<Vec<u64>>,
    touched_all: u64,
    /// Since when nothing has come from the one to the other, or back, for each pair of which that is true.
    apart: BTreeMap<(Host, Host), u64>,
}

impl Paths {
    pub fn new(hosts: usize) -> Paths {
        Paths {
            paths: vec![vec![Path::default(); hosts]; hosts],
            up: vec![true; hosts],
            odd: vec![None; hosts],
            datagram_loss: 0,
            segment_loss: 0,
            lost_many_at: None,
            touched: vec![vec![0; hosts]; hosts],
            touched_all: 0,
            apart: BTreeMap::new(),
        }
    }

    /// A datagram from `a` gets to `b`.
    pub fn one_way(&self, a: Host, b: Host) -> bool {
        self.up[a] && self.up[b] && (a == b || self.paths[a][b].cuts == 0)
    }

    /// What is sent on a stream from `a` gets to `b`.
    pub fn carries(&self, a: Host, b: Host) -> bool {
        let is_said = self.odd[a].is_none_or(Oddity::is_said);
        let is_heard = self.odd[b].is_none_or(Oddity::hears);
        let is_stalled = self.paths[a][b].stalls > 0;
        self.one_way(a, b) && !is_stalled && (a == b || (is_said && is_heard))
    }

    pub fn both_ways(&self, a: Host, b: Host) -> bool {
        self.carries(a, b) && self.carries(b, a)
    }

    /// Large packets between the two vanish.
    pub fn eats_large(&self, a: Host, b: Host) -> bool {
        let eats = |host: Host| self.odd[host] == Some(Oddity::EatsLarge);
        a != b && (eats(a) || eats(b))
    }

    /// From now on, and for ever, the streams of this host fare like that.
    pub fn make_odd(&mut self, now: u64, host: Host, oddity: Oddity) {
        self.odd[host] = Some(oddity);
        self.touch(now, host, host);
        self.note_apart(now);
    }

    /// Its datagrams are heard, and none of its streams carries both what it says and what it is told.
    pub fn is_only_heard(&self, host: Host) -> bool {
        self.odd[host].is_some_and(|odd| !(odd.is_said() && odd.hears()))
    }

    pub fn is_up(&self, host: Host) -> bool {
        self.up[host]
    }

    /// A connection request of `a` is answered by `b`, or by a firewall in its name.
    pub fn may_dial(&self, a: Host, b: Host) -> bool {
        let is_answered = match (self.odd[a], self.odd[b]) {
            (_, Some(Oddity::Silent | Oddity::OnlyDials)) | (Some(Oddity::Silent), _) => a == b,
            _ => true,
        };
        let path = &self.paths[a][b];
        let is_answered = is_answered && path.no_dial == 0 && path.stalls == 0;
        is_answered && self.one_way(a, b) && self.one_way(b, a)
    }

    pub fn refuses(&self, a: Host, b: Host) -> bool {
        let is_refusing = |host: Host| self.odd[host] == Some(Oddity::Refuses);
        self.paths[a][b].refuse > 0 || (a != b && (is_refusing(a) || is_refusing(b)))
    }

    /// A connection request of `a` has been refused in the name of `b`, who may live, since then.
    pub fn has_refused_since(&self, a: Host, b: Host, since: u64) -> bool {
        let ended = self.paths[a][b].refused_at;
        self.refuses(a, b) || ended.is_some_and(|at| at >= since)
    }

    /// The rate of this direction where a fault slows it.
    pub fn slow(&self, a: Host, b: Host) -> Option<u64> {
        self.paths[a][b].slow
    }

    /// No fault is under way between the two, and none began or ended since `since`.
    pub fn is_quiet(&self, a: Host, b: Host, since: u64) -> bool {
        self.both_ways(a, b)
            && !self.eats_large(a, b)
            && self.slow(a, b).is_none()
            && self.slow(b, a).is_none()
            && self.segment_loss == 0
            && self.touched[a][b].max(self.touched[b][a]) <= since
            && self.touched[a][a].max(self.touched[b][b]) <= since
            && self.touched_all <= since
    }

    /// Nothing has come from the one to the other, or back, since then.
    pub fn is_cut_since(&self, a: Host, b: Host, since: u64) -> bool {
        let pair = (a.min(b), a.max(b));
        self.apart.get(&pair).is_some_and(|at| *at <= since)
    }

    /// A cut or a stall has begun or ended.
    fn note_apart(&mut self, now: u64) {
        let hosts = self.up.len();
        let pairs = (0..hosts).flat_map(|a| (a + 1..hosts).map(move |b| (a, b)));
        for (a, b) in pairs {
            if self.both_ways(a, b) {
                self.apart.remove(&(a, b));
            } else {
                self.apart.entry((a, b)).or_insert(now);
            }
        }
    }

    /// Something happened to this host, or between these two.
    pub fn touch(&mut self, now: u64, a: Host, b: Host) {
        self.touched[a][b] = now;
        self.touched[b][a] = now;
    }

    /// From now on so many segments in a thousand get lost.
    pub fn lose_segments(&mut self, now: u64, permille: u64) {
        if self.segment_loss.max(permille) > 100 {
            self.lost_many_at = Some(now);
        }
        self.segment_loss = permille;
        self.touch_all(now);
    }

    /// More than one segment in ten has got lost since then: what is asked takes several trips, and each may take longer
    /// than a failure timeout.
    pub fn has_lost_many_since(&self, since: u64) -> bool {
        self.segment_loss > 100 || self.lost_many_at.is_some_and(|at| at >= since)
    }

    pub fn touch_all(&mut self, now: u64) {
        self.touched_all = now;
    }

    pub fn set_up(&mut self, now: u64, host: Host, up: bool) {
        self.up[host] = up;
        self.touch(now, host, host);
        self.note_apart(now);
    }

    pub fn cut(&mut self, now: u64, a: Host, b: Host) {
        self.touch(now, a, b);
        self.paths[a][b].cuts += 1;
        self.note_apart(now);
    }

    pub fn mend(&mut self, now: u64, a: Host, b: Host) {
        self.touch(now, a, b);
        self.paths[a][b].cuts = self.paths[a][b].cuts.saturating_sub(1);
        self.note_apart(now);
    }

    /// Counts up or down how many faults keep dials between the two from coming about.
    pub fn block_dials(&mut self, now: u64, (a, b): (Host, Host), refuse: bool, begins: bool) {
        self.touch(now, a, b);
        for (a, b) in [(a, b), (b, a)] {
            let path = &mut self.paths[a][b];
            let count = if refuse {
                path.refused_at = Some(now);
                &mut path.refuse
            } else {
                &mut path.no_dial
            };
            *count = if begins {
                *count + 1
            } else {
                count.saturating_sub(1)
            };
        }
    }

    /// Counts up or down how many faults keep streams between the two from carrying anything.
    pub fn stall(&mut self, now: u64, (a, b): (Host, Host), begins: bool) {
        self.touch(now, a, b);
        for (a, b) in [(a, b), (b, a)] {
            let count = &mut self.paths[a][b].stalls;
            *count = if begins {
                *count + 1
            } else {
                count.saturating_sub(1)
            };
        }
        self.note_apart(now);
    }

    pub fn set_slow(&mut self, now: u64, a: Host, b: Host, rate: Option<u64>) {
        self.touch(now, a, b);
        self.paths[a][b].slow = rate;
        self.paths[b][a].slow = rate;
    }

    /// Ends every fault, except that these pairs are cut from now on.
    pub fn heal(&mut self, now: u64, stay: &[(Host, Host)]) {
        for path in self.paths.iter_mut().flatten() {
            *path = Path::default();
        }
        (self.datagram_loss, self.segment_loss) = (0, 0);
        self.touch_all(now);
        for (a, b) in stay {
            self.cut(now, *a, *b);
            self.cut(now, *b, *a);
        }
        self.note_apart(now);
    }
}
