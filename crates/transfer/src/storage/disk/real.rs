//! The file system of the machine.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::device::{Disk, DiskFile, Kind, Lock};
use super::directory::Directory;
use faults::Content;

/// A directory of the machine's file system. It is held open: what comes to stand under its path later, say a link to
/// somewhere else, is nothing to it.
#[derive(Debug)]
pub struct RealDisk {
    root: Directory,
    /// Where it was when it was opened, for messages.
    path: PathBuf,
}

impl RealDisk {
    /// The directory at `root`, which is made if it is not there, durably.
    ///
    /// # Errors
    /// If it cannot be made, or is not a directory.
    pub fn new(root: &Path) -> io::Result<Self> {
        let made: Vec<&Path> = root.ancestors().take_while(|above| !above.exists()).collect();
        if root.exists() && !root.is_dir() {
            return Err(ErrorKind::NotADirectory.into());
        }
        fs::create_dir_all(root)?;
        for directory in made {
            match directory.parent() {
                Some(above) if !above.as_os_str().is_empty() => Directory::open(above)?.sync()?,
                _ => Directory::open(Path::new("."))?.sync()?,
            }
        }
        Ok(Self { root: Directory::open(root)?, path: root.to_owned() })
    }

    /// Does something in the directory at `path`.
    fn within<T>(&self, path: &Path, work: impl FnOnce(&Directory) -> io::Result<T>) -> io::Result<T> {
        let mut inside = None;
        for part in path.components() {
            let next = inside.as_ref().unwrap_or(&self.root).inside(part.as_os_str())?;
            inside = Some(next);
        }
        work(inside.as_ref().unwrap_or(&self.root))
    }

    /// Does something with the name at `path`, in its directory.
    fn at<T>(&self, path: &Path, work: impl FnOnce(&Directory, &OsStr) -> io::Result<T>) -> io::Result<T> {
        let name = path.file_name().ok_or(ErrorKind::InvalidInput)?;
        self.within(path.parent().unwrap_or(Path::new("")), |directory| work(directory, name))
    }
}

impl Disk for RealDisk {
    fn full(&self, path: &Path) -> PathBuf {
        self.path.join(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Lock> {
        let file = self.at(path, Directory::open_lock)?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(file)),
            Err(TryLockError::WouldBlock) => Err(ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn make_dir(&self, path: &Path) -> io::Result<()> {
        self.at(path, Directory::make_dir)
    }

    fn list_dir(&self, path: &Path) -> io::Result<Vec<(OsString, Kind)>> {
        self.within(path, Directory::list)
    }

    fn kind(&self, path: &Path) -> io::Result<Kind> {
        self.at(path, Directory::kind)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(RealFile(Arc::new(self.at(path, Directory::create)?))))
    }

    fn open(&self, path: &Path) -> io::Result<Content> {
        let file = self.at(path, |directory, name| match directory.kind(name)? {
            Kind::File { .. } => directory.open_file(name),
            _ => Err(io::Error::new(ErrorKind::InvalidInput, "not a regular file")),
        })?;
        Content::from_file(file)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.at(from, |directory, name| self.at(to, |other, new| directory.rename(name, other, new)))
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.at(from, |directory, name| self.at(to, |other, new| directory.link(name, other, new)))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.at(path, Directory::remove)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.at(path, Directory::remove_dir)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.within(path, Directory::sync)
    }
}

struct RealFile(Arc<File>);

impl DiskFile for RealFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        (&*self.0).write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn content(&self) -> io::Result<Content> {
        Content::from_file(Arc::clone(&self.0))
    }
}
