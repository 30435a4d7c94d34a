//! Digests as text, to find them in a stream and to rewrite them together with the file.

use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

/// One of them: from bytes to its text.
type AsText = fn(&[u8]) -> String;

/// Those that are looked for: MD5, SHA-1, SHA-256 and SHA-512.
pub(super) const DIGESTS: [AsText; 4] = [text::<Md5>, text::<Sha1>, text::<Sha256>, text::<Sha512>];

/// The MD5 of `bytes` as text.
pub(super) fn md5(bytes: &[u8]) -> String {
    text::<Md5>(bytes)
}

fn text<D: Digest>(bytes: &[u8]) -> String {
    D::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How many bytes [`prefix_kept`] changes: the last of the file.
const CHANGED: usize = 4;
/// How many changes it tries. One in 65,536 is right.
const TRIES: u32 = 1 << 21;

/// A mask for the last bytes of `payload` after which its MD5 still begins with the same four hex digits. A program
/// that compares only those, perhaps because it shows no more, takes the one file for the other.
pub(super) fn prefix_kept(payload: &[u8]) -> Vec<u8> {
    let (front, end) = payload.split_at(payload.len().saturating_sub(CHANGED));
    let begun = Md5::new_with_prefix(front);
    let prefix = |mask: &[u8]| {
        let changed: Vec<u8> = end.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
        let digest = begun.clone().chain_update(changed).finalize();
        [digest[0], digest[1]]
    };
    let own = prefix(&[0; CHANGED]);
    let found = (1..TRIES).map(u32::to_le_bytes).find(|mask| prefix(mask) == own);
    // If there were none, any change would do: it is one more that has to be noticed.
    found.unwrap_or([1; CHANGED]).to_vec()
}
