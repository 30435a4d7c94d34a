//! The built program as a child that never outlives its test, and is never waited for without an end.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::PATIENCE;

/// A program that runs.
pub(crate) struct Program {
    child: Child,
    out: Lines,
    err: Lines,
}

/// What came of a program.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit code; none if a signal killed it.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Program {
    /// Starts `command`, whose surroundings decide nothing.
    pub(crate) fn start(command: &mut Command) -> Self {
        command.env_remove("NO_COLOR").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (out, err) = (Lines::of(child.stdout.take().unwrap()), Lines::of(child.stderr.take().unwrap()));
        Self { child, out, err }
    }

    /// Starts `sim` with these arguments.
    pub(crate) fn sim(args: &[&str]) -> Self {
        Self::start(command().args(args))
    }

    /// Starts `sim` with these arguments in this directory.
    pub(crate) fn sim_in(dir: &Path, args: &[&str]) -> Self {
        Self::start(command().args(args).current_dir(dir))
    }

    /// The next line that it prints.
    pub(crate) fn line(&mut self) -> String {
        match self.out.next() {
            Some(line) => line,
            None => panic!("it ended without another line; its errors:\n{}", self.err.all()),
        }
    }

    /// The next line in its log that holds `text`.
    pub(crate) fn logged(&mut self, text: &str) -> String {
        while let Some(line) = self.err.next() {
            if line.contains(text) {
                return line;
            }
        }
        panic!("it ended without logging {text:?}:\n{}", self.err.seen);
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    /// Kills it, as a machine that goes down would, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it ends by itself.
    pub(crate) fn end(mut self) -> Ended {
        let (out, err) = (self.out.all(), self.err.all());
        let code = self.child.wait().unwrap().code();
        Ended { code, out, err }
    }

    /// The most memory that it has had so far, in KiB; none where the system does not tell.
    pub(crate) fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix(" kB")?.parse().ok()
    }
}

impl Drop for Program {
    /// A test that panics leaves nothing running.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The built program, told nothing by the environment.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    command.env_remove("RUST_LOG");
    command
}

/// What comes out of a pipe, by line.
struct Lines {
    coming: Receiver<String>,
    /// What has been taken from it.
    seen: String,
}

impl Lines {
    fn of(pipe: impl Read + Send + 'static) -> Self {
        let (sender, coming) = channel();
        thread::spawn(move || {
            let (mut pipe, mut line) = (BufReader::new(pipe), Vec::new());
            while pipe.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
                line.clear();
            }
        });
        Self { coming, seen: String::new() }
    }

    /// The next line with its LF, or none at the end.
    fn next(&mut self) -> Option<String> {
        match self.coming.recv_timeout(PATIENCE) {
            Ok(line) => {
                self.seen += &line;
                Some(line)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("nothing came for too long after:\n{}", self.seen),
        }
    }

    /// Everything up to the end.
    fn all(&mut self) -> String {
        while self.next().is_some() {}
        self.seen.clone()
    }
}

/// A server that runs.
pub(crate) struct Serve {
    program: Program,
    /// Where it listens.
    pub(crate) address: String,
}

impl Serve {
    /// Serves `dir` on a free port.
    pub(crate) fn start(dir: &Path, more: &[&str]) -> Self {
        Self::by(command().args(["serve", "--listen", "127.0.0.1:0", "--dir"]).arg(dir).args(more))
    }

    /// A server that this command starts.
    pub(crate) fn by(command: &mut Command) -> Self {
        let mut program = Program::start(command);
        let line = program.line();
        let address = line.strip_prefix("listening on ").map(|address| address.trim_end().to_owned());
        Self { address: address.unwrap_or_else(|| panic!("not an address: {line}")), program }
    }

    /// Stops it in good order, and says what it logged in all.
    pub(crate) fn stop(self) -> Ended {
        self.program.signal(Signal::SIGTERM);
        let ended = self.program.end();
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        assert!(!ended.err.contains("panicked"), "{}", ended.err);
        ended
    }

    /// Waits until it ends by itself.
    pub(crate) fn end(self) -> Ended {
        self.program.end()
    }
}

impl std::ops::Deref for Serve {
    type Target = Program;

    fn deref(&self) -> &Program {
        &self.program
    }
}

impl std::ops::DerefMut for Serve {
    fn deref_mut(&mut self) -> &mut Program {
        &mut self.program
    }
}
