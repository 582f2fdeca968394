//! Messages of several lines: what a client gathers in a batch, until it is complete.
//!
//! A client gathers one message at a time, of a bounded size. Papo has messages of one line: the room is told each
//! line by itself, those that only go on in one with the line before.

use std::rc::Rc;

use crate::limits::{IRC_MULTILINE_BYTES_MAX, IRC_MULTILINE_LINES_MAX};

use super::super::Conn;
use super::super::caps::Cap;
use super::super::line::Line;
use super::Server;
use super::talking::client_tags;

const BATCH: &str = "draft/multiline";
const GOES_ON: &str = "draft/multiline-concat";

/// A message that is not complete yet.
#[derive(Debug)]
pub(super) struct Gathered {
    reference: String,
    target: String,
    label: Option<String>,
    client_tags: Rc<str>,
    command: Option<&'static str>,
    lines: Vec<(String, bool)>,
    bytes: usize,
    /// It was refused, and the rest of it is passed over.
    refused: bool,
}

/// Why a line is refused: the code, what belongs to it, and the words.
type Refusal = (&'static str, Option<String>, &'static str);

impl Gathered {
    /// Takes one more line in, if it belongs to the message.
    fn take(&mut self, line: &Line<'_>) -> Result<(), Refusal> {
        let command = match line.command.to_ascii_uppercase().as_str() {
            "PRIVMSG" => Some("PRIVMSG"),
            "NOTICE" => Some("NOTICE"),
            _ => None,
        };
        let text = line.param(1).unwrap_or("");
        let goes_on = line.tag(GOES_ON).is_some();
        let invalid = |why| Err(("MULTILINE_INVALID", None, why));
        if command.is_none() || self.command.is_some_and(|c| Some(c) != command) {
            return invalid("A message is all PRIVMSG, or all NOTICE");
        }
        if line.param(0) != Some(&self.target) {
            return invalid("All lines have the target of the batch");
        }
        if goes_on && text.is_empty() {
            return invalid("A line that goes on cannot be empty");
        }
        if self.lines.len() >= IRC_MULTILINE_LINES_MAX {
            let most = Some(IRC_MULTILINE_LINES_MAX.to_string());
            return Err((
                "MULTILINE_MAX_LINES",
                most,
                "The message has too many lines",
            ));
        }
        self.bytes += text.len() + usize::from(!goes_on);
        if self.bytes > IRC_MULTILINE_BYTES_MAX {
            let most = Some(IRC_MULTILINE_BYTES_MAX.to_string());
            return Err(("MULTILINE_MAX_BYTES", most, "The message is too long"));
        }
        self.command = command;
        self.lines.push((text.to_owned(), goes_on));
        Ok(())
    }
}

impl Server {
    pub(super) fn on_batch(&mut self, conn: Conn, line: &Line<'_>) {
        let reference = line.param(0).unwrap_or("");
        let knows = self
            .clients
            .get(&conn)
            .is_some_and(|c| c.has(Cap::Multiline));
        if !knows {
            return self.reply(conn, "421", &["BATCH"], Some("Unknown command"));
        }
        if let Some(reference) = reference.strip_prefix('+') {
            return self.begin_gathering(conn, reference, line);
        }
        let is_open = self
            .gathered
            .get(&conn)
            .is_some_and(|g| reference.strip_prefix('-') == Some(&*g.reference));
        let Some(gathered) = is_open.then(|| self.gathered.remove(&conn)).flatten() else {
            return self.invalid(conn, "No such batch is open");
        };
        if gathered.refused {
            return;
        }
        let label = gathered.label.clone();
        self.answered(conn, label.as_deref(), |server| {
            server.complete(conn, gathered)
        });
    }

    fn begin_gathering(&mut self, conn: Conn, reference: &str, line: &Line<'_>) {
        let is_ours =
            line.param(1) == Some(BATCH) && !reference.is_empty() && reference.len() <= 64;
        let (true, Some(target)) = (is_ours, line.param(2)) else {
            return self.invalid(conn, "Such a batch cannot be opened");
        };
        if self.gathered.contains_key(&conn) {
            return self.invalid(conn, "A batch is open already");
        }
        let knows_tags = self.clients.get(&conn).is_some_and(|c| c.has(Cap::Tags));
        let gathered = Gathered {
            reference: reference.to_owned(),
            target: target.to_owned(),
            label: line.tag("label").map(str::to_owned),
            client_tags: if knows_tags {
                client_tags(line)
            } else {
                "".into()
            },
            command: None,
            lines: Vec::new(),
            bytes: 0,
            refused: false,
        };
        self.gathered.insert(conn, gathered);
    }

    fn invalid(&mut self, conn: Conn, text: &str) {
        self.fail(conn, "BATCH", "MULTILINE_INVALID", &[], text);
    }

    /// A line of a batch.
    pub(super) fn gather(&mut self, conn: Conn, line: &Line<'_>) {
        let reference = line.tag("batch").unwrap_or("");
        let Some(gathered) = self
            .gathered
            .get_mut(&conn)
            .filter(|g| g.reference == reference)
        else {
            return self.invalid(conn, "No such batch is open");
        };
        if gathered.refused {
            return;
        }
        let Err((code, context, why)) = gathered.take(line) else {
            return;
        };
        gathered.refused = true;
        let label = gathered.label.clone();
        let context: Vec<&str> = context.iter().map(String::as_str).collect();
        self.answered(conn, label.as_deref(), |server| {
            server.fail(conn, "BATCH", code, &context, why);
        });
    }

    fn complete(&mut self, conn: Conn, gathered: Gathered) {
        let Gathered {
            target,
            client_tags,
            command,
            mut lines,
            ..
        } = gathered;
        if let Some(first) = lines.first_mut() {
            // There is none before it.
            first.1 = false;
        }
        match command.filter(|_| lines.iter().any(|(text, _)| !text.is_empty())) {
            Some(command) => self.talk(conn, command, &target, lines.into(), client_tags),
            None => self.reply(conn, "412", &[], Some("No text to send")),
        }
    }
}
