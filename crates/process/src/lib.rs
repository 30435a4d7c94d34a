//! Programs that are not ours: started in a directory and a process group of their own, with their output
//! captured up to a limit, and ended together with everything that they started. It knows no protocol and
//! judges nothing.

mod output;
mod ready;
mod server;
mod shell;
mod strays;
mod template;
mod words;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{PathBuf, is_separator};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use process_wrap::std::{ChildWrapper, CommandWrap};
use regex::Regex;
use std::time::Instant;

use output::{Cursor, Output};
pub use output::{Line, MAX_OUTPUT};
pub use ready::{HOST, NotReady, Ready, free_port};
pub use server::{ServerLaunch, ServerStartError, StartedServer};
use strays::Mark;
pub use template::{Placeholder, Template, TemplateError, Values};
pub use words::{last_line, last_lines};

/// How often a running program is looked at.
const TICK: Duration = Duration::from_millis(5);
/// How long after the end of a program its last output is waited for.
const LAST_OUTPUT: Duration = Duration::from_millis(500);
/// How often it is looked for processes that left their group, at most.
const SWEEPS: usize = 16;
/// SIGTERM, the same number on every Unix.
#[cfg(unix)]
const TERMINATE: i32 = 15;

/// Every program that runs, so that an interruption can end them all.
static RUNNING: Mutex<BTreeMap<u32, Shared>> = Mutex::new(BTreeMap::new());
/// Whether no program is started any more: one that came between the end of all others and ours would be left behind.
static CLOSED: AtomicBool = AtomicBool::new(false);

/// A program, and the mark of all that it started.
type Shared = Arc<(Mutex<Box<dyn ChildWrapper>>, Mark)>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is to be started, and how.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The program: a path, or a name that is looked up in `PATH`.
    pub program: OsString,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Its working directory.
    pub dir: PathBuf,
    /// What is added to this process's environment for it.
    pub env: Vec<(OsString, OsString)>,
    /// Lines of its output that match one of these, which [`Regex::new`] made, are kept even if it puts out more than
    /// [`MAX_OUTPUT`].
    pub keep: Vec<Regex>,
}

/// Why a program could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its name is that of no program that the system knows.
    #[error("`{}` cannot be started: there is no such program in PATH", .0.display())]
    Unknown(OsString),
    /// The system does not start it.
    #[error("`{}` cannot be started: {source}", program.display())]
    Refused {
        /// What was to be started.
        program: OsString,
        /// What the system says.
        source: io::Error,
    },
    /// An interruption has ended all programs.
    #[error("no program is started any more")]
    Closed,
}

impl From<StartError> for io::Error {
    fn from(error: StartError) -> Self {
        let kind = match &error {
            StartError::Unknown(_) => io::ErrorKind::NotFound,
            StartError::Refused { source, .. } => source.kind(),
            StartError::Closed => io::ErrorKind::Interrupted,
        };
        Self::new(kind, error)
    }
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndKind {
    /// By itself, with this exit code.
    Exited(i32),
    /// By this signal, which was not ours.
    Signalled(i32),
    /// Not by itself: its time was up, and it was ended.
    Hung,
}

/// A program that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramEnd {
    /// How it came to its end.
    pub how: EndKind,
    /// The lines of both its outputs, in the order in which they came.
    pub lines: Vec<Line>,
}

/// A program that runs. Dropping it ends its whole group at once.
pub struct Running {
    id: u32,
    child: Shared,
    output: Arc<Output>,
    readers: Receiver<()>,
}

impl Launch {
    /// Starts it, with nothing on its standard input.
    ///
    /// # Errors
    /// If there is no such program, or it may not be run; after [`end_all`] always.
    pub fn spawn(&self) -> Result<Running, StartError> {
        let mark = Mark::new();
        let mut wrap = CommandWrap::with_new(&self.program, |command| {
            command.args(&self.args).current_dir(&self.dir).envs(self.env.iter().cloned());
            command.env(mark.variable().0, mark.variable().1);
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        });
        #[cfg(unix)]
        wrap.wrap(process_wrap::std::ProcessGroup::leader());
        #[cfg(windows)]
        wrap.wrap(process_wrap::std::JobObject);
        let mut running = lock(&RUNNING);
        if CLOSED.load(Ordering::Relaxed) {
            return Err(StartError::Closed);
        }
        let mut child = wrap.spawn().map_err(|error| self.refusal(error))?;
        let (output, (done, readers)) = (Output::new(&self.keep), channel());
        if let Some(stream) = child.stdout().take() {
            output.read(stream, false, &done);
        }
        if let Some(stream) = child.stderr().take() {
            output.read(stream, true, &done);
        }
        let (id, child) = (child.id(), Arc::new((Mutex::new(child), mark)));
        running.insert(id, Arc::clone(&child));
        Ok(Running { id, child, output, readers })
    }

