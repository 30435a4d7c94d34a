//! The fast lane: both ends in lockstep on one thread, without sockets, runtime or clock. Time is virtual and
//! jumps. When nothing can be delivered that *is* a stall, and time jumps to the next deadline.

use std::io;
use std::time::Duration;

use faults::Machine;
use faults::lockstep::Lockstep;

use super::{Job, Transport};

/// The lane without a network.
#[derive(Debug, Default)]
pub struct Memory {
    lockstep: Lockstep,
}

impl Transport for Memory {
    fn run(&mut self, job: Job) -> io::Result<()> {
        let Job { service, clients, wires, .. } = job;
        service.handle_listening(Duration::ZERO);
        let clients = clients.into_iter().map(|client| -> Box<dyn Machine> { client }).collect();
        self.lockstep.run(clients, |now, connection| service.accept(now, connection), &wires)
    }
}
