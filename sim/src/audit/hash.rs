//! Digests as text, to find them in a stream and to rewrite them together with the file.

use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

/// One of them: from bytes to its text.
type AsText = fn(&[u8]) -> String;

/// Those that are looked for: MD5, SHA-1, SHA-256 and SHA-512.
pub(super) const DIGESTS: [AsText; 4] = [text::<Md5>, text::<Sha1>, text::<Sha256>, text::<Sha512>];

fn text<D: Digest>(bytes: &[u8]) -> String {
    D::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
