//! What is transferred: the block of a published MD5 collision, and noise behind it. Nobody else sends such bytes, so
//! they are found again in whatever stream carries them as they are.

use memchr::memmem;

use crate::collision::COLLISION;
use crate::storage::Content;

/// How long the block is.
pub(super) const BLOCK: u64 = COLLISION.len() as u64;

/// How many pieces of the payload are looked for to know it again, and how long each is, in bytes.
const SAMPLES: usize = 64;
const SAMPLE: usize = 32;

/// Whether `arrived` is the payload, damaged, and not something else: a quarter of samples of it is there.
pub(super) fn is_of(payload: &[u8], arrived: &[u8]) -> bool {
    let step = (payload.len().saturating_sub(SAMPLE) / SAMPLES).max(1);
    let samples = payload.windows(SAMPLE).step_by(step).take(SAMPLES);
    samples.filter(|sample| memmem::find(arrived, sample).is_some()).count() >= SAMPLES / 4
}

/// `size` bytes, the same for the same seed.
pub(super) fn payload(seed: u64, size: u64) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
    // Noise that lives in memory can always be read.
    let _ = Content::Noise { seed, len: size }.read_at(0, &mut bytes);
    let block = COLLISION.len().min(bytes.len());
    bytes[..block].copy_from_slice(&COLLISION[..block]);
    bytes
}
