//! A side of a connection without I/O of its own: a state machine that somebody else moves.

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use auto_impl::auto_impl;

use crate::{Buffer, ConnectionId, Reader};

/// One side of one connection. `now` is always the time since the run began.
///
/// Whoever moves it calls, in this order and for as long as anything moves: [`poll_transmit`](Self::poll_transmit),
/// [`handle_input`](Self::handle_input), [`handle_timeout`](Self::handle_timeout) when the time of
/// [`poll_timeout`](Self::poll_timeout) has come. Once [`is_closed`](Self::is_closed), it flushes, ends its
/// sending side, and reads and drops until the peer does the same.
// Whoever has lent a machine has it back afterwards.
#[auto_impl(&mut, Box)]
pub trait Machine: Send {
    /// This connection stands.
    fn handle_connected(&mut self, _now: Duration, _connection: ConnectionId) {}

    /// Takes what came in off the front of `input` and returns how many bytes it used. The rest is offered
    /// again, together with what comes next.
    fn handle_input(&mut self, now: Duration, input: &[u8]) -> usize;

    /// No more input will come.
    fn handle_end(&mut self, now: Duration, end: End);

    /// The time of [`poll_timeout`](Self::poll_timeout) has come.
    fn handle_timeout(&mut self, _now: Duration) {}

    /// Puts what is to be sent next into `out`, as much as fits. If it puts nothing there, it has nothing to
    /// send until something else happens.
    fn poll_transmit(&mut self, now: Duration, out: &mut Buffer);

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    fn poll_timeout(&self) -> Option<Duration> {
        None
    }

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

    /// Itself as the reader of a stream with faults.
    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(())
    }
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
