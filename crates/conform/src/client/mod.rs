//! Clients under test: the harness is the server, and starts the client anew for each case.

mod behaviour;
mod cases;
mod claim;
mod client_run;
mod command;
mod contents;
mod observations;
mod session;
mod trouble;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Duration;

use std::time::Instant;

use super::content::{FileContent, id_of, seed_of};
use super::finding::contents;
use super::{
    ActualInput, Bench, Case, CaseInfo, Check, ConformOptions, Difference, File, Finding, Obstacle, Report,
    Side, Stop, TIMEOUT, Wire, run,
};
use process::{EndKind, ProgramEnd};

use behaviour::ServerBehaviour;
use claim::Claim;
use client_run::ClientRun;
pub use command::{ClientCommands, ProgramCommand, ProgramCommandError};
pub(super) use command::{GRACE, last_words};
use observations::{Kind, Observations, Part, Trouble};
use session::ServerSession;

static CASES: LazyLock<Vec<Case<ClientBench>>> = LazyLock::new(|| {
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
pub struct ClientJob {
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
pub trait ClientProgram: Send + Sync {
    /// Whether it has a way to do this.
    fn can(&self, goal: Goal) -> bool;

    /// Whether it puts a download where the job says.
    fn writes_out(&self, goal: Goal) -> bool;

    /// Runs it to its end, or ends it when `stop` is set.
    ///
    /// # Errors
    /// If it cannot be started.
    fn run(&self, job: &ClientJob, stop: &AtomicBool) -> io::Result<ProgramEnd>;
}

/// Every case for clients, by level.
#[must_use]
pub fn cases() -> Vec<CaseInfo> {
    CASES.iter().map(|case| case.info.clone()).collect()
}

/// Plays the cases that `options` asks for with `program`.
#[must_use]
pub fn test(program: Arc<dyn ClientProgram>, options: &ConformOptions) -> Report {
    let limit = options.timeout.unwrap_or(TIMEOUT);
    let seed = options.seed;
    let mut bench = ClientBench {
        program,
        limit,
        seed,
        warning: None,
        started: Vec::new(),
        hangs: false,
        patience: limit,
    };
    let results = run(&CASES, options, &mut bench);
    Report { side: Side::Client, seed, round: 0, results }
}

/// What the cases for clients are run on.
struct ClientBench {
    program: Arc<dyn ClientProgram>,
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

impl Bench for ClientBench {
    fn begin(&mut self, _: &CaseInfo) {
        self.warning = None;
    }

    fn warning(&mut self) -> Option<Finding> {
        self.warning.take()
    }
}

/// What came of serving a client.
struct ServeResult {
    seen: Observations,
    result: Check,
    /// The last of what was said.
    dialogue: Vec<super::DialogueEntry>,
    /// The connection of a client that waits for more.
    open: Option<Wire>,
}

impl ClientBench {
    /// The first of `goals` that there is a command for; any if there is none.
    fn any_of(&self, goals: [Goal; 4]) -> Goal {
        goals.into_iter().find(|goal| self.program.can(*goal)).unwrap_or(Goal::Whole)
    }

    /// Lets the client upload a file to a server that behaves so.
    fn put(&mut self, content: impl Into<FileContent>, behaviour: &ServerBehaviour) -> Check<ClientRun> {
        self.run_client(Goal::Put, content, behaviour)
    }

    /// Lets it download one.
    fn get(&mut self, content: impl Into<FileContent>, behaviour: &ServerBehaviour) -> Check<ClientRun> {
        self.run_client(Goal::Get, content, behaviour)
    }

    fn list(&mut self, behaviour: &ServerBehaviour) -> Check<ClientRun> {
        self.run_client(Goal::List, 1000, behaviour)
    }

    fn run_client(
        &mut self,
        wanted: Goal,
        content: impl Into<FileContent>,
        behaviour: &ServerBehaviour,
    ) -> Check<ClientRun> {
        let goal = [wanted, Goal::Whole].into_iter().find(|goal| self.program.can(*goal));
        let goal = goal.ok_or_else(|| left_out(wanted))?;
        let bytes = content.into().bytes(seed_of(&format!("a client's file by {}", self.seed)));
        let file = File { name: "my_file.jpg".into(), bytes };
        let has_started = self.started.contains(&goal);
        // One that was there before can be started.
        let failed = |why: String| if has_started { Stop::Lost(why) } else { Stop::NotReached(why.into()) };
        let is_aside = goal == Goal::Whole && wanted == Goal::Put;
        let patience = if is_aside { self.patience } else { self.limit };
        let staged = self.start_client(goal, &file, behaviour, patience);
        let run = staged.map_err(|error| failed(format!("it could not be played: {error}")))??;
        self.warning = run.seen.warning.clone();
        if run.seen.trouble.as_ref().is_some_and(|it| it.kind == Kind::Silent && it.part == Part::Download) {
            self.patience = MOMENT.min(self.limit);
        }
        if !run.seen.connected {
            let why = format!("the client never connected: {}", how_ended(&run.ended, true));
            return Err(if run.ended.how == EndKind::Hung {
                failed(why)
            } else {
                Stop::NotReached(why.into())
            });
        }
        if !has_started {
            self.started.push(goal);
        }
        if behaviour.act.is_some() && !run.seen.struck && run.seen.trouble.is_none() {
            return Err(Stop::NotReached(Obstacle::NeverCame(how_ended(&run.ended, false))));
        }
        Ok(run)
    }

    fn start_client(
        &self,
        goal: Goal,
        file: &File,
        behaviour: &ServerBehaviour,
        patience: Duration,
    ) -> io::Result<Check<ClientRun>> {
        let dir = tempfile::Builder::new().prefix("sim-conform-").tempdir()?;
        let job = job(goal, file, dir.path())?;
        let listener = TcpListener::bind(job.address)?;
        let job = ClientJob { address: listener.local_addr()?, ..job };
        listener.set_nonblocking(true)?;
        let stop = AtomicBool::new(false);
        let (served, ended) = thread::scope(|scope| {
            let running = scope.spawn(|| self.program.run(&job, &stop));
            let is_over = || running.is_finished();
            let store = store(file, goal, behaviour);
            let mut served = self.serve(&listener, file, store, behaviour, patience, &is_over);
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
        let ServeResult { seen, result, dialogue, .. } = served;
        Ok(result.map(|()| ClientRun { goal, seen, ended, dialogue, out, writes_out, hangs }))
    }

    /// How long the client may take to end.
    fn time_to_end(&self, served: &ServeResult) -> Duration {
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
        behaviour: &ServerBehaviour,
        patience: Duration,
        is_over: &dyn Fn() -> bool,
    ) -> ServeResult {
        let mut served =
            ServeResult { seen: Observations::default(), result: Ok(()), dialogue: Vec::new(), open: None };
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
            let mut session =
                ServerSession { wire, behaviour, store: &mut store, seen, file, refused: false, patience };
            let result = session.serve();
            let wire = session.wire;
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

impl ServeResult {
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
fn store(file: &File, goal: Goal, behaviour: &ServerBehaviour) -> Vec<(String, File)> {
    let company = COMPANY.map(|name| File { name: name.into(), bytes: name.as_bytes().to_vec() });
    let mut files = if behaviour.company { company.to_vec() } else { Vec::new() };
    if matches!(goal, Goal::Get | Goal::List) {
        files.insert(files.len() / 2, file.clone());
    }
    files.into_iter().map(|file| (file.id(), file)).collect()
}

fn job(goal: Goal, file: &File, dir: &Path) -> io::Result<ClientJob> {
    let own = dir.join("run");
    std::fs::create_dir(&own)?;
    let path = dir.join(&file.name);
    std::fs::write(&path, &file.bytes)?;
    Ok(ClientJob {
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
fn how_ended(ended: &ProgramEnd, at_once: bool) -> String {
    let hints: String = command::hints(ended, at_once).iter().map(|hint| format!("; {hint}")).collect();
    format!("{}{hints}", command::end_text(ended))
}
