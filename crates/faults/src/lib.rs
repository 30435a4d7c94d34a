//! Puts exactly known faults on a byte stream, and proves of each whether it reached the reader: a test that passed because
//! the damage never arrived has shown nothing. It knows no protocol and no file format.
//!
//! [`FaultyLink`] puts them on any `AsyncRead + AsyncWrite` between the two ends of a test; [`proxy`] between two programs
//! over TCP, which need not be changed.
//!
//! ```
//! use faults::{Effect, Fault, FaultyLink, Flow};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
//!
//! # #[tokio::main(flavor = "current_thread")] // In a test of your own: #[tokio::test]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let link = FaultyLink::new([Fault::at(Flow::ToServer, 3, Effect::Flip { bit: 0 })])?;
//! let (mut client, server) = duplex(1024);
//! let mut server = link.wrap(server, Flow::ToServer);
//! client.write_all(b"hello").await?;
//! let mut received = [0; 5];
//! server.read_exact(&mut received).await?;
//! assert_eq!(&received, b"helmo");
//! assert!(link.all_reached(), "{:?}", link.records());
//! # Ok(())
//! # }
//! ```
//!
//! Below that door, everything is pure or a thin adapter. A [`Chain`] of [`Injector`]s per direction takes the bytes of a
//! stream and says what comes out in their place; a [`Gate`] queues that for one reader; [`Faulty`] puts a gate around a
//! connection, and [`Wires`] is what its two ends share. A fault is addressed by a stream offset, or by an offset in a
//! phase, which it waits for: somebody who knows the protocol tells [`Phases`] where each begins while the run goes on.
//! Offsets count the bytes that were *sent*, whatever other faults add or take away. Every fault has a [`FaultRecord`] in
//! the [`Ledger`]: whether it fired, where, what it changed, and whether that reached the reader. [`Truth`] compares files
//! byte by byte, and [`Verdict`] is what follows from it and a [`Claim`].

mod buffer;
mod chain;
pub mod collision;
mod comparison;
mod connection;
mod content;
mod direction;
mod excerpt;
mod fault;
mod gate;
mod held;
mod injector;
mod ledger;
mod link;
pub mod lockstep;
mod machine;
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

pub use buffer::{Buffer, CHUNK};
pub use chain::{Chain, Piece};
pub use connection::ConnectionId;
pub use content::Content;
pub use direction::{Direction, Flow};
pub use excerpt::Excerpt;
pub use fault::{At, Effect, Fault, Layer, MAX_FAULTS, MAX_WINDOW, Region, grouped};
pub use gate::{Gate, Next};
pub use injector::Injector;
pub use ledger::{ATTEMPT, FaultEntry, FaultRecord, Ledger, MAX_SHOWN};
pub use link::{Clock, FaultyLink};
pub use machine::{End, Machine};
pub use nature::Harm;
pub use phases::{PhasePlace, Phases};
pub use place::{Lengths, NoPlace, NoSuchPlace, PhaseMap, Strike, overlapping};
pub use reader::Reader;
pub use stream::Faulty;
pub use truth::Truth;
pub use verdict::{Claim, Verdict};
pub use wires::{ConnectionState, Disturbance, Signal, Wires};
