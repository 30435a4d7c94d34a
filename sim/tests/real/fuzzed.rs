//! Ten thousand sessions of bytes that nobody meant: no panic, the same answer however they are cut, and a server that
//! serves the next client as if nothing had been.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt, SeedableRng};

use super::program::Serve;
use super::raw::Raw;
use super::wire::blocks;
use super::{md5, noise};

#[path = "../../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "it is a library of its own, too")]
mod bodies;

/// How many sessions are tried on the state machines, and how many on the real thing.
const IN_PROCESS: u64 = 10_000;
const ON_SOCKETS: u64 = 300;

/// What means something on the wire, and is worth to stand where it should not.
const WORDS: &[&str] = &[
    "LIST_FILES\n",
    "UPLOAD\n",
    "DOWNLOAD\n",
    "DISCARD 5d41402abc4b2a76b9719d911017c592\n",
    "DISCARD ",
    "ERROR ",
    "ERROR timeout x\n",
    "a;5\n",
    "hello",
    "5d41402abc4b2a76b9719d911017c592\n",
    ";9223372036854775807\n",
    ";9223372036854775808\n",
    ";0\n",
    ";00\n",
    "\n",
    "\r\n",
    "\0",
    "\u{1b}[2J",
    "../../x;1\n",
];

/// Sessions that make sense: those of PROTOCOL.md, from both sides.
fn corpus() -> Vec<Vec<u8>> {
    let all = blocks("session").into_iter().chain(blocks("session server"));
    let sides = all.flat_map(|block| {
        ['C', 'S'].map(|side| {
            let said = block.iter().filter(|(who, _)| *who == side);
            said.flat_map(|(_, text)| text.bytes()).collect()
        })
    });
    sides.collect()
}

/// Changes `bytes` in one place.
fn mutate(bytes: &mut Vec<u8>, corpus: &[Vec<u8>], random: &mut ChaCha8Rng) {
    let at = random.random_range(0..=bytes.len());
    let to = random.random_range(at..=bytes.len());
    let short = to.min(at + 40);
    match random.random_range(0..9) {
        0 if at < bytes.len() => bytes[at] ^= 1 << random.random_range(0..8),
        1 => drop(bytes.drain(at..short)),
        2 => bytes.truncate(at),
        3 => {
            let again = bytes[at..short].to_vec();
            bytes.splice(at..at, again);
        }
        4 => {
            let word = WORDS[random.random_range(0..WORDS.len())];
            bytes.splice(at..short, word.bytes());
        }
        5 => {
            let word = WORDS[random.random_range(0..WORDS.len())];
            bytes.splice(at..at, word.bytes());
        }
        6 => {
            let other = &corpus[random.random_range(0..corpus.len())];
            let from = random.random_range(0..=other.len());
            bytes.splice(at.., other[from..].iter().copied());
        }
        7 => {
            let line = vec![b'x'; random.random_range(1_000..1_100)];
            bytes.splice(at..at, line);
        }
        _ => {
            let mut noise = vec![0; random.random_range(0..20)];
            random.fill_bytes(&mut noise);
            bytes.splice(at..at, noise);
        }
    }
}

/// The session with this number: one of the corpus with up to six changes, or nothing but noise.
fn session(number: u64, corpus: &[Vec<u8>]) -> (Vec<u8>, ChaCha8Rng) {
    let mut random = ChaCha8Rng::seed_from_u64(number);
    if number.is_multiple_of(20) {
        return (noise(number, random.random_range(0..3_000)), random);
    }
    let mut bytes = corpus[random.random_range(0..corpus.len())].clone();
    for _ in 0..random.random_range(1..=6) {
        mutate(&mut bytes, corpus, &mut random);
    }
    (bytes, random)
}

/// Says which session it is, if it panics.
struct Named(u64);

impl Drop for Named {
    #[expect(clippy::print_stderr, reason = "for a failing test")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("in session {}", self.0);
        }
    }
}

/// What a fuzzer has found: the cuts, and what came.
const FOUND: &[(&[u8], &[u8])] = &[
    // A line that is not UTF-8, right behind the go-ahead of an upload (R6).
    (&[3], b"ERROR x\nok\nok\n\xff\n"),
    // Two refusals at once in place of the go-ahead's payload.
    (&[3], b"ERROR x\nok\nok\nERROR storage x\nERROR bad-id x\n"),
];

#[test]
fn what_was_found_stays_mended() {
    for (cuts, bytes) in FOUND {
        bodies::cut_sessions(bytes, cuts);
    }
    let too_long = [&b"ERROR x\nok\nok\n"[..], &[b'x'; 2_000]].concat();
    bodies::cut_sessions(&too_long, &[3]);
}

#[test]
fn ten_thousand_sessions_are_answered_alike_however_they_are_cut() {
    let corpus = corpus();
    let mut stored = 0;
    for number in 0..IN_PROCESS {
        let _named = Named(number);
        let (bytes, mut random) = session(number, &corpus);
        let mut cuts = vec![0; random.random_range(1..8)];
        random.fill_bytes(&mut cuts);
        bodies::read_as_lines(&bytes);
        bodies::cut_sessions(&bytes, &cuts);
        stored += bodies::serve(&bytes, &cuts).1.len();
    }
    assert!(stored > 500, "only {stored} uploads got through: what is tried is too wild");
}

#[test]
fn the_server_outlives_hundreds_of_mad_sessions() {
    let (corpus, dir) = (corpus(), tempfile::tempdir().unwrap());
    let serve = Serve::start(dir.path(), &["--timeout", "5"]);
    for number in 0..ON_SOCKETS {
        let _named = Named(number);
        let (bytes, _) = session(number, &corpus);
        let mut raw = Raw::connect(&serve.address);
        // Either may fail: a server that has heard enough leaves.
        let _ = raw.send(&bytes);
        raw.finish_if_open();
        let _ = raw.rest();
    }
    let mut raw = Raw::connect(&serve.address);
    let content = noise(1, 500_000);
    let id = raw.put("sane", &content).unwrap();
    assert_eq!(id, md5(&content).to_string());
    assert!(raw.get(&id).unwrap().unwrap() == content);
    for entry in raw.list().unwrap() {
        let stored = raw.get(&entry.id.to_string()).unwrap().unwrap();
        assert_eq!((md5(&stored), stored.len() as u64), (entry.id, entry.size), "{entry}");
    }
    assert_eq!(super::arriving(dir.path()), [""; 0]);
    drop(raw);
    serve.stop();
}
