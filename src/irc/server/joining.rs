//! JOIN, PART and QUIT, and the nodes that come and go with them.
//!
//! A client is shown in a channel at once, while its node still looks for the room. The first node of a room looks
//! for it alone, and the others of this process start when it is in, a few at a time: they find it at once, and it is
//! the one that founds the room if nobody else has. A node also waits for those of this process that are leaving the same room.

use std::collections::VecDeque;

use crate::limits::{
    IRC_CHANNELS_MAX, IRC_HISTORY_LINES_MAX, IRC_JOIN_COST, IRC_JOINERS_MAX, IRC_LEAVING_MAX,
    IRC_NODE_DESCRIPTORS, IRC_OTHER_DESCRIPTORS, IRC_SEATS_PER_CHANNEL_MAX, IRC_SECRET_COST,
    IRC_TARGETS_MAX, IRC_TOPIC_BYTES_MAX, MEMBERS_MAX,
};
use crate::timing;
use crate::ui::repeats::Repeats;

use super::super::caps::Cap;
use super::super::channel::Channel;
use super::super::client::Said;
use super::super::line::{Line, body, cut};
use super::super::{Conn, SeatId, names};
use super::{Place, Request, Seat, Server};

impl Server {
    pub(super) fn on_join(&mut self, conn: Conn, line: &Line<'_>) {
        let Some(asked) = line.param(0).filter(|p| !p.is_empty()) else {
            return self.needs_more(conn, "JOIN");
        };
        if asked == "0" {
            let all: Vec<String> = self
                .clients
                .get(&conn)
                .map(|c| c.channels.iter().cloned().collect())
                .unwrap_or_default();
            return all
                .iter()
                .for_each(|channel| self.part(conn, channel, None));
        }
        let mut keys = line
            .param(1)
            .unwrap_or("")
            .split(',')
            .filter(|k| !k.is_empty());
        for name in asked.split(',').take(IRC_CHANNELS_MAX) {
            let key = keys.next();
            self.join(conn, name, key);
        }
    }

    pub(super) fn join(&mut self, conn: Conn, name: &str, key: Option<&str>) {
        let Some(room) = names::room(name) else {
            let is_named = !name.is_empty() && !name.contains(' ');
            return self.no_channel(conn, if is_named { name } else { "*" });
        };
        let folded = names::folded(name);
        let Some(client) = self.clients.get(&conn) else {
            return;
        };
        if client.channels.contains(&folded) {
            return;
        }
        if client.channels.len() >= IRC_CHANNELS_MAX {
            return self.reply(
                conn,
                "405",
                &[name],
                Some("You have joined too many channels"),
            );
        }
        if let Some(why) = self.is_full(&folded) {
            let text = format!("Cannot join channel: {why}");
            return self.reply(conn, "471", &[name], Some(&text));
        }
        let known = self.channels.get(&folded).map(|c| c.secret.clone());
        let is_secret = key.is_some_and(|k| self.settings.secrets.contains(k));
        let is_new = known.is_none();
        let secret = match (known, key) {
            (Some(None), Some(_)) if !is_secret => None,
            (Some(secret), key) if secret.as_deref() != key => {
                return self.bad_key(conn, name);
            }
            (None, Some(_)) if !is_secret => return self.bad_key(conn, name),
            (_, key) => key.map(str::to_owned),
        };
        if is_new && secret.is_some() {
            self.charge(conn, IRC_SECRET_COST);
        }
        let now_ms = self.now.wall_ms;
        let channel = || Channel::new(name.to_owned(), room, secret, now_ms);
        self.channels.entry(folded.clone()).or_insert_with(channel);
        self.take_seat(conn, &folded);
        self.show_join(conn, &folded);
        self.open_waiting(&folded);
    }

