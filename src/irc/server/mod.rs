//! The IRC server as a state machine: lines of clients and events of rooms in, lines for clients and requests
//! to rooms out.
//!
//! Owns who is connected, the channels, and who is in them. It has no socket, no clock and no node: whoever calls
//! says what time it is, carries bytes, and does with rooms what [`Server::next_request`] asks for. What one client
//! does is seen by the others of this process at once and in order; the rooms learn of it behind that, and what
//! comes back from them of this process's own nodes is not shown again.
//!
//! | file | subject |
//! | --- | --- |
//! | `registering` | who a client is: CAP, NICK, USER, PASS, the welcome |
//! | `joining` | JOIN, PART and QUIT, and the nodes that come and go with them |
//! | `channels` | NAMES, TOPIC, LIST, INVITE, and what papo has no power for |
//! | `modes` | MODE |
//! | `talking` | PRIVMSG, NOTICE, TAGMSG, and what the rooms are told |
//! | `multiline` | messages of several lines |
//! | `history` | what was said before |
//! | `asking` | WHO, WHOIS and the like |
//! | `about` | what the server says of itself |
//! | `rooms` | who the nodes see, and who coordinates |
//! | `spoken` | what the nodes hear |
//! | `warning` | what the nodes warn of |
//! | `saying` | how something is said to clients |
//! | `ending` | clients that go, and time |

mod about;
mod asking;
mod channels;
mod ending;
mod history;
mod joining;
mod modes;
mod multiline;
mod registering;
mod rooms;
mod saying;
mod spoken;
mod talking;
mod warning;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use crate::limits::{
    IRC_ALL_LINES_PER_TURN, IRC_ANSWER_BYTES_PER_LINE, IRC_ANSWERS_BYTES_MAX, IRC_LINES_PER_TURN,
    IRC_UNSAID_LINES_MAX,
};
use crate::node::Now;
use crate::ui::repeats::Repeats;
use crate::wire::Key;

use super::caps::Cap;
use super::channel::Channel;
use super::client::{Client, Said, Stage};
use super::line::{Bad, Line};
use super::people::People;
use super::{Conn, SeatId};
use multiline::Gathered;
use rooms::Pending;

/// What the command line decides about the server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its name, in 004 and before what it says.
    pub name: String,
    /// What is to be given before anything else.
    pub password: Option<String>,
    /// The room that everybody is put into, if there is one.
    pub room: Option<String>,
    /// The names of the secrets that JOIN may give.
    pub secrets: BTreeSet<String>,
    /// How long the topic and the lines of a channel are kept that nobody is in.
    pub linger: Duration,
    /// How long those are gathered who are lost or back, before they are shown: a split is noticed little by
    /// little.
    pub gathers: Duration,
    /// The same where the one is lost who coordinates: whoever follows it has to notice the others first.
    pub gathers_after_coordinator: Duration,
}

/// What is to be done with rooms. Each is carried out at once, before the next line is given to the server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// A node of its own is to join this room; [`Server::on_opened`] or [`Server::on_closed`] follows.
    Open {
        /// The name of this node from now on.
        seat: SeatId,
        /// The room.
        room: String,
        /// The nick.
        nick: String,
        /// The name of its secret, if it is locked.
        secret: Option<String>,
    },
    /// Says this to the room.
    Say {
        /// The node.
        seat: SeatId,
        /// What.
        text: String,
    },
    /// Says this to one member.
    Private {
        /// The node.
        seat: SeatId,
        /// To whom.
        to: Key,
        /// What.
        text: String,
    },
    /// Takes this nick.
    Rename {
        /// The node.
        seat: SeatId,
        /// The nick.
        nick: String,
    },
    /// Leaves the room; [`Server::on_closed`] follows.
    Leave {
        /// The node.
        seat: SeatId,
    },
}

/// How far a node is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// It waits for others: those that leave, or the first one.
    Waiting,
    /// It looks for the room.
    Opened,
    /// It is in.
    Joined,
    /// It is to leave, or does.
    Leaving,
}

