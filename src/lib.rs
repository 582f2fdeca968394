//! papo: group chat for a local network with no server.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod cli;
pub mod driver;
pub mod limits;
pub mod node;
pub mod ui;
pub mod wire;
