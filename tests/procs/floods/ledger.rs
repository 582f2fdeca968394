//! Whether what was said, confirmed, printed, stored and called missed adds up.
//!
//! Owns the rules, not how the facts come about: [`faults`] names each rule that a history breaks.

use std::collections::{BTreeMap, BTreeSet};

/// A `delivered` event.
#[derive(Clone, Debug)]
pub struct Delivered {
    pub seq: u64,
    pub members: u64,
    pub confirmed: u64,
    /// Keys, or nicks, of those who missed it.
    pub missed: Vec<String>,
}

/// One who said lines and left.
#[derive(Clone, Debug, Default)]
pub struct Author {
    pub name: String,
    pub key: String,
    /// How many lines it was given.
    pub lines: u64,
    /// The keys of those who were in its view from before its first line until its end.
    pub steady: BTreeSet<String>,
    pub delivered: Vec<Delivered>,
    /// Its exit status; none if it was killed.
    pub exit: Option<i32>,
}

/// What a member printed, line by line.
#[derive(Clone, Debug)]
pub enum Seen {
    Message {
        author: String,
        seq: u64,
        late: bool,
    },
    Missed {
        author: String,
        first: u64,
        last: u64,
        count: u64,
    },
}

/// One who listened.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    pub name: String,
    pub key: String,
    /// It was not killed; it printed all that it had to.
    pub survived: bool,
    pub seen: Vec<Seen>,
    /// What its file holds, if it has one: author and number.
    pub stored: Option<BTreeSet<(String, u64)>>,
}

/// What one member knows of one author's lines.
#[derive(Debug, Default)]
struct Account {
    printed: BTreeSet<u64>,
    missed: BTreeSet<u64>,
}

/// What does not add up.
pub fn faults(authors: &[Author], readers: &[Reader]) -> Vec<String> {
    let mut faults = Vec::new();
    for author in authors {
        check_author(author, &mut faults);
    }
    for reader in readers {
        let accounts = read(reader, &mut faults);
        for author in authors {
            let empty = Account::default();
            let account = accounts.get(&author.key).unwrap_or(&empty);
            check_reader(author, reader, account, &mut faults);
        }
    }
    faults
}

/// Each line is delivered once, in order; and 0 means that all are, and that nobody missed any.
fn check_author(author: &Author, faults: &mut Vec<String>) {
    let name = &author.name;
    let seqs: Vec<u64> = author.delivered.iter().map(|d| d.seq).collect();
    if !seqs.is_sorted_by(|a, b| a < b) {
        faults.push(format!("{name}: delivered twice, or not in order"));
    }
    let is_whole = |d: &&Delivered| d.missed.is_empty() && (d.confirmed > 0 || d.members == 0);
    let whole = author.delivered.iter().filter(is_whole).count() as u64;
    match author.exit {
        Some(0) if whole < author.lines => faults.push(format!(
            "{name}: ended with 0, and {whole} of {} lines were delivered to all",
            author.lines
        )),
        Some(1) if whole == author.lines => {
            faults.push(format!(
                "{name}: ended with 1, and all was delivered to all"
            ));
        }
        Some(0 | 1) | None => {}
        Some(other) => faults.push(format!("{name}: ended with {other}")),
    }
}

/// A member prints nothing twice, each author in order, calls nothing missed that it has printed, and
/// nothing late that it has not called missed.
fn read(reader: &Reader, faults: &mut Vec<String>) -> BTreeMap<String, Account> {
    let name = &reader.name;
    let mut accounts: BTreeMap<String, Account> = BTreeMap::new();
    let mut wrong: BTreeMap<&str, (usize, String)> = BTreeMap::new();
    let mut note = |what: &'static str, which: String| {
        wrong.entry(what).or_insert((0, which)).0 += 1;
    };
    for seen in &reader.seen {
        match seen {
            Seen::Message { author, seq, late } => {
                let account = accounts.entry(author.clone()).or_default();
                let last = account.printed.last().copied().unwrap_or(0);
                match (account.missed.contains(seq), late) {
                    (true, false) => note("printed after it was called missed", format!("{seq}")),
                    (false, true) => note("late, and never called missed", format!("{seq}")),
                    (false, false) if *seq < last => {
                        note("printed out of order", format!("{seq} after {last}"));
                    }
                    _ => {}
                }
                if !account.printed.insert(*seq) {
                    note("printed twice", format!("{seq}"));
                }
            }
            Seen::Missed {
                author,
                first,
                last,
                count,
            } => {
                let account = accounts.entry(author.clone()).or_default();
                if *first < 1 || last < first || *count != last - first + 1 {
                    note("not a range", format!("{first} to {last}, {count}"));
                    continue;
                }
                if account.printed.range(first..=last).next().is_some() {
                    note(
                        "called missed, and was printed",
                        format!("{first} to {last}"),
                    );
                }
                account.missed.extend(*first..=*last);
            }
        }
    }
    for (what, (count, first)) in wrong {
        faults.push(format!("{name}: {what}: {count} times, first {first}"));
    }
    accounts
}

