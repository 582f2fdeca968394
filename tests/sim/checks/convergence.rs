//! Convergence: all live nodes that are pairwise linked have the same history above the highest of
//! their floors, the same view and the same single coordinator.

use std::collections::BTreeSet;
use std::rc::Rc;

use papo::wire::{ChatMessage, Claim, Id, Key, Member, MessageId, Position};

use super::{Run, Verdict, Violation};

/// What one live node holds in the end.
#[derive(Clone, Debug)]
pub struct Held {
    pub run: Run,
    pub key: Key,
    pub id: Option<Id>,
    pub nick: String,
    pub joined: bool,
    pub coordinator: Option<Claim>,
    pub members: Vec<Member>,
    pub peers: BTreeSet<Key>,
    pub floor: Position,
    pub history: Vec<ChatMessage>,
    /// A message of its own that is not delivered, although somebody could confirm it.
    pub outstanding: Option<MessageId>,
}

fn broken(text: String) -> Verdict {
    Err(Violation::new("convergence", text))
}

/// These nodes, all pairwise able to reach each other and nobody else, agree.
pub fn agree(nodes: &[Held]) -> Verdict {
    let Some(first) = nodes.first() else {
        return Ok(());
    };
    let keys: BTreeSet<Key> = nodes.iter().map(|n| n.key).collect();
    for node in nodes {
        let run = node.run;
        if !node.joined {
            return broken(format!("run {run} has not joined"));
        }
        let Some(claim) = node.coordinator else {
            return broken(format!("run {run} has no coordinator"));
        };
        if first.coordinator != Some(claim) {
            let other = first.coordinator;
            return broken(format!(
                "run {run} follows {claim:?}, run {} {other:?}",
                first.run
            ));
        }
        let leader = nodes.iter().find(|n| n.key == claim.key);
        if leader.is_none_or(|l| l.id != Some(claim.id)) {
            return broken(format!("run {run} follows {claim:?}, who is not there"));
        }
        let members: BTreeSet<Key> = node.members.iter().map(|m| m.key).collect();
        if members != keys {
            return broken(format!("run {run} sees {members:?}, alive are {keys:?}"));
        }
        if node.members != first.members {
            return broken(format!("run {run} and run {} see other members", first.run));
        }
        let me = node.members.iter().find(|m| m.key == node.key);
        if me.is_none_or(|m| Some(m.id) != node.id || m.nick != node.nick) {
            return broken(format!("run {run} is {:?}, {me:?} in its view", node.id));
        }
        // A link with one who vanished may stay open for long.
        let mut linked = node.peers.clone();
        linked.insert(node.key);
        if !linked.is_superset(&keys) {
            return broken(format!(
                "run {run} is linked with {linked:?}, alive are {keys:?}"
            ));
        }
        is_delivered(node)?;
    }
    same_history(nodes)
}

/// These nodes are in one room, which has nobody else in it.
pub fn one_room(nodes: &[Held]) -> Verdict {
    let keys: BTreeSet<Key> = nodes.iter().map(|n| n.key).collect();
    for node in nodes {
        let members: BTreeSet<Key> = node.members.iter().map(|m| m.key).collect();
        let is_led = node.coordinator.is_some_and(|c| keys.contains(&c.key));
        if !node.joined || !is_led || members != keys {
            let text = format!("run {} is in a room with {members:?}", node.run);
            let text = format!("{text}, reached are {keys:?}");
            return Err(Violation::new("one room", text));
        }
    }
    Ok(())
}

/// What this node wrote is delivered, as far as anybody who could confirm it is in its view.
pub fn is_delivered(node: &Held) -> Verdict {
    match node.outstanding {
        None => Ok(()),
        Some(id) => {
            let run = node.run;
            broken(format!("run {run} does not learn that {id} is delivered"))
        }
    }
}

/// These nodes hold the same above the highest of their floors.
pub fn same_history(nodes: &[Held]) -> Verdict {
    let Some(first) = nodes.first() else {
        return Ok(());
    };
    let floor = nodes.iter().map(|n| n.floor).max().unwrap_or_default();
    let above = |node: &Held| -> BTreeSet<Position> {
        let positions = node.history.iter().map(|m| m.position());
        positions.filter(|p| *p > floor).collect()
    };
    let expected = above(first);
    for node in nodes {
        let held = above(node);
        if let Some(one) = held.symmetric_difference(&expected).next() {
            let text = format!("{} and {} above {floor:?}", held.len(), expected.len());
            let who = format!("run {} and run {}", node.run, first.run);
            return broken(format!("{who} hold {text}; only one has {one:?}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::made::message;
    use super::*;

    fn two() -> Vec<Held> {
        let member = |n: u64| Member {
            id: n,
            key: Key(n),
            nick: "x".into(),
            addresses: vec![],
        };
        let held = |n: u64| Held {
            run: n as Run,
            key: Key(n),
            id: Some(n),
            nick: "x".into(),
            joined: true,
            coordinator: Some(Claim { id: 2, key: Key(2) }),
            members: vec![member(1), member(2)],
            peers: BTreeSet::from([Key(3 - n)]),
            floor: Position::default(),
            history: vec![message(1, 1, 10, "a"), message(2, 1, 20, "b")],
            outstanding: None,
        };
        vec![held(1), held(2)]
    }

    fn rejects(change: impl Fn(&mut Held)) {
        let mut nodes = two();
        change(&mut nodes[1]);
        assert!(agree(&nodes).is_err());
    }

    #[test]
    fn agreement_is_accepted() {
        agree(&two()).unwrap();
        agree(&[]).unwrap();
        // Below the highest floor histories may differ.
        let mut nodes = two();
        nodes[1].history.remove(0);
        nodes[1].floor = Position::new(10, Key(1), 1);
        agree(&nodes).unwrap();
    }

    #[test]
    fn every_disagreement_is_rejected() {
        rejects(|n| n.joined = false);
        rejects(|n| n.coordinator = None);
        rejects(|n| n.coordinator = Some(Claim { id: 1, key: Key(1) }));
        rejects(|n| n.id = Some(7));
        rejects(|n| n.nick = "y".into());
        rejects(|n| n.members[0].id = 7);
        rejects(|n| n.members.truncate(1));
        rejects(|n| n.peers.clear());
        let one = MessageId {
            origin: Key(1),
            seq: 1,
        };
        rejects(|n| n.outstanding = Some(one));
        rejects(|n| n.history.truncate(1));
    }

    #[test]
    fn two_rooms_are_no_room() {
        one_room(&two()).unwrap();
        let mut nodes = two();
        nodes[0].members.truncate(1);
        assert!(one_room(&nodes).is_err());
        let mut nodes = two();
        nodes[1].joined = false;
        assert!(one_room(&nodes).is_err());
    }

    fn rejects_all(change: impl Fn(&mut Held)) {
        let mut nodes = two();
        nodes.iter_mut().for_each(change);
        assert!(agree(&nodes).is_err());
    }

    #[test]
    fn agreeing_on_somebody_who_is_not_there_is_rejected() {
        rejects_all(|n| n.coordinator = Some(Claim { id: 9, key: Key(9) }));
        let ghost = Member {
            id: 9,
            key: Key(9),
            nick: "x".into(),
            addresses: vec![],
        };
        rejects_all(|n| n.members.push(ghost.clone()));
    }
}
