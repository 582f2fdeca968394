//! What the nodes tell: who is in the rooms elsewhere, and who coordinates; what they hear goes to `spoken`.
//!
//! The nodes of one channel mostly tell the same. What one of them has told is shown once, to everybody of this
//! process who is in the channel. What they tell of each other is passed over: it was shown when it was done.

use crate::limits::IRC_PAST_LINES_MAX;
use crate::node::{Departure, Event, Now};
use crate::timing;
use crate::ui::RoomState;
use crate::wire::{Key, Member};

use super::super::caps::Cap;
use super::super::channel::Head;
use super::super::client::Said;
use super::super::line::body;
use super::super::people::Person;
use super::super::{SeatId, names};
use super::{Place, Server};

/// Somebody came or went: to be shown at the end of the turn, several that were lost at a time as one split.
#[derive(Debug)]
pub(super) struct Pending {
    channel: String,
    came: bool,
    lost: bool,
    plain: Said,
    long: Option<Said>,
}

impl Server {
    /// A node was opened, and has this key.
    pub fn on_opened(&mut self, now: Now, id: SeatId, key: Key) {
        self.now = now;
        let Some(seat) = self.seats.get_mut(&id) else {
            return;
        };
        seat.key = Some(key);
        self.own_keys.insert(key, id);
        if let Some(channel) = self
            .channels
            .get_mut(&seat.channel)
            .filter(|_| seat.said > 0)
        {
            channel.show(key, seat.said);
        }
    }

    /// A node is no more. `why` is told to the client, if it did not leave.
    pub fn on_closed(&mut self, now: Now, id: SeatId, why: &str) {
        self.now = now;
        let Some(seat) = self.seats.get(&id) else {
            return;
        };
        let (conn, folded) = (seat.conn, seat.channel.clone());
        if seat.place != Place::Leaving {
            if let Some(name) = self.channels.get(&folded).map(|c| c.shared_name()) {
                self.reply(
                    conn,
                    "475",
                    &[&name],
                    Some(&format!("Cannot join channel: {why}")),
                );
            }
            self.part(conn, &folded, Some(why));
            self.requests
                .retain(|r| !matches!(r, super::Request::Leave { seat } if *seat == id));
        }
        if let Some(key) = self.seats.remove(&id).and_then(|s| s.key) {
            self.own_keys.remove(&key);
        }
        self.open_waiting(&folded);
    }

    /// A node shows something.
    pub fn on_event(&mut self, now: Now, id: SeatId, event: Event, room: &dyn RoomState) {
        self.now = now;
        let Some(seat) = self.seats.get_mut(&id) else {
            return;
        };
        let (conn, folded, place) = (seat.conn, seat.channel.clone(), seat.place);
        if place == Place::Leaving {
            return;
        }
        match event {
            Event::Joined { .. } => self.on_joined(id, &folded, room),
            Event::Messages {
                messages, arrival, ..
            } => {
                self.on_messages(id, &folded, &messages, arrival, room);
            }
            Event::Private {
                from,
                key,
                nick,
                sent_at,
                text,
                own: false,
            } => {
                let author = (key, from, nick);
                self.on_private(conn, &folded, author, (sent_at, &text));
            }
            Event::Delivered {
                last, confirmed, ..
            } => self.on_delivered(id, last, confirmed),
            Event::MemberJoined(member) => self.see(id, &folded, &member),
            Event::MemberLeft(member, how) => self.unsee(id, &folded, member.key, how),
            Event::MemberRenamed { member, .. } => self.rename(&folded, &member),
            Event::Coordinator { key, .. } => {
                seat.coordinator = Some(key);
                self.follow_lead(&folded);
            }
            Event::Missed {
                nick, first, last, ..
            } => {
                let lines = last - first + 1;
                let nick = names::nick(&nick);
                self.notice(
                    conn,
                    &format!(
                        "{folded}: {lines} lines of {nick} are lost: nobody in reach has them"
                    ),
                );
            }
            Event::Warning(text) => self.notice(conn, &format!("{folded}: {text}")),
            Event::Private { .. }
            | Event::Election { .. }
            | Event::NotLetIn { .. }
            | Event::Left { .. } => {}
        }
    }

