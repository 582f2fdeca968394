//! What others can bring about as often as they like: people are told some of it and how much was left out, and
//! scripts are told all.

use super::*;

/// Longer than what was left out waits to be summed up.
const LATER_MS: u64 = 60_000;

impl Bench {
    /// Lines of an author were given up.
    fn gave_up(&mut self, author: u64, first: u64, last: u64) {
        let (key, nick) = (Key(author), format!("author{author}"));
        self.event(Event::Missed {
            key,
            nick,
            first,
            last,
            lack: Lack::Unfound,
        });
    }

    fn stderr_lines(&mut self) -> Vec<String> {
        self.stderr().lines().map(str::to_owned).collect()
    }

    /// Lets somebody with a new identity take the place of ana, under her nick.
    fn another(&mut self, n: u64) {
        let mut public = [0; 32];
        public[..8].copy_from_slice(&n.to_be_bytes());
        self.node.members[1].key = Key(1_000 + n);
        self.met(1_000 + n, Some(Fingerprint::of(&public)));
    }
}

#[test]
fn a_large_loss_of_several_authors_is_told_wholly() {
    let mut bench = Bench::joined(Mode::Text);
    for author in 10..26 {
        bench.gave_up(author, 1, 100_000);
    }
    for first in 1..=16 {
        bench.gave_up(30, 10 * first, 10 * first);
    }
    assert_eq!(bench.stderr_lines().len(), 32);
    assert_eq!(bench.ui.next_deadline(), None);
    bench.wait(LATER_MS);
    assert_eq!(bench.stderr(), "");
}

#[test]
fn a_liar_s_gaps_are_summed_up_and_hide_nobody_else_s() {
    let mut bench = Bench::joined(Mode::Text);
    for n in 1..300 {
        bench.gave_up(66, n * 10 - 8, n * 10);
    }
    let said = bench.stderr_lines();
    assert_eq!(said.len(), 16, "{said:?}");
    assert_eq!(said[0], "papo: me missed 9 lines of author66, 2 to 10");
    bench.gave_up(7, 5, 5);
    assert_eq!(
        bench.stderr(),
        "papo: me missed 1 line of author7, 5\n",
        "another author's place is not taken"
    );
    bench.wait(LATER_MS);
    assert_eq!(
        bench.stderr(),
        "papo: 283 more warnings of missed lines were left out: 2,547 lines in all\n"
    );
    bench.wait(LATER_MS);
    assert_eq!(bench.stderr(), "");
}

#[test]
fn gaps_of_authors_who_are_made_up_are_summed_up() {
    let mut bench = Bench::joined(Mode::Text);
    for n in 0..500 {
        bench.gave_up(1_000 + n, 4, 8);
    }
    assert_eq!(bench.stderr_lines().len(), 32);
    bench.wait(LATER_MS);
    assert_eq!(
        bench.stderr(),
        "papo: 468 more warnings of missed lines were left out: 2,340 lines in all\n"
    );
}

#[test]
fn what_was_left_out_is_summed_up_when_the_node_leaves() {
    for mode in [Mode::Text, Mode::Json, Mode::Interactive] {
        let mut bench = Bench::joined(mode);
        for n in 0..20 {
            bench.gave_up(66, n * 10, n * 10);
        }
        bench.stderr();
        bench.left(0, vec![]);
        assert_eq!(
            bench.stderr().lines().next_back(),
            Some("papo: 4 more warnings of missed lines were left out: 4 lines in all"),
            "{mode:?}"
        );
        assert_eq!(bench.ui.exit_status(), Some(0));
    }
}

#[test]
fn scripts_are_told_each_and_their_stderr_is_not_flooded() {
    let mut bench = Bench::joined(Mode::Json);
    for n in 0..500 {
        bench.gave_up(1_000 + n, 4, 8);
        bench.another(n);
        bench.event(Event::MemberRenamed {
            member: member(7, Key(7), &format!("n{n}")),
            previous: "eve".into(),
        });
    }
    let events = bench.events();
    let count = |event: &str| events.iter().filter(|e| e["event"] == event).count();
    assert_eq!(count("missed"), 500);
    assert_eq!(count("member_renamed"), 500);
    // The first one of all is who has the nick.
    assert_eq!(count("warning"), 500 + 499);
    let said = bench.stderr_lines();
    assert!(said.len() <= 32 + 12, "{}", said.len());
    bench.wait(LATER_MS);
    assert_eq!(bench.stderr_lines().len(), 2);
    assert!(bench.events().is_empty());
}

