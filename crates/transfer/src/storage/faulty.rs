//! Faults of the server's disk, put around any [`Store`]. They strike the first upload, at exact byte offsets.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use protocol::{Entry, FileId, FileName};

use crate::storage::{CommitResult, Incoming, Store, StoreError};
use faults::{Content, Effect, FaultEntry, MAX_SHOWN};

/// A disk fault, and at which offset of the upload it is.
pub type DiskFault = (FaultEntry, u64);

/// The same with what it does.
type FaultPlan = (FaultEntry, Effect, u64);
/// When a fault of the disk strikes an upload, and what it does then.
enum Moment {
    /// While the file is written: bytes are lost.
    Writing,
    /// While the file is written: that fails.
    Refusing(StoreError),
    /// When the file is stored: the server dies.
    Committing,
    /// When the file is read again: this bit has turned over.
    Reading { bit: u8 },
    /// It is no fault of the disk.
    Never,
}

/// Names every effect, so that a new one does not compile before somebody has decided what the disk does.
fn moment(effect: &Effect) -> Moment {
    match effect {
        Effect::ShortWrite { .. } => Moment::Writing,
        Effect::NoSpace => Moment::Refusing(StoreError::NoSpace),
        Effect::WriteError => Moment::Refusing(StoreError::Io(std::io::ErrorKind::Other)),
        Effect::CrashBeforeSync | Effect::CrashBeforeRename | Effect::CrashAfterRename => Moment::Committing,
        Effect::Rot { bit } => Moment::Reading { bit: *bit },
        Effect::Flip { .. }
        | Effect::Xor { .. }
        | Effect::Drop { .. }
        | Effect::Truncate
        | Effect::Insert { .. }
        | Effect::Duplicate { .. }
        | Effect::Reorder { .. }
        | Effect::Overwrite { .. }
        | Effect::Stall
        | Effect::Delay { .. }
        | Effect::Throttle { .. }
        | Effect::Slice { .. }
        | Effect::Coalesce { .. }
        | Effect::Reset
        | Effect::HalfClose
        | Effect::Latency { .. }
        | Effect::Partition { .. }
        | Effect::Hold { .. }
        | Effect::Crash { .. } => Moment::Never,
    }
}

/// Says of which upload the faults are. Clones share what was said.
#[derive(Clone, Debug, Default)]
pub struct Arming(Arc<AtomicBool>);

