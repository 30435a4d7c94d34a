//! Numbered runs on several threads. They share nothing, so that who carries one out makes no difference, and what came of
//! them is handed on in the order of their numbers.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZero;
use std::ops::Range;
use std::panic::resume_unwind;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use thiserror::Error;

/// How many shares there can be.
pub const MOST_SHARDS: u64 = 1_000_000;
/// How many runs a thread takes at a time.
const CHUNK: u64 = 64;

/// A share of all runs: of each `of`, the one with this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which, from 1 to `of`.
    pub number: u64,
    /// Of how many.
    pub of: u64,
}

impl Default for Shard {
    fn default() -> Self {
        Self { number: 1, of: 1 }
    }
}

impl Shard {
    /// How many of `total` runs are its own.
    #[must_use]
    pub const fn share(self, total: u64) -> u64 {
        if self.number > total { 0 } else { (total - self.number) / self.of + 1 }
    }

    /// The number, from 0, of its run that is `nth`, from 0, of its own.
    #[must_use]
    pub const fn run(self, nth: u64) -> u64 {
        nth * self.of + self.number - 1
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

/// What is no shard.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "a shard is written NUMBER/OF, say 3/16: the number from 1 to how many there are, {MOST_SHARDS} at most"
)]
pub struct NoShard;

impl FromStr for Shard {
    type Err = NoShard;

    fn from_str(text: &str) -> Result<Self, NoShard> {
        let (number, of) = text.split_once('/').ok_or(NoShard)?;
        let parse = |text: &str| text.trim().parse::<u64>().map_err(|_| NoShard);
        let shard = Self { number: parse(number)?, of: parse(of)? };
        if (1..=shard.of).contains(&shard.number) && shard.of <= MOST_SHARDS {
            Ok(shard)
        } else {
            Err(NoShard)
        }
    }
}

/// Carries out the runs of `range` on as many threads as there are `jobs`, each with what `make` gives it, until `stop` says
/// so. `each` is told of every run in their order. Returns the number behind the last run that was carried out.
///
/// # Errors
/// The first error of `make`.
pub fn walk<R: Send, E: Send, W: FnMut(u64) -> R>(
    jobs: NonZero<usize>,
    range: Range<u64>,
    stop: &(dyn Fn() -> bool + Sync),
    make: impl Fn() -> Result<W, E> + Sync,
    mut each: impl FnMut(u64, R),
) -> Result<u64, E> {
    let (next, failed) = (AtomicU64::new(range.start), AtomicBool::new(false));
    let (done, results) = channel::<(u64, Vec<R>)>();
    let work = |done: Sender<(u64, Vec<R>)>| -> Result<(), E> {
        let mut run = make().inspect_err(|_| failed.store(true, Ordering::Relaxed))?;
        while !failed.load(Ordering::Relaxed) && !stop() {
            let first = next.fetch_add(CHUNK, Ordering::Relaxed);
            if first >= range.end {
                break;
            }
            let chunk = first..range.end.min(first + CHUNK);
            // Nobody listens any more only if the other side panicked.
            let _ = done.send((first, chunk.map(&mut run).collect()));
        }
        Ok(())
    };
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..jobs.get())
            .map(|_| {
                let done = done.clone();
                scope.spawn(move || work(done))
            })
            .collect();
        drop(done);
        let (mut early, mut behind) = (BTreeMap::new(), range.start);
        for (first, chunk) in results {
            early.insert(first, chunk);
            while let Some(chunk) = early.remove(&behind) {
                for result in chunk {
                    each(behind, result);
                    behind += 1;
                }
            }
        }
        for thread in threads {
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))?;
        }
        Ok(behind)
    })
}
