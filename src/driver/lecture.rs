//! A terminal for a lecture: keys in, frames out, and the time between them.
//!
//! Owns the terminal's mode while it lasts, and gives it back, also if a signal asks to leave. It knows nothing of nodes.

use std::io::{self, Read as _, Write as _};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::stdio::stdin;
use rustix::termios::{OptionalActions, isatty, tcgetattr, tcgetwinsize, tcsetattr};

use crate::demo::{Screen, Wish};
use crate::node::Time;

use super::clock::Clock;
use super::console::LeaveFlags;

/// How often the screen is drawn, and how long a key may wait.
const FRAME: Duration = Duration::from_millis(50);
/// The other screen, without a cursor; and back.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l";
const LEAVE: &[u8] = b"\x1b[?25h\x1b[?1049l";

/// Shows the nodes until the user quits, or a signal asks to leave. `write` writes what there is, and says where it is.
///
/// # Errors
///
/// If there is no terminal, or it goes away.
pub fn lecture(
    screen: &mut Screen,
    mut write: impl FnMut(&Screen) -> Result<String, String>,
) -> Result<(), String> {
    let out = io::stdout();
    if !isatty(stdin()) || !isatty(&out) {
        return Err(
            "demo: there is no terminal to play in; --script NAME plays a lesson without one"
                .to_owned(),
        );
    }
    let fail = |e: io::Error| format!("demo: the terminal cannot be used: {e}");
    let leave = LeaveFlags::new().map_err(fail)?;
    let before = tcgetattr(stdin()).map_err(|e| fail(e.into()))?;
    let mut raw = before.clone();
    raw.make_raw();
    tcsetattr(stdin(), OptionalActions::Flush, &raw).map_err(|e| fail(e.into()))?;
    let played = out
        .lock()
        .write_all(ENTER)
        .and_then(|()| play(screen, &leave, &mut write));
    let _ = out
        .lock()
        .write_all(LEAVE)
        .and_then(|()| out.lock().flush());
    let _ = tcsetattr(stdin(), OptionalActions::Drain, &before);
    match played {
        // A terminal that goes away (SIGHUP) cannot be drawn on any more.
        Err(e) if !leave.is_asked() => Err(fail(e)),
        _ => Ok(()),
    }
}

fn play(
    screen: &mut Screen,
    leave: &LeaveFlags,
    write: &mut impl FnMut(&Screen) -> Result<String, String>,
) -> io::Result<()> {
    let clock = Clock::new();
    let mut last = clock.time();
    while !leave.is_asked() {
        let now = clock.time();
        screen.pass(now.since(last));
        last = now;
        draw(screen)?;
        let Some(keys) = keys(now, &clock)? else {
            continue;
        };
        match screen.keys(&keys) {
            Some(Wish::Write) => {
                let words = write(screen).unwrap_or_else(|words| words);
                screen.remark(&words);
            }
            Some(Wish::Quit) => break,
            None => {}
        }
    }
    Ok(())
}

/// The keys that come until the next frame.
fn keys(drawn: Time, clock: &Clock) -> io::Result<Option<Vec<u8>>> {
    let rest = FRAME.saturating_sub(clock.time().since(drawn));
    let timeout = Timespec {
        tv_sec: 0,
        tv_nsec: i64::from(rest.subsec_nanos()),
    };
    let input = stdin();
    let mut waits = [PollFd::new(&input, PollFlags::IN)];
    match poll(&mut waits, Some(&timeout)) {
        Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(None),
        Ok(_) => {}
        Err(e) => return Err(e.into()),
    }
    let mut bytes = [0; 64];
    match io::stdin().lock().read(&mut bytes)? {
        // Its end: nobody is there any more.
        0 => Ok(Some(vec![4])),
        read => Ok(Some(bytes[..read].to_vec())),
    }
}

fn draw(screen: &Screen) -> io::Result<()> {
    let size = tcgetwinsize(io::stdout()).map_or((80, 24), |s| (s.ws_col, s.ws_row));
    let lines = screen.frame(usize::from(size.0.max(1)), usize::from(size.1.max(1)));
    let mut frame = String::from("\x1b[H");
    for (number, line) in lines.iter().enumerate() {
        if number > 0 {
            frame.push_str("\r\n");
        }
        frame.push_str(line);
        frame.push_str("\x1b[K");
    }
    frame.push_str("\x1b[J");
    let mut out = io::stdout().lock();
    out.write_all(frame.as_bytes())?;
    out.flush()
}
