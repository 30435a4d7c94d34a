//! Looks for rot: hashes every file of a store that is at rest, and moves away what is no longer what its id says.
//! It repairs nothing, and prints nothing.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use protocol::{FileId, FileName};

use crate::endpoint::md5_with;
use crate::storage::disk::{INCOMING, Opening};
use crate::storage::{DiskStore, OpenError, Store, StoreError};

/// How far a scrub is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScrubProgress {
    /// Bytes hashed.
    pub done: u64,
    /// Bytes of all files together.
    pub total: u64,
}

/// What a scrub found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScrubReport {
    /// How many files are listed, and were looked at.
    pub files: u64,
    /// How many bytes were hashed.
    pub bytes: u64,
    /// How many files are what their id says.
    pub good: u64,
    /// Files that are not.
    pub rotten: Vec<RottenFile>,
    /// Files of which nobody can tell.
    pub unreadable: Vec<UnreadableFile>,
    /// What else was found, and what was left over from before.
    pub opening: Opening,
}

impl ScrubReport {
    /// Whether every file is what its id says.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.rotten.is_empty() && self.unreadable.is_empty()
    }
}

/// A file that is not what its id says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RottenFile {
    /// Its name.
    pub name: FileName,
    /// The id under which it stands: what its MD5 was.
    pub expected: FileId,
    /// What its MD5 is.
    pub found: FileId,
    /// Where it was moved; or why it could not be, and is still listed.
    pub moved: Result<PathBuf, StoreError>,
}

/// A file that cannot be read. It stays where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableFile {
    /// Its name.
    pub name: FileName,
    /// Its id.
    pub id: FileId,
    /// Why, in the system's words.
    pub why: String,
}

/// Why a store cannot be scrubbed at all.
#[derive(Debug)]
#[non_exhaustive]
pub enum ScrubError {
    /// There is no directory at this path.
    NoDirectory(PathBuf),
    /// The directory is no store.
    NotAStore(PathBuf),
    /// The store cannot be opened, say because a server uses it.
    Open(OpenError),
}

impl fmt::Display for ScrubError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDirectory(path) => write!(f, "{}: there is no such directory", path.display()),
            Self::NotAStore(path) => {
                write!(
                    f,
                    "{} is not a store: it has no directory {INCOMING}, which a server makes when it starts",
                    path.display()
                )
            }
            Self::Open(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ScrubError {}

/// Hashes every file of the store in `dir`, which nobody else may use meanwhile, and moves those that are not what
/// their id says to `.quarantine/<id>/<name>`. `progress` is called as it goes on.
///
/// # Errors
/// If `dir` is no store or is in use. What is wrong with its files is part of the report.
pub fn scrub(dir: &Path, mut progress: impl FnMut(ScrubProgress)) -> Result<ScrubReport, ScrubError> {
    // Looked at first: to open a store makes one where none is.
    if !dir.is_dir() {
        return Err(ScrubError::NoDirectory(dir.to_owned()));
    }
    if std::fs::symlink_metadata(dir.join(INCOMING)).is_err() {
        return Err(ScrubError::NotAStore(dir.to_owned()));
    }
    let store = DiskStore::open(dir).map_err(ScrubError::Open)?;
    let entries = store.list().unwrap_or_default();
    let total = entries.iter().map(|entry| entry.size).sum();
    let mut report = ScrubReport { opening: store.opening().clone(), ..ScrubReport::default() };
    for entry in entries.iter() {
        report.files += 1;
        let hashed = md5_of(&store, entry.id, &entry.name, |bytes| {
            report.bytes += bytes;
            progress(ScrubProgress { done: report.bytes, total });
        });
        let (id, name) = (entry.id, entry.name.clone());
        match hashed {
            Ok(found) if found == id => report.good += 1,
            Ok(found) => {
                let moved = store.quarantine(id, &name);
                report.rotten.push(RottenFile { name, expected: id, found, moved });
            }
            Err(error) => report.unreadable.push(UnreadableFile { name, id, why: error.to_string() }),
        }
    }
    Ok(report)
}

fn md5_of(store: &DiskStore, id: FileId, name: &FileName, each: impl FnMut(u64)) -> io::Result<FileId> {
    let content = store.open_named(id, name).map_err(|error| match error {
        StoreError::Io(kind) => kind.into(),
        error => io::Error::other(error.code().text()),
    })?;
    md5_with(&content, each)
}
