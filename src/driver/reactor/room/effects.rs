//! What the node wants done that only the loop can do: what is shown, and what is read of the store.
//!
//! Owns nothing: it is lent what the effects reach. Nothing here calls the node; all else that the node wants done is
//! carried out by [`Reach`].

use crate::node::{Class, Effect, Event};
use crate::ui::Ui;
use crate::wire::Message;

use super::super::super::carrier::Reach;
use super::super::super::complaints::{Complaint, Complaints, NOT_LET_IN};
use super::super::super::keeper::Keeper;
use super::reads;

/// What effects reach, lent for the length of one call.
pub(super) struct EffectParts<'a> {
    pub(super) reach: Reach<'a>,
    pub(super) keeper: &'a mut Option<Keeper>,
    pub(super) ui: &'a mut Ui,
    pub(super) complaints: &'a mut Complaints,
}

/// True of the effect after which the node has left.
pub(super) fn is_last(effect: &Effect) -> bool {
    matches!(effect, Effect::Show(Event::Left { .. }))
}

impl EffectParts<'_> {
    /// Carries out one effect.
    pub(super) fn carry_out(&mut self, effect: Effect) {
        let now = self.reach.now;
        let ui = &mut *self.ui;
        match self.reach.carry_out(effect, |words| ui.warn(now, words)) {
            Some(Effect::FetchStored {
                link,
                fetch,
                until,
                unstored,
            }) => {
                let chunk = reads::answer(self.keeper, now, self.ui, &fetch, until).with(unstored);
                self.reach
                    .send(&[link], Class::Chat, &Message::Chunk(chunk));
            }
            Some(Effect::Show(Event::NotLetIn { host, text })) => {
                let topic = NOT_LET_IN;
                let said = (self.complaints).admit(now.time, Complaint { topic, host, text });
                said.into_iter().for_each(|words| self.ui.warn(now, &words));
            }
            Some(Effect::Show(event)) => self.ui.on_event(now, event, self.reach.node),
            _ => {}
        }
    }
}
