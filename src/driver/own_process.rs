//! Starting this program once more, for what the loop must not wait for.
//!
//! Owns how such a process begins, and nothing of it afterwards. It has nothing of this one's but its pipes:
//! every other descriptor is closed when a program is started. It is in a process group of its own, so that
//! a Ctrl-C at the terminal does not reach it, and does not have the room's secret.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use mio::unix::pipe::Receiver;
use mio::{Interest, Registry, Token};

/// Starts it with these arguments. Its stdout is watched under this token, and never waited for; its stderr
/// goes nowhere.
///
/// # Errors
///
/// If the system does not let it; then no process is left.
pub(super) fn start(
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    stdin: Stdio,
    (registry, token): (&Registry, Token),
) -> io::Result<(Child, Receiver)> {
    let mut child = Command::new(crate::platform::own_program()?)
        .arg0("papo")
        .args(arguments)
        .env_remove("PAPO_SECRET")
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;
    let stdout = child.stdout.take().ok_or(ErrorKind::BrokenPipe)?;
    let mut answers = Receiver::from(stdout);
    let watched = (answers.set_nonblocking(true))
        .and_then(|()| registry.register(&mut answers, token, Interest::READABLE));
    if let Err(e) = watched {
        let _ = child.kill();
        let _ = child.wait();
        return Err(e);
    }
    Ok((child, answers))
}
