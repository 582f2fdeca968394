//! The moments that `--since` and `--until` mean.
//!
//! Owns how people write them, by the clock and the time zone of this machine. What is cut there is not known here.

use jiff::civil::{DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan as _, ZonedDateTime};

/// A moment that somebody gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    at: Timestamp,
    /// Only a time of day was said: which day's is left to us.
    is_of_any_day: bool,
}

impl Moment {
    /// In milliseconds since 1970.
    #[must_use]
    pub fn ms(self) -> u64 {
        u64::try_from(self.at.as_millisecond()).unwrap_or(0)
    }

    /// The end of what begins at `since`: of a time of day, the next one. None if it comes before the beginning.
    pub(super) fn after(self, since: Moment) -> Option<Moment> {
        if self.at > since.at {
            return Some(self);
        }
        let day_after = self
            .at
            .to_zoned_datetime(TimeZone::system())
            .checked_add(1.day());
        let later = day_after.ok().filter(|_| self.is_of_any_day)?.timestamp();
        (later > since.at).then_some(Moment { at: later, ..self })
    }
}

/// What the text means now.
pub(super) fn moment(text: &str) -> Result<Moment, String> {
    moment_at(text.trim(), &ZonedDateTime::now()).map_err(|_| {
        "give a date such as 2026-01-31, a time such as 18:00 or \"2026-01-31 18:00\", a day such as yesterday, \
         monday or \"monday 18:00\", or how long ago, such as 2h"
            .to_owned()
    })
}

/// A moment with its offset, one of the local clock, a date, a time of day, a day's name and perhaps a time, or so
/// long ago. Of a time of day and of a day's name the last one is meant that is not ahead.
fn moment_at(text: &str, now: &ZonedDateTime) -> Result<Moment, jiff::Error> {
    // A time is read from what has a date, too.
    let has_date = text.parse::<Timestamp>().is_ok() || text.parse::<DateTime>().is_ok();
    if let Some(time) = text.parse::<Time>().ok().filter(|_| !has_date) {
        let today = now.with().time(time).build()?;
        let is_ahead = today.timestamp() > now.timestamp();
        let days = if is_ahead { 1 } else { 0 };
        return Ok(Moment {
            at: today.checked_sub(days.days())?.timestamp(),
            is_of_any_day: true,
        });
    }
    Ok(Moment {
        at: stamp_at(text, now)?,
        is_of_any_day: false,
    })
}

fn stamp_at(text: &str, now: &ZonedDateTime) -> Result<Timestamp, jiff::Error> {
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    if let Some(days) = days_back(first, now.weekday()) {
        let day = now.start_of_day()?.checked_sub(days.days())?;
        return Ok(match rest.trim() {
            "" => day.timestamp(),
            time => day.with().time(time.parse::<Time>()?).build()?.timestamp(),
        });
    }
    if let Ok(stamp) = text.parse::<Timestamp>() {
        return Ok(stamp);
    }
    if let Ok(local) = text.parse::<DateTime>() {
        return TimeZone::system().to_timestamp(local);
    }
    // So long ago, whether "ago" is said or not.
    let span = text.parse::<Span>()?.abs();
    Ok(now.checked_sub(span)?.timestamp())
}

/// How many days ago the day of this name began, if it is one.
fn days_back(name: &str, today: Weekday) -> Option<i32> {
    let days = [
        (Weekday::Monday, "monday"),
        (Weekday::Tuesday, "tuesday"),
        (Weekday::Wednesday, "wednesday"),
        (Weekday::Thursday, "thursday"),
        (Weekday::Friday, "friday"),
        (Weekday::Saturday, "saturday"),
        (Weekday::Sunday, "sunday"),
    ];
    let name = name.to_lowercase();
    match name.as_str() {
        "today" => Some(0),
        "yesterday" => Some(1),
        _ => {
            let is_named = |full: &&(_, &str)| name == full.1 || name == full.1[..3];
            let (day, _) = days.iter().find(is_named)?;
            Some(i32::from(today.since(*day)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Thursday, at half past nine in the evening.
    fn now() -> ZonedDateTime {
        "2026-11-26T21:30:00+01:00[+01:00]".parse().unwrap()
    }

    #[test]
    fn a_time_of_day_or_a_day_is_the_last_one() {
        let at = |text: &str| moment_at(text, &now()).unwrap().at.to_string();
        assert_eq!(at("10:00"), "2026-11-26T09:00:00Z");
        assert_eq!(at("22:00"), "2026-11-25T21:00:00Z");
        assert_eq!(at("today"), "2026-11-25T23:00:00Z");
        assert_eq!(at("yesterday"), "2026-11-24T23:00:00Z");
        assert_eq!(at("yesterday 10:00"), "2026-11-25T09:00:00Z");
        assert_eq!(at("Monday"), "2026-11-22T23:00:00Z");
        assert_eq!(at("mon 18:30"), "2026-11-23T17:30:00Z");
        assert_eq!(at("thu"), "2026-11-25T23:00:00Z");
        assert_eq!(at("friday"), "2026-11-19T23:00:00Z");
        for ago in ["2h", "2h ago", "2 hours ago", "-2h"] {
            assert_eq!(at(ago), "2026-11-26T18:30:00Z", "{ago}");
        }
        assert_eq!(at("2026-01-31T18:00:00Z"), "2026-01-31T18:00:00Z");
        for text in ["", "noon", "25:00", "mond", "3", "yesterday noon"] {
            assert!(moment_at(text, &now()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_time_of_day_ends_what_begins_before_it() {
        let at = |text: &str| moment_at(text, &now()).unwrap();
        let until = |since, until| at(until).after(at(since)).map(|m| m.at.to_string());
        // 22:00 has not been yet today.
        assert_eq!(until("10:00", "22:00"), Some("2026-11-26T21:00:00Z".into()));
        assert_eq!(until("22:00", "10:00"), Some("2026-11-26T09:00:00Z".into()));
        assert_eq!(
            until("monday", "10:00"),
            Some("2026-11-26T09:00:00Z".into())
        );
        assert_eq!(until("today", "yesterday"), None);
        assert_eq!(until("1h", "2h"), None);
    }
}
