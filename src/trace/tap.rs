//! What one node does, as lines: a tap on what goes into its core and comes out of it.
//!
//! Owns the count of lines, the ordinals of messages on each link, and what was last written of the node's view,
//! so that only changes are. It never changes the node, and never opens a file: the lines wait in a buffer for
//! whoever writes them.

use std::collections::{BTreeMap, BTreeSet};

use crate::node::{
    Arrival, Close, Closed, Command, Effect, Event, Input, LinkId, Node, Note, Now, Phase,
};
use crate::wire::{Claim, Key, Message, MessageKind, Position};

use super::format::{Claims, Hex, LinkNow, Run, Said, VERSION, What, Who};
use super::pen::Pen;
use super::saying::{name_of, name_of_datagram, runs, said, said_by_datagram, texts_of};

/// How many messages of each type went over a link, received and sent. Those of types that this version does not know count
/// as one type, which has the number 0.
type Counts = [[u64; 2]; TYPES];
/// How many types there are, and the one of all others.
const TYPES: usize = MessageKind::ALL.len() + 1;

/// A tap on one node.
#[derive(Debug)]
pub struct Tap {
    key: Key,
    /// How each line begins.
    head: String,
    /// How it goes on after its number, and the time for which that is so.
    clocks: (Option<Now>, Vec<u8>),
    room: String,
    /// Texts are written, too.
    texts: bool,
    n: u64,
    /// How many messages of each type went over each link.
    counted: BTreeMap<LinkId, Counts>,
    /// The name of each link that both ends have.
    wires: BTreeMap<LinkId, String>,
    /// The view that was last written.
    view: (u64, Key),
    members: BTreeMap<Key, (u64, String)>,
    floor: Position,
    /// Lines that wait to be written, all of them whole.
    out: Vec<u8>,
}

impl Tap {
    /// A tap on the node with this key, in this room; `texts`: what is said is written, too.
    #[must_use]
    pub fn new(key: Key, room: &str, texts: bool) -> Tap {
        Tap {
            key,
            head: format!("{{\"key\":\"{key}\",\"n\":"),
            clocks: (None, Vec::new()),
            room: room.to_owned(),
            texts,
            n: 0,
            counted: BTreeMap::new(),
            wires: BTreeMap::new(),
            view: (0, Key(0)),
            members: BTreeMap::new(),
            floor: Position::default(),
            out: Vec::new(),
        }
    }

