//! What a store holds, by id and in the order of the listing, and who may take it away again. It knows names and
//! sizes only, no bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use protocol::{Entry, FileId, FileName};

use super::{CommitResult, StoreError};

/// One name of a content.
#[derive(Clone, Copy, Debug)]
struct NameRecord {
    size: u64,
    /// In which copy of the content its bytes are: names with the same number share them.
    copy: u32,
    /// How many uploads of it were acknowledged and not discarded. A file that was there from the start has one
    /// that nobody can give back.
    claims: u64,
}

/// The names of one content.
#[derive(Clone, Debug, Default)]
struct Names {
    named: BTreeMap<FileName, NameRecord>,
    /// The highest number of a copy that is there.
    latest: u32,
}

impl Names {
    fn has_copy(&self, copy: u32) -> bool {
        // Nearly always there is one copy, and the first name has it.
        self.named.values().any(|named| named.copy == copy)
    }
}

/// A name that was taken out.
#[derive(Debug)]
pub(super) struct RemovedName {
    /// Its line of the listing.
    pub(super) entry: Entry,
    /// The copy that it had.
    pub(super) copy: u32,
}

/// The files of a store.
#[derive(Clone, Debug, Default)]
pub(super) struct Catalog {
    ids: BTreeMap<FileId, Names>,
    entries: BTreeSet<Entry>,
    /// The listing, made when it is first asked for after a change.
    snapshot: Option<Arc<[Entry]>>,
    /// The bytes of every copy of every content.
    used: u64,
    /// The bytes of the entries as they are listed.
    listing: u64,
}

impl Catalog {
    /// Every file, sorted by name and then by id.
    pub(super) fn list(&mut self) -> Arc<[Entry]> {
        let entries = &self.entries;
        Arc::clone(self.snapshot.get_or_insert_with(|| entries.iter().cloned().collect()))
    }

    /// The first name of this content.
    pub(super) fn first_name(&self, id: FileId) -> Option<&FileName> {
        self.ids.get(&id)?.named.keys().next()
    }

    /// A name that shares the latest copy of this content, and the number of that copy.
    pub(super) fn latest_copy(&self, id: FileId) -> Option<(&FileName, u32)> {
        let names = self.ids.get(&id)?;
        let (name, named) = names.named.iter().find(|(_, named)| named.copy == names.latest)?;
        Some((name, named.copy))
    }

    /// Whether it stands under this name.
    pub(super) fn has(&self, id: FileId, name: &FileName) -> bool {
        self.ids.get(&id).is_some_and(|names| names.named.contains_key(name))
    }

    /// How many lines the listing has.
    pub(super) fn files(&self) -> usize {
        self.entries.len()
    }

    /// How many bytes its lines have.
    pub(super) fn listing(&self) -> u64 {
        self.listing
    }

    /// The bytes of all contents together, of each as often as there are copies of it.
    pub(super) fn used(&self) -> u64 {
        self.used
    }

    /// Takes note of an upload that is about to be acknowledged, and whose bytes are in this copy of its content: one
    /// that is there, or a new one with a higher number than all of them.
    pub(super) fn claim(&mut self, entry: Entry, copy: u32) -> CommitResult {
        let names = self.ids.entry(entry.id).or_default();
        if let Some(named) = names.named.get_mut(&entry.name) {
            named.claims += 1;
            return CommitResult::Already;
        }
        if !names.has_copy(copy) {
            self.used = self.used.saturating_add(entry.size);
        }
        names.latest = names.latest.max(copy);
        names.named.insert(entry.name.clone(), NameRecord { size: entry.size, copy, claims: 1 });
        self.listing += line_of(&entry);
        self.entries.insert(entry);
        self.snapshot = None;
        CommitResult::New
    }

    /// Gives one claim back. With the last, the name is taken out and returned: now it has to go from the store.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if it is not there.
    pub(super) fn give_back(
        &mut self,
        id: FileId,
        name: &FileName,
    ) -> Result<Option<RemovedName>, StoreError> {
        let named = self.ids.get_mut(&id).and_then(|names| names.named.get_mut(name));
        let named = named.ok_or(StoreError::NotFound)?;
        named.claims -= 1;
        Ok(if named.claims == 0 { self.forget(id, name) } else { None })
    }

    /// Takes a name out, whoever claims it.
    pub(super) fn forget(&mut self, id: FileId, name: &FileName) -> Option<RemovedName> {
        let names = self.ids.get_mut(&id)?;
        let NameRecord { size, copy, .. } = names.named.remove(name)?;
        if !names.has_copy(copy) {
            self.used = self.used.saturating_sub(size);
            names.latest = names.named.values().map(|named| named.copy).max().unwrap_or_default();
        }
        if names.named.is_empty() {
            self.ids.remove(&id);
        }
        let entry = Entry { name: name.clone(), id, size };
        self.listing -= line_of(&entry);
        self.entries.remove(&entry);
        self.snapshot = None;
        Some(RemovedName { entry, copy })
    }
}

/// How long an entry is as a line.
fn line_of(entry: &Entry) -> u64 {
    entry.to_string().len() as u64 + 1
}
