//! Moves both ends of a connection in lockstep, on one thread, without sockets, runtime or clock. Time is virtual and
//! jumps: when nothing can be delivered that *is* a stall, and time jumps to the next deadline. A run costs little more than
//! what the two machines do, and is the same each time.
//!
//! ```
//! use std::time::Duration;
//!
//! use faults::lockstep;
//! use faults::{Buffer, Effect, End, Fault, FaultyLink, Flow, Machine};
//!
//! /// Says five bytes, or hears them: a protocol of one message.
//! #[derive(Default)]
//! struct Peer { to_say: Vec<u8>, heard: Vec<u8>, over: bool }
//!
//! impl Machine for Peer {
//!     fn handle_input(&mut self, _now: Duration, input: &[u8]) -> usize {
//!         self.heard.extend_from_slice(input);
//!         self.over = self.heard.len() == 5;
//!         input.len()
//!     }
//!     fn handle_end(&mut self, _now: Duration, _end: End) { self.over = true; }
//!     fn poll_transmit(&mut self, _now: Duration, out: &mut Buffer) {
//!         self.over |= !self.to_say.is_empty();
//!         let count = out.push(&self.to_say);
//!         self.to_say.drain(..count);
//!     }
//!     fn is_closed(&self) -> bool { self.over }
//! }
//!
//! let link = FaultyLink::new([Fault::at(Flow::ToServer, 3, Effect::Flip { bit: 0 })])?;
//! let (mut client, mut server) = (Peer { to_say: b"hello".into(), ..Peer::default() }, Peer::default());
//! lockstep::pair(&mut client, &mut server, &link)?;
//! assert_eq!(server.heard, b"helmo");
//! assert!(link.all_reached());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod link;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::{Buffer, ConnectionId, End, FaultyLink, Flow, Machine, Reader, Wires};
use link::Link;

/// How long a message takes where time is virtual and nothing else is said. Turmoil's tick is the same: finer
/// ticks cost time and coarser ones would lump messages together.
pub const LATENCY: Duration = Duration::from_millis(1);

/// After how many rounds a run is given up: in each, a part of what is on the way arrives, or time goes on. The largest
/// files need some hundred thousand; an endpoint that always has one more thing to say would go on for ever.
const MAX_ROUNDS: u64 = 1 << 28;

/// Moves clients and the sessions of their server in lockstep. One value can carry any number of runs, one after the other.
#[derive(Debug, Default)]
pub struct Lockstep {
    /// Buffers of earlier runs, kept because making them costs more than a small run.
    spares: Vec<(Buffer, Buffer)>,
}

impl Lockstep {
    /// Connects `clients`, the first one first, each to the session that `accept` makes for it, and moves them all until
    /// each has come to its end. The faults of `wires` are between the two ends of the first connection.
    ///
    /// # Errors
    /// If they do not come to an end: there is always something more to move.
    pub fn run<'a>(
        &mut self,
        clients: Vec<Box<dyn Machine + 'a>>,
        accept: impl FnMut(Duration, ConnectionId) -> Box<dyn Machine + 'a>,
        wires: &Wires,
    ) -> io::Result<()> {
        let mut run = Run {
            now: Duration::ZERO,
            accept,
            wires: wires.clone(),
            spares: std::mem::take(&mut self.spares),
            pairs: Vec::with_capacity(clients.len()),
            waiting: Vec::new(),
            connections: 0,
        };
        for client in clients {
            run.connect(client);
        }
        let ended = run.run_to_end();
        self.spares = run.spares;
        ended
    }
}

/// Moves these two over `link` until both have come to their end. A client that wants another connection finds nobody there.
///
/// # Errors
/// If they do not come to an end: there is always something more to move.
pub fn pair(client: &mut dyn Machine, server: &mut dyn Machine, link: &FaultyLink) -> io::Result<()> {
    let mut server = Some(server);
    let accept = |now, connection| -> Box<dyn Machine + '_> {
        let Some(server) = server.take() else { return Box::new(Nobody) };
        server.handle_connected(now, connection);
        Box::new(server)
    };
    Lockstep::default().run(vec![Box::new(client)], accept, link.wires())
}

/// The other end of a connection that nobody has accepted.
struct Nobody;

impl Machine for Nobody {
    fn handle_input(&mut self, _now: Duration, input: &[u8]) -> usize {
        input.len()
    }

    fn handle_end(&mut self, _now: Duration, _end: End) {}

    fn poll_transmit(&mut self, _now: Duration, _out: &mut Buffer) {}

    fn is_closed(&self) -> bool {
        true
    }
}

/// All connections of a run, moved together.
struct Run<'a, A> {
    now: Duration,
    accept: A,
    wires: Wires,
    spares: Vec<(Buffer, Buffer)>,
    pairs: Vec<Pair<'a>>,
    /// Clients that will connect again, and when.
    waiting: Vec<(Duration, Box<dyn Machine + 'a>)>,
    /// How many connections there have been.
    connections: u64,
}

