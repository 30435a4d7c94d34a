//! Servers under test: the harness is the client. The expectations that all cases share are in `conversation.rs` and
//! `listing.rs`, the cases in the files that are named after what they are about.

mod attacks;
mod conversation;
mod dial;
mod framing;
mod host;
mod listing;
mod lists;
mod refusals;
mod transfers;
mod uploads;

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::LazyLock;
use std::time::Duration;

use protocol::Entry;

use super::content::{FileContent, noise, seed_of};
use super::{
    ActualInput, Bench, Case, CaseInfo, Check, ConformOptions, Difference, EndedProgram, File, Finding,
    OUTLIVES, Obstacle, ProgramCommand, QUIET, Report, Side, Stop, TIMEOUT, broken, broken_payload, run,
};
use conversation::{Conversation, refusal_code};
use dial::Dialer;
use host::{StartedHost, in_words};

static CASES: LazyLock<Vec<Case<ServerBench>>> = LazyLock::new(|| {
    let parts =
        [lists::CASES, transfers::CASES, uploads::CASES, refusals::CASES, framing::CASES, attacks::CASES];
    let mut cases = parts.concat();
    cases.sort_by_key(|case| case.info.level);
    cases
});

/// Every case for servers, by level.
#[must_use]
pub fn cases() -> Vec<CaseInfo> {
    CASES.iter().map(|case| case.info.clone()).collect()
}

/// How long a server has to come to its end after the first case and those that it failed, if it is one that ends.
const SETTLE: Duration = Duration::from_millis(200);
/// The same after any other case.
const SETTLE_SHORT: Duration = Duration::from_millis(15);

/// Plays the cases that `options` asks for against the server at the first of `addresses` that answers.
#[must_use]
pub fn test(addresses: &[SocketAddr], options: &ConformOptions) -> Report {
    report(ServerBench::new(addresses, None, options), options)
}

/// The same against a server that `command` starts, anew for each case.
#[must_use]
pub fn test_command(command: &ProgramCommand, options: &ConformOptions) -> Report {
    report(ServerBench::new(&[], Some(command), options), options)
}

fn report(mut bench: ServerBench, options: &ConformOptions) -> Report {
    let results = run(&CASES, options, &mut bench);
    Report { side: Side::Server, seed: bench.seed, round: bench.round, results }
}

/// What the cases for servers are run on.
struct ServerBench {
    dialer: Rc<Dialer>,
    command: Option<ProgramCommand>,
    /// The server of this case, if it is started here, or why there is none.
    host: Option<Result<StartedHost, String>>,
    limit: Duration,
    seed: u64,
    /// Which files by this seed are sent: those of the rounds before are still at the server, from earlier runs.
    round: u32,
    /// The name of this case.
    case: &'static str,
    /// How many files were made in this case, so that each is another.
    files: u64,
    warning: Rc<RefCell<Option<Finding>>>,
}

impl Bench for ServerBench {
    fn begin(&mut self, case: &CaseInfo) {
        self.warning.replace(None);
        self.dialer.begin();
        // A case that is tried again on the same server needs other files than it sent before.
        if self.command.is_some() || self.case != case.name {
            self.files = 0;
        }
        self.case = case.name;
        if let Some(command) = &self.command {
            // The one before is ended first.
            self.host = None;
            let host = StartedHost::start(command).map_err(|failed| in_words(&failed));
            self.dialer.aim(host.iter().map(|host| host.address).collect());
            self.host = Some(host);
        }
    }

    fn warning(&mut self) -> Option<Finding> {
        self.warning.take()
    }

    /// Asked only of a server that has said nothing in this case, for the question is a connection.
    fn ended_program(&mut self) -> Option<EndedProgram> {
        let count = self.dialer.connections();
        if self.command.is_some() || self.dialer.has_heard() || count == 0 {
            return None;
        }
        let error =
            self.dialer.dial().err().filter(|error| error.kind() == io::ErrorKind::ConnectionRefused)?;
        let connections = if count == 1 { "1 connection".into() } else { format!("{count} connections") };
        let charge = Finding {
            rule: OUTLIVES,
            title: Some("After this case the server did not serve any more".into()),
            expected: "the next connection served as this one".into(),
            came: format!("{error}, after {connections}"),
            hints: vec!["--server-command starts a server anew for each case".into()],
            ..Finding::default()
        };
        Some(EndedProgram {
            charge: (!self.dialer.is_reached()).then_some(charge),
            why: format!(
                "the server seems to have ended after {connections}; it has to serve the next (R{OUTLIVES})"
            ),
        })
    }

