//! What a liar asks out of nothing: of histories, of who is alive, and to be let in under another's name.
//!
//! Owns nothing. Whether and when something is asked is `liar`'s.

use papo::wire::{
    Ack, CarriedRequest, Compare, Datagram, Fetch, JoinRequest, Key, Message, Position, Relay,
    SeqRange, Span, Stable,
};

use super::false_lines::{number, position};
use super::liar::{Liar, Lie, Scene};
use super::lies;

const ROOM: &str = "room";

/// Spans in the order that a decoder demands, of anything or of everything.
fn spans(liar: &mut Liar, scene: &Scene) -> Vec<Span> {
    let mut ends: Vec<Position> = (0..liar.rng.usize(0..8))
        .map(|_| position(liar, scene))
        .collect();
    ends.extend([Position::default(), Position::END]);
    ends.sort();
    ends.dedup();
    let pairs = ends.windows(2).map(|pair| Span {
        after: pair[0],
        upto: pair[1],
    });
    pairs.collect()
}

/// Whoever is there, or nobody.
fn somebody(liar: &mut Liar, scene: &Scene) -> Key {
    let other = liar.rng.choice(&scene.others).map(|(key, _)| *key);
    let member = liar.rng.choice(&scene.members).map(|m| m.key);
    match liar.rng.u8(0..4) {
        0 => liar.ghost,
        1 => Key(number(liar).max(1)),
        2 => member.unwrap_or(liar.ghost),
        _ => other.unwrap_or(liar.ghost),
    }
}

fn ranges(liar: &mut Liar, scene: &Scene) -> Vec<SeqRange> {
    let count = liar.rng.usize(0..5);
    let range = |_| {
        let (one, other) = (number(liar), number(liar));
        SeqRange::new(somebody(liar, scene), one.min(other), one.max(other))
    };
    (0..count).map(range).collect()
}

/// COMPARE of an exchange of its own, or of one that there is not.
pub fn compare(liar: &mut Liar, scene: &Scene, no: u64) -> Compare {
    let spans = spans(liar, scene);
    Compare { no, spans }
}

/// FETCH of everything, of nothing, or of what nobody has.
pub fn fetch(liar: &mut Liar, scene: &Scene, no: u64) -> Fetch {
    Fetch {
        no,
        after: position(liar, scene),
        spans: spans(liar, scene),
        skip: ranges(liar, scene),
        floor: Some(position(liar, scene)).filter(|_| liar.rng.bool()),
        want: ranges(liar, scene),
    }
}

/// A request to be let in, with anybody's key.
fn request(liar: &mut Liar, scene: &Scene, key: Key) -> JoinRequest {
    let honest = JoinRequest {
        version: papo::wire::VERSION,
        room: ROOM.to_string(),
        key,
        nick: format!("liar{}", liar.rng.u8(..)),
        attempt: 0,
        port: scene.address.0.port(),
        addresses: vec![scene.address],
        id: None,
        next_id: 0,
        view_version: 0,
        office: false,
        no: number(liar),
    };
    lies::request(liar, honest)
}

/// RELAY of its own word, which lies: a word in another's name would have no seal that is good.
fn relay(liar: &mut Liar, scene: &Scene) -> Relay {
    let seq = number(liar).max(1);
    let ack = Ack {
        from: 1,
        seq,
        missed: Vec::new(),
    };
    let stable = Stable {
        from: Some(seq),
        said: number(liar),
        stable: 0,
    };
    let turn = number(liar).max(1);
    let fields = request(liar, scene, scene.key);
    Relay {
        from: scene.key,
        to: somebody(liar, scene),
        ack: Some(ack).filter(|_| liar.rng.bool()),
        stable: Some(stable).filter(|_| liar.rng.bool()),
        request: Some(Box::new(CarriedRequest { turn, fields })).filter(|_| liar.rng.bool()),
        seal: None,
    }
}

/// What is asked out of nothing for the sake of this lie.
pub fn asked(liar: &mut Liar, scene: &Scene, lie: Lie) -> (Vec<Message>, Vec<Datagram>) {
    let near = liar.exchange.wrapping_add(liar.rng.u64(0..3));
    let no = liar.rng.choice([near, 1, u64::MAX]).unwrap_or(near);
    let message = match lie {
        Lie::Compares => Message::Compare(compare(liar, scene, no)),
        Lie::Fetches => Message::Fetch(fetch(liar, scene, no)),
        Lie::Behind => Message::Behind,
        Lie::Probes if liar.rng.bool() => {
            let (room, key) = (ROOM.to_string(), somebody(liar, scene));
            return (Vec::new(), vec![Datagram::BeatRequest { room, key }]);
        }
        Lie::Probes => Message::Probe(somebody(liar, scene)),
        Lie::Relays => Message::Relay(relay(liar, scene)),
        Lie::OthersRequests => {
            let key = somebody(liar, scene);
            Message::JoinRequest(request(liar, scene, key))
        }
        _ => return (Vec::new(), Vec::new()),
    };
    (vec![message], Vec::new())
}
