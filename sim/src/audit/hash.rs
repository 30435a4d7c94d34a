//! Digests as text, to find them in a stream and to rewrite them together with the file.

use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

/// Those that are looked for: what each is called, and how it is computed.
pub(super) const DIGESTS: [(&str, fn(&[u8]) -> String); 4] =
    [("MD5", text::<Md5>), ("SHA-1", text::<Sha1>), ("SHA-256", text::<Sha256>), ("SHA-512", text::<Sha512>)];

fn text<D: Digest>(bytes: &[u8]) -> String {
    D::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
