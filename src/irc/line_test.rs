//! Lines as others write them: the cases that ircdocs' parser-tests think of, written anew.

use std::borrow::Cow;

use super::*;
use crate::limits::{IRC_LINE_BYTES_MAX, IRC_TAG_BYTES_MAX};

/// A line, and its tags, source, command and parameters.
type Case<'a> = (
    &'a str,
    &'a [(&'a str, &'a str)],
    Option<&'a str>,
    &'a str,
    &'a [&'a str],
);

const CASES: &[Case<'_>] = &[
    ("PING", &[], None, "PING", &[]),
    (
        "foo bar baz asdf",
        &[],
        None,
        "foo",
        &["bar", "baz", "asdf"],
    ),
    (
        "foo bar baz :asdf quux",
        &[],
        None,
        "foo",
        &["bar", "baz", "asdf quux"],
    ),
    (
        "foo bar baz :  asdf quux ",
        &[],
        None,
        "foo",
        &["bar", "baz", "  asdf quux "],
    ),
    ("foo bar baz :", &[], None, "foo", &["bar", "baz", ""]),
    (
        "foo bar baz ::asdf",
        &[],
        None,
        "foo",
        &["bar", "baz", ":asdf"],
    ),
    ("foo bar   baz  ", &[], None, "foo", &["bar", "baz"]),
    ("foo b:ar :b", &[], None, "foo", &["b:ar", "b"]),
    (":ana foo bar", &[], Some("ana"), "foo", &["bar"]),
    (
        ":ana!u@h   foo   bar :baz  :x ",
        &[],
        Some("ana!u@h"),
        "foo",
        &["bar", "baz  :x "],
    ),
    (":src JOIN #chan", &[], Some("src"), "JOIN", &["#chan"]),
    (":src AWAY :", &[], Some("src"), "AWAY", &[""]),
    (":src\tx foo \tbar", &[], Some("src\tx"), "foo", &["\tbar"]),
    (
        ":co\u{3}5ol!u@h PRIVMSG foo :bar\u{3}4",
        &[],
        Some("co\u{3}5ol!u@h"),
        "PRIVMSG",
        &["foo", "bar\u{3}4"],
    ),
    (
        "@a=b;c=32;k;rt=ql7 foo",
        &[("a", "b"), ("c", "32"), ("k", ""), ("rt", "ql7")],
        None,
        "foo",
        &[],
    ),
    (
        "@a=b\\\\and\\nk;c=72\\s45;d=gh\\:764 foo",
        &[("a", "b\\and\nk"), ("c", "72 45"), ("d", "gh;764")],
        None,
        "foo",
        &[],
    ),
    (
        "@c;h=;a=b :quux ab cd",
        &[("c", ""), ("h", ""), ("a", "b")],
        Some("quux"),
        "ab",
        &["cd"],
    ),
    ("@t=a\\b\\ :x y", &[("t", "ab")], Some("x"), "y", &[]),
    ("@t=1;t=2;;u=3 y", &[("t", "2"), ("u", "3")], None, "y", &[]),
    (
        "@+vendor/key=a=b;x.y/z=\\r y",
        &[("+vendor/key", "a=b"), ("x.y/z", "\r")],
        None,
        "y",
        &[],
    ),
    (
        "@a=b   :src   y  z",
        &[("a", "b")],
        Some("src"),
        "y",
        &["z"],
    ),
    (
        ":gravel.mozilla.org 432  #momo :Erroneous Nickname: Illegal characters",
        &[],
        Some("gravel.mozilla.org"),
        "432",
        &["#momo", "Erroneous Nickname: Illegal characters"],
    ),
    (
        ":services.x MODE #ruby +o :nick  ",
        &[],
        Some("services.x"),
        "MODE",
        &["#ruby", "+o", "nick  "],
    ),
];

#[test]
fn lines_are_taken_apart() {
    for (text, tags, source, command, params) in CASES {
        let line = Line::read(text.as_bytes()).unwrap();
        let read: Vec<_> = line.tags.iter().map(|(k, v)| (*k, v.as_ref())).collect();
        assert_eq!(read, *tags, "{text}");
        assert_eq!((line.source, line.command), (*source, *command), "{text}");
        assert_eq!(line.params, *params, "{text}");
        let written = line.write();
        assert_eq!(Line::read_text(&written).as_ref(), Some(&line), "{written}");
    }
}

#[test]
fn lines_are_put_together() {
    let line = |params: &[&'static str]| Line {
        tags: vec![("a", Cow::Borrowed("x; \\\r\n")), ("b", Cow::Borrowed(""))],
        source: Some("src"),
        command: "foo",
        params: params.to_vec(),
    };
    assert_eq!(
        line(&["bar"]).write(),
        "@a=x\\:\\s\\\\\\r\\n;b :src foo bar"
    );
    assert_eq!(
        line(&["b", "c d"]).write(),
        "@a=x\\:\\s\\\\\\r\\n;b :src foo b :c d"
    );
    for last in ["", ":x", "a b"] {
        assert!(line(&["b", last]).write().ends_with(&format!(" b :{last}")));
    }
    assert_eq!(
        body("s", "NOTICE", &["*"], Some("a\r\nQUIT\0")),
        ":s NOTICE * :a  QUIT \r\n"
    );
}

#[test]
fn lines_have_bounds() {
    let longest = format!("PING {}", "x".repeat(IRC_LINE_BYTES_MAX - 7));
    assert!(Line::read(longest.as_bytes()).is_ok());
    assert_eq!(
        Line::read(format!("{longest}x").as_bytes()),
        Err(Bad::TooLong)
    );
    let tags = format!("@a={} ", "x".repeat(IRC_TAG_BYTES_MAX - 4));
    assert!(Line::read(format!("{tags}PING x").as_bytes()).is_ok());
    assert_eq!(
        Line::read(format!("@a{} PING", "x".repeat(IRC_TAG_BYTES_MAX)).as_bytes()),
        Err(Bad::TooLong)
    );
    for empty in ["", "   ", ":src", ":src  ", "@a=b", "@a=b :src"] {
        assert_eq!(Line::read(empty.as_bytes()), Err(Bad::Empty), "{empty}");
    }
    assert_eq!(Line::read(b"PING \xff"), Err(Bad::NotUtf8));
    let many = format!("X{}", " p".repeat(30));
    let line = Line::read(many.as_bytes()).unwrap();
    assert_eq!((line.params.len(), line.params[14].len()), (15, 31));
}

#[test]
fn a_long_line_is_cut_between_two_characters() {
    for pad in 0..4 {
        let text = format!("{}{}", "x".repeat(pad), "\u{1f600}".repeat(200));
        let line = body("ana!u@h", "PRIVMSG", &["#lobby"], Some(&text));
        assert!(line.len() <= IRC_LINE_BYTES_MAX && line.len() > IRC_LINE_BYTES_MAX - 4);
        assert!(line.ends_with("\u{1f600}\r\n"));
    }
}
