//! Whose turn it is: one session at a time for an id, and one synchronisation of a directory for all who wait.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use protocol::FileId;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condvar.wait(guard).unwrap_or_else(PoisonError::into_inner)
}

/// The ids whose files are being changed. Other ids are never waited for.
#[derive(Debug, Default)]
pub(super) struct Ids {
    busy: Mutex<BTreeSet<FileId>>,
    freed: Condvar,
}

impl Ids {
    /// Waits until nobody changes this id, and has it until what is returned is dropped.
    pub(super) fn hold(&self, id: FileId) -> IdLock<'_> {
        let mut busy = lock(&self.busy);
        while !busy.insert(id) {
            busy = wait(&self.freed, busy);
        }
        IdLock { ids: self, id }
    }
}

/// While this is kept, nobody else changes the files of the id.
pub(super) struct IdLock<'a> {
    ids: &'a Ids,
    pub(super) id: FileId,
}

impl Drop for IdLock<'_> {
    fn drop(&mut self) {
        lock(&self.ids.busy).remove(&self.id);
        self.ids.freed.notify_all();
    }
}

/// A synchronisation that many share: it covers everybody whose change was made before it began.
#[derive(Debug, Default)]
pub(super) struct Shared {
    rounds: Mutex<Rounds>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct Rounds {
    begun: u64,
    /// The latest that succeeded.
    succeeded: u64,
    running: bool,
}

impl Shared {
    /// Returns when a synchronisation that began after this call has succeeded. Of those who wait, one carries it
    /// out with `sync` for all.
    ///
    /// # Errors
    /// Whoever carries it out gets its error; the next of those who wait then tries.
    pub(super) fn sync<E>(&self, sync: impl Fn() -> Result<(), E>) -> Result<(), E> {
        let mut rounds = lock(&self.rounds);
        // One that runs already may have looked before our change.
        let needed = rounds.begun + 1;
        while rounds.succeeded < needed {
            if rounds.running {
                rounds = wait(&self.ended, rounds);
                continue;
            }
            rounds.running = true;
            rounds.begun += 1;
            let ours = rounds.begun;
            drop(rounds);
            let result = sync();
            rounds = lock(&self.rounds);
            rounds.running = false;
            if result.is_ok() {
                rounds.succeeded = ours;
            }
            self.ended.notify_all();
            result?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// How many come while the first synchronisation runs.
    const LATE: u32 = 8;

    #[test]
    fn who_comes_late_is_not_covered_and_shares_the_next() {
        let (shared, rounds, coming) = (Shared::default(), AtomicU32::new(0), AtomicU32::new(0));
        let begun = Barrier::new(2);
        let sync = || {
            if rounds.fetch_add(1, Ordering::SeqCst) == 0 {
                begun.wait();
                while coming.load(Ordering::SeqCst) < LATE {
                    std::thread::yield_now();
                }
            }
            Ok::<(), ()>(())
        };
        std::thread::scope(|scope| {
            scope.spawn(|| shared.sync(sync));
            begun.wait();
            for _ in 0..LATE {
                scope.spawn(|| {
                    coming.fetch_add(1, Ordering::SeqCst);
                    shared.sync(sync)
                });
            }
        });
        let rounds = rounds.into_inner();
        assert!((2..=LATE).contains(&rounds), "{rounds} for {LATE} and the first");
    }

    #[test]
    fn an_error_is_passed_on_and_covers_nobody() {
        let shared = Shared::default();
        assert_eq!(shared.sync(|| Err("disk")), Err("disk"));
        assert_eq!(shared.sync(|| Err("disk")), Err("disk"));
        assert_eq!(shared.sync(|| Ok::<(), &str>(())), Ok(()));
    }

    #[test]
    fn an_id_is_held_by_one_and_others_are_not_waited_for() {
        let (ids, inside) = (Ids::default(), AtomicU32::new(0));
        let (one, other) = (FileId::from_bytes([1; 16]), FileId::from_bytes([2; 16]));
        let _other = ids.hold(other);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        let _held = ids.hold(one);
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        std::thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
    }
}
