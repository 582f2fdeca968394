//! Clients that go, and what happens by the passing of time.

use crate::limits::{IRC_ALL_UNSENT_BYTES_MAX, IRC_TOPIC_BYTES_MAX};
use crate::node::{Now, Time};
use crate::timing;

use super::super::channel::Channel;
use super::super::client::{Client, Stage};
use super::super::line::{Line, body, cut};
use super::super::{Conn, names};
use super::{Place, Server};

impl Server {
    pub(super) fn on_quit(&mut self, conn: Conn, line: &Line<'_>) {
        let why = line.param(0).filter(|t| !t.is_empty());
        let why = cut(why.unwrap_or("client quit"), IRC_TOPIC_BYTES_MAX);
        self.end(conn, &format!("Quit: {why}"));
    }

    /// The client is let go, and told why.
    pub(super) fn end(&mut self, conn: Conn, why: &str) {
        self.quit(conn, why);
        let Some(client) = self.clients.get_mut(&conn) else {
            return;
        };
        if client.stage != Stage::Ending {
            let text = format!("Closing link: {} ({why})", client.host);
            client.put(body("", "ERROR", &[], Some(&text)));
            client.stage = Stage::Ending;
            client.heard = self.now.time;
        }
    }

    /// Nobody here sees the client any more.
    pub(super) fn quit(&mut self, conn: Conn, why: &str) {
        let Some(client) = self.clients.get(&conn) else {
            return;
        };
        let (mask, nick) = (client.mask(), client.nick.clone());
        let channels = client.channels.clone();
        let said = self.said(body(&mask, "QUIT", &[], Some(why)));
        for mate in self.mates(conn) {
            if let Some(mate) = self.clients.get_mut(&mate) {
                mate.say(&said);
            }
        }
        for channel in channels {
            self.leave(conn, &channel);
        }
        if let Some(folded) = nick.map(|n| names::folded(&n))
            && self.nicks.get(&folded) == Some(&conn)
        {
            self.nicks.remove(&folded);
        }
    }

    /// True while lines of this client wait to be understood.
    #[must_use]
    pub fn has_lines(&self, conn: Conn) -> bool {
        let client = self.clients.get(&conn);
        client.is_some_and(|c| c.next_line_at().is_some())
    }

    /// The server ends, and everybody is told so.
    pub fn end_all(&mut self, now: Now, why: &str) {
        self.now = now;
        let all: Vec<Conn> = self.clients.keys().copied().collect();
        all.into_iter().for_each(|conn| self.end(conn, why));
    }

    /// True if the connection is to be closed whatever waits for the client.
    #[must_use]
    pub fn is_dead(&self, conn: Conn) -> bool {
        let is_late = |at: Time| self.now.time >= at + timing::IRC_PONG_WITHIN / 10;
        self.clients.get(&conn).is_none_or(|c| {
            c.stage == Stage::Ending && (c.is_overflowed() || !c.has_unsent() || is_late(c.heard))
        })
    }

    /// The clients whose connections are to be closed.
    #[must_use]
    pub fn dead(&self) -> Vec<Conn> {
        let dead = self.clients.keys().filter(|conn| self.is_dead(**conn));
        dead.copied().collect()
    }

    /// At the end of each turn of the loop: what time brings, and what was gathered in the turn.
    pub fn end_turn(&mut self, now: Now) {
        self.now = now;
        self.show_gathered();
        let overflowed = self
            .clients
            .iter()
            .filter(|(_, c)| c.is_overflowed() && c.stage != Stage::Ending);
        let overflowed: Vec<Conn> = overflowed.map(|(conn, _)| *conn).collect();
        for conn in overflowed {
            self.end(conn, "it did not read what waited for it");
        }
        self.drop_greedy();
        self.look_at_clients();
        self.sum_up();
        let due: Vec<String> = self.channels.keys().cloned().collect();
        for folded in due {
            self.settle_head(&folded);
            self.open_waiting(&folded);
        }
        self.forget_empty();
    }

    /// Where too much waits for all together, those go for whom the most waits.
    fn drop_greedy(&mut self) {
        let waiting = |c: &Client| match c.stage {
            Stage::Ending => 0,
            _ => c.unsent_len(),
        };
        let mut all: usize = self.clients.values().map(waiting).sum();
        while all > IRC_ALL_UNSENT_BYTES_MAX {
            let most = self.clients.iter().max_by_key(|(_, c)| waiting(c));
            let Some((conn, bytes)) = most.map(|(conn, c)| (*conn, waiting(c))) else {
                return;
            };
            all -= bytes;
            self.end(conn, "it did not read what waited for it");
        }
    }

    fn look_at_clients(&mut self) {
        let now = self.now.time;
        let (mut asked, mut ended) = (Vec::new(), Vec::new());
        for (conn, client) in &self.clients {
            match client.stage {
                Stage::New if now >= client.since + timing::IRC_REGISTRATION => {
                    ended.push((*conn, "registration took too long"));
                }
                Stage::Known => match client.pinged {
                    Some(at) if now >= at + timing::IRC_PONG_WITHIN => {
                        ended.push((*conn, "Ping timeout"));
                    }
                    None if now >= client.heard + timing::IRC_PING_AFTER => asked.push(*conn),
                    _ => {}
                },
                _ => {}
            }
        }
        for conn in asked {
            let name = self.settings.name.clone();
            if let Some(client) = self.clients.get_mut(&conn) {
                client.pinged = Some(now);
                client.put(body("", "PING", &[], Some(&name)));
            }
        }
        for (conn, why) in ended {
            self.end(conn, why);
        }
    }

    /// When there is something to do at the latest; now, if lines wait to be understood.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Time> {
        let gathered = self.gathered_at();
        let clients = self.clients.iter().flat_map(|(conn, c)| {
            let line = c.next_line_at().filter(|_| !self.is_held(*conn));
            let watch = match (c.stage, c.pinged) {
                (Stage::New, _) => c.since + timing::IRC_REGISTRATION,
                (Stage::Known, Some(at)) => at + timing::IRC_PONG_WITHIN,
                (Stage::Known, None) => c.heard + timing::IRC_PING_AFTER,
                (Stage::Ending, _) => c.heard + timing::IRC_PONG_WITHIN / 10,
            };
            line.into_iter().chain([watch])
        });
        let come = gathered.filter(|_| self.is_gathering_comers());
        let channels = self.channels.values().flat_map(|c: &Channel| {
            let due = c.head_due();
            let head = due.map(|at| come.map_or(at, |shown| at.max(shown)));
            [head, c.forgotten_at].into_iter().flatten()
        });
        let seats = self.seats.values().filter_map(|s| match s.place {
            Place::Leaving => Some(s.since + timing::IRC_LEAVERS),
            Place::Opened => Some(s.since + timing::IRC_FIRST),
            Place::Waiting | Place::Joined => None,
        });
        let seats = seats.filter(|at| *at > self.now.time);
        let summed = self.summed_up_at();
        let rest = gathered.into_iter().chain(summed);
        clients.chain(channels).chain(seats).chain(rest).min()
    }
}
