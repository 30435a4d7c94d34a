//! One transfer between the two programs, through the proxy, in fresh directories; and what came of it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, UNIX_EPOCH};

use tokio::time::Instant;

use super::judge::{Said, said};
use super::programs::{
    Dirs, GRACE, HOST, before, client, free_port, how_text, last_lines, launch, server, start, values,
    wait_ready, with_address,
};
use super::spec::{Audit, ExtraEnv, Program, Server, Signal};
use super::template::{Template, Values};
use super::way::Way;
use crate::process::{Ended, How, Running};
use crate::proxy::{Outcome, Placed, Settings};
use crate::storage::Content;
use crate::verdict::{Excerpt, Truth};

/// How much of what a run carries is kept, in bytes.
const RECORDING: u64 = 256 << 20;
/// When the file was last modified, as a time since 1970: some programs send it along, and what they send shall be as long
/// in every run.
const MODIFIED: Duration = Duration::from_secs(1_600_000_000);
/// How long a file may take to become what it should be once the client has ended.
const SETTLE: Duration = Duration::from_secs(1);
/// How often it is looked at.
const TICK: Duration = Duration::from_millis(20);
/// How often a server is started: the port that was free a moment ago may be taken.
const STARTS: usize = 3;
/// How many files that may be the received one are looked at.
const MAX_RECEIVED: usize = 64;

/// What stays the same from run to run.
pub(super) struct Bench<'a> {
    pub(super) audit: &'a Audit,
    pub(super) payload: Content,
    pub(super) sim: &'a Path,
}

/// What came of a run.
pub(super) struct Ran {
    pub(super) said: Said,
    pub(super) truth: Truth,
    pub(super) excerpt: Option<Excerpt>,
    pub(super) notes: Vec<String>,
    pub(super) output: Vec<String>,
    pub(super) took: Duration,
    pub(super) outcome: Outcome,
}

impl Ran {
    /// What was said and what is true, in words.
    pub(super) fn in_words(&self) -> String {
        let mut words = format!("the client said {}; {}", self.said, self.truth);
        if let Some(last) = self.output.iter().rev().find(|line| line.starts_with("client: ")) {
            words.push_str(&format!("; its last words: {}", last.trim_start_matches("client: ")));
        }
        words
    }
}

/// Why a run could not be had, with the last lines of the programs.
pub(super) struct Trouble {
    pub(super) why: String,
    pub(super) output: Vec<String>,
}

impl From<String> for Trouble {
    fn from(why: String) -> Self {
        Self { why, output: Vec::new() }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        error.to_string().into()
    }
}

