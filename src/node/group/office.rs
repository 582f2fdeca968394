//! What a coordinator does: it begins with a view of its own, announces each step of it, sends heartbeats, and
//! takes out who is lost. Owns what is valid only in office, and never decides who holds it; whom it lets in is
//! `admission`'s business.

use std::collections::{BTreeMap, BTreeSet};

use super::admission::Guests;
use super::{Group, Parts, Standing};
use crate::limits;
use crate::node::roster::VERSION_HEARD_MAX;
use crate::node::{Class, Departure, Effect, Event, LinkId, Phase, Time, Timer, Weakness};
use crate::timing;
use crate::wire::{Address, Key, Member, Message, PeerUpdate, UpdateKind, View};

/// The office of a coordinator.
#[derive(Debug)]
pub(super) struct Office {
    /// Since when it is held.
    taken: Time,
    /// When the next HEARTBEAT is due: a heartbeat after the last one was.
    next_beat: Time,
    /// Who is on the way in.
    guests: Guests,
    /// Members that say that they follow another coordinator, and since when.
    defecting: BTreeMap<Key, Time>,
    /// Members that are lost, which is announced at the end of this time.
    losing: BTreeSet<Key>,
    gather_until: Time,
}

impl Office {
    /// Who is on the way in.
    pub(super) fn guests(&mut self) -> &mut Guests {
        &mut self.guests
    }

    /// This member is not lost.
    pub(super) fn keep(&mut self, key: Key) {
        self.losing.remove(&key);
    }
}

impl Group {
    /// This node is the coordinator from now on.
    pub(super) fn take_office(&mut self, parts: &mut Parts<'_>, reason: &str) {
        let was_electing = self.is_electing();
        let gone = self.gone_members(parts);
        self.asking = None;
        self.announced = None;
        parts.mesh.clear_suspicions();
        let office = Office {
            taken: parts.cx.now.time,
            next_beat: parts.cx.now.time,
            guests: Guests::default(),
            defecting: BTreeMap::new(),
            losing: BTreeSet::new(),
            gather_until: parts.cx.now.time + timing::LOSSES_GATHERED,
        };
        self.enter(parts.cx, Standing::Coordinator(office), reason);
        let view = self.own_view(parts, &gone);
        let left = view.left.clone();
        (self.version_seen, self.version_announced) = (view.version, view.version);
        self.adopt(parts, view);
        self.coordinator = Some(self.own_office(parts.cx));
        if was_electing {
            parts.cx.show(Event::Election {
                phase: Phase::Won,
                reason: reason.to_string(),
            });
        }
        self.show_coordinator(parts);
        self.announce(parts, left);
        self.on_heartbeat_timer(parts);
        parts.mesh.redial_soon(parts.cx, self);
        parts.mesh.tend_mesh(parts.cx, self);
    }

    /// Members that the new view does not have: the lost coordinator, who left and who died.
    fn gone_members(&self, parts: &Parts<'_>) -> Vec<Key> {
        let lost = match &self.standing {
            Standing::Electing(election) => election.lost,
            _ => None,
        };
        let mut keys = self.roster.keys();
        keys.retain(|k| {
            let is_lost = lost == Some(*k) && !parts.mesh.is_alive(parts.cx, *k);
            *k != parts.cx.config.key
                && (is_lost || parts.mesh.has_left(*k) || parts.mesh.is_dead(*k))
        });
        keys
    }

    /// The first view of this node's office: what it knew, without `gone`, and with itself.
    fn own_view(&mut self, parts: &mut Parts<'_>, gone: &[Key]) -> View {
        let mut view = self.roster.to_view();
        let me = self.own_entry(parts);
        view.members
            .retain(|m| !gone.contains(&m.key) && m.key != me.key && m.id != me.id);
        view.members.push(me);
        view.left = gone
            .iter()
            .copied()
            .filter(|k| parts.mesh.has_left(*k))
            .collect();
        view.coordinator = parts.cx.config.key;
        // A new office may begin at any version: its view is whole. So a count that a liar brought
        // near its end begins again, with room for more steps than anybody can take; not below what this node
        // announced itself, which is newer to whoever follows it.
        let version = self.version_seen.max(view.version);
        view.version = if version <= VERSION_HEARD_MAX {
            version + 1
        } else if parts.cx.is_weakened(Weakness::VersionsBeginAgain) {
            1
        } else {
            self.version_announced.saturating_add(1)
        };
        view
    }

