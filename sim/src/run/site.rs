//! Where a run keeps its files: the server's store and the client's folder, both in memory or both on disk.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use super::Plan;
use transfer::storage::{DiskStore, Folder, MemoryStore, RestartingStore, Store};

/// The place of one run's files, which takes it. A temporary directory goes with it; what else is to be looked at after
/// the run, such as the [`store`](Self::store), is taken before.
///
/// A second run needs a place of its own:
///
/// ```compile_fail,E0382
/// # use sim::run::{Plan, RunError, RunOptions, Site, run};
/// # fn twice(plan: &Plan, lane: &mut dyn sim::transport::Transport) -> Result<(), RunError> {
/// let site = Site::in_memory();
/// run(plan, lane, site, &RunOptions::default())?;
/// run(plan, lane, site, &RunOptions::default())?;
/// # Ok(())
/// # }
/// ```
pub struct Site {
    store: Arc<dyn Store>,
    /// Where it is on disk, if it is.
    dir: Option<PathBuf>,
    temporary: Option<TempDir>,
}

impl Site {
    /// A fresh place for a run of `plan`: in memory, or in a temporary directory if its files are large. If a fault
    /// strikes the server's disk or machine, the disk is simulated.
    ///
    /// # Errors
    /// If the directory cannot be made.
    pub fn for_plan(plan: &Plan) -> io::Result<Self> {
        if !plan.is_large() {
            return if plan.needs_disk() { Self::simulated(plan.seed()) } else { Ok(Self::in_memory()) };
        }
        let temporary = TempDir::with_prefix("sim-")?;
        let mut site = Self::on_disk(temporary.path())?;
        site.temporary = Some(temporary);
        Ok(site)
    }

    /// A fresh place in memory.
    #[must_use]
    pub fn in_memory() -> Self {
        Self { store: Arc::new(MemoryStore::default()), dir: None, temporary: None }
    }

    /// A fresh place with the store of a real server, on a simulated disk that loses what was not synchronised when the
    /// machine goes down; `seed` decides what survives.
    ///
    /// # Errors
    /// If the store cannot be opened.
    pub fn simulated(seed: u64) -> io::Result<Self> {
        Ok(Self { store: Arc::new(RestartingStore::new(seed)?), dir: None, temporary: None })
    }

    /// A fresh place in `dir`: the store in `dir/server`, the downloads in `dir/client`, or of several clients in
    /// `dir/client-1` and so on.
    ///
    /// # Errors
    /// If it cannot be made, or holds anything already: that could appear in the listing.
    pub fn on_disk(dir: &Path) -> io::Result<Self> {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", dir.display()));
        if fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some()) {
            let message = format!("{} is not empty: choose a new directory", dir.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
        }
        let server = dir.join("server");
        if dir.symlink_metadata().is_ok() && !dir.is_dir() {
            let message = format!("{} is no directory: choose a new one", dir.display());
            return Err(io::Error::new(io::ErrorKind::NotADirectory, message));
        }
        fs::create_dir_all(&server).map_err(named)?;
        let store = DiskStore::open(&server)?;
        Ok(Self { store: Arc::new(store), dir: Some(dir.to_owned()), temporary: None })
    }

    /// The temporary directory that goes with it.
    #[must_use]
    pub fn temporary(&self) -> Option<&Path> {
        self.temporary.as_ref().map(TempDir::path)
    }

    /// The server's store.
    #[must_use]
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    /// A folder for each of `count` clients.
    ///
    /// # Errors
    /// If one cannot be made.
    pub fn folders(&self, count: usize) -> io::Result<Vec<Folder>> {
        (0..count).map(|index| self.folder(index, count)).collect()
    }

    fn folder(&self, index: usize, count: usize) -> io::Result<Folder> {
        match &self.dir {
            None => Ok(Folder::in_memory()),
            Some(dir) if count == 1 => Folder::on_disk(&dir.join("client")),
            Some(dir) => Folder::on_disk(&dir.join(format!("client-{}", index + 1))),
        }
    }
}
