//! A proxy on a thread of its own, and how to end one.

use std::io;
use std::net::SocketAddr;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use tokio::sync::watch as signal;

use super::{Event, Proxy, ProxyOutcome};

/// Ends a proxy from elsewhere, say from a signal handler. Clones end the same one.
#[derive(Clone, Debug)]
pub struct Stopper(signal::Sender<Option<Duration>>);

impl Default for Stopper {
    fn default() -> Self {
        Self(signal::channel(None).0)
    }
}

impl Stopper {
    /// Nothing is accepted from now on, and connections that are open may take so long to end.
    pub fn stop(&self, patience: Duration) {
        self.0.send_replace(Some(patience));
    }

    /// Done when the proxy was stopped: how long connections may take.
    pub(super) async fn stopped(&self) -> Duration {
        let mut stopped = self.0.subscribe();
        let patience = stopped.wait_for(Option::is_some).await;
        patience.ok().and_then(|patience| *patience).unwrap_or_default()
    }
}

/// A proxy that runs on a thread of its own. Dropping this stops it.
#[derive(Debug)]
pub struct Running {
    addresses: Vec<SocketAddr>,
    stopper: Stopper,
    thread: Option<JoinHandle<io::Result<ProxyOutcome>>>,
}

impl Proxy {
    /// Runs on a thread of its own; see [`run`](Self::run).
    ///
    /// # Errors
    /// If the thread or its runtime cannot be made.
    pub fn spawn(self, sink: impl FnMut(Event) + Send + 'static) -> io::Result<Running> {
        let (addresses, stopper) = (self.local_addrs().to_vec(), self.stopper());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let thread = Builder::new().name("proxy".into()).spawn(move || runtime.block_on(self.run(sink)))?;
        Ok(Running { addresses, stopper, thread: Some(thread) })
    }
}

impl Running {
    /// Where it listens: the address of the first listener.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// Where it listens, in the order in which the listeners were added.
    #[must_use]
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Ends it from elsewhere.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Stops it, with so much time for connections that are open, and waits for that.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub fn finish(self, patience: Duration) -> io::Result<ProxyOutcome> {
        self.stopper.stop(patience);
        self.wait()
    }

    /// Waits until it ends.
    ///
    /// # Errors
    /// As [`Proxy::run`].
    pub fn wait(mut self) -> io::Result<ProxyOutcome> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(outcome)) => outcome,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => Ok(ProxyOutcome::default()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stopper.stop(Duration::ZERO);
    }
}
