//! The file system of the machine.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::device::{Disk, DiskFile, Kind, Lock};
use crate::storage::Content;

/// A directory of the machine's file system.
#[derive(Debug)]
pub struct RealDisk {
    root: PathBuf,
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
                Some(above) if !above.as_os_str().is_empty() => sync_dir(above)?,
                _ => sync_dir(Path::new("."))?,
            }
        }
        if fs::metadata(root)?.is_dir() {
            Ok(Self { root: root.to_owned() })
        } else {
            Err(ErrorKind::NotADirectory.into())
        }
    }

    /// The full path, if the directory that it is in is one, and no link to one elsewhere.
    fn at(&self, path: &Path) -> io::Result<PathBuf> {
        let mut at = self.root.clone();
        let mut parts = path.components().peekable();
        while let Some(part) = parts.next() {
            at.push(part);
            if parts.peek().is_some() && !fs::symlink_metadata(&at)?.is_dir() {
                return Err(ErrorKind::NotADirectory.into());
            }
        }
        Ok(at)
    }

    /// The same for what has to be a directory itself.
    fn directory(&self, path: &Path) -> io::Result<PathBuf> {
        let at = self.at(path)?;
        let is_root = path.as_os_str().is_empty();
        if is_root || fs::symlink_metadata(&at)?.is_dir() {
            Ok(at)
        } else {
            Err(ErrorKind::NotADirectory.into())
        }
    }
}

impl Disk for RealDisk {
    fn full(&self, path: &Path) -> PathBuf {
        self.root.join(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Lock> {
        let mut options = OpenOptions::new();
        let file = not_following(options.create(true).truncate(false).write(true)).open(self.at(path)?)?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(file)),
            Err(TryLockError::WouldBlock) => Err(ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn make_dir(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(self.at(path)?)
    }

    fn list_dir(&self, path: &Path) -> io::Result<Vec<(OsString, Kind)>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.directory(path)?)? {
            let entry = entry?;
            let file_type = entry.file_type()?;
            let kind = match () {
                () if file_type.is_dir() => Kind::Directory,
                // This metadata follows no link.
                () if file_type.is_file() => Kind::File(entry.metadata()?.len()),
                () => Kind::Other,
            };
            found.push((entry.file_name(), kind));
        }
        Ok(found)
    }

    fn kind(&self, path: &Path) -> io::Result<Kind> {
        let metadata = fs::symlink_metadata(self.at(path)?)?;
        Ok(match () {
            () if metadata.is_dir() => Kind::Directory,
            () if metadata.is_file() => Kind::File(metadata.len()),
            () => Kind::Other,
        })
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new().read(true).append(true).create_new(true).open(self.at(path)?)?;
        Ok(Box::new(RealFile(Arc::new(file))))
    }

    fn open(&self, path: &Path) -> io::Result<Content> {
        let at = self.at(path)?;
        // Looked at before it is opened: opening a FIFO would wait for its writer.
        if !fs::symlink_metadata(&at)?.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "not a regular file"));
        }
        Content::from_file(not_following(OpenOptions::new().read(true)).open(at)?)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(self.at(from)?, self.at(to)?)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(self.at(from)?, self.at(to)?)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(self.at(path)?)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(self.at(path)?)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        sync_dir(&self.directory(path)?)
    }
}

/// Makes opening fail if a symbolic link has taken the file's place since it was looked at.
#[cfg(unix)]
fn not_following(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let flags = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
    options.custom_flags(flags)
}

#[cfg(not(unix))]
fn not_following(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(unix)]
fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Other systems give no handle to a directory; their file systems keep names in a journal of their own.
#[cfg(not(unix))]
fn sync_dir(_path: &Path) -> io::Result<()> {
    Ok(())
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
        let len = self.0.metadata()?.len();
        Ok(Content::File { file: Arc::clone(&self.0), len })
    }
}
