//! Histories made by hand that the ledger must accept, and others that it must reject.

use super::*;

const WORD: Known = Known {
    has_word: true,
    has_all: false,
    had_link: true,
    was_called_lost: false,
};
const NO_WORD: Known = Known {
    has_word: false,
    has_all: false,
    had_link: true,
    was_called_lost: false,
};

const A: Key = Key(10);

fn id(seq: u64) -> MessageId {
    MessageId { origin: A, seq }
}

const NONE: fn(Run, MessageId) -> bool = |_, _| false;

fn nobody(_: &Ledger, _: MessageId) -> Option<Run> {
    None
}

/// Run 0 is the author A; run 1 was with it from the start; run 2 came after the second message.
fn room() -> Ledger {
    let mut ledger = Ledger::default();
    ledger.on_view(0, &[0, 1]);
    ledger.on_view(1, &[0, 1]);
    say(&mut ledger, 1..=2, &[1]);
    ledger.on_view(0, &[0, 1, 2]);
    ledger.on_view(2, &[0, 1, 2]);
    say(&mut ledger, 3..=6, &[1, 2]);
    ledger
}

fn say(ledger: &mut Ledger, seqs: std::ops::RangeInclusive<u64>, to: &[Run]) {
    for seq in seqs {
        ledger.on_said((0, 100), id(seq), to.to_vec());
    }
}

fn show(ledger: &mut Ledger, run: Run, seqs: &[u64], arrival: Arrival) -> Verdict {
    let mut seqs = seqs.iter();
    seqs.try_for_each(|seq| ledger.on_shown((run, 200), (id(*seq), WORD), arrival))
}

fn rejects(verdict: Verdict, invariant: &str) {
    assert_eq!(verdict.expect_err("a violation").invariant, invariant);
}

#[test]
fn all_shown_in_order_is_accepted() {
    let mut ledger = room();
    show(&mut ledger, 1, &[1, 2, 3, 4, 5, 6], Arrival::Live).unwrap();
    show(&mut ledger, 2, &[2, 1], Arrival::Old).unwrap();
    show(&mut ledger, 2, &[3, 4, 5, 6], Arrival::Live).unwrap();
    ledger.on_confirmed(1, id(6), true).unwrap();
    ledger.on_confirmed(2, id(3), false).unwrap();
    ledger.settled(&[1, 2], &BTreeSet::from([A]), NONE).unwrap();
}

#[test]
fn what_is_called_missed_and_found_later_is_accepted() {
    let mut ledger = room();
    ledger.on_missed(1, A, (1, 3), nobody).unwrap();
    show(&mut ledger, 1, &[4], Arrival::Live).unwrap();
    show(&mut ledger, 1, &[2], Arrival::Late).unwrap();
    ledger.on_told_missed(1, id(2)).unwrap();
    ledger.on_told_missed(1, id(3)).unwrap();
    ledger.on_confirmed(1, id(2), false).unwrap();
    show(&mut ledger, 1, &[5, 6], Arrival::Live).unwrap();
    ledger.settled(&[1], &BTreeSet::from([A]), NONE).unwrap();
}

#[test]
fn what_was_shown_and_could_not_be_stored_is_told_as_missed_and_not_confirmed() {
    let mut ledger = room();
    show(&mut ledger, 1, &[1, 2, 3, 4, 5, 6], Arrival::Live).unwrap();
    ledger.on_confirmed(1, id(1), true).unwrap();
    rejects(ledger.on_told_missed(1, id(2)), "false word");
    assert!(!ledger.has_given_up(1, id(2)));
    ledger.on_given_up(1, id(2)).unwrap();
    assert!(ledger.has_given_up(1, id(2)) && !ledger.has_given_up(0, id(2)));
    ledger.on_told_missed(1, id(2)).unwrap();
    rejects(ledger.on_given_up(1, id(2)), "false word");
    rejects(ledger.on_confirmed(1, id(2), true), "false word");
    rejects(ledger.on_given_up(1, id(1)), "false word");
    rejects(ledger.on_given_up(2, id(3)), "false word");
    ledger.on_confirmed(1, id(3), true).unwrap();
    ledger.on_given_up(0, id(4)).unwrap();
    ledger.settled(&[0, 1], &BTreeSet::from([A]), NONE).unwrap();
}

