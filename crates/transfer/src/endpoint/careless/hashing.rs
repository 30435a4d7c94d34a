//! The bytes that a careless program hashes.

use std::fmt;

use protocol::FileId;

use super::super::flaw::{Conduct, Flaw};
use super::checksum::Digester;

/// How many bytes it hashes at a time.
const BLOCK: usize = 1024;
/// How many bytes it hashes of the beginning of a file.
const BEGINNING: u64 = 1024 * 1024;
/// What stands for bytes that are no text.
const REPLACEMENT: &str = "\u{fffd}";

/// Computes what a careless program takes for a file's digest. What it is does not depend on the pieces in which the bytes
/// come.
#[derive(Clone)]
pub(in crate::endpoint) struct CarelessHasher {
    part: Part,
    digester: Digester,
    bytes: u64,
    /// What waits for the bytes that follow it.
    rest: Vec<u8>,
}

/// What of a file is hashed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Every byte.
    All,
    /// No byte.
    Nothing,
    /// How many bytes there are.
    Length,
    /// The first MiB.
    Beginning,
    /// The last block, whole or not.
    LastBlock,
    /// All blocks that are whole.
    WholeBlocks,
    /// The first block, the third, and so on.
    EveryOtherBlock,
    /// The text that the bytes are.
    Text,
}

impl CarelessHasher {
    /// One for the file of this name that makes the mistake of `conduct`, if that is one of hashing.
    pub(in crate::endpoint) fn new(conduct: Conduct, name: &str) -> Option<Self> {
        let flaw = conduct.flaw()?;
        let (part, mut digester) = match flaw {
            Flaw::HashOfNothing | Flaw::HashOfName => (Part::Nothing, Digester::default()),
            Flaw::LengthOnly => (Part::Length, Digester::default()),
            Flaw::FirstMibHashed => (Part::Beginning, Digester::default()),
            Flaw::HashPerChunk => (Part::LastBlock, Digester::default()),
            Flaw::LastChunkNotHashed => (Part::WholeBlocks, Digester::default()),
            Flaw::EveryOtherBlockHashed => (Part::EveryOtherBlock, Digester::default()),
            Flaw::HashOfText => (Part::Text, Digester::default()),
            flaw => (Part::All, Digester::checksum(flaw)?),
        };
        if flaw == Flaw::HashOfName {
            digester.update(name.as_bytes());
        }
        Some(Self { part, digester, bytes: 0, rest: Vec::new() })
    }

    /// Takes the next bytes.
    pub(in crate::endpoint) fn update(&mut self, bytes: &[u8]) {
        match self.part {
            Part::All => self.digester.update(bytes),
            Part::Nothing | Part::Length => {}
            Part::Beginning => {
                let left = BEGINNING.saturating_sub(self.bytes).min(bytes.len() as u64);
                self.digester.update(&bytes[..usize::try_from(left).unwrap_or_default()]);
            }
            Part::LastBlock | Part::EveryOtherBlock => self.update_blocks(bytes),
            Part::WholeBlocks => self.update_whole_blocks(bytes),
            Part::Text => self.update_text(bytes),
        }
        self.bytes += bytes.len() as u64;
    }

    fn update_blocks(&mut self, mut bytes: &[u8]) {
        let (block, mut position) = (BLOCK as u64, self.bytes);
        while !bytes.is_empty() {
            if self.part == Part::LastBlock && position.is_multiple_of(block) {
                self.digester = Digester::default();
            }
            let left = usize::try_from(block - position % block).unwrap_or(BLOCK);
            let (piece, rest) = bytes.split_at(left.min(bytes.len()));
            if self.part == Part::LastBlock || (position / block).is_multiple_of(2) {
                self.digester.update(piece);
            }
            position += piece.len() as u64;
            bytes = rest;
        }
    }

    fn update_whole_blocks(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
        let whole = self.rest.len() - self.rest.len() % BLOCK;
        self.digester.update(&self.rest[..whole]);
        self.rest.drain(..whole);
    }

    fn update_text(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
        let (mut used, whole) = (0, self.rest.len());
        for chunk in self.rest.utf8_chunks() {
            self.digester.update(chunk.valid().as_bytes());
            used += chunk.valid().len();
            let invalid = chunk.invalid();
            let may_go_on = str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
            if used + invalid.len() == whole && may_go_on {
                break;
            }
            if !invalid.is_empty() {
                self.digester.update(REPLACEMENT.as_bytes());
                used += invalid.len();
            }
        }
        self.rest.drain(..used);
    }

    /// What it takes for the digest.
    pub(in crate::endpoint) fn finish(mut self) -> FileId {
        match self.part {
            Part::Length => self.digester.update(self.bytes.to_string().as_bytes()),
            Part::Text if !self.rest.is_empty() => self.digester.update(REPLACEMENT.as_bytes()),
            _ => {}
        }
        self.digester.finish()
    }
}

impl fmt::Debug for CarelessHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CarelessHasher").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}
