//! PRIVMSG, NOTICE and TAGMSG, AWAY, and what the rooms are told of them.
//!
//! The clients of this process hear a line at once; the room is told behind that. What has no form in papo (what is
//! said with tags alone, CTCP but for ACTION) stays in this process.

use std::rc::Rc;

use crate::limits::{IRC_ECHOES_MAX, IRC_LINE_BYTES_MAX, IRC_TOPIC_BYTES_MAX};
use crate::ui::act::Act;
use crate::wire::{Key, MessageId};

use super::super::caps::Cap;
use super::super::client::{Client, Said};
use super::super::line::{Line, body, cut, push_tag};
use super::super::past::Kept;
use super::super::{Conn, SeatId, names};
use super::{Place, Request, Server, iso};

/// A message on its way to clients.
#[derive(Clone, Debug)]
pub(super) struct Speech {
    /// `nick!user@host`.
    pub(super) source: Rc<str>,
    pub(super) command: &'static str,
    pub(super) target: Rc<str>,
    /// Its lines; true for those that go on with the line before.
    pub(super) lines: Rc<[(String, bool)]>,
    pub(super) client_tags: Rc<str>,
    pub(super) id: Rc<str>,
    pub(super) at_ms: u64,
    /// A batch that all of it belongs to, whoever gets it.
    pub(super) batch: Option<Rc<str>>,
}

impl Speech {
    /// A message of the past.
    pub(super) fn of(kept: &Kept) -> Speech {
        Speech {
            source: Rc::clone(&kept.source),
            command: kept.command,
            target: Rc::clone(&kept.target),
            lines: Rc::clone(&kept.lines),
            client_tags: Rc::clone(&kept.client_tags),
            id: Rc::clone(&kept.id),
            at_ms: kept.at_ms,
            batch: None,
        }
    }

    pub(super) fn kept(&self) -> Kept {
        Kept {
            id: Rc::clone(&self.id),
            at_ms: self.at_ms,
            source: Rc::clone(&self.source),
            command: self.command,
            target: Rc::clone(&self.target),
            with: "".into(),
            lines: Rc::clone(&self.lines),
            client_tags: Rc::clone(&self.client_tags),
        }
    }

    /// It as lines for those who know no batches, and once more for those who do; both are the same if there is
    /// one line.
    pub(super) fn written(&self) -> Written {
        let time = Some(iso(self.at_ms));
        let is_one = self.lines.len() == 1;
        let line = |text: &str| -> Rc<str> {
            let text = Some(text).filter(|_| self.command != "TAGMSG");
            body(&self.source, self.command, &[&self.target], text).into()
        };
        let said = |n: usize, text: &str| Said {
            body: line(text),
            time: time.clone(),
            msgid: (n == 0).then(|| Rc::clone(&self.id)),
            client_tags: Rc::clone(&self.client_tags),
            batch: self.batch.clone(),
            mark: None,
        };
        let shown = self
            .lines
            .iter()
            .filter(|(text, _)| is_one || !text.is_empty());
        let plain: Vec<Said> = shown
            .enumerate()
            .map(|(n, (text, _))| said(n, text))
            .collect();
        if is_one {
            return Written {
                plain,
                batched: None,
            };
        }
        let of_batch = self.lines.iter().map(|(text, goes_on)| Said {
            body: line(text),
            mark: goes_on.then(|| "draft/multiline-concat".into()),
            ..Said::default()
        });
        let opening = Said {
            body: self.target.clone(),
            ..said(0, "")
        };
        let batched = Some((opening, of_batch.collect()));
        Written { plain, batched }
    }
}

/// A message as lines.
#[derive(Debug)]
pub(super) struct Written {
    plain: Vec<Said>,
    /// What opens the batch, with the target in the place of a line, and the lines in it.
    batched: Option<(Said, Vec<Said>)>,
}

