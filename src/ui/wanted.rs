//! Which messages a listener wants to see, and how many (`papo listen --match --since --count`).
//!
//! Owns the pattern, the time and what is left of the count. It never decides what becomes of a message that
//! is not wanted, and ends nothing.

use regex::Regex;

use crate::limits::PATTERN_BYTES_MAX;
use crate::wire::ChatMessage;

/// Which messages are shown: those that fit all of these, until the count is used up.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Something in the text fits this.
    pattern: Option<Regex>,
    /// Sent at this moment or later, in milliseconds since 1970.
    since_ms: Option<u64>,
    /// So many more are shown.
    left: Option<u64>,
    /// So many were shown since this was last asked.
    counted: u64,
    /// None is shown.
    is_none: bool,
}

impl Wanted {
    /// Messages with something that `pattern` fits, sent at `since_ms` or later, `count` of them at most.
    #[must_use]
    pub fn new(pattern: Option<Regex>, since_ms: Option<u64>, count: Option<u64>) -> Wanted {
        Wanted {
            pattern,
            since_ms,
            left: count,
            counted: 0,
            is_none: false,
        }
    }

    /// No message at all: who only speaks.
    #[must_use]
    pub fn nothing() -> Wanted {
        Wanted {
            is_none: true,
            ..Wanted::default()
        }
    }

    /// True if no message is wanted.
    pub(super) fn is_nothing(&self) -> bool {
        self.is_none
    }

    /// A regular expression as the command line gives it.
    ///
    /// # Errors
    ///
    /// One line that says what is wrong with it.
    pub fn pattern(text: &str) -> Result<Regex, String> {
        let built = regex::RegexBuilder::new(text)
            .size_limit(PATTERN_BYTES_MAX)
            .build();
        built.map_err(|e| {
            let why = e.to_string();
            let last = why.lines().last().unwrap_or_default().trim();
            let last = last.strip_prefix("error: ").unwrap_or(last);
            format!("no regular expression: {last}")
        })
    }

    /// Whether any message at all may be unwanted.
    pub(super) fn is_choosy(&self) -> bool {
        self.pattern.is_some() || self.since_ms.is_some() || self.is_none
    }

    /// Whether this message fits.
    pub(super) fn fits(&self, message: &ChatMessage) -> bool {
        // A text is looked at only if there is a reason.
        !self.is_choosy() || self.fits_text(message.text(), message.sent_at())
    }

    /// Whether what was said at this moment fits.
    pub(super) fn fits_text(&self, text: &str, sent_at: u64) -> bool {
        !self.is_none
            && self.since_ms.is_none_or(|since| sent_at >= since)
            && (self.pattern.as_ref()).is_none_or(|pattern| pattern.is_match(text))
    }

    /// How many of so many messages that fit are shown; the count has them.
    pub(super) fn take(&mut self, count: usize) -> usize {
        let Some(left) = &mut self.left else {
            return count;
        };
        let taken = (*left).min(count as u64);
        *left -= taken;
        self.counted += taken;
        // It is not more than `count`.
        usize::try_from(taken).unwrap_or(count)
    }

    /// How many messages were counted since the last call.
    pub(super) fn take_counted(&mut self) -> u64 {
        std::mem::take(&mut self.counted)
    }

    /// So many of those that are counted were shown elsewhere.
    pub(super) fn count_elsewhere(&mut self, count: u64) {
        self.left = self.left.map(|left| left.saturating_sub(count));
    }

    /// Whether the count is used up.
    pub(super) fn is_done(&self) -> bool {
        self.left == Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_shown_until_the_count_is_used_up() {
        let pattern = Wanted::pattern("(?i)^lunch|soup").unwrap();
        let mut wanted = Wanted::new(Some(pattern), Some(1_000), Some(3));
        assert!(wanted.fits_text("Lunch?", 1_000));
        assert!(wanted.fits_text("more soup", 2_000));
        assert!(!wanted.fits_text("no lunch", 2_000));
        assert!(!wanted.fits_text("lunch", 999));
        assert_eq!(wanted.take(2), 2);
        assert!(!wanted.is_done());
        assert_eq!(wanted.take(2), 1);
        assert!(wanted.is_done());
        assert_eq!(wanted.take(2), 0);
    }

    #[test]
    fn who_wants_nothing_is_shown_nothing() {
        let wanted = Wanted::nothing();
        assert!(wanted.is_choosy() && !wanted.fits_text("lunch?", 1_000) && !wanted.is_done());
    }

    #[test]
    fn a_pattern_that_is_none_is_refused_in_one_line() {
        for text in ["(", "[z-a]", "a{2,1}", "\\p{Foo}", "(a{1000}){1000}"] {
            let line = Wanted::pattern(text).unwrap_err();
            assert!(line.starts_with("no regular expression: "), "{line}");
            assert!(!line.contains('\n'), "{line}");
        }
    }
}
