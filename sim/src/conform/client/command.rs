//! Clients that are started by a command line with placeholders.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Goal, Job, Program};
use crate::process::{Ended, How, Launch};

/// How often a running program is looked at.
const TICK: Duration = Duration::from_millis(5);
/// How long a program that is told to end has for it.
const GRACE: Duration = Duration::from_millis(500);
/// What can stand in a template.
const PLACEHOLDERS: &[&str] = &["host", "port", "file", "name", "id", "out", "cwd"];

/// One command line, with placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    words: Vec<String>,
}

/// Why a template cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateError {
    /// There is nothing in it.
    Empty,
    /// A quotation mark is left open.
    Quotes,
    /// It has a placeholder that there is none of.
    Unknown(String),
    /// It does not say where the server is.
    NoPort,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the command is empty"),
            Self::Quotes => f.write_str("a quotation mark of the command is left open"),
            Self::Unknown(name) => {
                write!(f, "there is no placeholder {{{name}}}; there are {{{}}}", PLACEHOLDERS.join("}, {"))
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
        let words = shlex::split(template).ok_or(TemplateError::Quotes)?;
        if words.is_empty() {
            return Err(TemplateError::Empty);
        }
        if let Some(name) = words.iter().find_map(|word| unknown(word)) {
            return Err(TemplateError::Unknown(name));
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

    fn fill(&self, job: &Job) -> Vec<OsString> {
        let here = std::env::current_dir().unwrap_or_default();
        let fill = |word: &String| {
            word.replace("{host}", &job.address.ip().to_string())
                .replace("{port}", &job.address.port().to_string())
                .replace("{file}", &job.file.to_string_lossy())
                .replace("{name}", &job.name)
                .replace("{id}", &job.id)
                .replace("{out}", &job.out.to_string_lossy())
                .replace("{cwd}", &here.to_string_lossy())
                .into()
        };
        self.words.iter().map(fill).collect()
    }
}

/// The first word in braces that is no placeholder. Other uses of braces are let alone.
fn unknown(word: &str) -> Option<String> {
    let names = word.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
    let is_name = |name: &&str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase());
    names.map(|(name, _)| name).filter(is_name).find(|name| !PLACEHOLDERS.contains(name)).map(str::to_owned)
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
        let mut words = self.of(job.goal).map(|command| command.fill(job)).unwrap_or_default().into_iter();
        let program = words.next().ok_or(io::ErrorKind::NotFound)?;
        let named =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", program.display()));
        let launch = Launch {
            program: program.clone(),
            args: words.collect(),
            dir: job.dir.clone(),
            env: unbuffered(),
            keep: Vec::new(),
        };
        let mut running = launch.spawn().map_err(named)?;
        while running.poll()?.is_none() && !stop.load(Ordering::Relaxed) {
            std::thread::sleep(TICK);
        }
        running.wait(Duration::ZERO, GRACE)
    }
}

/// A program that is ended in the middle shall not take its last words with it.
fn unbuffered() -> Vec<(OsString, OsString)> {
    vec![("PYTHONUNBUFFERED".into(), "1".into())]
}

/// How a program ended, in words.
pub(super) fn end_text(ended: &Ended) -> String {
    let how = match ended.how {
        How::Exited(code) => format!("it ended with exit code {code}"),
        How::Signalled(signal) => format!("signal {signal} ended it"),
        How::Hung => "it did not end".into(),
    };
    match ended.lines.iter().rev().find(|line| !line.text.trim().is_empty()) {
        Some(line) => format!("{how}; its last words: {}", super::super::wire::escaped(line.text.as_bytes())),
        None => format!("{how} and said nothing"),
    }
}
