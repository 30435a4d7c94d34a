//! Clients under test: the harness is the server, and starts the client anew for each case.

mod cases;
mod claim;
mod command;
mod play;
mod trouble;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Duration;

use tokio::time::Instant;

use super::finding::contents;
use super::{
    Bench, Came, Case, CaseInfo, Check, Difference, File, Finding, Options, Report, Side, Stop, TIMEOUT,
    Wire, noise, run,
};
use crate::process::{Ended, How};

use claim::Claim;
pub(super) use command::last_words;
pub use command::{Command, TemplateError, Templates};
use play::{Play, Seen, Stage};

static CASES: LazyLock<Vec<Case<Studio>>> = LazyLock::new(|| {
    let mut cases = [cases::CASES, trouble::CASES].concat();
    cases.sort_by_key(|case| case.info.level);
    cases
});

/// How often a listener, and a program that has nothing more to say, are looked at.
const TICK: Duration = Duration::from_millis(2);
/// How many connections one program may make for one job.
const MAX_CONNECTIONS: usize = 16;

/// What a client is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The 22 steps with a file.
    Whole,
    /// Upload a file.
    Put,
    /// Download a file.
    Get,
    /// Ask for the listing.
    List,
}

/// One start of a client.
#[derive(Clone, Debug)]
pub struct Job {
    /// What it is to do.
    pub goal: Goal,
    /// Where the server listens.
    pub address: SocketAddr,
    /// The file to upload.
    pub file: PathBuf,
    /// The name of the file to download.
    pub name: String,
    /// The id of the file to download.
    pub id: String,
    /// Where a download shall be put.
    pub out: PathBuf,
    /// An empty directory to run in.
    pub dir: PathBuf,
}

/// A client under test.
pub trait Program: Send + Sync {
    /// Whether it has a way to do this.
    fn can(&self, goal: Goal) -> bool;

    /// Whether it puts a download where the job says.
    fn writes_out(&self, goal: Goal) -> bool;

    /// Runs it to its end, or ends it when `stop` is set.
    ///
    /// # Errors
    /// If it cannot be started.
    fn run(&self, job: &Job, stop: &AtomicBool) -> io::Result<Ended>;
}

/// Every case for clients, by level.
#[must_use]
pub fn cases() -> Vec<CaseInfo> {
    CASES.iter().map(|case| case.info.clone()).collect()
}

/// Plays the cases that `options` asks for with `program`.
#[must_use]
pub fn test(program: Arc<dyn Program>, options: &Options) -> Report {
    let limit = options.timeout.unwrap_or(TIMEOUT);
    let mut studio = Studio { program, limit, seed: options.seed, warning: None };
    Report { side: Side::Client, results: run(&CASES, options, &mut studio) }
}

/// Where the cases are played.
struct Studio {
    program: Arc<dyn Program>,
    limit: Duration,
    seed: u64,
    warning: Option<Finding>,
}

impl Bench for Studio {
    fn begin(&mut self) {
        self.warning = None;
    }

    fn warning(&mut self) -> Option<Finding> {
        self.warning.take()
    }
}

/// One start of the client and what came of it.
struct Take {
    goal: Goal,
    seen: Seen,
    ended: Ended,
    /// The last of what was said.
    dialogue: Vec<super::Said>,
    /// What the client made of a download.
    out: Option<Vec<u8>>,
    writes_out: bool,
}

impl Studio {
    /// The first of `goals` that there is a command for; any if there is none.
    fn any_of(&self, goals: [Goal; 4]) -> Goal {
        goals.into_iter().find(|goal| self.program.can(*goal)).unwrap_or(Goal::Whole)
    }

    /// Lets the client upload a file of `len` bytes to the server of `play`.
    fn put(&mut self, len: usize, play: &Play) -> Check<Take> {
        self.play(Goal::Put, len, play)
    }

    /// Lets it download one.
    fn get(&mut self, len: usize, play: &Play) -> Check<Take> {
        self.play(Goal::Get, len, play)
    }

    fn list(&mut self, play: &Play) -> Check<Take> {
        self.play(Goal::List, 1000, play)
    }

