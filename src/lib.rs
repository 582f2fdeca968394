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
//! Imports point one way: [`cli`] → [`driver`] → [`ui`] → [`node`] → [`wire`]; [`limits`] is seen by
//! all. [`store`], the file that keeps the history if there is one, is the driver's and the command
//! line's, and knows [`wire`] only.
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
//!    with a store: a checkpoint, if one is due.
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
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod cli;
pub mod driver;
pub mod limits;
pub mod lock;
pub mod node;
pub mod store;
pub mod timing;
pub mod ui;
pub mod wire;
