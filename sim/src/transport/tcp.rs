//! The real thing: sockets on the loopback interface and the machine's clock.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::driver::{Listener, run_clients, serve};
use super::{Job, Transport};

/// The lane over loopback sockets. It keeps its listener from run to run: a fresh port for each would run
/// into those that still wait out their time.
pub struct Tcp {
    runtime: Runtime,
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
        Self::on(Builder::new_current_thread())
    }

    /// The same with a thread for each end. Best for large files: both ends hash at the same time.
    ///
    /// # Errors
    /// If no socket or thread can be made.
    pub fn with_threads() -> io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(2);
        Self::on(builder)
    }

    fn on(mut builder: Builder) -> io::Result<Self> {
        let runtime = builder.enable_io().enable_time().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        Ok(Self { runtime, listener: Arc::new(listener), address })
    }
}

impl Transport for Tcp {
    fn run(&mut self, job: Job) -> io::Result<()> {
        let start = Instant::now();
        let clock = move || start.elapsed();
        let (listener, address) = (Reused(Arc::clone(&self.listener)), self.address);
        self.runtime.block_on(async move {
            let (stop, stopped) = oneshot::channel::<()>();
            // An error means that the other end was dropped, which is what is waited for.
            let stopped = async { drop(stopped.await) };
            let server = tokio::spawn(serve(listener, job.service, job.wires.clone(), clock, stopped));
            run_clients(job.clients, job.wires, clock, move || open(address)).await;
            drop(stop);
            server.await.map_err(io::Error::other)?
        })
    }
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
