//! Clients under test: the harness is the server, and starts the client anew for each case.

mod cases;
mod claim;
mod command;
mod contents;
mod play;
mod seen;
mod stage;
mod take;
mod trouble;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Duration;

use std::time::Instant;

use super::content::{Holds, id_of, seed_of};
use super::finding::contents;
use super::{
    Bench, Came, Case, CaseInfo, Check, Difference, File, Finding, Obstacle, Options, Report, Side, Stop,
    TIMEOUT, Wire, run,
};
use process::{Ended, How};

use claim::Claim;
pub use command::{Command, CommandError, Templates};
pub(super) use command::{GRACE, last_words};
use play::Play;
use seen::{Kind, Part, Seen, Trouble};
use stage::Stage;
use take::Take;

static CASES: LazyLock<Vec<Case<Studio>>> = LazyLock::new(|| {
    let mut cases = [cases::CASES, contents::CASES, trouble::CASES].concat();
    cases.sort_by_key(|case| case.info.level);
    cases
});

/// How often a listener, and a program that has nothing more to say, are looked at.
const TICK: Duration = Duration::from_millis(2);
/// How long a client with which something went wrong has for its last words.
const MOMENT: Duration = Duration::from_millis(300);
/// How long the connection of a client that is ended stays open at most, so that it does not take it for an answer.
const OPEN: Duration = Duration::from_secs(2);
/// Files with odd names, which can be downloaded like any: which of the listed files a client takes is its own affair.
const COMPANY: [&str; 3] = ["a;b;;7;1", "  No files available at the moment ", "ERROR other — ünïcode 文件"];
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
    let seed = options.seed;
    let mut studio =
        Studio { program, limit, seed, warning: None, started: Vec::new(), hangs: false, patience: limit };
    let results = run(&CASES, options, &mut studio);
    Report { side: Side::Client, seed, round: 0, results }
}

/// Where the cases are played.
struct Studio {
    program: Arc<dyn Program>,
    limit: Duration,
    seed: u64,
    warning: Option<Finding>,
    /// What it has been seen to connect for: the programs for the others may not be there.
    started: Vec<Goal>,
    /// Whether it is known not to end: it is charged with that once.
    hangs: bool,
    /// How long it is waited for what a client does behind a download where that is not the point: one that waits for
    /// more would cost the whole time in each case.
    patience: Duration,
}

impl Bench for Studio {
    fn begin(&mut self, _: &CaseInfo) {
        self.warning = None;
    }

    fn warning(&mut self) -> Option<Finding> {
        self.warning.take()
    }
}

/// What came of serving a client.
struct Served {
    seen: Seen,
    result: Check,
    /// The last of what was said.
    dialogue: Vec<super::Said>,
    /// The connection of a client that waits for more.
    open: Option<Wire>,
}

impl Studio {
    /// The first of `goals` that there is a command for; any if there is none.
    fn any_of(&self, goals: [Goal; 4]) -> Goal {
        goals.into_iter().find(|goal| self.program.can(*goal)).unwrap_or(Goal::Whole)
    }

    /// Lets the client upload a file to the server of `play`.
    fn put(&mut self, holds: impl Into<Holds>, play: &Play) -> Check<Take> {
        self.play(Goal::Put, holds, play)
    }

    /// Lets it download one.
    fn get(&mut self, holds: impl Into<Holds>, play: &Play) -> Check<Take> {
        self.play(Goal::Get, holds, play)
    }

    fn list(&mut self, play: &Play) -> Check<Take> {
        self.play(Goal::List, 1000, play)
    }

    fn play(&mut self, wanted: Goal, holds: impl Into<Holds>, play: &Play) -> Check<Take> {
        let goal = [wanted, Goal::Whole].into_iter().find(|goal| self.program.can(*goal));
        let goal = goal.ok_or_else(|| left_out(wanted))?;
        let bytes = holds.into().bytes(seed_of(&format!("a client's file by {}", self.seed)));
        let file = File { name: "my_file.jpg".into(), bytes };
        let has_started = self.started.contains(&goal);
        // One that was there before can be started.
        let failed = |why: String| if has_started { Stop::Lost(why) } else { Stop::NotReached(why.into()) };
        let is_aside = goal == Goal::Whole && wanted == Goal::Put;
        let patience = if is_aside { self.patience } else { self.limit };
        let staged = self.stage(goal, &file, play, patience);
        let take = staged.map_err(|error| failed(format!("it could not be played: {error}")))??;
        self.warning = take.seen.warning.clone();
        if take.seen.trouble.as_ref().is_some_and(|it| it.kind == Kind::Silent && it.part == Part::Download) {
            self.patience = MOMENT.min(self.limit);
        }
        if !take.seen.connected {
            let why = format!("the client never connected: {}", how_ended(&take.ended, true));
            return Err(if take.ended.how == How::Hung { failed(why) } else { Stop::NotReached(why.into()) });
        }
        if !has_started {
            self.started.push(goal);
        }
        if play.act.is_some() && !take.seen.struck && take.seen.trouble.is_none() {
            return Err(Stop::NotReached(Obstacle::NeverCame(how_ended(&take.ended, false))));
        }
        Ok(take)
    }

