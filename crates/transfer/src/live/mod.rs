//! The two programs of the specification for real: a [`LiveServer`] that is left running, with limits and a log, and a
//! [`Peer`] for the errands of a client. Both are the endpoints of the simulation, moved by its driver over real
//! sockets; nothing of the protocol is done here, and nothing is printed.

mod blocking;
mod errand;
mod limits;
mod log;
mod outcome;
mod peer;
mod server;

pub use outcome::TransferReport;
pub use peer::{Interrupt, Peer, PeerSettings, Trouble};
pub use server::{LiveServer, ServerSettings, StopReport};
