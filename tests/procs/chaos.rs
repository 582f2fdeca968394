//! Nodes that are killed, frozen, thawed and started at random while all talk; and then must agree.
//!
//! `PAPO_CHAOS_SECONDS` makes it longer, `PAPO_CHAOS_SEED` repeats the decisions of an earlier run
//! (what the nodes make of them depends on the machine).

use std::time::{Duration, Instant};

use crate::harness::{Node, Room, Signal, agree, let_pass, ms, random, said_by, shared};

const NODES_MIN: usize = 3;
const NODES_MAX: usize = 7;

/// A node under chaos.
struct Player {
    node: Node,
    frozen: bool,
    said: usize,
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|v| v.parse().expect(name))
}

#[test]
fn whatever_is_killed_frozen_and_started_the_living_agree_in_the_end() {
    let permit = shared();
    let seed = setting("PAPO_CHAOS_SEED").unwrap_or_else(|| random().u64(..));
    let length = Duration::from_secs(setting("PAPO_CHAOS_SECONDS").unwrap_or(30));
    println!("PAPO_CHAOS_SEED={seed}");
    let mut rng = fastrand::Rng::with_seed(seed);
    let room = Room::new(&permit);
    let mut started = 0;
    let mut leavers = Vec::new();
    let mut players: Vec<Player> = Vec::new();
    let mut start = |players: &mut Vec<Player>| {
        started += 1;
        players.push(Player {
            node: room.join(&format!("n{started}")),
            frozen: false,
            said: 0,
        });
    };
    for _ in 0..NODES_MAX - 2 {
        start(&mut players);
    }
    for player in &players {
        player.node.joined();
    }

    let began = Instant::now();
    let mut next_blow = ms(500);
    while began.elapsed() < length {
        for player in &mut players {
            player.said += 1;
            player
                .node
                .say(&format!("{} {}", player.node.name, player.said));
        }
        if began.elapsed() >= next_blow {
            next_blow = began.elapsed() + ms(rng.u64(50..600));
            let awake = players.iter().filter(|p| !p.frozen).count();
            let place = rng.usize(..players.len());
            match rng.u8(..10) {
                0..3 if players.len() > NODES_MIN && (awake > 1 || players[place].frozen) => {
                    let dead = players.swap_remove(place);
                    blow(began, "kill", &dead.node, Signal::KILL);
                }
                3 if players.len() > NODES_MIN && !players[place].frozen && awake > 1 => {
                    let leaver = players.swap_remove(place);
                    blow(began, "end", &leaver.node, Signal::TERM);
                    leavers.push(leaver.node);
                }
                4..6 if awake > 1 && !players[place].frozen => {
                    blow(began, "freeze", &players[place].node, Signal::STOP);
                    players[place].frozen = true;
                }
                6..8 => {
                    if let Some(player) = players.iter_mut().find(|p| p.frozen) {
                        blow(began, "thaw", &player.node, Signal::CONT);
                        player.frozen = false;
                    }
                }
                _ if players.len() < NODES_MAX => {
                    start(&mut players);
                    let name = &players.last().expect("just started").node.name;
                    println!("{:8.3} start {name}", began.elapsed().as_secs_f64());
                }
                _ => {}
            }
        }
        let_pass(ms(20));
    }
    for player in players.iter().filter(|p| p.frozen) {
        blow(began, "thaw", &player.node, Signal::CONT);
    }

    let living: Vec<_> = players.iter().map(|p| &p.node).collect();
    let history = agree(&living, Duration::from_secs(10));
    println!("{} messages", history.len());
    for leaver in &leavers {
        leaver.exit_within(Duration::from_secs(10));
    }
    for Player { node, said, .. } in &players {
        let expected: Vec<_> = (1..=*said).map(|n| format!("{} {n}", node.name)).collect();
        assert_eq!(said_by(&history, &node.name), expected, "{}", node.name);
    }
}

fn blow(began: Instant, what: &str, node: &Node, signal: Signal) {
    println!("{:8.3} {what} {}", began.elapsed().as_secs_f64(), node.name);
    node.signal(signal);
}
