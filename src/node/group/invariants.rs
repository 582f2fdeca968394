//! What is true of the group between any two inputs. Debug builds look.

use super::{Group, Standing};
use crate::limits;
use crate::node::Timer;
use crate::node::context::Context;

impl Group {
    /// # Panics
    ///
    /// If the standing contradicts what goes with it: the coordinator, the view, the timers.
    pub(in crate::node) fn check_invariants(&self, cx: &Context) {
        self.check_timers(cx);
        self.check_standing(cx);
        let asks = self.asking.is_some() && self.leaving.is_none();
        assert!(!asks || cx.runs(Timer::Join), "who asks asks again");
        assert!(
            self.version_seen >= self.roster.version(),
            "a view was heard of"
        );
        assert!(self.referrals.len() <= limits::REFERRALS_MAX);
        assert!(self.unreached.len() <= limits::HEARSAY_FURTHER_MAX);
        assert_eq!(self.referrals.len() == 0, !cx.runs(Timer::Referral));
    }

    /// Which timers run in which standing.
    fn check_timers(&self, cx: &Context) {
        let in_office = matches!(self.standing, Standing::Coordinator(_));
        assert_eq!(
            cx.runs(Timer::Heartbeat),
            in_office,
            "who beats is in office"
        );
        let [losses, watch, election] =
            [Timer::Losses, Timer::Watch, Timer::Election].map(|timer| cx.runs(timer));
        assert!(in_office || !losses, "who gathers losses is in office");
        assert!(
            self.is_member() || !watch,
            "members watch their coordinator"
        );
        assert_eq!(self.is_alarmed(), cx.runs(Timer::Alarm), "an alarm goes on");
        assert!(
            self.is_member() || !self.is_alarmed(),
            "members watch their coordinator"
        );
        assert!(
            self.is_electing() || !election,
            "who elects waits for answers"
        );
    }

    /// What is set, and what is empty, in each standing.
    fn check_standing(&self, cx: &Context) {
        let (me, leader) = (cx.config.key, self.leader());
        let is_leaving = self.leaving.is_some();
        match &self.standing {
            Standing::Seeking(_) => {
                assert_eq!((self.id, leader), (None, None), "who seeks belongs nowhere");
                assert!(self.roster.members().is_empty(), "who seeks has no view");
                assert!(cx.runs(Timer::Join), "who seeks asks again");
            }
            Standing::Member => {
                assert!(self.id.is_some(), "a member has an id");
                assert!(leader.is_some_and(|l| l != me), "a member follows another");
                assert!(cx.runs(Timer::Watch), "a member watches its coordinator");
            }
            Standing::Coordinator(_) => {
                assert_eq!(leader, Some(me), "who is in office follows itself");
                assert_eq!(self.roster.coordinator(), me, "its view is its own");
                let entry = self.roster.get(me).map(|m| m.id);
                assert!(entry.is_some() && entry == self.id, "it is in its own view");
            }
            Standing::Electing(_) => {
                assert_eq!(leader, None, "who elects follows nobody");
                assert!(self.id.is_some(), "who elects has an id");
                assert!(cx.runs(Timer::Election), "an election goes on");
            }
            Standing::Adrift { .. } => {
                assert_eq!(leader, None, "who is adrift follows nobody");
                assert!(
                    cx.runs(Timer::Join) || is_leaving,
                    "who is adrift asks again"
                );
            }
            Standing::Gone => {}
        }
    }
}
