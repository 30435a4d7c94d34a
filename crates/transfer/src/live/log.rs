//! What a server tells of its sessions: one line per transfer and one per session, through `tracing`. Every text
//! that comes from the network is quoted and escaped, so that it can neither forge a line nor reach a terminal.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use protocol::Entry;
use tracing::{debug, info, warn};

use crate::record::{Action, Event, Failure, Kind, Message, Observer};

/// How many characters of a line from the network are told.
const MAX_TOLD: usize = 300;

/// Counts sessions.
#[derive(Clone, Debug, Default)]
pub(super) struct OpenSessions(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    open: AtomicUsize,
    cut: AtomicUsize,
}

impl OpenSessions {
    /// Counts one more that is under way and says how many there are with it.
    fn enter(&self) -> usize {
        self.0.open.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// How many were dropped before they were over.
    pub(super) fn cut(&self) -> usize {
        self.0.cut.load(Ordering::Relaxed)
    }
}

/// Follows one session. The session is over when this is dropped.
pub(super) struct SessionLog {
    number: u64,
    peer: String,
    open: OpenSessions,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The last line from the client that named a file.
    asked: String,
    /// When the transfer under way began, and when the session did.
    began: Duration,
    accepted: Duration,
    last: Duration,
    uploads: u64,
    downloads: u64,
    refused: u64,
    failure: Option<Failure>,
    /// A file is on its way to the client.
    sending: bool,
    /// One side has ended it in good order.
    over: bool,
}

impl SessionLog {
    /// Begins to follow a session, and says how many there are with it.
    pub(super) fn begin(number: u64, peer: Option<SocketAddr>, open: &OpenSessions) -> (Self, usize) {
        let peer = peer.map_or_else(|| "unknown".to_owned(), |peer| peer.to_string());
        let count = open.enter();
        (Self { number, peer, open: open.clone(), state: Mutex::default() }, count)
    }

    /// The session is turned away before it has begun.
    pub(super) fn turned_away(mut self) -> Self {
        self.state.get_mut().unwrap_or_else(PoisonError::into_inner).over = true;
        self
    }

    fn note(&self, state: &mut State, event: &Event) {
        let session = self.number;
        match &event.action {
            Action::Accepted => {
                state.accepted = event.at;
                debug!(session, peer = self.peer, "session begins");
            }
            Action::Received(Message::Text { kind: Kind::Details | Kind::Id | Kind::Discard, text }) => {
                state.asked = text.chars().take(MAX_TOLD).collect();
                state.began = event.at;
            }
            Action::Received(Message::Text { kind: Kind::Rejected, text }) => {
                state.asked = text.chars().take(MAX_TOLD).collect();
            }
            Action::Saved(Entry { name, id, size }) => {
                state.uploads += 1;
                let ms = (event.at - state.began).as_millis();
                info!(session, peer = self.peer, ?name, %id, size, ms, "upload stored");
            }
            Action::Sent(Message::Payload { bytes, digest }) => {
                state.downloads += 1;
                state.sending = false;
                let ms = (event.at - state.began).as_millis();
                info!(session, peer = self.peer, id = %digest, size = bytes, ms, "download sent");
            }
            Action::Sent(Message::Text { kind: Kind::Refusal(code), .. }) => {
                state.refused += 1;
                info!(session, peer = self.peer, %code, asked = ?state.asked, "refused");
            }
            Action::Forgot(id) => {
                warn!(session, peer = self.peer, %id, "upload discarded: its client found other bytes in it");
            }
            Action::Sending(_) => state.sending = true,
            Action::PeerLeft | Action::Disconnected => state.over = true,
            Action::Failed(failure) => state.failure = Some(failure.clone()),
            _ => {}
        }
    }
}

impl Observer for SessionLog {
    fn observe(&self, event: &Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.last = event.at;
        self.note(&mut state, event);
    }
}

impl Drop for SessionLog {
    fn drop(&mut self) {
        self.open.0.open.fetch_sub(1, Ordering::Relaxed);
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let State { uploads, downloads, refused, .. } = state;
        let ms = (state.last - state.accepted).as_millis();
        let (session, peer) = (self.number, &self.peer);
        let why = match &state.failure {
            Some(failure) => failure.to_string(),
            None if !state.over => {
                self.open.0.cut.fetch_add(1, Ordering::Relaxed);
                "the server stopped".into()
            }
            None if state.sending => "the client left in the midst of a download".into(),
            None => return info!(session, peer, uploads, downloads, refused, ms, "session over"),
        };
        warn!(session, peer, uploads, downloads, refused, ms, failure = why, "session broke off");
    }
}
