//! What came of each transfer, read off the events of a client as they happen.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::FileName;

use crate::record::{Event, Failure, Observer, TransferEvent, TransferOutcome};
use faults::Direction;

/// A transfer that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferReport {
    /// Which way.
    pub direction: Direction,
    /// The file's name.
    pub name: FileName,
    /// How many bytes of it came or went.
    pub bytes: u64,
    /// How often it was tried again.
    pub retries: u32,
    /// What came of it.
    pub outcome: TransferOutcome,
}

/// Is told of each transfer when it is over.
pub(super) type TransferCallback = Box<dyn FnMut(TransferReport) + Send>;

/// Puts the events of a client together to transfers.
pub(super) struct Transfers {
    state: Mutex<State>,
}

struct State {
    told: TransferCallback,
    open: Option<OpenTransfer>,
    /// The refusal or failure that is no transfer's.
    otherwise: Option<TransferOutcome>,
}

struct OpenTransfer {
    direction: Direction,
    name: FileName,
    bytes: u64,
    retries: u32,
    outcome: Option<TransferOutcome>,
}

impl Transfers {
    pub(super) fn new(told: TransferCallback) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(State { told, open: None, otherwise: None }) })
    }

    /// The session is over: the last transfer is, too. Returns what went wrong outside of any.
    pub(super) fn finish(&self) -> Option<TransferOutcome> {
        let mut state = self.state();
        state.close();
        state.otherwise.take()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Transfers {
    fn observe(&self, event: &Event) {
        let mut state = self.state();
        match TransferEvent::of(&event.action) {
            Some(TransferEvent::Begins(direction, name)) => state.begin(direction, name),
            Some(TransferEvent::Moved(bytes)) => state.update(|open| open.bytes = bytes),
            Some(TransferEvent::Ends(outcome)) => state.decide(outcome),
            Some(TransferEvent::Retries) => state.update(|open| {
                open.retries += 1;
                open.outcome = None;
            }),
            Some(TransferEvent::Asks(_) | TransferEvent::Leaves) | None => {}
        }
    }
}

impl State {
    /// A transfer begins, unless it is the one under way that is tried again.
    fn begin(&mut self, direction: Direction, name: &FileName) {
        if self.open.as_ref().is_some_and(|open| open.outcome.is_none()) {
            return;
        }
        self.close();
        self.open = Some(OpenTransfer { direction, name: name.clone(), bytes: 0, retries: 0, outcome: None });
    }

    fn update(&mut self, change: impl FnOnce(&mut OpenTransfer)) {
        if let Some(open) = &mut self.open {
            change(open);
        }
    }

    /// The first word counts: what comes after it, say of a discard, does not change it.
    fn decide(&mut self, outcome: TransferOutcome) {
        match &mut self.open {
            Some(open) if open.outcome.is_none() => open.outcome = Some(outcome),
            _ => self.otherwise = self.otherwise.take().or(Some(outcome)),
        }
    }

    fn close(&mut self) {
        let Some(OpenTransfer { direction, name, bytes, retries, outcome }) = self.open.take() else {
            return;
        };
        let outcome = outcome.unwrap_or(TransferOutcome::Broken(Failure::Broken));
        (self.told)(TransferReport { direction, name, bytes, retries, outcome });
    }
}
