//! A server that is left running.

use faults::Machine;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::available_parallelism;
use std::time::Duration;

use protocol::ErrorCode;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use super::blocking::Blocking;
use super::limits::{PACE, survive_limits};
use super::log::{OpenSessions, SessionLog};
use crate::endpoint::{self, Conduct, Endpoint, HashThreads, ServerConfig, Service};
use crate::real::serve_tcp;
use crate::record::Recorder;
use crate::storage::Store;
use faults::ConnectionId;
use faults::proxy::let_wait;

/// How many connections beyond the limit are told so at once; any more are closed without a word.
const TOLD_BUSY: usize = 64;

/// How many threads move sessions at least: one that waits for a disk shall not hold up all others.
const MIN_THREADS: usize = 4;

/// The limits of a server.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// How many connections it serves at once; those beyond are told `ERROR busy`.
    pub max_connections: usize,
    /// A session ends when its peer sends nothing for so long, or next to nothing of a file.
    pub deadline: Duration,
    /// Where large files are hashed.
    pub hash_threads: HashThreads,
    /// How long sessions have to finish what they are at when the server is to stop.
    pub grace: Duration,
    /// Whether it makes a mistake, for tests of the harness.
    pub conduct: Conduct,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            max_connections: 2_000,
            deadline: Duration::from_secs(30),
            hash_threads: HashThreads::spare(),
            grace: Duration::from_secs(10),
            conduct: Conduct::default(),
        }
    }
}

/// How a server stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StopReport {
    /// How many sessions had not finished within the grace period and were dropped, with the uploads they had
    /// begun.
    pub dropped: usize,
}

/// A server that listens.
pub struct LiveServer {
    runtime: Runtime,
    listener: TcpListener,
    service: Arc<LiveService>,
    grace: Duration,
}

impl LiveServer {
    /// Listens on `address`, `HOST:PORT`, with the files of `store`. Port 0 takes a free one.
    ///
    /// # Errors
    /// If the address cannot be listened on.
    pub fn bind(address: &str, store: Arc<dyn Store>, settings: ServerSettings) -> io::Result<Self> {
        let threads = available_parallelism().map_or(1, NonZero::get).max(MIN_THREADS);
        let runtime =
            Builder::new_multi_thread().worker_threads(threads).enable_io().enable_time().build()?;
        let listener = runtime.block_on(TcpListener::bind(address))?;
        let_wait(&listener)?;
        let config = ServerConfig {
            pace: PACE,
            hash_threads: settings.hash_threads,
            conduct: settings.conduct,
            ..ServerConfig::new(Arc::new(Blocking(store)), settings.deadline)
        };
        let service = LiveService {
            config,
            max_connections: settings.max_connections,
            open: OpenSessions::default(),
            accepted: AtomicU64::new(0),
        };
        Ok(Self { runtime, listener, service: Arc::new(service), grace: settings.grace })
    }

    /// The address on which it listens.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` is done; then takes no more connections, and lets the sessions finish what they are at.
    ///
    /// # Errors
    /// If the listener fails for good.
    pub fn run(self, stop: impl Future<Output = ()>) -> io::Result<StopReport> {
        let open = self.service.open.clone();
        self.runtime.block_on(async {
            survive_limits();
            serve_tcp(self.listener, self.service, stop, self.grace).await
        })?;
        Ok(StopReport { dropped: open.cut() })
    }
}

/// Makes a session for every connection, up to a limit.
struct LiveService {
    config: ServerConfig,
    max_connections: usize,
    open: OpenSessions,
    accepted: AtomicU64,
}

impl Service for LiveService {
    fn handle_listening(&self, _now: Duration) {}

    fn accept(&self, now: Duration, connection: ConnectionId) -> Box<dyn Endpoint> {
        let number = self.accepted.fetch_add(1, Ordering::Relaxed) + 1;
        let (log, open) = SessionLog::begin(number, connection.address(), &self.open);
        let is_too_many = open > self.max_connections;
        let record = Recorder::observed(Arc::new(if is_too_many { log.turned_away() } else { log }));
        let mut server = endpoint::Server::new(self.config.clone(), record);
        server.handle_connected(now, connection);
        if is_too_many {
            let is_told = open <= self.max_connections.saturating_add(TOLD_BUSY);
            server.turn_away(now, is_told.then_some(ErrorCode::Busy));
        }
        Box::new(server)
    }

    /// A machine that goes down does not come to tell.
    fn handle_crash(&self, _now: Duration) {}
}
