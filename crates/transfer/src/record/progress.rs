//! How far the current transfer is, for a progress bar. Only counters: nothing here draws or reads a clock.

use std::sync::atomic::{AtomicU64, Ordering};

use faults::Direction;

/// Counters that a transfer updates while another thread watches.
#[derive(Debug, Default)]
pub struct Progress {
    /// Twice the number of the transfer, plus one for a download: changes whenever a transfer begins.
    transfer: AtomicU64,
    done: AtomicU64,
    total: AtomicU64,
}

impl Progress {
    /// A transfer of `total` bytes begins.
    pub fn begin(&self, direction: Direction, total: u64) {
        let number = self.transfer.load(Ordering::Relaxed) / 2 + 1;
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
        self.transfer.store(number * 2 + u64::from(direction == Direction::Download), Ordering::Relaxed);
    }

    /// `count` more bytes have passed.
    pub fn advance(&self, count: u64) {
        self.done.fetch_add(count, Ordering::Relaxed);
    }

    /// The transfer under way: its number from 1, its direction, bytes done, bytes in all. `None` before the first.
    #[must_use]
    pub fn current(&self) -> Option<(u64, Direction, u64, u64)> {
        let transfer = self.transfer.load(Ordering::Relaxed);
        let direction = if transfer % 2 == 1 { Direction::Download } else { Direction::Upload };
        let (done, total) = (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed));
        (transfer >= 2).then_some((transfer / 2, direction, done, total))
    }
}
