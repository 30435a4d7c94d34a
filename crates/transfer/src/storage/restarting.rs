//! A store whose machine goes down in the middle of a run: the very [`DiskStore`] of a real server, on a disk that
//! loses what was not synchronised, opened again after each crash.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::{Entry, FileId, FileName};

use super::disk::{Operation, SimulatedDisk};
use super::{DiskStore, Incoming, Limits, OpenError, Store, StoreError};
use faults::Content;

/// A store on a simulated disk.
#[derive(Debug)]
pub struct RestartingStore {
    seed: u64,
    running: Mutex<Running>,
}

#[derive(Debug)]
struct Running {
    disk: SimulatedDisk,
    store: Arc<DiskStore>,
    /// How often the machine went down: each crash has its own chance.
    crashes: u64,
}

impl RestartingStore {
    /// An empty store. `seed` decides what survives a crash, of what was not synchronised.
    ///
    /// # Errors
    /// Only if the store cannot be opened on an empty disk.
    pub fn new(seed: u64) -> Result<Self, OpenError> {
        let disk = SimulatedDisk::default();
        let store = open(&disk)?;
        Ok(Self { seed, running: Mutex::new(Running { disk, store, crashes: 0 }) })
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The store as it runs since the last crash.
    fn store(&self) -> Arc<DiskStore> {
        Arc::clone(&self.running().store)
    }
}

fn open(disk: &SimulatedDisk) -> Result<Arc<DiskStore>, OpenError> {
    Ok(Arc::new(DiskStore::open_on(Arc::new(disk.clone()), Limits::default())?))
}

impl Store for RestartingStore {
    fn list(&self) -> Result<Arc<[Entry]>, StoreError> {
        self.store().list()
    }

    fn create(&self, size: u64) -> Result<Box<dyn Incoming>, StoreError> {
        self.store().create(size)
    }

    fn open(&self, id: FileId) -> Result<Content, StoreError> {
        self.store().open(id)
    }

    fn discard(&self, id: FileId, name: &FileName) -> Result<(), StoreError> {
        self.store().discard(id, name)
    }

    fn lose_power_before_rename(&self) -> bool {
        self.running().disk.lose_power_before(Operation::Rename);
        true
    }

    fn restart(&self) {
        let mut running = self.running();
        running.disk = running.disk.crash(self.seed.wrapping_add(running.crashes));
        running.crashes += 1;
        // If it cannot be opened, the old one stays, whose disk is dead: nothing is listed or taken any more.
        if let Ok(store) = open(&running.disk) {
            running.store = store;
        }
    }
}
