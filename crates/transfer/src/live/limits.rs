//! The limits that servers and clients share: the least pace of a peer, and what the system does to a program that writes
//! beyond its limit for the size of files.

/// How many bytes of a file, or of a listing, a peer has to move within a deadline: at 30 seconds, about a kilobyte a
/// second.
pub(super) const PACE: u64 = 32 * 1024;

/// Makes a write beyond the limit for the size of a file (`ulimit -f`) an error like that of a full disk. Without this
/// the system would end the program, and with a server all its sessions. Called inside a runtime.
#[cfg(unix)]
pub(super) fn survive_limits() {
    use tokio::signal::unix::{SignalKind, signal};
    let kind = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    // The handler stays when this is dropped. If there is none, it is as it was.
    let _ = signal(kind);
}

#[cfg(not(unix))]
pub(super) fn survive_limits() {}
