//! Processes that left the group of the program that started them, as daemons do. They are known by a mark in their
//! environment, which they have from it: on Linux, where the environments of others can be read. To become the parent of
//! all that is orphaned here would find those that clear their environment, too; but then whoever waits for a group takes
//! notice of the end of processes that others wait for.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// How many ancestors of a process are looked at.
#[cfg(target_os = "linux")]
const MAX_ANCESTORS: usize = 64;
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
        processes().filter(|id| self.signal_one(*id, now).is_some()).count()
    }

    /// Elsewhere nobody tells.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn signal(&self, _now: bool) -> usize {
        0
    }

    /// Whether a process that runs has it.
    #[cfg(target_os = "linux")]
    pub(super) fn is_borne(&self) -> bool {
        processes().any(|id| self.is_on(id))
    }

    /// Elsewhere nobody tells, so that it may be.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn is_borne(&self) -> bool {
        true
    }

    /// Whether a process has it.
    #[cfg(target_os = "linux")]
    fn is_on(&self, id: i32) -> bool {
        let Ok(environment) = std::fs::read(format!("/proc/{id}/environ")) else { return false };
        let wanted = format!("{NAME}={}", self.0);
        environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
    }

    /// Whether a socket is known to be held by processes that have nothing to do with the one that was started as
    /// `program`: neither the mark nor this process for an ancestor.
    #[cfg(target_os = "linux")]
    pub(super) fn is_strangers(&self, program: u32, inode: u64) -> bool {
        let program = i32::try_from(program).unwrap_or_default();
        if holds(program, inode) {
            return false;
        }
        let mut holders = processes().filter(|id| holds(*id, inode)).peekable();
        holders.peek().is_some() && holders.all(|id| !self.is_on(id) && !descends(id))
    }

    /// Elsewhere nobody can tell whose a socket is.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn is_strangers(&self, _program: u32, _inode: u64) -> bool {
        false
    }

    #[cfg(target_os = "linux")]
    fn signal_one(&self, id: i32, now: bool) -> Option<()> {
        use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
        // Held before its environment is read: the number may be another's the next moment.
        let process = pidfd_open(Pid::from_raw(id)?, PidfdFlags::empty()).ok()?;
        self.is_on(id).then_some(())?;
        pidfd_send_signal(process, if now { Signal::KILL } else { Signal::TERM }).ok()
    }
}

#[cfg(target_os = "linux")]
fn own() -> i32 {
    i32::try_from(std::process::id()).unwrap_or_default()
}

/// All processes.
#[cfg(target_os = "linux")]
fn processes() -> impl Iterator<Item = i32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten();
    processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// The parent of a process that has not ended. Behind the name, which may hold anything, come the state and the parent
/// (proc(5), /proc/PID/stat).
#[cfg(target_os = "linux")]
fn parent(id: i32) -> Option<i32> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    if matches!(fields.next()?, "Z" | "X") { None } else { fields.next()?.parse().ok() }
}

/// Whether this process is an ancestor of another.
#[cfg(target_os = "linux")]
fn descends(id: i32) -> bool {
    std::iter::successors(Some(id), |id| parent(*id)).take(MAX_ANCESTORS).any(|id| id == own())
}

/// Whether a process has a socket open.
#[cfg(target_os = "linux")]
fn holds(id: i32, inode: u64) -> bool {
    let wanted = format!("socket:[{inode}]");
    let files = std::fs::read_dir(format!("/proc/{id}/fd")).into_iter().flatten().filter_map(Result::ok);
    let mut links = files.filter_map(|file| std::fs::read_link(file.path()).ok());
    links.any(|link| link.as_os_str() == wanted.as_str())
}
