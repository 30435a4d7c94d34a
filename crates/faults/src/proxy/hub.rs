//! What all connections of a proxy share: the faults, the sink of the events, and what is to be said at the end.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch as signal;
use tokio::time::Instant;

use super::{Event, Placed, Recording, Settings, What};
use crate::{Chain, Flow, Injector, Ledger, Wires};

/// How many refused connections are named. A proxy may run for months, and a target be down for days.
pub const MAX_REFUSED: usize = 100;

/// How many connections are kept. The bytes have a limit of their own; this one is for connections without any.
pub const MAX_RECORDINGS: usize = 10_000;

/// What a proxy has to say when it is over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
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

impl Outcome {
    /// The number, from 0, of the first fault that was handed to no reader: a run with it proves nothing.
    #[must_use]
    pub fn unproved(&self) -> Option<usize> {
        self.faults.iter().position(|proof| proof.delivered == 0)
    }
}

pub(super) type Sink = Box<dyn FnMut(Event) + Send>;

pub(super) struct Hub {
    start: Instant,
    placed: Vec<Placed>,
    /// How many bytes may still be kept; `None` if none are to be.
    budget: Option<Arc<AtomicU64>>,
    halt: signal::Receiver<bool>,
    told: Mutex<Told>,
}

struct Told {
    sink: Sink,
    outcome: Outcome,
}

impl Hub {
    pub(super) fn new(settings: Settings, sink: Sink, halt: signal::Receiver<bool>) -> Self {
        let faults = vec![Proof::default(); settings.faults.len()];
        let outcome = Outcome { faults, ..Outcome::default() };
        Self {
            start: Instant::now(),
            placed: settings.faults,
            budget: settings.recording.map(|most| Arc::new(AtomicU64::new(most))),
            halt,
            told: Mutex::new(Told { sink, outcome }),
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
    pub(super) fn tell(&self, connection: u64, what: What) {
        let at = self.now();
        let mut told = self.told();
        match &what {
            What::Fired { number, old, .. } => {
                let proof = &mut told.outcome.faults[*number];
                proof.fired += 1;
                proof.took.get_or_insert_with(|| old.clone());
            }
            What::Delivered { number, .. } => told.outcome.faults[*number].delivered += 1,
            What::Refused { .. } => {
                told.outcome.refused += 1;
                if told.outcome.first_refused.len() < MAX_REFUSED {
                    told.outcome.first_refused.push(connection);
                }
            }
            What::Opened { .. } | What::Closed { .. } => {}
        }
        (told.sink)(Event { at, connection, what });
    }

    pub(super) fn keep(&self, recording: Recording) {
        let recordings = &mut self.told().outcome.recordings;
        if recordings.len() < MAX_RECORDINGS {
            recordings.push(recording);
        }
    }

    /// The faults of the connection with this number; `None` if it has none.
    pub(super) fn wires(&self, connection: u64) -> Option<Wires> {
        let struck = |placed: &&Placed| placed.connection.is(connection);
        self.placed.iter().find(struck)?;
        // All faults of the proxy have a record, so that they keep their numbers.
        let located = |placed: &Placed| (placed.fault.clone(), Some(placed.strike.offset));
        let ledger = Ledger::new(self.placed.iter().map(located));
        let chain = |flow| {
            let meets = |(_, placed): &(usize, &Placed)| struck(placed) && placed.strike.flow == flow;
            let injector = |(number, placed): (usize, &Placed)| {
                let Placed { fault, strike, .. } = placed;
                Injector::new(number, fault.effect.clone(), strike.at, strike.distance)
            };
            Chain::new(self.placed.iter().enumerate().filter(meets).map(injector).collect())
        };
        Some(Wires::new(chain(Flow::ToServer), chain(Flow::ToClient), ledger))
    }

    /// The numbers of the faults that this direction of this connection meets.
    pub(super) fn faults(&self, connection: u64, flow: Flow) -> Vec<usize> {
        let meets = |placed: &Placed| placed.connection.is(connection) && placed.strike.flow == flow;
        (0..self.placed.len()).filter(|number| meets(&self.placed[*number])).collect()
    }

    /// What there is to say, with so many accepted connections. Call it once, at the end.
    pub(super) fn outcome(&self, connections: u64) -> Outcome {
        let mut outcome = std::mem::take(&mut self.told().outcome);
        outcome.recordings.sort_by_key(|recording| recording.connection);
        Outcome { connections, ..outcome }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