impl Written {
    /// Says it to one client.
    pub(super) fn say_to(&self, client: &mut Client, source: &str, unasked: bool) {
        let say = |client: &mut Client, said: &Said| match unasked {
            true => client.say_unasked(said),
            false => client.say(said),
        };
        let knows = client.has(Cap::Multiline) && client.has(Cap::Batch);
        let Some((opening, lines)) = self.batched.as_ref().filter(|_| knows) else {
            return self.plain.iter().for_each(|said| say(client, said));
        };
        let batch = client.new_batch();
        let (target, name) = (&opening.body, format!("+{batch}"));
        let mut begin = opening.clone();
        begin.body = body(source, "BATCH", &[&name, "draft/multiline", target], None).into();
        say(client, &begin);
        for line in lines {
            let mut line = line.clone();
            line.batch = Some(Rc::clone(&batch));
            say(client, &line);
        }
        let mut end = Said::default();
        end.batch.clone_from(&opening.batch);
        end.body = body(source, "BATCH", &[&format!("-{batch}")], None).into();
        say(client, &end);
    }
}

/// The tags that clients say to each other, as they are written.
pub(super) fn client_tags(line: &Line<'_>) -> Rc<str> {
    let mut out = String::new();
    for (key, value) in line.tags.iter().filter(|(key, _)| key.starts_with('+')) {
        if !out.is_empty() {
            out.push(';');
        }
        push_tag(&mut out, key, value);
    }
    out.into()
}

impl Server {
    pub(super) fn on_message(&mut self, conn: Conn, command: &str, line: &Line<'_>) {
        let command = match command {
            "NOTICE" => "NOTICE",
            "TAGMSG" => "TAGMSG",
            _ => "PRIVMSG",
        };
        if line.tag("batch").is_some() {
            return self.gather(conn, line);
        }
        let (asked, text) = (line.param(0), line.param(1).unwrap_or(""));
        let Some(asked) = asked.filter(|p| !p.is_empty()) else {
            return match command {
                "NOTICE" => {}
                "TAGMSG" => self.needs_more(conn, command),
                _ => self.reply(conn, "411", &[], Some("No recipient given (PRIVMSG)")),
            };
        };
        let knows_tags = self.clients.get(&conn).is_some_and(|c| c.has(Cap::Tags));
        if command == "TAGMSG" && !knows_tags {
            return self.reply(conn, "421", &[command], Some("Unknown command"));
        }
        if text.is_empty() && command != "TAGMSG" {
            if command == "PRIVMSG" {
                self.reply(conn, "412", &[], Some("No text to send"));
            }
            return;
        }
        let tags = if knows_tags {
            client_tags(line)
        } else {
            "".into()
        };
        let lines: Rc<[(String, bool)]> = [(text.to_owned(), false)].into();
        for target in Server::targets(asked) {
            self.talk(conn, command, target, Rc::clone(&lines), Rc::clone(&tags));
        }
    }

    /// Says something to a channel or to somebody.
    pub(super) fn talk(
        &mut self,
        conn: Conn,
        command: &'static str,
        target: &str,
        lines: Rc<[(String, bool)]>,
        client_tags: Rc<str>,
    ) {
        let Some(client) = self.clients.get(&conn) else {
            return;
        };
        let speech = Speech {
            source: client.mask().into(),
            command,
            target: target.into(),
            lines,
            client_tags,
            id: "".into(),
            at_ms: self.now.wall_ms,
            batch: None,
        };
        match target.starts_with(names::CHANNEL) {
            true => self.talk_in(conn, speech),
            false => self.talk_to(conn, speech),
        }
    }

    fn talk_in(&mut self, conn: Conn, mut speech: Speech) {
        let folded = names::folded(&speech.target);
        let is_silent = speech.command == "NOTICE";
        let Some(channel) = self.channels.get(&folded) else {
            let target = Rc::clone(&speech.target);
            if !is_silent {
                self.no_channel(conn, &target);
            }
            return;
        };
        let Some(seat) = channel.seat_of(conn) else {
            let text = "Cannot send to channel: you are not in it";
            let target = Rc::clone(&speech.target);
            if !is_silent {
                self.reply(conn, "404", &[&target], Some(text));
            }
            return;
        };
        speech.target = channel.shared_name();
        let texts = told(&speech);
        if texts.iter().any(|text| {
            matches!(
                Act::of(text),
                Some(Act::Topic(_) | Act::Away(_) | Act::Back)
            )
        }) {
            let text = "Cannot send to channel: TOPIC and AWAY are commands of their own";
            let target = Rc::clone(&speech.target);
            return self.reply(conn, "404", &[&target], Some(text));
        }
        let before = self.seats.get(&seat).map_or(0, |s| s.said);
        speech.id = match texts.is_empty() {
            true => self.own_id(),
            false => self.id_of(seat, before + 1),
        };
        for text in texts {
            self.say_from(seat, text);
        }
        if speech.command != "TAGMSG"
            && let Some(channel) = self.channels.get_mut(&folded)
        {
            channel.past.push(speech.kept());
        }
        self.echo(conn, &speech, Some(seat));
        self.hear(&folded, &speech, Some(conn));
    }

