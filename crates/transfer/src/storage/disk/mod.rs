//! The store that keeps everything on disk: `<dir>/<id>/<name>`, so that a person finds each file under the
//! name it was uploaded with. A file arrives in `.incoming` and gets its name when it is complete and durable; it
//! is listed and acknowledged when its name is durable too.
//!
//! What is there is read once, when the store is opened, and kept in memory from then on: the store has its
//! directory for itself. No lock is held over input or output but that of the one id that is being changed.

mod arriving;
mod books;
mod device;
mod directory;
mod load;
mod real;
mod simulated;
mod turns;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::wire::{MAX_ENTRIES, MAX_LISTING};
use protocol::{Entry, FileId, FileName};

use super::catalog::RemovedName;
use super::{Incoming, Store, StoreError};
use faults::Content;

pub use device::{Disk, DiskFile, Kind, Lock};
pub use load::{MAX_STRAYS, OpenError, Opening};
pub use real::RealDisk;
pub use simulated::{Operation, SimulatedDisk};

use arriving::DiskIncoming;
use books::Account;
use turns::{IdLock, Ids, Shared};

/// Where arriving files stand. No id has this name, so it is never listed.
pub const INCOMING: &str = ".incoming";
/// Where files go whose bytes are no longer those of their id.
pub const QUARANTINE: &str = ".quarantine";
/// The file whose lock says that the store is in use.
pub const LOCK: &str = ".lock";
/// How many files with the same name and id the quarantine holds.
const MAX_QUARANTINED: u32 = 1_000;

/// How much a store takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest file, in bytes.
    pub max_file_size: u64,
    /// The bytes of all contents together, those that are arriving with the size that was announced. What is on the
    /// disk counts: a content once, however many names share it, and again for every copy of it that the file system
    /// made necessary.
    pub quota: u64,
    /// How many files are listed, those that are arriving included.
    pub max_files: u32,
    /// How many bytes the lines of the listing have, those of the files that are arriving with the longest name.
    pub max_listing: u64,
}

impl Default for Limits {
    /// As much as the disk takes, and as a listing may have.
    fn default() -> Self {
        Self { max_file_size: u64::MAX, quota: u64::MAX, max_files: MAX_ENTRIES, max_listing: MAX_LISTING }
    }
}

/// A store in a directory of its own.
#[derive(Debug)]
pub struct DiskStore {
    shared: Arc<Inner>,
    opening: Opening,
}

/// What the store and the files that are arriving share.
#[derive(Debug)]
struct Inner {
    disk: Arc<dyn Disk>,
    limits: Limits,
    books: Mutex<Account>,
    ids: Ids,
    /// The directory of the store itself, in which the directories of the ids stand.
    root: Shared,
    /// Ids whose names were there when the store was opened, and may not be durable.
    unsettled: Mutex<BTreeSet<FileId>>,
    arrivals: AtomicU64,
    syncs: AtomicU64,
    /// Set when a directory could not be synchronised. What is durable is then not known, and a system may say of
    /// the next attempt that it went well: nothing is acknowledged any more until the store is opened again.
    failed: AtomicBool,
    _lock: Lock,
}

