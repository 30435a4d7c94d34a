//! A store whose slow operations do not keep other sessions waiting.

use std::sync::Arc;

use protocol::{Entry, FileId, FileName};
use tokio::task::block_in_place;

use crate::storage::{Committed, Content, Incoming, Store, StoreError};

/// Does what may wait for a disk where the runtime can go on without this thread. Writing is not among it: what is
/// written goes to memory first, and to hand each piece over would cost more than to write it.
pub(super) struct Blocking(pub(super) Arc<dyn Store>);

impl Store for Blocking {
    fn list(&self) -> Result<Arc<[Entry]>, StoreError> {
        self.0.list()
    }

    fn create(&self, size: u64) -> Result<Box<dyn Incoming>, StoreError> {
        let incoming = block_in_place(|| self.0.create(size))?;
        Ok(Box::new(BlockingIncoming(incoming)))
    }

    fn open(&self, id: FileId) -> Result<Content, StoreError> {
        block_in_place(|| self.0.open(id))
    }

    fn discard(&self, id: FileId, name: &FileName) -> Result<(), StoreError> {
        block_in_place(|| self.0.discard(id, name))
    }
}

struct BlockingIncoming(Box<dyn Incoming>);

impl Incoming for BlockingIncoming {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.0.write(bytes)
    }

    fn content(&self) -> Result<Content, StoreError> {
        self.0.content()
    }

    fn commit(self: Box<Self>, name: &FileName, id: FileId) -> Result<Committed, StoreError> {
        block_in_place(|| self.0.commit(name, id))
    }
}
