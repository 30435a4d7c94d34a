//! A TCP proxy through the fault layer, for programs that are not ours: what a client sends to the proxy goes to
//! the target and back, and exactly known faults strike on the way. It knows no protocol, only connections,
//! directions and offsets, and judges nothing: it says in [`Event`]s what it did.
//!
//! [`Proxy::bind`] listens, [`Proxy::run`] is the proxy as a future, [`Proxy::spawn`] puts it on a thread of its
//! own. Faults are placed before that, by [`place`], each on a connection: they are numbered from 1 in the order
//! in which they were accepted, over all listeners. A proxy that keeps [`Recording`]s shows where a payload
//! travelled: [`locate`](locate::locate) finds it there.
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::{TcpListener, TcpStream};
//! use std::time::Duration;
//!
//! use faults::proxy::{Connections, PlacedFault, Proxy, Settings};
//! use faults::{Effect, Fault, Flow};
//!
//! let target = TcpListener::bind("127.0.0.1:0")?;
//! let flip = Fault::at(Flow::ToServer, 3, Effect::Flip { bit: 0 });
//! let placed = PlacedFault::new(Connections::Nth(1), Flow::ToServer, 3, flip).expect("a fault of a stream");
//! let settings = Settings { faults: vec![placed], ..Settings::default() };
//! let proxy = Proxy::bind("127.0.0.1:0", target.local_addr()?, settings)?;
//! let address = proxy.local_addr();
//! let running = proxy.spawn(|_event| {})?;
//! let mut client = TcpStream::connect(address)?;
//! client.write_all(b"hello")?;
//! drop(client);
//! let mut received = String::new();
//! target.accept()?.0.read_to_string(&mut received)?;
//! assert_eq!(received, "helmo");
//! let outcome = running.finish(Duration::from_secs(5))?;
//! assert_eq!(outcome.unproved(), None, "every fault was handed to its reader");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Every connection is one task with two lanes, one for each direction. Where no fault is ahead
//! a lane is a bare copy: no clock, no lock, no second buffer.

mod backlog;
mod connection;
mod event;
mod hub;
mod lane;
pub mod locate;
mod place;
mod running;
mod tap;
mod watch;

use std::future::poll_fn;
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch as signal;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

pub use backlog::let_wait;
pub use event::{ConnectionEnd, Event, EventKind, Traffic};
pub use hub::{MAX_RECORDINGS, MAX_REFUSED, Proof, ProxyOutcome};
pub use place::{Connections, PlacedFault, clash, place};
pub use running::{Running, Stopper};
pub use tap::Recording;

use connection::Connection;
use hub::Hub;

/// How many connections are carried at once. More of them wait to be accepted.
pub const MAX_CONNECTIONS: usize = 1_024;

/// How many pairs of a listener and its target a proxy can have.
pub const MAX_LISTENERS: usize = 16;

/// How many faults can be placed over all connections.
pub const MAX_PLACED: usize = 4_096;

/// How long the proxy waits before it accepts again when the system refuses to, say for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What a proxy does besides carrying bytes.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What goes wrong, at most [`MAX_PLACED`].
    pub faults: Vec<PlacedFault>,
    /// If given, what the senders send is kept: at most so many bytes over all connections and directions.
    pub recording: Option<u64>,
    /// If given, the proxy ends once this connection has; with [`Connections::All`], once none is left after the first.
    pub once: Option<Connections>,
}

/// Makes a connection to a target that no address reaches from here: one in another network.
pub type Dial = Arc<dyn Fn() -> io::Result<std::net::TcpStream> + Send + Sync>;

/// How a target is reached.
#[derive(Clone)]
enum Target {
    /// At the first of these that accepts.
    At(Arc<[SocketAddr]>),
    /// Somebody else does it.
    By(Dial),
}

/// Where connections come from and where they go.
struct Route {
    listener: TcpListener,
    target: Target,
}

/// A proxy that listens, and accepts once it runs.
pub struct Proxy {
    routes: Vec<Route>,
    addresses: Vec<SocketAddr>,
    settings: Settings,
    stopper: Stopper,
}

impl Proxy {
    /// Listens at `listen`, where port 0 is any free one, for connections to `target`.
    ///
    /// # Errors
    /// If an address cannot be resolved, if `listen` is not free, or if there are more than [`MAX_PLACED`] faults.
    pub fn bind(
        listen: impl ToSocketAddrs,
        target: impl ToSocketAddrs,
        settings: Settings,
    ) -> io::Result<Self> {
        let mut proxy = Self::closed(settings)?;
        proxy.also(listen, target)?;
        Ok(proxy)
    }

    /// Listens at `listener`, which may be in another network, for connections to whatever `dial` connects to.
    ///
    /// # Errors
    /// If the listener is not fit for it, or if there are more than [`MAX_PLACED`] faults.
    pub fn between(listener: TcpListener, dial: Dial, settings: Settings) -> io::Result<Self> {
        let mut proxy = Self::closed(settings)?;
        proxy.open(listener, Target::By(dial))?;
        Ok(proxy)
    }

