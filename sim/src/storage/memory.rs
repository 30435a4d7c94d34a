//! The store that keeps everything in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::{Entry, FileId, FileName};

use super::{Committed, Content, Incoming, Store, StoreError};

/// How much memory is reserved at once for a file that is announced: the announced size is only a claim.
const MAX_RESERVE: u64 = 64 * 1024;

type Files = BTreeMap<(FileName, FileId), Arc<[u8]>>;

/// A store in memory. Clones share their files.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    files: Arc<Mutex<Files>>,
}

impl MemoryStore {
    fn files(&self) -> MutexGuard<'_, Files> {
        // A map that another thread was reading when it panicked is still whole.
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn list(&self) -> Result<Vec<Entry>, StoreError> {
        let entry = |((name, id), bytes): (&(FileName, FileId), &Arc<[u8]>)| Entry {
            name: name.clone(),
            id: *id,
            size: bytes.len() as u64,
        };
        Ok(self.files().iter().map(entry).collect())
    }

    fn create(&self, size: u64) -> Result<Box<dyn Incoming>, StoreError> {
        let reserve = usize::try_from(size.min(MAX_RESERVE)).unwrap_or_default();
        Ok(Box::new(MemoryIncoming { store: self.clone(), bytes: Vec::with_capacity(reserve) }))
    }

    fn open(&self, id: FileId) -> Result<Content, StoreError> {
        let files = self.files();
        let found = files.iter().find(|((_, stored), _)| *stored == id);
        found.map(|(_, bytes)| Content::Memory(Arc::clone(bytes))).ok_or(StoreError::NotFound)
    }

    fn discard(&self, id: FileId, name: &FileName) -> Result<(), StoreError> {
        let removed = self.files().remove(&(name.clone(), id));
        removed.map(|_| ()).ok_or(StoreError::NotFound)
    }
}

struct MemoryIncoming {
    store: MemoryStore,
    bytes: Vec<u8>,
}

impl Incoming for MemoryIncoming {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.bytes.try_reserve(bytes.len()).map_err(|_| StoreError::NoSpace)?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn content(&self) -> Result<Content, StoreError> {
        Ok(Content::Memory(self.bytes.as_slice().into()))
    }

    fn commit(self: Box<Self>, name: &FileName, id: FileId) -> Result<Committed, StoreError> {
        let Self { store, bytes } = *self;
        let mut files = store.files();
        let stored = files.iter().find(|((_, stored), _)| *stored == id).map(|(_, bytes)| Arc::clone(bytes));
        if stored.as_ref().is_some_and(|stored| **stored != *bytes) {
            return Err(StoreError::Collision);
        }
        let bytes = stored.unwrap_or_else(|| bytes.into());
        let before = files.insert((name.clone(), id), bytes);
        Ok(if before.is_none() { Committed::New } else { Committed::Already })
    }
}
