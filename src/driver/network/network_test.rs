//! Where this node can be reached, and from where it dials.

use super::*;

fn interface(name: &str, index: u32, addresses: &[&str]) -> Interface {
    Interface {
        name: name.into(),
        index,
        addresses: addresses.iter().map(|a| a.parse().unwrap()).collect(),
        can_multicast: true,
    }
}

fn network(listen: &str) -> Network {
    let listen = listen.parse().unwrap();
    let poll = mio::Poll::new().unwrap();
    let registry = poll.registry().try_clone().unwrap();
    let datagrams = Datagrams::new(registry, 0, None).unwrap();
    let lock = DatagramLock::new("lobby", None).unwrap();
    let host = Host::default();
    let mut network = Network::new(Selection::All, listen, host, None, datagrams, lock);
    network.interfaces = vec![
        interface("lo", 1, &["127.0.0.1", "::1"]),
        interface("eth0", 2, &["10.0.0.5", "fd00::5", "fe80::5"]),
        interface("eth1", 3, &["10.1.0.5", "fe80::6"]),
    ];
    network
}

fn candidates(listen: &str) -> Vec<String> {
    let all = network(listen).candidates();
    all.iter().map(ToString::to_string).collect()
}

#[test]
fn everybody_else_is_offered_what_works_from_elsewhere_first() {
    let all = [
        "10.0.0.5:7",
        "[fd00::5]:7",
        "10.1.0.5:7",
        "[fe80::5]:7",
        "[fe80::6]:7",
        "127.0.0.1:7",
    ];
    assert_eq!(candidates("[::]:7"), all);
    assert_eq!(
        candidates("0.0.0.0:7"),
        ["10.0.0.5:7", "10.1.0.5:7", "127.0.0.1:7"]
    );
    assert_eq!(candidates("10.1.0.5:7"), ["10.1.0.5:7"]);
}

#[test]
fn a_link_local_address_is_dialled_where_it_was_heard_or_on_each_interface_in_turn() {
    let mut network = network("[::]:7");
    let to: SocketAddr = "[fe80::9]:7".parse().unwrap();
    let scope = |address| match address {
        SocketAddr::V6(a) => a.scope_id(),
        SocketAddr::V4(_) => 0,
    };
    let first = scope(network.scoped(to));
    assert_eq!(
        first + scope(network.scoped(to)),
        5,
        "2 and 3 in some order"
    );
    for heard in [3, 2] {
        network.note(format!("[fe80::9%{heard}]:5000").parse().unwrap());
        assert_eq!(scope(network.scoped(to)), heard);
    }
    let other: SocketAddr = "[fd00::9]:7".parse().unwrap();
    assert_eq!(network.scoped(other), other);
}

#[test]
fn dials_leave_from_where_this_node_is_known() {
    let mut network = network("[::]:7");
    let to = "10.0.0.9:7".parse().unwrap();
    assert_eq!(network.sources().towards(to), None, "the kernel chooses");
    network.selection = Selection::Named(vec!["eth0".into()]);
    network.interfaces.retain(|i| i.name == "eth0");
    assert_eq!(network.sources().towards(to), "10.0.0.5".parse().ok());
    let link_local = "[fe80::9%2]:7".parse().unwrap();
    assert_eq!(network.sources().towards(link_local), None);
    assert_eq!(
        network.sources().towards("127.0.0.1:7".parse().unwrap()),
        None
    );
}
