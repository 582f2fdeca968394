//! Opening everything of a room that has descriptors, in an order in which the first failure is the one that is told.
//!
//! Owns nothing afterwards. It does not wait for anybody, and prints nothing itself.

use std::io;
use std::net::SocketAddr;

use mio::Registry;

use crate::platform::Changes;

use super::super::super::config::DriverConfig;
use super::super::super::network::{DatagramLock, Datagrams, Host, Network, Selection};
use super::super::super::start_error::{StartError, system};
use super::super::super::streams::Listener;
use super::super::super::tokens::{DATAGRAMS, INTERFACES, LISTENER};

/// What has descriptors, but for the streams and the store.
pub(super) struct Opened {
    pub(super) listener: Listener,
    /// Where it listens.
    pub(super) at: SocketAddr,
    pub(super) network: Network,
    /// What the user is to be told.
    pub(super) reports: Vec<String>,
}

impl Opened {
    /// What is opened is watched by this poll.
    pub(super) fn open(config: &DriverConfig, registry: &Registry) -> Result<Opened, StartError> {
        let no_listener = |e| StartError::Listen(config.listen, e);
        let mut listener = Listener::open(config.listen).map_err(no_listener)?;
        (listener.register(registry, LISTENER)).map_err(system("watch the sockets"))?;
        // Before the first look, so that no change falls between the two.
        let changes = Changes::open(registry, INTERFACES)
            .inspect_err(|e| log::info!("the system does not tell of new interfaces: {e}"));
        let host = Host::now().or_else(|e| without_list(config, e))?;
        config.interfaces.check(&host).map_err(StartError::Option)?;
        let group = config.multicast.then_some(config.group);
        let no_group = |e| StartError::Group(config.group, e);
        let own = (registry.try_clone()).map_err(system("create a poll"))?;
        let mut datagrams = Datagrams::new(own, DATAGRAMS, group).map_err(no_group)?;
        let at = listener.address().map_err(no_listener)?;
        let interfaces = config.interfaces.of(&host);
        let mut reports = Vec::new();
        let followed = datagrams.follow(&interfaces, |report| reports.push(report));
        if let (Selection::Named(_), Err(e)) = (&config.interfaces, followed) {
            return Err(StartError::Interfaces(interfaces, e));
        }
        let no_randomness = || io::Error::other("no randomness");
        let lock = DatagramLock::new(&config.room, config.secret.as_ref())
            .ok_or_else(|| StartError::System("lock the room", no_randomness()))?;
        let selection = config.interfaces.clone();
        let network = Network::new(selection, at, host, changes.ok(), datagrams, lock);
        Ok(Opened {
            listener,
            at,
            network,
            reports,
        })
    }
}

/// What is known of this host where its interfaces cannot be listed, if that is enough: nothing is sent to
/// a group, and where to listen is given by addresses.
fn without_list(config: &DriverConfig, e: io::Error) -> Result<Host, StartError> {
    let listens_at_one = !config.listen.ip().is_unspecified();
    let host = (config.interfaces).without_list(listens_at_one);
    let host = host.filter(|_| !config.multicast);
    if host.is_some() {
        log::info!("cannot list the interfaces of this host, which are not needed: {e}");
    }
    host.ok_or(StartError::NoList(e, true))
}
