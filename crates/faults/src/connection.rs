//! Which connection an event belongs to.

use std::fmt;
use std::net::SocketAddr;

/// A connection. Both of its ends know it by the same: whose a session of the server is, is read off it and never
/// guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConnectionId {
    /// The address of the client's end.
    Address(SocketAddr),
    /// What the lane calls it, where there are no addresses.
    Number(u64),
}

impl ConnectionId {
    /// The address of the client's end, where there is one.
    #[must_use]
    pub fn address(self) -> Option<SocketAddr> {
        match self {
            Self::Address(address) => Some(address),
            Self::Number(_) => None,
        }
    }
}

impl From<SocketAddr> for ConnectionId {
    fn from(address: SocketAddr) -> Self {
        Self::Address(address)
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Number(number) => write!(f, "connection {number}"),
        }
    }
}
