use super::*;
use crate::wire::made::member;

#[test]
fn who_is_asked_for_is_named_by_nick_or_id() {
    let members = [
        member(1, "ana"),
        member(2, "ana"),
        member(3, "ana maria"),
        member(4, "ana#2"),
        member(5, "ana#2 too"),
    ];
    let ids =
        |name| named("whois", name, &members).map(|n| n.iter().map(|m| m.id).collect::<Vec<_>>());
    assert_eq!(ids("ana"), Ok(vec![1, 2]));
    assert_eq!(ids("ana maria"), Ok(vec![3]));
    for name in ["2", "#2", "ana#2"] {
        assert_eq!(ids(name), Ok(vec![2]), "{name}");
    }
    assert_eq!(ids("ana#2#4"), Ok(vec![4]));
    assert_eq!(ids("ana#2 too"), Ok(vec![5]));
    assert!(ids("zoe").unwrap_err().contains("zoe"));
}

#[test]
fn a_member_is_named_by_nick_id_or_both() {
    let members = [
        member(1, "me"),
        member(2, "ana"),
        member(3, "maria anna"),
        member(4, "ben"),
        member(5, "ben"),
        member(7, "eve"),
    ];
    let to = |rest| addressee(rest, &members, Key(1)).map(|(key, text)| (key.0, text));
    assert_eq!(to("ana hi there"), Ok((2, "hi there")));
    assert_eq!(to("maria anna hi"), Ok((3, "hi")));
    assert_eq!(to("4 hi"), Ok((4, "hi")));
    assert_eq!(to("#5 hi"), Ok((5, "hi")));
    assert_eq!(to("ben#4 hi"), Ok((4, "hi")));
    assert_eq!(to("#7  hi"), Ok((7, "hi")));
    assert!(to("ben hi").unwrap_err().contains("ben#4, ben#5"));
    assert!(to("me hi").unwrap_err().contains("you"));
    assert!(to("zoe hi").unwrap_err().contains("zoe"));
    assert!(to("eve#4 hi").is_err());
}

#[test]
fn a_nick_that_reads_like_somebody_else_gets_nothing_that_was_for_that_one() {
    let members = [
        member(1, "me"),
        member(2, "bia"),
        member(3, "bia come"),
        member(4, "2"),
        member(5, "#2"),
        member(6, "bia#2"),
        member(7, "bia#2 are"),
    ];
    let to = |rest| addressee(rest, &members, Key(1)).map(|(key, text)| (key.0, text));
    assert_eq!(to("#2 are you there"), Ok((2, "are you there")));
    assert_eq!(to("bia#2 are you there"), Ok((2, "are you there")));
    // It may be either.
    assert!(
        to("bia come here")
            .unwrap_err()
            .contains("bia#2, bia come#3")
    );
    assert!(to("2 are you there").unwrap_err().contains("2#4, bia#2"));
    // Each of them can be named all the same.
    assert_eq!(to("bia hi"), Ok((2, "hi")));
    assert_eq!(to("bia come#3 here"), Ok((3, "here")));
    assert_eq!(to("2#4 hi"), Ok((4, "hi")));
    assert_eq!(to("#2#5 hi"), Ok((5, "hi")));
    assert_eq!(to("bia#2#6 hi"), Ok((6, "hi")));
    assert_eq!(to("#7 hi"), Ok((7, "hi")));
}
