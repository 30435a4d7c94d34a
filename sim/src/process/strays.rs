//! Processes that left the group of the program that started them, as daemons do. They are known by a mark in their
//! environment, which they have from it: on Linux, where the environments of others can be read.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// The variable that carries the mark.
const NAME: &str = "SIM_STARTED_AS";

/// The mark of one program and of all that it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark(String);

impl Mark {
    /// One that there is no second of.
    pub(super) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(format!("{:016x}-{number}", RandomState::new().hash_one(number)))
    }

    /// The variable to start the program with, name and value.
    pub(super) fn variable(&self) -> (&str, &str) {
        (NAME, &self.0)
    }

    /// Sends a signal to all that have the mark: an end if `now`, else the wish for one. Returns how many there are.
    #[cfg(target_os = "linux")]
    pub(super) fn signal(&self, now: bool) -> usize {
        let Ok(processes) = std::fs::read_dir("/proc") else { return 0 };
        let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        ids.filter(|id| self.signal_one(*id, now).is_some()).count()
    }

    /// Elsewhere nobody tells.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn signal(&self, _now: bool) -> usize {
        0
    }

    #[cfg(target_os = "linux")]
    fn signal_one(&self, id: i32, now: bool) -> Option<()> {
        use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
        // Held before its environment is read: the number may be another's the next moment.
        let process = pidfd_open(Pid::from_raw(id)?, PidfdFlags::empty()).ok()?;
        let environment = std::fs::read(format!("/proc/{id}/environ")).ok()?;
        let wanted = format!("{NAME}={}", self.0);
        environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes()).then_some(())?;
        pidfd_send_signal(process, if now { Signal::KILL } else { Signal::TERM }).ok()
    }
}
