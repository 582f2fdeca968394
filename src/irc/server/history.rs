//! What was said before: for those who ask with CHATHISTORY, and for those who join and cannot ask.
//!
//! Private messages are kept for a client as long as it is connected: papo has no history of them, and without
//! accounts whoever takes a nick later must not read what was said with it before.

use std::rc::Rc;

use crate::limits::IRC_HISTORY_LINES_MAX;

use super::super::caps::Cap;
use super::super::channel::Channel;
use super::super::client::Said;
use super::super::line::{Line, body};
use super::super::past::{Kept, Mark, Past};
use super::super::{Conn, names};
use super::talking::Speech;
use super::{Server, iso};

/// What goes wrong with CHATHISTORY.
type Refusal = (&'static str, &'static str);

const NO_TARGET: Refusal = (
    "INVALID_TARGET",
    "Messages could not be retrieved: you are not in it",
);
const BAD_PARAMS: Refusal = ("INVALID_PARAMS", "The parameters are not understood");

impl Server {
    pub(super) fn on_chathistory(&mut self, conn: Conn, line: &Line<'_>) {
        let command = line.param(0).unwrap_or("").to_ascii_uppercase();
        if line.params.len() < 4 {
            let text = "Missing parameters";
            return self.fail(conn, "CHATHISTORY", "INVALID_PARAMS", &[&command], text);
        }
        let done = match command.as_str() {
            "TARGETS" => self.history_targets(conn, line),
            _ => self.history_of(conn, &command, line),
        };
        if let Err((code, text)) = done {
            let target = line.param(1).unwrap_or("*");
            self.fail(conn, "CHATHISTORY", code, &[&command, target], text);
        }
    }

    fn history_of(&mut self, conn: Conn, command: &str, line: &Line<'_>) -> Result<(), Refusal> {
        let target = line.param(1).unwrap_or("");
        let folded = names::folded(target);
        let channel = self
            .channels
            .get(&folded)
            .filter(|c| c.seat_of(conn).is_some());
        let private;
        let (past, name): (&Past, Rc<str>) = match channel {
            Some(channel) => (&channel.past, channel.shared_name()),
            None if target.starts_with(names::CHANNEL) => return Err(NO_TARGET),
            None => {
                let client = self.clients.get(&conn).ok_or(NO_TARGET)?;
                private = client.private.only(&folded);
                (&private, target.into())
            }
        };
        let count = |at: usize| {
            let n = line.param(at).and_then(|n| n.parse::<usize>().ok());
            n.map(|n| n.min(IRC_HISTORY_LINES_MAX)).ok_or(BAD_PARAMS)
        };
        let mark = |at: usize| line.param(at).and_then(mark).ok_or(BAD_PARAMS);
        let found = match command {
            "LATEST" if line.param(2) == Some("*") => past.latest(None, count(3)?),
            "LATEST" => past.latest(Some(&mark(2)?), count(3)?),
            "BEFORE" => past.preceding(&mark(2)?, count(3)?),
            "AFTER" => past.following(&mark(2)?, count(3)?),
            "AROUND" => past.around(&mark(2)?, count(3)?),
            "BETWEEN" => past.between(&mark(2)?, &mark(3)?, count(4)?),
            _ => return Err(("INVALID_PARAMS", "Unknown subcommand")),
        };
        self.show_kept(conn, name, &found);
        Ok(())
    }

    fn history_targets(&mut self, conn: Conn, line: &Line<'_>) -> Result<(), Refusal> {
        let time = |at: usize| match line.param(at).and_then(mark) {
            Some(Mark::Time(ms)) => Ok(ms),
            _ => Err(BAD_PARAMS),
        };
        let (one, other) = (time(1)?, time(2)?);
        let (from, to) = (one.min(other), one.max(other));
        let count = line
            .param(3)
            .and_then(|n| n.parse::<usize>().ok())
            .ok_or(BAD_PARAMS)?;
        let mine = self.channels.values().filter(|c| c.seat_of(conn).is_some());
        let newest = |c: &Channel| c.past.newest().map(|k| (k.at_ms, c.name.clone()));
        let mut found: Vec<(u64, String)> = mine.filter_map(newest).collect();
        let private = self.clients.get(&conn).map(|c| c.private.newest_with());
        found.extend(private.into_iter().flatten());
        found.retain(|(at, _)| from < *at && *at < to);
        found.sort();
        found.truncate(count.min(IRC_HISTORY_LINES_MAX));
        let lines = found.iter().map(|(at, name)| Said {
            body: body(
                &self.settings.name,
                "CHATHISTORY",
                &["TARGETS", name, &iso(*at)],
                None,
            )
            .into(),
            ..Said::default()
        });
        let lines: Vec<Said> = lines.collect();
        self.in_batch(
            conn,
            &["draft/chathistory-targets"],
            |client, source, batch| {
                let _ = source;
                for mut line in lines {
                    line.batch = Some(Rc::clone(batch));
                    client.say(&line);
                }
            },
        );
        Ok(())
    }

    fn show_kept(&mut self, conn: Conn, target: Rc<str>, found: &[Kept]) {
        self.in_batch(conn, &["chathistory", &target], |client, source, batch| {
            for kept in found {
                let mut speech = Speech::of(kept);
                speech.batch = Some(Rc::clone(batch));
                speech.written().say_to(client, source, false);
            }
        });
    }

    fn in_batch(
        &mut self,
        conn: Conn,
        about: &[&str],
        say: impl FnOnce(&mut super::super::client::Client, &str, &Rc<str>),
    ) {
        let source = self.settings.name.clone();
        let Some(client) = self.clients.get_mut(&conn) else {
            return;
        };
        let batch = client.new_batch();
        let has_batches = client.has(Cap::Batch);
        let opening = format!("+{batch}");
        let mut params = vec![opening.as_str()];
        params.extend(about);
        if has_batches {
            client.put(body(&source, "BATCH", &params, None));
        }
        say(client, &source, &batch);
        if has_batches {
            client.put(body(&source, "BATCH", &[&format!("-{batch}")], None));
        }
    }

    /// Shows who joins what was said before, if it can see that it was before, and does not ask itself.
    pub(super) fn show_past(&mut self, conn: Conn, folded: &str) {
        let Some(channel) = self.channels.get(folded) else {
            return;
        };
        let found = channel.past.latest(None, IRC_HISTORY_LINES_MAX);
        let name = channel.shared_name();
        self.show_before(conn, name, &found);
    }

    /// The same for these lines, but for those that it was shown before it left.
    pub(super) fn show_before(&mut self, conn: Conn, name: Rc<str>, found: &[Kept]) {
        let Some(client) = self.clients.get(&conn) else {
            return;
        };
        // In a batch for those who know batches; the others see by the time that it is of the past.
        if !client.has(Cap::Time) || client.has(Cap::Chathistory) {
            return;
        }
        let shown = client.shown.get(&names::folded(&name));
        let is_new = |kept: &&Kept| shown.is_none_or(|ids| !ids.contains(&kept.id));
        let found: Vec<Kept> = found.iter().filter(is_new).cloned().collect();
        if !found.is_empty() {
            self.show_kept(conn, name, &found);
        }
    }
}

/// A place that a client names: `timestamp=` or `msgid=`.
fn mark(text: &str) -> Option<Mark> {
    let (kind, value) = text.split_once('=')?;
    match kind {
        "msgid" => Some(Mark::Id(value.to_owned())),
        "timestamp" => {
            let at: jiff::Timestamp = value.parse().ok()?;
            u64::try_from(at.as_millisecond()).ok().map(Mark::Time)
        }
        _ => None,
    }
}