    fn play(&mut self, wanted: Goal, len: usize, play: &Play) -> Check<Take> {
        let goal = [wanted, Goal::Whole].into_iter().find(|goal| self.program.can(*goal));
        let goal = goal.ok_or_else(|| left_out(wanted))?;
        let file = File { name: "my_file.jpg".into(), bytes: noise(self.seed, len) };
        let take = self
            .stage(goal, &file, play)
            .map_err(|error| Stop::NotReached(format!("it could not be played: {error}")))??;
        self.warning = take.seen.warning.clone();
        if !take.seen.connected {
            return Err(not_reached("never connected", &take.ended, true));
        }
        if play.act.is_some() && !take.seen.struck {
            return Err(not_reached("never came to it", &take.ended, false));
        }
        Ok(take)
    }

    fn stage(&self, goal: Goal, file: &File, play: &Play) -> io::Result<Check<Take>> {
        let dir = tempfile::Builder::new().prefix("sim-conform-").tempdir()?;
        let job = job(goal, file, dir.path())?;
        let listener = TcpListener::bind(job.address)?;
        let job = Job { address: listener.local_addr()?, ..job };
        listener.set_nonblocking(true)?;
        let stop = AtomicBool::new(false);
        let (played, ended) = thread::scope(|scope| {
            let running = scope.spawn(|| self.program.run(&job, &stop));
            let is_over = || running.is_finished();
            let played = self.serve(&listener, file, goal, play, &is_over);
            let deadline = Instant::now() + self.limit;
            while !is_over() && Instant::now() < deadline && played.1.is_ok() {
                thread::sleep(TICK);
            }
            stop.store(true, Ordering::Relaxed);
            (played, running.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        let (seen, result, dialogue) = played;
        let ended = ended?;
        let out = std::fs::read(&job.out).ok();
        let writes_out = self.program.writes_out(goal);
        Ok(result.map(|()| Take { goal, seen, ended, dialogue, out, writes_out }))
    }

    /// Serves the client's connections, one after the other, until it is over or has no more to say.
    fn serve(
        &self,
        listener: &TcpListener,
        file: &File,
        goal: Goal,
        play: &Play,
        is_over: &dyn Fn() -> bool,
    ) -> (Seen, Check, Vec<super::Said>) {
        let (mut seen, mut dialogue) = (Seen::default(), Vec::new());
        let mut store = Vec::new();
        if goal != Goal::Whole && goal != Goal::Put {
            store.push((file.id(), file.clone()));
        }
        for _ in 0..MAX_CONNECTIONS {
            let deadline = Instant::now() + self.limit;
            let stream = loop {
                // Looked at before: what it did just before its end is not to be missed.
                let last = is_over() || Instant::now() >= deadline;
                match listener.accept() {
                    Ok((stream, _)) => break stream,
                    Err(_) if last => return (seen, Ok(()), dialogue),
                    Err(_) => thread::sleep(TICK),
                }
            };
            let wire = match Wire::new(stream, self.limit) {
                Ok(wire) => wire,
                Err(error) => return (seen, Err(Stop::NotReached(error.to_string())), dialogue),
            };
            let mut stage = Stage { wire, play, store: &mut store, seen: &mut seen, file, refused: false };
            let result = stage.serve();
            dialogue = stage.wire.dialogue();
            if result.is_err() {
                return (seen, result, dialogue);
            }
        }
        (seen, Ok(()), dialogue)
    }
}

fn job(goal: Goal, file: &File, dir: &Path) -> io::Result<Job> {
    let own = dir.join("run");
    std::fs::create_dir(&own)?;
    let path = dir.join(&file.name);
    std::fs::write(&path, &file.bytes)?;
    Ok(Job {
        goal,
        address: ([127, 0, 0, 1], 0).into(),
        file: path,
        name: file.name.clone(),
        id: file.id(),
        out: dir.join("downloaded"),
        dir: own,
    })
}

/// That nobody gave a command for it.
fn left_out(goal: Goal) -> Stop {
    let option = match goal {
        Goal::Whole => "--client",
        Goal::Put => "--put",
        Goal::Get => "--get",
        Goal::List => "--ls",
    };
    Stop::LeftOut(format!("not asked for: there is no {option}"))
}

/// That the client did not come as far as the case has to.
fn not_reached(what: &str, ended: &Ended, at_once: bool) -> Stop {
    let hints: String = command::hints(ended, at_once).iter().map(|hint| format!("; {hint}")).collect();
    Stop::NotReached(format!("the client {what}: {}{hints}", command::end_text(ended)))
}

impl Take {
    fn finding(&self, rule: u8, step: u8, expected: &str, came: String) -> Finding {
        let (expected, dialogue) = (expected.into(), self.dialogue.clone());
        let hints = command::hints(&self.ended, false);
        Finding { rule, step: Some(step), expected, came, dialogue, hints, ..Finding::default() }
    }

    fn broken(&self, rule: u8, step: u8, expected: &str, came: String) -> Stop {
        Stop::Fail(Box::new(self.finding(rule, step, expected, came)))
    }

    fn broken_as(&self, title: &str, rule: u8, step: u8, expected: &str, came: String) -> Stop {
        let finding = self.finding(rule, step, expected, came);
        Stop::Fail(Box::new(Finding { title: Some(title.into()), ..finding }))
    }

    /// The client has to end by itself when the connection has ended. What it has said of the transfer is another
    /// matter.
    fn over(&self, rule: u8) -> Check {
        if self.ended.how != How::Hung {
            return Ok(());
        }
        let (rule, title) = if claim::is_said(&self.ended) {
            (26, "It does not end after its verdict")
        } else {
            (rule, "It does not end, and says neither Success nor Fail")
        };
        Err(self.broken_as(title, rule, 22, "the client ends by itself", command::end_text(&self.ended)))
    }

    fn upload_claim(&self) -> Claim {
        claim::of(&self.ended, 0)
    }

    /// Of the 22 steps, the download is the second transfer.
    fn download_claim(&self) -> Claim {
        claim::of(&self.ended, usize::from(self.goal == Goal::Whole))
    }

    /// The upload came, and the client says so.
    fn uploaded(&self, rule: u8) -> Check {
        self.over(26)?;
        if self.seen.uploads.is_empty() {
            return Err(self.broken(rule, 10, "an upload of the file", command::end_text(&self.ended)));
        }
        match self.upload_claim() {
            Claim::Success => Ok(()),
            Claim::Fail => Err(self.broken(rule, 14, "Success: the hashes are equal", self.said())),
        }
    }

    /// The client does not say that the upload succeeded.
    fn not_uploaded(&self, rule: u8, expected: &str) -> Check {
        self.over(rule)?;
        match self.upload_claim() {
            Claim::Fail => Ok(()),
            Claim::Success => Err(self.broken(rule, 14, expected, self.said())),
        }
    }

    /// The client does not say that it has the listing, if that is all that it was to do.
    fn not_listed(&self, rule: u8, expected: &str) -> Check {
        self.over(rule)?;
        match (self.goal, claim::of(&self.ended, 0)) {
            (Goal::List, Claim::Success) => Err(self.broken(rule, 5, expected, self.said())),
            _ => Ok(()),
        }
    }

    /// The download came, the client says so, and has its bytes.
    fn downloaded(&self, rule: u8) -> Check {
        self.over(26)?;
        if self.seen.downloads.is_empty() {
            return Err(self.broken(rule, 19, "a download of the file", command::end_text(&self.ended)));
        }
        if self.download_claim() == Claim::Fail {
            return Err(self.broken(rule, 21, "Success: the MD5 of what came is the id", self.said()));
        }
        match &self.out {
            None if self.writes_out => Err(self.broken(3, 21, "the file at {out}", "no file".into())),
            Some(bytes) if *bytes != self.seen.wanted => Err(self.other_bytes(bytes)),
            _ => Ok(()),
        }
    }

    fn other_bytes(&self, bytes: &[u8]) -> Stop {
        let difference = Difference::of(&self.seen.wanted, bytes, 0);
        let came = Came::Bytes(bytes.to_vec());
        let (expected, came) = contents(&self.seen.wanted, &came, difference.as_ref());
        let finding = self.finding(3, 21, &format!("at {{out}} {expected}"), came);
        Stop::Fail(Box::new(Finding { difference, ..finding }))
    }

    /// The client does not say that the download succeeded, and leaves nothing where the file should be.
    fn not_downloaded(&self, rule: u8, expected: &str) -> Check {
        self.over(rule)?;
        if self.download_claim() == Claim::Success {
            return Err(self.broken(rule, 21, expected, self.said()));
        }
        match &self.out {
            Some(bytes) => {
                let (title, came) = ("It leaves the wrong bytes at {out}", super::wire::escaped(bytes));
                Err(self.broken_as(title, 32, 21, "no file at {out}: the bytes are not the file", came))
            }
            None => Ok(()),
        }
    }

    /// What the client said of its transfers, in words, and what that was taken from.
    fn said(&self) -> String {
        let text = |index| claim::text(&self.ended, index);
        let claims = match self.goal {
            Goal::Whole => format!("for the upload: {}; for the download: {}", text(0), text(1)),
            _ => text(0),
        };
        format!("{claims} ({})", command::end_text(&self.ended))
    }
}
