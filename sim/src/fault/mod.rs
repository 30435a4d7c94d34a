//! Exactly known faults: decided here, purely, and carried out by thin adapters. A [`Chain`] per direction takes
//! the bytes of a stream and says what comes out in their place; [`Gate`] queues that for one reader;
//! [`Faulty`] puts a gate around any `AsyncRead + AsyncWrite`, the memory lane has one in each link;
//! [`FaultyStore`] does the same for the server's disk.
//!
//! A fault is addressed by stream offset, which [`PhaseMap`] works out from a control run. So nothing here
//! knows the protocol, and the same faults work on other people's programs. Every fault leaves a
//! [`FaultRecord`] in the [`Ledger`]: whether it fired, what it changed, and whether that reached the reader.

mod chain;
mod disk;
mod gate;
mod injector;
mod ledger;
mod place;
mod stream;
mod wires;

pub use chain::{Chain, Piece};
pub use disk::{DiskFault, FaultyStore};
pub use gate::{Gate, Next};
pub use injector::Injector;
pub use ledger::{FaultRecord, Ledger, MAX_SHOWN};
pub use place::{NoSuchPlace, PhaseMap, Strike, overlapping};
pub use stream::Faulty;
pub use wires::{Signal, Standing, Wires};

/// The direction of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flow {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}
