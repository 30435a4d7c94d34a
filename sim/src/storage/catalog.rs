//! What a store holds, by id and in the order of the listing, and who may take it away again. It knows names and
//! sizes only, no bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use protocol::{Entry, FileId, FileName};

use super::{Committed, StoreError};

/// One name of a content.
#[derive(Clone, Copy, Debug)]
struct Named {
    size: u64,
    /// How many uploads of it were acknowledged and not discarded. A file that was there from the start has one
    /// that nobody can give back.
    claims: u64,
}

/// The files of a store.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    ids: BTreeMap<FileId, BTreeMap<FileName, Named>>,
    entries: BTreeSet<Entry>,
    /// The listing, made when it is first asked for after a change.
    snapshot: Option<Arc<[Entry]>>,
    /// The bytes of every content, each counted once.
    used: u64,
}

impl Catalog {
    /// Every file, sorted by name and then by id.
    pub(super) fn list(&mut self) -> Arc<[Entry]> {
        let entries = &self.entries;
        Arc::clone(self.snapshot.get_or_insert_with(|| entries.iter().cloned().collect()))
    }

    /// The first name of this content.
    pub(super) fn first_name(&self, id: FileId) -> Option<&FileName> {
        self.ids.get(&id)?.keys().next()
    }

    /// Whether it stands under this name.
    pub(super) fn has(&self, id: FileId, name: &FileName) -> bool {
        self.ids.get(&id).is_some_and(|names| names.contains_key(name))
    }

    /// How many lines the listing has.
    pub(super) fn files(&self) -> usize {
        self.entries.len()
    }

    /// The bytes of all contents together.
    pub(super) fn used(&self) -> u64 {
        self.used
    }

    /// Takes note of an upload that is about to be acknowledged.
    pub(super) fn claim(&mut self, entry: Entry) -> Committed {
        let names = self.ids.entry(entry.id).or_default();
        if let Some(named) = names.get_mut(&entry.name) {
            named.claims += 1;
            return Committed::Already;
        }
        if names.is_empty() {
            self.used = self.used.saturating_add(entry.size);
        }
        names.insert(entry.name.clone(), Named { size: entry.size, claims: 1 });
        self.entries.insert(entry);
        self.snapshot = None;
        Committed::New
    }

    /// Gives one claim back. With the last, the name is taken out and returned: now it has to go from the store.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if it is not there.
    pub(super) fn give_back(&mut self, id: FileId, name: &FileName) -> Result<Option<Entry>, StoreError> {
        let named = self.ids.get_mut(&id).and_then(|names| names.get_mut(name));
        let named = named.ok_or(StoreError::NotFound)?;
        named.claims -= 1;
        Ok(if named.claims == 0 { self.forget(id, name) } else { None })
    }

    /// Takes a name out, whoever claims it.
    pub(super) fn forget(&mut self, id: FileId, name: &FileName) -> Option<Entry> {
        let names = self.ids.get_mut(&id)?;
        let size = names.remove(name)?.size;
        if names.is_empty() {
            self.ids.remove(&id);
            self.used = self.used.saturating_sub(size);
        }
        let entry = Entry { name: name.clone(), id, size };
        self.entries.remove(&entry);
        self.snapshot = None;
        Some(entry)
    }
}
