//! What the files of the cases hold: noise, and contents planted for what is known to go wrong. All of it follows from
//! a seed. Digests are computed here, with nothing of our endpoints.
//!
//! Most files are *plain*: one line of text, whose id has no zero that a careless program could lose, and both kinds of
//! digits. So a mistake in reading files or writing ids shows in the cases that are made for it, always, and never by
//! chance in another.

use md5::{Digest, Md5};
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// How many contents are looked at for one with the wanted id. The rarest that is looked for is one of 256.
const MAX_TRIES: u64 = 1 << 16;

/// Behind [`NUMBERED`], numbers that make a text whose id has no letter, and no zero that could be lost.
const ALL_DIGITS: [u32; 4] = [10_392_567, 20_741_638, 21_373_216, 23_322_289];
const NUMBERED: &str = "All digits: ";
/// Texts whose ids are one number, zero, to a language that takes digits around an `e` for one: both are `0e`, and then
/// digits alone.
const ZERO_AS_NUMBER: &[u8] = b"240610708";
pub(super) const ALSO_ZERO_AS_NUMBER: &[u8] = b"QNKCDZO";

/// What a file holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum FileContent {
    /// So many letters and digits.
    Plain(usize),
    /// So many bytes of noise.
    Noise(usize),
    /// So many letters and digits, with such an id.
    WithId(usize, fn(&str) -> bool),
    /// A text with a number between these.
    Around(&'static [u8], &'static [u8]),
    /// Every byte there is, in both directions, each beside line ends.
    EveryByte,
    /// A text whose id has no letter.
    Digits,
    /// A text whose id is zero to who takes it for a number.
    Zero,
}

impl From<usize> for FileContent {
    fn from(len: usize) -> Self {
        Self::Plain(len)
    }
}

/// Lines of text, the last of which ends in CR LF.
pub(super) const LINES: FileContent =
    FileContent::Around(b"the first line\nline ", b"\n\r\nthe last line\r\n");
/// What a program could take for messages that are meant for it.
pub(super) const LIKE_COMMANDS: FileContent =
    FileContent::Around(b"LIST_FILES\nUPLOAD\r\n\nERROR other ", b"\nDISCARD 0\nSuccess\n\x1a\x04");

impl FileContent {
    /// The content, which follows from `seed`.
    pub(super) fn bytes(self, seed: u64) -> Vec<u8> {
        match self {
            Self::Plain(len) => search(is_plain, |try_| line(seed.wrapping_add(try_), len)),
            Self::Noise(len) => search(is_plain, |try_| noise(seed.wrapping_add(try_), len)),
            Self::WithId(len, fits) => search(fits, |try_| line(seed.wrapping_add(try_), len)),
            Self::Around(before, behind) => search(is_plain, |try_| {
                let number = format!("{:016x}", seed.wrapping_add(try_));
                [before, number.as_bytes(), behind].concat()
            }),
            Self::EveryByte => search(is_plain, |try_| {
                let all = (0..=255).chain((0..=255).rev());
                let beside = all.flat_map(|byte| [byte, b'\r', b'\n']);
                beside.chain(seed.wrapping_add(try_).to_le_bytes()).collect()
            }),
            Self::Digits => {
                // The remainder is less than four.
                let which = usize::try_from(seed % ALL_DIGITS.len() as u64).unwrap_or_default();
                format!("{NUMBERED}{}\n", ALL_DIGITS[which]).into_bytes()
            }
            Self::Zero => ZERO_AS_NUMBER.to_vec(),
        }
    }
}

/// The first content with a fitting id; the last, if none has one, as of a file of nothing.
fn search(fits: fn(&str) -> bool, make: impl Fn(u64) -> Vec<u8>) -> Vec<u8> {
    let mut bytes = make(0);
    for try_ in 1..MAX_TRIES {
        if bytes.is_empty() || fits(&id_of(&bytes)) {
            break;
        }
        bytes = make(try_);
    }
    bytes
}

/// Whether an id has nothing that is known to go wrong: no byte below 16, whose zero could be lost, and both letters and
/// digits.
pub(super) fn is_plain(id: &str) -> bool {
    let has = |is: fn(&u8) -> bool| id.as_bytes().iter().any(&is);
    id.as_bytes().chunks(2).all(|pair| pair[0] != b'0')
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
}

/// Whether an id begins with one zero.
pub(super) fn begins_with_zero(id: &str) -> bool {
    id.starts_with('0') && !id.starts_with("00")
}

/// Whether the first byte of an id is zero.
pub(super) fn begins_with_zeros(id: &str) -> bool {
    id.starts_with("00")
}

/// Whether a byte of an id is zero, but not the first.
pub(super) fn holds_zeros(id: &str) -> bool {
    !id.starts_with('0') && id.as_bytes().chunks(2).skip(1).any(|pair| pair == b"00")
}

/// The MD5 of these bytes as it stands on the wire.
pub(super) fn id_of(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes that no other seed gives.
pub(super) fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    ChaCha8Rng::seed_from_u64(seed).fill_bytes(&mut bytes);
    bytes
}

/// The same, of letters and digits alone.
fn line(seed: u64, len: usize) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = noise(seed, len);
    bytes.iter_mut().for_each(|byte| *byte = LETTERS[usize::from(*byte % 64)]);
    bytes
}

/// A seed for what has this name.
pub(super) fn seed_of(name: &str) -> u64 {
    let digest = Md5::digest(name);
    digest[..8].iter().fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_have_the_ids_for_which_they_are_planted_whatever_the_seed() {
        for seed in 0..50 {
            let id = |content: FileContent| id_of(&content.bytes(seed));
            let plain = [
                FileContent::Plain(1),
                FileContent::Plain(99),
                FileContent::Noise(2000),
                LINES,
                LIKE_COMMANDS,
                FileContent::EveryByte,
            ];
            for content in plain {
                assert!(is_plain(&id(content)), "{content:?} by {seed}");
            }
            let fits: [fn(&str) -> bool; 3] = [begins_with_zero, begins_with_zeros, holds_zeros];
            for (index, fits) in fits.into_iter().enumerate() {
                assert!(fits(&id(FileContent::WithId(301, fits))), "{index} by {seed}");
            }
            let digits = id(FileContent::Digits);
            assert!(digits.bytes().all(|byte| byte.is_ascii_digit()), "{digits}");
            assert!(digits.as_bytes().chunks(2).all(|pair| pair[0] != b'0'), "{digits}");
        }
        assert_eq!(FileContent::Plain(0).bytes(1), b"");
    }

    #[test]
    fn two_contents_are_zero_to_who_takes_an_id_for_a_number() {
        let ids = [ZERO_AS_NUMBER, ALSO_ZERO_AS_NUMBER].map(id_of);
        assert_ne!(ids[0], ids[1]);
        for id in ids {
            assert!(id.starts_with("0e") && id[2..].bytes().all(|byte| byte.is_ascii_digit()), "{id}");
        }
    }

    #[test]
    fn the_digest_is_the_one_of_the_specification() {
        // RFC 1321, appendix 5.
        assert_eq!(id_of(b""), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(id_of(b"message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
        assert_ne!(noise(1, 100), noise(2, 100));
    }
}
