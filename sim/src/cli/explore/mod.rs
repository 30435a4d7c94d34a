//! Faults that nobody wrote: every single one of an exchange, whole scenarios by chance, and the smallest that show the same.

pub(super) mod shrink;
pub(super) mod swarm;
pub(super) mod sweep;

use std::io::IsTerminal;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::available_parallelism;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::Instant;

use super::signals;

/// More threads than this only take memory.
const MOST_JOBS: NonZero<usize> = NonZero::new(256).expect("it is not zero");

/// How many runs are carried out at once.
fn jobs(asked: Option<NonZero<usize>>) -> NonZero<usize> {
    asked.or_else(|| available_parallelism().ok()).map_or(NonZero::<usize>::MIN, |jobs| jobs.min(MOST_JOBS))
}

/// When to stop before the end.
pub(super) struct Stop {
    interrupted: Arc<AtomicBool>,
    until: Option<Instant>,
}

impl Stop {
    pub(super) fn new(budget: Option<Duration>) -> Self {
        let interrupted = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&interrupted);
        signals::on_first(move || flag.store(true, Ordering::Relaxed));
        Self { interrupted, until: budget.map(|budget| Instant::now() + budget) }
    }

    pub(super) fn was_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    pub(super) fn is_due(&self) -> bool {
        self.was_interrupted() || self.until.is_some_and(|until| Instant::now() >= until)
    }
}

/// A panic in a run is a finding, which is told with its replay line; its backtrace would only hide the report.
pub(super) fn quiet_panics() {
    std::panic::set_hook(Box::new(|_| {}));
}

pub(super) fn bar(total: u64, quiet: bool) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let template = "{bar:30} {human_pos}/{human_len} runs, {per_sec}, {eta} left {msg}";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total).with_style(style)
}
