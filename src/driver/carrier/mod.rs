//! What carries between one node and the parts of the driver that it has, whoever's loop gives it a turn.
//!
//! Owns nothing: it is lent the node and the parts for a call. It never decides when anything is done, and shows
//! nothing: that is for the loops, the reactor's and that of the IRC clients.
//!
//! | file | subject |
//! | --- | --- |
//! | `accepting` | which connections from outside are taken in |
//! | `effects` | what the node wants done |
//! | `naming` | when names are looked up |
//! | `wake` | what a loop is woken up for by a timer |

mod accepting;
mod effects;
mod naming;
mod wake;

pub(super) use accepting::Door;
pub(super) use effects::Reach;
pub(super) use naming::wake_for_names;
pub(super) use wake::{Wake, bury};
