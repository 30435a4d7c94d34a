//! Processes that left the group of the program that started them, as daemons do. They are known by a mark in their
//! environment, which they have from it: on Linux, where the environments of others can be read. Those that clear their
//! environment become children of this process, if it wants them, when their own parents end.

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

/// Lets whatever was started by programs of this process become its child when its parent ends, from now on (Linux). Then
/// [`end_orphans`] finds it.
pub fn adopt_orphans() {
    // Where that is not to be had, marks have to do.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
}

/// Ends all children of this process that it did not start, and theirs. Programs that run stay.
#[cfg(target_os = "linux")]
pub fn end_orphans() {
    use rustix::process::{Pid, Signal, kill_process};
    // The children of those that are ended show themselves the next time.
    for _ in 0..super::SWEEPS {
        let orphans: Vec<i32> = children().into_iter().filter(|id| !super::runs(*id)).collect();
        if orphans.is_empty() {
            return;
        }
        // A child of ours keeps its number until we have taken notice of its end.
        orphans.into_iter().filter_map(Pid::from_raw).for_each(|id| {
            let _ = kill_process(id, Signal::KILL);
        });
    }
}

/// Elsewhere nobody is adopted.
#[cfg(not(target_os = "linux"))]
pub fn end_orphans() {}

/// The children of this process that have not ended.
#[cfg(target_os = "linux")]
fn children() -> Vec<i32> {
    let own = std::process::id().to_string();
    let processes = std::fs::read_dir("/proc").into_iter().flatten();
    let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    // Behind the name, which may hold anything, come the state and the parent (proc(5), /proc/PID/stat).
    let is_ours = |id: &i32| {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let mut fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
        !matches!(fields.next(), None | Some("Z" | "X")) && fields.next() == Some(&own)
    };
    ids.filter(is_ours).collect()
}
