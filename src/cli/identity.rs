//! Who the user is across runs: the file that keeps the secret half of a lasting key pair.
//!
//! Owns the file's form, and where it is if nobody says. It is made on first use, readable by its owner
//! alone, and never changed or replaced afterwards.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use super::files::{open_without_waiting, write_new};
use crate::identity::{PERSON_SEED_BYTES, Person};
use crate::platform;
use crate::ui::visible::{Tab, visible};

/// What the file begins with.
const HEAD: &str = "papo identity 1";
/// More of a file is not read: a whole one has some 130 bytes.
const FILE_BYTES_MAX: u64 = 4 * 1024;
/// What others may do to the file: nothing.
const OTHERS: u32 = 0o077;

/// Who the user is, and what the user is to be told of the file that says so.
pub type Resolved = (Option<Person>, Option<String>);

/// Who the user is: whoever the named file says, or the one in the state directory. Where there is no
/// place for that one the user is nobody in particular.
///
/// # Errors
///
/// One line that names the file, never the secret, and what to do.
pub fn resolve(named: Option<&Path>, anonymous: bool) -> Result<Resolved, String> {
    let nobody = (None, None);
    if anonymous {
        return Ok(nobody);
    }
    if let Some(path) = named {
        let source = format!("--identity {}", shown(path));
        return match open(path) {
            Ok(person) => Ok((Some(person), warning(&source, path))),
            Err(Trouble::Damaged(why)) => Err(damaged(&source, why)),
            Err(Trouble::Io(e)) => Err(format!(
                "{source}: cannot read or make it: {}; name a file in a directory that is there, or give --anonymous",
                platform::reason(&e)
            )),
        };
    }
    let Some(path) = platform::state_home().map(|home| home.join("papo").join("identity")) else {
        log::info!("no home directory, where an identity could be kept: this node is anonymous");
        return Ok(nobody);
    };
    match make_directory(&path)
        .map_err(Trouble::Io)
        .and_then(|()| open(&path))
    {
        Ok(person) => Ok((Some(person), warning(&shown(&path), &path))),
        Err(Trouble::Damaged(why)) => Err(damaged(&shown(&path), why)),
        Err(Trouble::Io(e)) => {
            let path = shown(&path);
            log::info!(
                "cannot keep an identity in {path}: {}: this node is anonymous",
                platform::reason(&e)
            );
            Ok(nobody)
        }
    }
}

/// A warning, if others on this machine may read the file, or write it.
fn warning(source: &str, path: &Path) -> Option<String> {
    let is_open = fs::metadata(path).is_ok_and(|facts| facts.mode() & OTHERS != 0);
    let name = shown(path);
    is_open.then(|| {
        format!("{source}: others on this machine may read or change who you are; keep it to yourself: chmod 600 {name}")
    })
}

/// Why a file gives no identity.
#[derive(Debug)]
enum Trouble {
    Io(io::Error),
    /// It is there, and is not what it should be.
    Damaged(&'static str),
}

fn damaged(source: &str, why: &str) -> String {
    format!(
        "{source}: {why}; put a copy of it back, or move it away to be somebody new, or give \
         --anonymous"
    )
}

fn shown(path: &Path) -> String {
    visible(&path.display().to_string(), Tab::Escape)
}

/// The directory of the file, which nobody else may look into if it is new.
fn make_directory(file: &Path) -> io::Result<()> {
    let Some(directory) = file.parent() else {
        return Ok(());
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
}

/// The identity in the file, which is made if it is not there.
fn open(path: &Path) -> Result<Person, Trouble> {
    match read(path) {
        Err(Trouble::Io(e)) if e.kind() == ErrorKind::NotFound => {
            make(path).map_err(Trouble::Io)?;
            // Another node may have been quicker.
            read(path)
        }
        result => result,
    }
}

fn read(path: &Path) -> Result<Person, Trouble> {
    let file = open_without_waiting(path).map_err(Trouble::Io)?;
    let facts = file.metadata().map_err(Trouble::Io)?;
    if !facts.is_file() {
        return Err(Trouble::Damaged("it is no ordinary file"));
    }
    let mut text = Vec::new();
    let read = file.take(FILE_BYTES_MAX).read_to_end(&mut text);
    read.map_err(Trouble::Io)?;
    let text = str::from_utf8(&text).ok();
    let person = text.and_then(parse);
    person.ok_or(Trouble::Damaged("it is damaged, or is no identity"))
}

/// The identity that a file's text says.
fn parse(text: &str) -> Option<Person> {
    let mut lines = text.lines();
    if lines.next()? != HEAD {
        return None;
    }
    let digits = lines.next()?.strip_prefix("secret ")?;
    let fingerprint = lines.next()?.strip_prefix("fingerprint ")?;
    if digits.len() != 2 * PERSON_SEED_BYTES || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut seed = [0; PERSON_SEED_BYTES];
    for (at, byte) in seed.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).ok()?;
    }
    let person = Person::of_seed(&seed);
    (person.fingerprint().to_string() == fingerprint).then_some(person)
}

fn text_of(person: &Person) -> String {
    let digits: String = person.seed().iter().map(|b| format!("{b:02x}")).collect();
    let fingerprint = person.fingerprint();
    format!("{HEAD}\nsecret {digits}\nfingerprint {fingerprint}\n")
}

/// Makes the file, unless it is there by now: it is whole as soon as it can be seen, if the file system has links.
fn make(path: &Path) -> io::Result<()> {
    let person = Person::new().ok_or_else(|| io::Error::other("no randomness"))?;
    let beside = beside(path);
    // One that was left by a process that is no more.
    let _ = fs::remove_file(&beside);
    let text = text_of(&person);
    let written = write_new(&beside, text.as_bytes());
    let made = written.and_then(|()| publish(&beside, path, text.as_bytes()));
    // The name beside it has served; that it cannot be taken away harms nobody.
    let _ = fs::remove_file(&beside);
    made
}

/// A name in the same directory that no other process takes.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    path.with_file_name(name)
}

/// Gives the whole file its name, and replaces none. On a file system without links the file is written under
/// its name, so that somebody who reads it in that moment may find a part of it.
fn publish(beside: &Path, path: &Path, text: &[u8]) -> io::Result<()> {
    let published = match fs::hard_link(beside, path) {
        Err(e)
            if matches!(
                e.kind(),
                ErrorKind::PermissionDenied | ErrorKind::Unsupported
            ) =>
        {
            write_new(path, text)
        }
        result => result,
    };
    match published {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_who_one_is_and_its_damage_shows() {
        let person = Person::of_seed(&[7; 32]);
        let text = text_of(&person);
        let read = parse(&text).expect("it is whole");
        assert_eq!(read.fingerprint(), person.fingerprint());
        assert!(parse(&text.replace("secret 0707", "secret 0708")).is_none());
        assert!(parse(&text.replace("identity 1", "identity 2")).is_none());
        for end in 0..text.len() - 1 {
            assert!(parse(&text[..end]).is_none(), "{end}");
        }
    }
}
