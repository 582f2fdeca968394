//! What is true of the talk between any two inputs. Debug builds look.

use super::Talk;
use crate::node::Timer;
use crate::node::context::Context;
use crate::node::mesh::Mesh;

impl Talk {
    /// # Panics
    ///
    /// If what is noted in one place of the talk contradicts another.
    pub(in crate::node) fn check_invariants(&self, cx: &Context, mesh: &Mesh) {
        self.history.check_invariants();
        assert!(
            !self.has_joined() || self.held_back.is_empty(),
            "what was held back is shown"
        );
        assert_eq!(
            self.repair.links().count() > 0,
            cx.runs(Timer::Sync),
            "an exchange has an end"
        );
        assert!(
            self.repair.links().all(|link| mesh.link(link).is_some()),
            "it has a link"
        );
        assert!(
            !self.gaps.is_watched() || cx.runs(Timer::Gap),
            "gaps are looked at"
        );
        assert!(
            self.has_joined() || self.gaps.is_empty(),
            "only members miss something"
        );
        assert!(
            self.chat.unsent_lines() == 0 || !self.has_joined(),
            "lines are said at once"
        );
        self.waiting.check_invariants(cx.config.waiting_max);
        self.delivery.check_invariants(self.written());
    }
}
