//! Which event of the node is shown, and how much of the history on joining.
//!
//! This module owns what it was told of the room at the start, and how much of the history was
//! shown so far. It never decides where something is shown, which is the business of `display`, or
//! how it reads, which is the business of `text` and `json`.

use crate::node::{Arrival, Event, Lack, Now, Time};
use crate::wire::{ChatMessage, Key, Member};

use super::config::{Listening, Replay, UiConfig};
use super::display::Display;
use super::event_data::{Delivered, Misser, PrivateEvent, Unsent};
use super::ignored::Ignored;
use super::likeness::Lookalikes;
use super::news::News;
use super::people::People;
use super::repeats::{About, Matter, first_words};
use super::room_state::RoomState;
use super::wanted::Wanted;
use super::{act, json, json_people, text};

/// What the user has seen of the room.
#[derive(Debug)]
pub(super) struct Showing {
    replay: Replay,
    wanted: Wanted,
    /// The room's name.
    room: String,
    /// This node's nick at the start.
    nick: String,
    /// Where this node can be reached, and where it asks.
    reach: text::Reach,
    /// The first `Joined` was seen: what comes before it is history.
    has_joined: bool,
    /// How many old messages were printed so far, which `--replay` bounds.
    replayed: usize,
    /// Who comes and goes, for people.
    news: News,
    ignored: Ignored,
    lookalikes: Lookalikes,
}

/// What an event is shown with: where, when, and what the node knows.
struct Scene<'a> {
    display: &'a mut Display,
    now: Now,
    node: &'a dyn RoomState,
}

/// What the node says of its leaving.
#[derive(Debug)]
pub(super) struct LeavingNews {
    pub(super) confirmed: bool,
    pub(super) unconfirmed: u64,
    pub(super) missing: Vec<Member>,
    pub(super) missed: Vec<(Member, u64)>,
    pub(super) lost: Vec<(Member, u64)>,
}

impl Showing {
    /// Nothing was shown yet.
    pub(super) fn new(config: &UiConfig) -> Showing {
        Showing {
            replay: config.replay,
            wanted: config.wanted.clone(),
            room: String::new(),
            nick: String::new(),
            reach: text::Reach::default(),
            has_joined: false,
            replayed: 0,
            news: News::new(config.notices),
            ignored: Ignored::default(),
            lookalikes: Lookalikes::default(),
        }
    }

    /// Who comes and goes, to be said more or less of.
    pub(super) fn news_mut(&mut self) -> &mut News {
        &mut self.news
    }

    /// When [`on_deadline`](Showing::on_deadline) wants to be called.
    pub(super) fn next_deadline(&self) -> Option<Time> {
        let both = [self.news.next_deadline(), self.lookalikes.next_deadline()];
        both.into_iter().flatten().min()
    }

    /// Says what has waited long enough for what would belong to it.
    pub(super) fn on_deadline(&mut self, display: &mut Display, now: Now) {
        for line in self.news.on_deadline(now.time) {
            display.notice_of(now, Matter::Coming.of(""), &line);
        }
    }

    /// The room's name.
    pub(super) fn room(&self) -> &str {
        &self.room
    }

    /// Whether this message is one of those that are shown.
    pub(super) fn wants(&self, message: &ChatMessage, people: &People) -> bool {
        let author = message.origin();
        self.wanted.fits(message) && !self.ignored.hides(author, people.identity(author))
    }

    /// Leaves those of these messages that are shown.
    fn keep_wanted(&self, messages: &mut Vec<ChatMessage>, people: &People) {
        if self.wanted.is_choosy() || !self.ignored.is_empty() {
            messages.retain(|message| self.wants(message, people));
        }
    }

    /// Whom the user does not want to read, to be changed.
    pub(super) fn ignored_mut(&mut self) -> &mut Ignored {
        &mut self.ignored
    }

    /// Warns at a prompt of members whose nicks look alike, when it is time for that.
    pub(super) fn look_alikes(&mut self, display: &mut Display, now: Now, node: &dyn RoomState) {
        let people = display.people();
        let (members, own) = (node.members(), node.key());
        let identity = |key| people.identity(key);
        let marked = |member: &Member| people.is_another(member.key, &member.nick);
        for words in (self.lookalikes).look(now.time, members, own, identity, marked) {
            if display.prompt().is_some() {
                display.warn_of(now, Matter::Alike.of(""), &words);
            }
        }
    }

    /// How many messages were counted since the last call.
    pub(super) fn take_counted(&mut self) -> u64 {
        self.wanted.take_counted()
    }

    /// So many of the messages that are counted were shown elsewhere.
    pub(super) fn count_elsewhere(&mut self, count: u64) {
        self.wanted.count_elsewhere(count);
    }

    /// Whether as many messages were shown as are wanted.
    pub(super) fn is_done(&self) -> bool {
        self.wanted.is_done()
    }

