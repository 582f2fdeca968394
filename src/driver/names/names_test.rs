//! When a name is looked up, without looking one up.

use super::*;

fn peer(host: &str) -> NamedPeer {
    NamedPeer {
        name: format!("{host}:4000"),
        host: host.to_owned(),
        port: 4000,
    }
}

fn names(hosts: &[&str]) -> Names {
    let poll = mio::Poll::new().unwrap();
    let peers: Vec<NamedPeer> = hosts.iter().map(|h| peer(h)).collect();
    Names::new(poll.registry().try_clone().unwrap(), 0, &peers, None)
}

fn at(text: &str) -> Vec<SocketAddr> {
    vec![text.parse().unwrap()]
}

#[test]
fn an_address_is_never_looked_up_and_keeps_its_scope() {
    assert_eq!(peer("10.0.0.7").literal(), "10.0.0.7:4000".parse().ok());
    assert_eq!(peer("fe80::7%3").literal(), "[fe80::7%3]:4000".parse().ok());
    assert_eq!(peer("anas-pc").literal(), None);
    assert_eq!(peer("fe80::7%no-such-0").literal(), None);
    let names = names(&["10.0.0.7", "fe80::7%3"]);
    assert_eq!(names.next_deadline(Time(0)), None);
}

#[test]
fn a_name_that_is_not_there_is_looked_up_again_ever_more_seldom_and_said_once() {
    let mut names = names(&["anas-pc"]);
    assert_eq!(names.next_deadline(Time(0)), Some(Time(0)));
    let name = &mut names.all[0];
    let mut now = Time(0);
    let mut said = 0;
    for expected in [1, 2, 4, 8, 16, 32, 60, 60] {
        name.wait(now);
        said += usize::from(name.not_found("Name or service not known").words.is_some());
        assert_eq!(name.next.since(now), Duration::from_secs(expected));
        now = name.next;
        assert!(name.is_due(now));
    }
    assert_eq!(said, 1);
    let news = name.found(at("10.0.0.7:4000"));
    assert!(news.words.unwrap().contains("10.0.0.7:4000"));
    assert_eq!(news.found.unwrap().addresses, at("10.0.0.7:4000"));
    assert!(!name.is_wanted());
}

#[test]
fn a_name_is_looked_up_again_when_its_address_is_dialled_once_more() {
    let mut names = names(&["anas-pc"]);
    let address = at("10.0.0.7:4000");
    let _ = names.all[0].found(address.clone());
    names.all[0].wait(Time(0));
    names.on_dial(Time(0), address[0]);
    assert_eq!(names.next_deadline(Time(0)), None, "the first dial");
    names.on_dial(Time(0), "10.0.0.8:4000".parse().unwrap());
    assert_eq!(names.next_deadline(Time(0)), None, "somebody else");
    names.on_dial(Time(0), address[0]);
    assert_eq!(names.next_deadline(Time(0)), Some(names.all[0].next));
    // The name is nowhere for a moment: its last address is kept.
    let news = names.all[0].not_found("Try again");
    assert!(news.found.is_none() && news.words.is_none());
    let news = names.all[0].found(at("10.0.0.9:4000"));
    assert_eq!(news.found.unwrap().addresses, at("10.0.0.9:4000"));
    assert!(news.words.is_none(), "there was no trouble");
}
