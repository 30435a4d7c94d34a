//! What happens on Ctrl-C, and on SIGTERM and SIGHUP where there are such.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long programs have to end that are asked to.
const GRACE: Duration = Duration::from_millis(500);

/// How long after the first signal others are taken for the same one.
const SAME: Duration = Duration::from_secs(2);

/// Ends the programs that were started on the first signal, and lets none be started any more: whatever waits for them
/// comes to its own end soon, and cleans up behind itself.
pub(super) fn end_programs() {
    let first = Mutex::new(None);
    // Without a handler the program ends at the first signal, as it would have.
    let _ = ctrlc::set_handler(move || {
        let first = *first.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(Instant::now);
        // `timeout` sends a signal to the program and to its group: that is one wish.
        if first.elapsed() > SAME {
            std::process::exit(super::INTERRUPTED.into());
        }
        process::end_all(GRACE);
    });
}

/// Calls `first` on the first signal. The second ends the program at once: whoever sends it does not want to wait.
pub(super) fn on_first(first: impl Fn() + Send + 'static) {
    let again = AtomicBool::new(false);
    // Without a handler the program ends at the first signal, as it would have.
    let _ = ctrlc::set_handler(move || {
        if again.swap(true, Ordering::Relaxed) {
            std::process::exit(super::INTERRUPTED.into());
        }
        first();
    });
}
