//! The built program with real sockets, files and signals: servers that are killed, crowded, starved and lied to, and
//! clients whose server is this test. One binary, so that it links once.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail there")]

mod crash;
mod crowd;
mod errands;
mod fake;
mod fuzzed;
mod limits;
mod names;
mod patience;
mod program;
mod raw;
mod refusals;
mod stop;
mod wire;

use std::path::Path;
use std::time::Duration;

use faults::Content;
use protocol::FileId;
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};
use transfer::endpoint::md5_of;

use program::{Ended, Program};

/// How long anything may take before its test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// So many bytes of noise, the same for the same seed.
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    ChaCha8Rng::seed_from_u64(seed).fill_bytes(&mut bytes);
    bytes
}

fn md5(bytes: &[u8]) -> FileId {
    md5_of(&Content::Memory(bytes.into())).unwrap()
}

/// Runs `sim` with these arguments until it ends by itself.
fn sim(args: &[&str]) -> Ended {
    Program::sim(args).end()
}

/// The names in a directory, sorted.
fn names_in(dir: &Path) -> Vec<String> {
    let names = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// What a server's directory holds of files that have not arrived whole.
fn arriving(store: &Path) -> Vec<String> {
    names_in(&store.join(".incoming"))
}
