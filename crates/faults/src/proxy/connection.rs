//! One connection, from the client that was accepted to the end of both directions.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::hub::{Hub, Records};
use super::lane::{End, Lane};
use super::tap::Tap;
use super::watch::Watch;
use super::{ConnectionEnd, EventKind, Recording, Target};
use crate::{Faulty, Flow, Wires};

/// How long the target may take to accept.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long what is on its way may take when the other direction cannot go on: the last words of a peer that
/// does not listen any more, and what a sender still sends after its stream was ended.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A connection that was accepted.
pub(super) struct Connection {
    pub(super) number: u64,
    /// At which listener, from 0.
    pub(super) listener: usize,
    pub(super) client: TcpStream,
    pub(super) from: SocketAddr,
    pub(super) target: Target,
    pub(super) hub: Arc<Hub>,
}

impl Connection {
    /// Carries it to its end.
    pub(super) async fn carry(mut self) {
        let mut server = match self.connect().await {
            Ok(server) => server,
            Err(error) => {
                reset(&self.client);
                let what = EventKind::Refused { client: self.from, error: error.kind() };
                return self.hub.tell(self.number, what);
            }
        };
        let target = server.peer_addr().unwrap_or(self.from);
        self.hub.tell(self.number, EventKind::Opened { client: self.from, target, listener: self.listener });
        let closed = self.pump(&mut server).await;
        if !matches!(closed, EventKind::Closed { how: ConnectionEnd::Finished, .. }) {
            reset(&self.client);
            reset(&server);
        }
        let Self { number, hub, client, .. } = self;
        // Whoever reads of the end shall find that it has happened.
        drop((client, server));
        hub.tell(number, closed);
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        self.client.set_nodelay(true)?;
        let server = tokio::select! {
            connected = timeout(CONNECT_TIMEOUT, self.target.connect()) => connected??,
            () = self.hub.halted() => return Err(io::ErrorKind::Interrupted.into()),
        };
        server.set_nodelay(true)?;
        Ok(server)
    }

    /// Moves bytes both ways until the end, and says how that was.
    async fn pump(&mut self, server: &mut TcpStream) -> EventKind {
        let (number, hub) = (self.number, Arc::clone(&self.hub));
        let faults = hub.wires(number);
        let (client_reads, client_writes) = self.client.split();
        let (server_reads, server_writes) = server.split();
        let lane = |flow, from, to| new_lane(&hub, number, faults.as_ref(), flow, from, to);
        let mut up = lane(Flow::ToServer, client_reads, server_writes);
        let mut down = lane(Flow::ToClient, server_reads, client_writes);
        let how = tokio::select! {
            biased;
            how = both(&mut up, &mut down) => how,
            () = hub.halted() => ConnectionEnd::Stopped,
        };
        let (to_server, to_client) = (up.carried(), down.carried());
        if hub.budget().is_some() {
            let (up, down) = (up.kept().to_vec(), down.kept().to_vec());
            let complete = up.len() as u64 == to_server.sent && down.len() as u64 == to_client.sent;
            let whole = complete && how != ConnectionEnd::Stopped;
            hub.keep(Recording { connection: number, to_server: up, to_client: down, whole });
        }
        EventKind::Closed { how, to_server, to_client }
    }
}

impl Target {
    async fn connect(&self) -> io::Result<TcpStream> {
        match self {
            Self::At(addresses) => TcpStream::connect(&**addresses).await,
            Self::By(dial) => {
                let dial = Arc::clone(dial);
                let stream = spawn_blocking(move || dial()).await.map_err(io::Error::other)??;
                stream.set_nonblocking(true)?;
                TcpStream::from_std(stream)
            }
        }
    }
}

fn new_lane<'a>(
    hub: &Arc<Hub>,
    number: u64,
    faults: Option<&(Wires, Records)>,
    flow: Flow,
    from: ReadHalf<'a>,
    to: WriteHalf<'a>,
) -> Lane<'a, impl Fn() -> Duration + Unpin + use<>> {
    let clock = {
        let hub = Arc::clone(hub);
        move || hub.now()
    };
    let tap = Tap::new(from, hub.budget());
    let Some((wires, records)) = faults else {
        return Lane::new(Faulty::new(tap, None, None, clock), to, None);
    };
    let watch = Watch::new(hub, number, flow, records);
    Lane::new(wires.wrap(tap, flow, None, Arc::new(()), clock), to, watch)
}

/// Both directions at the same time, until both have ended or the connection is broken.
async fn both<T: Fn() -> Duration + Unpin>(up: &mut Lane<'_, T>, down: &mut Lane<'_, T>) -> ConnectionEnd {
    loop {
        tokio::select! {
            biased;
            () = up.work() => {}
            () = down.work() => {}
        }
        match (up.end(), down.end()) {
            // Who does not listen any more may have said why, and that may be on its way.
            (Some(End::Deaf), None) => return last_words(down).await,
            (None, Some(End::Deaf)) => return last_words(up).await,
            (Some(End::Broken | End::Deaf), _) | (_, Some(End::Broken | End::Deaf)) => {
                return ConnectionEnd::Reset;
            }
            (Some(_), Some(_)) => break,
            _ => {}
        }
    }
    // It is no matter if they go on sending: it is over.
    let _ = timeout(LAST_WORDS, async { tokio::join!(up.drain(), down.drain()) }).await;
    ConnectionEnd::Finished
}

/// Carries the direction that is left to its end, for a while.
async fn last_words<T: Fn() -> Duration + Unpin>(lane: &mut Lane<'_, T>) -> ConnectionEnd {
    let _ = timeout(LAST_WORDS, lane.work()).await;
    ConnectionEnd::Reset
}

/// Closing it will break it, so that its peer gets an error in place of an end.
fn reset(stream: &TcpStream) {
    // An error means that it is broken already.
    let _ = stream.set_zero_linger();
}
