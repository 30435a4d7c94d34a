//! One directory, held open: whatever is done in it is done there, and nowhere else, whoever changes what stands
//! under its path. Names in it are single names; no symbolic link among them is followed.

#[cfg(not(unix))]
mod by_path;
#[cfg(unix)]
mod held;

#[cfg(not(unix))]
pub(super) use by_path::Directory;
#[cfg(unix)]
pub(super) use held::Directory;