    /// Everybody of this process in a channel hears it.
    pub(super) fn hear(&mut self, folded: &str, speech: &Speech, but: Option<Conn>) {
        let Some(channel) = self.channels.get(folded) else {
            return;
        };
        let written = speech.written();
        for conn in channel.conns().filter(|c| Some(*c) != but) {
            let client = self.clients.get_mut(&conn);
            let wants = |c: &Client| speech.command != "TAGMSG" || c.has(Cap::Tags);
            if let Some(client) = client.filter(|c| wants(c)) {
                written.say_to(client, &speech.source, false);
            }
        }
    }

    /// The author hears it, if it wants to: at once, or when everybody has confirmed it.
    fn echo(&mut self, conn: Conn, speech: &Speech, seat: Option<SeatId>) {
        let Some(client) = self.clients.get_mut(&conn).filter(|c| c.has(Cap::Echo)) else {
            return;
        };
        if speech.command == "TAGMSG" && !client.has(Cap::Tags) {
            return;
        }
        let written = speech.written();
        let seat = seat.and_then(|id| self.seats.get_mut(&id));
        match seat.filter(|_| client.has(Cap::Confirmed) && speech.command != "TAGMSG") {
            Some(seat) => {
                if seat.echoes.len() >= IRC_ECHOES_MAX
                    && let Some((_, oldest)) = seat.echoes.pop_front()
                {
                    oldest.iter().for_each(|said| client.say_unasked(said));
                }
                seat.echoes.push_back((seat.said, written.plain));
            }
            None => written.say_to(client, &speech.source, false),
        }
    }

    fn talk_to(&mut self, conn: Conn, mut speech: Speech) {
        let nick = Rc::clone(&speech.target);
        let is_silent = speech.command == "NOTICE";
        let away = match self.client_named(&nick) {
            Some(to) => {
                speech.id = self.own_id();
                let known = self.clients.get(&to);
                let (name, away) = known
                    .map(|c| (c.name().into(), c.away.clone()))
                    .unwrap_or_default();
                speech.target = name;
                self.deliver(to, &speech, to == conn);
                if to != conn {
                    let author = speech.source.split('!').next().unwrap_or("").to_owned();
                    self.keep_private(to, &speech, &author);
                }
                away
            }
            None => {
                let Some(person) = self.people.named(&nick) else {
                    if !is_silent {
                        self.no_nick(conn, &nick);
                    }
                    return;
                };
                let (away, name) = (person.away.clone(), person.nick.as_str().into());
                speech.target = name;
                speech.id = self.own_id();
                let texts = told(&speech);
                if !texts
                    .iter()
                    .all(|text| self.tell_privately(conn, &nick, text))
                {
                    if !is_silent {
                        self.no_nick(conn, &nick);
                    }
                    return;
                }
                away
            }
        };
        self.echo(conn, &speech, None);
        self.keep_private(conn, &speech, &Rc::clone(&speech.target));
        if let Some(text) = away.filter(|_| speech.command == "PRIVMSG") {
            self.reply(conn, "301", &[&speech.target], Some(&text));
        }
    }

    /// What was said privately is kept for this client, as long as it is here.
    pub(super) fn keep_private(&mut self, conn: Conn, speech: &Speech, with: &str) {
        let client = self.clients.get_mut(&conn);
        if let Some(client) = client.filter(|_| speech.command != "TAGMSG") {
            let with = names::folded(with).into();
            client.private.push(Kept {
                with,
                ..speech.kept()
            });
        }
    }

    /// One client hears it.
    pub(super) fn deliver(&mut self, to: Conn, speech: &Speech, unasked: bool) {
        let client = self.clients.get_mut(&to);
        let wants = |c: &Client| speech.command != "TAGMSG" || c.has(Cap::Tags);
        if let Some(client) = client.filter(|c| wants(c)) {
            speech.written().say_to(client, &speech.source, unasked);
        }
    }

