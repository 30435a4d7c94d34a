//! What came of each transfer, read off the events of a client as they happen.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::{Compared, ErrorCode, FileId, FileName};

use crate::record::{Action, Event, Failure, Kind, Message, Observer};
use faults::Direction;

/// What came of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferOutcome {
    /// The digests are equal.
    Success {
        /// The MD5, which is the file's id.
        id: FileId,
    },
    /// The digests differ.
    Fail {
        /// The MD5 that this side computed.
        own: FileId,
        /// The one that it should be.
        peer: FileId,
    },
    /// The server refused.
    Refused {
        /// Why, for programs.
        code: ErrorCode,
        /// Why, in the server's words.
        text: String,
    },
    /// The session broke off before it was decided.
    Broken(Failure),
}

impl TransferOutcome {
    /// Whether a file on this side is to blame.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Broken(Failure::Storage(_)))
    }
}

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
        match &event.action {
            Action::Sent(Message::Text { kind: Kind::Upload(Some(name)), .. }) => {
                state.begin(Direction::Upload, name);
            }
            Action::Sent(Message::Text { kind: Kind::Download(Some(name)), .. }) => {
                state.begin(Direction::Download, name);
            }
            Action::Sent(Message::Payload { bytes, .. })
            | Action::Received(Message::Payload { bytes, .. }) => {
                state.update(|open| open.bytes = *bytes);
            }
            Action::Received(Message::Text { kind: Kind::Refusal(code), text }) => {
                let text = text.splitn(3, ' ').nth(2).unwrap_or_default().to_owned();
                state.decide(TransferOutcome::Refused { code: *code, text });
            }
            Action::Compared(_, Compared::Same(id)) => state.decide(TransferOutcome::Success { id: *id }),
            Action::Compared(_, Compared::Different { own, peer }) => {
                state.decide(TransferOutcome::Fail { own: *own, peer: *peer });
            }
            Action::Failed(failure) => state.decide(TransferOutcome::Broken(failure.clone())),
            Action::Retried(_) => state.update(|open| {
                open.retries += 1;
                open.outcome = None;
            }),
            _ => {}
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
