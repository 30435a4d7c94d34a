//! What happens on Ctrl-C, and on SIGTERM and SIGHUP where there are such.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long programs have to end that are asked to.
const GRACE: Duration = Duration::from_millis(500);

/// Ends the programs that were started on the first signal, and lets none be started any more: whatever waits for them
/// comes to its own end soon, and cleans up behind itself. Nothing of theirs is left when the guard is dropped.
pub(super) fn end_programs() -> Guard {
    on_first(|| sim::process::end_all(GRACE));
    sim::process::adopt_orphans();
    Guard
}

/// While it is kept, programs are started.
pub(super) struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        sim::process::end_orphans();
    }
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
