//! The id of a file: the MD5 of its content, as 32 lowercase hex digits on the wire. Computing it is the
//! caller's business.

use std::fmt;

/// Number of hex digits of an id on the wire.
pub(crate) const HEX_DIGITS: usize = 32;

/// The MD5 digest of a file's content as its receiver computed it.
///
/// ```
/// use protocol::FileId;
/// let id = FileId::parse("d41d8cd98f00b204e9800998ecf8427e").unwrap();
/// assert_eq!(id.to_string(), "d41d8cd98f00b204e9800998ecf8427e");
/// assert_eq!(FileId::parse("D41D8CD98F00B204E9800998ECF8427E"), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId([u8; 16]);

impl FileId {
    /// The id with these 16 digest bytes.
    #[must_use]
    pub const fn from_bytes(digest: [u8; 16]) -> Self {
        Self(digest)
    }

    /// The 16 digest bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Reads exactly 32 lowercase hex digits. Uppercase is refused: if it were taken, a damaged bit of the
    /// hash line (`a` and `A` differ in one) would go unseen.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hex: &[u8; HEX_DIGITS] = text.as_bytes().try_into().ok()?;
        let mut digest = [0; 16];
        for (byte, pair) in digest.iter_mut().zip(hex.chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Some(Self(digest))
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = [0; HEX_DIGITS];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        f.pad(str::from_utf8(&hex).unwrap_or_default())
    }
}

impl fmt::Debug for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
