//! Where a client puts what it downloads. A file stands under its name only when it is complete and verified.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use protocol::{FileId, FileName};
use tempfile::NamedTempFile;

use super::memory::Arriving;
use super::{Committed, Content, Incoming, StoreError};

/// A client's folder of downloads, in memory or on disk. Clones share it.
#[derive(Clone, Debug)]
pub enum Folder {
    /// In memory.
    Memory(Arc<Mutex<BTreeMap<FileName, Content>>>),
    /// In this directory.
    Disk(PathBuf),
}

impl Folder {
    /// An empty folder in memory.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::Memory(Arc::default())
    }

    /// The folder in `dir`, which is made if it is not there.
    ///
    /// # Errors
    /// If the directory cannot be made.
    pub fn on_disk(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        Ok(Self::Disk(dir.to_owned()))
    }

    /// Begins a download.
    ///
    /// # Errors
    /// If no temporary file can be made.
    pub fn create(&self) -> Result<Box<dyn Incoming>, StoreError> {
        Ok(match self {
            Self::Memory(_) => {
                Box::new(MemoryDownload { folder: self.clone(), arriving: Arriving::with_size(0) })
            }
            Self::Disk(dir) => Box::new(DiskDownload { file: NamedTempFile::new_in(dir)?, dir: dir.clone() }),
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
            Self::Disk(dir) => match Content::open(&dir.join(name.as_str())) {
                Ok(content) => Ok(Some(content)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            },
        }
    }
}

struct MemoryDownload {
    folder: Folder,
    arriving: Arriving,
}

impl Incoming for MemoryDownload {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.arriving.write(bytes)
    }

    fn content(&self) -> Result<Content, StoreError> {
        Ok(self.arriving.content())
    }

    fn commit(self: Box<Self>, name: &FileName, _id: FileId) -> Result<Committed, StoreError> {
        if let Folder::Memory(files) = &self.folder {
            let mut files = files.lock().unwrap_or_else(PoisonError::into_inner);
            files.insert(name.clone(), Content::Memory(self.arriving.into_bytes()));
        }
        Ok(Committed::New)
    }
}

struct DiskDownload {
    file: NamedTempFile,
    dir: PathBuf,
}

impl Incoming for DiskDownload {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        Ok(self.file.write_all(bytes)?)
    }

    fn content(&self) -> Result<Content, StoreError> {
        Ok(Content::from_file(self.file.reopen()?)?)
    }

    fn commit(self: Box<Self>, name: &FileName, _id: FileId) -> Result<Committed, StoreError> {
        self.file.persist(self.dir.join(name.as_str())).map_err(|failed| failed.error)?;
        Ok(Committed::New)
    }
}
