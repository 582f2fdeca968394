//! What of a picture is drawn.
//!
//! Owns the choice: a stretch of time, nodes, types of messages.

use std::collections::BTreeSet;

use super::picture::{Message, Picture};
use super::words::story;

/// What nobody asks for is not drawn in a text or an SVG, unless it is named: it is there all the time.
const NOISE: [&str; 12] = [
    "PING",
    "PONG",
    "HEARTBEAT",
    "SYNC",
    "SYNC_ANSWER",
    "COMPARE",
    "COMPARISON",
    "STABLE",
    "ACK",
    "PROBE",
    "PROBE_ANSWER",
    "RELAY",
];

/// True of a type that comes all the time.
#[must_use]
pub fn is_noise(name: &str) -> bool {
    NOISE.contains(&name)
}

/// What the user asks for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Wanted {
    /// Around what: `election`, `loss`, `merge`, `join` (with a number behind a dot, which of them), or a time.
    pub around: Option<String>,
    /// From when to when: two times with two dots between them.
    pub between: Option<String>,
    /// Nicks, `nick#id`s or keys; all, if there are none.
    pub nodes: Vec<String>,
    /// Types of messages; all but the noise, if there are none.
    pub types: Vec<String>,
}

/// What is drawn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selection {
    /// From when.
    pub from: i64,
    /// Until when.
    pub to: i64,
    /// Which nodes, in this order.
    pub nodes: Vec<usize>,
    /// Which types of messages, by their numbers.
    pub types: BTreeSet<usize>,
}

impl Selection {
    /// What of this picture is wanted.
    ///
    /// # Errors
    ///
    /// What cannot be found, as one line.
    pub fn new(picture: &Picture, wanted: &Wanted) -> Result<Selection, String> {
        let (from, to) = match (&wanted.around, &wanted.between) {
            (Some(_), Some(_)) => {
                return Err("--around and --between: give one of them".to_owned());
            }
            (Some(what), None) => around(picture, what)?,
            (None, Some(times)) => between(picture, times)?,
            (None, None) => (0, picture.until),
        };
        Ok(Selection {
            from,
            to,
            nodes: nodes(picture, &wanted.nodes)?,
            types: types(picture, &wanted.types)?,
        })
    }

    /// True if this message is drawn.
    #[must_use]
    pub fn has(&self, message: &Message) -> bool {
        let is_known = |node: usize| self.nodes.contains(&node);
        let ends = is_known(message.ends.sent.node) && message.ends.to.is_some_and(is_known);
        ends && self.types.contains(&message.m)
            && message.sent <= self.to
            && message.got >= self.from
    }
}

/// The stretch around something.
fn around(picture: &Picture, what: &str) -> Result<(i64, i64), String> {
    let (name, which) = what.split_once('.').unwrap_or((what, "1"));
    let topics = ["election", "loss", "merge", "join"];
    if !topics.contains(&name) {
        let at = time(picture, what).map_err(|words| format!("--around {what}: {words}"))?;
        return Ok((at - 250_000, at + 250_000));
    }
    let wrong = || format!("--around {what}: give {name} or {name}.N, the Nth of them");
    let which: usize = which.parse().map_err(|_| wrong())?;
    let story = story(picture);
    let mut of_this = story.iter().filter(|s| s.topic.name() == name);
    let count = of_this.clone().count();
    let found = which.checked_sub(1).and_then(|n| of_this.nth(n));
    let found = found.ok_or_else(|| match count {
        0 => format!("--around {what}: there is no {name} in these traces"),
        _ => format!("--around {what}: there are only {count}"),
    })?;
    let margin = ((found.to - found.from) / 4).max(2_000);
    Ok((found.from - margin, found.to + margin))
}

fn between(picture: &Picture, times: &str) -> Result<(i64, i64), String> {
    let fail = |words: &str| format!("--between {times}: {words}");
    let (from, to) = (times.split_once("..")).ok_or_else(|| fail("give two times, as 1.5s..2s"))?;
    let from = time(picture, from).map_err(|w| fail(&w))?;
    let to = time(picture, to).map_err(|w| fail(&w))?;
    if from >= to {
        return Err(fail("the first time must be before the second"));
    }
    Ok((from, to))
}