impl DiskStore {
    /// Opens the store in `dir`, which is made if it is not there, without limits.
    ///
    /// # Errors
    /// If it is in use, is not a store, or cannot be read.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        Self::open_with(dir, Limits::default())
    }

    /// Opens the store in `dir`, which is made if it is not there.
    ///
    /// # Errors
    /// If it is in use, is not a store, or cannot be read.
    pub fn open_with(dir: &Path, limits: Limits) -> Result<Self, OpenError> {
        let disk = RealDisk::new(dir).map_err(|error| match error.kind() {
            io::ErrorKind::NotADirectory => OpenError::NotADirectory(dir.to_owned()),
            _ => OpenError::Io(dir.to_owned(), error),
        })?;
        Self::open_on(Arc::new(disk), limits)
    }

    /// Opens the store on this disk.
    ///
    /// # Errors
    /// If it is in use, is not a store, or cannot be read.
    pub fn open_on(disk: Arc<dyn Disk>, limits: Limits) -> Result<Self, OpenError> {
        let load::LoadResult { lock, catalog, ids, opening } = load::load(&*disk)?;
        let shared = Inner {
            disk,
            limits,
            books: Mutex::new(Account::new(catalog)),
            ids: Ids::default(),
            root: Shared::default(),
            unsettled: Mutex::new(ids),
            arrivals: AtomicU64::new(0),
            syncs: AtomicU64::new(0),
            failed: AtomicBool::new(false),
            _lock: lock,
        };
        Ok(Self { shared: Arc::new(shared), opening })
    }

    /// What was found when the store was opened that is no file of it.
    #[must_use]
    pub fn opening(&self) -> &Opening {
        &self.opening
    }

    /// How many synchronisations with the disk were issued since the store was opened.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.shared.syncs.load(Ordering::Relaxed)
    }

    /// The content under this name. [`open`](Store::open) gives any name's: they should all be the same.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if it is not there.
    pub fn open_named(&self, id: FileId, name: &FileName) -> Result<Content, StoreError> {
        Ok(self.shared.disk.open(&path_of(id, name))?)
    }

    /// Moves a file whose bytes are not those of its id to `.quarantine/<id>/<name>`, durably, and says where. It
    /// overwrites nothing: what comes later goes to `<id>.2` and so on.
    ///
    /// # Errors
    /// If it is not there, the quarantine is full of its like, or the disk failed.
    pub fn quarantine(&self, id: FileId, name: &FileName) -> Result<PathBuf, StoreError> {
        let shared = &*self.shared;
        let _held = shared.ids.hold(id);
        shared.check()?;
        let disk = &*shared.disk;
        shared.make_dir(Path::new(QUARANTINE))?;
        for number in 1..=MAX_QUARANTINED {
            let suffix = if number == 1 { String::new() } else { format!(".{number}") };
            let directory = Path::new(QUARANTINE).join(format!("{id}{suffix}"));
            shared.make_dir(&directory)?;
            let to = directory.join(name.as_str());
            if !shared.is_free(&to)? {
                continue;
            }
            disk.rename(&path_of(id, name), &to)?;
            shared.books().catalog.forget(id, name);
            for changed in [&directory, Path::new(QUARANTINE), Path::new(""), Path::new(&id.to_string())] {
                shared.sync_dir(changed)?;
            }
            return Ok(disk.full(&to));
        }
        Err(StoreError::Io(io::ErrorKind::AlreadyExists))
    }
}

impl Store for DiskStore {
    fn list(&self) -> Result<Arc<[Entry]>, StoreError> {
        Ok(self.shared.books().catalog.list())
    }

    fn create(&self, size: u64) -> Result<Box<dyn Incoming>, StoreError> {
        self.shared.check()?;
        Ok(Box::new(DiskIncoming::new(Arc::clone(&self.shared), size)?))
    }

    fn open(&self, id: FileId) -> Result<Content, StoreError> {
        let name = self.shared.books().catalog.first_name(id).cloned().ok_or(StoreError::NotFound)?;
        match self.shared.disk.open(&path_of(id, &name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Discarded at this moment, or removed behind our back.
                let held = self.shared.ids.hold(id);
                self.shared.open_any(&held)?.ok_or(StoreError::NotFound)
            }
            opened => Ok(opened?),
        }
    }

