//! A system that lets papo do less than usual.

use crate::harness::{Node, Room, one_line_that_names, shared};

/// Forbids netlink sockets, as systemd's `RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6` does, and
/// becomes the program that is named.
const NO_NETLINK: &str = r#"
import ctypes, os, platform, struct, sys
socket = {'x86_64': 41, 'aarch64': 198}.get(platform.machine())
if socket is None:
    sys.exit('the number of the system call is not known here')
allow, refuse, load, equals = (0x06, 0x7fff0000), (0x06, 0x50000 | 97), 0x20, 0x15
steps = [(load, 0, 0, 0), (equals, 0, 3, socket), (load, 0, 0, 16), (equals, 0, 1, 16),
         (refuse[0], 0, 0, refuse[1]), (allow[0], 0, 0, allow[1])]
steps = b''.join(struct.pack('HBBI', *step) for step in steps)
class Program(ctypes.Structure):
    _fields_ = [('len', ctypes.c_ushort), ('filter', ctypes.c_char_p)]
libc = ctypes.CDLL(None, use_errno=True)
program = Program(len(steps) // 8, steps)
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(program), 0, 0):
    sys.exit('no filter: ' + os.strerror(ctypes.get_errno()))
os.execvp(sys.argv[1], sys.argv[1:])
"#;

/// None, after saying why, where no such filter can be had.
fn without_netlink(room: &Room<'_>, command: &str) -> Option<Node> {
    let filter = format!(
        "exec python3 - <<'EOF' 2>&1\n{}\nEOF",
        NO_NETLINK.replace("os.execvp(sys.argv[1], sys.argv[1:])", "",)
    );
    let trial = room.bash("trial", &filter).start();
    if trial.exit() != 0 {
        let why = trial.stdout();
        assert!(
            std::env::var_os("PAPO_TEST_NO_SKIP").is_none(),
            "netlink cannot be forbidden: {why}"
        );
        eprintln!("SKIPPED: netlink cannot be forbidden: {why}");
        return None;
    }
    let script = format!(
        "exec python3 -c '{}' {command}",
        NO_NETLINK.replace('\'', "\"")
    );
    Some(room.bash("papo", &script).start())
}

#[test]
fn without_netlink_sockets_papo_runs_where_it_need_not_list_the_interfaces() {
    let permit = shared();
    let room = Room::new(&permit);
    let by_address = "--no-multicast --interface 127.0.0.1";
    for options in [by_address, "--no-multicast --listen 127.0.0.1:0"] {
        // Somebody whom it reaches.
        let ana = room.join_with("ana", &["--no-multicast", "--listen", "127.0.0.1:0"]);
        ana.joined();
        let listening = ana.event("listening", |e| e.is("listening"));
        let address = listening.list("tcp")[0]
            .as_str()
            .expect("an address")
            .to_owned();
        let command = format!("papo send --nick bia {options} --peer {address} hello");
        let Some(node) = without_netlink(&room, &command) else {
            return;
        };
        assert_eq!(node.exit(), 0, "{}", node.stderr());
        assert_eq!(node.stderr(), "");
        ana.heard("bia", 1);
    }
}

#[test]
fn without_netlink_sockets_papo_says_what_it_lacks_where_it_needs_the_interfaces() {
    let permit = shared();
    let room = Room::new(&permit);
    for command in [
        "papo send hello",
        "papo send --no-multicast --interface lo hello",
        "papo scan",
    ] {
        let Some(node) = without_netlink(&room, command) else {
            return;
        };
        assert_eq!(node.exit(), 3, "{}", node.stderr());
        one_line_that_names(&node, "cannot list the interfaces");
        assert!(node.stderr().contains("AF_NETLINK"), "{}", node.stderr());
        assert!(!node.stderr().contains("ulimit"), "{}", node.stderr());
    }
}

#[test]
fn without_descriptors_papo_says_so() {
    let permit = shared();
    let room = Room::new(&permit);
    let node = room
        .bash("papo", "ulimit -n 5; exec papo send hello")
        .start();
    assert_eq!(node.exit(), 3, "{}", node.stderr());
    one_line_that_names(&node, "ulimit -n");
}