    /// Says something to somebody elsewhere, by way of a room that both are in: of several the one in which it is
    /// known longest. False if there is none.
    pub(super) fn tell_privately(&mut self, conn: Conn, nick: &str, text: &str) -> bool {
        let Some(person) = self.people.named(nick) else {
            return false;
        };
        let nodes = person.nodes.clone();
        let found = nodes.iter().find_map(|(channel, key, _)| {
            let seat = self.seat_in(channel, conn)?;
            let place = self.seats.get(&seat)?.place;
            (place == Place::Joined).then_some((seat, *key))
        });
        let Some((seat, to)) = found else {
            return false;
        };
        let text = text.to_owned();
        self.requests.push_back(Request::Private { seat, to, text });
        true
    }

    /// The node of a client says something in its room, which nobody here is shown.
    pub(super) fn tell(&mut self, conn: Conn, folded: &str, text: &str) {
        if let Some(seat) = self.seat_in(folded, conn) {
            self.say_from(seat, text.to_owned());
        }
    }

    fn say_from(&mut self, id: SeatId, text: String) {
        let Some(seat) = self.seats.get_mut(&id) else {
            return;
        };
        seat.said += 1;
        if let (Some(key), Some(channel)) = (seat.key, self.channels.get_mut(&seat.channel)) {
            channel.show(key, seat.said);
        }
        match seat.place {
            Place::Waiting => seat.unsaid.push_back(text),
            _ => self.requests.push_back(Request::Say { seat: id, text }),
        }
    }

    /// The name of a message; of a node whose key is not known yet one that only this process knows.
    fn id_of(&self, id: SeatId, seq: u64) -> Rc<str> {
        match self.seats.get(&id).and_then(|s| s.key) {
            Some(origin) => message_id(origin, seq),
            None => format!("{:x}-{}-{seq}", self.since_ms, id.0).into(),
        }
    }

    pub(super) fn on_away(&mut self, conn: Conn, line: &Line<'_>) {
        let text = line.param(0).filter(|t| !t.is_empty());
        let text = text.map(|t| cut(t, IRC_TOPIC_BYTES_MAX).to_owned());
        let Some(client) = self.clients.get_mut(&conn) else {
            return;
        };
        let is_same = client.away == text;
        client.away.clone_from(&text);
        let (mask, channels) = (client.mask(), client.channels.clone());
        match text {
            Some(_) => self.reply(conn, "306", &[], Some("You have been marked as being away")),
            None => self.reply(
                conn,
                "305",
                &[],
                Some("You are no longer marked as being away"),
            ),
        }
        if is_same {
            return;
        }
        let said = self.said(body(&mask, "AWAY", &[], text.as_deref()));
        for mate in self.mates(conn) {
            let mate = self
                .clients
                .get_mut(&mate)
                .filter(|m| m.has(Cap::AwayNotify));
            if let Some(mate) = mate {
                mate.say(&said);
            }
        }
        let line = text.as_deref().map_or(Act::Back, Act::Away).line();
        for channel in channels {
            self.tell(conn, &channel, &line);
        }
    }
}

/// The name of a message of a room.
pub(super) fn message_id(origin: Key, seq: u64) -> Rc<str> {
    MessageId { origin, seq }.to_string().into()
}

/// What a room is told of it: a message for each line, those that go on with the line before in one with it.
fn told(speech: &Speech) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    if speech.command == "TAGMSG" {
        return texts;
    }
    for (line, goes_on) in speech.lines.iter() {
        match texts.last_mut().filter(|_| *goes_on) {
            Some(last) => last.push_str(line),
            None => texts.push(line.clone()),
        }
    }
    // Other CTCP is a question to programs, which papo's people cannot answer.
    let is_told = |t: &String| !t.starts_with('\u{1}') || Act::of(t).is_some();
    texts.retain(is_told);
    texts
}

/// What of a line is left for a text, with this source and target.
pub(super) fn room_for_text(source: &str, target: &str) -> usize {
    let used = source.len() + target.len() + ": PRIVMSG  :\r\n".len();
    IRC_LINE_BYTES_MAX.saturating_sub(used).max(64)
}