    /// Whether this node was in the room already.
    pub(super) fn has_joined(&self) -> bool {
        self.has_joined
    }

    /// The sockets are open.
    pub(super) fn on_listening(&mut self, display: &mut Display, now: Now, listening: &Listening) {
        self.room.clone_from(&listening.room);
        self.nick.clone_from(&listening.nick);
        self.reach = text::Reach {
            tcp: listening.tcp.clone(),
            group: listening.group.clone(),
        };
        if display.is_json() {
            display.json(now, |out, at, _| json::listening(out, at, listening));
        }
    }

    /// The node tells of something; of its leaving, see [`show_left`].
    pub(super) fn show(
        &mut self,
        display: &mut Display,
        now: Now,
        event: Event,
        node: &dyn RoomState,
    ) {
        let mut scene = Scene { display, now, node };
        match event {
            Event::Joined { again } => self.show_joined(&mut scene, again),
            Event::Messages {
                messages,
                own,
                arrival,
            } => self.show_messages(&mut scene, messages, own, arrival),
            Event::Missed {
                key,
                nick,
                first,
                last,
                lack,
            } => self.show_missed(&mut scene, (key, &nick), (first, last), lack),
            Event::Private { .. } => self.show_private(&mut scene, &event),
            Event::Delivered { .. } => show_delivered(&mut scene, event),
            Event::Warning(text) => {
                let about = Matter::Warning.of(first_words(&text));
                scene.display.warn_of(now, about, &text);
            }
            Event::NotLetIn { text, .. } => scene.display.warn(now, &text),
            other => self.show_change(&mut scene, &other),
        }
    }

    fn show_messages(
        &mut self,
        scene: &mut Scene<'_>,
        mut messages: Vec<ChatMessage>,
        own: bool,
        arrival: Arrival,
    ) {
        let Scene { display, now, .. } = scene;
        let count = messages.len();
        if arrival == Arrival::Old {
            let left = self.replay.max().saturating_sub(self.replayed);
            // What comes before the first `Joined` is shown with it.
            self.keep_wanted(&mut messages, display.people());
            messages.truncate(if self.has_joined { left } else { 0 });
            messages.truncate(self.wanted.take(messages.len()));
            self.replayed += messages.len();
        } else {
            if let Some(last) = messages.last() {
                self.news.note_spoke(now.time, last.origin());
            }
            if self.has_joined && (display.shows_own() || !own) {
                self.keep_wanted(&mut messages, display.people());
                messages.truncate(self.wanted.take(messages.len()));
            } else {
                messages.clear();
            }
        }
        let unshown = count - messages.len();
        if !messages.is_empty() {
            display.messages(*now, messages, own, arrival);
        }
        if !own {
            display.stdout_mut().push_unshown(unshown);
        }
    }

    /// Messages of this author, from one number to another, are given up.
    fn show_missed(
        &self,
        scene: &mut Scene<'_>,
        (key, nick): (Key, &str),
        (first, last): (u64, u64),
        lack: Lack,
    ) {
        let Scene { display, now, node } = scene;
        let me = node.members().iter().find(|m| m.key == node.key());
        let me = me.map_or(&self.nick, |m| &m.nick);
        let is_unstored = lack == Lack::Unstored;
        let count = last.saturating_sub(first).saturating_add(1);
        let author = key.to_string();
        let about = About {
            lost: count,
            ..Matter::Missed.of(&author)
        };
        let words = text::missed(me, nick, (first, last), is_unstored);
        display.warn_of(*now, about, &words);
        if !display.is_json() {
            return;
        }
        display.json(*now, |out, at, _| {
            json::missed(out, at, (key, nick), (first, last), count, is_unstored);
        });
    }

    fn show_private(&mut self, scene: &mut Scene<'_>, event: &Event) {
        let Event::Private {
            from,
            key,
            nick,
            sent_at,
            text,
            own,
        } = event
        else {
            return;
        };
        let said = PrivateEvent {
            from: *from,
            key: *key,
            nick,
            sent_at: *sent_at,
            text,
            own: *own,
        };
        let identity = scene.display.people().identity(*key);
        if self.ignored.hides(*key, identity) {
            return;
        }
        if self.wanted.fits_text(text, *sent_at) && self.wanted.take(1) > 0 {
            scene.display.private(scene.now, &said);
        }
    }

    /// Shows what happens to the group rather than in the talk.
    fn show_change(&mut self, scene: &mut Scene<'_>, event: &Event) {
        let Scene { display, now, node } = scene;
        display.set_members(*now, node.members());
        let is_change = matches!(event, Event::MemberJoined(_) | Event::MemberRenamed { .. });
        if is_change && display.prompt().is_some() {
            self.lookalikes.on_change(now.time);
        }
        if display.is_json() {
            display.json(*now, |out, at, people| {
                change_as_json(out, at, event, people)
            });
        } else if let Some(notice) = self.news.on_event(now.time, event, node.members()) {
            let (matter, whom) = match event {
                Event::MemberRenamed { member, .. } => (Matter::Renamed, member.key.to_string()),
                _ => (Matter::Coming, String::new()),
            };
            display.notice_of(*now, matter.of(&whom), &notice);
        }
    }

