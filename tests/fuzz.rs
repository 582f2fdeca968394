//! Fuzzing without a fuzzer: each target takes bytes, and is given a kept corpus and a bounded number
//! of random cases, made from valid messages by a mutator that knows their structure.
//!
//! `PAPO_FUZZ_CASES=10000000 cargo test --release --test fuzz` is a long run; `PAPO_FUZZ_SEED=N`
//! repeats one. A case that fails is written to `tests/fuzz/found/`; once it is understood, it belongs
//! into `tests/fuzz/corpus/TARGET/`, where every `cargo test` runs it. The targets are plain functions
//! of bytes; `tests/fuzz/guided` drives the same ones under libFuzzer.

#[path = "fuzz/bench.rs"]
#[allow(dead_code, reason = "each test binary uses a part of the bench")]
mod bench;
#[path = "fuzz/codecs.rs"]
mod codecs;
#[path = "fuzz/files.rs"]
mod files;
#[path = "fuzz/irc.rs"]
mod irc;
#[path = "fuzz/locks.rs"]
mod locks;
#[path = "fuzz/mutate.rs"]
mod mutate;
#[path = "fuzz/nodes.rs"]
mod nodes;
#[path = "wire/random.rs"]
#[allow(dead_code, reason = "each test binary uses a part of it")]
mod random;
#[path = "wire/raw.rs"]
#[allow(dead_code, reason = "each test binary uses a part of it")]
mod raw;
#[path = "fuzz/runner.rs"]
mod runner;
