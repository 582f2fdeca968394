//! How the server says something: to one client, to a channel, to all who share one with a client.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::super::channel::Channel;
use super::super::client::Said;
use super::super::line::body;
use super::super::{Conn, SeatId, names};
use super::{Server, iso};

impl Server {
    /// A numeric for one client.
    pub(super) fn reply(&mut self, to: Conn, number: &str, params: &[&str], text: Option<&str>) {
        let Some(client) = self.clients.get_mut(&to) else {
            return;
        };
        let mut all = vec![client.name()];
        all.extend(params);
        let line = body(&self.settings.name, number, &all, text);
        client.put(line);
    }

    /// A command whose parameters are too few.
    pub(super) fn needs_more(&mut self, to: Conn, command: &str) {
        self.reply(to, "461", &[command], Some("Not enough parameters"));
    }

    pub(super) fn no_channel(&mut self, to: Conn, name: &str) {
        self.reply(to, "403", &[name], Some("No such channel"));
    }

    pub(super) fn no_nick(&mut self, to: Conn, nick: &str) {
        self.reply(to, "401", &[nick], Some("No such nick/channel"));
    }

    /// FAIL, as `standard-replies` has it.
    pub(super) fn fail(
        &mut self,
        to: Conn,
        command: &str,
        code: &str,
        context: &[&str],
        text: &str,
    ) {
        let mut all = vec![command, code];
        all.extend(context);
        let line = body(&self.settings.name, "FAIL", &all, Some(text));
        if let Some(client) = self.clients.get_mut(&to) {
            client.put(line);
        }
    }

    /// A notice of the server.
    pub(super) fn notice(&mut self, to: Conn, text: &str) {
        let source = self.settings.name.clone();
        if let Some(client) = self.clients.get_mut(&to) {
            let line = body(&source, "NOTICE", &[client.name()], Some(text));
            client.say_unasked(&Said {
                body: line.into(),
                ..Said::default()
            });
        }
    }

    /// A line that is said now.
    pub(super) fn said(&self, body: String) -> Said {
        Said {
            body: body.into(),
            time: Some(iso(self.now.wall_ms)),
            ..Said::default()
        }
    }

    /// Says it to everybody of this process who is in a channel.
    pub(super) fn say_in(&mut self, channel: &str, said: &Said, but: Option<Conn>) {
        let Some(channel) = self.channels.get(channel) else {
            return;
        };
        for conn in channel.conns().filter(|conn| Some(*conn) != but) {
            if let Some(client) = self.clients.get_mut(&conn) {
                client.say(said);
            }
        }
    }

    /// Everybody of this process who shares a channel with a client, without itself.
    pub(super) fn mates(&self, conn: Conn) -> BTreeSet<Conn> {
        let channels = self.clients.get(&conn).map(|c| &c.channels);
        let channels = channels.into_iter().flatten();
        let channels = channels.filter_map(|name| self.channels.get(name));
        let mut mates: BTreeSet<Conn> = channels.flat_map(Channel::conns).collect();
        mates.remove(&conn);
        mates
    }

    /// Says it to the client and to everybody of this process who shares a channel with it.
    pub(super) fn say_around(&mut self, conn: Conn, said: &Said) {
        let mut all = self.mates(conn);
        all.insert(conn);
        for mate in all {
            if let Some(client) = self.clients.get_mut(&mate) {
                client.say(said);
            }
        }
    }

    /// A name for a line that no room knows.
    pub(super) fn own_id(&mut self) -> Rc<str> {
        self.next_id += 1;
        format!("{:x}-{}", self.since_ms, self.next_id).into()
    }

    /// The client with this nick.
    pub(super) fn client_named(&self, nick: &str) -> Option<Conn> {
        self.nicks.get(&names::folded(nick)).copied()
    }

    /// Of this channel, the node of this client.
    pub(super) fn seat_in(&self, channel: &str, conn: Conn) -> Option<SeatId> {
        self.channels.get(channel)?.seat_of(conn)
    }
}