    fn discard(&self, id: FileId, name: &FileName) -> Result<(), StoreError> {
        let shared = &*self.shared;
        let _held = shared.ids.hold(id);
        shared.check()?;
        // Out of the listing first: what is listed is there.
        let Some((RemovedName { entry, copy }, _leaving)) = Account::give_back(&self.shared, id, name)?
        else {
            return Ok(());
        };
        match shared.disk.remove(&path_of(id, name)) {
            // Somebody else has removed it; that it stays so is left to do.
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                shared.books().catalog.claim(entry, copy);
                return Err(error.into());
            }
            _ => {}
        }
        match shared.settle_now(id) {
            Err(StoreError::Io(io::ErrorKind::NotFound)) => shared.sync_root()?,
            settled => settled?,
        }
        if shared.books().catalog.first_name(id).is_none() {
            // If it comes back after a crash, it is empty, and cleared away when the store is opened.
            let _ = shared.disk.remove_dir(Path::new(&id.to_string()));
        }
        Ok(())
    }
}

impl Inner {
    fn books(&self) -> MutexGuard<'_, Account> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the store still takes anything.
    fn check(&self) -> Result<(), StoreError> {
        if self.failed.load(Ordering::Acquire) { Err(StoreError::Io(io::ErrorKind::Other)) } else { Ok(()) }
    }

    /// The content of an id, under any name that is really there. Names that are not are forgotten.
    fn open_any(&self, held: &IdLock<'_>) -> Result<Option<Content>, StoreError> {
        let id = held.id;
        loop {
            let Some(name) = self.books().catalog.first_name(id).cloned() else { return Ok(None) };
            match self.disk.open(&path_of(id, &name)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.books().catalog.forget(id, &name)
                }
                opened => return Ok(Some(opened?)),
            };
        }
    }

    /// The same, under this name if it has it: that it is listed does not mean that it is still there.
    fn open_for(&self, held: &IdLock<'_>, name: &FileName) -> Result<Option<Content>, StoreError> {
        let has = self.books().catalog.has(held.id, name);
        if has {
            match self.disk.open(&path_of(held.id, name)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.books().catalog.forget(held.id, name)
                }
                opened => return Ok(Some(opened?)),
            };
        }
        self.open_any(held)
    }

    /// Makes a directory, if none is there yet.
    fn make_dir(&self, path: &Path) -> Result<(), StoreError> {
        match self.disk.make_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match self.disk.kind(path) {
                Ok(Kind::Directory) => Ok(()),
                // A link, which could lead anywhere.
                Ok(_) => Err(StoreError::Io(io::ErrorKind::NotADirectory)),
                Err(error) => Err(storage(&error)),
            },
            made => made.map_err(|error| storage(&error)),
        }
    }

    fn is_free(&self, path: &Path) -> Result<bool, StoreError> {
        match self.disk.kind(path) {
            Ok(_) => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(error) => Err(storage(&error)),
        }
    }

    fn sync_dir(&self, path: &Path) -> Result<(), StoreError> {
        self.syncs.fetch_add(1, Ordering::Relaxed);
        self.disk.sync_dir(path).map_err(|error| {
            // A directory that somebody has removed says nothing about the disk.
            if error.kind() != io::ErrorKind::NotFound {
                self.failed.store(true, Ordering::Release);
            }
            storage(&error)
        })
    }

    /// Makes the directory of an id durable, in the store's own directory.
    fn sync_root(&self) -> Result<(), StoreError> {
        self.root.sync(|| {
            self.check()?;
            self.sync_dir(Path::new(""))
        })
    }

    /// Makes the names of an id durable.
    fn settle_now(&self, id: FileId) -> Result<(), StoreError> {
        self.sync_dir(Path::new(&id.to_string()))?;
        self.unsettled().remove(&id);
        Ok(())
    }

    /// The same, if they may not be.
    fn settle(&self, id: FileId) -> Result<(), StoreError> {
        let unsettled = self.unsettled().contains(&id);
        if unsettled { self.settle_now(id) } else { Ok(()) }
    }

    fn unsettled(&self) -> MutexGuard<'_, BTreeSet<FileId>> {
        self.unsettled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn path_of(id: FileId, name: &FileName) -> PathBuf {
    Path::new(&id.to_string()).join(name.as_str())
}

/// An error where nothing was asked for that could be missing: then it is the storage that lacks something.
fn storage(error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::NoSpace,
        kind => StoreError::Io(kind),
    }
}
