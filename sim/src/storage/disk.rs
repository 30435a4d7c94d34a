//! The store that keeps everything on disk: `<dir>/<id>/<name>`, so that a person finds each file under the
//! name it was uploaded with. A file is written beside them and moved to its place when it is complete.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use protocol::{Entry, FileId, FileName};
use tempfile::NamedTempFile;

use super::{Committed, Content, Incoming, Store, StoreError};

/// Where arriving files stand. No id has this name, so it is never listed.
const INCOMING: &str = ".incoming";

/// A store in a directory of its own.
#[derive(Debug)]
pub struct DiskStore {
    dir: PathBuf,
    /// Held while names appear or vanish, so that two sessions cannot race for one id.
    names: std::sync::Arc<Mutex<()>>,
}

impl DiskStore {
    /// Opens the store in `dir`, which is made if it is not there.
    ///
    /// # Errors
    /// If the directory cannot be made.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(dir.join(INCOMING))?;
        Ok(Self { dir: dir.to_owned(), names: std::sync::Arc::default() })
    }
}

impl Store for DiskStore {
    fn list(&self) -> Result<std::sync::Arc<[Entry]>, StoreError> {
        let mut entries = Vec::new();
        for directory in fs::read_dir(&self.dir)? {
            let directory = directory?;
            if let Some(id) = directory.file_name().to_str().and_then(FileId::parse) {
                list_names(&directory.path(), id, &mut entries)?;
            }
        }
        entries.sort();
        Ok(entries.into())
    }

    fn create(&self, _size: u64) -> Result<Box<dyn Incoming>, StoreError> {
        let file = NamedTempFile::new_in(self.dir.join(INCOMING))?;
        Ok(Box::new(DiskIncoming { file, dir: self.dir.clone(), names: std::sync::Arc::clone(&self.names) }))
    }

    fn open(&self, id: FileId) -> Result<Content, StoreError> {
        match any_name(&self.dir.join(id.to_string()))? {
            Some(path) => Ok(Content::open(&path)?),
            None => Err(StoreError::NotFound),
        }
    }

    fn discard(&self, id: FileId, name: &FileName) -> Result<(), StoreError> {
        let _guard = lock(&self.names);
        let directory = self.dir.join(id.to_string());
        fs::remove_file(directory.join(name.as_str()))?;
        // Only an empty directory goes; one that still holds other names stays.
        let _ = fs::remove_dir(&directory);
        Ok(())
    }
}

fn lock(names: &Mutex<()>) -> std::sync::MutexGuard<'_, ()> {
    names.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn list_names(directory: &Path, id: FileId, entries: &mut Vec<Entry>) -> Result<(), StoreError> {
    for file in fs::read_dir(directory)? {
        let file = file?;
        let name = file.file_name().to_str().and_then(|name| FileName::parse(name).ok());
        // `DirEntry::metadata` does not follow links: one that points elsewhere is not a file of ours.
        let metadata = file.metadata()?;
        if let (Some(name), true) = (name, metadata.is_file()) {
            entries.push(Entry { name, id, size: metadata.len() });
        }
    }
    Ok(())
}

/// The path of a content: any of its names, the first in order.
fn any_name(directory: &Path) -> Result<Option<PathBuf>, StoreError> {
    let names = match fs::read_dir(directory) {
        Ok(names) => names,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let paths = names.map(|file| Ok(file?.path())).collect::<Result<Vec<_>, std::io::Error>>()?;
    Ok(paths.into_iter().min())
}

struct DiskIncoming {
    file: NamedTempFile,
    dir: PathBuf,
    names: std::sync::Arc<Mutex<()>>,
}

impl Incoming for DiskIncoming {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        Ok(self.file.write_all(bytes)?)
    }

    fn content(&self) -> Result<Content, StoreError> {
        Ok(Content::from_file(self.file.reopen()?)?)
    }

    fn commit(self: Box<Self>, name: &FileName, id: FileId) -> Result<Committed, StoreError> {
        self.file.as_file().sync_data()?;
        let _guard = lock(&self.names);
        let directory = self.dir.join(id.to_string());
        let path = directory.join(name.as_str());
        if let Some(stored) = any_name(&directory)? {
            let ours = Content::from_file(self.file.reopen()?)?;
            if ours.first_difference(&Content::open(&stored)?)?.is_some() {
                return Err(StoreError::Collision);
            }
            if path.exists() {
                return Ok(Committed::Already);
            }
        }
        fs::create_dir_all(&directory)?;
        self.file.persist(&path).map_err(|failed| failed.error)?;
        File::open(&directory)?.sync_data()?;
        File::open(&self.dir)?.sync_data()?;
        Ok(Committed::New)
    }
}
