//! The rounds in which connections are moved, and how a run is forked between two of them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::LATENCY;
use super::link::Link;
use crate::{Buffer, ConnectionId, End, Flow, Machine, Reader, Wires};

/// After how many rounds a run is given up: in each, a part of what is on the way arrives, or time goes on. The largest
/// files need some hundred thousand; an endpoint that always has one more thing to say would go on for ever.
const MAX_ROUNDS: u64 = 1 << 28;

/// The connection that faults strike.
const FIRST: ConnectionId = ConnectionId::Number(1);

/// Buffers of runs that are over, kept because making them costs more than a small run.
#[derive(Debug, Default)]
pub struct Spares(Vec<(Buffer, Buffer)>);

/// All connections of a run, moved together, round by round: in each, everybody first [sends](Self::send), and then all
/// that has come over is [delivered](Self::deliver). Between the two a run can be [forked](Self::fork).
///
/// `C` is what a client is, `S` what its session on the server is.
pub struct Rounds<C, S> {
    now: Duration,
    wires: Wires,
    spares: Spares,
    pairs: Vec<Pair<C, S>>,
    /// Clients that will connect again, and when.
    waiting: Vec<(Duration, C)>,
    /// How many connections there have been.
    connections: u64,
}

impl<C: Machine, S: Machine> Rounds<C, S> {
    /// No connection yet. The faults of `wires` are between the two ends of the first.
    #[must_use]
    pub fn new(wires: Wires) -> Self {
        Self::with_spares(wires, Spares::default())
    }

    /// The same, with the buffers of an earlier run.
    pub(super) fn with_spares(wires: Wires, spares: Spares) -> Self {
        Self { now: Duration::ZERO, wires, spares, pairs: Vec::new(), waiting: Vec::new(), connections: 0 }
    }

    /// The buffers, for another run.
    #[must_use]
    pub fn into_spares(self) -> Spares {
        self.spares
    }

    /// Connects `client` to the session that `accept` makes for it.
    pub fn connect(&mut self, mut client: C, accept: &mut impl FnMut(Duration, ConnectionId) -> S) {
        self.connections += 1;
        let connection = ConnectionId::Number(self.connections);
        client.handle_connected(self.now, connection);
        let server = accept(self.now, connection);
        let up = self.link(Flow::ToServer, connection, server.reader());
        let down = self.link(Flow::ToClient, connection, client.reader());
        self.pairs.push(Pair { connection, client: Some(client), server, up, down });
    }

    fn link(&mut self, flow: Flow, connection: ConnectionId, reader: Arc<dyn Reader>) -> Link {
        let (outbox, inbox) = self.spares.0.pop().unwrap_or_default();
        Link::new(outbox, inbox, self.wires.gate(flow, Some(connection), reader))
    }

    /// Moves all until each has come to its end. `sent` says whether a round is half done, and what its
    /// [`send`](Self::send) said.
    ///
    /// # Errors
    /// If they do not come to an end: there is always something more to move.
    pub fn run_to_end(
        &mut self,
        mut sent: Option<bool>,
        accept: &mut impl FnMut(Duration, ConnectionId) -> S,
    ) -> io::Result<()> {
        for _ in 0..MAX_ROUNDS {
            let moved = sent.take().unwrap_or_else(|| self.send());
            if !self.deliver(moved, accept) {
                return Ok(());
            }
        }
        Err(io::Error::other(format!("the two sides had not come to an end after {MAX_ROUNDS} rounds")))
    }

    /// The first half of a round. Says whether anybody had anything to send.
    pub fn send(&mut self) -> bool {
        let now = self.now;
        self.pairs.iter_mut().fold(false, |moved, pair| moved | pair.send(now))
    }

    /// The other half, when [`send`](Self::send) said that. Says whether there is another round.
    pub fn deliver(&mut self, mut moved: bool, accept: &mut impl FnMut(Duration, ConnectionId) -> S) -> bool {
        let mut fed = false;
        for pair in &mut self.pairs {
            // What one of them did may have taken the machine down under all.
            pair.server.poll_machine(self.now, None);
            fed |= pair.begin_waits(self.now);
        }
        if moved {
            self.now += LATENCY;
        }
        for pair in &mut self.pairs {
            moved |= pair.deliver(self.now);
        }
        self.reconnect();
        moved || fed || self.wait(accept)
    }

