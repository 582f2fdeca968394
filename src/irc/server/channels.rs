//! NAMES, TOPIC, LIST, INVITE, and KICK, for which papo has no power.

use crate::limits::{IRC_LINE_BYTES_MAX, IRC_TOPIC_BYTES_MAX};
use crate::ui::act::Act;
use crate::wire::Key;

use super::super::caps::Cap;
use super::super::channel::{Channel, Head, Topic};
use super::super::line::{Line, body, cut};
use super::super::{Conn, names};
use super::Server;

/// What of a line is left for names, with everything else at its longest.
const NAMES_BYTES_MAX: usize = IRC_LINE_BYTES_MAX - 230;

impl Server {
    pub(super) fn on_names(&mut self, conn: Conn, line: &Line<'_>) {
        let Some(asked) = line.param(0).filter(|p| !p.is_empty()) else {
            let all: Vec<String> = self.channels.keys().cloned().collect();
            all.iter().for_each(|name| self.list_names(conn, name));
            return self.reply(conn, "366", &["*"], Some("End of /NAMES list"));
        };
        for name in Server::targets(asked) {
            self.list_names(conn, &names::folded(name));
        }
        self.reply(conn, "366", &[asked], Some("End of /NAMES list"));
    }

    pub(super) fn show_names(&mut self, conn: Conn, folded: &str) {
        self.list_names(conn, folded);
        if let Some(name) = self.channels.get(folded).map(Channel::shared_name) {
            self.reply(conn, "366", &[&name], Some("End of /NAMES list"));
        }
    }

    fn list_names(&mut self, conn: Conn, folded: &str) {
        let (Some(channel), Some(client)) = (self.channels.get(folded), self.clients.get(&conn))
        else {
            return;
        };
        let with_hosts = client.has(Cap::Userhost);
        let name = channel.shared_name();
        let mut lines: Vec<String> = vec![String::new()];
        for (_, prefix, nick, mask) in self.in_channel(channel) {
            let one = if with_hosts { mask } else { nick };
            let last = lines.last().map_or(0, String::len);
            if last > 0 && last + one.len() + 2 > NAMES_BYTES_MAX {
                lines.push(String::new());
            }
            if let Some(last) = lines.last_mut() {
                let gap = if last.is_empty() { "" } else { " " };
                last.extend([gap, prefix, &one]);
            }
        }
        for line in lines.iter().filter(|line| !line.is_empty()) {
            self.reply(conn, "353", &["=", &name], Some(line));
        }
    }

