//! What the nodes tell: who is in the rooms elsewhere, and who coordinates; what they hear goes to `spoken`.
//!
//! The nodes of one channel mostly tell the same. What one of them has told is shown once, to everybody of this
//! process who is in the channel. What they tell of each other is passed over: it was shown when it was done.

use std::time::Duration;

use crate::limits::IRC_PAST_LINES_MAX;
use crate::node::{Departure, Event, Now, Time};
use crate::timing;
use crate::ui::RoomState;
use crate::wire::{Key, Member};

use super::super::SeatId;
use super::super::caps::Cap;
use super::super::channel::Head;
use super::super::client::Said;
use super::super::line::body;
use super::super::people::Person;
use super::{Place, Server};

/// The other side of a split, as a server's name: programs know a split by two names of servers.
const OTHERS: &str = "others.papo";

/// Somebody came or went. Whoever left or is new is shown at the end of the turn; those that were lost, and those that
/// are back, are gathered for a moment, and several of them are one split.
#[derive(Debug)]
pub(super) struct Pending {
    channel: String,
    key: Key,
    /// Until when others may follow that belong to it.
    until: Time,
    came: bool,
    lost: bool,
    /// It quits, since it is in no other channel here.
    quits: bool,
    plain: Said,
    /// For those who know longer lines.
    long: Option<Said>,
    /// As one of several.
    split: Option<Said>,
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
                key,
                nick,
                first,
                last,
                ..
            } => self.on_missed(id, (key, &nick), (first, last)),
            Event::Warning(text) => self.on_warning(id, &text),
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
        self.show_gathered();
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
        let until = self.now.time + self.settings.gathers;
        self.push(Pending {
            channel: folded.to_owned(),
            key,
            until,
            came: true,
            lost,
            quits: false,
            plain,
            long: Some(long),
            split: None,
        });
    }

    fn unsee(&mut self, id: SeatId, folded: &str, key: Key, how: Departure) {
        let Some(channel) = self.channels.get_mut(folded) else {
            return;
        };
        let did_coordinate = channel.head() == Some(Head::Elsewhere(key));
        if !channel.unsee(key, id) {
            return;
        }
        if how != Departure::Lost {
            return self.show_gone(folded, key, None);
        }
        channel.note_lost(key);
        let patience = match (channel.others().next(), did_coordinate) {
            // Nobody is left who could be lost with it.
            (None, _) => Duration::ZERO,
            (Some(_), false) => self.settings.gathers,
            (Some(_), true) => self.settings.gathers_after_coordinator,
        };
        self.show_gone(folded, key, Some(patience));
    }

    /// Somebody elsewhere is in this channel no more. If it was lost: for how long others may be with it.
    pub(super) fn show_gone(&mut self, folded: &str, key: Key, lost: Option<Duration>) {
        let Some((person, is_gone)) = self.people.remove(folded, key) else {
            return;
        };
        let why = match lost {
            Some(_) => "connection lost: its program, its machine or the network",
            None => "left the room",
        };
        self.push_gone(folded, key, (&person, is_gone), lost, why);
    }

    /// What belongs to a split is gathered; anything else comes after it.
    fn push(&mut self, new: Pending) {
        let is_alike = |last: &Pending| (last.came, last.lost) == (new.came, new.lost);
        if !self.pending.last().is_none_or(is_alike) {
            self.show_pending();
        }
        self.pending.push(new);
    }

    fn push_gone(
        &mut self,
        folded: &str,
        key: Key,
        (person, is_gone): (&Person, bool),
        patience: Option<Duration>,
        why: &str,
    ) {
        let lost = patience.is_some();
        let Some(channel) = self.channels.get(folded) else {
            return;
        };
        let line = match is_gone {
            true => body(&person.mask(), "QUIT", &[], Some(why)),
            // It is still in another channel here.
            false => body(&person.mask(), "PART", &[&channel.name], Some(why)),
        };
        let plain = self.said(line);
        let split = (lost && is_gone).then(|| {
            let both = format!("{} {OTHERS}", self.settings.name);
            self.said(body(&person.mask(), "QUIT", &[], Some(&both)))
        });
        let until = self.now.time + patience.unwrap_or_default();
        if patience == Some(Duration::ZERO) {
            // Nobody is left who could follow.
            self.pending.iter_mut().for_each(|p| p.until = until);
        }
        self.push(Pending {
            channel: folded.to_owned(),
            key,
            until,
            came: false,
            lost,
            quits: is_gone,
            plain,
            long: None,
            split,
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
        self.push_gone(folded, member.key, (&before, false), None, &why);
        self.show_come(folded, member.key, false);
        self.show_pending();
    }

    /// Shows who came and went, once all that belong together are gathered.
    pub(super) fn show_gathered(&mut self) {
        if self.gathered_at().is_none_or(|at| at <= self.now.time) {
            self.show_pending();
        }
    }

    /// When those who came and went are to be shown, if somebody did.
    pub(super) fn gathered_at(&self) -> Option<Time> {
        let until = self.pending.iter().map(|p| match p.lost {
            true => p.until,
            false => self.now.time,
        });
        until.max()
    }

    /// True if who is gathered came, and did not go.
    pub(super) fn is_gathering_comers(&self) -> bool {
        self.pending.iter().any(|p| p.came)
    }

    /// Shows who came and went before something of one of them is shown.
    pub(super) fn show_pending_of(&mut self, folded: &str, key: Key) {
        let is_of = |p: &Pending| p.key == key && p.channel == folded;
        if self.pending.iter().any(is_of) {
            self.show_pending();
        }
    }

    /// Shows at once who came and went.
    pub(super) fn show_pending(&mut self) {
        let mut pending = std::mem::take(&mut self.pending);
        if pending.first().is_none_or(|first| !first.lost) {
            return pending.iter().for_each(|one| self.show_one(one));
        }
        let channels: Vec<String> = pending.iter().map(|p| p.channel.clone()).collect();
        // Whoever quits has parted before that from where it parts.
        let place = |p: &Pending| (p.quits, channels.iter().position(|c| *c == p.channel));
        pending.sort_by_key(place);
        for run in pending.chunk_by(|a, b| place(a) == place(b)) {
            match run {
                [one] => self.show_one(one),
                several => self.show_split(several),
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
                    &[&format!("+{batch}"), kind, &source, OTHERS],
                    None,
                ));
            }
            for one in run {
                let long = one.long.as_ref().filter(|_| client.has(Cap::ExtendedJoin));
                let short = one.split.as_ref().unwrap_or(&one.plain);
                let mut said = long.unwrap_or(short).clone();
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

    fn expect_head(&mut self, folded: &str, at: Time) {
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
        if self.pending.iter().any(|p| p.came && p.channel == folded) {
            // Who coordinates has come before that. Whom it follows may go later, with others that are lost.
            return;
        }
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