    /// Lines that wait to be written; whoever has written them clears it.
    pub fn lines(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// How the node stands: at the head of each file. `late`: it has run for a while, and was not tapped.
    pub fn head(&mut self, now: Now, node: &Node, late: bool) {
        if late {
            let open = node.open_links();
            let missing = open.filter(|(_, link)| !self.wires.contains_key(link));
            let missing: Vec<LinkId> = missing.map(|(_, link)| link).collect();
            for link in missing {
                self.wires.insert(link, String::new());
            }
        }
        let wire = |link| self.wires.get(&link).cloned().unwrap_or_default();
        let links = node.open_links();
        let links = links.map(|(key, link)| LinkNow(link.0, Hex(key), wire(link)));
        let view = (node.view_version(), node.view_coordinator());
        let members = node.members().iter();
        let head = What::Node {
            trace: VERSION,
            nick: node.nick().to_owned(),
            room: self.room.clone(),
            id: node.id(),
            standing: node.standing().to_owned(),
            coordinator: node.coordinator().map(Claims::from),
            view: (view.0 > 0).then_some((view.0, Hex(view.1))),
            members: members
                .map(|m| Who(Hex(m.key), m.id, m.nick.clone()))
                .collect(),
            links: links.collect(),
            late,
        };
        self.write(now, head);
        self.view = view;
        self.members = members_of(node);
    }

    /// The name of a link that both ends have.
    pub fn name(&mut self, link: LinkId, wire: &str) {
        self.wires.insert(link, wire.to_owned());
    }

    /// Before an input: what it is. `wire` knows the name of a new link that both ends have.
    pub fn input(&mut self, now: Now, input: &Input, wire: impl FnOnce(LinkId) -> String) {
        let what = match input {
            Input::Message { link, message } => return self.got(now, *link, message),
            Input::Datagram { from, datagram } => {
                let (peer, said) = said_by_datagram(datagram);
                What::Heard {
                    m: name_of_datagram(datagram).to_owned(),
                    at: from.to_string(),
                    peer: peer.map(Hex),
                    said,
                }
            }
            Input::Accepted { link, .. } => {
                let wire = wire(*link);
                self.name(*link, &wire);
                What::Accepted { link: link.0, wire }
            }
            Input::Connected { link } => {
                let wire = wire(*link);
                self.name(*link, &wire);
                What::Connected { link: link.0, wire }
            }
            Input::Closed { link, why } => {
                let why = match why {
                    Closed::Refused => "refused",
                    Closed::Failed => "failed",
                    Closed::Ended => "ended",
                };
                self.forget(*link);
                What::Closed {
                    link: link.0,
                    why: why.to_owned(),
                }
            }
            Input::Timer(timer) => What::Timer {
                timer: format!("{timer:?}"),
            },
            Input::Away => What::Away,
            Input::Command(command) => {
                let name = name_of_command(command);
                return self.by_hand(now, |pen| pen.command(name));
            }
            Input::Congested { .. }
            | Input::Drained { .. }
            | Input::Addresses(_)
            | Input::PeerFound(_) => return,
        };
        self.write(now, what);
    }

    /// After an input, or at the end of a turn: what the node wants done, and how it stands now.
    pub fn output(&mut self, now: Now, node: &Node, effects: &[Effect]) {
        for effect in effects {
            if let Some(what) = self.effect(now, effect) {
                self.write(now, what);
            }
        }
        self.look_at_view(now, node);
        let floor = node.history().floor();
        if floor != self.floor {
            self.floor = floor;
            let at = (floor.timestamp, Hex(floor.origin), floor.seq);
            self.write(now, What::Floor { at });
        }
    }

    /// What was done to the process from outside.
    pub fn fate(&mut self, now: Now, fate: &str, peer: Option<Key>) {
        let fate = fate.to_owned();
        let peer = peer.map(Hex);
        self.write(now, What::Fate { fate, peer });
    }

    /// Writes what an effect is, or says what is to be written of it.
    fn effect(&mut self, now: Now, effect: &Effect) -> Option<What> {
        Some(match effect {
            Effect::Send { to, message, .. } => {
                self.sent(now, to, message);
                return None;
            }
            Effect::Multicast(datagram) => {
                let (_, said) = said_by_datagram(datagram);
                cast(name_of_datagram(datagram), "group".to_owned(), said)
            }
            Effect::Unicast { to, datagram } => {
                let (_, said) = said_by_datagram(datagram);
                cast(name_of_datagram(datagram), to.to_string(), said)
            }
            Effect::Dial { link, to, .. } => What::Dial {
                link: link.0,
                at: to.to_string(),
            },
            Effect::Close { link, how } => {
                let why = match how {
                    Close::Graceful => "this node closes it",
                    Close::GiveUp(why) | Close::Abort(why) => {
                        self.forget(*link);
                        *why
                    }
                };
                What::Closed {
                    link: link.0,
                    why: why.to_owned(),
                }
            }
            Effect::Note(Note::Standing { standing, why }) => What::Standing {
                standing: (*standing).to_owned(),
                why: why.clone(),
            },
            Effect::Note(Note::Lost { key, why }) => What::Lost {
                peer: Hex(*key),
                why: why.clone(),
            },
            Effect::Show(event) => return self.event(now, event),
            // The driver answers with a chunk of what is stored.
            Effect::FetchStored { link, .. } => What::Sent {
                m: MessageKind::Chunk.name().to_owned(),
                to: vec![(
                    link.0,
                    count(&mut self.counted, *link, MessageKind::Chunk.number(), true),
                )],
                said: Said::default(),
            },
            Effect::SetTimer { .. } | Effect::CancelTimer(_) => {
                return None;
            }
        })
    }

    fn event(&mut self, now: Now, event: &Event) -> Option<What> {
        Some(match event {
            Event::Joined { again } => What::Joined { again: *again },
            Event::Messages {
                messages,
                own,
                arrival,
            } => {
                let (ids, texts) = (runs(messages), texts_of(messages, self.texts));
                let how = name_of_arrival(*arrival);
                self.by_hand(now, |pen| pen.taken(&ids, *own, how, &texts));
                return None;
            }
            Event::Missed {
                key, first, last, ..
            } => What::Missed {
                ids: vec![Run(Hex(*key), *first, *last)],
            },
            Event::Delivered {
                first,
                last,
                members,
                confirmed,
                missed,
            } => {
                let ids = Run(Hex(self.key), *first, *last);
                let (members, confirmed) = (*members as u64, *confirmed as u64);
                let missed: Vec<Hex> = missed.iter().copied().map(Hex).collect();
                self.by_hand(now, |pen| pen.confirmed(ids, members, confirmed, &missed));
                return None;
            }
            Event::Election { phase, reason } => What::Election {
                phase: match phase {
                    Phase::Started => "started",
                    Phase::Won => "won",
                    Phase::Ended => "ended",
                }
                .to_owned(),
                why: reason.clone(),
            },
            Event::Coordinator { id, key, .. } => What::Coordinator {
                claim: Claim { id: *id, key: *key }.into(),
            },
            Event::Left { confirmed, .. } => What::Left {
                confirmed: *confirmed,
            },
            _ => return None,
        })
    }

    fn got(&mut self, now: Now, link: LinkId, message: &Message) {
        let no = count(&mut self.counted, link, message.number(), false);
        let said = said(message, self.texts);
        self.by_hand(now, |pen| pen.got(name_of(message), link.0, no, &said));
        if let Message::Hello(hello) = message {
            let peer = Hex(hello.key);
            self.write(now, What::Open { link: link.0, peer });
        }
    }

    fn sent(&mut self, now: Now, to: &[LinkId], message: &Message) {
        let said = said(message, self.texts);
        let mut counted = std::mem::take(&mut self.counted);
        let to = to.iter();
        let to = to.map(|l| (l.0, count(&mut counted, *l, message.number(), true)));
        self.by_hand(now, |pen| pen.sent(name_of(message), to, &said));
        self.counted = counted;
    }

    /// A link is no more: its numbers are not used again.
    fn forget(&mut self, link: LinkId) {
        self.wires.remove(&link);
        self.counted.remove(&link);
    }

    /// Writes what is new in the view.
    fn look_at_view(&mut self, now: Now, node: &Node) {
        let view = (node.view_version(), node.view_coordinator());
        if view == self.view {
            return;
        }
        let members = members_of(node);
        let is_new = |(key, it): &(&Key, &(u64, String))| self.members.get(key) != Some(it);
        let new = members.iter().filter(is_new);
        let new = new.map(|(key, (id, nick))| Who(Hex(*key), *id, nick.clone()));
        let before: BTreeSet<Key> = self.members.keys().copied().collect();
        let gone = before.into_iter().filter(|key| !members.contains_key(key));
        let what = What::View {
            view: view.0,
            of: Hex(view.1),
            size: members.len() as u64,
            new: new.collect(),
            gone: gone.map(Hex).collect(),
        };
        self.write(now, what);
        self.view = view;
        self.members = members;
    }

    fn write(&mut self, now: Now, what: What) {
        let whole = self.out.len();
        self.begin(now);
        let body = self.out.len();
        // What a line tells is an object of its own, which goes on where the head ends: that is several times
        // faster than one structure for both.
        match serde_json::to_writer(&mut self.out, &what) {
            Ok(()) if self.out.get(body) == Some(&b'{') => {
                self.out[body] = b',';
                self.out.push(b'\n');
            }
            // Nothing in a line cannot be written; half a line is not left all the same.
            _ => self.out.truncate(whole),
        }
    }

    /// The same of a line that there are many of.
    fn by_hand(&mut self, now: Now, write: impl FnOnce(Pen<'_>)) {
        self.begin(now);
        write(Pen(&mut self.out));
        self.out.extend_from_slice(b"}\n");
    }

    /// How a line begins, up to what it tells.
    fn begin(&mut self, now: Now) {
        self.n += 1;
        let (at, clocks) = &mut self.clocks;
        if *at != Some(now) {
            *at = Some(now);
            clocks.clear();
            let mut pen = Pen(clocks);
            pen.put(",\"t\":").number(now.time.0);
            pen.put(",\"wall\":").number(now.wall_ms);
        }
        Pen(&mut self.out).put(&self.head).number(self.n);
        self.out.extend_from_slice(&self.clocks.1);
    }
}

/// Which message of its type this is on the link: those of one type keep their order.
fn count(counted: &mut BTreeMap<LinkId, Counts>, link: LinkId, number: u64, is_sent: bool) -> u64 {
    let counts = counted.entry(link).or_insert([[0; 2]; TYPES]);
    let known = usize::try_from(number).ok().filter(|n| *n < TYPES);
    let count = &mut counts[known.unwrap_or(0)][usize::from(is_sent)];
    *count += 1;
    *count
}

fn members_of(node: &Node) -> BTreeMap<Key, (u64, String)> {
    let members = node.members().iter();
    members.map(|m| (m.key, (m.id, m.nick.clone()))).collect()
}

fn cast(m: &str, to: String, said: Said) -> What {
    let m = m.to_owned();
    What::Cast { m, to, said }
}

fn name_of_arrival(arrival: Arrival) -> &'static str {
    match arrival {
        Arrival::Live => "live",
        Arrival::Old => "old",
        Arrival::Late => "late",
    }
}

fn name_of_command(command: &Command) -> &'static str {
    match command {
        Command::Say(_) => "say",
        Command::Private { .. } => "private",
        Command::Rename(_) => "rename",
        Command::Elect => "elect",
        Command::Leave { .. } => "leave",
    }
}
