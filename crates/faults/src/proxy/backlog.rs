//! How many connections wait at a listener to be accepted. The standard library asks for 128; of those beyond, the system
//! drops the first packet, and each tries again after a second.

use std::io;

/// How many may wait. The system takes less if it is set so (`net.core.somaxconn` on Linux).
#[cfg(unix)]
const BACKLOG: i32 = 4_096;

/// Lets as many wait at this listener, which listens already.
#[cfg(unix)]
pub fn let_wait(listener: &impl std::os::fd::AsFd) -> io::Result<()> {
    Ok(rustix::net::listen(listener, BACKLOG)?)
}

#[cfg(not(unix))]
pub fn let_wait<T>(_listener: &T) -> io::Result<()> {
    Ok(())
}