/// What the author was told of this member is what the member has done.
fn check_reader(author: &Author, reader: &Reader, account: &Account, faults: &mut Vec<String>) {
    let pair = format!("{} of {}", reader.name, author.name);
    let is_told_missed =
        |d: &Delivered| d.missed.contains(&reader.key) || d.missed.contains(&reader.name);
    let promised: BTreeSet<u64> = (author.delivered.iter())
        .filter(|d| author.steady.contains(&reader.key) && !is_told_missed(d))
        .map(|d| d.seq)
        .collect();
    if let Some(stored) = &reader.stored {
        let is_lost = |seq: &&u64| !stored.contains(&(author.key.clone(), **seq));
        let lost = promised.iter().filter(is_lost);
        note_seqs(&pair, "confirmed and not in its file", lost, faults);
    }
    if !reader.survived {
        return;
    }
    let lost = promised.difference(&account.printed);
    note_seqs(&pair, "confirmed and not printed", lost, faults);
    // From the first line that it owed, to the last that it can have known of.
    let first = match author.steady.contains(&reader.key) {
        true => 1,
        false => account.printed.first().copied().unwrap_or(1),
    };
    let last = account.printed.last().max(promised.last()).copied();
    let holes: Vec<u64> = (first..=last.unwrap_or(0))
        .filter(|seq| !account.printed.contains(seq) && !account.missed.contains(seq))
        .collect();
    note_seqs(
        &pair,
        "a hole that was never called missed",
        holes.iter(),
        faults,
    );
    if author.exit == Some(0) && author.steady.contains(&reader.key) {
        let missed = account.missed.difference(&account.printed);
        note_seqs(&pair, "missed, and the author ended with 0", missed, faults);
    }
}

/// One line for many numbers.
fn note_seqs<'a>(
    pair: &str,
    what: &str,
    seqs: impl Iterator<Item = &'a u64>,
    faults: &mut Vec<String>,
) {
    let seqs: Vec<u64> = seqs.copied().collect();
    if let (Some(first), Some(last)) = (seqs.first(), seqs.last()) {
        let count = seqs.len();
        faults.push(format!("{pair}: {what}: {count}, from {first} to {last}"));
    }
}

mod tests {
    use super::*;

    const LINES: u64 = 10;

    fn delivered(seq: u64, missed: &[&str]) -> Delivered {
        Delivered {
            seq,
            members: 2,
            confirmed: 2 - missed.len() as u64,
            missed: missed.iter().map(|&m| m.to_owned()).collect(),
        }
    }

    fn printed(seqs: impl Iterator<Item = u64>) -> Vec<Seen> {
        let message = |seq| Seen::Message {
            author: "s".into(),
            seq,
            late: false,
        };
        seqs.map(message).collect()
    }

    fn missed(first: u64, last: u64, count: u64) -> Seen {
        Seen::Missed {
            author: "s".into(),
            first,
            last,
            count,
        }
    }

    fn late(seq: u64) -> Seen {
        Seen::Message {
            author: "s".into(),
            seq,
            late: true,
        }
    }

    /// All goes well: two members, one with a file.
    fn good() -> (Author, [Reader; 2]) {
        let author = Author {
            name: "sara".into(),
            key: "s".into(),
            lines: LINES,
            steady: ["a", "b"].map(str::to_owned).into(),
            delivered: (1..=LINES).map(|seq| delivered(seq, &[])).collect(),
            exit: Some(0),
        };
        let reader = |name: &str, key: &str| Reader {
            name: name.into(),
            key: key.into(),
            survived: true,
            seen: printed(1..=LINES),
            stored: None,
        };
        let mut bia = reader("bia", "b");
        bia.stored = Some((1..=LINES).map(|seq| ("s".to_owned(), seq)).collect());
        (author, [reader("ana", "a"), bia])
    }

    #[track_caller]
    fn rejected(change: impl FnOnce(&mut Author, &mut [Reader; 2]), fault: &str) {
        let (mut author, mut readers) = good();
        change(&mut author, &mut readers);
        let faults = faults(&[author], &readers);
        let found = faults.iter().any(|f| f.contains(fault));
        assert!(found, "{fault:?} is not in {faults:?}");
    }

