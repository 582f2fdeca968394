//! What came and was thrown away for want of room, beside what never came.

use super::*;

const ANA: Key = Key(3);

fn at(time: u64) -> Time {
    Time(time)
}

fn stages(gaps: &mut Gaps) -> Vec<(u64, Vec<(u64, u64)>)> {
    let stages = gaps.take(ANA);
    let told = stages.iter().map(|s| (s.since().0, s.spans())).collect();
    gaps.put_back(ANA, stages);
    told
}

#[test]
fn what_is_thrown_away_again_and_again_leaves_the_rest_as_it_was_noticed() {
    let mut gaps = Gaps::default();
    gaps.notice(ANA, (1, 100), at(5));
    // Between the two nobody ever said anything, perhaps: that is to be given up in its time.
    assert!(gaps.throw(ANA, (10, 10), (at(20), at(21))));
    assert!(gaps.throw(ANA, (30, 32), (at(20), at(22))));
    assert_eq!(
        stages(&mut gaps),
        [(5, vec![(1, 100)]), (22, vec![(10, 10), (30, 32)])]
    );
    assert_eq!(gaps.thrown_of(ANA).bounds(), Some((10, 32)));
    // The same exchange brings it once more.
    assert!(!gaps.throw(ANA, (10, 10), (at(20), at(23))));
    // What the next exchange does not bring is looked for from the moment when it was thrown away.
    assert!(gaps.throw(ANA, (30, 32), (at(40), at(41))));
    assert_eq!(
        stages(&mut gaps),
        [
            (5, vec![(1, 100)]),
            (22, vec![(10, 10)]),
            (41, vec![(30, 32)])
        ]
    );
}

#[test]
fn only_so_much_is_told_apart_of_what_was_thrown_away() {
    let mut gaps = Gaps::default();
    let many = limits::GAP_RANGES_MAX as u64 + 10;
    for n in 1..=many {
        gaps.throw(ANA, (3 * n, 3 * n), (at(1), at(1 + n)));
    }
    let [(_, spans)] = &stages(&mut gaps)[..] else {
        panic!("one exchange is one moment");
    };
    assert!(spans.len() <= limits::GAP_RANGES_MAX);
    for n in 1..=4 * limits::GAP_STAGES_MAX as u64 {
        let now = 10_000 * n;
        gaps.throw(ANA, (n, n), (at(now), at(now + 1)));
    }
    assert!(stages(&mut gaps).len() <= limits::GAP_STAGES_MAX);
}

/// A liar says every second of its lines: all were one stretch that seemed to be thrown away, which was looked through
/// for each line that came.
#[test]
fn what_lies_before_what_came_again_is_thrown_away_no_more_once_that_is_not_told_apart() {
    let id = |seq| MessageId { origin: ANA, seq };
    let mut gaps = Gaps::default();
    gaps.throw(ANA, (11, 11), (at(1), at(2)));
    gaps.throw(ANA, (13, 13), (at(1), at(2)));
    assert_eq!(gaps.tell_apart(id(13)), None, "each is known");
    for n in 0..limits::GAP_RANGES_MAX as u64 {
        gaps.throw(ANA, (2 * n + 11, 2 * n + 11), (at(1), at(2)));
    }
    let last = 2 * limits::GAP_RANGES_MAX as u64 + 11;
    gaps.throw(ANA, (last, last), (at(1), at(2)));
    assert!(gaps.was_thrown(id(12)));
    assert_eq!(gaps.tell_apart(id(15)), Some(11));
    assert_eq!(stages(&mut gaps), [(2, vec![(16, last)])]);
    assert_eq!(gaps.tell_apart(id(15)), None);
    assert_eq!(gaps.tell_apart(id(last)), Some(16));
    assert!(gaps.is_empty());
}
