//! Many runs of one plan, each with one fault of a stream, on the memory lane. A run with a fault at byte k is the control run
//! up to byte k: so that is kept as it stood at every round, with the digests as they stood, and each run goes on from there.
//! What comes out is what a run from the start gives.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::course::Course;
use super::exchange::{ExchangeEnd, client, collect, server};
use super::faulted::{Control, prove, shown};
use super::{Inconclusive, Plan, RunError, RunOptions, RunOutcome, conclude};
use faults::lockstep::{Rounds, Spares};
use faults::{Chain, Fault, Flow, Injector, Layer, Ledger, NoSuchPlace, PhaseMap, Region, Wires, grouped};
use notation::{Located, Place, SourceFile};
use thiserror::Error;
use transfer::endpoint::{Client, Endpoint, Server, Service, Sessions};
use transfer::record::Recorder;
use transfer::storage::{Folder, MemoryStore, Store, StoreError};

/// Why a plan cannot be run in forks.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ForkError {
    /// The control run failed: nothing can be proved.
    #[error("{0}")]
    Inconclusive(Inconclusive),
    /// The run failed.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A file of the run is too large to be kept in memory many times.
    #[error("the files are too large: in memory, they have at most {} bytes in all", grouped(*.0))]
    TooLarge(u64),
    /// The fault is not one at an offset of a whole stream.
    #[error("{0} is no fault at an offset of a whole stream")]
    NotOfAStream(Fault),
    /// The run has no such place.
    #[error("{0} has no place: {1}")]
    NoPlace(Fault, NoSuchPlace),
}

impl From<io::Error> for ForkError {
    fn from(error: io::Error) -> Self {
        Self::Run(RunError::Io(error))
    }
}

impl From<StoreError> for ForkError {
    fn from(error: StoreError) -> Self {
        io::Error::other(error.to_string()).into()
    }
}

/// The control run of a plan, kept as it stood at every round.
pub struct Forks {
    plan: Plan,
    control: Control,
    snapshots: Vec<Snapshot>,
    /// Buffers of the runs before.
    spares: Spares,
    /// Where the faults are said to stand.
    source: Arc<SourceFile>,
}

/// A run in the middle of a round: everybody has sent, and nothing of it has come over.
struct Snapshot {
    run: MemoryRun,
    /// Whether anybody had anything to send.
    sent: bool,
    /// How many bytes of the first connection are past the place where faults strike: to the server, to the client.
    carried: (usize, usize),
}

impl Forks {
    /// Runs `plan` without its faults, and keeps every round.
    ///
    /// # Errors
    /// If that run fails, or its files are too large.
    pub fn new(plan: &Plan, options: &RunOptions) -> Result<Self, ForkError> {
        if plan.is_large() {
            return Err(ForkError::TooLarge(super::plan::LARGE));
        }
        let plan = plan.with_faults([]);
        let course = Course::default();
        let (mut run, mut snapshots) = (MemoryRun::start(&plan, options), Vec::new());
        loop {
            let sent = run.rounds.send();
            let carried = (run.rounds.carried(Flow::ToServer), run.rounds.carried(Flow::ToClient));
            snapshots.push(Snapshot { run: run.fork(&Wires::default(), Spares::default())?, sent, carried });
            if !run.rounds.deliver(sent, &mut run.accept()) {
                break;
            }
        }
        let control = match shown(&plan, run.collect(&plan, Wires::default())?.0, &course) {
            Ok(control) => control,
            Err(failed) => return Err(ForkError::Inconclusive(Inconclusive::ControlFailed(failed.1))),
        };
        let source = SourceFile::new("a fault".as_ref(), String::new());
        Ok(Self { plan, control, snapshots, spares: Spares::default(), source })
    }

    /// Where everything is in the streams of the control run.
    #[must_use]
    pub fn map(&self) -> &PhaseMap {
        &self.control.map
    }

    /// What happened to the first client in the control run.
    #[must_use]
    pub fn lines(&self) -> &[crate::transcript::Line] {
        &self.control.lines
    }

