//! A server that is this test: it knows what it should be sent, and may lie.

use std::net::TcpListener;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};

use super::PATIENCE;
use super::raw::Raw;

/// Where clients come in.
pub(crate) struct Door(TcpListener);

impl Door {
    /// The next client.
    pub(crate) fn open(&self) -> Raw {
        Raw::over(self.0.accept().unwrap().0)
    }
}

/// A server on a thread of its own.
pub(crate) struct Fake {
    pub(crate) address: String,
    over: Receiver<()>,
    thread: JoinHandle<()>,
}

impl Fake {
    /// Serves as `script` says.
    pub(crate) fn start(script: impl FnOnce(&Door) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (sender, over) = channel();
        let thread = thread::spawn(move || {
            // It tells by being dropped, also by a panic.
            let _sender = sender;
            script(&Door(listener));
        });
        Self { address, over, thread }
    }

    /// Serves one client.
    pub(crate) fn once(script: impl FnOnce(Raw) + Send + 'static) -> Self {
        Self::start(|door| script(door.open()))
    }

    /// Waits until the script is over, and fails if it did.
    pub(crate) fn join(self) {
        let ended = self.over.recv_timeout(PATIENCE);
        assert!(ended != Err(std::sync::mpsc::RecvTimeoutError::Timeout), "the server still waits");
        if let Err(panic) = self.thread.join() {
            resume_unwind(panic);
        }
    }
}
