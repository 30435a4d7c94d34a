//! Where a run keeps its files: the server's store and the client's folder, both in memory or both on disk.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use super::Plan;
use crate::storage::{DiskStore, Folder, MemoryStore, Store};

/// The place of one run's files. A temporary directory goes when this is dropped.
pub struct Site {
    store: Arc<dyn Store>,
    folder: Folder,
    _temporary: Option<TempDir>,
}

impl Site {
    /// A fresh place for a run of `plan`: in memory, or in a temporary directory if its files are large.
    ///
    /// # Errors
    /// If the directory cannot be made.
    pub fn for_plan(plan: &Plan) -> io::Result<Self> {
        if !plan.is_large() {
            return Ok(Self::in_memory());
        }
        let temporary = TempDir::with_prefix("sim-")?;
        let mut site = Self::on_disk(temporary.path())?;
        site._temporary = Some(temporary);
        Ok(site)
    }

    /// A fresh place in memory.
    #[must_use]
    pub fn in_memory() -> Self {
        Self { store: Arc::new(MemoryStore::default()), folder: Folder::in_memory(), _temporary: None }
    }

    /// A fresh place in `dir`: the store in `dir/server`, the downloads in `dir/client`.
    ///
    /// # Errors
    /// If they cannot be made, or hold files already: those would appear in the listing.
    pub fn on_disk(dir: &Path) -> io::Result<Self> {
        let (server, client) = (dir.join("server"), dir.join("client"));
        for directory in [&server, &client] {
            if fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some()) {
                let message = format!("{} is not empty: choose a new directory", directory.display());
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
            }
        }
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", dir.display()));
        fs::create_dir_all(&server).map_err(named)?;
        let store = DiskStore::open(&server).map_err(|error| io::Error::other(error.code().text()))?;
        let folder = Folder::on_disk(&client).map_err(named)?;
        Ok(Self { store: Arc::new(store), folder, _temporary: None })
    }

    /// The server's store.
    #[must_use]
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    /// The client's folder.
    #[must_use]
    pub fn folder(&self) -> Folder {
        self.folder.clone()
    }
}
