//! What happened in a run, as each side saw it: a [`Recorder`] per side and connection, filled with
//! [`Event`]s, or shown to an [`Observer`] as they happen. This module does not order the events of different
//! sides, judge or print them.

mod progress;
mod transfer;

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use protocol::{Compared, Ended, Entry, Error, ErrorCode, FileId, FileName};

pub use progress::Progress;
pub use transfer::{TransferEvent, TransferOutcome};

use crate::storage::StoreError;
use faults::text::bytes_text;
use faults::{ConnectionId, Content, Direction, Reader};

/// One thing that one side did or saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, by the transport's clock, since the run began.
    pub at: Duration,
    /// What.
    pub action: Action,
    /// For a message that was sent: its offsets in the stream of this side. For a payload that begins to go out: those
    /// that it shall have.
    pub stream: Option<Range<u64>>,
    /// For a file that was received or saved: its bytes as they were at that moment, whatever becomes of them, or
    /// why they could not be read. It is the evidence for the verdict.
    pub file: Option<Evidence>,
    /// For a connection that was made or accepted: which one.
    pub connection: Option<ConnectionId>,
}

/// A file as the side that had it could read it back.
pub type Evidence = Result<Content, StoreError>;

impl Event {
    fn new(at: Duration, action: Action) -> Self {
        Self { at, action, stream: None, file: None, connection: None }
    }
}

/// What a side did or saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The server listens.
    Listened,
    /// The client starts.
    Started,
    /// The client is connected.
    Connected,
    /// The server accepted a connection.
    Accepted,
    /// A payload of so many bytes begins to go out.
    Sending(u64),
    /// A message went out. A payload is recorded with its last byte.
    Sent(Message),
    /// A message came in. A payload is recorded with its last byte.
    Received(Message),
    /// The server saved an upload.
    Saved(Entry),
    /// The server forgot an upload.
    Forgot(FileId),
    /// The client compared digests after an upload or a download.
    Compared(Direction, Compared),
    /// The client is told to download a file that is not in its last listing, and goes on without it.
    Unlisted(FileName),
    /// Each of these in its last listing can be the file that the client is told to download: it takes none, and goes on.
    Ambiguous(FileName, Vec<Entry>),
    /// This side disconnected in good order.
    Disconnected,
    /// The peer's stream ended in good order.
    PeerLeft,
    /// The session failed and is over.
    Failed(Failure),
    /// The client tries the same again; the number of the retry, from 1.
    Retried(u32),
    /// The server went down.
    Crashed,
    /// The server is up again.
    Restarted,
    /// A fault struck what this side was about to read.
    Struck {
        /// Its number, from 0.
        fault: usize,
        /// What it did.
        text: String,
    },
}

/// A whole message of the protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// One control line, or the lines of one listing, without the last line's end.
    Text {
        /// What it is to the side that records it.
        kind: Kind,
        /// The text itself.
        text: String,
    },
    /// The raw bytes of a file.
    Payload {
        /// How many bytes.
        bytes: u64,
        /// Their MD5.
        digest: FileId,
    },
}

/// What a control message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The command `LIST_FILES`.
    ListFiles,
    /// The command `UPLOAD`; the sender knows of which file.
    Upload(Option<FileName>),
    /// The command `DOWNLOAD`; the sender knows of which file.
    Download(Option<FileName>),
    /// The command `DISCARD`.
    Discard,
    /// `name;size`.
    Details,
    /// The id of the file to download.
    Id,
    /// The listing, and the names in it.
    Listing(Vec<FileName>),
    /// The prompt for the details.
    AskDetails,
    /// The go-ahead for the payload.
    Ready,
    /// The server's hash.
    Hash,
    /// The prompt for the id.
    AskId,
    /// The size of a download.
    Size,
    /// The answer to `DISCARD`.
    Discarded,
    /// A go-ahead, as the client reads it: its wording is free.
    GoAhead,
    /// A refusal.
    Refusal(ErrorCode),
    /// A line that was refused for its form.
    Rejected,
}

/// Why a session failed. Never the system's wording: that differs from machine to machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The protocol's own error.
    Protocol(Error),
    /// Nothing came for the length of the deadline.
    Deadline,
    /// The connection could not be made.
    NotConnected,
    /// The connection broke.
    Broken,
    /// Reading or writing a file on this side failed.
    Storage(StoreError),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protocol(Error::Ended(Ended::InPayload { missing })) => {
                write!(f, "the stream ended early: {} of the file are missing", bytes_text(*missing))
            }
            Self::Protocol(error) => error.fmt(f),
            Self::Deadline => f.write_str("nothing came within the deadline"),
            Self::NotConnected => f.write_str("no connection"),
            Self::Broken => f.write_str("the connection broke"),
            // The kind of error differs from system to system: what the wire would hear of it does not.
            Self::Storage(error) => write!(f, "its storage failed ({})", error.code()),
        }
    }
}

/// Is shown the events of one side as they happen.
pub trait Observer: Send + Sync {
    /// This happened just now.
    fn observe(&self, event: &Event);

