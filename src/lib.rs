//! papo: group chat for a local network with no server. This page is the map of the code.
//!
//! ```text
//!   sockets, stdin, signals                                     stdout, stderr
//!          │                                                          ▲
//!  ┌───────▼──────────────────────── driver ──────────────────────────┴──────┐
//!  │ the reactor: one thread, one mio poll, all state in one owned struct    │
//!  │   bytes ─► wire::FrameReader ─► wire::decode_message ─► node::Input     │
//!  │   bytes ◄─ outbound queues  ◄─ wire::encode_frame   ◄─ node::Effect     │
//!  └───────┬───────────────────────────────▲──────────────────────┬──────────┘
//!          │ Input, Now                    │ Effect               │ Event, bytes of stdin
//!  ┌───────▼───────────────────────────────┴──────────┐   ┌───────▼──────────┐
//!  │ node: the protocol core                          │   │ ui: what the user│
//!  │ no I/O, no clock, no randomness of its own       │   │ says and sees    │
//!  └───────┬──────────────────────────────────────────┘   └──────────────────┘
//!          │
//!  ┌───────▼──────────────────────────────────────────┐
//!  │ wire: messages as data, and the bytes they are   │
//!  └──────────────────────────────────────────────────┘
//! ```
//!
//! # Who may call whom
//!
//! Imports point one way: [`cli`] → [`driver`] → [`ui`] → [`node`] → [`wire`]; [`limits`] and [`timing`]
//! are seen by all. [`store`], the file that keeps the history if there is one, is the driver's and the command
//! line's, and knows [`wire`] only. [`lock`] and [`identity`], which seal what is said and prove who says it, are
//! used by the same two, and know [`wire`] at most; the node has no cryptography, and of an identity the user's
//! side sees the fingerprint. [`irc`] is another user's side, of IRC clients: what is true of [`ui`] is true of it.
//! What nodes write down of what they do
//! is [`trace`]'s, which taps a node from outside and draws what the files tell; [`demo`] plays lessons with nodes in
//! virtual time. Both know the node and what is safe to show, and have no descriptors but a trace's files; the driver
//! and the command line use them.
//! What one operating system does otherwise than another is in `platform`, which
//! knows nothing of papo and which all but the node and the wire may ask.
//! Only the driver has file descriptors, only [`driver`]'s clock reads the time, and the node never
//! learns what a socket is: the same [`node::Node`] runs under the reactor, under the deterministic
//! simulator in `tests/` and in the benches. The rules that it keeps are on the page of [`node`], and what
//! they are on the wire on that of [`wire`].
//!
//! # The order of the loop
//!
//! 1. wait for readiness, or for the earliest timer;
//! 2. read the clocks; a loop that was not run for longer than the failure time-out tells the node
//!    so ([`node::Input::Away`]) before anything else;
//! 3. signals, then bounded reads: datagrams, new connections, streams, stdin;
//! 4. timers that are due;
//! 5. what the user wants ([`ui::Ui::poll_command`]);
//! 6. with a store: one commit of what the turn brought, told to [`node::Node::on_stored`];
//!    [`node::Node::end_turn`]: what the turn gathered goes out, own lines in one frame, one ACK
//!    per author;
//! 7. write what is queued, arm for writing only what is left over, close what is to be closed;
//!    with a store: a helper process is started, if a checkpoint is due.
//!
//! Nothing in a turn waits for a disk: what may, a helper process does (`driver/keeper/helper.rs`). Before the
//! node of a process with a store starts, turns are shorter: `driver/reactor/room/starting.rs`.
//!
//! What a budget left unread or unwritten is taken up on the next turn, so that no flood starves
//! the timers.
//!
//! # One message, from hand to hand
//!
//! A line of stdin becomes [`node::Command::Say`]; `node/talk/chat.rs` gives it a sequence number, a
//! timestamp and its causes, puts it into its own history, and at the end of the turn leaves one
//! [`node::Effect::Send`] for all links; the driver encodes it once and queues the same bytes for
//! every peer. There, `node/talk/causality.rs` takes it in or lets it wait for a cause, `node/talk/chat.rs`
//! shows it, and one ACK per turn goes back, which `node/talk/delivery.rs` turns into `delivered`.
//!
//! # Words
//!
//! | word | meaning |
//! | --- | --- |
//! | node | one running papo, with a key pair of its own |
//! | key | 64 bits of the hash of a node's public key: its name, which it proves on each link |
//! | identity | a person's lasting key pair, which certifies the keys of that person's nodes |
//! | fingerprint | the short form of an identity's public key, for people |
//! | member | a node that the coordinator has let in; it has an id, a small number |
//! | view | the list of the members, with a version; one step each time that somebody comes or goes |
//! | coordinator | the member that lets others in and announces each step of the view |
//! | claim | what somebody says of who coordinates: an id and a key, of which the higher wins |
//! | link | a TCP stream between two nodes after HELLO; one for each pair |
//! | author, origin | the node that wrote a message; its key |
//! | cause | a message that must be shown before another: its author's previous one, or one that it names |
//! | position | a place in the order of the history: timestamp, author, number |
//! | floor | the position at and below which a node keeps nothing any more |
//! | gap | a message that must exist and is neither here nor waiting |
//! | owed | written while this node was in the author's view: the author waits for its confirmation |
//! | missed | owed, and given up because nobody in reach has it, or because it could not be stored |
//! | late | called missed once, and found after all |
//! | old | written before this node was in its author's view: a part of the past |
//! | stable | confirmed or missed by every present member, so that nobody needs to keep it |
//! | behind | a peer whose queue is full: live chat is withheld until it has caught up by SYNC |
//! | SYNC | the comparison of two histories, and the fetching of what one of them lacks |
//!
//! # To change this, go there
//!
//! | change | first file | then |
//! | --- | --- | --- |
//! | a new message between nodes | `wire/kinds.rs` (its number and name) | the compiler asks for `wire/message.rs`, `wire/codec.rs`, `wire/check.rs`; its entry in `wire/PROTOCOL.md`; its handler from `node/mod.rs` on, or `node/group/inputs.rs` |
//! | a duration: windows, patience, pauses | `timing.rs` | nothing |
//! | a limit on what others can make grow | `limits.rs` | nothing |
//! | something that all members share, like a topic | `node/group/mod.rs` (who owns it) | a message as above; what a newcomer is told: `JoinResponse` in `wire/message.rs`; an event: `node/event.rs` |
//! | a field of a JSON event | `ui/json.rs`; of who comes and goes, `ui/json_people.rs` | `ui/event_data.rs`, or `node/event.rs` if the node does not say it yet |
//! | how a line looks in a terminal: colours, marks | `ui/terminal/style.rs` | nothing |
//! | the order of messages | `wire/types.rs` (`Position`) | `node/history/order.rs` if it is no comparison of three numbers any more |
//! | a rate that each source or member is held to | `driver/rates.rs` | `limits.rs` for the number |
//! | what is said of strangers, and how often | `driver/complaints.rs` | `timing.rs`, `limits.rs` |
//! | what a secret is, and what it becomes | `lock/secret.rs`, `lock/generated.rs` | `cli/secret.rs`; "Locked rooms" in `wire/PROTOCOL.md` |
//! | when the store is checkpointed, what a helper process does | `driver/keeper/tending.rs` | `store/helper.rs` |
//! | when what came in a flood becomes rows | `driver/keeper/rows.rs` | `store/waiting.rs` |
//! | what `papo history` searches for | `store/search.rs` | `cli/history.rs` for the option |
//! | what may be a store, and who may write it | `store/kind.rs` | `store/lock.rs` |
//! | what a signal does | `driver/console/signals.rs` | `driver/reactor/mod.rs` |
//! | what an IRC client is told | `irc/server/mod.rs` | `driver/irc` for its sockets, `irc/CLIENTS.md` for people |
//! | a command that is typed, like `/nick` | `ui/commands.rs` | `ui/orders.rs` |
//! | how a name of `--peer` is looked up | `driver/names/mod.rs` | `timing.rs` for how often |
//! | what proves a key on a link, and what is signed | `identity/proof.rs` | `wire/PROTOCOL.md`, and `driver/streams/stream_proof.rs`, which keeps to its order |
//! | where an identity is kept | `cli/identity.rs` | `platform` for the directory |
//! | who is marked as somebody else | `ui/people.rs` | nothing |
//! | what only one operating system has | `platform/linux.rs` | `platform/portable.rs`, which gives the same items |
//! | what `papo doctor` looks at, and its words | `driver/doctor/mod.rs` | `platform` for firewalls |
//! | what a configuration file may say | `cli/config/reading.rs` | `cli/reading.rs` for what goes over what |
//! | what the manual page says | `cli/manual/mod.rs` | nothing |
//! | an option of the command line | `cli.rs` | `driver/config.rs` |
//! | how a coordinator is found out whose host is gone | `node/group/alarm.rs` | `timing.rs` for how soon |
//! | who is let in, and with which id | `node/group/admission.rs` | `node/group/places.rs` for the share of each host |
//! | how a locked room is sealed | `lock/link.rs`, `lock/datagram.rs` | `wire/PROTOCOL.md`; `lock/secret.rs` for the keys |
//! | what HELLO says, and which of two links stays | `node/mesh/handshake.rs` | `wire/message.rs` |
//! | when a message waits, or is given up | `node/talk/causality.rs`, `node/talk/gaps.rs` | `node/DESIGN.md` |
//! | what is kept, and when it is dropped | `node/history/mod.rs` | `node/talk/stability.rs` |
//!
//! What a rule of the protocol is, and why, is in `node/DESIGN.md`, which [`node`] shows. The simulator
//! (`tests/sim`) is where a change of a rule is tried first.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod cli;
pub mod demo;
pub mod driver;
pub mod identity;
pub mod irc;
pub mod limits;
pub mod lock;
pub mod node;
mod platform;
pub mod store;
pub mod timing;
pub mod trace;
pub mod ui;
pub mod wire;
