//! The lanes: what carries the bytes between the endpoints of a run. Each is one [`Transport`] in one file;
//! to add one, implement the trait. A transport knows nothing of the protocol, of scenarios or of verdicts.

mod memory;
mod tcp;
mod turmoil;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use faults::Wires;
use transfer::endpoint::{Endpoint, Service};

pub use faults::lockstep::LATENCY;
pub use memory::Memory;
pub use tcp::Tcp;
pub use turmoil::Turmoil;

/// What a transport carries: one server and its clients.
pub struct Job {
    /// Seed for whatever the transport decides by chance.
    pub seed: u64,
    /// The listening side.
    pub service: Arc<dyn Service>,
    /// The clients. They connect one after the other, the first one first, and then work at the same time.
    pub clients: Vec<Box<dyn Endpoint>>,
    /// The faults between them.
    pub wires: Wires,
    /// How long messages take, where the transport can choose: at least and at most.
    pub latency: (Duration, Duration),
}

/// A lane. One value can carry any number of runs, one after the other.
pub trait Transport {
    /// Carries `job` to its end: until every client is done and the server has seen it. What happened stands
    /// in the recorders of the endpoints.
    ///
    /// # Errors
    /// If the lane itself failed, say because no socket could be made. What goes wrong between the endpoints
    /// is no error here but theirs to record.
    fn run(&mut self, job: Job) -> io::Result<()>;
}
