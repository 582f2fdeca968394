use super::*;

fn say(line: &str) -> Meaning {
    parse(line.to_owned())
}

fn wrong(line: &str) -> String {
    match say(line) {
        Meaning::Wrong(why) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn other_lines_are_said() {
    for line in ["", "hello", " /quit", "a/b"] {
        assert_eq!(say(line), Meaning::Say(line.into()));
    }
    assert_eq!(say("//quit"), Meaning::Say("/quit".into()));
    assert_eq!(say("///"), Meaning::Say("//".into()));
}

#[test]
fn commands_are_recognised() {
    let orders = [
        ("/help", UserCommand::Help),
        ("/help me", UserCommand::Help),
        ("/members ", UserCommand::Members),
        ("/history", UserCommand::History(None)),
        ("/history 5", UserCommand::History(Some(5))),
        (
            "/msg ana hello  there",
            UserCommand::Msg("ana hello  there".into()),
        ),
        ("/nick  Ana Maria ", UserCommand::Nick("Ana Maria".into())),
        ("/whois ana maria", UserCommand::Whois("ana maria".into())),
        ("/status", UserCommand::Status { is_detailed: false }),
        ("/status -v", UserCommand::Status { is_detailed: true }),
        ("/MEMBERS", UserCommand::Members),
        ("/Search a b", UserCommand::Search("a b".into())),
        ("/ignore", UserCommand::Ignore(String::new())),
        ("/quiet Lately", UserCommand::Quiet(Some(Quiet::Lately))),
        ("/elect", UserCommand::Elect),
        ("/quit", UserCommand::Quit),
    ];
    for (line, order) in orders {
        assert_eq!(say(line), Meaning::Do(order), "{line}");
    }
}

#[test]
fn an_unknown_command_is_explained_with_the_nearest() {
    assert!(wrong("/qiut").contains("did you mean /quit?"));
    assert!(wrong("/mebmers").contains("did you mean /members?"));
    assert!(!wrong("/supercalifragilistic").contains("did you mean"));
    let bare = "unknown command \"/\"; /help lists the commands; begin a line with // to say it";
    assert_eq!(wrong("/"), bare);
    assert!(wrong("/\x1b[2J").contains("^[[2J"));
}

#[test]
fn an_act_is_a_line_as_ctcp_has_it() {
    assert_eq!(
        say("/ME waves  twice"),
        Meaning::Say("\u{1}ACTION waves  twice\u{1}".into())
    );
    assert!(wrong("/me ").contains("/me TEXT"));
    assert!(wrong(&format!("/me {}", "x".repeat(TEXT_BYTES_MAX - 4))).contains("too long"));
}

#[test]
fn arguments_are_checked() {
    assert!(wrong("/notify often").contains("never, mention or all"));
    assert!(wrong("/quiet please").contains("on, off or lately"));
    assert!(wrong("/search").contains("/search WORDS"));
    assert!(wrong("/status -w").contains("/status"));
    assert!(wrong("/history five").contains("five"));
    assert!(wrong("/msg ana").contains("NICK|ID"));
    assert!(wrong("/whois").contains("NICK|ID"));
    assert!(wrong("/nick").contains("/nick NAME"));
    assert!(wrong(&format!("/nick {}", "x".repeat(33))).contains("32"));
    assert!(wrong("/quit now").contains("/quit"));
}

#[test]
fn a_room_is_joined_with_the_file_of_its_secret() {
    let joins = |line: &str| match parse(line.to_owned()) {
        Meaning::Do(UserCommand::Rooms(RoomWish::Join { room, secret })) => Ok((room, secret)),
        Meaning::Wrong(why) => Err(why),
        other => panic!("{other:?}"),
    };
    let room = |name: &str| Ok((name.to_owned(), None));
    let locked = |name: &str, file: &str| Ok((name.to_owned(), Some(file.to_owned())));
    assert_eq!(joins("/join den"), room("den"));
    assert_eq!(joins("/JOIN board  key"), locked("board", "key"));
    assert_eq!(
        joins("/join board ~/my keys/x"),
        locked("board", "~/my keys/x")
    );
    assert_eq!(joins("/join \"the big room\""), room("the big room"));
    assert_eq!(
        joins("/join \"the big room\" key"),
        locked("the big room", "key")
    );
    for wrong in ["/join", "/join \"den", "/join \"\""] {
        assert!(joins(wrong).is_err(), "{wrong}");
    }
}