impl Arming {
    /// Whether the next upload of the session is the one that is meant.
    pub fn set(&self, is_meant: bool) {
        self.0.store(is_meant, Ordering::Release);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A store on a disk with faults. Clones share them.
#[derive(Clone)]
pub struct FaultyStore {
    inner: Arc<dyn Store>,
    faults: Arc<[FaultPlan]>,
    strikes: Strikes,
    /// Whether the upload that is meant has begun.
    begun: Arc<AtomicBool>,
    /// Its id, once it is stored: what can rot.
    stored: Arc<Mutex<Option<FileId>>>,
}

/// Which upload the faults strike.
#[derive(Clone, Debug)]
enum Strikes {
    /// The first that comes.
    First,
    /// The first for which they are armed.
    Armed(Arming),
    /// None: it comes by another clone.
    None,
}

impl FaultyStore {
    /// `inner` with these faults of the first upload.
    #[must_use]
    pub fn new(inner: Arc<dyn Store>, faults: Vec<DiskFault>) -> Self {
        let with_effect = |(entry, at): DiskFault| (entry.clone(), entry.record().fault.effect, at);
        let faults = faults.into_iter().map(with_effect).collect();
        Self { inner, faults, strikes: Strikes::First, begun: Arc::default(), stored: Arc::default() }
    }

    /// The same for the session whose upload is meant: the faults strike the first for which `arming` is set.
    #[must_use]
    pub fn armed_by(&self, arming: Arming) -> Self {
        Self { strikes: Strikes::Armed(arming), ..self.clone() }
    }

    /// The same for every other session: it meets only what the faults leave behind.
    #[must_use]
    pub fn unarmed(&self) -> Self {
        Self { strikes: Strikes::None, ..self.clone() }
    }

    /// Whether the upload that begins now is the one that is meant.
    fn strikes_now(&self) -> bool {
        let is_meant = match &self.strikes {
            Strikes::First => true,
            Strikes::Armed(arming) => arming.is_set(),
            Strikes::None => false,
        };
        is_meant && !self.begun.swap(true, Ordering::Relaxed)
    }
}

impl Store for FaultyStore {
    fn list(&self) -> Result<Arc<[Entry]>, StoreError> {
        self.inner.list()
    }

    fn create(&self, size: u64) -> Result<Box<dyn Incoming>, StoreError> {
        let inner = self.inner.create(size)?;
        if !self.strikes_now() {
            return Ok(inner);
        }
        Ok(Box::new(FaultyIncoming {
            store: Arc::clone(&self.inner),
            inner,
            faults: Arc::clone(&self.faults),
            written: 0,
            gone: BTreeMap::new(),
            stored: Arc::clone(&self.stored),
        }))
    }

    fn open(&self, id: FileId) -> Result<Content, StoreError> {
        let content = self.inner.open(id)?;
        if *self.stored.lock().unwrap_or_else(PoisonError::into_inner) != Some(id) {
            return Ok(content);
        }
        self.faults.iter().try_fold(content, |content, (fault, effect, at)| match moment(effect) {
            Moment::Reading { bit } => Self::rot(&content, fault, *at, bit),
            Moment::Writing | Moment::Refusing(_) | Moment::Committing | Moment::Never => Ok(content),
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
    fn rot(content: &Content, fault: &FaultEntry, at: u64, bit: u8) -> Result<Content, StoreError> {
        let mut bytes = vec![0; usize::try_from(content.len()).map_err(|_| StoreError::NoSpace)?];
        content.read_at(0, &mut bytes)?;
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        if let Some(byte) = bytes.get_mut(at) {
            let old = *byte;
            *byte ^= 1 << (bit & 7);
            fault.fired(&[old], &[*byte]);
            fault.reached();
        }
        Ok(Content::Memory(bytes.into()))
    }
}

struct FaultyIncoming {
    store: Arc<dyn Store>,
    inner: Box<dyn Incoming>,
    faults: Arc<[FaultPlan]>,
    written: u64,
    /// What each short write has lost so far, over several writes.
    gone: BTreeMap<usize, Vec<u8>>,
    stored: Arc<Mutex<Option<FileId>>>,
}

impl FaultyIncoming {
    /// What is left of `bytes` after the short writes. Each takes only what those before it have left.
    fn shorten(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let (start, end) = (self.written, self.written + bytes.len() as u64);
        let mut left: Vec<Option<u8>> = Vec::new();
        for (fault, effect, at) in self.faults.iter() {
            let Effect::ShortWrite { bytes: count } = effect else { continue };
            let (from, to) = ((*at).max(start), at.saturating_add(*count).min(end));
            if from >= to {
                continue;
            }
            if left.is_empty() {
                left = bytes.iter().copied().map(Some).collect();
            }
            let within = |offset: u64| usize::try_from(offset - start).unwrap_or(usize::MAX);
            let lost: Vec<u8> = left[within(from)..within(to)].iter_mut().filter_map(Option::take).collect();
            if !lost.is_empty() {
                let gone = self.gone.entry(fault.number()).or_default();
                gone.extend_from_slice(&lost);
                gone.truncate(MAX_SHOWN);
                fault.fired(gone, &[]);
                fault.reached();
            }
        }
        (!left.is_empty()).then(|| left.into_iter().flatten().collect())
    }

    /// The error that strikes within the next `count` bytes.
    fn error(&self, count: u64) -> Option<StoreError> {
        let end = self.written + count;
        let (fault, error) = self.faults.iter().find_map(|(fault, effect, at)| {
            let Moment::Refusing(error) = moment(effect) else { return None };
            (*at < end).then_some((fault, error))
        })?;
        fault.fired(&[], &[]);
        fault.reached();
        Some(error)
    }

    /// Whether the server dies here.
    fn dies(&self, is_here: impl Fn(&Effect) -> bool) -> bool {
        let Some((fault, ..)) = self.faults.iter().find(|(_, effect, _)| is_here(effect)) else {
            return false;
        };
        fault.fired(&[], &[]);
        fault.reached();
        true
    }
}

impl Incoming for FaultyIncoming {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        if let Some(error) = self.error(bytes.len() as u64) {
            return Err(error);
        }
        let shortened = self.shorten(bytes);
        self.written += bytes.len() as u64;
        self.inner.write(shortened.as_deref().unwrap_or(bytes))
    }

    fn content(&self) -> Result<Content, StoreError> {
        self.inner.content()
    }

    fn commit(self: Box<Self>, name: &FileName, id: FileId) -> Result<CommitResult, StoreError> {
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
