//! The listening side of a run: a session for every connection, all on one store and one machine.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::host::Host;
use super::{Endpoint, Server, ServerConfig, Service};
use crate::record::{Action, Recorder};
use crate::storage::{Store, StoreError};
use faults::{ConnectionId, Machine};

/// Makes a [`Server`] for every connection, all on one store, and keeps their records.
pub struct Sessions {
    config: ServerConfig,
    machine: Host,
    record: Recorder,
    sessions: Mutex<Vec<Recorder>>,
}

impl Sessions {
    /// Sessions of servers like this.
    #[must_use]
    pub fn new(config: ServerConfig) -> Self {
        Self { config, machine: Host::default(), record: Recorder::default(), sessions: Mutex::default() }
    }

    /// What happened to the server as a whole.
    #[must_use]
    pub fn record(&self) -> &Recorder {
        &self.record
    }

    /// The record of each session. Whose it is says the connection in its first event.
    #[must_use]
    pub fn sessions(&self) -> Vec<Recorder> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A copy on a machine of its own, with this store, a copy of the one as it is now: what was recorded is copied, and what
    /// is recorded from here on is each one's own. Nothing of it may have gone down.
    #[must_use]
    pub fn fork(&self, store: Arc<dyn Store>) -> Self {
        let sessions = self.sessions().iter().map(Recorder::fork).collect();
        Self {
            config: ServerConfig { store, first: None, ..self.config.clone() },
            machine: Host::default(),
            record: self.record.fork(),
            sessions: Mutex::new(sessions),
        }
    }

    /// A copy of a `session` of the sessions that these were [forked](Self::fork) `from`.
    ///
    /// # Errors
    /// If what has arrived of an upload cannot be read back or written again.
    pub fn fork_session(&self, from: &Self, session: &Server) -> Result<Server, StoreError> {
        let number = from.sessions().iter().position(|record| record.is_same(session.recorder()));
        let record = number.and_then(|number| self.sessions().get(number).cloned());
        let record = record.ok_or(StoreError::NotForkable)?;
        session.fork(self.config.clone(), record, self.machine.boot())
    }

    /// The session for a connection that has come in.
    pub fn open(&self, now: Duration, connection: ConnectionId) -> Server {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut config, mut record) = (self.config.clone(), Recorder::default());
        if let (true, Some(first)) = (sessions.is_empty(), config.first.take()) {
            (config.store, record) = (first.store, Recorder::watched(first.observer));
        }
        sessions.push(record.clone());
        drop(sessions);
        let mut server = Server::new(config, record).on(self.machine.boot());
        server.handle_connected(now, connection);
        server
    }

    /// The machine, which went down at this time, is up again. Those whom it took with it saw the one and the other.
    fn restarted(&self, fell: Duration, now: Duration) {
        let mut fallen = self.sessions();
        fallen.retain(|session| session.ends_with(fell, &Action::Crashed));
        if fallen.is_empty() {
            self.record.record(fell, Action::Crashed);
            fallen.push(self.record.clone());
        }
        fallen.iter().for_each(|record| record.record(now, Action::Restarted));
    }
}

impl Service for Sessions {
    fn handle_listening(&self, now: Duration) {
        match self.machine.last_fall() {
            None => self.record.record(now, Action::Listened),
            Some(fell) => self.restarted(fell, now),
        }
    }

    fn accept(&self, now: Duration, connection: ConnectionId) -> Box<dyn Endpoint> {
        Box::new(self.open(now, connection))
    }

    fn handle_crash(&self, now: Duration) {
        self.config.store.restart();
        self.machine.fall(now);
    }
}
