//! Completions as somebody gets them who presses Tab in a shell: bash, zsh and fish, each in a terminal of its own.
//! Where one of them is missing its test does nothing, and says so; `PAPO_TEST_NO_SKIP` forbids that.

use std::path::Path;
use std::process::Command;

use crate::harness::{Room, Scratch, scratch_dir, shared};
use crate::terminal::{Setup, Terminal};

/// True if the shell is there.
fn is_there(shell: &str) -> bool {
    let is_there = Path::new("/usr/bin").join(shell).exists();
    let must = std::env::var_os("PAPO_TEST_NO_SKIP").is_some();
    assert!(is_there || !must, "{shell} is to be there (see .ci/run)");
    if !is_there {
        eprintln!("skipped: there is no {shell} (apt-get install {shell})");
    }
    is_there
}

/// A shell with nobody's settings, in which `papo` is this one and belongs to the room.
fn shell(room: &Room<'_>, home: &Scratch, command: &mut Command) -> Terminal {
    let papo = Path::new(env!("CARGO_BIN_EXE_papo"));
    let dir = papo.parent().expect("a file has a directory");
    let path = format!("{}:/usr/bin:/bin", dir.display());
    let (home, group) = (home.display().to_string(), room.group.to_string());
    let setup = Setup {
        env: &[
            ("HOME", &home),
            ("XDG_CONFIG_HOME", &home),
            ("XDG_STATE_HOME", &home),
            ("LANG", "C.UTF-8"),
            ("SHELL_PATH", &path),
            ("PAPO_INTERFACE", "127.0.0.1"),
            ("PAPO_GROUP", &group),
        ],
        ..Setup::default()
    };
    Terminal::running(command, &setup)
}

/// What Tab does behind these words, in a room of which there is one, and with a store in which ana and bia spoke.
fn tabs(mut shell: Terminal, room: &Room<'_>, store: &str) {
    let of_store = format!("papo history --store {store} --from bi");
    for (typed, rest) in [
        ("papo sc", "an"),
        ("papo doctor --interf", "ace"),
        ("papo --color nev", "er"),
        ("papo --interface l", "o"),
        ("papo scan --room room-", &room.name["room-".len()..]),
        (&*of_store, "a"),
    ] {
        let completed = format!("{typed}{rest}");
        shell.keys(&format!("\x15\x0c{typed}\t"));
        shell.wait(&completed, |t| {
            let (before, _) = t.at_cursor();
            before.trim_end().ends_with(&completed)
        });
    }
    // Commands come before the options, which are many.
    shell.keys("\x15\x0cpapo \t\t");
    shell.shows("listen");
    shell.wait("no options", |t| !t.screen().contains("--heartbeat"));
    shell.keys("\x03");
}

/// A room with somebody in it, and a store in which two have spoken.
fn prepare(room: &Room<'_>, home: &Scratch) -> String {
    let store = home.join("s.db").display().to_string();
    for nick in ["ana", "bia"] {
        let sender = room
            .papo(nick, &["send", "hello", "--store", &store])
            .start();
        assert_eq!(sender.exit(), 0, "{}", sender.stderr());
    }
    // As it is typed: a long path would be wrapped.
    "~/s.db".to_owned()
}

#[test]
fn bash_completes() {
    if !is_there("bash") {
        return;
    }
    let permit = shared();
    let (room, home) = (Room::new(&permit), scratch_dir());
    let store = prepare(&room, &home);
    let ana = room.join("ana");
    ana.joined();
    let mut bash = Command::new("bash");
    bash.args(["--noprofile", "--norc", "-i"]);
    let mut bash = shell(&room, &home, &mut bash);
    bash.keys("PS1='% '; PATH=$SHELL_PATH; source <(papo completions bash); echo re''ady\r");
    bash.shows("ready");
    tabs(bash, &room, &store);
}

#[test]
fn zsh_completes() {
    if !is_there("zsh") {
        return;
    }
    let permit = shared();
    let (room, home) = (Room::new(&permit), scratch_dir());
    let store = prepare(&room, &home);
    let ana = room.join("ana");
    ana.joined();
    let mut zsh = Command::new("zsh");
    zsh.args(["-f", "-i"]);
    let mut zsh = shell(&room, &home, &mut zsh);
    zsh.keys("PS1='%% '; PATH=$SHELL_PATH; autoload -U compinit; compinit -u -D\r");
    zsh.keys("source <(papo completions zsh); echo re''ady\r");
    zsh.shows("ready");
    tabs(zsh, &room, &store);
}

#[test]
fn fish_completes() {
    if !is_there("fish") {
        return;
    }
    let permit = shared();
    let (room, home) = (Room::new(&permit), scratch_dir());
    let store = prepare(&room, &home);
    let ana = room.join("ana");
    ana.joined();
    let mut fish = Command::new("fish");
    fish.args(["--no-config", "-i"]);
    let mut fish = shell(&room, &home, &mut fish);
    fish.keys(
        "set -x PATH (string split : $SHELL_PATH); papo completions fish | source; echo re''ady\r",
    );
    fish.shows("ready");
    tabs(fish, &room, &store);
}
