//! The encrypted link and sealed datagrams: no bytes open but those that were sealed for it, in order. And
//! the proof of a key: no bytes prove one but those that its holder has signed for the link.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::OnceLock;

use papo::identity::{Credentials, LinkProof, Role};
use papo::lock::{DatagramSeal, LinkCipher, Secret};
use papo::wire::{FrameReader, Message, VERSION, decode_message, encode_frame};

use crate::mutate;
use crate::random;
use crate::runner::fuzz;

const WALL_MS: u64 = 1_700_000_000_000;

fn secret() -> &'static Secret {
    static SECRET: OnceLock<Secret> = OnceLock::new();
    SECRET.get_or_init(|| Secret::derive("lobby", b"correct horse").expect("it is long enough"))
}

/// Bytes to an acceptor: before the handshake, or (first byte odd) after it.
pub fn cipher(bytes: &[u8]) {
    let Some((first, stream)) = bytes.split_first() else {
        return;
    };
    let mut acceptor = LinkCipher::accept(secret()).expect("it can be set up");
    let (mut plain, mut out) = (Vec::new(), Vec::new());
    if first % 2 == 1 {
        let mut hello = Vec::new();
        let mut dialler = LinkCipher::dial(secret(), &mut hello).expect("randomness");
        acceptor
            .receive(&hello, &mut plain, &mut out)
            .expect("valid");
        let mut record = Vec::new();
        dialler
            .receive(&out, &mut plain, &mut record)
            .expect("valid");
        dialler.seal(b"first", &mut record).expect("it is ready");
        acceptor
            .receive(&record, &mut plain, &mut out)
            .expect("valid");
        assert_eq!(plain, b"first");
        plain.clear();
    }
    let ready = acceptor.is_ready();
    out.clear();
    for piece in stream.chunks(usize::from(first / 2).max(1)) {
        let result = acceptor.receive(piece, &mut plain, &mut out);
        // Nobody who does not know the secret gets a byte in, or out.
        assert!(plain.is_empty() && out.is_empty() && acceptor.is_ready() <= ready);
        if result.is_err() {
            break;
        }
    }
}

/// Frames to the end of a link that waits for somebody to prove a key.
pub fn proof(bytes: &[u8]) {
    let own = Rc::new(Credentials::of_seed("lobby", None, &[1; 32]));
    let mut end = LinkProof::with_nonce(&own, Role::Acceptor, [2; 32]);
    let mut reader = FrameReader::new();
    reader.push(&bytes[..bytes.len().min(60_000)]);
    while let Some(Ok(frame)) = reader.next_frame() {
        let Ok(message) = decode_message(frame) else {
            break;
        };
        let goes_on = match message {
            Message::Introduction(theirs) => end.on_introduction(theirs, None).is_ok(),
            Message::Proof(proof) => end.on_proof(&proof).is_ok(),
            message => end.check(&message).is_ok(),
        };
        // Nobody here holds the secret half of any key.
        assert!(end.peer().is_none(), "proven");
        if !goes_on {
            break;
        }
    }
}

thread_local! {
    static SEAL: RefCell<Option<DatagramSeal>> = const { RefCell::new(None) };
}

/// Datagrams that nobody sealed.
pub fn seal(bytes: &[u8]) {
    SEAL.with_borrow_mut(|seal| {
        let seal = seal.get_or_insert_with(|| DatagramSeal::new(secret()).expect("randomness"));
        assert!(seal.open(WALL_MS, bytes).is_err(), "forged");
    });
}

#[test]
fn the_encrypted_link() {
    let case = |rng: &mut fastrand::Rng, seeds: &[Vec<u8>]| {
        // Setting up a link takes longest by far.
        let first = if rng.u8(0..64) == 0 { 1 } else { 0 };
        let first = first | rng.u8(..) & 0xfe;
        let mut bytes = mutate::case(rng, seeds, |rng| {
            let length = if first.is_multiple_of(2) {
                48
            } else {
                rng.u16(0..200)
            };
            let mut bytes = vec![first];
            bytes.extend(length.to_be_bytes());
            bytes.extend((0..length).map(|_| rng.u8(..)));
            bytes
        });
        if let Some(byte) = bytes.first_mut() {
            *byte = first;
        }
        bytes
    };
    fuzz("cipher", 20_000, case, cipher);
}

#[test]
fn the_proof_of_a_key() {
    let case = |rng: &mut fastrand::Rng, seeds: &[Vec<u8>]| {
        mutate::case(rng, seeds, |rng| {
            let numbers = if rng.u8(0..8) == 0 {
                [26, 26]
            } else {
                [26, 27]
            };
            let mut said = Vec::new();
            for number in numbers {
                let mut message = random::message(rng, number);
                if let Message::Introduction(introduction) = &mut message {
                    introduction.version = VERSION;
                }
                said.extend_from_slice(&encode_frame(&message).expect("a valid message"));
            }
            said
        })
    };
    fuzz("proof", 5_000, case, proof);
}

#[test]
fn sealed_datagrams() {
    let mut sender = DatagramSeal::new(secret()).expect("randomness");
    let case = move |rng: &mut fastrand::Rng, seeds: &[Vec<u8>]| {
        let plain = mutate::datagram(rng);
        let sealed = sender.seal(WALL_MS, &plain);
        let mut bytes = mutate::case(rng, seeds, |_| sealed.clone());
        if bytes == sealed {
            let at = rng.usize(0..bytes.len());
            bytes[at] ^= 1 << rng.u8(0..8);
        }
        bytes
    };
    fuzz("seal", 20_000, case, seal);
}
