//! The real thing: sockets on the loopback interface and the machine's clock.

use std::io;
use std::net::SocketAddr;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::driver::{Clock, Listener, connect, pass_panic_on, serve};
use super::{Job, Transport};
use crate::endpoint::Endpoint;

/// The lane over loopback sockets. It keeps its listener from run to run: a fresh port for each would run
/// into those that still wait out their time.
pub struct Tcp {
    /// Where the clients run, and the server too unless it has a runtime of its own.
    runtime: Runtime,
    /// For the server, in a thread of its own. One runtime with two threads would not do: it wakes both ends
    /// on the same thread as often as not, and they take turns at what they could do at the same time.
    server_runtime: Option<Runtime>,
    listener: Arc<TcpListener>,
    address: SocketAddr,
}

impl Tcp {
    /// Listens on a free port of the loopback interface, both ends on the calling thread. Best for small
    /// files: no message has to wake another thread.
    ///
    /// # Errors
    /// If no socket can be made.
    pub fn new() -> io::Result<Self> {
        Self::on(runtime()?, None)
    }

    /// The same with a thread for the server. Best for large files: both ends hash at the same time.
    ///
    /// # Errors
    /// If no socket can be made.
    pub fn with_threads() -> io::Result<Self> {
        Self::on(runtime()?, Some(runtime()?))
    }

    fn on(runtime: Runtime, server_runtime: Option<Runtime>) -> io::Result<Self> {
        // A listener belongs to the runtime on which it was bound.
        let bound = server_runtime.as_ref().unwrap_or(&runtime);
        let listener = bound.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        Ok(Self { runtime, server_runtime, listener: Arc::new(listener), address })
    }
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_io().enable_time().build()
}

impl Transport for Tcp {
    fn run(&mut self, job: Job) -> io::Result<()> {
        let start = Instant::now();
        let clock = move || start.elapsed();
        let (stop, stopped) = oneshot::channel::<()>();
        // An error means that the other end was dropped, which is what is waited for.
        let stopped = async { drop(stopped.await) };
        let server = serve(Reused(Arc::clone(&self.listener)), job.service, clock, stopped);
        let clients = run_clients(job.clients, self.address, clock, stop);
        match &self.server_runtime {
            None => self.runtime.block_on(async {
                let server = tokio::spawn(server);
                clients.await;
                server.await.map_err(io::Error::other)?
            }),
            Some(own) => thread::scope(|scope| {
                let server = scope.spawn(|| own.block_on(server));
                self.runtime.block_on(clients);
                server.join().unwrap_or_else(|panic| resume_unwind(panic))
            }),
        }
    }
}

/// Runs every client to its end. Dropping `stop` then tells the server.
async fn run_clients(
    endpoints: Vec<Box<dyn Endpoint>>,
    address: SocketAddr,
    clock: impl Clock,
    stop: oneshot::Sender<()>,
) {
    let mut clients = JoinSet::new();
    for client in endpoints {
        clients.spawn(connect(open(address), client, clock.clone()));
    }
    while let Some(ended) = clients.join_next().await {
        pass_panic_on(ended);
    }
    drop(stop);
}

async fn open(address: SocketAddr) -> io::Result<TcpStream> {
    let connection = TcpStream::connect(address).await?;
    // Without this a small message waits for the acknowledgement of the one before.
    connection.set_nodelay(true)?;
    Ok(connection)
}

struct Reused(Arc<TcpListener>);

impl Listener for Reused {
    type Connection = TcpStream;

    async fn accept(&mut self) -> io::Result<TcpStream> {
        let (connection, _) = self.0.accept().await?;
        connection.set_nodelay(true)?;
        Ok(connection)
    }
}