    fn refusal(&self, source: io::Error) -> StartError {
        let is_name = self.program.to_str().is_some_and(|name| !name.contains(is_separator));
        // Where the system looks for it there may be folders that this user may not enter: another error.
        match is_name && !is_installed(&self.program) {
            true => StartError::Unknown(self.program.clone()),
            false => StartError::Refused { program: self.program.clone(), source },
        }
    }
}

impl Running {
    /// Its process id, which is also that of its group.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// What it has put out so far.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        self.output.lines()
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// If the system cannot say.
    pub fn poll(&mut self) -> io::Result<Option<EndKind>> {
        Ok(lock(&self.child.0).try_wait()?.map(how))
    }

    /// Waits until it has put out a line for which `is_it` holds, `limit` at most, and returns that line.
    pub fn wait_for_line(&self, limit: Duration, is_it: impl Fn(&Line) -> bool) -> Option<Line> {
        let (deadline, mut seen) = (Instant::now() + limit, Cursor::default());
        loop {
            let left = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
            // Looked at in between, too: a program that has ended puts nothing out any more.
            if let Some(line) = self.output.find_or_wait(&mut seen, left.min(LAST_OUTPUT), &is_it) {
                return Some(line);
            }
        }
    }

    /// Waits until it has ended, `limit` at most; then ends it, and in any case all that it started and left
    /// behind. It is asked first (SIGTERM) and has `grace` to follow.
    ///
    /// # Errors
    /// If the system cannot say how it ended.
    pub fn wait(mut self, limit: Duration, grace: Duration) -> io::Result<ProgramEnd> {
        let ended = self.wait_until(limit)?;
        // Of one that has ended by itself the children that have left its group may still be there.
        if ended.is_none() || self.child.1.signal(false) > 0 {
            self.ask();
            self.wait_until_gone(grace)?;
        }
        self.end();
        // One that cannot be ended may hold the pipe open, and is not waited for. Nothing is ever sent here.
        let _ = self.readers.recv_timeout(LAST_OUTPUT);
        Ok(ProgramEnd { how: ended.unwrap_or(EndKind::Hung), lines: self.lines() })
    }

    /// Waits until it and all that it started have ended, `limit` at most.
    fn wait_until_gone(&mut self, limit: Duration) -> io::Result<()> {
        let deadline = Instant::now() + limit;
        self.wait_until(limit)?;
        while self.child.1.signal(false) > 0 && Instant::now() < deadline {
            thread::sleep(TICK);
        }
        Ok(())
    }

    /// Whether somebody may still put something out: it, or what it started.
    fn is_output_open(&self) -> bool {
        matches!(self.readers.try_recv(), Err(TryRecvError::Empty))
    }

    fn wait_until(&mut self, limit: Duration) -> io::Result<Option<EndKind>> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(how) = self.poll()? {
                return Ok(Some(how));
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            thread::sleep(TICK);
        }
    }

    /// Asks it and all that it started to end.
    fn ask(&self) {
        ask(&self.child);
    }

    fn end(&self) {
        end(&self.child);
        lock(&RUNNING).remove(&self.id);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

/// Asks a whole group to end, and whatever left it.
fn ask(child: &Shared) {
    // An error means that nobody is left.
    #[cfg(unix)]
    let _ = lock(&child.0).signal(TERMINATE);
    child.1.signal(false);
}

/// Ends a whole group, and whatever left it. The leader is taken off the system's list; an error means that nobody is
/// left.
fn end(child: &Shared) {
    let (group, mark) = &**child;
    {
        let mut group = lock(group);
        let _ = group.start_kill();
        let _ = group.wait();
    }
    // Those that are being started at this moment show themselves the next.
    (0..SWEEPS).take_while(|_| mark.signal(true) > 0).for_each(drop);
}

/// Ends every program that runs, with everything that it started, and starts no more: for an interruption. They are
/// asked first (SIGTERM) and have `grace` to follow.
pub fn end_all(grace: Duration) {
    let running: Vec<Shared> = {
        let running = lock(&RUNNING);
        CLOSED.store(true, Ordering::Relaxed);
        running.values().cloned().collect()
    };
    running.iter().for_each(ask);
    let deadline = Instant::now() + grace;
    let has_ended = |child: &Shared| !matches!(lock(&child.0).try_wait(), Ok(None));
    while !running.iter().all(has_ended) && Instant::now() < deadline {
        thread::sleep(TICK);
    }
    running.iter().for_each(end);
}

/// Whether [`end_all`] was called.
#[must_use]
pub fn is_closed() -> bool {
    CLOSED.load(Ordering::Relaxed)
}

#[cfg(unix)]
fn how(status: ExitStatus) -> EndKind {
    use std::os::unix::process::ExitStatusExt;
    status.signal().map_or_else(|| EndKind::Exited(status.code().unwrap_or_default()), EndKind::Signalled)
}

#[cfg(not(unix))]
fn how(status: ExitStatus) -> EndKind {
    EndKind::Exited(status.code().unwrap_or_default())
}

/// Whether there is such a program, as a path or where the system looks for programs.
#[must_use]
pub fn is_installed(program: impl AsRef<OsStr>) -> bool {
    which::which(program).is_ok()
}