#[test]
fn what_was_said_before_ones_time_is_owed_nobody() {
    let mut ledger = room();
    // Nothing of the past came.
    show(&mut ledger, 2, &[3, 4, 5, 6], Arrival::Live).unwrap();
    ledger.settled(&[2], &BTreeSet::from([A]), NONE).unwrap();
    // It stands in the history, or comes later.
    ledger.on_held((2, 300), id(1));
    show(&mut ledger, 2, &[2], Arrival::Old).unwrap();
}

#[test]
fn an_old_line_shown_as_new_is_rejected() {
    rejects(show(&mut room(), 2, &[1], Arrival::Live), "old as new");
    let known = Known {
        was_called_lost: true,
        ..WORD
    };
    room()
        .on_shown((2, 200), (id(1), known), Arrival::Live)
        .unwrap();
    // The author had not heard of run 3 yet.
    let mut ledger = room();
    say(&mut ledger, 7..=7, &[1, 2]);
    ledger.on_view(3, &[0, 1, 2, 3]);
    rejects(show(&mut ledger, 3, &[7], Arrival::Live), "old as new");
    // Nor can run 3 know, as long as the author cannot say so.
    let unlinked = ledger.on_shown((3, 200), (id(7), NO_WORD), Arrival::Live);
    unlinked.unwrap();
}

#[test]
fn a_new_line_shown_as_old_is_rejected_unless_its_reader_begins_anew() {
    let mut ledger = room();
    rejects(show(&mut ledger, 1, &[3], Arrival::Old), "new as old");
    let mut ledger = room();
    ledger.on_parted(2);
    rejects(show(&mut ledger, 2, &[3], Arrival::Old), "new as old");
    // Run 3 was taken for lost before it ever knew that it was let in.
    say(&mut ledger, 7..=7, &[3]);
    ledger.on_parted(3);
    ledger.on_view(3, &[0, 1, 2, 3]);
    show(&mut ledger, 3, &[7], Arrival::Old).unwrap();
}

#[test]
fn what_a_group_met_later_said_meanwhile_may_be_new() {
    let mut ledger = room();
    ledger.on_view(4, &[4]);
    say(&mut ledger, 7..=8, &[1, 2]);
    show(&mut ledger, 4, &[7, 8], Arrival::Live).unwrap();
    let mut ledger = room();
    ledger.on_view(4, &[4]);
    show(&mut ledger, 4, &[1, 2, 3], Arrival::Live).unwrap();
    rejects(show(&mut ledger, 4, &[5], Arrival::Live), "silent gap");
}

/// Run 4 founds a room, and run 1 comes there, who holds what was said before run 4 started; or after.
#[test]
fn what_the_first_to_come_to_a_founder_held_before_it_started_is_old() {
    let meets = |starts_late: bool| {
        let mut ledger = room();
        show(&mut ledger, 1, &[1], Arrival::Live).unwrap();
        if !starts_late {
            show(&mut ledger, 1, &[2], Arrival::Live).unwrap();
        }
        ledger.on_started(4);
        if starts_late {
            show(&mut ledger, 1, &[2], Arrival::Live).unwrap();
        }
        ledger.on_view(4, &[4]);
        ledger.on_view(4, &[1, 4]);
        ledger
    };
    rejects(
        show(&mut meets(false), 4, &[2], Arrival::Live),
        "old as new",
    );
    rejects(show(&mut meets(true), 4, &[1], Arrival::Live), "old as new");
    show(&mut meets(true), 4, &[2], Arrival::Live).unwrap();
}

#[test]
fn an_owed_line_called_old_is_rejected() {
    rejects(show(&mut room(), 2, &[3], Arrival::Old), "new as old");
}

/// An author that is gone, and never had a link with the reader, cannot have told it what is owed.
#[test]
fn an_owed_line_of_an_author_that_never_had_a_link_may_be_called_old() {
    let show = |had_link| {
        let known = Known {
            had_link,
            ..NO_WORD
        };
        room().on_shown((2, 200), (id(3), known), Arrival::Old)
    };
    show(false).unwrap();
    rejects(show(true), "new as old");
}

