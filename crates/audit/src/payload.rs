//! What is transferred: the block of a published MD5 collision, and noise behind it. Nobody else sends such bytes, so
//! they are found again in whatever stream carries them as they are.

use memchr::memmem;

use faults::Content;
use faults::collision::COLLISION;

/// How long the block is.
pub(super) const BLOCK: u64 = COLLISION.len() as u64;

/// How many pieces of one file are looked for in another, and how long each is, in bytes.
const SAMPLES: usize = 64;
const SAMPLE: usize = 32;
/// The shortest run of text in the payload that is looked for, in bytes, and how many there have to be.
const RUN: usize = 5;
const LEAST_RUNS: usize = 4;

/// Whether `arrived` is the payload, damaged, and not something else: a quarter of the one is in the other, as it is or
/// as text that somebody decoded.
pub(super) fn is_of(payload: &[u8], arrived: &[u8]) -> bool {
    let is_text: [fn(u8) -> bool; 2] = [
        // What every decoder of text leaves as it is, and what is not escaped either when it is written as text.
        |byte| byte.is_ascii() && !matches!(byte, b'\r' | b'\n'),
        |byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\'' | b'\\'),
    ];
    is_in(&samples(payload), arrived)
        || is_in(&samples(arrived), payload)
        || is_text.into_iter().map(|is_text| runs(payload, is_text)).any(|runs| {
            let is_enough = runs.len() >= LEAST_RUNS;
            is_enough && is_in(&runs, arrived)
        })
}

/// Whether a quarter of `parts`, of which there is one at least, stand in `bytes`.
fn is_in(parts: &[&[u8]], bytes: &[u8]) -> bool {
    let found = parts.iter().filter(|part| memmem::find(bytes, part).is_some()).count();
    found > 0 && found >= parts.len() / 4
}

fn samples(bytes: &[u8]) -> Vec<&[u8]> {
    let step = (bytes.len().saturating_sub(SAMPLE) / SAMPLES).max(1);
    bytes.windows(SAMPLE).step_by(step).take(SAMPLES).collect()
}

/// The longest runs of text in `bytes`.
fn runs(bytes: &[u8], is_text: fn(u8) -> bool) -> Vec<&[u8]> {
    let mut runs: Vec<&[u8]> = bytes.split(|byte| !is_text(*byte)).filter(|run| run.len() >= RUN).collect();
    runs.sort_by_key(|run| std::cmp::Reverse(run.len()));
    runs.truncate(SAMPLES);
    runs
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The payload in other forms, of the smallest size there is and of the usual one.
    fn forms(size: u64) -> (Vec<u8>, Vec<(&'static str, Vec<u8>)>) {
        let bytes = payload(1, size);
        let lossy = String::from_utf8_lossy(&bytes).into_owned();
        let latin: String = bytes.iter().map(|byte| char::from(*byte)).collect();
        let forms = vec![
            ("replaced", lossy.clone().into_bytes()),
            ("left out", lossy.replace('\u{fffd}', "").into_bytes()),
            ("as Latin-1", latin.into_bytes()),
            ("with other line ends", lossy.replace('\n', "\r\n").into_bytes()),
            ("escaped", bytes.escape_ascii().to_string().into_bytes()),
            ("cut short", bytes[..bytes.len() / 20].to_vec()),
            ("half overwritten", [&bytes[..bytes.len() / 2], &vec![0; bytes.len() / 2]].concat()),
        ];
        (bytes, forms)
    }

    #[test]
    fn the_payload_is_known_again_in_whatever_it_has_become() {
        for size in [1_024, 100_000] {
            let (bytes, forms) = forms(size);
            for (name, arrived) in forms {
                // Where there is so little of it there may be no run of printable text.
                let is_known = is_of(&bytes, &arrived);
                assert!(is_known || size == 1_024 && name == "escaped", "{name}, {size}");
            }
        }
    }

    #[test]
    fn another_file_is_not_taken_for_it() {
        let bytes = payload(1, 100_000);
        let text =
            "2026-01-01 12:00:00 GET /payload.bin 200 \"-\" d41d8cd98f00b204e9800998ecf8427e\n".repeat(1_000);
        let foreign = [
            text.into_bytes(),
            payload(2, 100_000)[COLLISION.len()..].to_vec(),
            vec![0; 100_000],
            Vec::new(),
        ];
        for (index, arrived) in foreign.iter().enumerate() {
            assert!(!is_of(&bytes, arrived), "{index}");
        }
    }
}