    /// Why nobody more of this process can be in a channel, if it is so.
    fn is_full(&self, folded: &str) -> Option<&'static str> {
        if self.seats.len() >= IRC_LEAVING_MAX {
            return Some("too many are in rooms here");
        }
        let channel = self.channels.get(folded);
        let here = channel.map_or(0, |c| c.seats().count());
        if here >= IRC_SEATS_PER_CHANNEL_MAX || channel.is_some_and(|c| c.len() >= MEMBERS_MAX) {
            return Some("the room has no place for more of this machine");
        }
        // Each has a link with each, and both ends are here.
        let links = channel.map_or(0, |c| c.len() + here);
        let needed = self.descriptors_needed() + links + IRC_NODE_DESCRIPTORS;
        (needed > self.descriptors)
            .then_some("each in it needs a connection with each, and there are no more (ulimit -n)")
    }

    /// About how many descriptors all nodes take, or will.
    fn descriptors_needed(&self) -> usize {
        let links = self.channels.values().map(|channel| {
            let here = channel.seats().count();
            here * channel.len().saturating_sub(1)
        });
        let nodes = self.seats.len() * IRC_NODE_DESCRIPTORS;
        links.sum::<usize>() + nodes + self.clients.len() + IRC_OTHER_DESCRIPTORS
    }

    fn bad_key(&mut self, conn: Conn, name: &str) {
        let text = "Cannot join channel (+k): the key is the name of a secret (--irc-secret), not the secret";
        self.reply(conn, "475", &[name], Some(text));
    }

    fn take_seat(&mut self, conn: Conn, folded: &str) {
        self.next_seat += 1;
        let id = SeatId(self.next_seat);
        let seat = Seat {
            conn,
            channel: folded.to_owned(),
            place: Place::Waiting,
            since: self.now.time,
            key: None,
            said: 0,
            unsaid: VecDeque::new(),
            echoes: VecDeque::new(),
            coordinator: None,
            repeats: Repeats::default(),
        };
        self.seats.insert(id, seat);
        if let Some(channel) = self.channels.get_mut(folded) {
            channel.sit(conn, id);
        }
        if let Some(client) = self.clients.get_mut(&conn) {
            client.channels.insert(folded.to_owned());
        }
        self.charge(conn, IRC_JOIN_COST);
    }

    /// JOIN, the topic and the names; to the others JOIN, and AWAY where it is so.
    fn show_join(&mut self, conn: Conn, folded: &str) {
        let (Some(client), Some(channel)) = (self.clients.get(&conn), self.channels.get(folded))
        else {
            return;
        };
        let (mask, name) = (client.mask(), channel.name.clone());
        let plain = self.said(body(&mask, "JOIN", &[&name], None));
        let long = self.said(body(&mask, "JOIN", &[&name, "*"], Some(&client.real)));
        let away = client.away.clone();
        let away = away.map(|text| self.said(body(&mask, "AWAY", &[], Some(&text))));
        self.say_join(folded, &plain, &long);
        if let Some(away) = away {
            self.say_to_those(folded, Cap::AwayNotify, &away, Some(conn));
        }
        self.show_topic(conn, folded, false);
        self.show_names(conn, folded);
        self.show_past(conn, folded);
    }

    pub(super) fn say_join(&mut self, folded: &str, plain: &Said, long: &Said) {
        let Some(channel) = self.channels.get(folded) else {
            return;
        };
        for conn in channel.conns() {
            if let Some(client) = self.clients.get_mut(&conn) {
                let is_long = client.has(Cap::ExtendedJoin);
                client.say(if is_long { long } else { plain });
            }
        }
    }

    /// Says it to those in a channel who have a capability.
    pub(super) fn say_to_those(&mut self, folded: &str, cap: Cap, said: &Said, but: Option<Conn>) {
        let Some(channel) = self.channels.get(folded) else {
            return;
        };
        for conn in channel.conns().filter(|c| Some(*c) != but) {
            if let Some(client) = self.clients.get_mut(&conn).filter(|c| c.has(cap)) {
                client.say(said);
            }
        }
    }

    /// Opens the nodes of this channel that wait for nothing more.
    pub(super) fn open_waiting(&mut self, folded: &str) {
        let Some(channel) = self.channels.get(folded) else {
            return;
        };
        let now = self.now.time;
        let place = |id: &SeatId| self.seats.get(id).map(|s| (s.place, s.since));
        let is_over = |since, patience| now >= since + patience;
        let leaves = self.seats.values().any(|s| {
            s.place == Place::Leaving
                && s.channel == folded
                && !is_over(s.since, timing::IRC_LEAVERS)
        });
        let has_joined = channel
            .seats()
            .any(|s| place(&s).is_some_and(|(p, _)| p == Place::Joined));
        let looks = |(p, since)| p == Place::Opened && !is_over(since, timing::IRC_FIRST);
        let looking = channel.seats().filter(|s| place(s).is_some_and(looks));
        let most = if has_joined { IRC_JOINERS_MAX } else { 1 };
        let free = most.saturating_sub(looking.count());
        if leaves {
            return;
        }
        let is_waiting = |s: &SeatId| place(s).is_some_and(|(p, _)| p == Place::Waiting);
        let next: Vec<SeatId> = channel.seats().filter(is_waiting).take(free).collect();
        next.into_iter().for_each(|id| self.open(id));
    }

    fn open(&mut self, id: SeatId) {
        let now = self.now.time;
        let Some(seat) = self.seats.get_mut(&id) else {
            return;
        };
        let Some(channel) = self.channels.get(&seat.channel) else {
            return;
        };
        (seat.place, seat.since) = (Place::Opened, now);
        let nick = self.clients.get(&seat.conn).and_then(|c| c.nick.as_deref());
        let nick = nick.and_then(names::papo_nick).unwrap_or_default();
        self.requests.push_back(Request::Open {
            seat: id,
            room: channel.room.clone(),
            nick,
            secret: channel.secret.clone(),
        });
        for text in seat.unsaid.drain(..) {
            self.requests.push_back(Request::Say { seat: id, text });
        }
    }

    fn send_off(&mut self, id: SeatId) {
        if let Some(seat) = self.seats.get_mut(&id) {
            (seat.place, seat.since) = (Place::Leaving, self.now.time);
            self.requests.push_back(Request::Leave { seat: id });
        }
    }

    pub(super) fn on_part(&mut self, conn: Conn, line: &Line<'_>) {
        let Some(asked) = line.param(0).filter(|p| !p.is_empty()) else {
            return self.needs_more(conn, "PART");
        };
        for name in asked.split(',').take(IRC_CHANNELS_MAX) {
            let folded = names::folded(name);
            match self.channels.get(&folded).map(|c| c.seat_of(conn)) {
                Some(Some(_)) => self.part(conn, &folded, line.param(1)),
                Some(None) => self.not_on(conn, name),
                None => self.no_channel(conn, name),
            }
        }
    }

    pub(super) fn not_on(&mut self, conn: Conn, name: &str) {
        self.reply(conn, "442", &[name], Some("You're not on that channel"));
    }

    pub(super) fn part(&mut self, conn: Conn, folded: &str, why: Option<&str>) {
        let (Some(client), Some(channel)) = (self.clients.get(&conn), self.channels.get(folded))
        else {
            return;
        };
        let why = why.map(|text| cut(text, IRC_TOPIC_BYTES_MAX));
        let said = self.said(body(&client.mask(), "PART", &[&channel.name], why));
        self.say_in(folded, &said, None);
        self.leave(conn, folded);
    }

    /// The client is in this channel no more, and neither is its node.
    pub(super) fn leave(&mut self, conn: Conn, folded: &str) {
        let Some(channel) = self.channels.get_mut(folded) else {
            return;
        };
        let Some(id) = channel.seat_of(conn) else {
            return;
        };
        let unseen = channel.stand_up(conn);
        let shown = channel.past.latest(None, IRC_HISTORY_LINES_MAX);
        let is_empty = channel.is_empty();
        if is_empty {
            channel.forgotten_at = Some(self.now.time + self.settings.linger);
        }
        for key in unseen {
            match is_empty {
                true => drop(self.people.remove(folded, key)),
                false => self.show_gone(folded, key, None),
            }
        }
        if let Some(client) = self.clients.get_mut(&conn) {
            client.channels.remove(folded);
            if client.shown.len() >= IRC_CHANNELS_MAX {
                client.shown.clear();
            }
            let ids = shown.into_iter().map(|kept| kept.id).collect();
            client.shown.insert(folded.to_owned(), ids);
        }
        if let Some(seat) = self.seats.get_mut(&id) {
            seat.echoes.clear();
            match seat.place {
                // It was never opened, and has nothing to say.
                Place::Waiting if seat.unsaid.is_empty() => drop(self.seats.remove(&id)),
                place => {
                    if place == Place::Waiting {
                        self.open(id);
                    }
                    self.send_off(id);
                }
            }
        }
        self.follow_lead(folded);
        self.forget_empty();
        self.open_waiting(folded);
    }

    /// Channels that nobody is in, and that are kept no longer.
    pub(super) fn forget_empty(&mut self) {
        let now = self.now.time;
        let is_over = |c: &Channel| c.forgotten_at.is_some_and(|at| at <= now);
        self.channels.retain(|_, channel| !is_over(channel));
    }

    pub(super) fn seats_of(&self, conn: Conn) -> impl Iterator<Item = SeatId> {
        let all = self.seats.iter().filter(move |(_, s)| s.conn == conn);
        let all = all.filter(|(_, s)| matches!(s.place, Place::Opened | Place::Joined));
        all.map(|(id, _)| *id)
    }

    /// At most so many of the targets that a command names.
    pub(super) fn targets(named: &str) -> impl Iterator<Item = &str> {
        named
            .split(',')
            .filter(|t| !t.is_empty())
            .take(IRC_TARGETS_MAX)
    }
}
