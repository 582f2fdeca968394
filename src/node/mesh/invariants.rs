//! What is true of the links between any two inputs. Debug builds look.

use super::Mesh;
use super::link::LinkStage;
use crate::limits;
use crate::node::Timer;
use crate::node::context::Context;

impl Mesh {
    /// # Panics
    ///
    /// If a link's stage contradicts what is noted of it.
    pub(in crate::node) fn check_invariants(&self, cx: &Context) {
        assert!(self.news.is_empty(), "all news were carried on");
        for (key, id, link) in self.links.open_links() {
            assert_eq!((link.stage, link.key), (LinkStage::Open, Some(key)));
            assert!(!cx.runs(Timer::Handshake(id)), "HELLO is exchanged");
            assert!(!self.dead.contains(key), "whoever said HELLO lives");
        }
        assert_eq!(
            self.links.open_links().count(),
            self.links.open_keys().count()
        );
        for (id, link) in self.links.all() {
            let waits = matches!(link.stage, LinkStage::Dialing | LinkStage::Greeting);
            assert_eq!(
                waits,
                cx.runs(Timer::Handshake(id)),
                "a handshake has an end"
            );
            let is_open = link
                .key
                .is_some_and(|key| self.links.open_to(key) == Some(id));
            assert_eq!(
                link.stage == LinkStage::Open,
                is_open,
                "one link of a pair is open"
            );
        }
        for dial in self.links.dials.values() {
            let link = self.links.get(dial.link);
            assert!(link.is_some_and(|l| l.is_ours()), "a dial has a link");
        }
        assert!(self.lost.len() <= limits::LOST_MAX);
        assert!(
            self.lost.is_empty() || cx.runs(Timer::Redial),
            "the lost are dialled"
        );
    }
}
