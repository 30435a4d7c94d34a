//! What the two programs need to run.

use std::sync::Arc;
use std::time::Duration;

use super::{ClientCommand, Conduct, HashThreads, Hasher, Script};
use crate::record::{Observer, Progress, Recorder};
use crate::storage::{Folder, Store};

/// What a [`Client`](super::Client) needs.
pub struct ClientConfig {
    /// What it does. It disconnects at the end.
    pub script: Box<dyn Script>,
    /// Where downloads go.
    pub folder: Folder,
    /// It gives up when nothing has moved for so long.
    pub deadline: Duration,
    /// How many bytes of a download or a listing count as something.
    pub pace: u64,
    /// Whether it waits for the end of a peer that it has given up. Where both sides are ours they then tell of the same
    /// end, whatever carries their bytes; anywhere else it is a waste of time.
    pub waits: bool,
    /// How often in all it tries again after a failed comparison or a broken connection.
    pub retries: u32,
    /// Where it hashes large files.
    pub hash_threads: HashThreads,
    /// Whether it makes a mistake.
    pub conduct: Conduct,
    /// Where it records what it does and sees.
    pub record: Recorder,
    /// Counters for a progress bar.
    pub progress: Option<Arc<Progress>>,
}

impl ClientConfig {
    /// A correct client that tries everything once, does one thing at a time and carries out `commands`.
    #[must_use]
    pub fn new(commands: Vec<ClientCommand>, folder: Folder, deadline: Duration) -> Self {
        Self {
            script: Box::new(commands.into_iter()),
            folder,
            deadline,
            pace: 1,
            waits: true,
            retries: 0,
            hash_threads: HashThreads::new(0),
            conduct: Conduct::default(),
            record: Recorder::default(),
            progress: None,
        }
    }
}

/// What a [`Server`](super::Server) needs.
#[derive(Clone)]
pub struct ServerConfig {
    /// Where the files are.
    pub store: Arc<dyn Store>,
    /// A session ends when nothing has come for so long.
    pub deadline: Duration,
    /// How many payload bytes count as something.
    pub pace: u64,
    /// Where it hashes large files.
    pub hash_threads: HashThreads,
    /// Whether it makes a mistake.
    pub conduct: Conduct,
    /// What is otherwise in the session of the first connection, if anything is.
    pub first: Option<FirstSession>,
}

/// What is otherwise in the session of the first connection: the one that faults strike.
#[derive(Clone)]
pub struct FirstSession {
    /// Its view of the store.
    pub store: Arc<dyn Store>,
    /// Is shown its events as they happen.
    pub observer: Arc<dyn Observer>,
}

impl ServerConfig {
    /// A correct server that is content with every byte, and does one thing at a time.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, deadline: Duration) -> Self {
        Self {
            store,
            deadline,
            pace: 1,
            hash_threads: HashThreads::new(0),
            conduct: Conduct::default(),
            first: None,
        }
    }

    /// One for a file of this name.
    pub(super) fn hasher(&self, name: &str) -> Hasher {
        Hasher::with(self.conduct, name).on(&self.hash_threads)
    }
}
