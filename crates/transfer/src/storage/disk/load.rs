//! What a store finds in its directory when it is opened, and what it clears away.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use protocol::{Entry, FileId, FileName};

use super::device::{Disk, Kind, Lock};
use super::{INCOMING, LOCK, QUARANTINE};
use crate::storage::catalog::Catalog;

/// How many strays are kept by name.
pub const MAX_STRAYS: usize = 1_000;

/// Why a store cannot be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// Another server, or a scrub, has the store at this path.
    InUse(PathBuf),
    /// Something else stands where a directory has to be: perhaps a symbolic link, which is never followed.
    NotADirectory(PathBuf),
    /// The system reported an error for this path.
    Io(PathBuf, io::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse(path) => {
                write!(f, "the store in {} is in use: stop the other program first", path.display())
            }
            Self::NotADirectory(path) => write!(
                f,
                "{} has to be a directory of the store, and is not (symbolic links are not followed): choose another store, or move it away",
                path.display()
            ),
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for OpenError {}

impl From<OpenError> for io::Error {
    fn from(error: OpenError) -> Self {
        Self::other(error)
    }
}

/// What was found.
#[derive(Debug)]
pub(super) struct LoadResult {
    pub(super) lock: Lock,
    pub(super) catalog: Catalog,
    /// The ids that were there. Their names were seen, but whether they are durable is not known.
    pub(super) ids: BTreeSet<FileId>,
    pub(super) opening: Opening,
}

/// What was found that is not a file of the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// How many files were left over from uploads that never ended. They were removed.
    pub leftovers: usize,
    /// How many empty directories of ids were removed.
    pub empty_directories: usize,
    /// How many things there are that the store did not make: links, odd names, whatever. They are left alone and
    /// not listed.
    pub strays: usize,
    /// Their paths, the first [`MAX_STRAYS`] of them.
    pub stray_paths: Vec<PathBuf>,
}

impl Opening {
    fn stray(&mut self, path: PathBuf) {
        self.strays += 1;
        if self.stray_paths.len() < MAX_STRAYS {
            self.stray_paths.push(path);
        }
    }
}

/// Takes the store, clears what was left over, and finds every file.
pub(super) fn load(disk: &dyn Disk) -> Result<LoadResult, OpenError> {
    let at = |path: &Path| {
        let path = disk.full(path);
        move |error: io::Error| match error.kind() {
            io::ErrorKind::WouldBlock => OpenError::InUse(path),
            io::ErrorKind::NotADirectory => OpenError::NotADirectory(path),
            _ => OpenError::Io(path, error),
        }
    };
    let (root, incoming) = (Path::new(""), Path::new(INCOMING));
    let lock = disk.lock(Path::new(LOCK)).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => OpenError::InUse(disk.full(root)),
        _ => OpenError::Io(disk.full(Path::new(LOCK)), error),
    })?;
    match disk.make_dir(incoming) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(at(incoming)(error)),
        _ => {}
    }
    let mut loaded =
        LoadResult { lock, catalog: Catalog::default(), ids: BTreeSet::new(), opening: Opening::default() };
    loaded.clear(disk).map_err(at(incoming))?;
    for (name, kind) in disk.list_dir(root).map_err(at(root))? {
        let path = Path::new(&name);
        match (name.to_str().and_then(FileId::parse), kind) {
            (Some(id), Kind::Directory) => loaded.read_id(disk, path, id).map_err(at(path))?,
            _ if name == INCOMING || name == LOCK || name == QUARANTINE => {}
            _ => loaded.opening.stray(disk.full(path)),
        }
    }
    // From here on, every directory of an id that is there is durable, and what was cleared stays so.
    disk.sync_dir(root).map_err(at(root))?;
    Ok(loaded)
}

impl LoadResult {
    /// Removes what was arriving when the store was last in use.
    fn clear(&mut self, disk: &dyn Disk) -> io::Result<()> {
        for (name, kind) in disk.list_dir(Path::new(INCOMING))? {
            let path = Path::new(INCOMING).join(name);
            if kind == Kind::Directory {
                self.opening.stray(disk.full(&path));
            } else {
                disk.remove(&path)?;
                self.opening.leftovers += 1;
            }
        }
        Ok(())
    }

    fn read_id(&mut self, disk: &dyn Disk, directory: &Path, id: FileId) -> io::Result<()> {
        let found = disk.list_dir(directory)?;
        if found.is_empty() {
            disk.remove_dir(directory)?;
            self.opening.empty_directories += 1;
        }
        // Names that share their bytes are of one copy.
        let mut copies: BTreeMap<u64, Vec<(FileName, u64)>> = BTreeMap::new();
        for (name, kind) in found {
            match (parse(&name), kind) {
                (Some(name), Kind::File { size, node }) => copies.entry(node).or_default().push((name, size)),
                _ => self.opening.stray(disk.full(&directory.join(name))),
            }
        }
        let mut copies: Vec<_> = copies.into_values().collect();
        // Further names are put to the last one, so that it should have room for them.
        copies.sort_by_key(|names| Reverse(names.len()));
        for (copy, names) in (0..).zip(copies) {
            self.ids.insert(id);
            for (name, size) in names {
                self.catalog.claim(Entry { name, id, size }, copy);
            }
        }
        Ok(())
    }
}

fn parse(name: &OsStr) -> Option<FileName> {
    FileName::parse(name.to_str()?).ok()
}
