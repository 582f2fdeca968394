//! What a node that prints tells the authors of what it printed.

use crate::node::rig::{NONE, Rig, chat, config};
use crate::wire::{Ack, Key, Message};

const BEN: Key = Key(9);

fn acks(sent: Vec<Message>) -> Vec<Ack> {
    let acks = sent.into_iter().filter_map(|m| match m {
        Message::Ack(ack) => Some(ack),
        _ => None,
    });
    acks.collect()
}

#[test]
fn the_author_is_told_which_lines_were_printed_and_which_never_will_be() {
    let mut config = config();
    config.confirms_printed = true;
    let mut rig = Rig::with(config);
    let ben = rig.meet(BEN);
    for seq in 1..=4 {
        let sent = rig.receive(ben, chat(BEN, seq, &[]));
        assert_eq!(acks(sent), [], "it is not printed yet");
    }
    rig.node.on_printed(1);
    rig.node.on_unprinted(2);
    rig.node.on_printed(1);
    let sent = rig.turn(Vec::new());
    assert_eq!(Rig::seqs(&sent), NONE);
    let (from, seq, missed) = (1, 4, vec![(2, 3)]);
    assert_eq!(acks(sent), [Ack { from, seq, missed }]);
}