#[test]
fn many_others_under_one_nick_are_a_few_lines() {
    let mut bench = Bench::joined(Mode::Text);
    for n in 0..=600 {
        bench.another(n);
    }
    let said = bench.stderr_lines();
    assert_eq!(said.len(), 4, "{said:?}");
    assert!(said[0].contains("ana#1 is not the ana of before"));
    // Somebody else's nick has its own lines.
    bench.met(3, Some(Fingerprint::of(&[3; 32])));
    bench.node.members[2].key = Key(9);
    bench.met(9, Some(Fingerprint::of(&[9; 32])));
    assert!(bench.stderr().contains("ben#3 is not the ben of before"));
    bench.wait(LATER_MS);
    assert_eq!(
        bench.stderr(),
        "papo: 596 more warnings that somebody is not who had a nick before were left out\n"
    );
}

#[test]
fn many_new_nicks_are_a_few_lines() {
    let mut bench = Bench::joined(Mode::Text);
    for n in 0..400 {
        bench.event(Event::MemberRenamed {
            member: member(7, Key(7), &format!("n{n}")),
            previous: "eve".into(),
        });
    }
    assert_eq!(bench.stderr_lines().len(), 4);
    bench.event(Event::MemberRenamed {
        member: member(8, Key(8), "zoe"),
        previous: "bia".into(),
    });
    assert_eq!(bench.stderr(), "papo: bia#8 is now known as zoe\n");
    bench.wait(LATER_MS);
    assert_eq!(
        bench.stderr(),
        "papo: 396 more changes of nicks were left out\n"
    );
}

#[test]
fn many_who_come_and_go_are_some_lines_and_nothing_is_counted_where_nothing_is_said() {
    for (notices, said, later) in [(Notices::All, 32, 1), (Notices::Never, 0, 0)] {
        let mut bench = Bench::new(UiConfig {
            notices,
            ..config(Mode::Text)
        });
        bench.join(&["ana"]);
        bench.stderr();
        for id in 100..400 {
            let who = member(id, Key(id), "same");
            bench.event(Event::MemberJoined(who.clone()));
            bench.event(Event::MemberLeft(who, Departure::Left));
        }
        assert_eq!(bench.stderr_lines().len(), said);
        bench.wait(LATER_MS);
        let summed = bench.stderr_lines();
        assert_eq!(summed.len(), later, "{summed:?}");
        for line in summed {
            assert!(
                line.starts_with("papo: 568 more lines on who comes"),
                "{line}"
            );
        }
    }
}

#[test]
fn a_terminal_has_as_many_and_the_sum_above_the_prompt() {
    let mut bench = in_a_terminal::at_a_prompt(200);
    bench.join(&["ana"]);
    bench.stdout();
    let lacks = |n: u64| {
        Event::Warning(format!(
            "the room's history lacks 1 line of bia, {n} to {n}"
        ))
    };
    for n in 0..300 {
        bench.gave_up(66, n, n);
        bench.event(lacks(n));
    }
    bench.event(Event::Warning("no link with that member now".into()));
    let seen = bench.stdout() + &bench.stderr();
    assert_eq!(seen.matches("missed 1 line of").count(), 16, "{seen}");
    assert_eq!(seen.matches("history lacks").count(), 16, "{seen}");
    assert_eq!(
        seen.matches("no link with that member").count(),
        1,
        "{seen}"
    );
    bench.now = at(LATER_MS);
    bench.ui.on_deadline(bench.now);
    let seen = bench.stdout() + &bench.stderr();
    for words in [
        "284 more warnings of missed lines were left out: 284 lines in all",
        "284 more warnings were left out",
    ] {
        assert_eq!(seen.matches(words).count(), 1, "{seen}");
    }
}
