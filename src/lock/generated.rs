//! Secrets that papo makes itself: 256 random bits, in a form that shows what it is and whether it is whole.
//!
//! Such a secret cannot be guessed, so its keys need no slow derivation. A secret that people made up goes
//! the other way; the form tells the two apart.

use std::fmt::{self, Write as _};

use super::SecretError;
use super::secret::hash;

/// What it begins with.
const MARK: &str = "papo1-";
const RANDOM_BYTES: usize = 32;
/// Bytes behind the random ones that tell whether all were copied.
const CHECK_BYTES: usize = 4;
/// Digits between two dashes.
const GROUP_DIGITS: usize = 8;

/// A random secret.
pub struct GeneratedSecret(pub(super) [u8; RANDOM_BYTES]);

impl fmt::Debug for GeneratedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GeneratedSecret(..)")
    }
}

impl GeneratedSecret {
    /// A new one; `None` if the system gives no randomness.
    #[must_use]
    pub fn new() -> Option<GeneratedSecret> {
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random).ok()?;
        Some(GeneratedSecret(random))
    }

    /// As it stands in a file: one line, without its end.
    #[must_use]
    pub fn text(&self) -> String {
        let check = self.check();
        let mut digits = String::new();
        for byte in self.0.iter().chain(&check) {
            // Writing to a string cannot fail.
            let _ = write!(digits, "{byte:02x}");
        }
        let mut text = MARK.to_owned();
        for (n, digit) in digits.chars().enumerate() {
            if n > 0 && n % GROUP_DIGITS == 0 {
                text.push('-');
            }
            text.push(digit);
        }
        text
    }

    fn check(&self) -> [u8; CHECK_BYTES] {
        let mut check = [0; CHECK_BYTES];
        check.copy_from_slice(&hash(b"papo check 1", &self.0)[..CHECK_BYTES]);
        check
    }

    /// What a secret is that begins as one of papo's does; `None` for any other.
    pub(super) fn read(secret: &[u8]) -> Option<Result<GeneratedSecret, SecretError>> {
        let (mark, rest) = secret.split_at_checked(MARK.len())?;
        if !mark.eq_ignore_ascii_case(MARK.as_bytes()) {
            return None;
        }
        Some(decoded(rest).ok_or(SecretError::Mistyped))
    }
}

fn decoded(rest: &[u8]) -> Option<GeneratedSecret> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let digits: Option<Vec<u32>> = rest.iter().filter(|b| **b != b'-').map(digit).collect();
    let (pairs, left) = digits.as_deref()?.as_chunks::<2>();
    let bytes: Vec<u8> = (pairs.iter())
        .filter_map(|[high, low]| u8::try_from(high << 4 | low).ok())
        .collect();
    let (random, check) = bytes.split_at_checked(RANDOM_BYTES)?;
    let secret = GeneratedSecret(random.try_into().ok()?);
    (left.is_empty() && check == secret.check()).then_some(secret)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::Secret;

    #[test]
    fn what_is_printed_is_read_again_and_no_other_than_it() {
        let secret = GeneratedSecret::new().unwrap();
        let text = secret.text();
        assert_eq!(text.len(), MARK.len() + 72 + 8, "{text}");
        for form in [text.clone(), text.to_uppercase(), format!("{text}-")] {
            let read = GeneratedSecret::read(form.as_bytes()).unwrap().unwrap();
            assert_eq!(read.0, secret.0);
        }
        for n in MARK.len()..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[n] = match bytes[n] {
                b'-' => b'z',
                b'0' => b'1',
                _ => b'0',
            };
            let wrong = GeneratedSecret::read(&bytes).unwrap();
            assert_eq!(wrong.unwrap_err(), SecretError::Mistyped, "{n}");
            let cut = GeneratedSecret::read(&text.as_bytes()[..n]).unwrap();
            assert_eq!(cut.unwrap_err(), SecretError::Mistyped, "{n}");
        }
        for other in ["papo", "papo2-1234", "", "correct horse battery staple"] {
            assert!(GeneratedSecret::read(other.as_bytes()).is_none(), "{other}");
        }
        assert_eq!(format!("{secret:?}"), "GeneratedSecret(..)");
    }

    #[test]
    fn two_are_never_the_same_and_each_room_has_keys_of_its_own() {
        let [one, other] = [(); 2].map(|()| GeneratedSecret::new().unwrap().text());
        assert_ne!(one, other);
        let print = |room: &str, text: &str| {
            let secret = Secret::derive(room, text.as_bytes()).unwrap();
            secret.fingerprint()
        };
        assert_eq!(print("lobby", &one), print("lobby", &format!("{one}\n")));
        assert_ne!(print("lobby", &one), print("attic", &one));
        assert_ne!(print("lobby", &one), print("lobby", &other));
        let mistyped = Secret::derive("lobby", &one.as_bytes()[..60]);
        assert_eq!(mistyped.unwrap_err(), SecretError::Mistyped);
    }
}