    /// Runs the plan with this one fault, at an offset of a whole stream.
    ///
    /// # Errors
    /// If the fault is no such, or has no place. What goes wrong inside the run is part of the outcome.
    pub fn run(&mut self, fault: &Fault) -> Result<RunOutcome, ForkError> {
        if fault.effect.layer() != Layer::Stream
            || !matches!(fault.region, Region::ToServer | Region::ToClient)
        {
            return Err(ForkError::NotOfAStream(fault.clone()));
        }
        let strike = self.control.map.place(fault, self.plan.seed(), 0);
        let strike = strike.map_err(|why| ForkError::NoPlace(fault.clone(), why))?;
        let ledger = Ledger::default();
        let entry = ledger.enter(fault.clone(), Some(strike.offset));
        let struck = Chain::new(vec![Injector::new(entry, strike.at, strike.distance)]);
        let wires = match strike.flow {
            Flow::ToServer => Wires::new(struck, Chain::default()),
            Flow::ToClient => Wires::new(Chain::default(), struck),
        };
        let spares = std::mem::take(&mut self.spares);
        let snapshot = self.before(strike.flow, strike.at);
        let mut run = snapshot.run.fork(&wires, spares)?;
        run.run_to_end(snapshot.sent)?;
        let plan =
            self.plan.with_faults([Located { value: fault.clone(), place: Place::new(&self.source, 0..0) }]);
        let (exchange, spares) = run.collect(&plan, wires)?;
        self.spares = spares;
        let (records, why) = prove(&exchange, &ledger, &self.control.map, &self.control.lines, &[strike]);
        Ok(conclude(&plan, exchange, records, why)?)
    }

    /// The latest snapshot in which the byte at this offset has not come to the place where faults strike.
    fn before(&self, flow: Flow, at: u64) -> &Snapshot {
        let carried = |snapshot: &Snapshot| match flow {
            Flow::ToServer => snapshot.carried.0,
            Flow::ToClient => snapshot.carried.1,
        };
        let behind = self.snapshots.partition_point(|snapshot| carried(snapshot) as u64 <= at);
        // At first, nothing is carried: there is one before every byte.
        &self.snapshots[behind.saturating_sub(1)]
    }
}

/// A run on the memory lane that can be stopped at any round.
struct MemoryRun {
    store: MemoryStore,
    service: Arc<Sessions>,
    records: Vec<Recorder>,
    folders: Vec<Folder>,
    rounds: Rounds<Client, Server>,
}

impl MemoryRun {
    fn start(plan: &Plan, options: &RunOptions) -> Self {
        let store = MemoryStore::default();
        let shared: Arc<dyn Store> = Arc::new(store.clone());
        let service = Arc::new(Sessions::new(server(plan, &shared, options)));
        service.handle_listening(Duration::ZERO);
        let records: Vec<Recorder> = plan.clients().iter().map(|_| Recorder::default()).collect();
        let folders: Vec<Folder> = records.iter().map(|_| Folder::in_memory()).collect();
        let mut run = Self { store, service, records, folders, rounds: Rounds::new(Wires::default()) };
        let clients: Vec<Client> = (0..run.records.len())
            .map(|index| client(plan, index, &run.records, &run.folders, options))
            .collect();
        let mut accept = run.accept();
        clients.into_iter().for_each(|client| run.rounds.connect(client, &mut accept));
        run
    }

    /// What makes a session for each connection.
    fn accept(&self) -> impl FnMut(Duration, faults::ConnectionId) -> Server + use<> {
        let service = Arc::clone(&self.service);
        move |now, connection| service.open(now, connection)
    }

    /// The same run, which goes its own way from here, with these faults.
    fn fork(&self, wires: &Wires, spares: Spares) -> Result<Self, StoreError> {
        let store = self.store.fork();
        let service = Arc::new(self.service.fork(Arc::new(store.clone())));
        let records: Vec<Recorder> = self.records.iter().map(Recorder::fork).collect();
        let folders: Option<Vec<Folder>> = self.folders.iter().map(Folder::fork).collect();
        let folders = folders.ok_or(StoreError::NotForkable)?;
        let fork_client = |client: &Client| {
            let index = self.records.iter().position(|record| record.is_same(client.record()));
            let index = index.ok_or(StoreError::NotForkable)?;
            client.fork(records[index].clone(), folders[index].clone())
        };
        let fork_session = |session: &Server| service.fork_session(&self.service, session);
        let rounds = self.rounds.fork(wires.clone(), spares, fork_client, fork_session)?;
        Ok(Self { store, service, records, folders, rounds })
    }

    fn run_to_end(&mut self, sent: bool) -> io::Result<()> {
        let mut accept = self.accept();
        self.rounds.run_to_end(Some(sent), &mut accept)
    }

    fn collect(self, plan: &Plan, wires: Wires) -> io::Result<(super::Exchange, Spares)> {
        let Self { store, service, records, folders, rounds } = self;
        // Who has something left to say says it when it goes.
        let spares = rounds.into_spares();
        let end = ExchangeEnd { wires, folders, store: Arc::new(store) };
        Ok((collect(plan, &service, &records, end)?, spares))
    }
}