    /// Everybody in a channel: who is here, the prefix, the nick, and the nick with user and host.
    pub(super) fn in_channel<'a>(
        &'a self,
        channel: &'a Channel,
    ) -> impl Iterator<Item = (Result<Conn, Key>, &'static str, String, String)> + 'a {
        let prefix = |head| {
            if channel.head() == Some(head) {
                "@"
            } else {
                ""
            }
        };
        let here = channel.conns().filter_map(move |conn| {
            let client = self.clients.get(&conn)?;
            Some((
                Ok(conn),
                prefix(Head::Here(conn)),
                client.name().to_owned(),
                client.mask(),
            ))
        });
        let folded = names::folded(&channel.name);
        let others = channel.others().filter_map(move |key| {
            let person = self.people.get(&folded, key)?;
            Some((
                Err(key),
                prefix(Head::Elsewhere(key)),
                person.nick.clone(),
                person.mask(),
            ))
        });
        here.chain(others)
    }

    pub(super) fn on_topic(&mut self, conn: Conn, line: &Line<'_>) {
        let Some(name) = line.param(0).filter(|p| !p.is_empty()) else {
            return self.needs_more(conn, "TOPIC");
        };
        let folded = names::folded(name);
        let Some(channel) = self.channels.get_mut(&folded) else {
            return self.no_channel(conn, name);
        };
        if channel.seat_of(conn).is_none() {
            return self.not_on(conn, name);
        }
        let Some(text) = line.param(1) else {
            return self.show_topic(conn, &folded, true);
        };
        let text = cut(text, IRC_TOPIC_BYTES_MAX);
        let (Some(client), shown) = (self.clients.get(&conn), channel.name.clone()) else {
            return;
        };
        let mask = client.mask();
        channel.topic = (!text.is_empty()).then(|| Topic {
            text: text.to_owned(),
            by: client.name().to_owned(),
            at_ms: self.now.wall_ms,
        });
        let said = self.said(body(&mask, "TOPIC", &[&shown], Some(text)));
        self.say_in(&folded, &said, None);
        let line = Act::Topic(text).line();
        self.tell(conn, &folded, &line);
    }

    /// The topic; `says_none`: or that there is none.
    pub(super) fn show_topic(&mut self, conn: Conn, folded: &str, says_none: bool) {
        let Some(channel) = self.channels.get(folded) else {
            return;
        };
        let name = channel.shared_name();
        match channel.topic.clone() {
            Some(topic) => {
                let at = (topic.at_ms / 1_000).to_string();
                self.reply(conn, "332", &[&name], Some(&topic.text));
                self.reply(conn, "333", &[&name, &topic.by, &at], None);
            }
            None if says_none => self.reply(conn, "331", &[&name], Some("No topic is set")),
            None => {}
        }
    }

    pub(super) fn on_list(&mut self, conn: Conn, line: &Line<'_>) {
        let asked = line.param(0).unwrap_or("*");
        let fits = |channel: &Channel| {
            let mut all = asked.split(',').filter(|p| !p.is_empty());
            let one = |part: &str| match (part.strip_prefix('>'), part.strip_prefix('<')) {
                (Some(n), _) => n.parse().is_ok_and(|n| channel.len() > n),
                (_, Some(n)) => n.parse().is_ok_and(|n| channel.len() < n),
                _ => match part.strip_prefix('!') {
                    Some(not) => !names::fits(not, &channel.name),
                    None => names::fits(part, &channel.name),
                },
            };
            all.any(one)
        };
        let found = self.channels.values().filter(|c| !c.is_empty() && fits(c));
        let row = |c: &Channel| {
            let topic = c.topic.as_ref().map(|t| t.text.clone());
            (
                c.name.clone(),
                c.len().to_string(),
                topic.unwrap_or_default(),
            )
        };
        let rows: Vec<_> = found.map(row).collect();
        self.reply(conn, "321", &["Channel"], Some("Users  Name"));
        for (name, count, topic) in rows {
            self.reply(conn, "322", &[&name, &count], Some(&topic));
        }
        self.reply(conn, "323", &[], Some("End of /LIST"));
    }

    pub(super) fn on_invite(&mut self, conn: Conn, line: &Line<'_>) {
        let (Some(nick), Some(name)) = (line.param(0), line.param(1)) else {
            return self.needs_more(conn, "INVITE");
        };
        let folded = names::folded(name);
        let Some(channel) = self.channels.get(&folded) else {
            return self.no_channel(conn, name);
        };
        if channel.seat_of(conn).is_none() {
            return self.not_on(conn, name);
        }
        let shown = channel.name.clone();
        let is_there = |conn| channel.seat_of(conn).is_some();
        let (here, person) = (self.client_named(nick), self.people.named(nick));
        let is_in =
            here.is_some_and(is_there) || person.is_some_and(|p| p.node_in(&folded).is_some());
        if is_in {
            return self.reply(conn, "443", &[nick, name], Some("is already on channel"));
        }
        let Some(client) = self.clients.get(&conn) else {
            return;
        };
        let mask = client.mask();
        match here {
            Some(guest) => {
                let asked = self
                    .clients
                    .get(&guest)
                    .map_or(nick, |c| c.name())
                    .to_owned();
                let said = self.said(body(&mask, "INVITE", &[&asked, &shown], None));
                if let Some(guest) = self.clients.get_mut(&guest) {
                    guest.say(&said);
                }
            }
            None => {
                let text = format!(
                    "invites you to room {}",
                    names::room(&shown).unwrap_or_default()
                );
                if !self.tell_privately(conn, nick, &text) {
                    return self.no_nick(conn, nick);
                }
            }
        }
        self.reply(conn, "341", &[nick, &shown], None);
    }

    pub(super) fn on_kick(&mut self, conn: Conn, line: &Line<'_>) {
        let (Some(name), Some(_)) = (line.param(0), line.param(1)) else {
            return self.needs_more(conn, "KICK");
        };
        match self
            .channels
            .get(&names::folded(name))
            .map(|c| c.seat_of(conn))
        {
            None => self.no_channel(conn, name),
            Some(None) => self.not_on(conn, name),
            Some(Some(_)) => self.no_power(conn, name),
        }
    }

    pub(super) fn no_power(&mut self, conn: Conn, name: &str) {
        let text = "You're not channel operator: nobody has power over others in a room of papo";
        self.reply(conn, "482", &[name], Some(text));
    }
}
