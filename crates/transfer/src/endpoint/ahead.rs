//! MD5 on a thread of its own, so that a transfer reads and writes while it hashes. The bytes are copied to that
//! thread, which costs a small part of what hashing them does.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle, available_parallelism};

use md5::{Digest, Md5};

/// How many bytes go to the thread at a time. Less would wake it too often, more would fall out of the cache.
const BATCH: usize = 128 * 1024;
/// How many batches wait for it at most, so that its memory is bounded.
const WAITING: usize = 4;
/// All the thread needs: it calls one function that calls nothing deep.
const STACK: usize = 64 * 1024;

/// How many files are hashed on threads of their own at once. Clones share the threads.
#[derive(Clone, Debug)]
pub struct HashThreads {
    limit: usize,
    taken: Arc<AtomicUsize>,
}

impl HashThreads {
    /// At most so many.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, taken: Arc::default() }
    }

    /// As many as the machine has cores besides the one that reads and writes. To pass the bytes on costs about 3 % more
    /// processor time (measured with both ends on two cores), and the transfer no longer waits for the hash between
    /// two reads.
    #[must_use]
    pub fn spare() -> Self {
        Self::new(available_parallelism().map_or(1, NonZero::get).saturating_sub(1))
    }

    fn take(&self) -> Option<ThreadSlot> {
        let taken = self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| {
            (taken < self.limit).then_some(taken + 1)
        });
        taken.ok().map(|_| ThreadSlot(Arc::clone(&self.taken)))
    }
}

/// A hash that is computed on another thread.
#[derive(Debug)]
pub(super) struct HashThread {
    batch: Vec<u8>,
    batches: SyncSender<Vec<u8>>,
    /// Batches that have been hashed, to be filled again.
    empty: Receiver<Vec<u8>>,
    thread: JoinHandle<Md5>,
    _place: ThreadSlot,
}

impl HashThread {
    /// Goes on with `md5` on one of `threads`, if one is free.
    pub(super) fn start(md5: &Md5, threads: &HashThreads) -> Option<Self> {
        let place = threads.take()?;
        let (batches, arriving) = sync_channel::<Vec<u8>>(WAITING);
        let (done, empty) = sync_channel(WAITING + 2);
        let mut md5 = md5.clone();
        let thread = thread::Builder::new().name("md5".into()).stack_size(STACK).spawn(move || {
            for mut batch in arriving {
                md5.update(&batch);
                batch.clear();
                // If nobody wants it any more, it is dropped.
                let _ = done.try_send(batch);
            }
            md5
        });
        let batch = Vec::with_capacity(BATCH);
        Some(Self { batch, batches, empty, thread: thread.ok()?, _place: place })
    }

    /// Takes the next bytes. Waits while too many are before them.
    pub(super) fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BATCH - self.batch.len()));
            self.batch.extend_from_slice(now);
            bytes = later;
            if self.batch.len() == BATCH {
                let next = self.empty.try_recv().unwrap_or_else(|_| Vec::with_capacity(BATCH));
                // The thread takes batches until this end is dropped.
                let _ = self.batches.send(std::mem::replace(&mut self.batch, next));
            }
        }
    }

    /// Waits until everything is hashed.
    pub(super) fn finish(self) -> Md5 {
        let Self { batch, batches, thread, .. } = self;
        let _ = batches.send(batch);
        drop(batches);
        // A wrong digest would be worse than a panic.
        thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}

/// One of the threads that there may be.
#[derive(Debug)]
struct ThreadSlot(Arc<AtomicUsize>);

impl Drop for ThreadSlot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
