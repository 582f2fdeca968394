//! Less noise: a failover is one line, who only says something and goes is not told of, and the user says
//! how much of it is to be seen.

use crate::harness::{Node, Permit, Room, Signal, readme_screen, shared};
use crate::terminal::{Setup, Terminal};

/// Bia, who coordinates, and ana at a prompt started with these options.
fn bia_and_ana<'a>(permit: &'a Permit, args: &[&str], cols: u16) -> (Terminal, Node, Room<'a>) {
    let room = Room::new(permit);
    let bia = room.join("bia");
    bia.joined();
    let setup = Setup {
        args,
        cols,
        ..Setup::default()
    };
    let ana = Terminal::with(&room, "ana", setup);
    bia.sees_members(2);
    (ana, bia, room)
}

#[test]
fn a_failover_is_one_line_in_any_width() {
    let permit = shared();
    let line = "00:00 · bia#1 is gone (its process ended); you coordinate now";
    let narrow = [
        "00:00 · bia#1 is gone (its process",
        "        ended); you coordinate now",
    ];
    let screens: [(u16, &[&str]); 3] = [(40, &narrow), (80, &[line]), (200, &[line])];
    for (cols, wanted) in screens {
        let (mut ana, bia, _room) = bia_and_ana(&permit, &[], cols);
        ana.shows("bia#1 coordinates");
        bia.signal(Signal::KILL);
        ana.shows("you coordinate");
        let rows = ana.rows();
        let above = rows
            .iter()
            .rposition(|row| row.contains("bia#1 coordinates"));
        let below = &rows[above.expect("the welcome is there") + 1..rows.len() - 1];
        assert_eq!(below, wanted, "{}", ana.screen());
    }
}

#[test]
fn the_screen_in_the_readme_is_what_papo_shows() {
    let permit = shared();
    let room = Room::new(&permit).called("lobby");
    let ana = room.join("ana");
    ana.joined();
    let mut bia = Terminal::start(&room, "bia");
    bia.shows("ana#1 coordinates");
    ana.sees_members(2);
    let caio = room.join("caio");
    caio.joined();
    bia.shows("caio#3 joined");
    ana.say("good morning");
    bia.shows("<ana> good morning");
    caio.say("morning! coffee?");
    bia.shows("<caio> morning! coffee?");
    bia.keys("in five");
    ana.signal(Signal::TERM);
    bia.shows("ana#1 left; caio#3 coordinates now");
    bia.keys(" minutes\r");
    bia.shows("«bia» in five minutes");
    caio.signal(Signal::KILL);
    bia.shows("you coordinate now");
    bia.keys("/members");
    bia.prompt("/members", "");
    let screen = readme_screen("screen");
    let without_times = screen.iter().map(|row| match row.starts_with("07:43 ") {
        true => format!("00:00 {}", &row[6..]),
        false => row.clone(),
    });
    assert_eq!(bia.rows(), without_times.collect::<Vec<_>>());
}

#[test]
fn details_of_a_failover_are_there_for_who_asks() {
    let permit = shared();
    let (mut ana, bia, _room) = bia_and_ana(&permit, &["-v"], 80);
    ana.shows("bia#1 coordinates");
    bia.signal(Signal::KILL);
    ana.shows("election won: the coordinator's process ended");
    ana.shows("you are the coordinator now");
    let screen = ana.screen();
    assert!(
        screen.contains("election started: the coordinator's process ended"),
        "{screen}"
    );
    assert!(!screen.contains("INFO"), "{screen}");
}

#[test]
fn who_says_something_and_goes_is_not_told_of_and_who_stays_is() {
    let permit = shared();
    let (mut ana, _bia, room) = bia_and_ana(&permit, &[], 80);
    ana.shows("bia#1 coordinates");
    let cron = room.papo("cron", &["send", "all is well"]).start();
    assert_eq!(cron.exit(), 0);
    ana.shows("<cron> all is well");
    let caio = room.join("caio");
    caio.joined();
    ana.shows("caio#4 joined");
    let screen = ana.screen();
    assert!(!screen.contains("cron#"), "{screen}");
}

#[test]
fn quiet_hides_who_comes_and_goes_and_says_it_again() {
    let permit = shared();
    for (args, command) in [(&[][..], Some("/quiet\r")), (&["-q"][..], None)] {
        let (mut ana, bia, room) = bia_and_ana(&permit, args, 80);
        ana.shows("here: bia#1");
        if let Some(command) = command {
            ana.keys(command);
            ana.shows("who comes and goes is not said");
        }
        let caio = room.join("caio");
        caio.joined();
        caio.signal(Signal::TERM);
        assert_eq!(caio.exit(), 0);
        bia.say("still here");
        ana.shows("<bia> still here");
        ana.keys("/quiet off\r");
        ana.shows("who comes and goes is said");
        let eva = room.join("eva");
        eva.joined();
        ana.shows("eva#4 joined");
        let screen = ana.screen();
        assert!(!screen.contains("caio#3"), "{args:?}: {screen}");
    }
}
