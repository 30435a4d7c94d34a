//! One end of a real connection. The other end is another process: perhaps our own program, perhaps not.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};
use tracing::warn;

use super::driver::{Active, ConnectResult, Ending, Listener, run_client, serve};
use crate::endpoint::{Endpoint, Service};
use faults::Wires;

/// How long a server waits after it could not take a connection: for want of a file descriptor, say, which
/// comes back only when a session ends.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Serves `service` on the connections of `listener` until `stop` is done. Then it takes no more, tells the sessions
/// to come to an end, and drops those that have not after `grace`.
///
/// # Errors
/// None as yet: a connection that cannot be taken is logged, and the next one waited for.
pub async fn serve_tcp(
    listener: TcpListener,
    service: Arc<dyn Service>,
    stop: impl Future<Output = ()>,
    grace: Duration,
) -> io::Result<()> {
    let start = Instant::now();
    let clock = move || start.elapsed();
    let (wires, active) = (Wires::default(), Active::default());
    serve(PatientListener(listener), service, wires, active, clock, stop, Ending::Within(grace)).await
}

/// Where a client connects to.
#[derive(Clone, Debug)]
pub struct Link {
    /// `HOST:PORT`.
    pub address: String,
    /// How long a connection may take to be made.
    pub deadline: Duration,
}

/// Connects `client` and drives it until it is done.
///
/// # Errors
/// If the last connection that it wanted could not be made.
pub async fn run_over_tcp(client: Box<dyn Endpoint>, link: Link) -> io::Result<()> {
    let start = Instant::now();
    let clock = move || start.elapsed();
    let last = Arc::new(Mutex::new(Ok(())));
    let open = || {
        let (link, last) = (link.clone(), Arc::clone(&last));
        async move {
            let (opened, result) = match connect(&link).await {
                Ok(opened) => (Ok(opened), Ok(())),
                Err(error) => (Err(error.kind().into()), Err(error)),
            };
            *last.lock().unwrap_or_else(PoisonError::into_inner) = result;
            opened
        }
    };
    run_client(client, open().await, Wires::default(), clock, open).await;
    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::replace(&mut last, Ok(()))
}

async fn connect(link: &Link) -> ConnectResult<TcpStream> {
    let connecting = TcpStream::connect(&link.address);
    let too_late = |_| io::Error::new(io::ErrorKind::TimedOut, "nobody answered in time");
    let connection = timeout(link.deadline, connecting).await.map_err(too_late)??;
    // Without this a small message waits for the acknowledgement of the one before.
    connection.set_nodelay(true)?;
    let local = connection.local_addr()?;
    Ok((connection, local.into()))
}

/// A listener that outlives what goes wrong with single connections.
struct PatientListener(TcpListener);

impl Listener for PatientListener {
    type Connection = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        let mut warned = false;
        loop {
            match self.0.accept().await {
                // One that has gone already is not worth a word.
                Ok((connection, peer)) if connection.set_nodelay(true).is_ok() => {
                    return Ok((connection, peer));
                }
                Ok(_) => {}
                Err(error) => {
                    if !warned {
                        warn!(%error, "cannot take a connection; trying again");
                    }
                    warned = true;
                    sleep(ACCEPT_AGAIN).await;
                }
            }
        }
    }
}
