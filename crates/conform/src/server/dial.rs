//! Connections to the server under test.

use std::cell::{Cell, RefCell};
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::time::Duration;

use super::{Check, Finding, Stop};
use crate::Wire;

/// Makes connections, and knows what came of them.
pub(super) struct Dialer {
    /// Where the server may be; alone once it has answered.
    addresses: RefCell<Vec<SocketAddr>>,
    limit: Duration,
    /// How many connections the server took in all.
    connections: Cell<u64>,
    /// Whether it took one in this case.
    reached: Cell<bool>,
    /// Whether it said anything in this case.
    heard: Rc<Cell<bool>>,
}

impl Dialer {
    pub(super) fn new(addresses: &[SocketAddr], limit: Duration) -> Self {
        Self {
            addresses: RefCell::new(addresses.to_vec()),
            limit,
            connections: Cell::new(0),
            reached: Cell::new(false),
            heard: Rc::default(),
        }
    }

    /// A case begins.
    pub(super) fn begin(&self) {
        self.reached.set(false);
        self.heard.set(false);
    }

    /// From now on the server is at one of these.
    pub(super) fn aim(&self, addresses: Vec<SocketAddr>) {
        self.addresses.replace(addresses);
    }

    pub(super) fn connections(&self) -> u64 {
        self.connections.get()
    }

    pub(super) fn is_reached(&self) -> bool {
        self.reached.get()
    }

    pub(super) fn has_heard(&self) -> bool {
        self.heard.get()
    }

    pub(super) fn wire(&self) -> Check<Wire> {
        let stream = self.dial().map_err(|error| self.unreachable(&error))?;
        let wire = Wire::new(stream, self.limit).map_err(|error| self.unreachable(&error))?;
        self.reached.set(true);
        self.connections.set(self.connections.get() + 1);
        Ok(wire.telling(&self.heard))
    }

    /// A connection to the first address that takes one; the others are forgotten then.
    pub(super) fn dial(&self) -> io::Result<TcpStream> {
        let addresses = self.addresses.borrow().clone();
        let mut result = Err(ErrorKind::NotFound.into());
        for address in addresses {
            result = TcpStream::connect_timeout(&address, self.limit);
            if result.is_ok() {
                self.addresses.replace(vec![address]);
                break;
            }
        }
        result
    }

    /// A server that takes no connection cannot be tested; one that no longer does after what a case did to it
    /// has failed that case.
    fn unreachable(&self, error: &io::Error) -> Stop {
        if is_of_this_machine(error) && self.connections() > 0 {
            return Stop::Lost(format!("this machine has no connection to spare: {error}"));
        }
        if !self.reached.get() {
            let addresses: Vec<String> = self.addresses.borrow().iter().map(ToString::to_string).collect();
            return Stop::NotReached(format!("no connection to {}: {error}", addresses.join(", ")).into());
        }
        Stop::Fail(Box::new(Finding {
            rule: 27,
            step: Some(3),
            expected: "another connection, as before".into(),
            came: error.to_string(),
            ..Finding::default()
        }))
    }
}

/// Whether it is for want of ports, files or memory of this machine, and not of the server's doing, that there is no
/// connection.
fn is_of_this_machine(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::AddrNotAvailable | ErrorKind::AddrInUse | ErrorKind::OutOfMemory)
        || is_want_of_files(error)
}

#[cfg(unix)]
fn is_want_of_files(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let wants = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS];
    Errno::from_io_error(error).is_some_and(|error| wants.contains(&error))
}

#[cfg(not(unix))]
fn is_want_of_files(_: &io::Error) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_machine_lacks_is_not_charged() {
        let dialer = Dialer::new(&[], Duration::from_secs(1));
        dialer.reached.set(true);
        dialer.connections.set(1);
        let stop = |kind: ErrorKind| dialer.unreachable(&kind.into());
        assert!(matches!(stop(ErrorKind::AddrNotAvailable), Stop::Lost(_)));
        assert!(matches!(stop(ErrorKind::ConnectionRefused), Stop::Fail(_)));
        #[cfg(unix)]
        assert!(is_of_this_machine(&io::Error::from(rustix::io::Errno::MFILE)));
    }
}
