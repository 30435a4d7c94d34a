//! The lane in memory, with an end: what goes round for ever there is given up long before a person would.

use std::io;
use std::time::Duration;

use faults::lockstep::Rounds;
use faults::{ConnectionId, Machine};

use crate::transport::{Job, Transport};

/// After how many rounds a run is given up. The largest that are drawn take a few thousand.
const MOST_ROUNDS: u64 = 1 << 22;

/// [`Memory`](crate::transport::Memory) that knows of itself whether a run came to its end.
#[derive(Debug, Default)]
pub(super) struct BoundedMemory {
    /// Whether a run was given up.
    pub(super) gave_up: bool,
}

impl Transport for BoundedMemory {
    fn run(&mut self, job: Job) -> io::Result<()> {
        let Job { service, clients, wires, .. } = job;
        service.handle_listening(Duration::ZERO);
        let mut accept =
            |now, connection: ConnectionId| -> Box<dyn Machine> { service.accept(now, connection) };
        let mut rounds: Rounds<Box<dyn Machine>, Box<dyn Machine>> = Rounds::new(wires);
        for client in clients {
            rounds.connect(client, &mut accept);
        }
        for _ in 0..MOST_ROUNDS {
            let moved = rounds.send();
            if !rounds.deliver(moved, &mut accept) {
                return Ok(());
            }
        }
        self.gave_up = true;
        Err(io::Error::other(format!("it had not come to an end after {MOST_ROUNDS} rounds")))
    }
}
