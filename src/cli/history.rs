//! `papo history`: prints what a store holds, without joining, also while a node has it open.

use std::collections::VecDeque;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use jiff::civil::{DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan as _, ZonedDateTime};

use crate::store::{Search, Store, StoreError};
use crate::ui::history_output;
use crate::ui::visible::{Tab, visible};

use super::Options;

/// Prints to `out` what fits, or the newest `last` of it; whoever reads it may stop. `tell` gets a line
/// about what is missing. False if nothing fits.
///
/// # Errors
///
/// One line that names the file or the option, and what to do.
pub fn print(
    options: &Options,
    search: &Search,
    last: Option<usize>,
    out: impl Write,
    tell: impl FnOnce(&str),
) -> Result<bool, String> {
    let path = options.store.as_deref().unwrap_or(Path::new(""));
    let name = visible(&format!("--store {}", path.display()), Tab::Escape);
    let wrong = |e: StoreError| {
        e.log_details(path);
        format!("{name}: {e}")
    };
    let store = Store::open_for_reading(path, None).map_err(wrong)?;
    if let Some(unread) = store.unread() {
        tell(&format!("{name}: {unread}"));
    }
    let room = store.owner().map_err(wrong)?.room;
    if options.room_given && room != options.first_room() {
        return Err(wrong(StoreError::OtherRoom(room)));
    }
    let at = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0);
    let mut out = BufWriter::new(out);
    let (mut newest, mut found, mut written) = (VecDeque::new(), false, Ok(()));
    let result = store.search(search, |message| {
        let mut line = Vec::new();
        if options.json {
            history_output::push_json(&mut line, at, message);
        } else {
            history_output::push_text(&mut line, message);
        }
        match last {
            Some(0) => return false,
            Some(most) => {
                if newest.len() == most {
                    newest.pop_front();
                }
                newest.push_back(line);
            }
            None => written = out.write_all(&line),
        }
        found = true;
        written.is_ok()
    });
    result.map_err(wrong)?;
    for line in &newest {
        written = written.and_then(|()| out.write_all(line));
    }
    match written.and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write to stdout: {e}"))
        }
        _ => Ok(found),
    }
}

/// The moment that `--since` and `--until` mean, in milliseconds since 1970.
pub(super) fn moment(text: &str) -> Result<u64, String> {
    let stamp = moment_at(text, &ZonedDateTime::now()).map_err(|_| {
        "give a date such as 2026-01-31, a time such as 18:00 or \"2026-01-31 18:00\", a day such as \
         yesterday or monday, or how long ago, such as 2h"
            .to_owned()
    })?;
    Ok(u64::try_from(stamp.as_millisecond()).unwrap_or(0))
}

/// A moment with its offset, one of the local clock, a date, a time of day, a day's name, or so long ago. Of
/// a time of day and of a day's name the last one is meant that is not ahead.
fn moment_at(text: &str, now: &ZonedDateTime) -> Result<Timestamp, jiff::Error> {
    if let Some(days) = days_back(text, now.weekday()) {
        return Ok((now.start_of_day()?.checked_sub(days.days())?).timestamp());
    }
    if let Ok(stamp) = text.parse::<Timestamp>() {
        return Ok(stamp);
    }
    if let Ok(local) = text.parse::<DateTime>() {
        return TimeZone::system().to_timestamp(local);
    }
    if let Ok(time) = text.parse::<Time>() {
        let today = now.with().time(time).build()?;
        let is_ahead = today.timestamp() > now.timestamp();
        let days = if is_ahead { 1 } else { 0 };
        return Ok(today.checked_sub(days.days())?.timestamp());
    }
    Ok(now.checked_sub(text.parse::<Span>()?)?.timestamp())
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
        let at = |text: &str| moment_at(text, &now()).unwrap().to_string();
        assert_eq!(at("10:00"), "2026-11-26T09:00:00Z");
        assert_eq!(at("22:00"), "2026-11-25T21:00:00Z");
        assert_eq!(at("today"), "2026-11-25T23:00:00Z");
        assert_eq!(at("yesterday"), "2026-11-24T23:00:00Z");
        assert_eq!(at("Monday"), "2026-11-22T23:00:00Z");
        assert_eq!(at("thu"), "2026-11-25T23:00:00Z");
        assert_eq!(at("friday"), "2026-11-19T23:00:00Z");
        assert_eq!(at("2h"), "2026-11-26T18:30:00Z");
        assert_eq!(at("2026-01-31T18:00:00Z"), "2026-01-31T18:00:00Z");
        for text in ["", "noon", "25:00", "mond", "3"] {
            assert!(moment_at(text, &now()).is_err(), "{text:?}");
        }
    }
}
