//! What a proxy did, as typed values. Writing them down is for others.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::Fault;
use crate::Flow;

/// One thing that a proxy did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, since the proxy began to run, by the machine's clock.
    pub at: Duration,
    /// On which connection, from 1.
    pub connection: u64,
    /// What.
    pub what: EventKind,
}

/// What a proxy did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A client was accepted and the target reached: bytes pass from now on.
    Opened {
        /// The client.
        client: SocketAddr,
        /// The target.
        target: SocketAddr,
        /// At which of the proxy's listeners, from 0.
        listener: usize,
    },
    /// A client was accepted, but the target could not be reached: the client is reset.
    Refused {
        /// The client.
        client: SocketAddr,
        /// Why.
        error: io::ErrorKind,
    },
    /// A fault fired.
    Fired {
        /// Its number in [`Settings::faults`](super::Settings::faults), from 0.
        number: usize,
        /// What it is.
        fault: Fault,
        /// Which way.
        flow: Flow,
        /// Where it struck: the offset in the stream as the sender sent it.
        offset: u64,
        /// The first of the bytes that it took away or changed, at most [`MAX_SHOWN`](crate::MAX_SHOWN).
        old: Vec<u8>,
        /// The first of the bytes that it put in their place, as many.
        new: Vec<u8>,
    },
    /// What a fault did was handed to the reader: the reader's socket took the changed bytes, or the end.
    Delivered {
        /// Its number, from 0.
        number: usize,
        /// Which way.
        flow: Flow,
        /// How many bytes the reader's socket had taken by then.
        bytes: u64,
    },
    /// The connection is over.
    Closed {
        /// In which way.
        how: ConnectionEnd,
        /// What went to the target.
        to_server: Traffic,
        /// What went to the client.
        to_client: Traffic,
    },
}

/// How many bytes went one way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// What the proxy took from the sender.
    pub sent: u64,
    /// What the reader's socket took from the proxy.
    pub delivered: u64,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionEnd {
    /// Both directions ended.
    Finished,
    /// One side broke it, or a fault did; so it was broken for the other too.
    Reset,
    /// The proxy was stopped.
    Stopped,
}

impl ConnectionEnd {
    /// In one word, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Reset => "reset",
            Self::Stopped => "stopped",
        }
    }
}