impl Bench<'_> {
    /// One transfer, in the directory `root`.
    pub(super) fn transfer(&self, root: &Path, faults: Vec<Placed>, env: &ExtraEnv) -> Result<Ran, Trouble> {
        let dirs = Dirs::make(root)?;
        let mut values = values(self.audit, &dirs, self.sim);
        let data = if self.audit.data_port { Some(free_port()?) } else { None };
        if let Some(data) = data {
            values.insert("data", data.to_string());
        }
        self.put_payload(Path::new(&values["file"]))?;
        let (mut server, way) = self.start_server(&dirs, &values, data, &env.server)?;
        for command in before(self.audit) {
            let done = self.run_before(&command, &dirs, &values, &way);
            done.map_err(|why| with_output(why, server.take()))?;
        }
        let settings = Settings { faults, recording: Some(RECORDING), once: None };
        let mut program = client(self.audit);
        program.env.extend_from_slice(&env.client);
        let launch = |host: &str, port| {
            launch(&program.run, &program.env, &dirs.client, &with_address(&values, host, port))
        };
        let ran = way.run(&dirs, settings, self.audit.deadline, &launch);
        let (ended, took, outcome) = match ran {
            Ok(ran) => ran,
            Err(why) => return Err(with_output(why, server)),
        };
        self.conclude(&values, &ended, took, outcome, server)
    }

    fn put_payload(&self, path: &Path) -> io::Result<()> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut bytes = vec![0; usize::try_from(self.payload.len()).unwrap_or_default()];
        self.payload.read_at(0, &mut bytes)?;
        fs::write(path, bytes)?;
        fs::File::options().write(true).open(path)?.set_modified(UNIX_EPOCH + MODIFIED)
    }

    /// Starts the server, if there is one to start, and says how it is reached.
    fn start_server(
        &self,
        dirs: &Dirs,
        values: &Values,
        data: Option<u16>,
        env: &[(String, Template)],
    ) -> Result<(Option<Running>, Way), Trouble> {
        if let Server::At(address) = &self.audit.server {
            return Ok((None, Way::Here { address: address.clone(), data: None }));
        }
        let Some(mut program) = server(self.audit) else {
            return Err("there is no server".to_owned().into());
        };
        program.env.extend_from_slice(env);
        let mut starts = 1;
        loop {
            let port = self.audit.port.map_or_else(free_port, Ok)?;
            let way = match self.audit.isolate {
                true => Way::Apart { port, server: dirs.meeting("server"), sim: self.sim.to_owned() },
                false => Way::Here { address: format!("{HOST}:{port}"), data },
            };
            match self.try_server(&program, dirs, &with_address(values, HOST, port), port, &way) {
                Ok(running) => return Ok((Some(running), way)),
                Err(trouble) if starts == STARTS || self.audit.port.is_some() => return Err(trouble),
                Err(_) => starts += 1,
            }
        }
    }

    fn try_server(
        &self,
        program: &Program,
        dirs: &Dirs,
        values: &Values,
        port: u16,
        way: &Way,
    ) -> Result<Running, Trouble> {
        let launch = way.server(launch(&program.run, &program.env, &dirs.server, values));
        let mut running = start(&launch)?;
        match wait_ready(&mut running, &program.ready, port) {
            Ok(()) => Ok(running),
            Err(why) => Err(with_output(why, Some(running))),
        }
    }

    fn run_before(&self, command: &Template, dirs: &Dirs, values: &Values, way: &Way) -> Result<(), String> {
        let launch = |host: &str, port| launch(command, &[], &dirs.client, &with_address(values, host, port));
        let ended = way.run_past(dirs, self.audit.deadline, &launch)?;
        match ended.how {
            How::Exited(0) => Ok(()),
            how => {
                let last = last_lines("it", &ended.lines).pop().unwrap_or_default();
                Err(format!("`{}`, which goes before, failed: {}. {last}", command.text(), how_text(how)))
            }
        }
    }

    fn conclude(
        &self,
        values: &Values,
        ended: &Ended,
        took: Duration,
        outcome: Outcome,
        server: Option<Running>,
    ) -> Result<Ran, Trouble> {
        let (said, mut notes) = self.claim(values, ended);
        let mut found = self.settle(values, &said)?;
        let mut output = last_lines("client", &ended.lines);
        if let Some(mut server) = server {
            let before = server.poll()?;
            if let Some(how @ (How::Exited(1..) | How::Signalled(_))) = before {
                notes.push(format!("the server died: {}", how_text(how)));
            }
            let ended = server.wait(Duration::ZERO, GRACE)?;
            output.extend(last_lines("server", &ended.lines));
            // What a server writes only when it is told to end counts, too; what it removes then does not.
            let after = self.find(values)?;
            if after.truth == Truth::Same {
                found = after;
            }
        }
        if found.others > 0 {
            notes.push(format!("{} more of what may be the received file lie there", found.others));
        }
        let Found { truth, excerpt, .. } = found;
        Ok(Ran { said, truth, excerpt, notes, output, took, outcome })
    }

    /// What the client said, and what is to be remarked about how it ended.
    fn claim(&self, values: &Values, ended: &Ended) -> (Said, Vec<String>) {
        let Audit { success, fail, nth, .. } = self.audit;
        let mut notes = Vec::new();
        let says = |signal: &Signal, text: &str| matches!(signal, Signal::Line(line) if line.is_match(text));
        let fails = |text: &str| fail.as_ref().is_some_and(|fail| says(fail, text));
        let is_claim = |text: &&str| says(success, text) || fails(text);
        let line = ended.lines.iter().map(|line| line.text.as_str()).filter(is_claim).nth(nth - 1);
        if let Some(line) = line {
            if ended.how == How::Hung {
                notes.push("the client did not end after its verdict".into());
            }
            let is_fail = fails(line);
            let said = said(!is_fail, is_fail, ended.how);
            if let (Said::Success, How::Exited(code @ 1..)) = (&said, ended.how) {
                notes.push(format!("the client ended with exit code {code} after its verdict"));
            }
            return (said, notes);
        }
        let gives = |signal: &Signal| match signal {
            Signal::Exit(codes) => matches!(ended.how, How::Exited(code) if codes.contains(&code)),
            Signal::File(path) => Path::new(&path.fill(values)).exists(),
            Signal::Line(_) => false,
        };
        (said(gives(success), fail.as_ref().is_some_and(gives), ended.how), notes)
    }

    /// What became of the file. A program that is still writing, or still removing what it wrote, gets a moment before
    /// anything is held against it.
    fn settle(&self, values: &Values, said: &Said) -> io::Result<Found> {
        let deadline = Instant::now() + SETTLE;
        loop {
            let found = self.find(values)?;
            let is_settled = match said {
                Said::Success => found.truth == Truth::Same,
                Said::Fail | Said::Error(_) | Said::Nothing | Said::Died(_) => found.truth == Truth::Nothing,
            };
            if is_settled || Instant::now() >= deadline {
                return Ok(found);
            }
            sleep(TICK);
        }
    }

    fn find(&self, values: &Values) -> io::Result<Found> {
        let mut found = Found { truth: Truth::Nothing, excerpt: None, others: 0 };
        let paths = self.received(values)?;
        for path in &paths {
            // What is gone again is no received file.
            let Ok(arrived) = Content::open(path) else { continue };
            let truth = Truth::find(Some(&self.payload), Some(&arrived))?;
            if found.truth == Truth::Nothing || truth == Truth::Same {
                found.truth = truth;
                found.excerpt = match truth {
                    Truth::Different { first, .. } => Some(Excerpt::around(first, &self.payload, &arrived)?),
                    Truth::Same | Truth::Nothing => None,
                };
            }
        }
        found.others = paths.len().saturating_sub(1);
        Ok(found)
    }

    /// The files that may be the received one.
    fn received(&self, values: &Values) -> io::Result<Vec<PathBuf>> {
        // What comes from placeholders is no pattern.
        let escaped = values.iter().map(|(name, value)| (*name, glob::Pattern::escape(value))).collect();
        let pattern = self.audit.received.fill(&escaped);
        let paths = glob::glob(&pattern).map_err(io::Error::other)?;
        Ok(paths.filter_map(Result::ok).filter(|path| path.is_file()).take(MAX_RECEIVED).collect())
    }
}

/// The received file, held against the sent one.
struct Found {
    truth: Truth,
    excerpt: Option<Excerpt>,
    /// How many more files there are.
    others: usize,
}

fn with_output(why: String, server: Option<Running>) -> Trouble {
    let ended = server.and_then(|server| server.wait(Duration::ZERO, GRACE).ok());
    let output = ended.map(|ended| last_lines("server", &ended.lines)).unwrap_or_default();
    Trouble { why, output }
}
