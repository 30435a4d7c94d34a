//! A client as it stands, once more.

use super::{Client, Transfer};
use crate::record::Recorder;
use crate::storage::{Folder, StoreError, copy_incoming};

impl Client {
    /// A copy that goes its own way from here: it records in `record`, and its downloads go to `folder`. Digests are copied
    /// as they stand, so that no byte is hashed again.
    ///
    /// # Errors
    /// [`StoreError::NotForkable`] if its script cannot be copied; or if what has arrived of a download cannot be read back
    /// or written again.
    pub fn fork(&self, record: Recorder, folder: Folder) -> Result<Self, StoreError> {
        let transfer = self.transfer.as_ref().map(|transfer| transfer.fork(&folder)).transpose()?;
        Ok(Self {
            core: self.core.clone(),
            script: self.script.fork().ok_or(StoreError::NotForkable)?,
            folder,
            record,
            deadline: self.deadline,
            waits: self.waits,
            hash_threads: self.hash_threads.clone(),
            conduct: self.conduct,
            earlier: self.earlier,
            progress: None,
            sent: self.sent,
            listed: self.listed.clone(),
            listing: self.listing.clone(),
            transfer,
            discard: self.discard,
            retry: self.retry.clone(),
        })
    }
}

impl Transfer {
    fn fork(&self, folder: &Folder) -> Result<Self, StoreError> {
        Ok(match self {
            Self::Upload { name, content, hasher, own, peer } => Self::Upload {
                name: name.clone(),
                content: content.clone(),
                hasher: hasher.fork()?,
                own: *own,
                peer: *peer,
            },
            Self::Download { name, id, incoming, hasher } => Self::Download {
                name: name.clone(),
                id: *id,
                incoming: copy_incoming(&**incoming, folder.create()?)?,
                hasher: hasher.fork()?,
            },
        })
    }
}