    fn stage(&self, goal: Goal, file: &File, play: &Play, patience: Duration) -> io::Result<Check<Take>> {
        let dir = tempfile::Builder::new().prefix("sim-conform-").tempdir()?;
        let job = job(goal, file, dir.path())?;
        let listener = TcpListener::bind(job.address)?;
        let job = Job { address: listener.local_addr()?, ..job };
        listener.set_nonblocking(true)?;
        let stop = AtomicBool::new(false);
        let (served, ended) = thread::scope(|scope| {
            let running = scope.spawn(|| self.program.run(&job, &stop));
            let is_over = || running.is_finished();
            let store = store(file, goal, play);
            let mut served = self.serve(&listener, file, store, play, patience, &is_over);
            wait(&is_over, self.time_to_end(&served));
            stop.store(true, Ordering::Relaxed);
            if let Some(wire) = served.open.take() {
                wait(&is_over, OPEN);
                wire.close();
            }
            (served, running.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        let ended = ended?;
        let out = std::fs::read(&job.out).ok();
        let (writes_out, hangs) = (self.program.writes_out(goal), self.hangs);
        let Served { seen, result, dialogue, .. } = served;
        Ok(result.map(|()| Take { goal, seen, ended, dialogue, out, writes_out, hangs }))
    }

    /// How long the client may take to end.
    fn time_to_end(&self, served: &Served) -> Duration {
        match &served.seen.trouble {
            _ if served.result.is_err() || served.open.is_some() => Duration::ZERO,
            Some(_) => MOMENT.min(self.limit),
            None => self.limit,
        }
    }

    /// Serves the client's connections, one after the other, until it is over or has no more to say.
    fn serve(
        &self,
        listener: &TcpListener,
        file: &File,
        mut store: Vec<(String, File)>,
        play: &Play,
        patience: Duration,
        is_over: &dyn Fn() -> bool,
    ) -> Served {
        let mut served = Served { seen: Seen::default(), result: Ok(()), dialogue: Vec::new(), open: None };
        for _ in 0..MAX_CONNECTIONS {
            let deadline = Instant::now() + self.limit;
            let stream = loop {
                // Looked at before: what it did just before its end is not to be missed.
                let last = is_over() || Instant::now() >= deadline;
                match listener.accept() {
                    Ok((stream, _)) => break stream,
                    Err(_) if last => return served,
                    Err(_) => thread::sleep(TICK),
                }
            };
            let wire = match Wire::new(stream, self.limit) {
                Ok(wire) => wire,
                Err(error) => {
                    served.result = Err(Stop::Lost(error.to_string()));
                    return served;
                }
            };
            let seen = &mut served.seen;
            let mut stage = Stage { wire, play, store: &mut store, seen, file, refused: false, patience };
            let result = stage.serve();
            let wire = stage.wire;
            served.dialogue = wire.dialogue();
            match result {
                Ok(()) => continue,
                Err(Stop::Fail(finding)) => served.charge(*finding, wire),
                Err(stop) => served.result = Err(stop),
            }
            break;
        }
        served
    }
}

impl Served {
    fn charge(&mut self, finding: Finding, wire: Wire) {
        let (part, kind) = (self.seen.part, self.seen.kind);
        self.seen.trouble = Some(Trouble { part, kind, finding });
        self.open = (kind == Kind::Silent).then_some(wire);
    }
}

/// Waits for the end of a program, `limit` at most.
fn wait(is_over: &dyn Fn() -> bool, limit: Duration) {
    let deadline = Instant::now() + limit;
    while !is_over() && Instant::now() < deadline {
        thread::sleep(TICK);
    }
}

/// What lies at the server.
fn store(file: &File, goal: Goal, play: &Play) -> Vec<(String, File)> {
    let company = COMPANY.map(|name| File { name: name.into(), bytes: name.as_bytes().to_vec() });
    let mut files = if play.company { company.to_vec() } else { Vec::new() };
    if matches!(goal, Goal::Get | Goal::List) {
        files.insert(files.len() / 2, file.clone());
    }
    files.into_iter().map(|file| (file.id(), file)).collect()
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
fn how_ended(ended: &Ended, at_once: bool) -> String {
    let hints: String = command::hints(ended, at_once).iter().map(|hint| format!("; {hint}")).collect();
    format!("{}{hints}", command::end_text(ended))
}
