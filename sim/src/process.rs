//! Programs that are not ours: started in a directory and a process group of their own, with their output
//! captured up to a limit, and ended together with everything that they started. It knows no protocol and
//! judges nothing.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use process_wrap::std::{ChildWrapper, CommandWrap};
use tokio::time::Instant;

/// How much of each of its two outputs is kept, in bytes. The rest is read and dropped, so that the program
/// does not stand still over it.
pub const MAX_OUTPUT: usize = 256 * 1024;
/// How long a line of output can be, in bytes; a longer one is cut into several.
const MAX_LINE: u64 = 4096;
/// How often a running program is looked at.
const TICK: Duration = Duration::from_millis(5);
/// How long after the end of a program its last output is waited for.
const LAST_OUTPUT: Duration = Duration::from_millis(500);
/// SIGTERM, the same number on every Unix.
#[cfg(unix)]
const TERMINATE: i32 = 15;

/// Every program that runs, so that an interruption can end them all.
static RUNNING: Mutex<BTreeMap<u32, Shared>> = Mutex::new(BTreeMap::new());
/// Whether no program is started any more: one that came between the end of all others and ours would be left behind.
static CLOSED: AtomicBool = AtomicBool::new(false);

type Shared = Arc<Mutex<Box<dyn ChildWrapper>>>;

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
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// By itself, with this exit code.
    Exited(i32),
    /// By this signal, which was not ours.
    Signalled(i32),
    /// Not by itself: its time was up, and it was ended.
    Hung,
}

/// A program that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How it came to its end.
    pub how: How,
    /// The lines of both its outputs, in the order in which they came.
    pub lines: Vec<Line>,
}

/// One line of output, without its line end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Whether it came over standard error.
    pub is_error: bool,
    /// The text; what is no UTF-8 is replaced.
    pub text: String,
}

/// A program that runs. Dropping it ends its whole group at once.
pub struct Running {
    id: u32,
    child: Shared,
    output: Arc<Output>,
    readers: Receiver<()>,
}

#[derive(Default)]
struct Output {
    lines: Mutex<(Vec<Line>, [usize; 2])>,
    more: Condvar,
}

impl Launch {
    /// Starts it, with nothing on its standard input.
    ///
    /// # Errors
    /// If there is no such program, or it may not be run; after [`end_all`] always.
    pub fn spawn(&self) -> io::Result<Running> {
        let mut wrap = CommandWrap::with_new(&self.program, |command| {
            command.args(&self.args).current_dir(&self.dir).envs(self.env.iter().cloned());
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        });
        #[cfg(unix)]
        wrap.wrap(process_wrap::std::ProcessGroup::leader());
        #[cfg(windows)]
        wrap.wrap(process_wrap::std::JobObject);
        let mut running = lock(&RUNNING);
        if CLOSED.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let mut child = wrap.spawn()?;
        let (output, (done, readers)) = (Arc::new(Output::default()), channel());
        if let Some(stream) = child.stdout().take() {
            read(stream, false, &output, &done);
        }
        if let Some(stream) = child.stderr().take() {
            read(stream, true, &output, &done);
        }
        let (id, child) = (child.id(), Arc::new(Mutex::new(child)));
        running.insert(id, Arc::clone(&child));
        Ok(Running { id, child, output, readers })
    }
}

/// Takes in one output until it ends, in a thread of its own.
fn read(stream: impl Read + Send + 'static, is_error: bool, output: &Arc<Output>, done: &Sender<()>) {
    let (output, done) = (Arc::clone(output), done.clone());
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while matches!(stream.by_ref().take(MAX_LINE).read_until(b'\n', &mut line), Ok(1..)) {
            output.push(is_error, &line);
            line.clear();
        }
        drop(done);
        output.more.notify_all();
    });
}

impl Output {
    fn push(&self, is_error: bool, line: &[u8]) {
        let mut lines = lock(&self.lines);
        let kept = &mut lines.1[usize::from(is_error)];
        *kept += line.len();
        if *kept <= MAX_OUTPUT {
            let text = String::from_utf8_lossy(line).trim_end_matches(['\r', '\n']).to_owned();
            lines.0.push(Line { is_error, text });
        }
        self.more.notify_all();
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
        lock(&self.output.lines).0.clone()
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// If the system cannot say.
    pub fn poll(&mut self) -> io::Result<Option<How>> {
        Ok(lock(&self.child).try_wait()?.map(how))
    }

    /// Waits until it has put out a line for which `is_it` holds, `limit` at most, and returns that line.
    pub fn wait_for_line(&self, limit: Duration, is_it: impl Fn(&Line) -> bool) -> Option<Line> {
        let deadline = Instant::now() + limit;
        let mut lines = lock(&self.output.lines);
        loop {
            if let Some(line) = lines.0.iter().find(|line| is_it(line)) {
                return Some(line.clone());
            }
            let left = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
            // Looked at in between, too: a program that has ended puts nothing out any more.
            let wait = self.output.more.wait_timeout(lines, left.min(LAST_OUTPUT));
            lines = wait.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until it has ended, `limit` at most; then ends it, and in any case all that it started and left
    /// behind. It is asked first (SIGTERM) and has `grace` to follow.
    ///
    /// # Errors
    /// If the system cannot say how it ended.
    pub fn wait(mut self, limit: Duration, grace: Duration) -> io::Result<Ended> {
        let ended = self.wait_until(limit)?;
        if ended.is_none() {
            self.ask();
            self.wait_until(grace)?;
        }
        self.end();
        // One that left the group may hold the pipe open, and is not waited for. Nothing is ever sent here.
        let _ = self.readers.recv_timeout(LAST_OUTPUT);
        Ok(Ended { how: ended.unwrap_or(How::Hung), lines: self.lines() })
    }

    fn wait_until(&mut self, limit: Duration) -> io::Result<Option<How>> {
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

    /// Asks the whole group to end.
    fn ask(&self) {
        // An error means that nobody is left.
        #[cfg(unix)]
        let _ = lock(&self.child).signal(TERMINATE);
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

/// Ends a whole group. The leader is taken off the system's list; an error means that nobody is left.
fn end(child: &Shared) {
    let mut child = lock(child);
    let _ = child.start_kill();
    let _ = child.wait();
}

/// Ends every program that runs, with everything that it started, and starts no more: for an interruption.
pub fn end_all() {
    let running: Vec<Shared> = {
        let running = lock(&RUNNING);
        CLOSED.store(true, Ordering::Relaxed);
        running.values().cloned().collect()
    };
    running.iter().for_each(end);
}

#[cfg(unix)]
fn how(status: ExitStatus) -> How {
    use std::os::unix::process::ExitStatusExt;
    status.signal().map_or_else(|| How::Exited(status.code().unwrap_or_default()), How::Signalled)
}

#[cfg(not(unix))]
fn how(status: ExitStatus) -> How {
    How::Exited(status.code().unwrap_or_default())
}
