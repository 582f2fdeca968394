//! What `PROTOCOL.md` says of keys and their proof, against what the code does.

use std::fmt::Write as _;
use std::rc::Rc;

use super::proof::proof_text;
use super::{Credentials, LinkProof, Person, Role};
use crate::wire::{Introduction, Message};

const PAGE: &str = include_str!("../wire/PROTOCOL.md");

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn introduction(own: &Rc<Credentials>, role: Role, nonce: u8) -> Introduction {
    match LinkProof::with_nonce(own, role, [nonce; 32]).introduction() {
        Message::Introduction(introduction) => introduction,
        other => panic!("{other:?}"),
    }
}

/// The rows of the page's examples: a name and what it is.
fn rows() -> Vec<(&'static str, String)> {
    let person = Person::of_seed(&[5; 32]);
    let ana = Rc::new(Credentials::of_seed("lobby", Some(&person), &[1; 32]));
    let bob = Rc::new(Credentials::of_seed("lobby", None, &[2; 32]));
    let dialler = introduction(&ana, Role::Dialler, 3);
    let acceptor = introduction(&bob, Role::Acceptor, 4);
    let certificate = dialler.certificate.clone().unwrap();
    let text = |role, binding| proof_text(role, "lobby", (&dialler, &acceptor), binding);
    vec![
        ("dialler's public key", hex(&dialler.public.0)),
        ("dialler's key", ana.key().to_string()),
        ("acceptor's public key", hex(&acceptor.public.0)),
        ("acceptor's key", bob.key().to_string()),
        ("identity", hex(&certificate.identity.0)),
        ("fingerprint", person.fingerprint().to_string()),
        ("certificate", hex(&certificate.signature.0)),
        ("signed by the dialler", hex(&text(Role::Dialler, None))),
        (
            "signed by the acceptor, locked",
            hex(&text(Role::Acceptor, Some([6; 32]))),
        ),
    ]
}

/// As the page shows them.
fn shown() -> String {
    let mut text = String::new();
    for (name, value) in rows() {
        writeln!(text, "{name}").unwrap();
        for line in value.as_bytes().chunks(80) {
            writeln!(text, "= {}", str::from_utf8(line).unwrap()).unwrap();
        }
    }
    text
}

#[test]
fn the_examples_of_the_page_are_what_the_code_makes() {
    let (_, block) = PAGE.split_once("```text\nproof:").unwrap();
    let (_, block) = block.split_once('\n').unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let shown = shown();
    assert_eq!(block, shown, "the page should have:\n{shown}");
}