    /// How many bytes of what the first connection carries in this direction are past the point where faults strike.
    #[must_use]
    pub fn carried(&self, flow: Flow) -> usize {
        let first = self.pairs.iter().find(|pair| pair.connection == FIRST);
        first.map_or(usize::MAX, |pair| pair.link(flow).carried)
    }

    /// A copy that goes its own way from here, with the faults of `wires` on what the first connection has not carried
    /// yet, in the buffers of `spares`: what comes of it is what had come of a run with these faults from its start, if each strikes behind
    /// [`carried`](Self::carried). `client` and `server` copy the machines, and what these share with others.
    ///
    /// # Errors
    /// The first error of these two.
    pub fn fork<E>(
        &self,
        wires: Wires,
        mut spares: Spares,
        mut client: impl FnMut(&C) -> Result<C, E>,
        mut server: impl FnMut(&S) -> Result<S, E>,
    ) -> Result<Self, E> {
        let gate = |flow, connection, carried, reader| {
            let mut gate = wires.gate(flow, Some(connection), reader)?;
            gate.pass(carried);
            Some(gate)
        };
        let mut pairs = Vec::with_capacity(self.pairs.len());
        for Pair { connection, client: from, server: session, up, down } in &self.pairs {
            let (client, server) = (from.as_ref().map(&mut client).transpose()?, server(session)?);
            let reader = client.as_ref().map(Machine::reader);
            let behind = reader.and_then(|it| gate(Flow::ToClient, *connection, down.carried, it));
            let before = gate(Flow::ToServer, *connection, up.carried, server.reader());
            let mut buffers = || spares.0.pop().unwrap_or_default();
            let (up, down) = (up.fork(buffers(), before), down.fork(buffers(), behind));
            pairs.push(Pair { connection: *connection, client, server, up, down });
        }
        let wait = |(until, it): &(Duration, C)| Ok((*until, client(it)?));
        let waiting = self.waiting.iter().map(wait).collect::<Result<_, E>>()?;
        let (now, connections) = (self.now, self.connections);
        Ok(Self { now, wires, spares, pairs, waiting, connections })
    }

    /// Takes the clients whose session is over off their connections, and recycles what has ended.
    fn reconnect(&mut self) {
        for pair in &mut self.pairs {
            if let Some((wait, client)) = pair.take_leaver(self.now) {
                self.waiting.push((self.now + wait, client));
            }
        }
        let (spares, now) = (&mut self.spares, self.now);
        self.pairs.retain_mut(|pair| {
            let over = pair.is_over();
            if over {
                // Nobody hears their last words, but they are recorded.
                pair.send(now);
                spares.0.extend([pair.up.recycle(), pair.down.recycle()]);
            }
            !over
        });
    }

    /// Nothing moves: jumps to the next time at which something may. `false` if there is none.
    fn wait(&mut self, accept: &mut impl FnMut(Duration, ConnectionId) -> S) -> bool {
        let times = self.pairs.iter().flat_map(Pair::times).chain(self.waiting.iter().map(|(time, _)| *time));
        let Some(next) = times.min() else { return false };
        self.now = next.max(self.now);
        // What has come by now counts before a deadline that has passed by now, as in the driver.
        if !self.pairs.iter().any(|pair| pair.wakes_by(self.now)) {
            for pair in &mut self.pairs {
                pair.handle_timeout(self.now);
            }
        }
        let (due, later) =
            std::mem::take(&mut self.waiting).into_iter().partition(|(time, _)| *time <= self.now);
        self.waiting = later;
        let due: Vec<(Duration, C)> = due;
        due.into_iter().for_each(|(_, client)| self.connect(client, accept));
        true
    }
}

/// A client, its session on the server, and the two directions between them.
struct Pair<C, S> {
    connection: ConnectionId,
    /// `None` once it has left for another connection.
    client: Option<C>,
    server: S,
    up: Link,
    down: Link,
}