    /// This node as a member: with the id that it has, unless another present member has it.
    fn own_entry(&mut self, parts: &mut Parts<'_>) -> Member {
        let key = parts.cx.config.key;
        let taken = |id: &u64| {
            let mut members = self.roster.members().iter();
            members.any(|m| m.id == *id && m.key != key)
        };
        let id = self
            .id
            .filter(|id| !taken(id))
            .unwrap_or_else(|| self.roster.fresh_id());
        self.id = Some(id);
        Member {
            id,
            key,
            nick: parts.cx.config.nick.clone(),
            addresses: parts.cx.config.addresses.clone(),
        }
    }

    /// COORDINATOR_ANNOUNCEMENT to every member with an open link.
    fn announce(&mut self, parts: &mut Parts<'_>, left: Vec<Key>) {
        let links = self.member_links(parts, None);
        let mut view = self.roster.to_view();
        view.left = left;
        view.clock = self.own_clock(parts);
        let message = Message::CoordinatorAnnouncement(view);
        parts.cx.send_many(links, Class::Control, message);
    }

    /// What everybody who hears of a newcomer is to be ahead of: the clock that the newcomer was told.
    pub(super) fn own_clock(&self, parts: &Parts<'_>) -> u64 {
        parts.cx.clock.last()
    }

    /// The links with members, except one.
    fn member_links(&self, parts: &Parts<'_>, except: Option<Key>) -> Vec<LinkId> {
        let links = parts.mesh.open_links();
        links
            .filter(|(k, _, _)| Some(*k) != except && self.roster.contains(*k))
            .map(|(_, id, _)| id)
            .collect()
    }

    pub(super) fn on_heartbeat_timer(&mut self, parts: &mut Parts<'_>) {
        let (now, heartbeat) = (parts.cx.now.time, parts.cx.config.heartbeat);
        let Standing::Coordinator(office) = &mut self.standing else {
            return;
        };
        office.next_beat = (office.next_beat + heartbeat).max(now);
        let at = office.next_beat;
        parts.cx.set_timer(Timer::Heartbeat, at);
        let heartbeat = self.heartbeat(parts.cx);
        parts.cx.out.push(Effect::Multicast(heartbeat));
        self.has_beat = true;
    }

    /// A member's candidate addresses, the one that works for this node among them.
    pub(super) fn member_addresses(&self, _key: Key, named: &[Address]) -> Vec<Address> {
        let mut addresses = named.to_vec();
        addresses.truncate(limits::ADDRESSES_MAX);
        addresses
    }

    pub(super) fn change_member(
        &mut self,
        parts: &mut Parts<'_>,
        known: Member,
        nick: String,
        addresses: Vec<Address>,
    ) {
        if known.nick == nick && known.addresses == addresses {
            return;
        }
        if let Some(entry) = self.roster.get_mut(known.key) {
            entry.nick = nick;
            entry.addresses = addresses;
            let member = entry.clone();
            self.show_change(parts, &known, &member);
            self.step(parts, UpdateKind::Renamed, member, None);
        }
    }

    pub(super) fn on_rename(&mut self, parts: &mut Parts<'_>, key: Key, nick: String) {
        if matches!(self.standing, Standing::Coordinator(_))
            && let Some(known) = self.roster.get(key).cloned()
        {
            let addresses = known.addresses.clone();
            self.change_member(parts, known, nick, addresses);
        }
    }

    /// This node's own nick or addresses changed: the coordinator announces it.
    pub(in crate::node) fn update_own_entry(&mut self, parts: &mut Parts<'_>, member: Member) {
        match &self.standing {
            Standing::Coordinator(_) => {
                if let Some(known) = self.roster.get(parts.cx.config.key).cloned() {
                    self.change_member(parts, known, member.nick, member.addresses);
                    self.coordinator = Some(self.own_office(parts.cx));
                }
            }
            _ => self.ask_coordinator(parts),
        }
    }

    /// The view has changed by one step: every member hears of it.
    pub(super) fn step(
        &mut self,
        parts: &mut Parts<'_>,
        kind: UpdateKind,
        member: Member,
        except: Option<Key>,
    ) {
        if kind == UpdateKind::Joined {
            self.greet(parts, &member);
        }
        self.announce_step(parts, kind, vec![member], except);
    }

