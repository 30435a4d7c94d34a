//! The two programs of the specification: a server that keeps files, and a client that transfers them, verified with
//! MD5. An [`Endpoint`](endpoint::Endpoint) is one side of one connection without I/O of its own: the state machines of
//! [`protocol`] joined to files and hashing, moved by whatever carries its bytes. [`driver`] moves it over any
//! `AsyncRead + AsyncWrite`; [`live`] is the same two programs for real, over TCP. [`storage`] is where the bytes live,
//! and [`scrub`] looks there for rot. What each side does it tells a [`Recorder`](record::Recorder).
//!
//! It judges nothing. Faults come from outside: as [`Wires`](faults::Wires) around a connection, and as a
//! [`FaultyStore`](storage::FaultyStore) around a store.

pub mod driver;
pub mod endpoint;
pub mod live;
mod real;
pub mod record;
pub mod scrub;
pub mod storage;

pub use real::{Link, run_over_tcp, serve_tcp};
