//! The proof on a link: who passes, and who does not.

use std::rc::Rc;

use super::{Credentials, LinkProof, Person, ProofError, Role, key_of};
use crate::wire::{Bytes, Hello, Introduction, Message, Proof, VERSION};

fn credentials(seed: u8, owner: Option<&Person>) -> Rc<Credentials> {
    Rc::new(Credentials::of_seed("lobby", owner, &[seed; 32]))
}

fn ends(a: &Rc<Credentials>, b: &Rc<Credentials>) -> (LinkProof, LinkProof) {
    let (dialler, acceptor) = (Role::Dialler, Role::Acceptor);
    (
        LinkProof::new(a, dialler).unwrap(),
        LinkProof::new(b, acceptor).unwrap(),
    )
}

fn introduction(of: &LinkProof) -> Introduction {
    match of.introduction() {
        Message::Introduction(introduction) => introduction,
        other => panic!("{other:?}"),
    }
}

fn answer(of: &mut LinkProof, to: Introduction, binding: Option<[u8; 32]>) -> Proof {
    match of.on_introduction(to, binding).unwrap() {
        Message::Proof(proof) => proof,
        other => panic!("{other:?}"),
    }
}

/// What each end says to the other.
fn proofs(a: &mut LinkProof, b: &mut LinkProof) -> (Proof, Proof) {
    let (from_a, from_b) = (introduction(a), introduction(b));
    (answer(a, from_b, None), answer(b, from_a, None))
}

#[test]
fn both_ends_learn_who_the_other_is_and_whose_node() {
    let person = Person::new().unwrap();
    let (ana, bob) = (credentials(1, Some(&person)), credentials(2, None));
    let (mut a, mut b) = ends(&ana, &bob);
    let (from_a, from_b) = proofs(&mut a, &mut b);
    let (at_a, at_b) = (a.on_proof(&from_b).unwrap(), b.on_proof(&from_a).unwrap());
    assert_eq!((at_a.key, at_a.owner), (bob.key(), None));
    assert_eq!(at_b.key, ana.key());
    assert_eq!(at_b.owner, Some(person.fingerprint()));
    assert_eq!(b.peer(), Some(at_b));
}

#[test]
fn two_nodes_of_one_person_are_two_keys_with_one_owner() {
    let person = Person::new().unwrap();
    let one = Credentials::new("lobby", Some(&person)).unwrap();
    let two = Credentials::new("lobby", Some(&Person::of_seed(&person.seed()))).unwrap();
    assert_ne!(one.key(), two.key());
    assert_eq!(one.owner(), two.owner());
}

#[test]
fn a_proof_of_another_key_or_an_altered_one_is_refused() {
    let (ana, bob, eva) = (
        credentials(1, None),
        credentials(2, None),
        credentials(3, None),
    );
    // Eva names Ana's public key, and signs with her own.
    let (mut a, mut b) = ends(&eva, &bob);
    let mut claimed = introduction(&a);
    claimed.public = introduction(&ends(&ana, &bob).0).public;
    let from_a = answer(&mut a, introduction(&b), None);
    answer(&mut b, claimed, None);
    assert_eq!(b.on_proof(&from_a), Err(ProofError::Signature));

    for at in [0, 31, 32, 63] {
        let (mut a, mut b) = ends(&ana, &bob);
        let (mut from_a, _) = proofs(&mut a, &mut b);
        from_a.signature.0[at] ^= 1;
        assert_eq!(b.on_proof(&from_a), Err(ProofError::Signature));
        assert_eq!(b.peer(), None);
    }
}

#[test]
fn a_proof_of_another_link_is_refused() {
    let (ana, bob) = (credentials(1, None), credentials(2, None));
    let (mut a, mut b) = ends(&ana, &bob);
    let recorded = introduction(&a);
    let (from_a, _) = proofs(&mut a, &mut b);
    b.on_proof(&from_a).unwrap();
    let (_, mut later) = ends(&ana, &bob);
    answer(&mut later, recorded, None);
    assert_eq!(later.on_proof(&from_a), Err(ProofError::Signature));
}

#[test]
fn what_an_end_has_said_is_of_no_use_sent_back_to_it() {
    let ana = credentials(1, None);
    for role in [Role::Dialler, Role::Acceptor] {
        let mut a = LinkProof::new(&ana, role).unwrap();
        let own = introduction(&a);
        let own_proof = answer(&mut a, own, None);
        assert_eq!(a.on_proof(&own_proof), Err(ProofError::Signature));
    }
}

