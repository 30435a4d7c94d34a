//! Servers that are killed at any moment: whatever they list afterwards is whole, and what they acknowledged is listed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;

use protocol::FileId;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::program::{Program, Serve};
use super::raw::Raw;
use super::{PATIENCE, arriving, md5, noise};

/// How many clients upload at the same time.
const CLIENTS: u64 = 3;
/// How many files each of them has.
const FILES: u64 = 3;
/// The sizes of files: none, one piece, many, and more than what is synchronised at a stroke.
const SIZES: [usize; 6] = [0, 1, 1_000, 65_536, 300_000, 3_000_000];
/// After how many kills the server gets an empty directory: everything that is there is looked at after each.
const FRESH_AFTER: u64 = 10;

/// A file that is uploaded.
#[derive(Clone)]
struct File {
    name: String,
    content: Vec<u8>,
    id: FileId,
}

/// What a client sends in a round.
fn files(round: u64, client: u64, random: &mut ChaCha8Rng) -> Vec<File> {
    let file = |index| {
        let size = SIZES[random.random_range(0..SIZES.len())];
        let content = noise(round * 100 + client * 10 + index, size);
        File { name: format!("{round}-{client}-{index}"), id: md5(&content), content }
    };
    (0..FILES).map(file).collect()
}

/// Counts what all clients have sent, and gives the alarm at a certain byte, or when a certain number of files is out
/// whole: the moments between the last byte and the hash are few among all bytes, and the most delicate.
#[derive(Clone)]
struct Fuse {
    counted: Arc<AtomicU64>,
    counts_files: bool,
    at: u64,
    alarm: Sender<()>,
}

impl Fuse {
    /// A fuse for these files.
    fn new(plans: &[Vec<File>], random: &mut ChaCha8Rng, alarm: Sender<()>) -> Self {
        let counts_files = random.random();
        let files = plans.iter().flatten();
        let all: u64 = if counts_files {
            files.count() as u64
        } else {
            files.map(|file| file.content.len() as u64).sum()
        };
        Self { counted: Arc::default(), counts_files, at: random.random_range(0..all.max(1)), alarm }
    }

    /// So many more bytes are on their way.
    fn sent(&self, bytes: usize) {
        if !self.counts_files {
            self.burn(bytes as u64);
        }
    }

    /// All of a file is.
    fn sent_file(&self) {
        if self.counts_files {
            self.burn(1);
        }
    }

    fn burn(&self, count: u64) {
        let before = self.counted.fetch_add(count, Ordering::Relaxed);
        if before <= self.at && self.at < before + count {
            // An error means that the server is dead already.
            let _ = self.alarm.send(());
        }
    }
}

/// Uploads until the server is gone, and says which files were acknowledged.
fn upload(mut raw: Raw, files: &[File], fuse: &Fuse) -> Vec<File> {
    const PIECE: usize = 50_000;
    let mut acknowledged = Vec::new();
    for file in files {
        let mut go = || {
            raw.announce(&file.name, file.content.len())?;
            for piece in file.content.chunks(PIECE) {
                raw.send(piece)?;
                fuse.sent(piece.len());
            }
            fuse.sent_file();
            raw.line()
        };
        match go() {
            Ok(reply) => {
                assert_eq!(reply, file.id.to_string());
                acknowledged.push(file.clone());
            }
            Err(_) => break,
        }
    }
    acknowledged
}

/// Everything that this directory's server has ever been sent, and what of it was acknowledged.
#[derive(Default)]
struct Known {
    sent: BTreeMap<String, File>,
    acknowledged: Vec<File>,
}

