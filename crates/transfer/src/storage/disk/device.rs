//! What the store asks of a file system, and no more, so that one store runs on the real one and on one that
//! loses what was not synchronised. Paths are relative to the store's directory; the empty path is the directory
//! itself, which stays the one that was opened, whatever comes to stand under its path. No operation follows a
//! symbolic link below it.

use std::any::Any;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use faults::Content;

/// What stands under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File {
        /// How many bytes it has.
        size: u64,
        /// The same for all names in one directory that share these bytes. A system that does not tell has a number for
        /// each name.
        node: u64,
    },
    /// A directory.
    Directory,
    /// A symbolic link, a device, a socket, …
    Other,
}

/// What is held while a store is in use. The lock goes when this is dropped, or the process ends.
pub type Lock = Box<dyn Any + Send + Sync>;

/// A file system, as far as a store needs it. Shared by all sessions.
pub trait Disk: Send + Sync + fmt::Debug {
    /// The path as a person knows it.
    fn full(&self, path: &Path) -> PathBuf;

    /// Takes the store for this process alone, by the lock file at `path`.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if another process, or another store in this one, has it.
    fn lock(&self, path: &Path) -> io::Result<Lock>;

    /// Makes a directory.
    ///
    /// # Errors
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) if anything has the name.
    fn make_dir(&self, path: &Path) -> io::Result<()>;

    /// The names in a directory, in no order.
    ///
    /// # Errors
    /// If it cannot be read, or is not a directory.
    fn list_dir(&self, path: &Path) -> io::Result<Vec<(OsString, Kind)>>;

    /// What stands at `path`.
    ///
    /// # Errors
    /// [`NotFound`](io::ErrorKind::NotFound) if nothing does.
    fn kind(&self, path: &Path) -> io::Result<Kind>;

    /// Makes a new, empty file to append to.
    ///
    /// # Errors
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) if anything has the name.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Opens a regular file for reading.
    ///
    /// # Errors
    /// [`NotFound`](io::ErrorKind::NotFound) if nothing is there; or if it is not a regular file.
    fn open(&self, path: &Path) -> io::Result<Content>;

    /// Gives a file another name. Whoever calls made sure that the new one is free.
    ///
    /// # Errors
    /// If it could not be done; then nothing has changed.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file a further name.
    ///
    /// # Errors
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) if anything has the name; or if the file system has no
    /// further names.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes the name of a file.
    ///
    /// # Errors
    /// If it could not be done.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Removes an empty directory.
    ///
    /// # Errors
    /// If it could not be done, say because it is not empty.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;

    /// Makes durable which names stand in a directory, and for what.
    ///
    /// # Errors
    /// If it could not be done: then nobody knows what is durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
}

/// A file that is being written.
pub trait DiskFile: Send {
    /// Appends `bytes`.
    ///
    /// # Errors
    /// If they could not be written, all of them.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes durable what was written.
    ///
    /// # Errors
    /// If it could not be done: then nobody knows what is durable.
    fn sync(&mut self) -> io::Result<()>;

    /// What was written so far.
    ///
    /// # Errors
    /// If it cannot be read back.
    fn content(&self) -> io::Result<Content>;
}