    fn settle(&mut self, long: bool) {
        if self.command.is_none() {
            std::thread::sleep(if long { SETTLE } else { SETTLE_SHORT });
        }
    }

    fn hints(&mut self) -> Vec<String> {
        match &mut self.host {
            Some(Ok(host)) => host.hints(),
            _ => Vec::new(),
        }
    }
}

impl ServerBench {
    fn new(addresses: &[SocketAddr], command: Option<&ProgramCommand>, options: &ConformOptions) -> Self {
        let limit = options.timeout.unwrap_or(TIMEOUT);
        Self {
            dialer: Rc::new(Dialer::new(addresses, limit)),
            command: command.cloned(),
            host: None,
            limit,
            seed: options.seed,
            round: 0,
            case: "",
            files: 0,
            warning: Rc::default(),
        }
    }

    /// A connection. A server may close between commands (R26): the next exchange then goes over a new one.
    fn connect(&self) -> Check<Conversation> {
        if let Some(Err(why)) = &self.host {
            // One that was there before can be started.
            let has_started = self.dialer.connections() > 0;
            return Err(if has_started {
                Stop::Lost(why.clone())
            } else {
                Stop::NotReached(why.clone().into())
            });
        }
        Ok(Conversation::new(self.dialer.wire()?, &self.dialer, self.own(), &self.warning))
    }

    /// A connection whose exchanges have to be one session: a server that closes in its midst stays away from the case.
    fn session(&self) -> Check<Conversation> {
        Ok(self.connect()?.in_one_session())
    }

    /// What all names by this seed have in them.
    fn mark(&self) -> String {
        format!("c{:x}r", self.seed)
    }

    /// What all names of this case have in them.
    fn own(&self) -> String {
        format!("{}{}-{}-", self.mark(), self.round, self.case)
    }

    /// Files of earlier runs with this seed are not sent again: that they are listed would show nothing.
    fn pass_over(&mut self, listed: &[Entry]) {
        let mark = self.mark();
        let round = |entry: &Entry| -> Option<u32> {
            let (_, rest) = entry.name.as_str().split_once(&mark)?;
            rest.split_once('-')?.0.parse().ok()
        };
        let rounds = listed.iter().filter_map(round);
        self.round = rounds.max().map_or(0, |latest| latest.saturating_add(1));
    }

    /// A file that no other case and no other round has.
    fn file(&mut self, content: impl Into<FileContent>) -> File {
        self.named("", ".bin", content)
    }

    /// The same with something before and behind its name.
    fn named(&mut self, before: &str, behind: &str, content: impl Into<FileContent>) -> File {
        self.files += 1;
        let name = format!("{}{}", self.own(), self.files);
        let bytes = content.into().bytes(seed_of(&name));
        File { name: format!("{before}{name}{behind}"), bytes }
    }

    /// A file with this content, its name new.
    fn with_content(&mut self, bytes: &[u8]) -> File {
        File { bytes: bytes.to_vec(), ..self.file(0) }
    }

    /// New connections are served, whatever happened; also a moment later, for it may take the server a moment.
    fn still_serves(&self) -> Check {
        self.connect()?.list()?;
        std::thread::sleep(QUIET);
        self.connect()?.list().map(drop)
    }

    /// The same, and `file` is not listed.
    fn never_lists(&self, rule: u8, file: &File) -> Check {
        self.connect()?.lists_not(rule, file)?;
        std::thread::sleep(QUIET);
        self.connect()?.lists_not(rule, file)
    }
}

/// Whether a name is that of a file which a case of this or another run has sent: it has the mark, the round and the case
/// in it.
fn is_sent(name: &str) -> bool {
    let is_number = |text: &str, is: fn(&u8) -> bool| !text.is_empty() && text.as_bytes().iter().all(is);
    let is_mark = |before: &str| {
        let parts = before.rsplit_once('r').and_then(|(seed, round)| Some((seed.rsplit_once('c')?.1, round)));
        parts.is_some_and(|(seed, round)| {
            is_number(seed, u8::is_ascii_hexdigit) && is_number(round, u8::is_ascii_digit)
        })
    };
    let is_of = |case: &Case<ServerBench>| name.split_once(&format!("-{}-", case.info.name));
    CASES.iter().filter_map(is_of).any(|(before, _)| is_mark(before))
}
