//! What the users of a run are shown of the group.
//!
//! Owns nothing: what is known of the run is the record's, which it hands to the checkers. It looks at no
//! message.

use papo::node::{Departure, Event, Node, Phase};
use papo::wire::{Id, Key};

use super::Record;
use crate::sim::agenda::RunId;
use crate::sim::checks::Verdict;
use crate::sim::scene::Scene;

impl Record {
    pub(super) fn on_change_of_group(
        &mut self,
        (run, now): (RunId, u64),
        event: &Event,
        scene: Scene<'_>,
    ) -> Verdict {
        if let Event::MemberLeft(member, _) = event {
            self.on_parted(run, member.key);
        }
        if let Event::MemberJoined(member) | Event::MemberLeft(member, _) = event {
            let what = if matches!(event, Event::MemberJoined(_)) {
                "a new member"
            } else {
                "a member less"
            };
            self.churn.on_member(run, member.key, what)?;
        }
        if let Event::MemberLeft(member, Departure::Left) = event {
            let reporter = scene.processes[run].node.coordinator().map(|c| c.key);
            if reporter == Some(self.keys[run]) {
                self.farewell.on_left(run, member.key);
            }
        }
        // What others do does not show in a room that nobody else reaches.
        if scene.paths.is_only_heard(scene.processes[run].host) {
            return Ok(());
        }
        match event {
            Event::Election { phase, .. } => {
                self.churn.on_change(run, "an election")?;
                match phase {
                    Phase::Started => self.elections.on_started(run, now),
                    Phase::Ended => self.elections.on_ended(run),
                    Phase::Won => {
                        let mut linked = self.arrivals.linked((run, now), self.timeout, scene);
                        // Who answers for a liar that never comes into office is passed by, too.
                        linked.retain(|_| !self.lying.is_at_work(scene));
                        let node = &scene.processes[run].node;
                        // A liar in office tells each which ids the others have.
                        let is_known = |id: &Id| node.members().iter().any(|m| m.id == *id);
                        linked.retain(|id| !self.lying.is_any() || is_known(id));
                        let id = node.id().unwrap_or(0);
                        return self.elections.on_won(run, id, &linked);
                    }
                }
                Ok(())
            }
            Event::Coordinator { key, .. } => {
                self.offices.on_coordinator(run, *key)?;
                self.churn.on_change(run, "another coordinator")
            }
            // Last words of a dead process may be long on the way.
            Event::MemberJoined(member) | Event::MemberLeft(member, _)
                if self.is_gone(member.key, scene) =>
            {
                Ok(())
            }
            Event::MemberJoined(_) => self.churn.on_change(run, "a new member"),
            Event::MemberLeft(..) => self.churn.on_change(run, "a member less"),
            _ => Ok(()),
        }
    }

    /// A run holds a view without this member, whom it had in its view before.
    fn on_parted(&mut self, run: RunId, member: Key) {
        if self.parted.insert((run, member))
            && let Some(gone) = self.run_of(member)
        {
            self.ledger.on_parted(gone);
        }
    }

    fn is_gone(&self, key: Key, scene: Scene<'_>) -> bool {
        let run = self.runs.get(&key);
        run.is_none_or(|run| !scene.stays(*run))
    }

    /// A run can tell those with whom it has a link that it counts on them, unless segments get lost.
    fn note_could_tell(&mut self, run: RunId, scene: Scene<'_>) {
        if scene.paths.segment_loss > 0 {
            return;
        }
        let here = &scene.processes[run];
        for key in here.node.peers() {
            let pair = (run, key);
            let is_open = |other: RunId| {
                scene
                    .paths
                    .both_ways(here.host, scene.processes[other].host)
            };
            let is_new = self.counted.contains(&pair) && !self.could_tell.contains(&pair);
            if is_new && self.run_of(key).is_some_and(is_open) {
                self.could_tell.insert(pair);
            }
        }
    }

    /// This run ever had a link with that one.
    pub fn had_link_with(&self, run: RunId, key: Key) -> bool {
        self.linked.contains(&(run, key))
    }

    /// A run has these members in its view now.
    fn note_lost(&mut self, (run, now): (RunId, u64), members: Vec<Key>) {
        let before = self.members_seen.insert(run, members.clone());
        let mut lost = before.unwrap_or_default();
        lost.retain(|key| !members.contains(key));
        (self.lost_at).extend(lost.into_iter().map(|key| ((run, key), now)));
    }

    /// A turn has ended, or something is shown: views are looked at where they changed.
    pub fn on_turn(&mut self, (run, now): (RunId, u64), scene: Scene<'_>) -> Verdict {
        let node = &scene.processes[run].node;
        if self.lying.is_liar(run) {
            return Ok(());
        }
        self.arrivals.on_turn(run, now, node);
        self.linked.extend(node.peers().map(|key| (run, key)));
        self.note_could_tell(run, scene);
        for member in node.awaited() {
            self.on_parted(run, member.key);
        }
        let members = node.members();
        let name = view_name(node);
        let seen = (name.0, name.1, members.len());
        // A liar gives two views one name.
        let before = self.members_seen.get(&run).filter(|_| self.lying.is_any());
        let is_same = before.is_none_or(|b| members.iter().map(|m| &m.key).eq(b));
        if is_same && self.views_seen.get(&run) == Some(&seen) {
            return Ok(());
        }
        self.views_seen.insert(run, seen);
        let runs: Vec<RunId> = members.iter().filter_map(|m| self.run_of(m.key)).collect();
        self.ledger.on_view(run, &runs);
        self.counted.extend(members.iter().map(|m| (run, m.key)));
        self.note_lost((run, now), members.iter().map(|m| m.key).collect());
        self.note_could_tell(run, scene);
        let members: Vec<(Id, Key)> = members.iter().map(|m| (m.id, m.key)).collect();
        self.views.on_view(run, &members)?;
        // A liar that is asked for a view tells a false one, which counts until the coordinator is heard.
        if self.lying.is_any() {
            return Ok(());
        }
        let held = (node.view_coordinator(), node.view_version());
        self.views.on_version(run, held)?;
        if name.0 != Key(0) && members.iter().any(|m| m.1 == name.0) {
            self.views.on_named_view(run, name, &members)?;
        }
        Ok(())
    }
}

/// How a node's view is called: its coordinator's key, and its version.
fn view_name(node: &Node) -> (Key, u64) {
    let coordinator = node.coordinator().map_or(Key(0), |c| c.key);
    (coordinator, node.view_version())
}