/// Starts a server, lets clients upload, and kills it in the midst.
fn round(seed: u64, round: u64, dir: &Path, known: &mut Known) {
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ (round << 32));
    let plans: Vec<Vec<File>> = (0..CLIENTS).map(|client| files(round, client, &mut random)).collect();
    let (alarm, raised) = channel();
    let fuse = Fuse::new(&plans, &mut random, alarm);
    let mut serve = Serve::start(dir, &["--quiet"]);
    thread::scope(|scope| {
        // All are connected before the first byte: it can be the one that blows the fuse.
        let raws: Vec<Raw> = plans.iter().map(|_| Raw::connect(&serve.address)).collect();
        let mut clients = Vec::new();
        for (raw, plan) in raws.into_iter().zip(&plans) {
            let fuse = fuse.clone();
            clients.push(scope.spawn(move || upload(raw, plan, &fuse)));
        }
        // Files that are all empty have no byte at which to strike.
        drop(fuse);
        assert_ne!(
            raised.recv_timeout(PATIENCE),
            Err(RecvTimeoutError::Timeout),
            "seed {seed}, kill {round}"
        );
        serve.kill();
        for client in clients {
            known.acknowledged.extend(client.join().unwrap());
        }
    });
    known.sent.extend(plans.into_iter().flatten().map(|file| (file.name.clone(), file)));
}

/// Starts a server anew, and holds what it has against what is known.
fn inspect(dir: &Path, known: &Known, say: &str) {
    let serve = Serve::start(dir, &["--quiet"]);
    assert_eq!(arriving(dir), [""; 0], "{say}: what never arrived is swept up");
    let mut raw = Raw::connect(&serve.address);
    let listed = raw.list().unwrap();
    for entry in &listed {
        let file = &known.sent[entry.name.as_str()];
        assert_eq!((entry.id, entry.size), (file.id, file.content.len() as u64), "{say}: {}", file.name);
        let content = raw.get(&entry.id.to_string()).unwrap().unwrap();
        assert!(content == file.content, "{say}: {} is damaged", file.name);
    }
    for file in &known.acknowledged {
        let is_there = listed.iter().any(|entry| entry.name.as_str() == file.name);
        assert!(is_there, "{say}: {} was acknowledged and is lost", file.name);
    }
    drop(raw);
    serve.stop();
}

fn kill_at_random(seed: u64, kills: u64) {
    let (mut dir, mut known) = (tempfile::tempdir().unwrap(), Known::default());
    let mut acknowledged = 0;
    for number in 0..kills {
        if number % FRESH_AFTER == 0 {
            (dir, known) = (tempfile::tempdir().unwrap(), Known::default());
        }
        let before = known.acknowledged.len();
        round(seed, number, dir.path(), &mut known);
        acknowledged += known.acknowledged.len() - before;
        inspect(dir.path(), &known, &format!("seed {seed}, kill {number}"));
    }
    // A test in which nothing or everything arrives proves nothing.
    let all = kills * CLIENTS * FILES;
    assert!(acknowledged > 0 && (acknowledged as u64) < all, "{acknowledged} of {all} arrived");
}

#[test]
fn a_killed_server_lists_whole_files_and_all_that_it_acknowledged() {
    kill_at_random(1, 20);
}

#[test]
#[ignore = "200 kills: about a minute"]
fn a_server_killed_200_times_loses_nothing() {
    kill_at_random(2, 200);
}

#[test]
fn what_put_called_a_success_survives_the_server() {
    let (dir, here) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let paths = [("first", 1_000), ("second", 30_000_000)].map(|(name, size)| {
        let path = here.path().join(name);
        fs::write(&path, noise(3, size)).unwrap();
        path.to_str().unwrap().to_owned()
    });
    let mut serve = Serve::start(dir.path(), &[]);
    let mut put = Program::sim(&["put", &serve.address, &paths[0], &paths[1]]);
    let line = put.line();
    assert!(line.starts_with("Success  first"), "{line}");
    serve.kill();
    let ended = put.end();
    // The second one may have made it, too: then there was nobody to say goodbye to.
    let second = ended.out.contains("Success  second");
    assert!(ended.code == Some(4) || second, "{ended:?}");

    let serve = Serve::start(dir.path(), &[]);
    let names: Vec<_> = Raw::connect(&serve.address).list().unwrap();
    let names: Vec<_> = names.iter().map(|entry| entry.name.as_str()).collect();
    assert!(names.contains(&"first") && (names.contains(&"second") || !second), "{names:?}");
    serve.stop();
}
