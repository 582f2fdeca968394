//! What the server says of itself.

use super::super::Conn;
use super::super::client::Stage;
use super::super::line::{Line, body};
use super::{Server, iso};

impl Server {
    pub(super) fn on_ping(&mut self, conn: Conn, line: &Line<'_>) {
        let Some(token) = line.param(0).filter(|t| !t.is_empty()) else {
            return match line.params.is_empty() {
                true => self.needs_more(conn, "PING"),
                false => self.reply(conn, "409", &[], Some("No origin specified")),
            };
        };
        let name = &self.settings.name;
        if let Some(client) = self.clients.get_mut(&conn) {
            client.put(body(name, "PONG", &[name], Some(token)));
        }
    }

    pub(super) fn lusers(&mut self, conn: Conn) {
        let known = |c: &&super::super::client::Client| c.stage == Stage::Known;
        let here = self.clients.values().filter(known);
        let hidden = here.filter(|c| c.invisible).count();
        let known = self.clients.values().filter(known).count();
        let unknown = self.clients.len() - known;
        let everybody = known - hidden + self.people.len();
        let channels = self.channels.values().filter(|c| !c.is_empty()).count();
        let text = format!("There are {everybody} users and {hidden} invisible on 1 servers");
        self.reply(conn, "251", &[], Some(&text));
        self.reply(conn, "252", &["0"], Some("operator(s) online"));
        self.reply(
            conn,
            "253",
            &[&unknown.to_string()],
            Some("unknown connection(s)"),
        );
        self.reply(
            conn,
            "254",
            &[&channels.to_string()],
            Some("channels formed"),
        );
        let text = format!("I have {known} clients and 0 servers");
        self.reply(conn, "255", &[], Some(&text));
        let (now, most) = (known.to_string(), self.most.max(known).to_string());
        let text = format!("Current local users {now}, max {most}");
        self.reply(conn, "265", &[&now, &most], Some(&text));
        let text = format!("Current global users {now}, max {most}");
        self.reply(conn, "266", &[&now, &most], Some(&text));
    }

    pub(super) fn on_about(&mut self, conn: Conn, command: &str, line: &Line<'_>) {
        let name = self.settings.name.clone();
        match command {
            "MOTD" => self.reply(conn, "422", &[], Some("There is no message of the day")),
            "LUSERS" => self.lusers(conn),
            "VERSION" => {
                let version = format!("papo-{}", env!("CARGO_PKG_VERSION"));
                self.reply(
                    conn,
                    "351",
                    &[&version, &name],
                    Some("group chat without a server"),
                );
            }
            "TIME" => {
                let now = iso(self.now.wall_ms);
                self.reply(conn, "391", &[&name], Some(&now));
            }
            "ADMIN" => self.admin(conn),
            "INFO" => {
                self.reply(
                    conn,
                    "371",
                    &[],
                    Some("papo: group chat for a local network with no server"),
                );
                self.reply(conn, "374", &[], Some("End of INFO list"));
            }
            "LINKS" => {
                self.reply(conn, "364", &[&name, &name], Some("0 papo"));
                self.reply(conn, "365", &["*"], Some("End of /LINKS list"));
            }
            "HELP" => {
                let about = line.param(0).unwrap_or("*");
                self.reply(
                    conn,
                    "524",
                    &[about],
                    Some("See `papo irc --help` and the README"),
                );
            }
            "OPER" if line.params.len() < 2 => self.needs_more(conn, command),
            "OPER" => self.reply(
                conn,
                "491",
                &[],
                Some("No O-lines for your host: papo has no operators"),
            ),
            _ => self.reply(
                conn,
                "481",
                &[],
                Some("Permission Denied- papo has no operators"),
            ),
        }
    }

    fn admin(&mut self, conn: Conn) {
        let name = self.settings.name.clone();
        self.reply(conn, "256", &[&name], Some("Administrative info"));
        self.reply(conn, "257", &[], Some("papo, on this machine"));
        self.reply(conn, "258", &[], Some("for the one who started it"));
        self.reply(conn, "259", &[], Some("and nobody else"));
    }
}
