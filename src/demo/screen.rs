//! Nodes on one screen, with keys: who is up, who coordinates, what was said, the last messages as arrows.
//!
//! Owns what is chosen and how fast virtual time passes. It has no terminal and no clock: bytes of keys and durations go in,
//! and lines come out, none of which has a control sequence in it.

use std::time::Duration;

use crate::trace::words::shown;
use crate::ui::visible::{Tab, visible};

use super::lessons::NICKS;
use super::scene::Scene;
use super::stage::State;

/// How much slower than real time it may go.
const SLOWEST: u32 = 100;
/// However long one has looked away, no more time than this passes at once.
const LONGEST: Duration = Duration::from_secs(2);

/// What the keys do.
const KEYS: [&str; 11] = [
    "1-9 or arrows: choose a node",
    "k kill",
    "f freeze",
    "t thaw",
    "c N cut from N",
    "h heal all",
    "a add a node",
    "s say something",
    "e election",
    "w write",
    "q quit",
];
/// What some more do, in virtual time.
const KEYS_OF_TIME: [&str; 4] = [
    "+ faster",
    "- slower",
    "space: stop the time",
    "n next step",
];

/// What is to be done outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// The picture and the trace are to be written.
    Write,
    /// The same, and then it is over.
    Quit,
}

/// The nodes and what is looked at.
pub struct Screen {
    stage: Box<dyn Scene>,
    /// How many nodes are still to start: each once the one before it is in the room.
    to_start: usize,
    chosen: usize,
    slow: u32,
    is_stopped: bool,
    /// The next number is that of the node to be cut off from.
    cuts: bool,
    said: u64,
    remark: String,
}

impl Screen {
    /// A room of so many nodes.
    #[must_use]
    pub fn new(stage: Box<dyn Scene>, count: usize) -> Screen {
        let remark = match stage.is_virtual() {
            true => "a room in virtual time; choose a node and kill it",
            false => "a room of real processes; choose one and kill it",
        };
        let mut screen = Screen {
            stage,
            to_start: count,
            chosen: 0,
            slow: 1,
            is_stopped: false,
            cuts: false,
            said: 0,
            remark: remark.to_owned(),
        };
        // Virtual time costs nothing: the room is there at once.
        while screen.to_start > 0 && screen.stage.is_virtual() {
            screen.start_next();
            let is_alone = screen.stage.count() == 1;
            let time = Duration::from_millis(if is_alone { 700 } else { 20 });
            screen.stage.pass(time);
        }
        screen
    }

    /// The nodes.
    #[must_use]
    pub fn stage(&self) -> &dyn Scene {
        &*self.stage
    }

    /// So much real time has passed.
    pub fn pass(&mut self, real: Duration) {
        if !self.is_stopped {
            self.stage.follow(real.min(LONGEST) / self.slow);
        }
        self.start_next();
    }

    /// The next of the room's first nodes starts, if each before it is in the room or never will be.
    fn start_next(&mut self) {
        let waits = |a| self.stage.state(a) == State::Up && !self.stage.is_joined(a);
        if self.to_start > 0 && !(0..self.stage.count()).any(waits) {
            self.to_start -= 1;
            if let Err(words) = self.start() {
                (self.to_start, self.remark) = (0, words);
            }
        }
    }

    /// What is said below the nodes.
    pub fn remark(&mut self, words: &str) {
        words.clone_into(&mut self.remark);
    }

    /// Keys, as a terminal sends them.
    pub fn keys(&mut self, bytes: &[u8]) -> Option<Wish> {
        match bytes {
            [0x1b, b'[', b'A' | b'D'] => self.chosen = self.chosen.saturating_sub(1),
            [0x1b, b'[', b'B' | b'C'] => self.choose(self.chosen + 1),
            // Ctrl-C and Ctrl-D.
            [3 | 4, ..] => return Some(Wish::Quit),
            keys => return keys.iter().filter_map(|key| self.key(*key)).last(),
        }
        None
    }

    fn key(&mut self, key: u8) -> Option<Wish> {
        if let b'1'..=b'9' = key {
            self.number(usize::from(key - b'1'));
            return None;
        }
        self.cuts = false;
        match key {
            b'a' => self.remark = self.start().unwrap_or_else(|words| words),
            b'w' => return Some(Wish::Write),
            b'q' => return Some(Wish::Quit),
            b'+' | b'-' | b' ' | b'n' if !self.stage.is_virtual() => {
                self.remark = "the time of real processes does not obey; papo demo --simulated \
                               plays in virtual time"
                    .to_owned();
            }
            b'h' => self.heal(),
            b'+' => self.slow = (self.slow / 10).max(1),
            b'-' => self.slow = (self.slow * 10).min(SLOWEST),
            b' ' => self.is_stopped = !self.is_stopped,
            b'n' => {
                self.is_stopped = true;
                self.stage.step();
            }
            key if self.chosen < self.stage.count() => self.do_to_chosen(key),
            _ => {}
        }
        None
    }