    fn show_joined(&mut self, scene: &mut Scene<'_>, again: bool) {
        let Scene { display, now, node } = scene;
        display.set_members(*now, node.members());
        if display.prompt().is_some() {
            self.lookalikes.on_change(now.time);
        }
        self.news.on_joined(node.coordinator().map(|c| c.key));
        display.joined(*now, again, &self.room, *node);
        if self.has_joined {
            return;
        }
        if !display.is_json() && node.members().len() == 1 {
            for line in text::alone(&self.room, &self.reach) {
                display.notice(*now, &line);
            }
        }
        self.has_joined = true;
        // What is newer, or comes later, comes as an event of its own.
        let most = self.replay.max();
        let mut old = match self.wanted.is_choosy() && most > 0 {
            true => node.old(usize::MAX),
            false => node.old(most),
        };
        old.retain(|message| self.wants(message, display.people()));
        old.drain(..old.len().saturating_sub(most));
        old.truncate(self.wanted.take(old.len()));
        self.replayed = old.len();
        let (shown, all) = (old.len() as u64, node.history_len() as u64);
        if shown < all && display.prompt().is_some() {
            display.notice(*now, &text::part_of_history(shown, all));
        }
        display.replay(*now, old, node.key());
        if shown > 0 {
            display.rule(*now, "new");
        }
        if display.prompt().is_some()
            && let Some(set) = act::topic(*node)
        {
            display.notice(*now, &text::topic(&set));
        }
    }
}

fn show_delivered(scene: &mut Scene<'_>, event: Event) {
    let Event::Delivered {
        first,
        last,
        members,
        confirmed,
        missed,
    } = event
    else {
        return;
    };
    let here = scene.node.members();
    let delivered = Delivered {
        first,
        last,
        members,
        confirmed,
        missed: missed.iter().map(|key| Misser::of(*key, here)).collect(),
    };
    scene.display.delivered(scene.now, delivered);
}

fn change_as_json(out: &mut Vec<u8>, at: json::When<'_>, event: &Event, people: &People) {
    match event {
        Event::MemberJoined(member) => json_people::member_joined(out, at, member, people),
        Event::MemberLeft(member, departure) => {
            json_people::member_left(out, at, member, people, *departure);
        }
        Event::MemberRenamed { member, previous } => {
            json_people::member_renamed(out, at, member, people, previous);
        }
        Event::Election { phase, reason } => json::election(out, at, *phase, reason),
        Event::Coordinator {
            id,
            key,
            previous,
            own,
        } => json::coordinator(out, at, *id, *key, *previous, *own),
        // The others have ways of their own.
        _ => {}
    }
}

/// Shows that the node has left, and what became of what was said here, and of what was not.
pub(super) fn show_left(display: &mut Display, now: Now, leaving: &LeavingNews, unsent: &Unsent) {
    let LeavingNews {
        confirmed,
        unconfirmed,
        missing,
        missed,
        lost,
    } = leaving;
    display.sum_up_all();
    if !missed.is_empty() {
        display.say_on_stderr(&text::missers(missed));
    }
    if !lost.is_empty() {
        display.say_on_stderr(&text::unheard_of(lost));
    }
    let lines = text::count(unsent.lines, "line");
    match &unsent.why {
        Some(why) if unsent.lines > 0 => {
            display.say_on_stderr(&format!("{lines} not sent: {why}"));
        }
        Some(why) => display.say_on_stderr(why),
        None if unsent.lines > 0 => display.say_on_stderr(&format!("{lines} not sent")),
        None => {}
    }
    // What somebody has missed, and nobody else was to confirm, is said already.
    let is_said = missing.is_empty() && missed.iter().any(|(_, n)| n >= unconfirmed);
    if (*unconfirmed > 0 || !missing.is_empty()) && !is_said {
        let messages = text::count(*unconfirmed, "message");
        let by = match text::names(missing) {
            names if names.is_empty() => names,
            names => format!(" by {names}"),
        };
        display.say_on_stderr(&format!("{messages} not confirmed{by}"));
    }
    // Whoever missed something may have gone before anybody knew what people call it.
    let is_named = !missed.is_empty() || !lost.is_empty() || !missing.is_empty();
    if !*confirmed && *unconfirmed == 0 && !is_named {
        display.say_on_stderr("somebody who is gone missed some of the lines said");
    }
    let good = *confirmed && missed.is_empty() && unsent.lines == 0 && !unsent.failed;
    if display.is_json() {
        display.json(now, |out, at, _| json::left(out, at, good));
    }
    display.end(u8::from(!good));
}
