//! What a careless program hashes in the place of a file, and what it remembers of the file before. Without the feature
//! `flaws` there is no such program, and the compiler knows it.

#[cfg(feature = "flaws")]
mod checksum;
#[cfg(feature = "flaws")]
mod hashing;

use std::mem;

use protocol::FileId;

use super::Hasher;
use super::flaw::{Conduct, Flaw};
use faults::Direction;

#[cfg(feature = "flaws")]
pub(super) use hashing::CarelessHasher;

/// One that cannot be made.
#[cfg(not(feature = "flaws"))]
#[derive(Clone, Debug)]
pub(super) enum CarelessHasher {}

#[cfg(not(feature = "flaws"))]
impl CarelessHasher {
    pub(super) const fn new(_conduct: Conduct, _name: &str) -> Option<Self> {
        None
    }

    pub(super) const fn update(&mut self, _bytes: &[u8]) {
        match *self {}
    }

    pub(super) const fn finish(self) -> FileId {
        match self {}
    }
}

/// What a careless program keeps from one file of a session to the next.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Earlier {
    uploaded: Option<FileId>,
    downloaded: Option<FileId>,
    compared: bool,
}

impl Earlier {
    /// The digest that a program of this conduct has of the file in `hasher`.
    pub(super) fn finish(&mut self, conduct: Conduct, direction: Direction, hasher: Hasher) -> FileId {
        let digest = hasher.finish();
        if !conduct.has(Flaw::HashOfLastFile) {
            return digest;
        }
        let last = match direction {
            Direction::Upload => &mut self.uploaded,
            Direction::Download => &mut self.downloaded,
        };
        last.replace(digest).unwrap_or_else(|| Hasher::default().finish())
    }

    /// Two digests are about to be compared. Says whether others were before.
    pub(super) fn compares_again(&mut self) -> bool {
        mem::replace(&mut self.compared, true)
    }
}
