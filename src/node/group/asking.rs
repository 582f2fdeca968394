//! The coordinator that a node asks to let it in, and for how long it goes on asking.
//!
//! Owns the question of one node to one coordinator: how often it was put, who vouched for that
//! coordinator, and to whom the node turns instead. It sends nothing, and gives nothing up by itself.

use std::time::Duration;

use crate::limits;
use crate::node::Time;
use crate::timing;
use crate::wire::{Address, Coordinator, Key};

/// A coordinator that this node asks to be let in.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) target: Coordinator,
    /// When somebody last said first-hand that it lives.
    vouched: Time,
    /// When this node began to ask.
    begun: Time,
    attempt: u32,
    /// Who says that it lives, itself perhaps, and until when they have paid for that.
    vouchers: Vec<Key>,
    charged: Time,
    /// The last lower claim that was heard meanwhile, and when.
    instead: Option<(Coordinator, Time)>,
}

impl Asking {
    /// A question that is put from now on.
    pub(super) fn new(target: Coordinator, now: Time) -> Asking {
        Asking {
            target,
            vouched: now,
            begun: now,
            attempt: 0,
            vouchers: Vec::new(),
            charged: now,
            instead: None,
        }
    }

    /// True if it is this coordinator that is asked.
    pub(super) fn is_to(&self, key: Key) -> bool {
        self.target.key == key
    }

    /// Another coordinator was heard of. False if it is to be asked rather than this one, which has a lower
    /// claim.
    pub(super) fn outranks(&mut self, other: &Coordinator, now: Time) -> bool {
        if self.is_to(other.key) {
            return true;
        }
        let stays = self.target.claim() > other.claim();
        if stays {
            self.instead = Some((other.clone(), now));
        }
        stays
    }

    /// Somebody says first-hand that the coordinator lives, and where it is reached.
    pub(super) fn vouch(&mut self, addresses: &[Address], now: Time) {
        self.vouched = now;
        self.target.addresses = addresses.to_vec();
    }

    /// For how long nobody has vouched for the coordinator.
    pub(super) fn unvouched(&self, now: Time) -> Duration {
        now.since(self.vouched)
    }

    /// For how long it has been asked.
    pub(super) fn age(&self, now: Time) -> Duration {
        now.since(self.begun)
    }

    /// These say that it lives.
    pub(super) fn note_vouchers(&mut self, vouchers: impl Iterator<Item = Key>) {
        for voucher in vouchers {
            if self.vouchers.len() < limits::ACCOUNTS_MAX && !self.vouchers.contains(&voucher) {
                self.vouchers.push(voucher);
            }
        }
    }

    /// Who has said that it lives.
    pub(super) fn vouchers(&self) -> &[Key] {
        &self.vouchers
    }

    /// For how long it has been asked in vain since this was last asked for.
    pub(super) fn take_uncharged(&mut self, now: Time) -> Duration {
        let since = std::mem::replace(&mut self.charged, now);
        now.since(since)
    }

    /// It is asked once more; returns how often that is, as far as it makes the pauses longer.
    pub(super) fn next_attempt(&mut self) -> u32 {
        self.attempt = (self.attempt + 1).min(timing::JOIN_RETRY_SLOWEST);
        self.attempt
    }

    /// To whom this node turns when it gives up: the last one that it heard of, unless that is longer ago.
    pub(super) fn instead(self, now: Time, patience: Duration) -> Option<Coordinator> {
        let (other, _) = self.instead.filter(|(_, at)| now.since(*at) < patience)?;
        Some(other)
    }
}
