//! One transfer between the two programs, through the proxy, in fresh directories; and what came of it.

use std::fs;
use std::io;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use std::time::Instant;

use super::claim::{ObservedClaim, claim, premature};
use super::judge::ClientClaim;
use super::outcome::Trouble;
use super::payload::is_of;
use super::programs::{
    Dirs, GRACE, before, check_free, client, last_words, pattern, receiver, server, telling, values,
    with_address,
};
use super::received::{Destination, ReceivedFile, listing};
use super::route::Route;
use super::sent::SentFile;
use super::spec::{Audit, AuditServer, ExtraEnv};
use super::why::{Note, OutputLine, Speaker, Why};
use faults::Content;
use faults::proxy::{PlacedFault, ProxyOutcome, Settings};
use faults::{Excerpt, Truth};
use process::{
    EndKind, HOST, Launch, Placeholder, ProgramEnd, Running, ServerLaunch, ServerStartError, StartedServer,
    Template, TemplateError, Values, free_port,
};

/// How much of what a run carries is kept, in bytes.
const RECORDING: u64 = 256 << 20;
/// How long a file may take to become what it should be once the client has ended.
const SETTLE: Duration = Duration::from_secs(1);
/// How often it is looked at.
const TICK: Duration = Duration::from_millis(20);

/// What stays the same from run to run.
pub(super) struct TransferSetup<'a> {
    pub(super) audit: &'a Audit,
    pub(super) payload: Content,
    /// The MD5 of it.
    pub(super) digest: String,
    pub(super) sim: &'a Path,
}

/// One transfer between the two programs and what came of it.
pub(super) struct TransferRun {
    pub(super) claim: ClientClaim,
    pub(super) truth: Truth,
    pub(super) excerpt: Option<Excerpt>,
    pub(super) notes: Vec<Note>,
    pub(super) output: Vec<OutputLine>,
    pub(super) took: Duration,
    pub(super) outcome: ProxyOutcome,
    /// Whether it said Fail after it had said Success.
    pub(super) then_failed: bool,
    /// Whether the file lay where it is received before the client started, and was not touched.
    pub(super) stale: bool,
    /// Whether what arrived is the file of this transfer, damaged: nothing else can have written it.
    pub(super) is_of_transfer: bool,
    /// The lines with which the client said Success or Fail, the first few.
    pub(super) claims: Vec<String>,
    /// Where the received file was looked for.
    pub(super) looked_for: String,
    /// What lies in the directory of the program that receives it.
    pub(super) lies_there: String,
}

impl TransferRun {
    /// What was said and what is true, in words.
    pub(super) fn in_words(&self) -> String {
        let claim = match &self.claim {
            ClientClaim::Error(_) => {
                format!("the client ended with {} and without a word on the transfer", self.claim)
            }
            claim => format!("the client said {claim}"),
        };
        let mut words = format!("{claim}; {}", self.truth);
        self.notes.iter().for_each(|note| words.push_str(&format!("; {note}")));
        if let Some(last) = self.output.iter().rev().find(|line| line.from == Speaker::Client) {
            words.push_str(&format!("; the client's last words: {}", last.text));
        }
        words
    }
}

