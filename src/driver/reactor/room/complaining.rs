//! What strangers and peers did is told to the user, as far as that is to be said.
//!
//! Owns nothing: what was said already is known to `complaints`.

use crate::node::Now;
use crate::ui::Ui;

use super::super::super::complaints::{Complaints, OTHER_SECRET};
use super::super::super::network::Network;
use super::super::super::streams::Streams;

/// Says what was noted since the last turn: of datagrams to the user, of streams in the log.
pub(super) fn say(
    now: Now,
    (network, streams): (&mut Network, &mut Streams),
    complaints: &mut Complaints,
    ui: &mut Ui,
) {
    for complaint in network.take_complaints() {
        if complaint.topic == OTHER_SECRET {
            ui.note_other_secret();
        }
        if let Some(words) = complaints.admit(now.time, complaint) {
            ui.warn(now, &words);
        }
    }
    for complaint in streams.take_complaints() {
        if let Some(words) = complaints.admit(now.time, complaint) {
            log::warn!("{words}");
        }
    }
}