#[test]
fn both_ends_of_a_locked_link_mean_the_same_link_or_refuse() {
    let (ana, bob) = (credentials(1, None), credentials(2, None));
    for (at_a, at_b) in [(None, Some([7; 32])), (Some([7; 32]), Some([8; 32]))] {
        let (mut a, mut b) = ends(&ana, &bob);
        let from_a = answer(&mut a, introduction(&b), at_a);
        answer(&mut b, introduction(&a), at_b);
        assert_eq!(b.on_proof(&from_a), Err(ProofError::Signature));
    }
    let (mut a, mut b) = ends(&ana, &bob);
    let from_a = answer(&mut a, introduction(&b), Some([7; 32]));
    answer(&mut b, introduction(&a), Some([7; 32]));
    b.on_proof(&from_a).unwrap();
}

#[test]
fn a_proof_for_another_room_is_refused() {
    let ana = Rc::new(Credentials::of_seed("kitchen", None, &[1; 32]));
    let (mut a, mut b) = ends(&ana, &credentials(2, None));
    let (from_a, _) = proofs(&mut a, &mut b);
    assert_eq!(b.on_proof(&from_a), Err(ProofError::Signature));
}

#[test]
fn a_certificate_is_good_for_one_node_and_cannot_be_put_on_or_taken_off() {
    let person = Person::new().unwrap();
    let (ana, bob) = (credentials(1, Some(&person)), credentials(2, None));
    let eva = credentials(3, None);
    // Eva takes the certificate of Ana's node, and even signs for it.
    let stolen = introduction(&ends(&ana, &bob).0).certificate;
    let seeds = [3; 32];
    let mut thief = Credentials::of_seed("lobby", None, &seeds);
    thief.steal(stolen);
    let (mut a, mut b) = ends(&Rc::new(thief), &bob);
    let (from_a, _) = proofs(&mut a, &mut b);
    assert_eq!(b.on_proof(&from_a), Err(ProofError::Certificate));
    // Somebody on the way puts a certificate on, or takes it off.
    let own = Person::new().unwrap();
    for (of, put) in [
        (&ana, None),
        (
            &eva,
            Some(own.certify(&introduction(&ends(&eva, &bob).0).public.0)),
        ),
    ] {
        let (mut a, mut b) = ends(of, &bob);
        let mut altered = introduction(&a);
        altered.certificate = put;
        let from_a = answer(&mut a, introduction(&b), None);
        answer(&mut b, altered, None);
        assert_eq!(b.on_proof(&from_a), Err(ProofError::Signature));
    }
}

/// A version that knows no proof says HELLO first: the user is to read of the version, not of the proof.
#[test]
fn a_hello_of_another_version_that_comes_first_is_named() {
    let (ana, bob) = (credentials(1, None), credentials(2, None));
    let (_, b) = ends(&ana, &bob);
    let hello = |version| {
        Message::Hello(Hello {
            version,
            room: "lobby".into(),
            key: ana.key(),
            nick: "ana".into(),
            round: 0,
            addresses: Vec::new(),
            coordinator: None,
            floor: None,
            clock: 0,
            oldest: None,
            wall: 0,
        })
    };
    assert_eq!(b.check(&hello(1)), Err(ProofError::Version(1)));
    assert_eq!(b.check(&hello(VERSION)), Err(ProofError::OutOfPlace));
}

#[test]
fn everything_has_its_place_and_comes_once() {
    let (ana, bob) = (credentials(1, None), credentials(2, None));
    let (mut a, mut b) = ends(&ana, &bob);
    let proof = Proof {
        signature: Bytes([0; 64]),
    };
    assert_eq!(b.on_proof(&proof), Err(ProofError::OutOfPlace));
    assert_eq!(b.check(&Message::Leave), Err(ProofError::OutOfPlace));
    let (from_a, _) = proofs(&mut a, &mut b);
    assert_eq!(b.check(&Message::Leave), Err(ProofError::OutOfPlace));
    b.on_proof(&from_a).unwrap();
    assert_eq!(b.check(&Message::Leave), Ok(()));
    assert_eq!(b.on_proof(&from_a), Err(ProofError::Twice));
    let again = b.on_introduction(introduction(&a), None);
    assert_eq!(again, Err(ProofError::Twice));
    let mut other = introduction(&a);
    other.version = VERSION + 1;
    let (_, mut b) = ends(&ana, &bob);
    let refused = b.on_introduction(other, None);
    assert_eq!(refused, Err(ProofError::Version(VERSION + 1)));
}

#[test]
fn public_keys_that_anybody_can_sign_for_are_refused() {
    // The neutral element, and a point of order 4: every signature of a certain form would hold.
    let bob = credentials(2, None);
    for public in [
        {
            let mut one = [0; 32];
            one[0] = 1;
            one
        },
        [0; 32],
    ] {
        let (a, mut b) = ends(&credentials(1, None), &bob);
        let mut weak = introduction(&a);
        weak.public = Bytes(public);
        answer(&mut b, weak, None);
        let mut signature = [0; 64];
        signature[0] = 1;
        let proof = Proof {
            signature: Bytes(signature),
        };
        assert_eq!(b.on_proof(&proof), Err(ProofError::Signature));
    }
    assert_ne!(key_of(&[0; 32]).0, 0);
}