    /// A message that goes out in several pieces begins, at this offset of the stream. It is an event only once it is whole.
    fn begins(&self, _kind: &Kind, _offset: u64) {}
}

/// Collects the events of one side of one connection, or passes them on. Clones share their events, so that what
/// was recorded survives the side that recorded it.
#[derive(Clone, Default)]
pub struct Recorder {
    kept: Arc<Mutex<RecorderState>>,
    observer: Option<Arc<dyn Observer>>,
    /// Whether it only shows its events to the observer.
    forgets: bool,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("keeps", &self.keeps()).finish_non_exhaustive()
    }
}

#[derive(Clone, Debug, Default)]
struct RecorderState {
    events: Vec<Event>,
    connection: Option<ConnectionId>,
    consumed: u64,
    seen: u64,
    sealed: bool,
    left: bool,
}

impl Reader for Recorder {
    fn struck(&self, now: Duration, fault: usize, text: String) {
        self.record(now, Action::Struck { fault, text });
    }

    fn seen(&self) -> u64 {
        self.kept().seen
    }

    fn has_left(&self) -> bool {
        self.kept().left
    }
}

impl Recorder {
    /// A recorder that keeps nothing and shows every event to `observer`: for programs that run for long.
    #[must_use]
    pub fn observed(observer: Arc<dyn Observer>) -> Self {
        Self { observer: Some(observer), forgets: true, ..Self::default() }
    }

    /// A recorder that keeps every event, and shows it to `observer`.
    #[must_use]
    pub fn watched(observer: Arc<dyn Observer>) -> Self {
        Self { observer: Some(observer), ..Self::default() }
    }

    /// A copy that goes its own way from here. Nobody observes it.
    #[must_use]
    pub fn fork(&self) -> Self {
        let kept = self.kept().clone();
        Self { kept: Arc::new(Mutex::new(kept)), observer: None, forgets: self.forgets }
    }

    /// Whether both are clones of one.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.kept, &other.kept)
    }

    /// Whether it keeps what it is told. If not, there is no point in telling it what is large.
    #[must_use]
    pub fn keeps(&self) -> bool {
        !self.forgets
    }

    /// Adds one event.
    pub fn record(&self, at: Duration, action: Action) {
        self.add(Event::new(at, action));
    }

    /// Adds a message that was sent, at these offsets of the stream.
    pub fn record_sent(&self, at: Duration, message: Message, stream: Range<u64>) {
        self.add(Event { stream: Some(stream), ..Event::new(at, Action::Sent(message)) });
    }

    fn add(&self, event: Event) {
        if let Some(observer) = &self.observer {
            observer.observe(&event);
        }
        if self.keeps() {
            self.kept().events.push(event);
        }
    }

    /// A message begins to go out in several pieces, at this offset of the stream.
    pub fn begins(&self, kind: &Kind, offset: u64) {
        if let Some(observer) = &self.observer {
            observer.begins(kind, offset);
        }
    }

    /// The payload begins to go out; it shall have these offsets in the stream.
    pub fn record_sending(&self, at: Duration, stream: Range<u64>) {
        let action = Action::Sending(stream.end - stream.start);
        self.add(Event { stream: Some(stream), ..Event::new(at, action) });
    }

    /// Adds that a file was received or saved, with the file.
    pub fn record_file(&self, at: Duration, action: Action, file: &Evidence) {
        let file = self.keeps().then(|| file.clone());
        self.add(Event { file, ..Event::new(at, action) });
    }

    /// Adds that a connection was made or accepted: all that comes after it, up to the next, came over this one.
    pub fn record_connection(&self, at: Duration, action: Action, connection: ConnectionId) {
        self.kept().connection = Some(connection);
        self.add(Event { connection: Some(connection), ..Event::new(at, action) });
    }

    /// This side as the reader of a stream with faults.
    #[must_use]
    pub fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(self.clone())
    }

    /// The connection over which this side talks, or talked last.
    #[must_use]
    pub fn connection(&self) -> Option<ConnectionId> {
        self.kept().connection
    }

    /// This side was shown so many bytes of its stream, and took so many of them.
    pub fn saw(&self, shown: usize, taken: usize) {
        let mut kept = self.kept();
        if !kept.sealed {
            kept.seen = kept.seen.max(kept.consumed + shown as u64);
            kept.consumed += taken as u64;
        }
    }

    /// From here on it is another connection's stream, of which nothing is counted.
    pub fn seal(&self) {
        self.kept().sealed = true;
    }

    /// This side reads no more of its first stream: what faults do to the rest of it strikes nobody.
    pub fn leave(&self) {
        self.kept().left = true;
    }

    /// Takes all events so far, leaving none.
    #[must_use]
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.kept().events)
    }

    /// Whether this is the last that was recorded so far.
    #[must_use]
    pub fn ends_with(&self, at: Duration, action: &Action) -> bool {
        self.kept().events.last().is_some_and(|last| last.at == at && last.action == *action)
    }

    fn kept(&self) -> MutexGuard<'_, RecorderState> {
        // A list that another thread was adding to when it panicked is still a list.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
