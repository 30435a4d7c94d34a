//! A directory by its path, where the system gives no handle to one. Links in its place are noticed only when they are
//! there before it is looked at.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::storage::disk::Kind;

/// A directory.
#[derive(Debug)]
pub(in crate::storage::disk) struct Directory(PathBuf);

impl Directory {
    pub(in crate::storage::disk) fn open(path: &Path) -> io::Result<Self> {
        if fs::metadata(path)?.is_dir() {
            Ok(Self(path.canonicalize()?))
        } else {
            Err(ErrorKind::NotADirectory.into())
        }
    }

    pub(in crate::storage::disk) fn inside(&self, name: &OsStr) -> io::Result<Self> {
        let path = self.0.join(name);
        if fs::symlink_metadata(&path)?.is_dir() {
            Ok(Self(path))
        } else {
            Err(ErrorKind::NotADirectory.into())
        }
    }

    pub(in crate::storage::disk) fn make_dir(&self, name: &OsStr) -> io::Result<()> {
        fs::create_dir(self.0.join(name))
    }

    pub(in crate::storage::disk) fn list(&self) -> io::Result<Vec<(OsString, Kind)>> {
        let mut found = Vec::new();
        for (number, entry) in (0..).zip(fs::read_dir(&self.0)?) {
            let entry = entry?;
            found.push((entry.file_name(), kind_of(&entry.metadata()?, number)));
        }
        Ok(found)
    }

    pub(in crate::storage::disk) fn kind(&self, name: &OsStr) -> io::Result<Kind> {
        Ok(kind_of(&fs::symlink_metadata(self.0.join(name))?, 0))
    }

    pub(in crate::storage::disk) fn create(&self, name: &OsStr) -> io::Result<File> {
        OpenOptions::new().read(true).append(true).create_new(true).open(self.0.join(name))
    }

    pub(in crate::storage::disk) fn open_lock(&self, name: &OsStr) -> io::Result<File> {
        OpenOptions::new().create(true).truncate(false).write(true).open(self.0.join(name))
    }

    pub(in crate::storage::disk) fn open_file(&self, name: &OsStr) -> io::Result<File> {
        File::open(self.0.join(name))
    }

    pub(in crate::storage::disk) fn rename(&self, name: &OsStr, to: &Self, new: &OsStr) -> io::Result<()> {
        fs::rename(self.0.join(name), to.0.join(new))
    }

    pub(in crate::storage::disk) fn link(&self, name: &OsStr, to: &Self, new: &OsStr) -> io::Result<()> {
        fs::hard_link(self.0.join(name), to.0.join(new))
    }

    pub(in crate::storage::disk) fn remove(&self, name: &OsStr) -> io::Result<()> {
        fs::remove_file(self.0.join(name))
    }

    pub(in crate::storage::disk) fn remove_dir(&self, name: &OsStr) -> io::Result<()> {
        fs::remove_dir(self.0.join(name))
    }

    /// Such file systems keep names in a journal of their own.
    pub(in crate::storage::disk) fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

fn kind_of(metadata: &fs::Metadata, node: u64) -> Kind {
    match () {
        () if metadata.is_dir() => Kind::Directory,
        () if metadata.is_file() => Kind::File { size: metadata.len(), node },
        () => Kind::Other,
    }
}
