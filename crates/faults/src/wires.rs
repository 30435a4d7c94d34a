//! What the two ends of one connection share: the chains, whether the connection is broken, and what
//! is to happen to the network. A run has one `Wires`, which is used up by its first connection; those after it
//! are clean, so that a retry can succeed. The proxy makes one for each connection that has faults.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use super::comparison::Comparison;
use super::{Chain, FaultEntry, Faulty, Flow, Gate};
use crate::{ConnectionId, Reader};

/// Something that shall happen to the network now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// The fault that asks for it.
    pub fault: FaultEntry,
    /// What shall happen.
    pub disturbance: Disturbance,
    /// How long.
    pub lasts: Duration,
}

/// What happens to the network between the two hosts for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disturbance {
    /// Packets are lost: [`Effect::Partition`](crate::Effect::Partition).
    Partition,
    /// Packets wait: [`Effect::Hold`](crate::Effect::Hold).
    Hold,
    /// The server's host is down: [`Effect::Crash`](crate::Effect::Crash).
    Crash,
}

/// How the connection stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConnectionState {
    /// It stands.
    #[default]
    Whole,
    /// Both directions have ended.
    Cut,
    /// It is broken.
    Broken,
}

/// The faults of one connection and what its two ends share. Clones share everything.
#[derive(Clone, Debug, Default)]
pub struct Wires {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    to_server: Option<Chain>,
    to_client: Option<Chain>,
    /// The connection whose ends get the gates, once one has asked.
    connection: Option<Option<ConnectionId>>,
    /// The readers that have their gates.
    readers: Vec<(Flow, Arc<dyn Reader>)>,
    /// What each of them was given.
    comparisons: Vec<(Flow, Arc<Mutex<Comparison>>)>,
    standing: ConnectionState,
    wakers: Vec<Waker>,
    signals: Vec<Signal>,
}

impl Wires {
    /// The wires of a connection with these faults.
    #[must_use]
    pub fn new(to_server: Chain, to_client: Chain) -> Self {
        let shared = Shared { to_server: Some(to_server), to_client: Some(to_client), ..Shared::default() };
        Self { shared: Arc::new(Mutex::new(shared)) }
    }

    /// The gate for the `reader` of `flow` on `connection`. Both gates go to the two ends of the connection that asks
    /// first. `None` for later connections: they are clean.
    #[must_use]
    pub fn gate(
        &self,
        flow: Flow,
        connection: Option<ConnectionId>,
        reader: Arc<dyn Reader>,
    ) -> Option<Gate> {
        let mut shared = self.shared();
        if *shared.connection.get_or_insert(connection) != connection {
            return None;
        }
        let chain = match flow {
            Flow::ToServer => shared.to_server.take(),
            Flow::ToClient => shared.to_client.take(),
        }?;
        shared.readers.push((flow, Arc::clone(&reader)));
        let gate = Gate::new(chain, self.clone(), reader);
        shared.comparisons.push((flow, gate.shared_comparison()));
        Some(gate)
    }

    /// Whether the reader of `flow` was given exactly what was sent, on the connection with the faults: then those that
    /// change bytes have undone each other. `false` as long as any byte is on its way.
    #[must_use]
    pub fn is_as_sent(&self, flow: Flow) -> bool {
        let shared = self.shared();
        let same = |it: &Mutex<Comparison>| it.lock().unwrap_or_else(PoisonError::into_inner).is_same();
        shared.comparisons.iter().find(|(of, _)| *of == flow).is_none_or(|(_, comparison)| same(comparison))
    }

    /// How many bytes of the connection with the faults the reader of `flow` has seen.
    #[must_use]
    pub fn seen(&self, flow: Flow) -> u64 {
        self.shared().readers.iter().find(|(of, _)| *of == flow).map_or(0, |(_, reader)| reader.seen())
    }

    /// `stream` with the faults that the `reader` of `flow` meets on it; see [`gate`](Self::gate).
    pub fn wrap<C, T: Fn() -> Duration>(
        &self,
        stream: C,
        flow: Flow,
        connection: Option<ConnectionId>,
        reader: Arc<dyn Reader>,
        clock: T,
    ) -> Faulty<C, T> {
        let gate = self.gate(flow, connection, reader);
        let wires = gate.is_some().then(|| self.clone());
        Faulty::new(stream, gate, wires, clock)
    }

    /// How the connection stands; `waker` is woken when that changes.
    pub fn standing(&self, waker: Option<&Waker>) -> ConnectionState {
        let mut shared = self.shared();
        if let Some(waker) = waker
            && !shared.wakers.iter().any(|other| other.will_wake(waker))
        {
            shared.wakers.push(waker.clone());
        }
        shared.standing
    }

    /// The connection is cut or broken, for both ends.
    pub fn end(&self, standing: ConnectionState) {
        let mut shared = self.shared();
        shared.standing = standing;
        shared.wakers.drain(..).for_each(Waker::wake);
    }

    /// Asks for something to happen to the network.
    pub fn signal(&self, signal: Signal) {
        self.shared().signals.push(signal);
    }

    /// What was asked for since the last call.
    #[must_use]
    pub fn take_signals(&self) -> Vec<Signal> {
        std::mem::take(&mut self.shared().signals)
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
