//! What a store has, and what of its limits is taken by files that are arriving or leaving: one account under one
//! lock. What moves from one side of it to the other is at no moment counted on neither.

use std::sync::Arc;

use protocol::wire::MAX_ENTRY;
use protocol::{Entry, FileId, FileName};

use super::{Inner, Limits};
use crate::storage::catalog::{Catalog, RemovedName};
use crate::storage::{CommitResult, StoreError};

/// The account of a store.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) catalog: Catalog,
    /// What is taken of the limits besides what is listed.
    taken: Usage,
}

#[derive(Debug, Default)]
struct Usage {
    bytes: u64,
    files: u64,
}

impl Account {
    pub(super) fn new(catalog: Catalog) -> Self {
        Self { catalog, taken: Usage::default() }
    }

    /// Whether one more file of `size` bytes fits, and its line, whatever its name.
    fn has_room(&self, limits: &Limits, size: u64) -> bool {
        let left = limits.quota.saturating_sub(self.catalog.used().saturating_add(self.taken.bytes));
        let files = self.taken.files + 1;
        size <= left
            && self.catalog.files() as u64 + files <= u64::from(limits.max_files)
            && self.catalog.listing() + files * MAX_ENTRY as u64 <= limits.max_listing
    }

    /// Gives one claim back, as [`Catalog::give_back`]. What the name took of the disk counts until what is returned with
    /// it is dropped.
    pub(super) fn give_back(
        store: &Arc<Inner>,
        id: FileId,
        name: &FileName,
    ) -> Result<Option<(RemovedName, Reservation)>, StoreError> {
        let mut books = store.books();
        let before = books.catalog.used();
        let Some(removed) = books.catalog.give_back(id, name)? else { return Ok(None) };
        let bytes = before.saturating_sub(books.catalog.used());
        books.taken.bytes = books.taken.bytes.saturating_add(bytes);
        drop(books);
        Ok(Some((removed, Reservation { store: Arc::clone(store), bytes, files: 0 })))
    }
}

/// A part of the limits, until this is dropped.
pub(super) struct Reservation {
    store: Arc<Inner>,
    bytes: u64,
    files: u64,
}

impl Reservation {
    /// Room for a file of `size` bytes that is announced.
    pub(super) fn new(store: Arc<Inner>, size: u64) -> Result<Self, StoreError> {
        if size > store.limits.max_file_size {
            return Err(StoreError::TooLarge);
        }
        let mut books = store.books();
        if !books.has_room(&store.limits, size) {
            return Err(StoreError::NoSpace);
        }
        books.taken.bytes = books.taken.bytes.saturating_add(size);
        books.taken.files += 1;
        drop(books);
        Ok(Self { store, bytes: size, files: 1 })
    }

    /// The store it is a part of.
    pub(super) fn store(&self) -> &Arc<Inner> {
        &self.store
    }

    /// Lists the file, whose bytes are in this copy of its content. If the file `stays` where it arrived to be that copy,
    /// its bytes are no longer reserved but used; otherwise they are in its way until it is removed.
    pub(super) fn list(&mut self, entry: Entry, copy: u32, stays: bool) -> CommitResult {
        let mut books = self.store.books();
        books.taken.files -= std::mem::take(&mut self.files);
        if stays {
            books.taken.bytes = books.taken.bytes.saturating_sub(std::mem::take(&mut self.bytes));
        }
        books.catalog.claim(entry, copy)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut books = self.store.books();
        books.taken.bytes = books.taken.bytes.saturating_sub(self.bytes);
        books.taken.files -= self.files;
    }
}
