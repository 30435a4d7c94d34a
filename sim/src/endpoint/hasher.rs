//! MD5 over a file in pieces.

use std::io;

use md5::{Digest, Md5};
use protocol::FileId;

use super::CHUNK;
use crate::storage::Content;

/// Computes a file's id from its bytes, in any pieces.
#[derive(Clone, Debug, Default)]
pub struct Hasher {
    md5: Md5,
    bytes: u64,
}

impl Hasher {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// How many bytes it has taken.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The MD5 of all bytes taken.
    #[must_use]
    pub fn finish(self) -> FileId {
        FileId::from_bytes(self.md5.finalize().into())
    }
}

/// The MD5 of a whole content.
///
/// # Errors
/// If a file on disk cannot be read.
pub fn md5_of(content: &Content) -> io::Result<FileId> {
    let (mut hasher, mut chunk) = (Hasher::default(), vec![0; CHUNK]);
    loop {
        let count = content.read_at(hasher.bytes(), &mut chunk)?;
        if count == 0 {
            return Ok(hasher.finish());
        }
        hasher.update(&chunk[..count]);
    }
}
