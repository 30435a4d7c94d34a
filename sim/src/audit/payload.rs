//! What is transferred: the block of a published MD5 collision, and noise behind it. Nobody else sends such bytes, so
//! they are found again in whatever stream carries them as they are.

use memchr::memmem;

use crate::storage::Content;

/// The block of Tao Xie and Dengguo Feng (see docs/ladder.md): with bit 2 of byte 21 and bit 7 of byte 43 flipped it
/// has the same MD5.
const COLLISION: [u8; 64] = [
    0x0e, 0x30, 0x65, 0x61, 0x55, 0x9a, 0xa7, 0x87, 0xd0, 0x0b, 0xc6, 0xf7, 0x0b, 0xbd, 0xfe, 0x34, //
    0x04, 0xcf, 0x03, 0x65, 0x9e, 0x70, 0x4f, 0x85, 0x34, 0xc0, 0x0f, 0xfb, 0x65, 0x9c, 0x4c, 0x87, //
    0x40, 0xcc, 0x94, 0x2f, 0xeb, 0x2d, 0xa1, 0x15, 0xa3, 0xf4, 0x15, 0x5c, 0xbb, 0x86, 0x07, 0x49, //
    0x73, 0x86, 0x65, 0x6d, 0x7d, 0x1f, 0x34, 0xa4, 0x20, 0x59, 0xd7, 0x8f, 0x5a, 0x8d, 0xd1, 0xef,
];

/// Which bits of the block make the collision: byte and bit.
pub(super) const COLLIDING: [(u64, u8); 2] = [(21, 2), (43, 7)];

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
