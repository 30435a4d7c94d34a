//! The cases for clients about what a file holds and how its id looks: contents that are known to go wrong.

use super::behaviour::ServerBehaviour;
use super::cases::{LARGE, damaged_of, wrong_hash_of};
use super::{Check, ClientBench, FileContent, id_of};
use crate::content::{
    ALSO_ZERO_AS_NUMBER, LIKE_COMMANDS, LINES, begins_with_zero, begins_with_zeros, holds_zeros,
};

/// More than most programs hold in memory by accident, or hash at once.
const LARGER: usize = 4 * 1024 * 1024 + 13;
/// A file of several segments.
const SMALL: usize = 3001;
/// Ids with a zero: at the start, two there, and two elsewhere.
const ZEROS: [fn(&str) -> bool; 3] = [begins_with_zero, begins_with_zeros, holds_zeros];

cases! { ClientBench:
    2 "upload-every-byte" [3] after ["upload"]
        "A file can hold every byte there is, and be no UTF-8."
        => |bench| put(bench, 3, FileContent::EveryByte);
    2 "upload-large" [3] after ["upload-every-byte"]
        "It uploads a file of 300,007 bytes."
        => |bench| put(bench, 3, FileContent::Noise(LARGE));
    2 "upload-larger" [3] after ["upload-large"]
        "It uploads a file of 4 MiB."
        => |bench| put(bench, 3, FileContent::Noise(LARGER));
    2 "upload-lines" [3] after ["upload"]
        "A text goes as it is: LF stays LF, and CR LF at its end CR LF."
        => |bench| put(bench, 3, LINES);
    2 "upload-like-commands" [3] after ["upload"]
        "A file may look like commands."
        => |bench| put(bench, 3, LIKE_COMMANDS);
    2 "upload-with-zeros" [30] after ["upload"]
        "A hash keeps its zeros, at its start and where a byte of it is zero."
        => |bench| ZEROS.iter().try_for_each(|fits| put(bench, 30, FileContent::WithId(SMALL, *fits)));
    2 "upload-of-digits" [30] after ["upload"]
        "A hash without a letter is no number."
        => |bench| put(bench, 30, FileContent::Digits);
    3 "download-every-byte" [3] after ["download"]
        "Every byte there is arrives."
        => |bench| get(bench, 3, FileContent::EveryByte);
    3 "download-large" [3] after ["download-every-byte"]
        "It downloads a file of 300,007 bytes."
        => |bench| get(bench, 3, FileContent::Noise(LARGE));
    3 "download-larger" [3] after ["download-large"]
        "It downloads a file of 4 MiB."
        => |bench| get(bench, 3, FileContent::Noise(LARGER));
    3 "download-lines" [3] after ["download"]
        "A text arrives as it is."
        => |bench| get(bench, 3, LINES);
    3 "download-like-commands" [3] after ["download"]
        "Nothing in a payload is looked at: it may look like a refusal."
        => |bench| get(bench, 3, FileContent::Around(b"ERROR not-found no ", b"\n\nSuccess\n"));
    3 "download-with-zeros" [11 30] after ["download"]
        "It asks for an id with all its zeros, and compares them."
        => |bench| ZEROS.iter().try_for_each(|fits| get(bench, 11, FileContent::WithId(SMALL, *fits)));
    3 "download-of-digits" [11 30] after ["download"]
        "An id without a letter is no number."
        => |bench| get(bench, 11, FileContent::Digits);
    4 "hash-in-other-order" [30] after ["upload"]
        "No Success when the digits of the hash stand in another order."
        => |bench| wrong_hash_of(bench, SMALL.into(), |bytes| id_of(bytes).chars().rev().collect());
    4 "hash-behind-zeros" [30] after ["upload-with-zeros"]
        "Nor when both hashes begin with a byte of zero, and then differ."
        => hash_behind_zeros;
    4 "hash-equal-as-number" [30] after ["upload"]
        "Nor when both are zero to a language that takes them for numbers: 0e and digits."
        => |bench| wrong_hash_of(bench, FileContent::Zero, |_| id_of(ALSO_ZERO_AS_NUMBER));
    4 "damaged-behind-zeros" [30 32] after ["download-with-zeros"]
        "Nor when the MD5 of a damaged download begins with a byte of zero, as its id does."
        => damaged_behind_zeros;
    4 "damaged-larger" [30 32] after ["download-larger"]
        "Nor when a bit is wrong at the end of 4 MiB."
        => damaged_larger;
}

fn put(bench: &mut ClientBench, rule: u8, content: FileContent) -> Check {
    bench.put(content, &ServerBehaviour::default())?.uploaded(rule)
}

fn get(bench: &mut ClientBench, rule: u8, content: FileContent) -> Check {
    bench.get(content, &ServerBehaviour::default())?.downloaded(rule)
}

/// Another content of this length, whose id begins with zeros, too.
fn also_behind_zeros(bytes: &[u8]) -> Vec<u8> {
    // No client's file is made by such a seed: those come from names.
    FileContent::WithId(bytes.len(), begins_with_zeros).bytes(0)
}

fn hash_behind_zeros(bench: &mut ClientBench) -> Check {
    let content = FileContent::WithId(SMALL, begins_with_zeros);
    wrong_hash_of(bench, content, |bytes| id_of(&also_behind_zeros(bytes)))
}

fn damaged_behind_zeros(bench: &mut ClientBench) -> Check {
    damaged_of(bench, FileContent::WithId(SMALL, begins_with_zeros), |bytes| also_behind_zeros(&bytes))
}

fn damaged_larger(bench: &mut ClientBench) -> Check {
    damaged_of(bench, FileContent::Noise(LARGER), |mut bytes| {
        bytes[LARGER - 1000] ^= 1;
        bytes
    })
}
