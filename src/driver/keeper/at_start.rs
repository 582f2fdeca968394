//! What a keeper does before the node's start: it takes up its file, a piece in each turn.
//!
//! Owns nothing: how far the file is taken up is `loading`'s to say. What follows if that cannot be done is
//! decided here: a damaged file is set aside, or ends papo. It stores nothing.

use crate::node::{Node, Now, Restored, Time};
use crate::store::{Store, StoreError};

use super::super::start_error::StartError;
use super::Keeper;
use super::files::shown;
use super::loading::{Load, Loading};

impl Keeper {
    pub(super) fn begin_loading(&mut self, now: Now) -> Result<(), StartError> {
        let wrong = |e| StartError::Store(self.files.path().to_owned(), e);
        let lock = match Store::lock(self.files.path()) {
            Err(e @ (StoreError::Unusable(_) | StoreError::Later(_))) => Err(e),
            result => Ok(result.map_err(wrong)?),
        };
        let limits = self.space.limits_at_start();
        let (files, helper) = (&self.files, &mut self.helper);
        let loading = Loading::begin(files, self.newest, now, lock, limits, helper);
        self.loading = Some(loading.map_err(wrong)?);
        Ok(())
    }

    /// Before the node's start, once per turn: tells it what the file holds, a piece at a time.
    pub(in crate::driver) fn load(
        &mut self,
        now: Now,
        node: &mut Node,
    ) -> Result<Load, StartError> {
        let Some(mut loading) = self.loading.take() else {
            // One was set aside, and its helper is ending.
            self.helper.replies();
            if !self.helper.is_running() || self.helper.has_ended() {
                self.begin_loading(now)?;
            }
            return Ok(Load::default());
        };
        let result = loading.go_on(now, &mut self.files, &mut self.helper, node);
        let mut load = Load::default();
        match result {
            Err(e @ StoreError::Damaged(_)) if !self.strict && !loading.has_told() => {
                load.words.push(self.set_aside(&e, now)?);
                drop(loading);
                self.helper.release();
                return Ok(load);
            }
            Err(e) => {
                e.log_details(self.files.path());
                return Err(StartError::Store(self.files.path().to_owned(), e));
            }
            Ok(done) => load.is_done = done,
        }
        if let Some(e) = loading.take_unwritable() {
            let e = StoreError::Unusable(e.to_string());
            load.words.push(self.enter_trouble(now.time, &e));
        }
        if loading.take_shrinks() {
            let (shown, words) = (self.files.shown(), self.space.words_at_start());
            load.words.push(format!("{shown}: {words}"));
        }
        let unread = loading.take_unread();
        let shown = self.files.shown();
        load.words
            .extend(unread.map(|unread| format!("{shown}: {unread}")));
        let ahead = loading.take_ahead();
        load.words
            .extend(ahead.map(|ahead| format!("{shown}: {ahead}")));
        self.loading = Some(loading);
        Ok(load)
    }

    /// When [`Keeper::load`] goes on although nothing happens.
    pub(in crate::driver) fn loads_at(&self, now: Time) -> Option<Time> {
        let is_reading = (self.loading.as_ref()).is_some_and(Loading::is_told);
        let is_now = is_reading || self.helper.has_work() || !self.helper.is_running();
        is_now.then_some(now).or(self.helper.next_wake(now))
    }

    /// The file is not waited for any more: nothing is stored.
    pub(in crate::driver) fn give_up(&mut self, now: Now, node: &mut Node) {
        self.loading = None;
        self.files.give_up();
        node.restore(Restored::default());
        let e = StoreError::Later("it is still being read".into());
        self.enter_trouble(now.time, &e);
    }

    /// Gives a damaged file another name; the words say so.
    fn set_aside(&mut self, why: &StoreError, now: Now) -> Result<String, StartError> {
        self.trouble.end();
        why.log_details(self.files.path());
        let aside = (self.files.set_aside(now))
            .map_err(|e| StartError::Store(self.files.path().to_owned(), e))?;
        Ok(format!(
            "{} is damaged; it was moved to {}, and a new file is used (details with -v)",
            self.files.shown(),
            shown(&aside)
        ))
    }
}