/// One node: a client in a channel.
#[derive(Debug)]
struct Seat {
    conn: Conn,
    /// The folded name.
    channel: String,
    place: Place,
    since: crate::node::Time,
    key: Option<Key>,
    /// How many messages it was told to say.
    said: u64,
    /// What it is told when it opens.
    unsaid: VecDeque<String>,
    /// What comes back to the client when everybody has confirmed it.
    echoes: VecDeque<(u64, Vec<Said>)>,
    /// Who coordinates, as far as it knows.
    coordinator: Option<Key>,
    /// Of what its client was warned lately.
    repeats: Repeats,
}

/// The server.
#[derive(Debug)]
pub struct Server {
    settings: Settings,
    now: Now,
    /// When it was started.
    since_ms: u64,
    clients: BTreeMap<Conn, Client>,
    /// By their folded names.
    nicks: BTreeMap<String, Conn>,
    channels: BTreeMap<String, Channel>,
    seats: BTreeMap<SeatId, Seat>,
    own_keys: BTreeMap<Key, SeatId>,
    people: People,
    requests: VecDeque<Request>,
    gathered: BTreeMap<Conn, Gathered>,
    pending: Vec<Pending>,
    /// The nodes whose rooms cannot follow.
    busy: BTreeSet<SeatId>,
    next_seat: u64,
    next_id: u64,
    /// The most clients that were here at a time.
    most: usize,
    /// How many descriptors all may take.
    descriptors: usize,
    /// As how many lines the last one counts beside itself.
    dear: usize,
}

impl Server {
    /// Nobody is connected yet.
    #[must_use]
    pub fn new(settings: Settings, now: Now) -> Server {
        Server {
            settings,
            now,
            since_ms: now.wall_ms,
            clients: BTreeMap::new(),
            nicks: BTreeMap::new(),
            channels: BTreeMap::new(),
            seats: BTreeMap::new(),
            own_keys: BTreeMap::new(),
            people: People::default(),
            requests: VecDeque::new(),
            gathered: BTreeMap::new(),
            pending: Vec::new(),
            busy: BTreeSet::new(),
            next_seat: 0,
            next_id: 0,
            most: 0,
            descriptors: usize::MAX,
            dear: 0,
        }
    }

    /// How many descriptors this process may have: nodes beyond that are not begun.
    pub fn set_descriptors(&mut self, most: usize) {
        self.descriptors = most;
    }

    /// Somebody has connected from this host.
    pub fn on_connected(&mut self, now: Now, conn: Conn, host: &str) {
        self.now = now;
        let client = Client::new(host.to_owned(), now.time, now.wall_ms);
        self.clients.insert(conn, client);
        self.most = self.most.max(self.clients.len());
    }

    /// Who has waited longest of those who have not said who they are: whoever comes when all places are taken
    /// gets that place.
    #[must_use]
    pub fn oldest_unknown(&self) -> Option<Conn> {
        let mut unknown = self.clients.iter().filter(|(_, c)| c.stage == Stage::New);
        unknown.next().map(|(conn, _)| *conn)
    }

    /// True if more bytes of this client may be taken in.
    #[must_use]
    pub fn wants_bytes(&self, conn: Conn) -> bool {
        let client = self.clients.get(&conn);
        client.is_some_and(Client::wants_bytes)
    }

    /// These bytes came from a client. They are understood in [`Server::step`].
    pub fn on_bytes(&mut self, now: Now, conn: Conn, bytes: &[u8]) {
        self.now = now;
        if let Some(client) = self.clients.get_mut(&conn) {
            client.take_bytes(now.time, bytes);
        }
    }

    /// What waits for this client.
    #[must_use]
    pub fn unsent(&self, conn: Conn) -> &[u8] {
        let client = self.clients.get(&conn);
        client.map(Client::unsent).unwrap_or_default()
    }

    /// So many bytes of it are on their way.
    pub fn on_sent(&mut self, conn: Conn, bytes: usize) {
        if let Some(client) = self.clients.get_mut(&conn) {
            client.on_sent(bytes);
        }
    }

    /// Those for whom something waits.
    pub fn with_unsent(&self) -> impl Iterator<Item = Conn> {
        let all = self.clients.iter().filter(|(_, c)| c.has_unsent());
        all.map(|(conn, _)| *conn)
    }

    /// The connection is closed, whoever did it.
    pub fn on_disconnected(&mut self, now: Now, conn: Conn, why: &str) {
        self.now = now;
        self.quit(conn, why);
        self.clients.remove(&conn);
        self.gathered.remove(&conn);
    }

