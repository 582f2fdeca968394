//! WHO, WHOIS and the like: who somebody is.

use crate::wire::Key;

use super::super::channel::{Channel, Head};
use super::super::line::Line;
use super::super::people::{People, Person};
use super::super::{Conn, names};
use super::Server;

/// The fields of WHOX, in the order of its answer.
const WHOX: &str = "tcuihsnfdlaor";

/// What WHO says of one.
struct Row {
    channel: String,
    user: String,
    host: String,
    nick: String,
    flags: String,
    idle: String,
    real: String,
}

impl Server {
    pub(super) fn on_who(&mut self, conn: Conn, line: &Line<'_>) {
        let Some(mask) = line.param(0).filter(|m| !m.is_empty()) else {
            return self.needs_more(conn, "WHO");
        };
        let folded = names::folded(mask);
        let rows: Vec<Row> = if mask.starts_with(names::CHANNEL) {
            let found = self.channels.get(&folded);
            let all = found
                .into_iter()
                .flat_map(|c| self.in_channel(c).map(move |m| (c, m)));
            all.filter_map(|(c, (who, prefix, _, _))| self.row(&c.name, prefix, who))
                .collect()
        } else {
            self.rows_like(conn, mask)
        };
        let fields = line
            .param(1)
            .and_then(|f| f.split_once('%'))
            .map(|(_, f)| f);
        for row in rows {
            match fields {
                Some(fields) => self.whox(conn, fields, &row),
                None => self.who(conn, &row),
            }
        }
        self.reply(conn, "315", &[mask], Some("End of WHO list"));
    }

    fn rows_like(&self, conn: Conn, mask: &str) -> Vec<Row> {
        let mine = self.mates(conn);
        let sees = |other: &Conn, nick: &str| {
            let client = self.clients.get(other);
            let is_hidden =
                client.is_some_and(|c| c.invisible) && *other != conn && !mine.contains(other);
            !is_hidden || names::folded(nick) == names::folded(mask)
        };
        let here = self
            .clients
            .iter()
            .filter(|(_, c)| c.stage == super::Stage::Known);
        let here = here.filter(|(other, c)| names::fits(mask, c.name()) && sees(other, c.name()));
        let here = here.filter_map(|(other, _)| self.row("*", "", Ok(*other)));
        let people = self.people.iter().filter(|p| names::fits(mask, &p.nick));
        let people = people.filter_map(|p| {
            let (channel, key, _) = p.nodes.first()?;
            let mut row = self.row(channel, "", Err(*key))?;
            row.channel = "*".to_owned();
            Some(row)
        });
        here.chain(people).collect()
    }

    fn row(&self, channel: &str, prefix: &str, who: Result<Conn, Key>) -> Option<Row> {
        let row = match who {
            Ok(conn) => {
                let client = self.clients.get(&conn)?;
                let here = if client.away.is_some() { "G" } else { "H" };
                Row {
                    channel: channel.to_owned(),
                    user: client.user.clone().unwrap_or_default(),
                    host: client.host.clone(),
                    nick: client.name().to_owned(),
                    flags: format!("{here}{prefix}"),
                    idle: (self.now.time.since(client.spoke).as_secs()).to_string(),
                    real: client.real.clone(),
                }
            }
            Err(key) => {
                let person = self.people.get(&names::folded(channel), key)?;
                let here = if person.away.is_some() { "G" } else { "H" };
                Row {
                    channel: channel.to_owned(),
                    user: "papo".to_owned(),
                    host: person.host.clone(),
                    nick: person.nick.clone(),
                    flags: format!("{here}{prefix}"),
                    idle: "0".to_owned(),
                    real: person.papo.clone(),
                }
            }
        };
        Some(row)
    }

    fn who(&mut self, conn: Conn, row: &Row) {
        let name = self.settings.name.clone();
        let text = format!("0 {}", row.real);
        let all = [
            &row.channel,
            &row.user,
            &row.host,
            &name,
            &row.nick,
            &row.flags,
        ];
        let all: Vec<&str> = all.iter().map(|s| s.as_str()).collect();
        self.reply(conn, "352", &all, Some(&text));
    }

    fn whox(&mut self, conn: Conn, fields: &str, row: &Row) {
        let name = self.settings.name.clone();
        let (fields, token) = fields.split_once(',').unwrap_or((fields, "0"));
        let mut all: Vec<&str> = Vec::new();
        let mut text = None;
        for field in WHOX.chars().filter(|f| fields.contains(*f)) {
            match field {
                't' => all.push(token),
                'c' => all.push(&row.channel),
                'u' => all.push(&row.user),
                'i' => all.push("255.255.255.255"),
                'h' => all.push(&row.host),
                's' => all.push(&name),
                'n' => all.push(&row.nick),
                'f' => all.push(&row.flags),
                'l' => all.push(&row.idle),
                'r' => text = Some(row.real.as_str()),
                // The distance, the account and the level of an operator: there are none.
                'o' => all.push("n/a"),
                _ => all.push("0"),
            }
        }
        self.reply(conn, "354", &all, text);
    }

