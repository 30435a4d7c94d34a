//! Where bytes live: the content that is sent, the server's [`Store`], and the client's [`Folder`], each in
//! memory or on disk. Nothing here knows the protocol's messages or when they are sent, and nothing hashes.

mod catalog;
pub mod disk;
mod faulty;
mod folder;
mod memory;
mod restarting;

use std::fmt;
use std::io;
use std::sync::Arc;

use faults::Content;
use protocol::{Entry, ErrorCode, FileId, FileName};

pub use disk::{DiskStore, Limits, OpenError};
pub use faulty::{Arming, DiskFault, FaultyStore};
pub use folder::{Folder, Target};
pub use memory::MemoryStore;
pub use restarting::RestartingStore;

/// A server's store: complete files under their ids. A file may stand under several names, a name with
/// several contents. Shared by all sessions, so every method takes `&self`.
pub trait Store: Send + Sync {
    /// Every complete file, sorted by name and then by id, as it is at this moment. Sessions that list at the
    /// same time share one snapshot: a listing may have a million lines.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the store cannot be read.
    fn list(&self) -> Result<Arc<[Entry]>, StoreError>;

    /// Makes room for a file of `size` bytes that is about to arrive. Dropping what is returned forgets it.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] or [`StoreError::NoSpace`] if there is no room.
    fn create(&self, size: u64) -> Result<Box<dyn Incoming>, StoreError>;

    /// The content with this id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is none.
    fn open(&self, id: FileId) -> Result<Content, StoreError>;

    /// Takes back one commit of `name` for the content `id` that was acknowledged. When all of them are taken back,
    /// the name goes, and with the last name the content: nobody can take away what another was told is stored.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if it is not there.
    fn discard(&self, id: FileId, name: &FileName) -> Result<(), StoreError>;

    /// Lets the power go when the next file is about to get its name. Says whether this store can: of one that
    /// cannot, nothing is to be committed whose crash is to be simulated.
    fn lose_power_before_rename(&self) -> bool {
        false
    }

    /// The machine went down and is up again: what was not durable may be gone. A store whose machine is not simulated
    /// keeps what it has.
    fn restart(&self) {}
}

/// A file that is arriving. It is in no listing until it is committed; dropped, it leaves nothing behind.
pub trait Incoming: Send {
    /// Appends `bytes`.
    ///
    /// # Errors
    /// If they could not be written, all of them.
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError>;

    /// What has been written so far, as it stands in the store.
    ///
    /// # Errors
    /// If it cannot be read back.
    fn content(&self) -> Result<Content, StoreError>;

    /// Puts the file where others see it.
    ///
    /// # Errors
    /// [`StoreError::Collision`] if other content stands under `id`; or if the file could not be made durable.
    fn commit(self: Box<Self>, name: &FileName, id: FileId) -> Result<CommitResult, StoreError>;
}

/// Writes what has arrived of a file into `copy`, another one that has just begun.
pub(crate) fn copy_incoming(
    incoming: &dyn Incoming,
    mut copy: Box<dyn Incoming>,
) -> Result<Box<dyn Incoming>, StoreError> {
    let (content, mut at, mut chunk) = (incoming.content()?, 0, [0; 4096]);
    loop {
        let count = content.read_at(at, &mut chunk)?;
        if count == 0 {
            return Ok(copy);
        }
        copy.write(&chunk[..count])?;
        at += count as u64;
    }
}

/// Whether a commit changed the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitResult {
    /// The listing has a new line.
    New,
    /// The same content stood under the same name already.
    Already,
}

/// Why a store could not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// No such file.
    NotFound,
    /// Other content stands under the same id.
    Collision,
    /// The file is larger than the store takes.
    TooLarge,
    /// The disk is full or a quota is used up.
    NoSpace,
    /// The system reported an error of this kind.
    Io(io::ErrorKind),
    /// A file of ours changed while it was read.
    Changed,
    /// It cannot be copied as it stands, to go two ways from here.
    NotForkable,
    /// The machine went down in the middle of it: there is nobody left to tell.
    Crashed,
}

impl StoreError {
    /// What the wire hears of it.
    #[must_use]
    pub fn code(self) -> ErrorCode {
        match self {
            Self::NotFound => ErrorCode::NotFound,
            Self::Collision => ErrorCode::Collision,
            Self::TooLarge => ErrorCode::TooLarge,
            Self::NoSpace => ErrorCode::NoSpace,
            Self::Io(_) | Self::Changed | Self::NotForkable | Self::Crashed => ErrorCode::Storage,
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(io::ErrorKind::UnexpectedEof) => {
                f.write_str("it is shorter than it was, or cannot be read")
            }
            Self::Io(kind) => kind.fmt(f),
            Self::Changed => {
                f.write_str("it changed while it was read: what was sent is no state that it had")
            }
            Self::NotForkable => f.write_str("it cannot be copied as it stands"),
            Self::Crashed => f.write_str("the machine went down"),
            other => f.write_str(other.code().text()),
        }
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace,
            kind => Self::Io(kind),
        }
    }
}
