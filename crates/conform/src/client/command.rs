//! Clients that are started by a command line with placeholders.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Goal, Job, Program};
use crate::wire::escaped;
use process::{Ended, How, Launch, Line};

/// How often a running program is looked at.
const TICK: Duration = Duration::from_millis(5);
/// How long a program that is told to end has for it.
const GRACE: Duration = Duration::from_millis(500);
/// What can stand in a template.
const PLACEHOLDERS: &[&str] = &["host", "port", "file", "name", "id", "out", "cwd"];
/// The same for the command of a server.
const OF_SERVERS: &[&str] = &["host", "port", "dir", "cwd"];
/// What stands in the last words of a program that wanted input, in lower case.
const ASKS_FOR_INPUT: &[&str] =
    &["eoferror", "eof when reading", "nosuchelementexception", "press ", "enter "];

/// One command line, with placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    words: Vec<String>,
}

/// Why a template cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TemplateError {
    /// There is nothing in it.
    Empty,
    /// A quotation mark is left open.
    Quotes,
    /// It has a placeholder that there is none of.
    Unknown(String, &'static [&'static str]),
    /// It does not say where the server is.
    NoPort,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the command is empty"),
            Self::Quotes => f.write_str("a quotation mark of the command is left open"),
            Self::Unknown(name, known) => {
                write!(f, "there is no placeholder {{{name}}}; there are {{{}}}", known.join("}, {"))
            }
            Self::NoPort => f.write_str("the command needs {port}: each case listens on another"),
        }
    }
}

impl std::error::Error for TemplateError {}

impl Command {
    /// Reads a command line as a shell would split it. A word that names a file here is made absolute, because
    /// the program runs in a directory of its own.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(template: &str) -> Result<Self, TemplateError> {
        Self::parse_with(template, PLACEHOLDERS)
    }

    /// The same for the command of a server, which runs in `{dir}`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse_server(template: &str) -> Result<Self, TemplateError> {
        Self::parse_with(template, OF_SERVERS)
    }

    fn parse_with(template: &str, known: &'static [&'static str]) -> Result<Self, TemplateError> {
        let words = shlex::split(template).ok_or(TemplateError::Quotes)?;
        if words.is_empty() {
            return Err(TemplateError::Empty);
        }
        if let Some(name) = words.iter().find_map(|word| unknown(word, known)) {
            return Err(TemplateError::Unknown(name, known));
        }
        if !words.iter().any(|word| word.contains("{port}")) {
            return Err(TemplateError::NoPort);
        }
        let absolute = |(index, word): (usize, String)| {
            // A program without a slash is looked up in PATH, also if a file here has its name.
            let is_path = index > 0 || word.contains(std::path::is_separator);
            let path = Path::new(&word);
            let found = is_path && path.is_relative() && path.exists();
            match std::path::absolute(path) {
                Ok(path) if found => path.to_string_lossy().into_owned(),
                _ => word,
            }
        };
        Ok(Self { words: words.into_iter().enumerate().map(absolute).collect() })
    }

    /// How it is started as the client of `job`.
    fn launch(&self, job: &Job) -> Launch {
        let values = [
            ("{host}", job.address.ip().to_string()),
            ("{port}", job.address.port().to_string()),
            ("{file}", job.file.to_string_lossy().into()),
            ("{name}", job.name.clone()),
            ("{id}", job.id.clone()),
            ("{out}", job.out.to_string_lossy().into()),
        ];
        self.fill(&values, &job.dir)
    }

    /// How it is started as a server that listens at `address` and has `dir` to itself.
    pub(crate) fn launch_server(&self, address: SocketAddr, dir: &Path) -> Launch {
        let values = [
            ("{host}", address.ip().to_string()),
            ("{port}", address.port().to_string()),
            ("{dir}", dir.to_string_lossy().into()),
        ];
        self.fill(&values, dir)
    }

    fn fill(&self, values: &[(&str, String)], dir: &Path) -> Launch {
        let here = std::env::current_dir().unwrap_or_default();
        let fill = |word: &String| -> OsString {
            let word = word.replace("{cwd}", &here.to_string_lossy());
            values.iter().fold(word, |word, (name, value)| word.replace(name, value)).into()
        };
        let mut words = self.words.iter().map(fill);
        // A template has a word at least.
        let program = words.next().unwrap_or_default();
        // A program that is ended in the middle shall not take its last words with it.
        let env = vec![("PYTHONUNBUFFERED".into(), "1".into())];
        Launch { program, args: words.collect(), dir: dir.to_owned(), env, keep: Vec::new() }
    }
}

