//! Arrival: whoever has joined has the room's history, as far back as any calm member has it.
//!
//! Owns nothing; it looks at what the newcomer holds, and at what members held when it came.

use papo::wire::{MessageId, Position};

use super::{Run, Verdict, Violation};

/// A member that the newcomer reaches all the time, and what it has held since before.
#[derive(Debug)]
pub struct Witness {
    pub run: Run,
    pub held: Vec<(MessageId, Position)>,
}

/// A newcomer with this floor has joined, and `has` what it says.
pub fn has_history(
    run: Run,
    floor: Position,
    has: impl Fn(MessageId) -> bool,
    witnesses: &[Witness],
) -> Verdict {
    for witness in witnesses {
        let lacks = |(id, position): &&(MessageId, Position)| *position > floor && !has(*id);
        if let Some((id, _)) = witness.held.iter().find(lacks) {
            let other = witness.run;
            let text = format!("run {run} has joined without {id}, which run {other} had before");
            return Err(Violation::new("history on arrival", text));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use papo::wire::Key;

    use super::*;

    #[test]
    fn what_a_member_had_before_is_there_unless_it_lies_under_the_floor() {
        let id = |seq| MessageId {
            origin: Key(1),
            seq,
        };
        let held = vec![
            (id(1), Position::new(10, Key(1), 1)),
            (id(2), Position::new(20, Key(1), 2)),
        ];
        let witnesses = [Witness { run: 0, held }];
        let check = |floor, first| has_history(3, floor, |id| id.seq >= first, &witnesses);
        assert!(check(Position::default(), 1).is_ok());
        assert!(check(Position::default(), 2).is_err());
        assert!(check(Position::new(10, Key(1), 1), 2).is_ok());
        assert!(check(Position::new(10, Key(1), 1), 3).is_err());
    }
}
