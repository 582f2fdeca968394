//! What a lesson needs of the nodes that it is given with, be they on a stage in virtual time or real processes.
//!
//! Owns no state. A lesson sees only what is here, so that it is the same lesson both ways.

use std::time::Duration;

use crate::node::Command;

use super::stage::{Sent, Stage, State};

/// Nodes, by their numbers in the order of their start; what can be seen of them, and done to them.
pub trait Scene {
    /// The time, in microseconds since the begin.
    fn now(&self) -> u64;
    /// How many processes there were so far.
    fn count(&self) -> usize;
    /// How a process is.
    fn state(&self, actor: usize) -> State;
    /// True if the process runs.
    fn is_up(&self, actor: usize) -> bool {
        self.state(actor) == State::Up
    }
    /// What people call a node, with its id.
    fn name(&self, actor: usize) -> String;
    /// A node's id, once it has one.
    fn id(&self, actor: usize) -> Option<u64>;
    /// Whom a node follows, itself perhaps.
    fn leader(&self, actor: usize) -> Option<usize>;
    /// How a node stands towards the room.
    fn standing(&self, actor: usize) -> String;
    /// True once a node is in the room.
    fn is_joined(&self, actor: usize) -> bool;
    /// How many members a node's view has.
    fn members(&self, actor: usize) -> usize;
    /// With how many others a node is linked.
    fn links(&self, actor: usize) -> usize;
    /// What a node has taken in, in the order of its history as far as that is known.
    fn texts(&self, actor: usize) -> Vec<String>;
    /// The last messages that were sent and are no mere signs of life, the newest first.
    fn recent(&self) -> Vec<Sent>;
    /// True if two processes cannot reach each other.
    fn is_cut(&self, a: usize, b: usize) -> bool;
    /// When the trace begins, by this clock, in microseconds.
    fn traced_since(&self) -> u64 {
        0
    }
    /// True if time obeys.
    fn is_virtual(&self) -> bool;
    /// What one of the processes said as it ended by itself.
    fn trouble(&self) -> Option<String> {
        None
    }
    /// Everything that all nodes have done, as a trace.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    fn trace(&self) -> Result<Vec<u8>, String>;

    /// Another process starts; its number.
    ///
    /// # Errors
    ///
    /// If it cannot.
    fn start(&mut self, nick: &str) -> Result<usize, String>;
    /// A user says something.
    fn say(&mut self, actor: usize, text: &str);
    /// A user asks for an election.
    fn elect(&mut self, actor: usize);
    /// The process is killed.
    fn kill(&mut self, actor: usize);
    /// The process does not run any more, and its system goes on.
    fn freeze(&mut self, actor: usize);
    /// It runs again.
    fn thaw(&mut self, actor: usize);
    /// Two processes cannot reach each other from now on.
    ///
    /// # Errors
    ///
    /// If the network cannot be cut here.
    fn cut(&mut self, a: usize, b: usize) -> Result<(), String>;
    /// They can again.
    fn heal(&mut self, a: usize, b: usize);
    /// So much real time has passed, which is for virtual time to pass, too; others are looked at.
    fn follow(&mut self, real: Duration);
    /// The next thing happens, where time obeys.
    fn step(&mut self);
    /// Lets so much time pass.
    fn pass(&mut self, time: Duration);
    /// Lets time pass until this is so; false if it is not after `limit`.
    fn wait(&mut self, limit: Duration, is_so: &dyn Fn(&dyn Scene) -> bool) -> bool;
}

/// All processes that run.
#[must_use]
pub fn up(scene: &dyn Scene) -> Vec<usize> {
    (0..scene.count()).filter(|a| scene.is_up(*a)).collect()
}

impl Scene for Stage {
    fn now(&self) -> u64 {
        Stage::now(self)
    }

    fn count(&self) -> usize {
        self.len()
    }

    fn state(&self, actor: usize) -> State {
        Stage::state(self, actor)
    }

    fn name(&self, actor: usize) -> String {
        Stage::name(self, actor)
    }

    fn id(&self, actor: usize) -> Option<u64> {
        self.node(actor).id()
    }

    fn leader(&self, actor: usize) -> Option<usize> {
        Stage::leader(self, actor)
    }

    fn standing(&self, actor: usize) -> String {
        self.node(actor).standing().to_owned()
    }

    fn is_joined(&self, actor: usize) -> bool {
        self.node(actor).is_joined()
    }

    fn members(&self, actor: usize) -> usize {
        self.node(actor).members().len()
    }

    fn links(&self, actor: usize) -> usize {
        self.node(actor).peers().count()
    }

    fn texts(&self, actor: usize) -> Vec<String> {
        Stage::texts(self, actor)
    }

    fn recent(&self) -> Vec<Sent> {
        Stage::recent(self).cloned().collect()
    }

    fn is_cut(&self, a: usize, b: usize) -> bool {
        Stage::is_cut(self, a, b)
    }

    fn is_virtual(&self) -> bool {
        true
    }

    fn trace(&self) -> Result<Vec<u8>, String> {
        Ok(Stage::trace(self).to_vec())
    }

    fn start(&mut self, nick: &str) -> Result<usize, String> {
        let added = self.add(nick);
        added.ok_or_else(|| "there are too many nodes".to_owned())
    }

    fn say(&mut self, actor: usize, text: &str) {
        Stage::say(self, actor, text);
    }

    fn elect(&mut self, actor: usize) {
        self.command(actor, Command::Elect);
    }

    fn kill(&mut self, actor: usize) {
        Stage::kill(self, actor);
    }

    fn freeze(&mut self, actor: usize) {
        Stage::freeze(self, actor);
    }

    fn thaw(&mut self, actor: usize) {
        Stage::thaw(self, actor);
    }

    fn cut(&mut self, a: usize, b: usize) -> Result<(), String> {
        Stage::cut(self, a, b);
        Ok(())
    }

    fn heal(&mut self, a: usize, b: usize) {
        Stage::heal(self, a, b);
    }

    fn follow(&mut self, real: Duration) {
        Stage::pass(self, real);
    }

    fn step(&mut self) {
        // There is always a timer, if anybody runs.
        Stage::step(self, u64::MAX - 1);
    }

    fn pass(&mut self, time: Duration) {
        Stage::pass(self, time);
    }

    fn wait(&mut self, limit: Duration, is_so: &dyn Fn(&dyn Scene) -> bool) -> bool {
        Stage::wait(self, limit, |stage| is_so(stage))
    }
}