    #[track_caller]
    fn accepted(change: impl FnOnce(&mut Author, &mut [Reader; 2])) {
        let (mut author, mut readers) = good();
        change(&mut author, &mut readers);
        assert_eq!(faults(&[author], &readers), [""; 0]);
    }

    #[test]
    fn histories_that_add_up_are_accepted() {
        accepted(|_, _| {});
        // Ana missed two, and everybody says so; one of them turns up after all.
        accepted(|author, [ana, _]| {
            author.delivered[1] = delivered(2, &["a"]);
            author.delivered[2] = delivered(3, &["ana"]);
            author.exit = Some(1);
            ana.seen = printed(1..=1);
            ana.seen.push(missed(2, 3, 2));
            ana.seen.extend(printed(4..=LINES));
            ana.seen.push(late(3));
        });
        // Bia was killed before it printed the last ones, but its file has them.
        accepted(|_, [_, bia]| {
            bia.survived = false;
            bia.seen = printed(1..=4);
        });
        // Ana was lost, came back, and begins in the middle.
        accepted(|author, [ana, _]| {
            author.steady.remove("a");
            ana.seen = printed(5..=LINES);
        });
    }

    #[test]
    fn a_line_that_is_confirmed_and_not_printed_is_rejected() {
        let fault = "ana of sara: confirmed and not printed: 1, from 10 to 10";
        rejected(|_, [ana, _]| ana.seen.truncate(9), fault);
        let fault = "confirmed and not printed";
        rejected(|_, [ana, _]| ana.seen.clear(), fault);
        // Calling it missed is not enough when the author was told that it is there.
        rejected(|_, [ana, _]| ana.seen[0] = missed(1, 1, 1), fault);
    }

    #[test]
    fn a_line_that_is_confirmed_and_not_in_the_file_is_rejected() {
        let lose = |bia: &mut Reader| bia.stored = Some(BTreeSet::new());
        let fault = "bia of sara: confirmed and not in its file: 10, from 1 to 10";
        rejected(|_, [_, bia]| lose(bia), fault);
        rejected(
            |_, [_, bia]| {
                lose(bia);
                bia.survived = false;
            },
            fault,
        );
    }

    #[test]
    fn a_silent_hole_is_rejected() {
        let hole = |author: &mut Author, ana: &mut Reader| {
            author.delivered.retain(|d| d.seq != 5);
            author.exit = Some(1);
            ana.seen.remove(4);
        };
        let fault = "a hole that was never called missed: 1, from 5 to 5";
        rejected(|author, [ana, _]| hole(author, ana), fault);
        rejected(
            |author, [ana, _]| {
                hole(author, ana);
                author.steady.remove("a");
            },
            fault,
        );
    }

    #[test]
    fn disorder_and_repetition_are_rejected() {
        rejected(|_, [ana, _]| ana.seen.swap(2, 3), "printed out of order");
        rejected(
            |_, [ana, _]| ana.seen.extend(printed(LINES..=LINES)),
            "printed twice",
        );
        rejected(
            |author, _| author.delivered.swap(2, 3),
            "delivered twice, or not in order",
        );
    }

    #[test]
    fn a_wrong_word_on_what_was_missed_is_rejected() {
        rejected(
            |_, [ana, _]| ana.seen.push(missed(3, 4, 2)),
            "called missed, and was printed",
        );
        rejected(
            |_, [ana, _]| ana.seen.push(missed(12, 11, 0)),
            "not a range",
        );
        rejected(
            |_, [ana, _]| ana.seen.push(missed(11, 12, 3)),
            "not a range",
        );
        rejected(|_, [ana, _]| ana.seen[6] = late(7), "never called missed");
        rejected(
            |_, [ana, _]| ana.seen.insert(4, missed(5, 5, 1)),
            "printed after it was called missed",
        );
    }

    #[test]
    fn a_wrong_exit_status_is_rejected() {
        let fault = "ended with 0";
        rejected(|author, _| author.delivered.truncate(9), fault);
        rejected(
            |author, _| author.delivered[3] = delivered(4, &["a"]),
            fault,
        );
        rejected(|author, _| author.delivered[3].confirmed = 0, fault);
        // The author does not know, and the member does.
        rejected(
            |_, [ana, _]| ana.seen.push(missed(LINES + 1, LINES + 1, 1)),
            "missed, and the author ended with 0",
        );
        rejected(|author, _| author.exit = Some(1), "ended with 1");
        rejected(|author, _| author.exit = Some(101), "ended with 101");
    }
}
