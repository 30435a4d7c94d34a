//! The store that keeps everything in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::{Entry, FileId, FileName};

use super::{Committed, Content, Incoming, Store, StoreError};

/// How much memory is reserved at once for a file that is announced: the announced size is only a claim.
const MAX_RESERVE: u64 = 64 * 1024;

/// What stands under each name and id, and the listing of it, made when it is first asked for after a change.
#[derive(Debug, Default)]
struct Files {
    contents: BTreeMap<(FileName, FileId), Arc<[u8]>>,
    listing: Option<Arc<[Entry]>>,
}

impl Files {
    fn list(&mut self) -> Arc<[Entry]> {
        let entry = |((name, id), bytes): (&(FileName, FileId), &Arc<[u8]>)| Entry {
            name: name.clone(),
            id: *id,
            size: bytes.len() as u64,
        };
        let contents = &self.contents;
        Arc::clone(self.listing.get_or_insert_with(|| contents.iter().map(entry).collect()))
    }

    fn get(&self, id: FileId) -> Option<&Arc<[u8]>> {
        self.contents.iter().find(|((_, stored), _)| *stored == id).map(|(_, bytes)| bytes)
    }
}

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
    fn list(&self) -> Result<Arc<[Entry]>, StoreError> {
        Ok(self.files().list())
    }

    fn create(&self, size: u64) -> Result<Box<dyn Incoming>, StoreError> {
        Ok(Box::new(MemoryIncoming { store: self.clone(), arriving: Arriving::with_size(size) }))
    }

    fn open(&self, id: FileId) -> Result<Content, StoreError> {
        self.files().get(id).map(|bytes| Content::Memory(Arc::clone(bytes))).ok_or(StoreError::NotFound)
    }

    fn discard(&self, id: FileId, name: &FileName) -> Result<(), StoreError> {
        let mut files = self.files();
        files.contents.remove(&(name.clone(), id)).ok_or(StoreError::NotFound)?;
        files.listing = None;
        Ok(())
    }
}

/// The bytes, so far, of a file that is arriving in memory.
pub(super) struct Arriving(Vec<u8>);

impl Arriving {
    /// Room for a file that is announced with `size` bytes.
    pub(super) fn with_size(size: u64) -> Self {
        Self(Vec::with_capacity(usize::try_from(size.min(MAX_RESERVE)).unwrap_or_default()))
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.0.try_reserve(bytes.len()).map_err(|_| StoreError::NoSpace)?;
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    pub(super) fn content(&self) -> Content {
        Content::Memory(self.0.as_slice().into())
    }

    pub(super) fn into_bytes(self) -> Arc<[u8]> {
        self.0.into()
    }
}

struct MemoryIncoming {
    store: MemoryStore,
    arriving: Arriving,
}

impl Incoming for MemoryIncoming {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.arriving.write(bytes)
    }

    fn content(&self) -> Result<Content, StoreError> {
        Ok(self.arriving.content())
    }

    fn commit(self: Box<Self>, name: &FileName, id: FileId) -> Result<Committed, StoreError> {
        let Self { store, arriving } = *self;
        let bytes = arriving.into_bytes();
        let mut files = store.files();
        let stored = files.get(id).cloned();
        if stored.as_ref().is_some_and(|stored| *stored != bytes) {
            return Err(StoreError::Collision);
        }
        if files.contents.insert((name.clone(), id), stored.unwrap_or(bytes)).is_some() {
            return Ok(Committed::Already);
        }
        files.listing = None;
        Ok(Committed::New)
    }
}
