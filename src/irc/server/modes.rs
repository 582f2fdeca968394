//! MODE: what is so is told, and nothing can be changed but what a client is to itself.

use super::super::line::{Line, body};
use super::super::{Conn, names};
use super::Server;

impl Server {
    pub(super) fn on_mode(&mut self, conn: Conn, line: &Line<'_>) {
        match line.param(0).filter(|p| !p.is_empty()) {
            Some(name) if name.starts_with(names::CHANNEL) => self.channel_mode(conn, name, line),
            Some(nick) => self.user_mode(conn, nick, line),
            None => self.needs_more(conn, "MODE"),
        }
    }

    fn channel_mode(&mut self, conn: Conn, name: &str, line: &Line<'_>) {
        let Some(channel) = self.channels.get(&names::folded(name)) else {
            return self.no_channel(conn, name);
        };
        let (shown, is_in) = (channel.name.clone(), channel.seat_of(conn).is_some());
        let Some(modes) = line.param(1) else {
            let created = (channel.created_ms / 1_000).to_string();
            let secret = channel.secret.clone();
            match secret {
                Some(secret) => self.reply(conn, "324", &[&shown, "+kn", &secret], None),
                None => self.reply(conn, "324", &[&shown, "+n"], None),
            }
            return self.reply(conn, "329", &[&shown, &created], None);
        };
        let is_list = matches!(modes, "b" | "+b" | "-b") && line.param(2).is_none();
        let unknown = modes.chars().find(|c| !"+-bknovitsml".contains(*c));
        match unknown {
            _ if is_list => {
                self.reply(conn, "368", &[&shown], Some("End of channel ban list"));
            }
            Some(c) => {
                let text = "is unknown mode char to me";
                self.reply(conn, "472", &[&c.to_string()], Some(text));
            }
            None if !is_in => self.not_on(conn, name),
            None => self.no_power(conn, &shown),
        }
    }

    fn user_mode(&mut self, conn: Conn, nick: &str, line: &Line<'_>) {
        if self.client_named(nick) != Some(conn) {
            return match self.client_named(nick).is_some() || self.people.named(nick).is_some() {
                true => self.reply(conn, "502", &[], Some("Can't change mode for other users")),
                false => self.no_nick(conn, nick),
            };
        }
        let Some(client) = self.clients.get_mut(&conn) else {
            return;
        };
        let Some(modes) = line.param(1) else {
            let modes = if client.invisible { "+i" } else { "+" };
            return self.reply(conn, "221", &[modes], None);
        };
        let mut on = true;
        let (before, mut is_unknown) = (client.invisible, false);
        for c in modes.chars() {
            match c {
                '+' | '-' => on = c == '+',
                'i' => client.invisible = on,
                _ => is_unknown = true,
            }
        }
        if client.invisible != before {
            let change = if client.invisible { "+i" } else { "-i" };
            let line = body(&client.mask(), "MODE", &[client.name(), change], None);
            client.put(line);
        }
        if is_unknown {
            self.reply(conn, "501", &[], Some("Unknown MODE flag"));
        }
    }
}
