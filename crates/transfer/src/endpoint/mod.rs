//! The two programs of the specification, without I/O of their own: each [`Endpoint`] joins a protocol state
//! machine to files, hashing and a recorder, and is moved by any transport. An endpoint does not know what
//! carries its bytes, and has no clock: the transport tells it the time with every call.

mod ahead;
mod careless;
mod client;
mod config;
mod flaw;
mod hasher;
mod host;
mod query;
mod script;
mod server;
mod sessions;

use std::ops::Range;
use std::time::Duration;

use crate::record::Recorder;
use faults::{ConnectionId, Machine};

pub use ahead::HashThreads;
pub use client::Client;
pub use config::{ClientConfig, FirstSession, ServerConfig};
pub use flaw::Conduct;
#[cfg(feature = "flaws")]
pub use flaw::{Flaw, UnknownFlaw};
pub use hasher::{Hasher, md5_of, md5_with};
pub use query::{FileQuery, MIN_BEGINNING, QueryError};
pub use script::{ClientCommand, Script};
pub use server::Server;
pub use sessions::Sessions;

/// One of the two programs: a [`Machine`] that records what it does and sees.
pub trait Endpoint: Machine {
    /// Where it records that.
    fn record(&self) -> &Recorder;
}

/// The listening side of a run: makes an endpoint for every connection.
pub trait Service: Send + Sync {
    /// The transport listens from now on.
    fn handle_listening(&self, now: Duration);

    /// This connection has come in.
    fn accept(&self, now: Duration, connection: ConnectionId) -> Box<dyn Endpoint>;

    /// The machine went down, and every session with it.
    fn handle_crash(&self, now: Duration);
}

/// How long an endpoint whose session is over waits for its peer.
const CLOSING: Duration = Duration::from_secs(2);

/// Moves a deadline forward whenever something happens.
#[derive(Clone, Copy, Debug)]
struct Deadline {
    limit: Duration,
    expires: Duration,
    /// How many payload bytes put it off.
    pace: u64,
    /// Those that have come since it was put off.
    moved: u64,
}

impl Deadline {
    fn new(limit: Duration, pace: u64) -> Self {
        Self { limit, expires: limit, pace, moved: 0 }
    }

    fn extend(&mut self, now: Duration) {
        (self.expires, self.moved) = (now + self.limit, 0);
    }

    /// Some payload has come. Who sends it byte by byte gets no more time for each.
    fn extend_by(&mut self, now: Duration, bytes: usize) {
        // A message counts as more than any payload.
        self.moved = self.moved.saturating_add(bytes as u64);
        if self.moved >= self.pace {
            self.extend(now);
        }
    }

    /// The session is over; the peer has a moment to take the last word and end its side.
    fn close(&mut self, now: Duration) {
        self.expires = now + self.limit.min(CLOSING);
    }

    /// Nobody is waited for any more.
    fn pass(&mut self, now: Duration) {
        self.expires = now;
    }

    fn has_passed(&self, now: Duration) -> bool {
        now >= self.expires
    }
}

/// Counts what a side has put out, so that every message knows its offsets in the stream.
#[derive(Clone, Copy, Debug, Default)]
struct SentBytes {
    /// All bytes put out.
    total: u64,
    /// Where the current message began.
    start: u64,
}

impl SentBytes {
    fn count(&mut self, bytes: usize) {
        self.total += bytes as u64;
    }

    /// The offsets that the message will have that begins now, of this length.
    fn coming(&self, length: u64) -> Range<u64> {
        self.start..self.start + length
    }

    /// The offsets of the message that is complete now.
    fn message(&mut self) -> Range<u64> {
        let start = std::mem::replace(&mut self.start, self.total);
        start..self.total
    }
}

/// A line without its end, whatever bytes it has.
fn text_of(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim_end_matches(['\r', '\n']).to_owned()
}