    /// The next thing that is to be done with rooms.
    pub fn next_request(&mut self) -> Option<Request> {
        self.requests.pop_front()
    }

    /// Understands one line of each client that has some, and so on until none has more for now. Between two lines
    /// what rooms are asked for is to be done: false if there was none.
    pub fn step(&mut self, now: Now, round: &mut Round) -> bool {
        self.now = now;
        loop {
            let Some((conn, lines)) = round.next() else {
                return false;
            };
            let Some(client) = self.clients.get_mut(&conn) else {
                continue;
            };
            match client.next_line(now.time) {
                Ok(Some(line)) => {
                    let before = client.unsent_len();
                    self.on_line(conn, &line);
                    let unsent = self.clients.get(&conn).map_or(0, Client::unsent_len);
                    let answer = unsent.saturating_sub(before);
                    self.charge(conn, answer / IRC_ANSWER_BYTES_PER_LINE);
                    round.left = round
                        .left
                        .saturating_sub(1 + std::mem::take(&mut self.dear));
                    // What it gets for what it asks is written before it is understood further.
                    if unsent < IRC_ANSWERS_BYTES_MAX {
                        round.again(conn, lines + 1);
                    }
                    return true;
                }
                Ok(None) => {}
                Err(why) => self.end(conn, why),
            }
        }
    }

    /// What a client says now counts as so many lines more, for itself and in this turn.
    fn charge(&mut self, conn: Conn, lines: usize) {
        self.dear += lines;
        if let Some(client) = self.clients.get_mut(&conn) {
            client.charge(lines);
        }
    }

    /// The rooms of these nodes cannot follow: their clients are not understood further until they can.
    pub fn set_busy(&mut self, seats: impl IntoIterator<Item = SeatId>) {
        self.busy = seats.into_iter().collect();
    }

    /// Who is asked for lines in this turn.
    #[must_use]
    pub fn round(&self, now: Now) -> Round {
        let has = |(conn, c): (&Conn, &Client)| {
            let may = !self.is_held(*conn);
            (may && (c.has_line(now.time))).then_some((*conn, 0))
        };
        Round {
            next: self.clients.iter().filter_map(has).collect(),
            left: IRC_ALL_LINES_PER_TURN,
        }
    }

    /// A client whose nodes cannot yet take more is not understood further.
    pub(super) fn is_held(&self, conn: Conn) -> bool {
        let Some(client) = self.clients.get(&conn) else {
            return true;
        };
        let is_full = |channel: &String| {
            let seat = self.channels.get(channel).and_then(|c| c.seat_of(conn));
            let Some((id, seat)) = seat.and_then(|id| Some((id, self.seats.get(&id)?))) else {
                return false;
            };
            let is_in = seat.place == Place::Joined;
            self.busy.contains(&id) || !is_in && seat.said >= IRC_UNSAID_LINES_MAX
        };
        client.channels.iter().any(is_full)
    }

    fn on_line(&mut self, conn: Conn, bytes: &[u8]) {
        let line = match Line::read(bytes) {
            Ok(line) => line,
            Err(Bad::Empty) => return,
            Err(Bad::TooLong) => {
                return self.reply(conn, "417", &[], Some("Input line was too long"));
            }
            Err(Bad::NotUtf8) => {
                let lossy = String::from_utf8_lossy(bytes);
                let label =
                    Line::read_text(&lossy).map(|l| l.tag("label").unwrap_or("").to_owned());
                let fail = |server: &mut Server| {
                    let text = "Message rejected: it is not UTF-8";
                    server.fail(conn, "*", "INVALID_UTF8", &[], text);
                };
                return self.answered(conn, label.as_deref(), fail);
            }
        };
        let label = line.tag("label").map(str::to_owned);
        // What a batch gathers is answered when it is complete.
        let opens = line.param(0).is_some_and(|p| p.starts_with('+'));
        let is_part =
            line.tag("batch").is_some() || opens && line.command.eq_ignore_ascii_case("BATCH");
        let label = label.as_deref().filter(|_| !is_part);
        self.answered(conn, label, |server| server.dispatch(conn, &line));
    }

