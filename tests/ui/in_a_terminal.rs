//! The interactive mode before a prompt is opened.

use super::*;

#[test]
fn people_with_one_nick_are_told_apart() {
    let mut bench = Bench::new(config(Mode::Interactive));
    bench.join(&["ana", "ana", "ben"]);
    bench.stdout();
    bench.heard(message(1, "ana", 1, "a\tb"));
    bench.heard(message(4, "ben", 1, "c"));
    assert_eq!(bench.stdout(), "<ana#1> a    b\n<ben> c\n");
}

#[test]
fn notices_stand_between_the_messages() {
    let mut bench = Bench::new(config(Mode::Interactive));
    bench.join(&[]);
    bench.stdout();
    bench.heard(message(1, "ana", 1, "a"));
    bench.event(Event::MemberJoined(member(7, Key(7), "eve")));
    bench.heard(message(1, "ana", 2, "b"));
    assert_eq!(bench.stdout(), "<ana> a\n-- eve#7 joined\n<ana> b\n");
    assert_eq!(bench.stderr(), "");
}
