//! Clients that are started by a command line with placeholders.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{ClientJob, ClientProgram, Goal};
use crate::wire::escaped;
use process::{EndKind, Launch, Line, Placeholder, ProgramEnd, Template, TemplateError, Values, last_line};

/// How often a running program is looked at.
const TICK: Duration = Duration::from_millis(5);
/// How long a program that is told to end has for it.
pub(crate) const GRACE: Duration = Duration::from_millis(500);
/// What can stand in the command of a client.
const OF_CLIENTS: &[Placeholder] = &[
    Placeholder::Host,
    Placeholder::Port,
    Placeholder::File,
    Placeholder::Name,
    Placeholder::Id,
    Placeholder::Received,
    Placeholder::Client,
    Placeholder::Here,
];
/// The same for the command of a server.
const OF_SERVERS: &[Placeholder] =
    &[Placeholder::Host, Placeholder::Port, Placeholder::Server, Placeholder::Here];
/// What stands in the last words of a program that wanted input, in lower case.
const ASKS_FOR_INPUT: &[&str] =
    &["eoferror", "eof when reading", "nosuchelementexception", "press ", "enter "];

/// One command line, with placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramCommand {
    line: Template,
    /// Where it was given.
    here: PathBuf,
}

/// Why a command line cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramCommandError {
    /// It is no command line, or one with something unknown.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// It does not say where the server is.
    #[error("the command needs {{port}}: each case listens on another")]
    NoPort,
    /// It cannot be told where it was given.
    #[error("the working directory is not known: {0}")]
    NoHere(#[source] io::Error),
}

impl ProgramCommand {
    /// Reads the command line of a client, given in this process's working directory: it is run in another, and finds by
    /// [`Template::at_home`] what is there.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(command: &str) -> Result<Self, ProgramCommandError> {
        Self::parse_with(command, OF_CLIENTS)
    }

    /// The same for the command of a server, which runs in `{server}`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse_server(command: &str) -> Result<Self, ProgramCommandError> {
        Self::parse_with(command, OF_SERVERS)
    }

    fn parse_with(command: &str, known: &'static [Placeholder]) -> Result<Self, ProgramCommandError> {
        let line = Template::parse_command(command, known)?;
        if !line.tells(Placeholder::Port) {
            return Err(ProgramCommandError::NoPort);
        }
        let here = std::env::current_dir().map_err(ProgramCommandError::NoHere)?;
        Ok(Self { line: line.at_home(&here), here })
    }

    /// How it is started as the client of `job`.
    fn launch(&self, job: &ClientJob) -> Result<Launch, TemplateError> {
        let mut values = self.values(job.address);
        values.extend([
            (Placeholder::File, shown(&job.file)),
            (Placeholder::Name, job.name.clone()),
            (Placeholder::Id, job.id.clone()),
            (Placeholder::Received, shown(&job.out)),
            (Placeholder::Client, shown(&job.dir)),
        ]);
        self.line.launch(&values, &[], &job.dir)
    }

    /// How it is started as a server that listens at `address` and has `dir` to itself.
    ///
    /// # Errors
    /// If a placeholder cannot be replaced where it stands.
    pub(crate) fn launch_server(&self, address: SocketAddr, dir: &Path) -> Result<Launch, TemplateError> {
        let mut values = self.values(address);
        values.insert(Placeholder::Server, shown(dir));
        self.line.launch(&values, &[], dir)
    }

    fn values(&self, address: SocketAddr) -> Values {
        Values::from([
            (Placeholder::Host, address.ip().to_string()),
            (Placeholder::Port, address.port().to_string()),
            (Placeholder::Here, shown(&self.here)),
        ])
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The command lines of one client.
#[derive(Clone, Debug, Default)]
pub struct ClientCommands {
    /// Runs the 22 steps with `{file}`.
    pub whole: Option<ProgramCommand>,
    /// Uploads `{file}`.
    pub put: Option<ProgramCommand>,
    /// Downloads `{id}` to `{received}`.
    pub get: Option<ProgramCommand>,
    /// Asks for the listing.
    pub list: Option<ProgramCommand>,
}

impl ClientCommands {
    fn of(&self, goal: Goal) -> Option<&ProgramCommand> {
        match goal {
            Goal::Whole => self.whole.as_ref(),
            Goal::Put => self.put.as_ref(),
            Goal::Get => self.get.as_ref(),
            Goal::List => self.list.as_ref(),
        }
    }
}

impl ClientProgram for ClientCommands {
    fn can(&self, goal: Goal) -> bool {
        self.of(goal).is_some()
    }

    fn writes_out(&self, goal: Goal) -> bool {
        self.of(goal).is_some_and(|command| command.line.tells(Placeholder::Received))
    }

    fn run(&self, job: &ClientJob, stop: &AtomicBool) -> io::Result<ProgramEnd> {
        let launch = self.of(job.goal).ok_or(io::ErrorKind::NotFound)?.launch(job);
        let mut running = launch.map_err(io::Error::other)?.spawn()?;
        while running.poll()?.is_none() && !stop.load(Ordering::Relaxed) {
            std::thread::sleep(TICK);
        }
        running.wait(Duration::ZERO, GRACE)
    }
}

/// How a program ended, in words.
pub(crate) fn end_text(ended: &ProgramEnd) -> String {
    let how = ended.how.of("it");
    match last_words(&ended.lines) {
        Some(words) => format!("{how}; its last words: {words}"),
        None => format!("{how} and said nothing"),
    }
}

/// The last line of a program that says anything, in quotes.
pub(crate) fn last_words(lines: &[Line]) -> Option<String> {
    last_line(lines).map(|line| escaped(line.as_bytes()))
}

/// What may be the matter with a program that ended like this, `at_once` if it did so without a connection.
pub(super) fn hints(ended: &ProgramEnd, at_once: bool) -> Vec<String> {
    let last = last_line(&ended.lines);
    let asks = last.is_some_and(|line| {
        let line = line.to_lowercase();
        ASKS_FOR_INPUT.iter().any(|words| line.contains(words))
    });
    let mut hints = Vec::new();
    if asks || (at_once && matches!(ended.how, EndKind::Exited(_))) {
        hints.push("programs get no input, only its end: does it wait for some?".into());
    }
    if last.is_none() && ended.how == EndKind::Hung {
        let hint = "what goes into a pipe has to be flushed line by line: did it say something that was not?";
        hints.push(hint.into());
    }
    hints
}