    /// What is said to this client meanwhile is the answer to what it labelled so.
    fn answered(&mut self, conn: Conn, label: Option<&str>, act: impl FnOnce(&mut Server)) {
        let takes = |c: &Client| c.has(Cap::Labels) && c.has(Cap::Batch);
        let label = label.filter(|l| !l.is_empty() && l.len() <= 64);
        let client = self.clients.get_mut(&conn).filter(|c| takes(c));
        let (Some(label), Some(client)) = (label, client) else {
            return act(self);
        };
        client.begin_answer(label);
        act(self);
        let server = &self.settings.name;
        if let Some(client) = self.clients.get_mut(&conn) {
            client.end_answer(server);
        }
    }

    fn dispatch(&mut self, conn: Conn, line: &Line<'_>) {
        let command = line.command.to_ascii_uppercase();
        let is_known = self
            .clients
            .get(&conn)
            .is_some_and(|c| c.stage == Stage::Known);
        // What names nicks anew comes after those who had one.
        if matches!(command.as_str(), "NICK" | "USER" | "CAP" | "JOIN" | "NAMES") {
            self.show_pending();
        }
        match command.as_str() {
            "CAP" => return self.on_cap(conn, line),
            "PASS" => return self.on_pass(conn, line),
            "NICK" => return self.on_nick(conn, line),
            "USER" => return self.on_user(conn, line),
            "QUIT" => return self.on_quit(conn, line),
            "PONG" => return,
            // A browser that was made to speak to this port says one of these first.
            "GET" | "POST" | "HEAD" | "PUT" | "DELETE" | "OPTIONS" | "CONNECT" | "TRACE"
            | "PATCH" | "HOST:" | "PRI"
                if !is_known =>
            {
                return self.end(conn, "this is no web server");
            }
            _ if !is_known => {
                return self.reply(conn, "451", &[], Some("You have not registered"));
            }
            _ => {}
        }
        if let Some(client) = self.clients.get_mut(&conn)
            && matches!(
                command.as_str(),
                "PRIVMSG" | "NOTICE" | "JOIN" | "TOPIC" | "AWAY"
            )
        {
            (client.spoke, client.spoke_ms) = (self.now.time, self.now.wall_ms);
        }
        self.dispatch_known(conn, &command, line);
    }

    fn dispatch_known(&mut self, conn: Conn, command: &str, line: &Line<'_>) {
        match command {
            "PING" => self.on_ping(conn, line),
            "JOIN" => self.on_join(conn, line),
            "PART" => self.on_part(conn, line),
            "NAMES" => self.on_names(conn, line),
            "TOPIC" => self.on_topic(conn, line),
            "LIST" => self.on_list(conn, line),
            "INVITE" => self.on_invite(conn, line),
            "KICK" => self.on_kick(conn, line),
            "MODE" => self.on_mode(conn, line),
            "PRIVMSG" | "NOTICE" | "TAGMSG" => self.on_message(conn, command, line),
            "BATCH" => self.on_batch(conn, line),
            "CHATHISTORY" => self.on_chathistory(conn, line),
            "AWAY" => self.on_away(conn, line),
            "SETNAME" => self.on_setname(conn, line),
            "WHO" => self.on_who(conn, line),
            "WHOIS" => self.on_whois(conn, line),
            "WHOWAS" => self.on_whowas(conn, line),
            "USERHOST" => self.on_userhost(conn, line),
            "ISON" => self.on_ison(conn, line),
            "MOTD" | "LUSERS" | "VERSION" | "TIME" | "ADMIN" | "INFO" | "HELP" | "LINKS"
            | "OPER" | "KILL" => {
                self.on_about(conn, command, line);
            }
            _ => self.reply(conn, "421", &[line.command], Some("Unknown command")),
        }
    }
}

/// Whose lines are understood in a turn: one of each in turn, and so many of all.
#[derive(Debug)]
pub struct Round {
    next: VecDeque<(Conn, usize)>,
    left: usize,
}

impl Round {
    fn next(&mut self) -> Option<(Conn, usize)> {
        self.next.pop_front().filter(|_| self.left > 0)
    }

    /// This client may have more, and is asked after all the others.
    fn again(&mut self, conn: Conn, lines: usize) {
        if lines < IRC_LINES_PER_TURN {
            self.next.push_back((conn, lines));
        }
    }
}

/// A time in milliseconds since 1970 as `server-time` has it.
fn iso(ms: u64) -> Rc<str> {
    let ms = i64::try_from(ms).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string().into()
}

#[cfg(test)]
#[path = "server_test.rs"]
mod tests;
