//! A store whose slow operations do not keep other sessions waiting.

use std::sync::Arc;

use protocol::{Entry, FileId, FileName};
use tokio::task::block_in_place;
use tracing::error;

use crate::storage::{CommitResult, Incoming, Store, StoreError};
use faults::Content;
use faults::text::visible;

/// Does what may wait for a disk where the runtime can go on without this thread. Writing is not among it: what is
/// written goes to memory first, and to hand each piece over would cost more than to write it.
pub(super) struct Blocking(pub(super) Arc<dyn Store>);

impl Store for Blocking {
    fn list(&self) -> Result<Arc<[Entry]>, StoreError> {
        told("list", String::new, self.0.list())
    }

    fn create(&self, size: u64) -> Result<Box<dyn Incoming>, StoreError> {
        let incoming = told("create", || format!("{size} bytes"), block_in_place(|| self.0.create(size)))?;
        Ok(Box::new(BlockingIncoming(incoming)))
    }

    fn open(&self, id: FileId) -> Result<Content, StoreError> {
        told("open", || id.to_string(), block_in_place(|| self.0.open(id)))
    }

    fn discard(&self, id: FileId, name: &FileName) -> Result<(), StoreError> {
        told("discard", || format!("{name} under {id}"), block_in_place(|| self.0.discard(id, name)))
    }
}

/// Logs what the peer is not told: why the storage failed.
fn told<T>(
    operation: &str,
    file: impl FnOnce() -> String,
    result: Result<T, StoreError>,
) -> Result<T, StoreError> {
    match &result {
        // Of the quota the peer is told when it announces a file; later it is the disk that is full.
        Err(StoreError::NoSpace) if operation == "create" => {}
        Err(why @ (StoreError::Io(_) | StoreError::NoSpace)) => {
            error!(operation, file = visible(&file()), %why, "the storage failed");
        }
        _ => {}
    }
    result
}

struct BlockingIncoming(Box<dyn Incoming>);

impl Incoming for BlockingIncoming {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        told("write", String::new, self.0.write(bytes))
    }

    fn content(&self) -> Result<Content, StoreError> {
        told("read back", String::new, self.0.content())
    }

    fn commit(self: Box<Self>, name: &FileName, id: FileId) -> Result<CommitResult, StoreError> {
        told("commit", || format!("{name} under {id}"), block_in_place(|| self.0.commit(name, id)))
    }
}
