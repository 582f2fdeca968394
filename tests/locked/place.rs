//! A room that is open or locked, so that one test is of both.

use std::rc::Rc;

use papo::identity::Credentials;
use papo::lock::Secret;

use crate::harness::{Node, shared};
use crate::secrets::{Locked, SECRET};
use crate::speaker::{Speaker, address_of};

/// A room, open or locked.
pub struct Place<'a> {
    pub locked: Locked<'a>,
    pub secret: Option<Secret>,
}

impl Place<'_> {
    pub fn join(&self, nick: &str) -> Node {
        self.join_with(nick, &[])
    }

    pub fn join_with(&self, nick: &str, options: &[&str]) -> Node {
        let key = self.secret.as_ref().map(|_| self.locked.right());
        let key = key.as_ref().map_or(&[][..], |key| &key[..]);
        self.locked.room.join_with(nick, &[key, options].concat())
    }

    /// Somebody new.
    pub fn speaker(&self, to: &Node) -> Speaker {
        let own = Credentials::new(self.name(), None).expect("randomness");
        self.speaker_as(to, &Rc::new(own))
    }

    pub fn speaker_as(&self, to: &Node, own: &Rc<Credentials>) -> Speaker {
        let speaker = Speaker::dial_as(address_of(to), Rc::clone(own));
        match &self.secret {
            Some(secret) => speaker.lock(secret),
            None => speaker,
        }
    }

    pub fn name(&self) -> &str {
        &self.locked.room.name
    }
}

/// Runs a test in an open room and in a locked one.
pub fn in_both(test: impl Fn(&Place<'_>)) {
    for is_locked in [false, true] {
        let permit = shared();
        let locked = Locked::new(&permit);
        let secret = is_locked.then(|| {
            Secret::derive(&locked.room.name, SECRET.as_bytes()).expect("it is long enough")
        });
        test(&Place { locked, secret });
    }
}
