//! Where a client puts what it downloads. A file stands under its name only when it is complete and verified.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use protocol::{FileId, FileName};
use tempfile::{Builder, NamedTempFile};

use super::memory::IncomingBytes;
use super::{CommitResult, Incoming, StoreError};
use faults::Content;

/// How the names of files that are arriving begin.
const PREFIX: &str = ".incoming-";

/// A client's folder of downloads. Clones share it.
#[derive(Clone, Debug)]
pub enum Folder {
    /// In memory.
    Memory(Arc<Mutex<BTreeMap<FileName, Content>>>),
    /// On disk.
    Disk {
        /// Where files go there.
        target: Target,
        /// Whether a file that is there already is replaced.
        replace: bool,
    },
}

/// Where on disk downloads go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Into this directory, each under its name.
    Directory(PathBuf),
    /// To this path, whatever its name.
    File(PathBuf),
}

impl Target {
    fn path(&self, name: &FileName) -> PathBuf {
        match self {
            Self::Directory(dir) => dir.join(name.as_str()),
            Self::File(path) => path.clone(),
        }
    }

    /// The directory in which files arrive: that in which they stay, since only there they can be renamed.
    fn directory(&self) -> &Path {
        match self {
            Self::Directory(dir) => here_if_empty(dir),
            Self::File(path) => here_if_empty(path.parent().unwrap_or(Path::new(""))),
        }
    }
}

fn here_if_empty(dir: &Path) -> &Path {
    if dir == Path::new("") { Path::new(".") } else { dir }
}

impl Folder {
    /// An empty folder in memory.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::Memory(Arc::default())
    }

    /// A folder with the same files that goes its own way from here. `None` on disk, where both would be in one place.
    #[must_use]
    pub fn fork(&self) -> Option<Self> {
        let Self::Memory(files) = self else { return None };
        let files = files.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Some(Self::Memory(Arc::new(Mutex::new(files))))
    }

    /// The folder in `dir`, which is made if it is not there. Files in it are replaced.
    ///
    /// # Errors
    /// If the directory cannot be made.
    pub fn on_disk(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        Ok(Self::Disk { target: Target::Directory(dir.to_owned()), replace: true })
    }

    /// Makes sure that a download with this name has a place.
    ///
    /// # Errors
    /// If its directory is not there, or a file of this name is and may not be replaced.
    pub fn check_free(&self, name: &FileName) -> io::Result<()> {
        let Self::Disk { target, replace } = self else { return Ok(()) };
        let (path, directory) = (target.path(name), target.directory());
        if !directory.is_dir() {
            let text = format!("{} is not a directory", directory.display());
            return Err(io::Error::new(io::ErrorKind::NotADirectory, text));
        }
        match path.symlink_metadata() {
            Ok(found) if found.is_dir() => {
                let text = format!("{} is a directory", path.display());
                Err(io::Error::new(io::ErrorKind::IsADirectory, text))
            }
            // Renaming over it would put a file in the place of a device, a pipe or a link.
            Ok(found) if !found.is_file() => {
                let text = format!("{} is not a regular file", path.display());
                Err(io::Error::new(io::ErrorKind::InvalidInput, text))
            }
            Ok(_) if !replace => {
                let text = format!("{} is there already", path.display());
                Err(io::Error::new(io::ErrorKind::AlreadyExists, text))
            }
            _ => Ok(()),
        }
    }

    /// Where the download with this name stands, if that is on disk.
    #[must_use]
    pub fn path(&self, name: &FileName) -> Option<PathBuf> {
        match self {
            Self::Memory(_) => None,
            Self::Disk { target, .. } => Some(target.path(name)),
        }
    }

    /// Begins a download.
    ///
    /// # Errors
    /// If no temporary file can be made.
    pub fn create(&self) -> Result<Box<dyn Incoming>, StoreError> {
        Ok(match self {
            Self::Memory(_) => {
                Box::new(MemoryDownload { folder: self.clone(), arriving: IncomingBytes::with_size(0) })
            }
            Self::Disk { target, replace } => {
                let file = arriving_in(target.directory())?;
                Box::new(DiskDownload { file, target: target.clone(), replace: *replace })
            }
        })
    }

    /// The finished download with this name.
    ///
    /// # Errors
    /// If it is there but cannot be opened.
    pub fn get(&self, name: &FileName) -> io::Result<Option<Content>> {
        match self {
            Self::Memory(files) => {
                Ok(files.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned())
            }
            Self::Disk { target, .. } => match Content::open(&target.path(name)) {
                Ok(content) => Ok(Some(content)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            },
        }
    }
}

struct MemoryDownload {
    folder: Folder,
    arriving: IncomingBytes,
}

impl Incoming for MemoryDownload {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.arriving.write(bytes)
    }

    fn content(&self) -> Result<Content, StoreError> {
        Ok(self.arriving.content())
    }

    fn commit(self: Box<Self>, name: &FileName, _id: FileId) -> Result<CommitResult, StoreError> {
        if let Folder::Memory(files) = &self.folder {
            let mut files = files.lock().unwrap_or_else(PoisonError::into_inner);
            files.insert(name.clone(), Content::Memory(self.arriving.into_bytes()));
        }
        Ok(CommitResult::New)
    }
}

/// A file that others can read as soon as it has its name, as far as the user's umask lets them.
#[cfg(unix)]
fn arriving_in(directory: &Path) -> io::Result<NamedTempFile> {
    use std::os::unix::fs::PermissionsExt;
    const READ_AND_WRITE: u32 = 0o666;
    let permissions = fs::Permissions::from_mode(READ_AND_WRITE);
    Builder::new().prefix(PREFIX).permissions(permissions).tempfile_in(directory)
}

#[cfg(not(unix))]
fn arriving_in(directory: &Path) -> io::Result<NamedTempFile> {
    Builder::new().prefix(PREFIX).tempfile_in(directory)
}

struct DiskDownload {
    file: NamedTempFile,
    target: Target,
    replace: bool,
}

impl Incoming for DiskDownload {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        Ok(self.file.write_all(bytes)?)
    }

    fn content(&self) -> Result<Content, StoreError> {
        Ok(Content::from_file(self.file.reopen()?)?)
    }

    fn commit(self: Box<Self>, name: &FileName, _id: FileId) -> Result<CommitResult, StoreError> {
        let path = self.target.path(name);
        let done = if self.replace { self.file.persist(path) } else { self.file.persist_noclobber(path) };
        done.map_err(|failed| failed.error)?;
        Ok(CommitResult::New)
    }
}
