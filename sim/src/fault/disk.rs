//! Faults of the server's disk, put around any [`Store`]. They strike the first upload, at exact byte offsets.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use protocol::{Entry, FileId, FileName};

use super::Ledger;
use crate::scenario::Effect;
use crate::storage::{Committed, Content, Incoming, Store, StoreError};

/// A disk fault: its number in the ledger, what it does, and at which offset of the upload.
pub type DiskFault = (usize, Effect, u64);

/// A store on a disk with faults.
pub struct FaultyStore {
    inner: Arc<dyn Store>,
    faults: Vec<DiskFault>,
    ledger: Ledger,
    /// Whether the first upload has begun.
    begun: AtomicBool,
    /// The id of the first upload, once it is stored: what can rot.
    stored: Arc<Mutex<Option<FileId>>>,
}

impl FaultyStore {
    /// `inner` with these faults, which are entered in `ledger`.
    #[must_use]
    pub fn new(inner: Arc<dyn Store>, faults: Vec<DiskFault>, ledger: Ledger) -> Self {
        Self { inner, faults, ledger, begun: AtomicBool::new(false), stored: Arc::default() }
    }
}

impl Store for FaultyStore {
    fn list(&self) -> Result<Arc<[Entry]>, StoreError> {
        self.inner.list()
    }

    fn create(&self, size: u64) -> Result<Box<dyn Incoming>, StoreError> {
        let inner = self.inner.create(size)?;
        if self.begun.swap(true, Ordering::Relaxed) {
            return Ok(inner);
        }
        Ok(Box::new(FaultyIncoming {
            store: Arc::clone(&self.inner),
            inner,
            faults: self.faults.clone(),
            ledger: self.ledger.clone(),
            written: 0,
            stored: Arc::clone(&self.stored),
        }))
    }

    fn open(&self, id: FileId) -> Result<Content, StoreError> {
        let content = self.inner.open(id)?;
        if *self.stored.lock().unwrap_or_else(PoisonError::into_inner) != Some(id) {
            return Ok(content);
        }
        self.faults.iter().try_fold(content, |content, (fault, effect, at)| match effect {
            Effect::Rot { bit } => self.rot(&content, *fault, *at, *bit),
            _ => Ok(content),
        })
    }

    fn discard(&self, id: FileId, name: &FileName) -> Result<(), StoreError> {
        self.inner.discard(id, name)
    }

    fn lose_power_before_rename(&self) -> bool {
        self.inner.lose_power_before_rename()
    }

    fn restart(&self) {
        self.inner.restart();
    }
}

impl FaultyStore {
    /// The content as it is after one of its bits has turned over on the disk.
    fn rot(&self, content: &Content, fault: usize, at: u64, bit: u8) -> Result<Content, StoreError> {
        let mut bytes = vec![0; usize::try_from(content.len()).map_err(|_| StoreError::NoSpace)?];
        content.read_at(0, &mut bytes)?;
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        if let Some(byte) = bytes.get_mut(at) {
            let old = *byte;
            *byte ^= 1 << (bit & 7);
            self.ledger.fired(fault, &[old], &[*byte]);
            self.ledger.reached(fault);
        }
        Ok(Content::Memory(bytes.into()))
    }
}

struct FaultyIncoming {
    store: Arc<dyn Store>,
    inner: Box<dyn Incoming>,
    faults: Vec<DiskFault>,
    ledger: Ledger,
    written: u64,
    stored: Arc<Mutex<Option<FileId>>>,
}

impl FaultyIncoming {
    /// The part of `bytes` that a short write loses.
    fn lost(&self, bytes: &[u8]) -> Option<(usize, std::ops::Range<usize>)> {
        let (start, end) = (self.written, self.written + bytes.len() as u64);
        self.faults.iter().find_map(|(fault, effect, at)| {
            let Effect::ShortWrite { bytes: count } = effect else { return None };
            let (from, to) = ((*at).max(start), at.saturating_add(*count).min(end));
            let within = |offset: u64| usize::try_from(offset - start).ok();
            (from < to).then(|| Some((*fault, within(from)?..within(to)?)))?
        })
    }

    /// The error that strikes within the next `count` bytes.
    fn error(&self, count: u64) -> Option<StoreError> {
        let end = self.written + count;
        let (fault, error) = self.faults.iter().find_map(|(fault, effect, at)| {
            let error = match effect {
                Effect::NoSpace => StoreError::NoSpace,
                Effect::WriteError => StoreError::Io(std::io::ErrorKind::Other),
                _ => return None,
            };
            (*at < end).then_some((*fault, error))
        })?;
        self.ledger.fired(fault, &[], &[]);
        self.ledger.reached(fault);
        Some(error)
    }

    /// Whether the server dies here.
    fn dies(&self, is_here: impl Fn(&Effect) -> bool) -> bool {
        let Some((fault, ..)) = self.faults.iter().find(|(_, effect, _)| is_here(effect)) else {
            return false;
        };
        self.ledger.fired(*fault, &[], &[]);
        self.ledger.reached(*fault);
        true
    }
}

impl Incoming for FaultyIncoming {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        if let Some(error) = self.error(bytes.len() as u64) {
            return Err(error);
        }
        let lost = self.lost(bytes);
        self.written += bytes.len() as u64;
        let Some((fault, lost)) = lost else { return self.inner.write(bytes) };
        self.ledger.fired(fault, &bytes[lost.clone()], &[]);
        self.ledger.reached(fault);
        self.inner.write(&bytes[..lost.start])?;
        self.inner.write(&bytes[lost.end..])
    }

    fn content(&self) -> Result<Content, StoreError> {
        self.inner.content()
    }

    fn commit(self: Box<Self>, name: &FileName, id: FileId) -> Result<Committed, StoreError> {
        // Neither what was not synchronised nor a file without its name is there after a crash.
        if self.dies(|effect| matches!(effect, Effect::CrashBeforeSync)) {
            self.store.restart();
            return Err(StoreError::Crashed);
        }
        if self.dies(|effect| matches!(effect, Effect::CrashBeforeRename)) {
            if self.store.lose_power_before_rename() {
                // It fails, because the power goes in the midst of it.
                let _ = self.inner.commit(name, id);
            }
            self.store.restart();
            return Err(StoreError::Crashed);
        }
        let dies_after = self.dies(|effect| matches!(effect, Effect::CrashAfterRename));
        let committed = self.inner.commit(name, id)?;
        *self.stored.lock().unwrap_or_else(PoisonError::into_inner) = Some(id);
        if dies_after {
            self.store.restart();
            return Err(StoreError::Crashed);
        }
        Ok(committed)
    }
}
