//! A bounded byte queue: what a transport reads into and endpoints write into.

use std::io;

/// The most bytes that a buffer holds, and so the most that moves at once. Small enough that what was read
/// is still in the cache when it is hashed.
pub const CHUNK: usize = 64 * 1024;

/// The size of a buffer that has not been full yet. Clearing a whole chunk would cost more than a run with a
/// small file.
const SMALL: usize = 4 * 1024;

/// A queue of at most [`CHUNK`] bytes: filled at the back, consumed from the front.
#[derive(Clone, Debug)]
pub struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Default for Buffer {
    fn default() -> Self {
        Self { bytes: vec![0; SMALL], start: 0, end: 0 }
    }
}

impl Buffer {
    /// What is queued.
    #[must_use]
    pub fn filled(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Whether nothing is queued.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Whether nothing more fits.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.end - self.start == self.bytes.len()
    }

    /// How many bytes still fit.
    #[must_use]
    pub fn space(&self) -> usize {
        self.bytes.len() - (self.end - self.start)
    }

    /// The free part behind what is queued, all of it in one piece. Say how much was filled with
    /// [`Buffer::fill`].
    pub fn spare(&mut self) -> &mut [u8] {
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        &mut self.bytes[self.end..]
    }

    /// A buffer that was full once is likely to be so again.
    fn grow(&mut self) {
        if self.end == self.bytes.len() && self.end < CHUNK {
            self.bytes.resize(CHUNK, 0);
        }
    }

    /// Gives back what it has grown by, if it is empty.
    pub fn shrink(&mut self) {
        if self.is_empty() && self.bytes.len() > SMALL {
            *self = Self::default();
        }
    }

    /// Empties it, so that it is as a new one is: how much it takes at once, and so the course of a run, must not depend on
    /// what it was used for before.
    pub(crate) fn reset(&mut self) {
        self.bytes.truncate(SMALL);
        (self.start, self.end) = (0, 0);
    }

    /// Takes its place, and leaves one that holds nothing and never will.
    pub(crate) fn take(&mut self) -> Self {
        std::mem::replace(self, Self { bytes: Vec::new(), start: 0, end: 0 })
    }

    /// Becomes a copy of `other`, with the memory that it has.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.bytes.resize(other.bytes.len(), 0);
        (self.start, self.end) = (other.start, other.end);
        self.bytes[self.start..self.end].copy_from_slice(other.filled());
    }

    /// Queues the first `count` bytes of [`Buffer::spare`].
    pub fn fill(&mut self, count: usize) {
        self.end = (self.end + count).min(self.bytes.len());
        self.grow();
    }

    /// Queues as many of these bytes as fit, and says how many that are.
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        let spare = self.spare();
        let count = bytes.len().min(spare.len());
        spare[..count].copy_from_slice(&bytes[..count]);
        self.fill(count);
        count
    }

    /// Drops `count` bytes off the front.
    pub fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }
}

impl io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(self.push(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