    pub(super) fn on_whois(&mut self, conn: Conn, line: &Line<'_>) {
        let Some(asked) = line.param(1).or(line.param(0)).filter(|n| !n.is_empty()) else {
            return self.reply(conn, "431", &[], Some("No nickname given"));
        };
        let nick = asked.split(',').next().unwrap_or("");
        let here = self.client_named(nick);
        match (here, self.people.named(nick).cloned()) {
            (Some(other), _) => self.whois_here(conn, other),
            (None, Some(person)) => self.whois_elsewhere(conn, &person),
            (None, None) => self.no_nick(conn, nick),
        }
        self.reply(conn, "318", &[asked], Some("End of /WHOIS list"));
    }

    fn whois_here(&mut self, conn: Conn, other: Conn) {
        let Some(client) = self.clients.get(&other) else {
            return;
        };
        let (nick, host, real) = (
            client.name().to_owned(),
            client.host.clone(),
            client.real.clone(),
        );
        let user = client.user.clone().unwrap_or_default();
        let (away, server) = (client.away.clone(), self.settings.name.clone());
        let idle = self.now.time.since(client.spoke).as_secs().to_string();
        let since = (client.since_ms / 1_000).to_string();
        let head = Head::Here(other);
        let channels = client.channels.iter().filter_map(|c| self.channels.get(c));
        let channels = named(channels, head);
        self.reply(conn, "311", &[&nick, &user, &host, "*"], Some(&real));
        if !channels.is_empty() {
            self.reply(conn, "319", &[&nick], Some(&channels));
        }
        self.reply(
            conn,
            "312",
            &[&nick, &server],
            Some("papo, on this machine"),
        );
        if let Some(text) = away {
            self.reply(conn, "301", &[&nick], Some(&text));
        }
        self.reply(
            conn,
            "317",
            &[&nick, &idle, &since],
            Some("seconds idle, signon time"),
        );
    }

    fn whois_elsewhere(&mut self, conn: Conn, person: &Person) {
        let nick = &person.nick;
        let names = People::channels(person);
        let channels: Vec<String> = names
            .iter()
            .filter_map(|folded| {
                let channel = self.channels.get(folded)?;
                let head = person.node_in(folded).map(Head::Elsewhere);
                let prefix = if head.is_some() && channel.head() == head {
                    "@"
                } else {
                    ""
                };
                Some(format!("{prefix}{}", channel.name))
            })
            .collect();
        let nodes: Vec<String> = person
            .nodes
            .iter()
            .map(|(_, key, id)| format!("{}#{id} ({key})", person.papo))
            .collect();
        self.reply(
            conn,
            "311",
            &[nick, "papo", &person.host, "*"],
            Some(&person.papo),
        );
        self.reply(conn, "319", &[nick], Some(&channels.join(" ")));
        let text = format!("in papo: {}", nodes.join(", "));
        self.reply(conn, "312", &[nick, "papo"], Some(&text));
        if let Some(text) = &person.away {
            self.reply(conn, "301", &[nick], Some(text));
        }
    }

    pub(super) fn on_whowas(&mut self, conn: Conn, line: &Line<'_>) {
        let Some(nick) = line.param(0).filter(|n| !n.is_empty()) else {
            return self.reply(conn, "431", &[], Some("No nickname given"));
        };
        self.reply(conn, "406", &[nick], Some("There was no such nickname"));
        self.reply(conn, "369", &[nick], Some("End of WHOWAS"));
    }

    pub(super) fn on_userhost(&mut self, conn: Conn, line: &Line<'_>) {
        if line.params.is_empty() {
            return self.needs_more(conn, "USERHOST");
        }
        let mut all = Vec::new();
        for nick in line.params.iter().take(5) {
            let here = self.client_named(nick).and_then(|c| self.clients.get(&c));
            let sign = |away: &Option<String>| if away.is_some() { '-' } else { '+' };
            if let Some(client) = here {
                let user = client.user.as_deref().unwrap_or("");
                all.push(format!(
                    "{}={}{user}@{}",
                    client.name(),
                    sign(&client.away),
                    client.host
                ));
            } else if let Some(p) = self.people.named(nick) {
                all.push(format!("{}={}papo@{}", p.nick, sign(&p.away), p.host));
            }
        }
        self.reply(conn, "302", &[], Some(&all.join(" ")));
    }

    pub(super) fn on_ison(&mut self, conn: Conn, line: &Line<'_>) {
        if line.params.is_empty() {
            return self.needs_more(conn, "ISON");
        }
        let asked = line.params.iter().flat_map(|p| p.split(' '));
        let is_on =
            |nick: &&str| self.client_named(nick).is_some() || self.people.named(nick).is_some();
        let found: Vec<&str> = asked.filter(is_on).collect();
        self.reply(conn, "303", &[], Some(&found.join(" ")));
    }
}

/// The names of channels, with the prefix of the one who has this head.
fn named<'a>(channels: impl Iterator<Item = &'a Channel>, head: Head) -> String {
    let one = |c: &Channel| {
        let prefix = if c.head() == Some(head) { "@" } else { "" };
        format!("{prefix}{}", c.name)
    };
    channels.map(one).collect::<Vec<_>>().join(" ")
}