impl<'a, A: FnMut(Duration, ConnectionId) -> Box<dyn Machine + 'a>> Run<'a, A> {
    fn connect(&mut self, mut client: Box<dyn Machine + 'a>) {
        self.connections += 1;
        let connection = ConnectionId::Number(self.connections);
        client.handle_connected(self.now, connection);
        let server = (self.accept)(self.now, connection);
        let up = self.link(Flow::ToServer, connection, server.reader());
        let down = self.link(Flow::ToClient, connection, client.reader());
        self.pairs.push(Pair { client: Some(client), server, up, down });
    }

    fn link(&mut self, flow: Flow, connection: ConnectionId, reader: Arc<dyn Reader>) -> Link {
        let (outbox, inbox) = self.spares.pop().unwrap_or_default();
        Link::new(outbox, inbox, self.wires.gate(flow, Some(connection), reader))
    }

    fn run_to_end(&mut self) -> io::Result<()> {
        for _ in 0..MAX_ROUNDS {
            let now = self.now;
            let mut moved = false;
            for pair in &mut self.pairs {
                moved |= pair.send(now);
            }
            for pair in &mut self.pairs {
                // What one of them did may have taken the machine down under all.
                pair.server.poll_machine(now, None);
                pair.begin_waits(now);
            }
            if moved {
                self.now += LATENCY;
            }
            for pair in &mut self.pairs {
                moved |= pair.deliver(self.now);
            }
            self.reconnect();
            if !moved && !self.wait() {
                return Ok(());
            }
        }
        Err(io::Error::other(format!("the two sides had not come to an end after {MAX_ROUNDS} rounds")))
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
                spares.extend([pair.up.recycle(), pair.down.recycle()]);
            }
            !over
        });
    }

    /// Nothing moves: jumps to the next time at which something may. `false` if there is none.
    fn wait(&mut self) -> bool {
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
        let due: Vec<(Duration, Box<dyn Machine + 'a>)> = due;
        due.into_iter().for_each(|(_, client)| self.connect(client));
        true
    }
}

/// A client, its session on the server, and the two directions between them.
struct Pair<'a> {
    /// `None` once it has left for another connection.
    client: Option<Box<dyn Machine + 'a>>,
    server: Box<dyn Machine + 'a>,
    up: Link,
    down: Link,
}

impl<'a> Pair<'a> {
    fn send(&mut self, now: Duration) -> bool {
        let sent = match &mut self.client {
            Some(client) => self.up.send(now, &mut **client),
            None => self.up.send_nothing(),
        };
        sent | self.down.send(now, &mut *self.server)
    }

    fn deliver(&mut self, now: Duration) -> bool {
        // One that closes in this round has its last word in the next, and ends behind that.
        let client_closed = self.client.as_ref().is_none_or(|client| client.is_closed());
        let server_closed = self.server.is_closed();
        // What a side still has to say goes before it learns of the end, as in the driver.
        let (client_talks, server_talks) = (self.up.sent, self.down.sent);
        let server = Some(&mut *self.server);
        let (mut moved, mut ended) = self.up.deliver(now, client_closed, server, server_talks);
        // When the connection is gone, so is what is on the way to the other end.
        if ended.is_none() {
            let client = self.client.as_deref_mut();
            let (moved_down, ended_down) = self.down.deliver(now, server_closed, client, client_talks);
            (moved, ended) = (moved | moved_down, ended_down);
        }
        if let Some(end) = ended {
            self.end(now, end);
        }
        moved
    }

    /// A wait that stands next begins at the time at which what was before it was delivered.
    fn begin_waits(&mut self, now: Duration) {
        // Who is over reads no more: nothing is there for whom a fault could act.
        if !self.server.is_closed() {
            self.up.begin_wait(now);
        }
        if self.client.as_ref().is_some_and(|client| !client.is_closed()) {
            self.down.begin_wait(now);
        }
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
    fn take_leaver(&mut self, now: Duration) -> Option<(Duration, Box<dyn Machine + 'a>)> {
        let is_gone = self.closing_until().is_some_and(|until| until <= now);
        let client = self.client.as_mut().filter(|client| client.is_closed())?;
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
        let endpoints = self.client.iter().chain([&self.server]);
        let deadlines = endpoints.filter(|endpoint| !endpoint.is_closed()).filter_map(|it| it.poll_timeout());
        deadlines.chain(self.closing_until()).chain(self.up.wake).chain(self.down.wake)
    }

    fn handle_timeout(&mut self, now: Duration) {
        for endpoint in self.client.iter_mut().chain([&mut self.server]) {
            let due = endpoint.poll_timeout().is_some_and(|time| time <= now);
            if due && !endpoint.is_closed() {
                endpoint.handle_timeout(now);
            }
        }
    }
}