/// A time: since the start of the picture, or on the clock on the wall, in UTC.
fn time(picture: &Picture, text: &str) -> Result<i64, String> {
    let wrong = || {
        "give a time since the start, such as 1.5s or 850ms, or one of the day in UTC, such as 10:41:07.5".to_owned()
    };
    let text = text.trim().trim_start_matches('+');
    if let Some((hours, rest)) = text.split_once(':') {
        let (minutes, seconds) = rest.split_once(':').unwrap_or((rest, "0"));
        let number = |s: &str| s.parse::<f64>().ok().filter(|n| (0.0..60.0).contains(n));
        let (h, m, s) = (number(hours), number(minutes), number(seconds));
        let (Some(h), Some(m), Some(s)) = (h, m, s) else {
            return Err(wrong());
        };
        let of_day = (h * 3_600.0 + m * 60.0 + s) * 1e6;
        let day_us = 86_400_000_000_i64;
        let zero = (picture.wall_ms.saturating_mul(1_000).cast_signed()).rem_euclid(day_us);
        return Ok((of_day as i64 - zero).rem_euclid(day_us));
    }
    let units = [("µs", 1.0), ("us", 1.0), ("ms", 1e3), ("s", 1e6), ("", 1e6)];
    let split = |(unit, factor)| {
        text.strip_suffix(unit)
            .map(|n| (n.trim().to_owned(), factor))
    };
    let (number, factor) = units.into_iter().find_map(split).ok_or_else(wrong)?;
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let is_sane = number.is_finite() && number.abs() < 1e9;
    is_sane
        .then_some((number * factor) as i64)
        .ok_or_else(wrong)
}

fn nodes(picture: &Picture, wanted: &[String]) -> Result<Vec<usize>, String> {
    if wanted.is_empty() {
        return Ok((0..picture.lives.len()).collect());
    }
    let mut nodes = Vec::new();
    for name in wanted {
        let fits = |(_, life): &(usize, &super::lives::Life)| {
            let key = life.key.to_string();
            life.label == *name || super::plain(&life.nick) == *name || key == *name
        };
        let before = nodes.len();
        let found = picture.lives.iter().enumerate().filter(fits);
        nodes.extend(found.map(|(number, _)| number));
        if nodes.len() == before {
            let all: Vec<&str> = picture
                .lives
                .iter()
                .take(20)
                .map(|l| l.label.as_str())
                .collect();
            let name = super::plain(name);
            return Err(format!(
                "--nodes {name}: nobody is called so; there are {}",
                all.join(", ")
            ));
        }
    }
    let mut seen = BTreeSet::new();
    nodes.retain(|node| seen.insert(*node));
    Ok(nodes)
}

fn types(picture: &Picture, wanted: &[String]) -> Result<BTreeSet<usize>, String> {
    let all = picture.types.iter().enumerate();
    if wanted.is_empty() {
        let loud = all.filter(|(_, name)| !NOISE.contains(&name.as_str()));
        return Ok(loud.map(|(number, _)| number).collect());
    }
    if wanted.iter().any(|name| name == "all") {
        return Ok(all.map(|(number, _)| number).collect());
    }
    let mut types = BTreeSet::new();
    for name in wanted {
        let fits = |(_, known): &(usize, &String)| {
            known.eq_ignore_ascii_case(name)
                || (known.as_str() == "CHAT_MESSAGE" && name.eq_ignore_ascii_case("chat"))
        };
        let before = types.len();
        types.extend(all.clone().filter(fits).map(|(number, _)| number));
        if types.len() == before {
            let name = super::plain(name);
            return Err(format!(
                "--types {name}: no such message was sent; there are {}, or all",
                picture.types.join(", ")
            ));
        }
    }
    Ok(types)
}
