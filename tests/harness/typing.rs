//! Nodes that go on talking while a test does something to them.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::process::Node;

/// A thread that types `<nick> <number>` into each of some nodes, until it is told to stop.
#[derive(Debug)]
pub struct Typing {
    stop: mpsc::Sender<()>,
    thread: JoinHandle<usize>,
}

impl Typing {
    /// One line for each node every `pace`.
    pub fn start(nodes: &[&Node], pace: Duration) -> Typing {
        let inputs: Vec<_> = nodes.iter().map(|n| (n.name.clone(), n.input())).collect();
        let (stop, stopped) = mpsc::channel();
        let thread = thread::spawn(move || {
            let mut said = 0;
            while stopped.recv_timeout(pace) == Err(RecvTimeoutError::Timeout) {
                said += 1;
                for (name, input) in &inputs {
                    let _ = input.send(format!("{name} {said}\n").into_bytes());
                }
            }
            said
        });
        Typing { stop, thread }
    }

    /// How many lines were typed into each.
    pub fn stop(self) -> usize {
        drop(self.stop);
        self.thread.join().expect("typing does not panic")
    }
}
