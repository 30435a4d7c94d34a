//! Removes what a run made, whatever rights its programs left on it.

use std::fs;
use std::io;
use std::path::Path;

/// How deep directories are looked into to open them; deeper ones are removed only if they let themselves be.
const MAX_DEPTH: usize = 64;

/// Removes the directory `path` with all that is in it; that there is none is no error.
///
/// # Errors
/// If something in it cannot be removed though its owner may do everything with it.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open(path, MAX_DEPTH);
            fs::remove_dir_all(path)
        }
        removed => removed,
    }
}

/// Gives the owner all rights on the directories below `path`. What does not work shows when they are removed.
fn open(path: &Path, depth: usize) {
    let is_directory = fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    if depth == 0 || !is_directory {
        return;
    }
    allow(path);
    let entries = fs::read_dir(path).into_iter().flatten();
    entries.filter_map(Result::ok).for_each(|entry| open(&entry.path(), depth - 1));
}

#[cfg(unix)]
fn allow(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    const ALL_FOR_OWNER: u32 = 0o700;
    let _ = fs::set_permissions(path, fs::Permissions::from_mode(ALL_FOR_OWNER));
}

#[cfg(not(unix))]
fn allow(_path: &Path) {}
