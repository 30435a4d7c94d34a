//! Exactly known faults: decided here, purely, and carried out by thin adapters. A [`Chain`] per direction takes
//! the bytes of a stream and says what comes out in their place; [`Gate`] queues that for one reader;
//! [`Faulty`] puts a gate around any `AsyncRead + AsyncWrite`, and [`proxy`] between two programs over TCP.
//!
//! A fault is addressed by a stream offset, or by an offset in a phase, which it waits for: somebody who knows the
//! protocol tells [`Phases`] where each begins while the run goes on. So nothing here knows the protocol, and the same
//! faults work on other people's programs. Offsets count the bytes that were *sent*, whatever other faults add or take
//! away. Every fault leaves a [`FaultRecord`] in the [`Ledger`]: whether it fired, where, what it changed, and whether
//! that reached the reader.

mod chain;
pub mod collision;
mod connection;
mod content;
mod direction;
mod excerpt;
mod fault;
mod gate;
mod held;
mod injector;
mod ledger;
mod nature;
mod phases;
mod place;
pub mod proxy;
mod reader;
mod stream;
pub mod text;
mod truth;
mod verdict;
mod wires;

pub use chain::{Chain, Piece};
pub use connection::ConnectionId;
pub use content::Content;
pub use direction::{Direction, Flow};
pub use excerpt::Excerpt;
pub use fault::{At, Effect, Fault, Layer, MAX_FAULTS, MAX_WINDOW, Region, grouped};
pub use gate::{Gate, Next};
pub use injector::Injector;
pub use ledger::{ATTEMPT, FaultRecord, Ledger, MAX_SHOWN};
pub use nature::Harm;
pub use phases::{Phases, Sought};
pub use place::{NoSuchPlace, PhaseMap, Strike, overlapping};
pub use reader::Reader;
pub use stream::Faulty;
pub use truth::Truth;
pub use verdict::{Claim, Verdict};
pub use wires::{Signal, Standing, Wires};
