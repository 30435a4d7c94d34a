//! What all connections of a proxy share: the faults, the sink of the events, and what is to be said at the end.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch as signal;
use tokio::time::Instant;

use super::{Event, EventKind, PlacedFault, Recording, Settings};
use crate::{Chain, FaultEntry, Flow, Injector, Ledger, Wires};

/// How many refused connections are named. A proxy may run for months, and a target be down for days.
pub const MAX_REFUSED: usize = 100;

/// How many connections are kept. The bytes have a limit of their own; this one is for connections without any.
pub const MAX_RECORDINGS: usize = 10_000;

/// What a proxy has to say when it is over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProxyOutcome {
    /// How many connections were accepted.
    pub connections: u64,
    /// The target of how many could not be reached.
    pub refused: u64,
    /// The numbers of those, in the order in which that was found out: the first [`MAX_REFUSED`].
    pub first_refused: Vec<u64>,
    /// What became of each fault, in the order of [`Settings::faults`].
    pub faults: Vec<Proof>,
    /// What was kept, one for each connection that was opened, in their order: of those that were over first, at most
    /// [`MAX_RECORDINGS`].
    pub recordings: Vec<Recording>,
}

/// On how many connections a fault did what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// On so many it fired.
    pub fired: u64,
    /// On so many that was handed to the reader.
    pub delivered: u64,
    /// Where it fired first: the first of the bytes that it took away or changed, at most
    /// [`MAX_SHOWN`](crate::MAX_SHOWN).
    pub took: Option<Vec<u8>>,
}

impl ProxyOutcome {
    /// The number, from 0, of the first fault that was handed to no reader: a run with it proves nothing.
    #[must_use]
    pub fn unproved(&self) -> Option<usize> {
        self.faults.iter().position(|proof| proof.delivered == 0)
    }
}

/// The faults of a connection: the number of each in the proxy, its direction, and its record.
pub(super) type Records = Vec<(usize, Flow, FaultEntry)>;

pub(super) type Sink = Box<dyn FnMut(Event) + Send>;

pub(super) struct Hub {
    start: Instant,
    placed: Vec<PlacedFault>,
    /// How many bytes may still be kept; `None` if none are to be.
    budget: Option<Arc<AtomicU64>>,
    halt: signal::Receiver<bool>,
    totals: Mutex<Totals>,
}

struct Totals {
    sink: Sink,
    outcome: ProxyOutcome,
}

impl Hub {
    pub(super) fn new(settings: Settings, sink: Sink, halt: signal::Receiver<bool>) -> Self {
        let faults = vec![Proof::default(); settings.faults.len()];
        let outcome = ProxyOutcome { faults, ..ProxyOutcome::default() };
        Self {
            start: Instant::now(),
            placed: settings.faults,
            budget: settings.recording.map(|most| Arc::new(AtomicU64::new(most))),
            halt,
            totals: Mutex::new(Totals { sink, outcome }),
        }
    }

    /// The time since the proxy began to run.
    pub(super) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// How many bytes may still be kept, if any are to be.
    pub(super) fn budget(&self) -> Option<Arc<AtomicU64>> {
        self.budget.clone()
    }

    /// Done when the proxy has to let go of every connection.
    pub(super) async fn halted(&self) {
        // An error means that the proxy is gone, which is the same.
        let _ = self.halt.clone().wait_for(|halted| *halted).await;
    }

    /// Tells what happened on a connection.
    pub(super) fn tell(&self, connection: u64, what: EventKind) {
        let at = self.now();
        let mut totals = self.totals();
        match &what {
            EventKind::Fired { number, old, .. } => {
                let proof = &mut totals.outcome.faults[*number];
                proof.fired += 1;
                proof.took.get_or_insert_with(|| old.clone());
            }
            EventKind::Delivered { number, .. } => totals.outcome.faults[*number].delivered += 1,
            EventKind::Refused { .. } => {
                totals.outcome.refused += 1;
                if totals.outcome.first_refused.len() < MAX_REFUSED {
                    totals.outcome.first_refused.push(connection);
                }
            }
            EventKind::Opened { .. } | EventKind::Closed { .. } => {}
        }
        (totals.sink)(Event { at, connection, what });
    }

    pub(super) fn keep(&self, recording: Recording) {
        let recordings = &mut self.totals().outcome.recordings;
        if recordings.len() < MAX_RECORDINGS {
            recordings.push(recording);
        }
    }

    /// The faults of the connection with this number, and their records, each with the number that the fault has in the
    /// proxy. `None` if it has none.
    pub(super) fn wires(&self, connection: u64) -> Option<(Wires, Records)> {
        let (mut up, mut down, ledger, mut records) = (Vec::new(), Vec::new(), Ledger::default(), Vec::new());
        for (number, placed) in self.placed.iter().enumerate() {
            let PlacedFault { fault, strike, .. } = placed;
            if placed.connection.is(connection) {
                let entry = ledger.enter(fault.clone(), Some(strike.offset));
                records.push((number, strike.flow, entry.clone()));
                let chain = if strike.flow == Flow::ToServer { &mut up } else { &mut down };
                chain.push(Injector::new(entry, strike.at, strike.distance));
            }
        }
        (!records.is_empty()).then(|| (Wires::new(Chain::new(up), Chain::new(down)), records))
    }

    /// What there is to say, with so many accepted connections. Call it once, at the end.
    pub(super) fn outcome(&self, connections: u64) -> ProxyOutcome {
        let mut outcome = std::mem::take(&mut self.totals().outcome);
        outcome.recordings.sort_by_key(|recording| recording.connection);
        ProxyOutcome { connections, ..outcome }
    }

    fn totals(&self) -> MutexGuard<'_, Totals> {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