/// Once they are linked the author says that it is owed, and its reader may have dropped it from its history by then.
#[test]
fn an_owed_line_that_was_rightly_called_old_may_be_confirmed_when_it_is_dropped() {
    let mut ledger = room();
    rejects(ledger.on_confirmed(2, id(3), false), "false word");
    let known = Known {
        had_link: false,
        ..NO_WORD
    };
    ledger
        .on_shown((2, 200), (id(3), known), Arrival::Old)
        .unwrap();
    ledger.on_confirmed(2, id(3), false).unwrap();
    rejects(ledger.on_confirmed(2, id(4), false), "false word");
}

#[test]
fn where_nothing_may_be_missed_any_miss_is_rejected() {
    let mut ledger = room();
    show(&mut ledger, 1, &[1, 2], Arrival::Live).unwrap();
    ledger.on_missed(1, A, (3, 3), nobody).unwrap();
    ledger.demand_all();
    rejects(ledger.on_missed(1, A, (4, 5), nobody), "given up early");
}

#[test]
fn a_silent_gap_is_rejected() {
    rejects(
        show(&mut room(), 1, &[1, 2, 4], Arrival::Live),
        "silent gap",
    );
    // Before the first one that was shown, too.
    rejects(show(&mut room(), 1, &[2], Arrival::Live), "silent gap");
    let mut ledger = room();
    ledger.on_missed(1, A, (1, 1), nobody).unwrap();
    rejects(show(&mut ledger, 1, &[3], Arrival::Live), "silent gap");
    // And after the last one.
    let mut ledger = room();
    show(&mut ledger, 2, &[3, 4, 5], Arrival::Live).unwrap();
    let authors = BTreeSet::from([A]);
    rejects(ledger.settled(&[2], &authors, NONE), "silent gap");
    ledger.settled(&[2], &BTreeSet::new(), NONE).unwrap();
    ledger.settled(&[], &authors, NONE).unwrap();
    // What was called missed before it was said is no gap.
    let mut ledger = room();
    ledger.on_missed_early(1, A, (2, 2));
    show(&mut ledger, 1, &[1, 3], Arrival::Live).unwrap();
    rejects(show(&mut ledger, 1, &[5], Arrival::Live), "silent gap");
    // What is held silently excuses nothing that is owed.
    let mut ledger = room();
    ledger.on_held((2, 150), id(3));
    rejects(show(&mut ledger, 2, &[4], Arrival::Live), "silent gap");
}

#[test]
fn an_author_out_of_order_and_a_line_twice_are_rejected() {
    let mut ledger = room();
    show(&mut ledger, 2, &[3, 4], Arrival::Live).unwrap();
    rejects(show(&mut ledger, 2, &[2], Arrival::Live), "old as new");
    rejects(show(&mut ledger, 2, &[3], Arrival::Live), "once");
    let mut ledger = Ledger::default();
    say(&mut ledger, 1..=4, &[]);
    show(&mut ledger, 1, &[3, 4], Arrival::Live).unwrap();
    rejects(show(&mut ledger, 1, &[2], Arrival::Live), "order");
}

#[test]
fn late_words_that_were_not_missed_are_rejected() {
    rejects(show(&mut room(), 1, &[1], Arrival::Late), "false word");
    let mut ledger = room();
    ledger.on_missed(1, A, (1, 1), nobody).unwrap();
    rejects(show(&mut ledger, 1, &[1], Arrival::Live), "false word");
}

#[test]
fn a_confirmation_of_what_is_not_there_is_rejected() {
    let mut ledger = room();
    rejects(ledger.on_confirmed(1, id(1), false), "false word");
    show(&mut ledger, 2, &[1], Arrival::Old).unwrap();
    rejects(ledger.on_confirmed(2, id(1), false), "false word");
    ledger.on_missed(1, A, (1, 1), nobody).unwrap();
    rejects(ledger.on_confirmed(1, id(1), true), "false word");
}

