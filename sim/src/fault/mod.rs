//! Exactly known faults: decided here, purely, and carried out by thin adapters. A [`Chain`] per direction takes
//! the bytes of a stream and says what comes out in their place; [`Gate`] queues that for one reader;
//! [`Faulty`] puts a gate around any `AsyncRead + AsyncWrite`, the memory lane has one in each link;
//! [`FaultyStore`] does the same for the server's disk.
//!
//! A fault is addressed by a stream offset, or by an offset in a phase, which it waits for: somebody who knows the
//! protocol tells [`Phases`] where each begins while the run goes on. So nothing here knows the protocol, and the same
//! faults work on other people's programs. Offsets count the bytes that were *sent*, whatever other faults add or take
//! away. Every fault leaves a [`FaultRecord`] in the [`Ledger`]: whether it fired, where, what it changed, and whether
//! that reached the reader.

mod chain;
mod disk;
mod gate;
mod held;
mod injector;
mod ledger;
mod phases;
mod place;
mod stream;
mod wires;

pub use chain::{Chain, Piece};
pub use disk::{Arming, DiskFault, FaultyStore};
pub use gate::{Gate, Next};
pub use injector::Injector;
pub use ledger::{ATTEMPT, FaultRecord, Ledger, MAX_SHOWN};
pub use phases::{Phases, Sought};
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
