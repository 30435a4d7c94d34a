//! MD5 over a file in pieces.

use std::io::{self, ErrorKind};

use md5::{Digest, Md5};
use protocol::FileId;

use super::ahead::{HashThread, HashThreads};
use super::careless::CarelessHasher;
use super::flaw::Conduct;
use crate::storage::StoreError;
use faults::{Buffer, CHUNK, Content};

/// How many bytes a file has to have before a thread is worth its start.
const AHEAD_FROM: u64 = 1024 * 1024;

/// Computes a file's id from its bytes, in any pieces.
#[derive(Debug, Default)]
pub struct Hasher {
    md5: Md5,
    bytes: u64,
    /// Where the rest is hashed, once the file has proved to be large.
    ahead: Option<HashThread>,
    threads: Option<HashThreads>,
    /// What hashes in its place, in a careless program.
    careless: Option<CarelessHasher>,
}

impl Hasher {
    /// A hasher for the file of this name that makes the mistake of `conduct`, if it is one of hashing.
    #[must_use]
    pub fn with(conduct: Conduct, name: &str) -> Self {
        Self { careless: CarelessHasher::new(conduct, name), ..Self::default() }
    }

    /// The same; a large file is hashed on one of these threads, if one is free. Careless programs do no such thing.
    #[must_use]
    pub fn on(self, threads: &HashThreads) -> Self {
        Self { threads: self.careless.is_none().then(|| threads.clone()), ..self }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.careless {
            Some(careless) => careless.update(bytes),
            None => self.update_all(bytes),
        }
        self.bytes += bytes.len() as u64;
    }

    fn update_all(&mut self, bytes: &[u8]) {
        // They are asked once: a thread that comes free later is not waited for.
        if self.bytes >= AHEAD_FROM
            && let Some(threads) = self.threads.take()
        {
            self.ahead = HashThread::start(&self.md5, &threads);
        }
        match &mut self.ahead {
            Some(ahead) => ahead.update(bytes),
            None => self.md5.update(bytes),
        }
    }

    /// Reads the next bytes of `content` straight into `out`, as many as fit and at most `left`, and takes them on
    /// the way. Returns how many. The last of them go out only if the content is still what it was when the first did.
    pub(super) fn pass_on(
        &mut self,
        content: &Content,
        left: u64,
        out: &mut Buffer,
    ) -> Result<usize, StoreError> {
        let spare = out.spare();
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(spare.len());
        let read = content.read_at(self.bytes, &mut spare[..most]).ok().filter(|count| *count > 0);
        let count = read.ok_or(StoreError::Io(ErrorKind::UnexpectedEof))?;
        if count as u64 == left && !content.is_unchanged()? {
            return Err(StoreError::Changed);
        }
        self.update(&spare[..count]);
        out.fill(count);
        Ok(count)
    }

    /// A copy that goes on from here.
    ///
    /// # Errors
    /// [`StoreError::NotForkable`] while the rest is hashed on a thread of its own.
    pub(super) fn fork(&self) -> Result<Self, StoreError> {
        if self.ahead.is_some() {
            return Err(StoreError::NotForkable);
        }
        let Self { md5, bytes, threads, careless, .. } = self;
        let (md5, threads, careless) = (md5.clone(), threads.clone(), careless.clone());
        Ok(Self { md5, bytes: *bytes, ahead: None, threads, careless })
    }

    /// How many bytes it has taken.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The MD5 of all bytes taken, or what a careless program takes for it.
    #[must_use]
    pub fn finish(mut self) -> FileId {
        if let Some(careless) = self.careless {
            return careless.finish();
        }
        if let Some(ahead) = self.ahead {
            self.md5 = ahead.finish();
        }
        FileId::from_bytes(self.md5.finalize().into())
    }
}

/// The MD5 of a whole content.
///
/// # Errors
/// If a file on disk cannot be read.
pub fn md5_of(content: &Content) -> io::Result<FileId> {
    md5_with(content, |_| {})
}

/// The same, and `each` hears of every so many bytes that are done.
///
/// # Errors
/// If a file on disk cannot be read.
pub fn md5_with(content: &Content, mut each: impl FnMut(u64)) -> io::Result<FileId> {
    let (mut hasher, mut chunk) = (Hasher::default(), vec![0; CHUNK]);
    loop {
        let count = content.read_at(hasher.bytes(), &mut chunk)?;
        if count == 0 {
            return Ok(hasher.finish());
        }
        hasher.update(&chunk[..count]);
        each(count as u64);
    }
}
