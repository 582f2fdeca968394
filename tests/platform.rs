//! What only one operating system has stays behind one module, `src/platform`: every file of the program
//! is read here, so that it goes on compiling for the others.

use std::fs;
use std::path::{Path, PathBuf};

/// What no other file may name, in any capitals. Comments may.
const ONE_SYSTEMS_OWN: [&str; 20] = [
    "target_os",
    "cfg(unix",
    "cfg(windows",
    "linux",
    "macos",
    "\"portable\"",
    "netlink",
    "/proc/",
    "/sys/",
    "prctl",
    "parent_process_death",
    "o_path",
    "inotify",
    "epoll",
    "kqueue",
    "pidfd",
    "memfd",
    "eventfd",
    "boottime",
    "multicast_all",
];
/// The same, but only as they stand here.
const CONSTANTS: [&str; 3] = ["SO_", "IP_", "RTMGRP_"];

fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("a directory of the sources") {
        let path = entry.expect("an entry of it").path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
    found
}

/// What a line names that it may not.
fn offence(line: &str) -> Option<&'static str> {
    let code = line.split_once("//").map_or(line, |(code, _)| code);
    let lower = code.to_lowercase();
    let named = ONE_SYSTEMS_OWN.iter().find(|word| lower.contains(**word));
    named
        .or_else(|| CONSTANTS.iter().find(|word| starts_a_word(code, word)))
        .copied()
}

/// Whether a word of the code begins like this.
fn starts_a_word(code: &str, start: &str) -> bool {
    let mut words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.any(|word| word.starts_with(start))
}

#[test]
fn what_only_one_system_has_is_named_in_the_platform_module_alone() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let own = src.join("platform");
    let mut offences = Vec::new();
    let files = files_below(&src);
    assert!(files.len() > 100, "the sources are there");
    for path in files.iter().filter(|path| !path.starts_with(&own)) {
        let text = fs::read_to_string(path).expect("a source is text");
        for (n, line) in text.lines().enumerate() {
            if let Some(word) = offence(line) {
                offences.push(format!("{}:{}: {word}: {line}", path.display(), n + 1));
            }
        }
    }
    assert!(
        offences.is_empty(),
        "this belongs into src/platform/linux.rs, with another way in portable.rs:\n{}",
        offences.join("\n")
    );
}

/// The items of a file that others may use.
fn items(text: &str) -> Vec<String> {
    let kinds = ["fn ", "struct ", "enum ", "const "];
    let names = text.lines().filter_map(|line| {
        let rest = line.trim_start().strip_prefix("pub(crate) ")?;
        let rest = kinds.iter().find_map(|kind| rest.strip_prefix(kind))?;
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_')?;
        Some(rest[..end].to_owned())
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn both_ways_give_the_same_items() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/platform");
    let of = |file: &str| items(&fs::read_to_string(dir.join(file)).expect("it is there"));
    assert!(!of("linux.rs").is_empty());
    assert_eq!(of("linux.rs"), of("portable.rs"));
}

#[test]
fn what_is_forbidden_is_found_and_what_only_looks_like_it_is_not() {
    for line in [
        "use rustix::net::netlink::SocketAddrNetlink;",
        "#[cfg(target_os = \"linux\")]",
        "let status = std::fs::read_to_string(\"/proc/self/status\");",
        "setsockopt(fd, SOL_SOCKET, libc::SO_BINDTODEVICE)",
    ] {
        assert!(offence(line).is_some(), "{line}");
    }
    for line in [
        "// Linux alone has /proc.",
        "fn so_many() {}",
        "const ALSO_SO: u8 = 1;",
    ] {
        assert_eq!(offence(line), None, "{line}");
    }
}
