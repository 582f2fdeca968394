use super::*;

fn at(seconds: u64) -> Time {
    Time(seconds * 1_000_000)
}

#[test]
fn the_places_in_the_list_are_those_of_the_kinds() {
    for (place, matter) in Matter::ALL.into_iter().enumerate() {
        assert_eq!(matter as usize, place);
        let (all, of_one) = matter.burst();
        assert!(0 < of_one && of_one <= all, "{matter:?}");
    }
}

#[test]
fn one_who_says_too_much_takes_nobody_else_s_place() {
    let mut repeats = Repeats::default();
    let mut said = |whom: &str| {
        (0..1_000)
            .filter(|_| repeats.admit(at(0), Matter::Missed.of(whom)))
            .count()
    };
    let one = MISSED_OF_ONE_SAID_MAX as usize;
    let all = MISSED_SAID_MAX as usize;
    assert_eq!(said("liar"), one);
    assert_eq!(said("bia"), (all - one).min(one));
    assert_eq!(said("caio"), 0);
    // Another kind is not touched by that.
    assert!(repeats.admit(at(0), Matter::Renamed.of("liar")));
}

#[test]
fn after_a_burst_a_line_comes_now_and_then_and_all_is_counted() {
    let mut repeats = Repeats::default();
    let (mut said, mut summed) = (0, Vec::new());
    let (minutes, burst) = (10, u64::from(COMINGS_SAID_MAX));
    for second in 0..minutes * 60 {
        for _ in 0..10 {
            said += u64::from(repeats.admit(at(second), Matter::Coming.of("")));
        }
        summed.extend(repeats.sum_up(at(second)));
    }
    summed.extend(repeats.sum_up_all());
    let trickle = minutes * 60 / REPEATED_EVERY.as_secs();
    assert!(said > burst && said <= burst + trickle, "{said}");
    let sums = minutes * 60 / LEFT_OUT_SAID.as_secs();
    assert!(summed.len() as u64 <= sums, "{summed:?}");
    let left_out: u64 = (summed.iter())
        .map(|(_, words)| {
            let number = words.split(' ').next().unwrap();
            number.replace(',', "").parse::<u64>().unwrap()
        })
        .sum();
    assert_eq!(left_out + said, minutes * 60 * 10);
    assert_eq!(repeats.next_deadline(), None);
}

#[test]
fn what_is_remembered_of_those_who_are_told_apart_is_bounded() {
    let mut repeats = Repeats::default();
    for n in 0..100_000_u64 {
        let whom = n.to_string();
        repeats.admit(Time(n * 10_000), Matter::Another.of(&whom));
    }
    let each = repeats.said[Matter::Another as usize].each.len();
    assert!(each <= 2 * OTHERS_SAID_MAX as usize, "{each}");
}

#[test]
fn one_is_one_and_lost_lines_are_added_up() {
    let left_out = |lines, lost| LeftOut {
        lines,
        lost,
        due: at(0),
    };
    assert_eq!(
        words(Matter::Renamed, left_out(1, 0)),
        "1 more change of a nick was left out"
    );
    assert_eq!(
        words(Matter::Missed, left_out(1_200, 9_000)),
        "1,200 more warnings of missed lines were left out: 9,000 lines in all"
    );
    let mut repeats = Repeats::default();
    for _ in 0..MISSED_OF_ONE_SAID_MAX + 2 {
        let lost = u64::MAX;
        repeats.admit(
            at(0),
            About {
                lost,
                ..Matter::Missed.of("liar")
            },
        );
    }
    let summed = repeats.sum_up(repeats.next_deadline().unwrap());
    let most = grouped(u64::MAX);
    let expected = format!("2 more warnings of missed lines were left out: {most} lines in all");
    assert_eq!(summed, [(Matter::Missed, expected)]);
}
