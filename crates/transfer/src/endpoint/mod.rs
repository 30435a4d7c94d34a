//! The two programs of the specification, without I/O of their own: each [`Endpoint`] joins a protocol state
//! machine to files, hashing and a recorder, and is moved by any transport. An endpoint does not know what
//! carries its bytes, and has no clock: the transport tells it the time with every call.

mod ahead;
mod buffer;
mod client;
mod config;
mod flaw;
mod hasher;
mod machine;
mod script;
mod server;
mod sessions;
mod wish;

use std::ops::Range;
use std::task::Waker;
use std::time::Duration;

use crate::record::Recorder;
use faults::ConnectionId;

pub use ahead::HashThreads;
pub use buffer::{Buffer, CHUNK};
pub use client::Client;
pub use config::{ClientConfig, FirstSession, ServerConfig};
pub use flaw::{Flaw, UnknownFlaw};
pub use hasher::{Hasher, md5_of, md5_with};
pub use script::{Command, Script};
pub use server::Server;
pub use sessions::Sessions;
pub use wish::{MIN_BEGINNING, NoFile, Wish};

/// One side of one connection. `now` is always the time since the run began.
///
/// A transport calls, in this order and for as long as anything moves: [`poll_transmit`](Self::poll_transmit),
/// [`handle_input`](Self::handle_input), [`handle_timeout`](Self::handle_timeout) when the time of
/// [`poll_timeout`](Self::poll_timeout) has come. Once [`is_closed`](Self::is_closed), it flushes, ends its
/// sending side, and reads and drops until the peer does the same.
pub trait Endpoint: Send {
    /// This connection stands.
    fn handle_connected(&mut self, now: Duration, connection: ConnectionId);

    /// Takes what came in off the front of `input` and returns how many bytes it used. The rest is offered
    /// again, together with what comes next.
    fn handle_input(&mut self, now: Duration, input: &[u8]) -> usize;

    /// No more input will come.
    fn handle_end(&mut self, now: Duration, end: End);

    /// The time of [`poll_timeout`](Self::poll_timeout) has come.
    fn handle_timeout(&mut self, now: Duration);

    /// Puts what is to be sent next into `out`, as much as fits. If it puts nothing there, it has nothing to
    /// send until something else happens.
    fn poll_transmit(&mut self, now: Duration, out: &mut Buffer);

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    fn poll_timeout(&self) -> Option<Duration>;

    /// Whether the session is over: nothing more will be put out or taken in.
    fn is_closed(&self) -> bool;

    /// It is to end the session as soon as it may, which is between two exchanges. What is under way goes on.
    fn handle_shutdown(&mut self, _now: Duration) {}

    /// Notices whether the machine that it runs on has gone down, and then says no more. `waker` is woken when that
    /// happens: it comes from outside, so that nothing else would wake who moves this.
    fn poll_machine(&mut self, _now: Duration, _waker: Option<&Waker>) {}

    /// Asked when the connection is gone: how long to wait before the next one, if it wants one. It is then as
    /// before its first.
    fn reconnect(&mut self) -> Option<Duration> {
        None
    }

    /// Where it records what it does and sees.
    fn record(&self) -> &Recorder;
}

/// How input ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The peer ended its sending side.
    Finished,
    /// The connection broke.
    Broken,
    /// The connection was never made.
    NotConnected,
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