impl<C: Machine, S: Machine> Pair<C, S> {
    fn link(&self, flow: Flow) -> &Link {
        match flow {
            Flow::ToServer => &self.up,
            Flow::ToClient => &self.down,
        }
    }

    fn send(&mut self, now: Duration) -> bool {
        let sent = match &mut self.client {
            Some(client) => self.up.send(now, client),
            None => self.up.send_nothing(),
        };
        sent | self.down.send(now, &mut self.server)
    }

    fn deliver(&mut self, now: Duration) -> bool {
        // One that closes in this round has its last word in the next, and ends behind that.
        let client_closed = self.client.as_ref().is_none_or(Machine::is_closed);
        let server_closed = self.server.is_closed();
        // What a side still has to say goes before it learns of the end, as in the driver.
        let (client_talks, server_talks) = (self.up.sent, self.down.sent);
        let server: Option<&mut dyn Machine> = Some(&mut self.server);
        let (mut moved, mut ended) = self.up.deliver(now, client_closed, server, server_talks);
        // When the connection is gone, so is what is on the way to the other end.
        if ended.is_none() {
            let client = self.client.as_mut().map(|client| -> &mut dyn Machine { client });
            let (moved_down, ended_down) = self.down.deliver(now, server_closed, client, client_talks);
            (moved, ended) = (moved | moved_down, ended_down);
        }
        if let Some(end) = ended {
            self.end(now, end);
        }
        moved
    }

    /// A wait that stands next begins at the time at which what was before it was delivered.
    /// Says whether a sender has space for more by that.
    fn begin_waits(&mut self, now: Duration) -> bool {
        // Who is over reads no more: nothing is there for whom a fault could act.
        let up = !self.server.is_closed() && self.up.begin_wait(now);
        let reads = self.client.as_ref().is_some_and(|client| !client.is_closed());
        up | (reads && self.down.begin_wait(now))
    }

    /// Both directions end, and what is on the way is lost.
    fn end(&mut self, now: Duration, end: End) {
        if !std::mem::replace(&mut self.up.ended, true) {
            self.server.handle_end(now, end);
        }
        if !std::mem::replace(&mut self.down.ended, true)
            && let Some(client) = &mut self.client
        {
            client.handle_end(now, end);
        }
    }

    /// The client, if its session is over and it wants another connection, and how long it waits before. Like the
    /// driver, it gives the server a moment to end its side, too.
    fn take_leaver(&mut self, now: Duration) -> Option<(Duration, C)> {
        let is_gone = self.closing_until().is_some_and(|until| until <= now);
        let client = self.client.as_mut().filter(|client| Machine::is_closed(*client))?;
        if !self.down.ended && !is_gone {
            return None;
        }
        // What it has sent goes on without it.
        let wait = client.reconnect();
        let client = self.client.take_if(|_| wait.is_some() || is_gone);
        wait.zip(client)
    }

    /// Until when a client whose session is over waits for the server.
    fn closing_until(&self) -> Option<Duration> {
        let client = self.client.as_ref().filter(|client| client.is_closed() && !self.down.ended)?;
        client.poll_timeout()
    }

    /// Whether something has waited until this time to be delivered.
    fn wakes_by(&self, now: Duration) -> bool {
        self.up.wake.into_iter().chain(self.down.wake).any(|wake| wake <= now)
    }

    fn is_over(&self) -> bool {
        self.up.ended && self.down.ended
    }

    /// Every time at which something may happen by itself.
    fn times(&self) -> impl Iterator<Item = Duration> {
        let client =
            self.client.iter().filter(|client| !client.is_closed()).filter_map(Machine::poll_timeout);
        let server = (!self.server.is_closed()).then(|| self.server.poll_timeout()).flatten();
        client.chain(server).chain(self.closing_until()).chain(self.up.wake).chain(self.down.wake)
    }

    fn handle_timeout(&mut self, now: Duration) {
        if let Some(client) = &mut self.client {
            expire(client, now);
        }
        expire(&mut self.server, now);
    }
}

fn expire(machine: &mut impl Machine, now: Duration) {
    let due = machine.poll_timeout().is_some_and(|time| time <= now);
    if due && !machine.is_closed() {
        machine.handle_timeout(now);
    }
}