impl TransferSetup<'_> {
    /// One transfer, in the directory `root`.
    pub(super) fn transfer(
        &self,
        root: &Path,
        faults: Vec<PlacedFault>,
        env: &ExtraEnv,
    ) -> Result<TransferRun, Trouble> {
        let named = |error: io::Error| format!("{}: {error}", root.display());
        let dirs = Dirs::make(root).map_err(named)?;
        let mut values = values(self.audit, &dirs, self.sim, &self.digest);
        let data = if self.audit.data_port { Some(free_port()?) } else { None };
        if let Some(data) = data {
            values.insert(Placeholder::Data, data.to_string());
        }
        let _sent = SentFile::put(&self.payload, Path::new(&values[&Placeholder::File]), root)?;
        let (mut server, route) = self.start_server(&dirs, &values, data, &env.server)?;
        for command in before(self.audit) {
            let done = self.run_before(&command, &dirs, &values, &route);
            done.map_err(|why| with_output(why, server.take()))?;
        }
        if let Some(why) = premature(self.audit, &values) {
            return Err(with_output(why.into(), server));
        }
        let destination =
            Destination::survey(pattern(self.audit, &values, &dirs), receiver(self.audit, &dirs))?;
        if destination.is_at(Path::new(&values[&Placeholder::File])) {
            let why = "`received` is the file that is sent: it says nothing of what arrived";
            return Err(with_output(why.to_owned().into(), server));
        }
        let settings = Settings { faults, recording: Some(RECORDING), once: None };
        let mut program = client(self.audit);
        program.env.extend_from_slice(&env.client);
        let launch = |host: &str, port| {
            let values = with_address(&values, host, port);
            let launch = program.run.launch(&values, &program.env, &dirs.client)?;
            Ok(Launch { keep: telling(self.audit), ..launch })
        };
        let ran = route.run(&dirs, settings, self.audit.deadline, &launch);
        let (ended, took, outcome) = match ran {
            Ok(ran) => ran,
            Err(why) => return Err(with_output(why, server)),
        };
        self.conclude(&FinishedTransfer { values, dirs, destination, ended, took, outcome }, server)
    }

    /// Starts the server, if there is one to start, and says how it is reached.
    fn start_server(
        &self,
        dirs: &Dirs,
        values: &Values,
        data: Option<u16>,
        env: &[(String, Template)],
    ) -> Result<(Option<Running>, Route), Trouble> {
        if let AuditServer::At(address) = &self.audit.server {
            return Ok((None, Route::Direct { address: address.clone(), data: None }));
        }
        if let (Some(port), false) = (self.audit.port, self.audit.isolate) {
            check_free(port)?;
        }
        let Some(mut program) = server(self.audit) else {
            return Err("there is no server".to_owned().into());
        };
        program.env.extend_from_slice(env);
        let listener = ServerLaunch { ready: program.ready.clone(), port: self.audit.port, grace: GRACE };
        let started = listener.start(|port| {
            let route = match self.audit.isolate {
                true => Route::Isolated { port, server: dirs.meeting("server"), sim: self.sim.to_owned() },
                false => Route::Direct { address: format!("{HOST}:{port}"), data },
            };
            let launch = program.run.launch(&with_address(values, HOST, port), &program.env, &dirs.server)?;
            Ok((route.server(launch), route))
        });
        let StartedServer { running, made: route } = started.map_err(not_started)?;
        Ok((Some(running), route))
    }

    fn run_before(
        &self,
        command: &Template,
        dirs: &Dirs,
        values: &Values,
        route: &Route,
    ) -> Result<(), Trouble> {
        let launch =
            |host: &str, port| Ok(command.launch(&with_address(values, host, port), &[], &dirs.client)?);
        let ended = route.run_past(dirs, self.audit.deadline, &launch)?;
        match ended.how {
            EndKind::Exited(0) => Ok(()),
            how => {
                let last = last_words(Speaker::Client, &ended.lines).pop();
                let last = last.map(|last| format!("; its last words: {}", last.text)).unwrap_or_default();
                Err(format!("`{}`, which goes before, failed: {how}{last}", command.text()).into())
            }
        }
    }

    fn conclude(&self, finished: &FinishedTransfer, server: Option<Running>) -> Result<TransferRun, Trouble> {
        let FinishedTransfer { values, dirs, destination, ended, took, outcome } = finished;
        let ObservedClaim { claim, mut notes, lines: claims, then_failed } = claim(self.audit, values, ended);
        let mut found = self.settle(destination, &claim)?;
        let mut output = last_words(Speaker::Client, &ended.lines);
        if let Some(mut server) = server {
            let before = server.poll()?;
            if let Some(how @ (EndKind::Exited(1..) | EndKind::Signalled(_))) = before {
                notes.push(Note::ServerDied(how));
            }
            let ended = server.wait(Duration::ZERO, GRACE)?;
            output.extend(last_words(Speaker::Server, &ended.lines));
            // What a server writes only when it is told to end counts, too; what it removes then does not.
            let after = destination.find(&self.payload)?;
            if after.truth == Truth::Same {
                found = after;
            }
        }
        let found = found.after(&claim);
        if let Some(why) = found.unreadable {
            return Err(Trouble { why: Why::Unreadable(why), output });
        }
        if found.others > 0 {
            notes.push(Note::MoreFiles(found.others));
        }
        let is_of_transfer = outcome.faults.is_empty() && self.is_of_transfer(&found, destination);
        Ok(TransferRun {
            claim,
            then_failed,
            truth: found.truth,
            excerpt: found.excerpt,
            notes,
            output,
            took: *took,
            outcome: outcome.clone(),
            stale: found.stale,
            is_of_transfer,
            claims,
            looked_for: destination.pattern().to_owned(),
            lies_there: listing(receiver(self.audit, dirs)),
        })
    }

    /// Whether what was found is the file of this transfer, whatever it has become: it came in this run, and its content
    /// shows it, or there is nothing else that it could be.
    fn is_of_transfer(&self, found: &ReceivedFile, destination: &Destination) -> bool {
        let Some(path) = found.path.as_ref().filter(|_| !found.stale) else { return false };
        let mut payload = vec![0; usize::try_from(self.payload.len()).unwrap_or_default()];
        let is_read = self.payload.read_at(0, &mut payload).is_ok();
        let shows = || fs::read(path).is_ok_and(|arrived| is_of(&payload, &arrived));
        let is_named = path.file_name().is_some_and(|name| name == self.audit.name.as_str());
        is_read && (shows() || is_named && destination.is_only_file(path, self.payload.len()))
    }

    /// What became of the file. A program that is still writing, or still removing what it wrote, gets a moment before
    /// anything is held against it.
    fn settle(&self, destination: &Destination, claim: &ClientClaim) -> io::Result<ReceivedFile> {
        let deadline = Instant::now() + SETTLE;
        loop {
            let found = destination.find(&self.payload)?;
            if found.is_settled(claim) && found.unreadable.is_none() || Instant::now() >= deadline {
                return Ok(found);
            }
            sleep(TICK);
        }
    }
}

/// A transfer that is over.
struct FinishedTransfer {
    values: Values,
    dirs: Dirs,
    destination: Destination,
    ended: ProgramEnd,
    took: Duration,
    outcome: ProxyOutcome,
}

fn not_started(error: ServerStartError<TemplateError>) -> Trouble {
    let why = error.to_string();
    let output = match error {
        ServerStartError::NotReady { lines, .. } => last_words(Speaker::Server, &lines),
        ServerStartError::NoPort(_) | ServerStartError::NoLaunch(_) | ServerStartError::NoStart(_) => {
            Vec::new()
        }
    };
    Trouble { output, ..Trouble::from(why) }
}

fn with_output(trouble: Trouble, server: Option<Running>) -> Trouble {
    let ended = server.and_then(|server| server.wait(Duration::ZERO, GRACE).ok());
    let output = ended.map(|ended| last_words(Speaker::Server, &ended.lines)).unwrap_or_default();
    Trouble { output, ..trouble }
}
