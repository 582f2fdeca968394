//! How many descriptors this process may have.
//!
//! Owns nothing: it raises the limit once, at the start.

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::limits::LINKS_MAX;

use super::network::SOCKETS_MAX;

/// Descriptors besides those of streams and datagrams: the poll, the console, the store and the like.
const OTHERS: usize = 128;

/// Raises the limit to what the named limits allow papo to use, if the system lets it: many systems begin
/// with 256 or 1,024. Where it does not, what cannot be opened is reported one by one.
pub(super) fn allow() {
    raise((LINKS_MAX + SOCKETS_MAX + OTHERS) as u64);
}

/// Raises it as far as the system lets it: many nodes in one process have links and datagrams each.
pub(super) fn allow_all() {
    raise(u64::MAX);
}

/// How many there may be.
pub(super) fn limit() -> usize {
    let most = getrlimit(Resource::Nofile).current;
    most.map_or(usize::MAX, |most| {
        usize::try_from(most).unwrap_or(usize::MAX)
    })
}

fn raise(wanted: u64) {
    let mut limit = getrlimit(Resource::Nofile);
    let possible = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
    if limit.current.is_some_and(|current| current < possible) {
        limit.current = Some(possible);
        if let Err(e) = setrlimit(Resource::Nofile, limit) {
            log::info!("the limit of descriptors stays as it is: {e}");
        }
    }
}
