//! Removes a run's temporary directory when the program is interrupted; a return or a panic does so anyway.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once, PoisonError};

static DIRECTORY: Mutex<Option<PathBuf>> = Mutex::new(None);
static HANDLER: Once = Once::new();

/// While this is kept, an interruption removes the directory.
pub(super) struct Guard;

/// Removes `directory` on SIGINT, SIGTERM and SIGHUP, and their like on other systems.
pub(super) fn on_signal(directory: Option<&Path>) -> Guard {
    *DIRECTORY.lock().unwrap_or_else(PoisonError::into_inner) = directory.map(Path::to_owned);
    HANDLER.call_once(|| {
        // Without a handler the program ends as it would have, and leaves the directory to the system.
        let _ = ctrlc::set_handler(|| {
            if let Some(directory) = DIRECTORY.lock().unwrap_or_else(PoisonError::into_inner).take() {
                // The run may be adding to it at this moment: once more for what it had begun.
                let _ = std::fs::remove_dir_all(&directory);
                let _ = std::fs::remove_dir_all(&directory);
            }
            std::process::exit(super::INTERRUPTED.into());
        });
    });
    Guard
}

impl Drop for Guard {
    fn drop(&mut self) {
        DIRECTORY.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
