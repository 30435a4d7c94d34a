//! What is transferred: the block of a published MD5 collision, and noise behind it. Nobody else sends such bytes, so
//! they are found again in whatever stream carries them as they are.

use crate::collision::COLLISION;
use crate::storage::Content;

/// How long the block is.
pub(super) const BLOCK: u64 = COLLISION.len() as u64;

/// `size` bytes, the same for the same seed.
pub(super) fn payload(seed: u64, size: u64) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
    // Noise that lives in memory can always be read.
    let _ = Content::Noise { seed, len: size }.read_at(0, &mut bytes);
    let block = COLLISION.len().min(bytes.len());
    bytes[..block].copy_from_slice(&COLLISION[..block]);
    bytes
}
