//! The interactive mode where there is no terminal after all.

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
