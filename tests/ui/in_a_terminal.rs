//! The interactive mode where there is no terminal after all.

use jiff::tz::TimeZone;
use papo::ui::ScreenFacts;
use papo::ui::terminal::Abilities;

use super::*;

#[test]
fn without_a_terminal_messages_go_to_stdout_and_notices_to_stderr() {
    let mut bench = Bench::new(UiConfig {
        notices: Notices::All,
        ..config(Mode::Interactive)
    });
    bench.join(&["ana", "ana", "ben"]);
    bench.stdout();
    bench.stderr();
    bench.heard(message(1, "ana", 1, "a\tb"));
    bench.event(Event::MemberJoined(member(7, Key(7), "eve")));
    bench.heard(message(4, "ben", 1, "c"));
    assert_eq!(bench.stdout(), "<ana> a\tb\n<ben> c\n");
    assert_eq!(bench.stderr(), "papo: eve#7 joined\n");
}

/// A prompt in a terminal of this width.
pub(super) fn at_a_prompt(cols: u16) -> Bench {
    let mut bench = Bench::new(config(Mode::Interactive));
    let screen = ScreenFacts {
        cols,
        rows: 24,
        color: false,
        abilities: Abilities::default(),
        zone: TimeZone::UTC,
    };
    bench.ui.open_terminal(bench.now, screen, &listening());
    bench
}

#[test]
fn while_joining_takes_long_it_is_said_what_finds_out_why() {
    let mut bench = at_a_prompt(40);
    assert!(bench.stdout().contains("looking for the room"));
    bench.wait(4_000);
    bench.poll();
    assert!(!bench.stdout().contains("papo doctor"));
    bench.wait(2_000);
    bench.poll();
    let shown = bench.stdout();
    assert!(shown.contains("papo doctor says why"), "{shown}");
    bench.join(&["ana"]);
    bench.poll();
    assert!(!bench.stdout().contains("doctor"));
}

/// A mark stands above the first of what came while the machine slept; the driver finds out that it did.
#[test]
fn what_came_while_the_machine_slept_has_a_mark() {
    for cols in [40, 80, 200] {
        let mut bench = at_a_prompt(cols);
        bench.join(&["ana", "ben"]);
        bench.heard(message(1, "ana", 1, "before"));
        bench.now = at(8 * 3_600_000);
        bench.ui.on_absence();
        bench.heard(message(1, "ana", 2, "said meanwhile"));
        bench.heard(message(1, "ana", 3, "and this"));
        let shown = bench.stdout();
        let mark = shown.find("── unread ──").expect("there is a mark");
        let said = shown.find("said meanwhile").expect("it is shown");
        assert!(shown.find("before").is_some_and(|before| before < mark) && mark < said);
        assert_eq!(shown.matches("── unread ──").count(), 1, "{shown}");
    }
}