    /// A key that does something to the chosen node.
    fn do_to_chosen(&mut self, key: u8) {
        let (chosen, name) = (self.chosen, self.stage.name(self.chosen));
        let state = self.stage.state(chosen);
        match key {
            b'k' | b'f' | b't' | b's' | b'e' if state == State::Gone => {
                self.remark = format!("{name}'s process is gone; a starts another one");
            }
            b's' | b'e' if state != State::Up => {
                self.remark = format!("{name} is frozen, and does nothing");
            }
            b'k' => {
                self.stage.kill(chosen);
                self.remark = format!("{name}'s process is killed");
            }
            b'f' => {
                self.stage.freeze(chosen);
                self.remark = format!("{name} is frozen: only silence tells");
            }
            b't' => {
                self.stage.thaw(chosen);
                self.remark = format!("{name} runs again");
            }
            b'c' => {
                self.cuts = true;
                self.remark = format!("cut {name} from which one? type its number");
            }
            b's' => {
                self.said += 1;
                let text = format!("hello {}", self.said);
                self.stage.say(chosen, &text);
                self.remark = format!("{name} says “{text}”");
            }
            b'e' => {
                self.stage.elect(chosen);
                self.remark = format!("{name} asks for an election");
            }
            _ => {}
        }
    }

    fn choose(&mut self, actor: usize) {
        self.chosen = actor.min(self.stage.count().saturating_sub(1));
    }

    /// A node's number was typed: it is chosen, or cut off from the chosen one.
    fn number(&mut self, actor: usize) {
        if actor >= self.stage.count() {
            self.remark = "there is no such node".to_owned();
        } else if std::mem::take(&mut self.cuts) {
            let (one, two) = (self.stage.name(self.chosen), self.stage.name(actor));
            self.remark = match self.stage.cut(self.chosen, actor) {
                Ok(()) => format!("the network between {one} and {two} is cut"),
                Err(words) => words,
            };
        } else {
            self.choose(actor);
        }
    }

    fn heal(&mut self) {
        for a in 0..self.stage.count() {
            for b in a + 1..self.stage.count() {
                self.stage.heal(a, b);
            }
        }
        self.remark = "the network is whole".to_owned();
    }

    /// Another node starts: what is to be said of it.
    fn start(&mut self) -> Result<String, String> {
        let number = self.stage.count();
        let nick = NICKS[number % NICKS.len()];
        self.stage.start(nick).map(|_| format!("{nick} starts"))
    }

    /// The screen, of so many columns and rows.
    #[must_use]
    pub fn frame(&self, columns: usize, rows: usize) -> Vec<String> {
        let time = shown(self.stage.now().cast_signed());
        let pace = match (self.is_stopped, self.slow) {
            _ if !self.stage.is_virtual() => "real processes on 127.0.0.1".to_owned(),
            (true, _) => "the time stands still".to_owned(),
            (false, 1) => "real time".to_owned(),
            (false, slow) => format!("{slow} times slower"),
        };
        let mut lines = vec![format!("papo demo   +{time}   {pace}"), String::new()];
        let head = (
            "node",
            "process",
            "stands as",
            "coordinator",
            "members",
            "last line",
        );
        lines.push(format!(
            "    {:<12} {:<9} {:<12} {:<12} {:<8} {}",
            head.0, head.1, head.2, head.3, head.4, head.5
        ));
        lines.extend((0..self.stage.count()).map(|actor| self.row(actor)));
        lines.push(String::new());
        lines.push(self.cut_pairs());
        lines.extend(wrapped(self.remark.split(' '), " ", columns));
        lines.push(String::new());
        let of_time: &[&str] = match self.stage.is_virtual() {
            true => &KEYS_OF_TIME,
            false => &[],
        };
        let keys = KEYS.iter().chain(of_time).copied();
        lines.extend(wrapped(keys, "   ", columns));
        lines.push(String::new());
        lines.extend(self.stage.recent().into_iter().map(|sent| {
            let to = sent
                .to
                .iter()
                .map(|a| self.stage.name(*a))
                .collect::<Vec<_>>();
            let at = shown(sent.at.cast_signed());
            format!(
                "+{at:<10} {} ──{}─▶ {}",
                self.stage.name(sent.from),
                sent.name,
                to.join(", ")
            )
        }));
        let fits = |line: String| visible(&line, Tab::Escape).chars().take(columns).collect();
        lines.into_iter().take(rows).map(fits).collect()
    }

