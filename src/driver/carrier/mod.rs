//! What carries between one node and the parts of the driver that it has, whoever's loop gives it a turn.
//!
//! Owns nothing but the poll of a room: it is lent the node and the parts for a call. It shows nothing: that is for the
//! loops, the reactor's and that of the IRC clients.
//!
//! | file | subject |
//! | --- | --- |
//! | `accepting` | which connections from outside are taken in |
//! | `effects` | what the node wants done |
//! | `naming` | when names are looked up |
//! | `turn` | the order of a node's turn |
//! | `wake` | what a loop is woken up for by a timer |
//! | `watch` | the poll of a room's own |

mod accepting;
mod effects;
mod naming;
mod turn;
mod wake;
mod watch;

use accepting::Door;
pub(super) use effects::Reach;
use naming::wake_for_names;
pub(super) use turn::{LockedOut, Parts, Turn};
pub(super) use wake::{Wake, bury};
pub(super) use watch::OwnPoll;
