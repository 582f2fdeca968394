//! What the user is to be called for, and what was not seen yet.
//!
//! This module owns how many messages are unread, whether the user looks, and since when nobody could. It
//! never writes anything: it says what is to ring, to be notified, and to be marked.

use std::fmt;
use std::str::FromStr;

/// When the user is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notify {
    /// Never.
    Never,
    /// When somebody names the user, or writes privately.
    Mention,
    /// With each message.
    All,
}

impl FromStr for Notify {
    type Err = ();

    fn from_str(word: &str) -> Result<Notify, ()> {
        match word.to_lowercase().as_str() {
            "never" => Ok(Notify::Never),
            "mention" => Ok(Notify::Mention),
            "all" => Ok(Notify::All),
            _ => Err(()),
        }
    }
}

impl fmt::Display for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Notify::Never => "never",
            Notify::Mention => "mention",
            Notify::All => "all",
        })
    }
}

/// How far apart the clocks of two machines may be, in milliseconds, and nobody minds.
const CLOCKS_APART_MS: u64 = 1_000;

/// How the user is called for a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Call {
    /// The bell rings.
    pub(super) rings: bool,
    /// The desktop notifies.
    pub(super) notifies: bool,
}

/// What the user has seen.
#[derive(Debug)]
pub(super) struct Attention {
    notify: Notify,
    unread: u64,
    /// In how many of them the user is meant.
    mentions: u64,
    /// Another room is seen.
    is_behind: bool,
    /// No message has come since another room is seen.
    is_mark_due: bool,
    /// The terminal has the focus, as far as it says.
    is_focused: Option<bool>,
    /// The user was away until a moment ago, which is not known yet.
    is_back: bool,
    /// The user was away until then, and no message was shown since.
    away_until_ms: Option<u64>,
}

impl Attention {
    /// Nothing came yet.
    pub(super) fn new(notify: Notify) -> Attention {
        Attention {
            notify,
            unread: 0,
            mentions: 0,
            is_behind: false,
            is_mark_due: false,
            is_focused: None,
            is_back: false,
            away_until_ms: None,
        }
    }

    /// When the user is called.
    pub(super) fn notify(&self) -> Notify {
        self.notify
    }

    /// When the user is called from now on.
    pub(super) fn set_notify(&mut self, notify: Notify) {
        self.notify = notify;
    }

    /// How many messages came since the user was seen to look.
    pub(super) fn unread(&self) -> u64 {
        self.unread
    }

    /// In how many of these the user is named, or written to alone.
    pub(super) fn mentions(&self) -> u64 {
        self.mentions
    }

    /// Whether the terminal has the focus, as far as it says.
    pub(super) fn is_focused(&self) -> Option<bool> {
        self.is_focused
    }

    /// A key was pressed.
    pub(super) fn on_key(&mut self) {
        (self.unread, self.mentions) = (0, 0);
    }

    /// Another room is seen from now on.
    pub(super) fn go_behind(&mut self) {
        (self.is_behind, self.is_mark_due) = (true, true);
    }

    /// This room is seen again, in a terminal of which that is known of the focus.
    pub(super) fn come_to_front(&mut self, is_focused: Option<bool>) {
        (self.is_behind, self.is_mark_due) = (false, false);
        self.is_focused = is_focused;
        self.on_key();
    }

    /// The terminal says whether it has the focus.
    pub(super) fn on_focus(&mut self, is_focused: bool) {
        self.is_focused = Some(is_focused);
        if is_focused {
            self.on_key();
        }
    }

    /// The process was stopped, or the machine slept.
    pub(super) fn on_return(&mut self) {
        self.is_back = true;
    }

    /// It is so late by the wall clock.
    pub(super) fn on_time(&mut self, wall_ms: u64) {
        if std::mem::take(&mut self.is_back) {
            self.away_until_ms = Some(wall_ms);
        }
    }

    /// Whether a mark belongs above a message that was said then: the first one of those that came while
    /// the user was away, or a moment later by its author's clock.
    pub(super) fn is_marked(&mut self, sent_ms: u64) -> bool {
        let until = self.away_until_ms.take();
        if std::mem::take(&mut self.is_mark_due) {
            return true;
        }
        until.is_some_and(|until| sent_ms < until.saturating_add(CLOCKS_APART_MS))
    }

    /// A message of somebody else came. `is_meant`: it names the user, or is to nobody else.
    pub(super) fn on_message(&mut self, is_meant: bool) -> Call {
        let looks = self.is_focused == Some(true) && !self.is_behind;
        if !looks {
            self.unread += 1;
            self.mentions += u64::from(is_meant);
        }
        let rings = match self.notify {
            Notify::Never => false,
            Notify::Mention => is_meant,
            Notify::All => is_meant || !looks,
        };
        let notifies = rings && !looks;
        Call { rings, notifies }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_calls_the_user_is_what_was_asked_for() {
        for (notify, other, meant) in [
            (Notify::Never, false, false),
            (Notify::Mention, false, true),
            (Notify::All, true, true),
        ] {
            let mut attention = Attention::new(notify);
            assert_eq!(attention.on_message(false).rings, other, "{notify}");
            assert_eq!(attention.on_message(true).rings, meant, "{notify}");
            assert_eq!(notify.to_string().to_uppercase().parse(), Ok(notify));
        }
        assert!("sometimes".parse::<Notify>().is_err());
    }

    #[test]
    fn who_looks_is_not_notified_and_has_nothing_unread() {
        let mut attention = Attention::new(Notify::Mention);
        attention.on_message(false);
        assert_eq!(attention.unread(), 1);
        attention.on_focus(true);
        let call = attention.on_message(true);
        assert!(call.rings && !call.notifies);
        assert_eq!(attention.unread(), 0);
        attention.on_focus(false);
        assert!(attention.on_message(true).notifies);
        assert_eq!(attention.unread(), 1);
        attention.on_key();
        assert_eq!(attention.unread(), 0);
    }

    #[test]
    fn a_room_that_is_not_seen_counts_and_calls_until_it_is() {
        let mut attention = Attention::new(Notify::Mention);
        attention.on_focus(true);
        attention.go_behind();
        assert!(!attention.on_message(false).rings);
        assert!(attention.is_marked(5) && !attention.is_marked(5));
        assert!(attention.on_message(true).rings);
        assert_eq!((attention.unread(), attention.mentions()), (2, 1));
        attention.come_to_front(Some(true));
        assert_eq!((attention.unread(), attention.mentions()), (0, 0));
        assert!(!attention.is_marked(5));
    }

    #[test]
    fn the_mark_stands_above_what_came_meanwhile_only() {
        let mut attention = Attention::new(Notify::Mention);
        attention.on_time(10);
        assert!(!attention.is_marked(5));
        attention.on_return();
        attention.on_time(100);
        assert!(attention.is_marked(50));
        assert!(!attention.is_marked(60));
        attention.on_return();
        attention.on_time(200);
        assert!(!attention.is_marked(200 + CLOCKS_APART_MS));
        assert!(!attention.is_marked(150));
    }
}
