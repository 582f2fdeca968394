//! A disk of half a mebibyte, in a mount namespace that goes with the process that sees it.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::process::Node;
use super::room::Room;

/// A shell in a mount namespace of its own, in which `full` is a small disk, runs this; none if
/// that is not possible here.
pub fn with_small_disk(room: &Room, dir: &Path, script: &str) -> Option<Node> {
    let unshare = ["-Urm", "sh", "-c"];
    let mount = "mount -t tmpfs -o size=512k,mode=700 none full";
    let possible = Command::new("unshare")
        .args(unshare)
        .arg(mount)
        .current_dir(dir)
        .stderr(std::process::Stdio::null())
        .status();
    if !possible.is_ok_and(|status| status.success()) {
        let needed = std::env::var_os("PAPO_TEST_NO_SKIP").is_some();
        assert!(!needed, "no mount namespaces here (unshare -Urm)");
        println!("skipped: no mount namespaces here (unshare -Urm)");
        return None;
    }
    let script = format!("exec unshare -Urm sh -c '{mount} && {script}'");
    Some(room.bash("small", &script).events().dir(dir).start())
}

/// The directory as that shell sees it: through its first child or itself.
pub fn inside(dir: &Path, node: &Node) -> PathBuf {
    let full = dir.join("full");
    let path = full.strip_prefix("/").expect("it is absolute");
    PathBuf::from(format!("/proc/{}/root", node.pid().as_raw_nonzero())).join(path)
}