    fn on_joined(&mut self, id: SeatId, folded: &str, room: &dyn RoomState) {
        let is_first = self
            .seats
            .get(&id)
            .is_some_and(|s| s.place == Place::Opened);
        let is_lead = self.lead(folded).is_none();
        let everybody: Vec<Member> = room
            .members()
            .iter()
            .chain(room.awaited())
            .cloned()
            .collect();
        let seen = self
            .channels
            .get(folded)
            .map(|c| c.seen_by(id))
            .unwrap_or_default();
        for key in seen
            .into_iter()
            .filter(|key| everybody.iter().all(|m| m.key != *key))
        {
            self.unsee(id, folded, key, Departure::Lost);
        }
        for member in &everybody {
            self.see(id, folded, member);
        }
        if let Some(seat) = self.seats.get_mut(&id) {
            seat.place = Place::Joined;
            seat.coordinator = room.coordinator().map(|c| c.key).or(seat.coordinator);
        }
        self.show_pending();
        self.follow_lead_at_once(folded);
        if is_first && is_lead {
            let old = room.old(IRC_PAST_LINES_MAX);
            let conn = self.seats.get(&id).map(|s| s.conn);
            self.take_old(folded, &old, conn);
        }
        if is_lead {
            self.follow_topic(folded, room);
        }
        self.open_waiting(folded);
    }

    /// The node whose word counts where nodes may differ: the first one that is in.
    pub(super) fn lead(&self, folded: &str) -> Option<SeatId> {
        let mut seats = self.channels.get(folded)?.seats();
        seats.find(|s| self.seats.get(s).is_some_and(|s| s.place == Place::Joined))
    }

    // Who is there.

    fn see(&mut self, id: SeatId, folded: &str, member: &Member) {
        let is_own = self.own_keys.contains_key(&member.key);
        let Some(channel) = self.channels.get_mut(folded).filter(|_| !is_own) else {
            return;
        };
        if !channel.see(member.key, id) {
            return;
        }
        let lost = channel.take_lost(member.key);
        let nicks = &self.nicks;
        self.people
            .add(folded, member, &|nick| nicks.contains_key(nick));
        self.show_come(folded, member.key, lost);
    }

    fn show_come(&mut self, folded: &str, key: Key, lost: bool) {
        let (Some(channel), Some(person)) =
            (self.channels.get(folded), self.people.get(folded, key))
        else {
            return;
        };
        let (mask, name) = (person.mask(), channel.shared_name());
        let plain = self.said(body(&mask, "JOIN", &[&name], None));
        let long = self.said(body(&mask, "JOIN", &[&name, "*"], Some(&person.papo)));
        self.pending.push(Pending {
            channel: folded.to_owned(),
            came: true,
            lost,
            plain,
            long: Some(long),
        });
    }

    fn unsee(&mut self, id: SeatId, folded: &str, key: Key, how: Departure) {
        let Some(channel) = self.channels.get_mut(folded) else {
            return;
        };
        if !channel.unsee(key, id) {
            return;
        }
        let lost = how == Departure::Lost;
        if lost {
            channel.note_lost(key);
        }
        self.show_gone(folded, key, lost);
    }

    /// Somebody elsewhere is in this channel no more.
    pub(super) fn show_gone(&mut self, folded: &str, key: Key, lost: bool) {
        let Some((person, is_gone)) = self.people.remove(folded, key) else {
            return;
        };
        let why = match lost {
            true => "connection lost: its program, its machine or the network",
            false => "left the room",
        };
        self.push_gone(folded, &person, is_gone, lost, why);
    }

    fn push_gone(&mut self, folded: &str, person: &Person, is_gone: bool, lost: bool, why: &str) {
        let Some(channel) = self.channels.get(folded) else {
            return;
        };
        let line = match is_gone {
            true => body(&person.mask(), "QUIT", &[], Some(why)),
            // It is still in another channel here.
            false => body(&person.mask(), "PART", &[&channel.name], Some(why)),
        };
        let plain = self.said(line);
        self.pending.push(Pending {
            channel: folded.to_owned(),
            came: false,
            lost,
            plain,
            long: None,
        });
    }

