//! A directory by its descriptor.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{self, AtFlags, CWD, Dir, FileType, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use crate::storage::disk::Kind;

/// Whoever makes something: the user's umask takes its share.
const FILE: Mode = Mode::from_raw_mode(0o666);
const DIRECTORY: Mode = Mode::from_raw_mode(0o777);

/// A directory that is held open.
#[derive(Debug)]
pub(in crate::storage::disk) struct Directory(File);

impl Directory {
    /// The directory at `path`, which a person gave: links to it are followed.
    pub(in crate::storage::disk) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(retry_on_intr(|| fs::openat(CWD, path, flags, Mode::empty()))?.into()))
    }

    /// The directory of this name.
    pub(in crate::storage::disk) fn inside(&self, name: &OsStr) -> io::Result<Self> {
        match self.open_at(name, OFlags::RDONLY | OFlags::DIRECTORY) {
            Ok(file) => Ok(Self(file)),
            // How systems say that it is a link.
            Err(Errno::LOOP | Errno::MLINK) => Err(ErrorKind::NotADirectory.into()),
            Err(error) => Err(error.into()),
        }
    }

    pub(in crate::storage::disk) fn make_dir(&self, name: &OsStr) -> io::Result<()> {
        Ok(fs::mkdirat(&self.0, name, DIRECTORY)?)
    }

    /// What stands in it, in no order.
    pub(in crate::storage::disk) fn list(&self) -> io::Result<Vec<(OsString, Kind)>> {
        let mut found = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            match self.kind(name) {
                Ok(kind) => found.push((name.to_owned(), kind)),
                // It is gone by now.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    pub(in crate::storage::disk) fn kind(&self, name: &OsStr) -> io::Result<Kind> {
        let found = fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(match FileType::from_raw_mode(found.st_mode) {
            FileType::Directory => Kind::Directory,
            FileType::RegularFile => {
                Kind::File { size: u64::try_from(found.st_size).unwrap_or_default(), node: found.st_ino }
            }
            _ => Kind::Other,
        })
    }

    /// Makes a new file, to be read and appended to.
    pub(in crate::storage::disk) fn create(&self, name: &OsStr) -> io::Result<File> {
        Ok(self.open_at(name, OFlags::RDWR | OFlags::APPEND | OFlags::CREATE | OFlags::EXCL)?)
    }

    /// Opens a file to lock it, and makes it if it is not there.
    pub(in crate::storage::disk) fn open_lock(&self, name: &OsStr) -> io::Result<File> {
        Ok(self.open_at(name, OFlags::WRONLY | OFlags::CREATE)?)
    }

    /// Opens a file to read it. Whoever calls made sure that it is a regular one.
    pub(in crate::storage::disk) fn open_file(&self, name: &OsStr) -> io::Result<File> {
        Ok(self.open_at(name, OFlags::RDONLY)?)
    }

    pub(in crate::storage::disk) fn rename(&self, name: &OsStr, to: &Self, new: &OsStr) -> io::Result<()> {
        Ok(fs::renameat(&self.0, name, &to.0, new)?)
    }

    pub(in crate::storage::disk) fn link(&self, name: &OsStr, to: &Self, new: &OsStr) -> io::Result<()> {
        Ok(fs::linkat(&self.0, name, &to.0, new, AtFlags::empty())?)
    }

    pub(in crate::storage::disk) fn remove(&self, name: &OsStr) -> io::Result<()> {
        Ok(fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    pub(in crate::storage::disk) fn remove_dir(&self, name: &OsStr) -> io::Result<()> {
        Ok(fs::unlinkat(&self.0, name, AtFlags::REMOVEDIR)?)
    }

    pub(in crate::storage::disk) fn sync(&self) -> io::Result<()> {
        self.0.sync_all()
    }

    fn open_at(&self, name: &OsStr, flags: OFlags) -> Result<File, Errno> {
        // A FIFO that has taken the name would wait for its other end.
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(retry_on_intr(|| fs::openat(&self.0, name, flags, FILE))?.into())
    }
}
