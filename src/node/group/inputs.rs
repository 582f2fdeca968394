//! Which step of the group a message, a datagram or a timer leads to.
//!
//! Owns nothing but that table: whether a link may say such a thing at all was settled before, and what follows
//! is the business of the other files. It never answers anybody itself.

use std::net::SocketAddr;

use super::{Group, Parts, Route};
use crate::node::{LinkId, Timer};
use crate::wire::{Datagram, Key, Message};

impl Group {
    /// A datagram came in; those of other rooms are not listened to.
    pub(in crate::node) fn on_datagram(
        &mut self,
        parts: &mut Parts<'_>,
        from: SocketAddr,
        datagram: Datagram,
    ) {
        // The room of a JOIN_REQUEST is looked at where it is considered.
        if let Datagram::Heartbeat { room, .. }
        | Datagram::Referral { room, .. }
        | Datagram::BeatRequest { room, .. } = &datagram
            && *room != parts.cx.config.room
        {
            return;
        }
        match datagram {
            Datagram::JoinRequest(request) => self.on_join_datagram(parts, from, request),
            Datagram::Heartbeat {
                coordinator, nick, ..
            } => {
                self.on_heartbeat(parts, from, &coordinator, nick);
            }
            Datagram::Referral { coordinator, .. } => {
                self.hear_claim(parts, &coordinator, Route::Pointed);
            }
            Datagram::BeatRequest { key, .. } => self.on_beat_request(parts, from, key),
            Datagram::Unknown(_) => {}
        }
    }

    /// What a linked peer says of the group.
    pub(in crate::node) fn on_message(
        &mut self,
        parts: &mut Parts<'_>,
        link: LinkId,
        key: Key,
        message: Message,
    ) {
        match message {
            Message::JoinRequest(request) => self.on_join_request(parts, link, key, &request),
            Message::JoinResponse(response) => self.on_join_response(parts, key, response),
            Message::PeerUpdate(update) => self.on_peer_update(parts, link, key, update),
            Message::ViewRequest => self.on_view_request(parts, link),
            Message::Election { id, forced } => self.on_election(parts, link, key, id, forced),
            Message::ElectionOk { coordinator } => {
                self.on_election_ok(parts, link, key, coordinator);
            }
            Message::CoordinatorAnnouncement(view) => {
                self.on_announcement(parts, link, key, view);
            }
            Message::Pong { coordinator } => self.on_told(parts, link, key, coordinator),
            Message::Rename(nick) => self.on_rename(parts, key, nick),
            // What a stranger says does not hold up an election.
            Message::Referral(_) if self.is_electing() && !self.roster().contains(key) => {}
            Message::Referral(coordinator) => self.on_referral(parts, key, &coordinator),
            _ => {}
        }
    }

    /// One of the group's timers fired.
    pub(in crate::node) fn on_timer(&mut self, parts: &mut Parts<'_>, timer: Timer) {
        match timer {
            Timer::Join => self.on_join_timer(parts),
            Timer::Heartbeat => self.on_heartbeat_timer(parts),
            Timer::Watch => self.on_watch(parts),
            Timer::Alarm => self.on_alarm_timer(parts),
            Timer::Election => self.on_election_timer(parts),
            Timer::Losses => self.on_losses_timer(parts),
            Timer::Referral => self.on_referral_timer(parts),
            Timer::Leave => self.on_leave_timer(parts),
            _ => {}
        }
    }
}
