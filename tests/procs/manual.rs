//! The manual page: that readers of such pages take it, and that all is in it.

use std::fs;
use std::process::Command;

use crate::harness::{Room, scratch_dir, shared};

/// What is not to be skipped where `.ci/run` could install it.
const NO_SKIP: &str = "PAPO_TEST_NO_SKIP";

fn page() -> String {
    let permit = shared();
    let room = Room::new(&permit);
    let man = room.raw(&["man"]).start();
    assert_eq!(man.exit(), 0, "{}", man.stderr());
    man.stdout()
}

/// mandoc's answer for the page; none, with a reason on stderr, where there is no mandoc.
fn mandoc(page: &str, options: &[&str]) -> Option<String> {
    let dir = scratch_dir();
    let file = dir.join("papo.1");
    fs::write(&file, page).expect("the directory is ours");
    let ran = Command::new("mandoc").args(options).arg(&file).output();
    match ran {
        Ok(done) => Some(String::from_utf8_lossy(&done.stdout).into_owned()),
        Err(e) => {
            let why = format!("mandoc cannot be run, and the page was not looked at: {e}");
            assert!(std::env::var_os(NO_SKIP).is_none(), "{why}");
            eprintln!("skipped: {why}");
            None
        }
    }
}

#[test]
fn mandoc_finds_nothing_to_complain_about() {
    if let Some(said) = mandoc(&page(), &["-T", "lint"]) {
        assert_eq!(said, "");
    }
}

#[test]
fn it_has_every_command_option_variable_file_and_status() {
    let source = page();
    let Some(text) = mandoc(&source, &["-T", "ascii", "-O", "width=200"]) else {
        return;
    };
    // A letter that is struck twice is bold.
    let mut plain: Vec<char> = Vec::new();
    for c in text.chars() {
        match c {
            '\u{8}' => drop(plain.pop()),
            c => plain.push(c),
        }
    }
    let text: String = plain.into_iter().collect();
    for word in [
        "papo send",
        "papo listen",
        "papo history",
        "papo scan",
        "papo keygen",
        "papo rekey",
        "papo config",
        "papo doctor",
        "papo completions",
        "--match REGEX",
        "--exec COMMAND...",
        "--store-max SIZE",
        "--config FILE",
        "/msg NICK|ID TEXT",
        "/whois NICK|ID",
        "//TEXT",
        "PAPO_INTERFACE",
        "PAPO_SECRET",
        "PAPO_SENT_AT",
        "RUST_LOG",
        "$XDG_CONFIG_HOME/papo/config.toml",
        "$XDG_STATE_HOME/papo/identity",
        "FILE-wal",
        "130",
    ] {
        assert!(text.contains(word), "{word} is not in: {text}");
    }
    let sections = [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "COMMANDS",
        "OPTIONS",
        "COMMANDS TYPED IN THE CHAT",
        "CONFIGURATION FILE",
        "EXIT STATUS",
        "ENVIRONMENT",
        "FILES",
        "EXAMPLES",
    ];
    let mut lines = text.lines();
    for section in sections {
        assert!(lines.any(|line| line == section), "{section}");
    }
}