/// The first word in braces that is no placeholder. Other uses of braces are let alone.
fn unknown(word: &str, known: &[&str]) -> Option<String> {
    let names = word.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
    let is_name = |name: &&str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase());
    names.map(|(name, _)| name).filter(is_name).find(|name| !known.contains(name)).map(str::to_owned)
}

/// The command lines of one client.
#[derive(Clone, Debug, Default)]
pub struct Templates {
    /// Runs the 22 steps with `{file}`.
    pub whole: Option<Command>,
    /// Uploads `{file}`.
    pub put: Option<Command>,
    /// Downloads `{id}` to `{out}`.
    pub get: Option<Command>,
    /// Asks for the listing.
    pub list: Option<Command>,
}

impl Templates {
    fn of(&self, goal: Goal) -> Option<&Command> {
        match goal {
            Goal::Whole => self.whole.as_ref(),
            Goal::Put => self.put.as_ref(),
            Goal::Get => self.get.as_ref(),
            Goal::List => self.list.as_ref(),
        }
    }
}

impl Program for Templates {
    fn can(&self, goal: Goal) -> bool {
        self.of(goal).is_some()
    }

    fn writes_out(&self, goal: Goal) -> bool {
        self.of(goal).is_some_and(|command| command.words.iter().any(|word| word.contains("{out}")))
    }

    fn run(&self, job: &Job, stop: &AtomicBool) -> io::Result<Ended> {
        let launch = self.of(job.goal).ok_or(io::ErrorKind::NotFound)?.launch(job);
        let mut running = launch.spawn()?;
        while running.poll()?.is_none() && !stop.load(Ordering::Relaxed) {
            std::thread::sleep(TICK);
        }
        running.wait(Duration::ZERO, GRACE)
    }
}

/// How a program ended, in words.
pub(crate) fn end_text(ended: &Ended) -> String {
    let how = match ended.how {
        How::Exited(code) => format!("it ended with exit code {code}"),
        How::Signalled(signal) => format!("signal {signal} ended it"),
        How::Hung => "it did not end".into(),
    };
    match last_words(&ended.lines) {
        Some(words) => format!("{how}; its last words: {words}"),
        None => format!("{how} and said nothing"),
    }
}

/// The last line of a program that says anything, in quotes.
pub(crate) fn last_words(lines: &[Line]) -> Option<String> {
    last_line(lines).map(|line| escaped(line.as_bytes()))
}

fn last_line(lines: &[Line]) -> Option<&str> {
    lines.iter().rev().map(|line| line.text.as_str()).find(|text| !text.trim().is_empty())
}

/// What may be the matter with a program that ended like this, `at_once` if it did so without a connection.
pub(super) fn hints(ended: &Ended, at_once: bool) -> Vec<String> {
    let last = last_line(&ended.lines);
    let asks = last.is_some_and(|line| {
        let line = line.to_lowercase();
        ASKS_FOR_INPUT.iter().any(|words| line.contains(words))
    });
    let mut hints = Vec::new();
    if asks || (at_once && matches!(ended.how, How::Exited(_))) {
        hints.push("programs get no input, only its end: does it wait for some?".into());
    }
    if last.is_none() && ended.how == How::Hung {
        let hint = "what goes into a pipe has to be flushed line by line: did it say something that was not?";
        hints.push(hint.into());
    }
    hints
}
