//! The fast lane: both ends in lockstep on one thread, without sockets, runtime or clock. Time is virtual and
//! jumps. When nothing can be delivered that *is* a stall, and time jumps to the next deadline.

use std::io;
use std::time::Duration;

use super::{Job, LATENCY, Transport};
use crate::endpoint::{Buffer, End, Endpoint};

/// The lane without a network.
#[derive(Debug, Default)]
pub struct Memory {
    /// Buffers of earlier runs, kept because making them costs more than a small run.
    spares: Vec<Link>,
}

impl Transport for Memory {
    fn run(&mut self, job: Job) -> io::Result<()> {
        job.service.handle_listening(Duration::ZERO);
        let mut pairs = Vec::with_capacity(job.clients.len());
        for mut client in job.clients {
            client.handle_connected(Duration::ZERO);
            let server = job.service.accept(Duration::ZERO);
            let up = self.spares.pop().unwrap_or_default();
            let down = self.spares.pop().unwrap_or_default();
            pairs.push(Pair { client, server, up, down });
        }
        run_to_end(&mut pairs);
        for Pair { mut up, mut down, .. } in pairs {
            up.clear();
            down.clear();
            self.spares.extend([up, down]);
        }
        Ok(())
    }
}

/// A client, its session on the server, and the two directions between them.
struct Pair {
    client: Box<dyn Endpoint>,
    server: Box<dyn Endpoint>,
    up: Link,
    down: Link,
}

/// One direction of a connection.
#[derive(Debug, Default)]
struct Link {
    outbox: Buffer,
    inbox: Buffer,
    /// Whether the receiver knows that nothing more will come.
    ended: bool,
}

fn run_to_end(pairs: &mut [Pair]) {
    let mut now = Duration::ZERO;
    loop {
        let mut sent = false;
        for pair in pairs.iter_mut() {
            sent |= pair.up.send(now, &mut *pair.client);
            sent |= pair.down.send(now, &mut *pair.server);
        }
        if sent {
            now += LATENCY;
        }
        let mut moved = sent;
        for pair in pairs.iter_mut() {
            moved |= pair.up.deliver(now, &*pair.client, &mut *pair.server);
            moved |= pair.down.deliver(now, &*pair.server, &mut *pair.client);
        }
        if !moved && !wait(&mut now, pairs) {
            return;
        }
    }
}

/// Nothing moves: jumps to the next deadline. `false` if there is none.
fn wait(now: &mut Duration, pairs: &mut [Pair]) -> bool {
    let endpoints = pairs.iter_mut().flat_map(|pair| [&mut pair.client, &mut pair.server]);
    let mut open: Vec<_> = endpoints.filter(|endpoint| !endpoint.is_closed()).collect();
    let Some(next) = open.iter().filter_map(|endpoint| endpoint.poll_timeout()).min() else { return false };
    *now = next.max(*now);
    for endpoint in &mut open {
        endpoint.handle_timeout(*now);
    }
    true
}

impl Link {
    /// Takes from the sender what it has. Says whether that was anything.
    fn send(&mut self, now: Duration, sender: &mut dyn Endpoint) -> bool {
        let before = self.outbox.filled().len();
        sender.poll_transmit(now, &mut self.outbox);
        self.outbox.filled().len() > before
    }

    /// Hands to the receiver what it takes. Says whether anything moved.
    fn deliver(&mut self, now: Duration, sender: &dyn Endpoint, receiver: &mut dyn Endpoint) -> bool {
        let carried = self.carry();
        if receiver.is_closed() {
            self.inbox.consume(self.inbox.filled().len());
        }
        let used = if self.inbox.is_empty() { 0 } else { receiver.handle_input(now, self.inbox.filled()) };
        self.inbox.consume(used);
        if used == 0 && !self.ended && sender.is_closed() && self.outbox.is_empty() {
            self.ended = true;
            receiver.handle_end(now, End::Finished);
            return true;
        }
        carried || used > 0
    }

    /// Moves bytes from the sender's end to the receiver's, without copying them if it can.
    fn carry(&mut self) -> bool {
        if self.outbox.is_empty() {
            return false;
        }
        if self.inbox.is_empty() {
            std::mem::swap(&mut self.inbox, &mut self.outbox);
            return true;
        }
        // Writing to a buffer takes what fits and cannot fail.
        let count = io::Write::write(&mut self.inbox, self.outbox.filled()).unwrap_or_default();
        self.outbox.consume(count);
        count > 0
    }

    fn clear(&mut self) {
        self.outbox.consume(self.outbox.filled().len());
        self.inbox.consume(self.inbox.filled().len());
        self.ended = false;
    }
}