    /// Without a listener.
    fn closed(settings: Settings) -> io::Result<Self> {
        if settings.faults.len() > MAX_PLACED {
            return Err(invalid(&format!("a proxy can have at most {MAX_PLACED} faults")));
        }
        Ok(Self { routes: Vec::new(), addresses: Vec::new(), settings, stopper: Stopper::default() })
    }

    fn open(&mut self, listener: TcpListener, target: Target) -> io::Result<SocketAddr> {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        self.routes.push(Route { listener, target });
        self.addresses.push(address);
        Ok(address)
    }

    /// Listens at `listen` for connections to `target` too: for protocols with more than one port. Returns
    /// where it listens.
    ///
    /// # Errors
    /// As [`bind`](Self::bind), and if there are [`MAX_LISTENERS`] already.
    pub fn also(&mut self, listen: impl ToSocketAddrs, target: impl ToSocketAddrs) -> io::Result<SocketAddr> {
        if self.routes.len() == MAX_LISTENERS {
            return Err(invalid(&format!("a proxy can have at most {MAX_LISTENERS} listeners")));
        }
        let target: Vec<SocketAddr> = target.to_socket_addrs()?.collect();
        if target.is_empty() {
            return Err(invalid("the target has no address"));
        }
        let listener = TcpListener::bind(listen)?;
        let_wait(&listener)?;
        self.open(listener, Target::At(target.into()))
    }

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

    /// Ends the proxy from elsewhere.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Carries connections until it is stopped, or until [`Settings::once`] says so. `sink` gets every event, in
    /// order, and must not block for long. Needs a tokio runtime with I/O and time.
    ///
    /// # Errors
    /// If the runtime does not take the listeners.
    pub async fn run(self, sink: impl FnMut(Event) + Send + 'static) -> io::Result<ProxyOutcome> {
        let mut routes = Vec::new();
        for route in self.routes {
            routes.push((tokio::net::TcpListener::from_std(route.listener)?, route.target));
        }
        let (halt, _) = signal::channel(false);
        let once = self.settings.once;
        let hub = Arc::new(Hub::new(self.settings, Box::new(sink), halt.subscribe()));
        let mut proxy =
            RunningProxy { routes, hub, tasks: JoinSet::new(), accepted: 0, once, once_done: false };
        let patience = proxy.serve(self.stopper).await;
        // From here on nothing is accepted; those that are open may come to their end.
        proxy.routes.clear();
        if timeout(patience, proxy.join_all()).await.is_err() {
            halt.send_replace(true);
            proxy.join_all().await;
        }
        Ok(proxy.hub.outcome(proxy.accepted))
    }
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

/// A proxy that runs.
struct RunningProxy {
    routes: Vec<(tokio::net::TcpListener, Target)>,
    hub: Arc<Hub>,
    /// Each gives its number back.
    tasks: JoinSet<u64>,
    accepted: u64,
    once: Option<Connections>,
    once_done: bool,
}

impl RunningProxy {
    /// Accepts until the end, and returns how long open connections may still take.
    async fn serve(&mut self, stopper: Stopper) -> Duration {
        while !self.once_done {
            tokio::select! {
                biased;
                patience = stopper.stopped() => return patience,
                Some(ended) = self.tasks.join_next() => self.ended(ended),
                accepted = accept(&self.routes), if self.tasks.len() < MAX_CONNECTIONS => match accepted {
                    (route, Ok((client, from))) => self.open(route, client, from),
                    (_, Err(_)) => sleep(ACCEPT_PAUSE).await,
                },
            }
        }
        Duration::ZERO
    }

    fn open(&mut self, route: usize, client: TcpStream, from: SocketAddr) {
        self.accepted += 1;
        let (number, listener) = (self.accepted, route);
        let target = self.routes[route].1.clone();
        let hub = Arc::clone(&self.hub);
        let connection = Connection { number, listener, client, from, target, hub };
        self.tasks.spawn(async move {
            connection.carry().await;
            number
        });
    }

    fn ended(&mut self, ended: Result<u64, tokio::task::JoinError>) {
        match (ended, self.once) {
            // A panic in a task would be swallowed.
            (Err(error), _) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            (Ok(number), Some(Connections::Nth(wanted))) => self.once_done |= number == wanted,
            (Ok(_), Some(Connections::All)) => self.once_done |= self.tasks.is_empty(),
            (Err(_), _) | (Ok(_), None) => {}
        }
    }

    async fn join_all(&mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            self.ended(ended);
        }
    }
}

/// The next connection, and at which route.
async fn accept(
    routes: &[(tokio::net::TcpListener, Target)],
) -> (usize, io::Result<(TcpStream, SocketAddr)>) {
    poll_fn(|cx| {
        let ready = routes.iter().enumerate().find_map(|(index, (listener, _))| {
            if let Poll::Ready(accepted) = listener.poll_accept(cx) { Some((index, accepted)) } else { None }
        });
        ready.map_or(Poll::Pending, Poll::Ready)
    })
    .await
}