    fn rename(&mut self, folded: &str, member: &Member) {
        let is_ours = self.own_keys.contains_key(&member.key);
        let is_known = self.channels.get(folded).is_some_and(|c| c.has(member.key));
        let same = self
            .people
            .get(folded, member.key)
            .is_some_and(|p| p.papo == member.nick);
        if is_ours || !is_known || same {
            return;
        }
        self.show_pending();
        let Some((before, is_gone)) = self.people.remove(folded, member.key) else {
            return;
        };
        let nicks = &self.nicks;
        self.people
            .add(folded, member, &|nick| nicks.contains_key(nick));
        let Some(after) = self.people.get(folded, member.key) else {
            return;
        };
        if is_gone && after.nodes.len() == 1 {
            let said = self.said(body(&before.mask(), "NICK", &[&after.nick], None));
            return self.say_in(folded, &said, None);
        }
        // One of the two is somebody in another channel, too, and stays it.
        let why = format!("is now {}", after.nick);
        self.push_gone(folded, &before, false, false, &why);
        self.show_come(folded, member.key, false);
        self.show_pending();
    }

    /// Shows who came and went in this turn.
    pub(super) fn show_pending(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        for run in
            pending.chunk_by(|a, b| (&a.channel, a.came, a.lost) == (&b.channel, b.came, b.lost))
        {
            match run.first() {
                Some(first) if first.lost && run.len() > 1 => self.show_split(run),
                _ => run.iter().for_each(|one| self.show_one(one)),
            }
        }
    }

    fn show_one(&mut self, one: &Pending) {
        match &one.long {
            Some(long) => self.say_join(&one.channel, &one.plain, long),
            None => self.say_in(&one.channel, &one.plain, None),
        }
    }

    fn show_split(&mut self, run: &[Pending]) {
        let Some(channel) = self.channels.get(&run[0].channel) else {
            return;
        };
        let kind = if run[0].came { "netjoin" } else { "netsplit" };
        let source = self.settings.name.clone();
        for conn in channel.conns().collect::<Vec<_>>() {
            let Some(client) = self.clients.get_mut(&conn) else {
                continue;
            };
            let batch = client.has(Cap::Batch).then(|| client.new_batch());
            if let Some(batch) = &batch {
                client.put(body(
                    &source,
                    "BATCH",
                    &[&format!("+{batch}"), kind, &source, "papo"],
                    None,
                ));
            }
            for one in run {
                let long = one.long.as_ref().filter(|_| client.has(Cap::ExtendedJoin));
                let mut said = long.unwrap_or(&one.plain).clone();
                said.batch.clone_from(&batch);
                client.say(&said);
            }
            if let Some(batch) = &batch {
                client.put(body(&source, "BATCH", &[&format!("-{batch}")], None));
            }
        }
    }

    // Who coordinates.

    /// Whoever coordinates now is shown once that has lasted.
    pub(super) fn follow_lead(&mut self, folded: &str) {
        self.expect_head(folded, self.now.time + timing::IRC_SETTLES);
    }

    fn follow_lead_at_once(&mut self, folded: &str) {
        self.expect_head(folded, self.now.time);
        self.settle_head(folded);
    }

    fn expect_head(&mut self, folded: &str, at: crate::node::Time) {
        let lead = self.lead(folded).and_then(|id| self.seats.get(&id));
        let Some(key) = lead.and_then(|s| s.coordinator) else {
            return;
        };
        let head = match self.own_keys.get(&key).and_then(|id| self.seats.get(id)) {
            Some(seat) => Head::Here(seat.conn),
            None => Head::Elsewhere(key),
        };
        if let Some(channel) = self.channels.get_mut(folded) {
            channel.expect_head(head, at);
        }
    }

    pub(super) fn settle_head(&mut self, folded: &str) {
        let now = self.now.time;
        let Some(channel) = self.channels.get_mut(folded) else {
            return;
        };
        let Some((before, head)) = channel.settle_head(now) else {
            return;
        };
        let name = channel.shared_name();
        let nick = |head| match head {
            Head::Here(conn) => self.clients.get(&conn).map(|c| c.name().to_owned()),
            Head::Elsewhere(key) => self.people.get(folded, key).map(|p| p.nick.clone()),
        };
        let Some(new) = nick(head) else {
            return;
        };
        let old = before.and_then(nick);
        let line = match &old {
            Some(old) => body(
                &self.settings.name,
                "MODE",
                &[&name, "-o+o", old, &new],
                None,
            ),
            None => body(&self.settings.name, "MODE", &[&name, "+o", &new], None),
        };
        let said = self.said(line);
        self.say_in(folded, &said, None);
    }
}