#[test]
fn a_miss_that_nobody_was_told_of_or_of_what_is_there_is_rejected() {
    let mut ledger = room();
    rejects(ledger.on_told_missed(1, id(1)), "false word");
    show(&mut ledger, 1, &[1], Arrival::Live).unwrap();
    rejects(ledger.on_missed(1, A, (1, 2), nobody), "false word");
    rejects(ledger.on_missed(1, A, (2, 9), nobody), "false word");
    rejects(ledger.on_missed(1, Key(99), (1, 1), nobody), "false word");
    ledger.on_missed(1, A, (2, 2), nobody).unwrap();
    rejects(ledger.on_missed(1, A, (2, 2), nobody), "false word");
    ledger.on_confirmed(1, id(3), true).unwrap();
    rejects(ledger.on_missed(1, A, (3, 3), nobody), "false word");
}

#[test]
fn giving_up_what_somebody_in_reach_holds_is_rejected() {
    let mut ledger = room();
    show(&mut ledger, 2, &[3], Arrival::Live).unwrap();
    let holder = |l: &Ledger, id| l.has_held_since(2, id, 200).then_some(2);
    ledger.on_missed(1, A, (1, 2), holder).unwrap();
    rejects(ledger.on_missed(1, A, (3, 3), holder), "given up early");
}

#[test]
fn what_is_held_or_confirmed_and_never_shown_is_rejected() {
    let ledger = room();
    let none = BTreeSet::new();
    rejects(
        ledger.settled(&[1], &none, |run, at| (run, at) == (1, id(2))),
        "silent gap",
    );
    let mut ledger = room();
    ledger.on_confirmed(1, id(2), true).unwrap();
    rejects(ledger.settled(&[1], &none, NONE), "silent gap");
    ledger.settled(&[2], &none, NONE).unwrap();
    // Missed, found, and not shown as late.
    let mut ledger = room();
    ledger.on_missed(1, A, (1, 6), nobody).unwrap();
    ledger.settled(&[1], &none, NONE).unwrap();
    rejects(
        ledger.settled(&[1], &none, |_, at| at == id(4)),
        "silent gap",
    );
    show(&mut ledger, 1, &[4], Arrival::Late).unwrap();
    ledger.settled(&[1], &none, |_, at| at == id(4)).unwrap();
}

#[test]
fn who_cannot_know_what_it_lacks_says_nothing() {
    let has_all = Known {
        has_all: true,
        ..NO_WORD
    };
    let show = |known| room().on_shown((1, 200), (id(2), known), Arrival::Live);
    show(NO_WORD).unwrap();
    rejects(show(has_all), "silent gap");
}

/// Runs 1 and 2 are in a room, and run 2 is lost there; run 0 comes, says something, and meets run 2 when that is back.
fn away() -> Ledger {
    let mut ledger = Ledger::default();
    ledger.on_view(1, &[1, 2]);
    ledger.on_view(2, &[1, 2]);
    ledger.on_parted(2);
    ledger.on_view(1, &[0, 1]);
    ledger.on_view(0, &[0, 1]);
    say(&mut ledger, 1..=2, &[1]);
    ledger
}

#[test]
fn what_was_said_in_ones_own_group_while_one_was_away_is_not_old() {
    let mut ledger = away();
    rejects(show(&mut ledger, 2, &[1], Arrival::Old), "new as old");
    let mut ledger = away();
    show(&mut ledger, 2, &[1, 2], Arrival::Live).unwrap();
    // Who has no word of its author cannot tell.
    let mut ledger = away();
    (ledger.on_shown((2, 200), (id(1), NO_WORD), Arrival::Old)).unwrap();
    // The one whom both had met came from elsewhere meanwhile.
    let mut ledger = away();
    ledger.on_joined_again(1);
    show(&mut ledger, 2, &[1, 2], Arrival::Old).unwrap();
}

/// The one whom both met let the author in before the reader, though the author learnt of that later.
#[test]
fn who_came_before_the_reader_is_no_newcomer() {
    let mut ledger = Ledger::default();
    ledger.on_view(2, &[2]);
    ledger.on_view(1, &[0, 1]);
    ledger.on_view(1, &[0, 1, 2]);
    ledger.on_view(2, &[0, 1, 2]);
    ledger.on_view(0, &[0, 1]);
    say(&mut ledger, 1..=1, &[1]);
    show(&mut ledger, 2, &[1], Arrival::Old).unwrap();
}