    fn announce_step(
        &mut self,
        parts: &mut Parts<'_>,
        kind: UpdateKind,
        members: Vec<Member>,
        except: Option<Key>,
    ) {
        // Claims that are only heard of are capped, so that this does not come to its end.
        self.roster.step();
        self.version_announced = self.roster.version();
        self.version_seen = self.version_seen.max(self.version_announced);
        let update = PeerUpdate {
            coordinator: parts.cx.config.key,
            version: self.roster.version(),
            next_id: self.roster.next_id(),
            kind,
            members,
            clock: self.own_clock(parts),
        };
        let links = self.member_links(parts, except);
        parts
            .cx
            .send_many(links, Class::Control, Message::PeerUpdate(update));
        self.coordinator = Some(self.own_office(parts.cx));
    }

    /// A member has left, died, fallen silent, or follows another coordinator.
    pub(super) fn lose_member(&mut self, parts: &mut Parts<'_>, key: Key) {
        if key == parts.cx.config.key {
            return;
        }
        let is_gone = !parts.mesh.has_left(key) && !parts.mesh.is_alive(parts.cx, key);
        if let Standing::Coordinator(office) = &mut self.standing {
            office.guests.forget(key);
            office.defecting.remove(&key);
            if is_gone && parts.cx.now.time < office.gather_until {
                office.losing.insert(key);
                let at = office.gather_until;
                return parts.cx.set_timer(Timer::Losses, at);
            }
            office.losing.remove(&key);
            office.gather_until = parts.cx.now.time + timing::LOSSES_GATHERED;
        }
        let Some(member) = self.roster.remove(key) else {
            return;
        };
        let (kind, departure) = if parts.mesh.has_left(key) {
            (UpdateKind::Left, Departure::Left)
        } else {
            (UpdateKind::Lost, Departure::Lost)
        };
        self.part(parts, &member, departure);
        self.step(parts, kind, member, Some(key));
    }

    /// Announces the losses that were gathered: several at once as a whole view.
    pub(super) fn on_losses_timer(&mut self, parts: &mut Parts<'_>) {
        let now = parts.cx.now.time;
        let Standing::Coordinator(office) = &mut self.standing else {
            return;
        };
        office.gather_until = now;
        let mut losing: Vec<Key> = std::mem::take(&mut office.losing).into_iter().collect();
        losing.retain(|k| !parts.mesh.is_alive(parts.cx, *k));
        if let [key] = losing[..] {
            return self.lose_member(parts, key);
        }
        let lost: Vec<Member> = losing
            .into_iter()
            .filter_map(|k| self.roster.remove(k))
            .collect();
        if lost.is_empty() {
            return;
        }
        for member in &lost {
            self.part(parts, member, Departure::Lost);
        }
        let members = self.roster.members().to_vec();
        self.announce_step(parts, UpdateKind::Whole, members, None);
        if let Standing::Coordinator(office) = &mut self.standing {
            office.gather_until = now + timing::LOSSES_GATHERED;
        }
    }

    /// A member says that it follows another coordinator, which this one cannot join: it is no
    /// member any more. What it said before it knew that it was let in may still be on its way, and after
    /// a cut it comes late and all at once: it must say so again after a while.
    pub(super) fn drop_if_defected(&mut self, parts: &mut Parts<'_>, key: Key, told: Key) {
        let (now, heartbeat) = (parts.cx.now.time, parts.cx.config.heartbeat);
        let patience = parts.cx.config.failure_timeout + timing::DISCOVERY_WINDOW;
        let joins_too = self
            .asking
            .as_ref()
            .is_some_and(|a| a.is_to(told) && a.age(now) < patience);
        let Standing::Coordinator(office) = &mut self.standing else {
            return;
        };
        if told == parts.cx.config.key || !self.roster.contains(key) {
            office.defecting.remove(&key);
            return;
        }
        let since = *office.defecting.entry(key).or_insert(now);
        let welcomed = office.guests.welcomed(key).map(|at| now.since(at));
        let is_new = welcomed.is_some_and(|ago| ago < parts.cx.config.failure_timeout);
        // It has not heard of this office yet, or of a death: that is no other choice.
        let is_late = now.since(office.taken) < parts.cx.config.failure_timeout
            || parts.mesh.is_dead(told)
            || parts.mesh.has_left(told);
        if now.since(since) >= heartbeat && !joins_too && !is_new && !is_late {
            self.lose_member(parts, key);
        }
    }

    pub(super) fn claims_travel(&self, parts: &Parts<'_>) -> bool {
        !parts.cx.is_weakened(Weakness::NoClaimsOnLinks)
    }
}

#[cfg(test)]
#[path = "office_test.rs"]
mod tests;