    fn row(&self, actor: usize) -> String {
        let process = match self.stage.state(actor) {
            State::Up => "up",
            State::Frozen(_) => "frozen",
            State::Gone => "gone",
        };
        let is_gone = self.stage.state(actor) == State::Gone;
        let leader = self.stage.leader(actor).filter(|_| !is_gone);
        let leader = leader.map_or("-".to_owned(), |l| match l == actor {
            true => "* itself".to_owned(),
            false => self.stage.name(l),
        });
        let mark = if actor == self.chosen { '>' } else { ' ' };
        let standing = match is_gone {
            true => "-".to_owned(),
            false => self.stage.standing(actor),
        };
        let members = match is_gone {
            true => "-".to_owned(),
            false => self.stage.members(actor).to_string(),
        };
        let last = self.stage.texts(actor).pop().unwrap_or_default();
        let (number, name) = (actor + 1, self.stage.name(actor));
        format!(
            "{mark}{number:>2} {name:<12} {process:<9} {standing:<12} {leader:<12} {members:<8} {last}"
        )
    }

    /// Who is cut from whom.
    fn cut_pairs(&self) -> String {
        let all = 0..self.stage.count();
        let pairs = all.clone().flat_map(|a| all.clone().map(move |b| (a, b)));
        let cut = pairs.filter(|(a, b)| a < b && self.stage.is_cut(*a, *b));
        let cut: Vec<String> = cut
            .map(|(a, b)| format!("{} and {}", self.stage.name(a), self.stage.name(b)))
            .collect();
        match cut.is_empty() {
            true => "nobody is cut off".to_owned(),
            false => format!("cut: {}", cut.join("; ")),
        }
    }
}

/// These words with a gap between them, in lines of so many columns.
fn wrapped<'a>(words: impl Iterator<Item = &'a str>, gap: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        let width = gap.len() + word.chars().count();
        match lines.last_mut() {
            Some(line) if line.chars().count() + width <= columns => {
                line.push_str(gap);
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::Stage;
    use super::*;

    fn virtual_room(count: usize) -> Screen {
        Screen::new(Box::new(Stage::new(1)), count)
    }

    fn shows(screen: &Screen, words: &str) -> bool {
        screen
            .frame(120, 60)
            .iter()
            .any(|line| line.contains(words))
    }

    #[test]
    fn a_killed_coordinator_is_replaced_before_ones_eyes() {
        let mut screen = virtual_room(5);
        assert!(shows(&screen, "ana#1") && shows(&screen, "* itself"));
        assert_eq!(screen.keys(b"1k"), None);
        assert!(shows(&screen, "ana#1's process is killed"));
        screen.pass(Duration::from_millis(50));
        assert!(shows(
            &screen,
            "eva#5 ──COORDINATOR_ANNOUNCEMENT─▶ bob#2, caio#3, dora#4"
        ));
        let rows = screen.frame(120, 60);
        assert_eq!(rows.iter().filter(|row| row.contains("gone")).count(), 1);
        assert_eq!(
            rows.iter()
                .filter(|row| row.contains("up        member       eva#5"))
                .count(),
            3
        );
    }

    #[test]
    fn what_keys_do_is_seen() {
        let mut screen = virtual_room(3);
        screen.keys(b"2s");
        screen.pass(Duration::from_millis(20));
        assert_eq!(
            screen
                .frame(120, 60)
                .iter()
                .filter(|row| row.ends_with("hello 1"))
                .count(),
            3
        );
        screen.keys(b"c3");
        assert!(shows(&screen, "cut: bob#2 and caio#3"));
        screen.keys(b"h");
        assert!(shows(&screen, "nobody is cut off"));
        screen.keys(b"f");
        assert!(shows(&screen, "frozen"));
        screen.keys(b"ta");
        screen.pass(Duration::from_millis(100));
        assert!(shows(&screen, "dora#4"));
        for columns in [40, 80, 200] {
            let rows = screen.frame(columns, 60);
            let has = |key: &&str| rows.iter().any(|row| row.contains(*key));
            assert!(KEYS.iter().chain(&KEYS_OF_TIME).all(has), "{rows:#?}");
        }
        screen.keys(b"--");
        let before = screen.stage().now();
        screen.pass(Duration::from_secs(1));
        assert_eq!(screen.stage().now() - before, 10_000);
        screen.keys(b" ");
        screen.pass(Duration::from_secs(1));
        assert_eq!(screen.stage().now() - before, 10_000);
        screen.keys(b"n");
        assert!(screen.stage().now() - before > 10_000);
        assert_eq!(screen.keys(b"w"), Some(Wish::Write));
        assert_eq!(screen.keys(b"q"), Some(Wish::Quit));
        assert_eq!(screen.keys(&[3]), Some(Wish::Quit));
        assert!(
            screen
                .frame(30, 5)
                .iter()
                .all(|line| line.chars().count() <= 30)
        );
    }
}
