//! What a room of the reactor does for its user at the places that the order of a turn has for that.
//!
//! Owns nothing: the order itself is [`Turn`]'s.

use crate::identity::Peer;
use crate::node::{Effect, Input, Now};
use crate::wire::Datagram;

use super::super::super::carrier::{Parts, Reach, Turn};
use super::super::super::keeper::Keeper;
use super::super::process::Process;
use super::effects::{self, EffectParts};
use super::{Room, complaining, keeping, wake};

/// Effects that the outbox keeps room for between inputs.
const OUTBOX_KEPT: usize = 1_024;

impl Turn for Room {
    type Lent = Process;

    fn now(&self) -> Now {
        self.now
    }

    fn parts(&mut self) -> Parts<'_> {
        Parts {
            node: &mut self.node,
            outbox: &mut self.outbox,
            wheel: &mut self.wheel,
            streams: &mut self.streams,
            network: &mut self.network,
            listener: &mut self.listener,
            names: &mut self.names,
        }
    }

    fn feed(&mut self, input: Input) {
        self.tracing.input(self.now, &input, &self.streams);
        self.node.handle(self.now, input, &mut self.outbox);
        self.carry_out();
    }

    /// Carries out what is in the outbox, in its order. Its memory is kept, but not that of a rare flood.
    fn carry_out(&mut self) {
        self.tracing.output(self.now, &self.node, &self.outbox);
        let reach = Reach {
            now: self.now,
            node: &self.node,
            wheel: &mut self.wheel,
            streams: &mut self.streams,
            network: &mut self.network,
            names: &mut self.names,
        };
        let mut parts = EffectParts {
            reach,
            keeper: &mut self.keeper,
            ui: &mut self.ui,
            complaints: &mut self.complaints,
        };
        let cuts = self.cuts.as_ref();
        let done = |effect: &Effect| !cuts.is_some_and(|cuts| cuts.swallows(effect));
        for effect in self.outbox.drain(..).filter(done) {
            self.left |= effects::is_last(&effect);
            parts.carry_out(effect);
        }
        self.outbox.shrink_to(OUTBOX_KEPT);
    }

    fn loses(&self, datagram: &Datagram) -> bool {
        self.cuts.as_ref().is_some_and(|cuts| cuts.loses(datagram))
    }

    fn warn(&mut self, words: &str) {
        self.ui.warn(self.now, words);
    }

    fn meet(&mut self, peer: Peer) {
        self.ui.on_met(self.now, peer, &self.node);
    }

    fn is_storing(&self) -> bool {
        self.keeper.as_ref().is_some_and(Keeper::is_behind)
    }

    fn read_user(&mut self, process: &mut Process) {
        if self.is_front {
            self.read_stdin(process.console_mut());
        }
    }

    fn meet_deadline(&mut self) {
        wake::meet_user_deadline(&mut self.ui, self.now);
    }

    fn take_commands(&mut self, process: &mut Process) {
        if !self.is_storing() || self.ui.is_late() {
            self.pass_commands(process.console_mut());
        }
    }

    fn commit(&mut self) {
        keeping::commit(&mut self.keeper, self.now, &mut self.node, &mut self.ui);
    }

    fn before_writing(&mut self, process: &mut Process) {
        process.note_stop();
        if self.absences < process.absences() {
            // Stopped in the middle of the turn: what it would write now is from the past.
            self.absences = process.absences();
            self.now = process.now();
            self.feed(Input::Away);
        }
        self.follow_trace();
    }

    fn write_for_user(&mut self, process: &mut Process) {
        let heard = (&mut self.network, &mut self.streams);
        complaining::say(self.now, heard, &mut self.complaints, &mut self.ui);
        self.run_commands(process);
        self.flush_outputs(process.console_mut());
    }

    fn tidy(&mut self) {
        let (keeper, node) = (&mut self.keeper, &self.node);
        keeping::tidy(keeper, self.now, node, (&mut self.wheel, &mut self.ui));
    }
}
