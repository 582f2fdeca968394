//! No loss: a message taken in by any node alive at the end is in the history of every live node
//! linked to it whose floor is below it.

use std::collections::BTreeSet;

use papo::wire::{Key, Position};

use super::convergence::Held;
use super::{Verdict, Violation};

/// `shown` is what each node's user was ever shown, in the order of `nodes`.
pub fn no_loss(nodes: &[Held], shown: &[Vec<Position>]) -> Verdict {
    let held: Vec<BTreeSet<Position>> = nodes
        .iter()
        .map(|n| n.history.iter().map(|m| m.position()).collect())
        .collect();
    for (from, seen) in nodes.iter().zip(shown) {
        for (to, has) in nodes.iter().zip(&held) {
            if from.key != to.key && !linked(from, to.key) {
                continue;
            }
            let lost = |p: &&Position| **p > from.floor && **p > to.floor && !has.contains(p);
            if let Some(lost) = seen.iter().find(lost) {
                let text = format!("run {} lacks {lost:?}, shown at run {}", to.run, from.run);
                return Err(Violation::new("no loss", text));
            }
        }
    }
    Ok(())
}

/// A floor is there for a reason: with all the history wanted and room for all of it, there is none.
pub fn no_floor(nodes: &[Held], may_have_one: impl Fn(&Held) -> bool) -> Verdict {
    let odd = |n: &&Held| n.floor != Position::default() && !may_have_one(n);
    let Some(node) = nodes.iter().find(odd) else {
        return Ok(());
    };
    let text = format!(
        "run {} has the floor {:?} without a reason",
        node.run, node.floor
    );
    Err(Violation::new("no loss", text))
}

fn linked(node: &Held, key: Key) -> bool {
    node.peers.contains(&key)
}

#[cfg(test)]
mod tests {
    use super::super::made::message;
    use super::*;

    fn held(n: u64, messages: &[u64], floor: u64) -> Held {
        Held {
            run: n as usize,
            key: Key(n),
            id: Some(n),
            nick: String::new(),
            joined: true,
            coordinator: None,
            members: vec![],
            peers: BTreeSet::from([Key(3 - n)]),
            floor: Position::new(floor, Key(0), 0),
            history: messages.iter().map(|t| message(1, *t, *t, "a")).collect(),
            outstanding: None,
        }
    }

    fn positions(times: &[u64]) -> Vec<Position> {
        times
            .iter()
            .map(|t| message(1, *t, *t, "a").position())
            .collect()
    }

    #[test]
    fn what_all_hold_or_lies_below_a_floor_is_accepted() {
        let shown = [positions(&[1, 2]), positions(&[1, 2])];
        no_loss(&[held(1, &[1, 2], 0), held(2, &[1, 2], 0)], &shown).unwrap();
        no_loss(&[held(1, &[1, 2], 0), held(2, &[2], 2)], &shown).unwrap();
    }

    #[test]
    fn what_one_was_shown_and_another_lacks_is_rejected() {
        let shown = [positions(&[1, 2]), positions(&[2])];
        assert!(no_loss(&[held(1, &[1, 2], 0), held(2, &[2], 0)], &shown).is_err());
        assert!(no_loss(&[held(1, &[2], 0), held(2, &[2], 0)], &shown).is_err());
    }

    #[test]
    fn who_is_not_linked_may_lack_it() {
        let shown = [positions(&[1]), positions(&[])];
        let mut nodes = [held(1, &[1], 0), held(2, &[], 0)];
        nodes[0].peers.clear();
        no_loss(&nodes, &shown).unwrap();
    }

    #[test]
    fn a_floor_without_a_reason_is_rejected() {
        no_floor(&[held(1, &[], 0)], |_| false).unwrap();
        no_floor(&[held(1, &[], 5)], |_| true).unwrap();
        assert!(no_floor(&[held(1, &[], 5)], |_| false).is_err());
    }
}
