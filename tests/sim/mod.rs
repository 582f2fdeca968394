//! The simulator: many nodes, a network that fails, and virtual time, all decided by one seed.
//!
//! The nodes are the real ones. The network encodes every message to bytes and cuts the bytes into
//! arbitrary pieces; nothing else of a node is replaced, and nothing in it is looked at but what
//! its user sees.
//!
//! | file | subject |
//! | --- | --- |
//! | `scenario`, `generate`, `limits`, `targeted`, `volume`, `heard_only`, `large_lost`, `host_gone`, `back_briefly`, `hostile` | what happens from outside, as plain data, and how it comes from a seed |
//! | `agenda`, `fate` | virtual time; every random decision |
//! | `paths`, `carrying`, `streams`, `breaks`, `direction` | who reaches whom; datagrams, dials, and streams as kernels carry them |
//! | `world`, `process`, `turn`, `effects`, `faults` | hosts, processes and their driver, events |
//! | `liar`, `lies`, `false_lines`, `lying` | a member that lies: when, what, and how it gets to the others |
//! | `store`, `keeping` | disks, and what is committed to them when |
//! | `record`, `arrivals`, `lacks`, `holding`, `scene`, `checks` | what users saw, and what must hold |
//! | `run`, `shrink`, `report`, `trace`, `traffic` | the acts of one run, and what is told of it |
//! | `kept`, `protections` | seeds that once failed; each protection switched off in turn |
//! | `room`, `failover`, `idle` | rooms of any size, what a failover in one costs, and what an idle one does |
// Every target that shares these uses a part of them.
#![allow(dead_code, unused_imports)]

pub mod agenda;
pub mod arrivals;
pub mod back_briefly;
pub mod carrying;
pub mod checks;
pub mod direction;
pub mod effects;
pub mod failover;
pub mod false_lines;
pub mod fate;
pub mod faults;
pub mod generate;
pub mod heard_only;
pub mod holding;
pub mod host_gone;
pub mod hostile;
pub mod idle;
pub mod keeping;
pub mod kept;
pub mod kept_scaled_down;
pub mod lacks;
pub mod large_lost;
pub mod liar;
pub mod lies;
pub mod limits;
pub mod lying;
pub mod paths;
pub mod process;
pub mod protections;
pub mod questions;
pub mod record;
pub mod report;
pub mod room;
pub mod run;
pub mod scenario;
pub mod scene;
pub mod shrink;
pub mod store;
pub mod streams;
pub mod targeted;
pub mod trace;
pub mod traffic;
pub mod turn;
pub mod volume;
pub mod world;
