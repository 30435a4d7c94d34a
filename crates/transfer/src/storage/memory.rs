//! The store that keeps everything in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::{Entry, FileId, FileName};

use super::catalog::Catalog;
use super::{CommitResult, Incoming, Store, StoreError};
use faults::Content;

/// How much memory is reserved at once for a file that is announced: the announced size is only a claim.
const MAX_RESERVE: u64 = 64 * 1024;

/// The contents, and what stands under which name.
#[derive(Clone, Debug, Default)]
struct Files {
    contents: BTreeMap<FileId, Arc<[u8]>>,
    catalog: Catalog,
}

/// A store in memory. Clones share their files.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    files: Arc<Mutex<Files>>,
}

impl MemoryStore {
    /// A store with the same files that goes its own way from here.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self { files: Arc::new(Mutex::new(self.files().clone())) }
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        // A map that another thread was reading when it panicked is still whole.
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn list(&self) -> Result<Arc<[Entry]>, StoreError> {
        Ok(self.files().catalog.list())
    }

    fn create(&self, size: u64) -> Result<Box<dyn Incoming>, StoreError> {
        Ok(Box::new(MemoryIncoming { store: self.clone(), arriving: IncomingBytes::with_size(size) }))
    }

    fn open(&self, id: FileId) -> Result<Content, StoreError> {
        let files = self.files();
        files.contents.get(&id).map(|bytes| Content::Memory(Arc::clone(bytes))).ok_or(StoreError::NotFound)
    }

    fn discard(&self, id: FileId, name: &FileName) -> Result<(), StoreError> {
        let mut files = self.files();
        files.catalog.give_back(id, name)?;
        if files.catalog.first_name(id).is_none() {
            files.contents.remove(&id);
        }
        Ok(())
    }
}

/// The bytes, so far, of a file that is arriving in memory.
pub(super) struct IncomingBytes(Vec<u8>);

impl IncomingBytes {
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
    arriving: IncomingBytes,
}

impl Incoming for MemoryIncoming {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.arriving.write(bytes)
    }

    fn content(&self) -> Result<Content, StoreError> {
        Ok(self.arriving.content())
    }

    fn commit(self: Box<Self>, name: &FileName, id: FileId) -> Result<CommitResult, StoreError> {
        let Self { store, arriving } = *self;
        let bytes = arriving.into_bytes();
        let mut files = store.files();
        let size = bytes.len() as u64;
        if *files.contents.entry(id).or_insert_with(|| Arc::clone(&bytes)) != bytes {
            return Err(StoreError::Collision);
        }
        // In memory there is one copy of each content.
        Ok(files.catalog.claim(Entry { name: name.clone(), id, size }, 0))
    }
}
