//! The real thing: sockets on the loopback interface and the machine's clock.

use std::io;
use std::net::SocketAddr;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Job, Transport};
use transfer::driver::{Active, ConnectResult, Ending, Listener, run_clients, serve};

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
        let (listener, address) = (Reused(Arc::clone(&self.listener)), self.address);
        let (service, wires) = (job.service, job.wires.clone());
        let server = async move {
            serve(listener, service, wires, Active::default(), clock, stopped, Ending::Wait).await
        };
        let clients = async move {
            run_clients(job.clients, job.wires, clock, move || open(address)).await;
            drop(stop);
        };
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

async fn open(address: SocketAddr) -> ConnectResult<TcpStream> {
    let connection = TcpStream::connect(address).await?;
    // Without this a small message waits for the acknowledgement of the one before.
    connection.set_nodelay(true)?;
    let local = connection.local_addr()?;
    Ok((connection, local.into()))
}

struct Reused(Arc<TcpListener>);

impl Listener for Reused {
    type Connection = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        let (connection, peer) = self.0.accept().await?;
        connection.set_nodelay(true)?;
        Ok((connection, peer))
    }
}
