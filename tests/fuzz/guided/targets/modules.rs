// What every target is made of; each uses a part of it.
#[path = "../../bench.rs"]
#[allow(dead_code)]
mod bench;
#[path = "../../codecs.rs"]
#[allow(dead_code, unused_imports)]
mod codecs;
#[path = "../../irc.rs"]
#[allow(dead_code, unused_imports)]
mod irc;
#[path = "../../locks.rs"]
#[allow(dead_code, unused_imports)]
mod locks;
#[path = "../../mutate.rs"]
#[allow(dead_code)]
mod mutate;
#[path = "../../nodes.rs"]
#[allow(dead_code, unused_imports)]
mod nodes;
#[path = "../../../wire/random.rs"]
#[allow(dead_code)]
mod random;
#[path = "../../../wire/raw.rs"]
#[allow(dead_code)]
mod raw;
#[path = "../../runner.rs"]
#[allow(dead_code)]
mod runner;
