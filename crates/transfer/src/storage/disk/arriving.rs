//! A file that is arriving on disk, and how it gets its name.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use protocol::{Entry, FileId, FileName};

use super::books::Reservation;
use super::device::DiskFile;
use super::turns::IdLock;
use super::{INCOMING, Inner, path_of, storage};
use crate::storage::{CommitResult, Incoming, StoreError};
use faults::Content;

pub(super) struct DiskIncoming {
    file: Box<dyn DiskFile>,
    path: PathBuf,
    written: u64,
    /// Whether it has got its name: then nothing is left to remove.
    moved: bool,
    /// Given up last, when the file is gone.
    reserved: Reservation,
}

impl DiskIncoming {
    pub(super) fn new(store: Arc<Inner>, size: u64) -> Result<Self, StoreError> {
        let reserved = Reservation::new(store, size)?;
        let number = reserved.store().arrivals.fetch_add(1, Ordering::Relaxed);
        let path = Path::new(INCOMING).join(number.to_string());
        let disk = &reserved.store().disk;
        let file = disk.create(&path).or_else(|error| match error.kind() {
            // Somebody has tidied up. Nothing of ours was lost: what was arriving fails when it is to be moved.
            ErrorKind::NotFound => disk.make_dir(Path::new(INCOMING)).and_then(|()| disk.create(&path)),
            _ => Err(error),
        });
        let file = file.map_err(|error| storage(&error))?;
        Ok(Self { file, path, written: 0, moved: false, reserved })
    }

    /// Puts content that the store does not have under its first name: the bytes are durable before they have
    /// a name, and the name is before anybody hears of it. Of such a content this is the first copy.
    fn put_first(&mut self, name: &FileName, held: &IdLock<'_>) -> Result<(), StoreError> {
        let store = Arc::clone(self.reserved.store());
        self.sync()?;
        store.make_dir(Path::new(&held.id.to_string()))?;
        self.rename(name, held.id)?;
        store.settle_now(held.id)?;
        // Also where the directory was there before us: whoever made it may have failed before it was durable.
        store.sync_root()
    }

    /// Puts content that the store has under a further name. Returns in which copy of it the bytes are.
    fn put_beside(&mut self, name: &FileName, held: &IdLock<'_>) -> Result<u32, StoreError> {
        let store = Arc::clone(self.reserved.store());
        let id = held.id;
        let latest = store.books().catalog.latest_copy(id).map(|(name, copy)| (path_of(id, name), copy));
        let (stored, latest) = latest.ok_or(StoreError::NotFound)?;
        let copy = match store.disk.link(&stored, &path_of(id, name)) {
            Ok(()) => latest,
            // Something that is not ours stands there.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(storage(&error)),
            // The file system has no further names, or no more of them: then the copy is kept.
            Err(_) => {
                self.sync()?;
                self.rename(name, id)?;
                latest + 1
            }
        };
        store.settle_now(id)?;
        Ok(copy)
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        self.reserved.store().syncs.fetch_add(1, Ordering::Relaxed);
        self.file.sync().map_err(|error| storage(&error))
    }

    fn rename(&mut self, name: &FileName, id: FileId) -> Result<(), StoreError> {
        let (store, to) = (self.reserved.store(), path_of(id, name));
        if !store.is_free(&to)? {
            return Err(StoreError::Io(ErrorKind::AlreadyExists));
        }
        store.disk.rename(&self.path, &to).map_err(|error| storage(&error))?;
        self.moved = true;
        Ok(())
    }
}

impl Incoming for DiskIncoming {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.file.append(bytes).map_err(|error| storage(&error))?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    fn content(&self) -> Result<Content, StoreError> {
        self.file.content().map_err(|error| storage(&error))
    }

    fn commit(mut self: Box<Self>, name: &FileName, id: FileId) -> Result<CommitResult, StoreError> {
        let store = Arc::clone(self.reserved.store());
        let held = store.ids.hold(id);
        store.check()?;
        let stored = store.open_for(&held, name)?;
        let has = store.books().catalog.has(id, name);
        let copy = match &stored {
            None => {
                self.put_first(name, &held)?;
                0
            }
            Some(stored) => {
                if self.content()?.first_difference(stored).map_err(|error| storage(&error))?.is_some() {
                    return Err(StoreError::Collision);
                }
                if has {
                    store.settle(id)?;
                    0
                } else {
                    self.put_beside(name, &held)?
                }
            }
        };
        let (entry, stays) = (Entry { name: name.clone(), id, size: self.written }, self.moved);
        Ok(self.reserved.list(entry, copy, stays))
    }
}

impl Drop for DiskIncoming {
    fn drop(&mut self) {
        if !self.moved {
            // If it cannot be removed now, it is when the store is opened again.
            let _ = self.reserved.store().disk.remove(&self.path);
        }
    }
}
