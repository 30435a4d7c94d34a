//! The programs of a run, and what their command lines come to.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::spec::{Audit, AuditProgram, AuditServer, Need, Pattern, Signal};
use super::why::{OutputLine, Speaker};
use faults::Direction;
use faults::text::visible;
use process::{HOST, Line, Placeholder, Ready, Template, Values, is_installed, last_lines};

/// Where the proxy stands if a port has to have the same number on both of its sides.
pub(super) const OTHER_HOST: &str = "127.0.0.2";
/// How long a program that is told to end has for it.
pub(super) const GRACE: Duration = Duration::from_millis(500);
/// How many digits of the file's MD5 `{beginning}` has.
const BEGINNING: usize = 8;
/// How many of its last lines are shown of a program.
const LAST_LINES: usize = 8;

/// The directories of one run.
#[derive(Clone, Debug)]
pub(super) struct Dirs {
    pub(super) server: PathBuf,
    pub(super) client: PathBuf,
}

impl Dirs {
    /// Makes them, fresh.
    pub(super) fn make(root: &Path) -> std::io::Result<Self> {
        let dirs = Self { server: root.join("server"), client: root.join("client") };
        std::fs::create_dir_all(&dirs.server)?;
        std::fs::create_dir_all(&dirs.client)?;
        Ok(dirs)
    }

    /// Where a program in a network of its own and the harness meet.
    pub(super) fn meeting(&self, name: &str) -> PathBuf {
        self.server.with_file_name(format!(".{name}"))
    }
}

/// What all placeholders but the port come to in a run of a file with this MD5.
pub(super) fn values(audit: &Audit, dirs: &Dirs, sim: &Path, digest: &str) -> Values {
    let shown = |path: &Path| path.to_string_lossy().into_owned();
    let folder = audit.path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let here = std::path::absolute(folder.unwrap_or(Path::new("."))).unwrap_or_default();
    let mut values = Values::from([
        (Placeholder::Host, HOST.to_owned()),
        (Placeholder::Name, audit.name.clone()),
        (Placeholder::Id, digest.to_owned()),
        (Placeholder::Beginning, digest.chars().take(BEGINNING).collect()),
        (Placeholder::Server, shown(&dirs.server)),
        (Placeholder::Client, shown(&dirs.client)),
        (Placeholder::Here, shown(&here)),
        (Placeholder::Sim, shown(sim)),
    ]);
    let (sender, receiver) = (sender(audit, dirs), receiver(audit, dirs));
    let (sent, received) = (audit.sent.fill(&values), audit.received.fill(&values));
    values.insert(Placeholder::File, shown(&sender.join(sent)));
    values.insert(Placeholder::Received, shown(&receiver.join(received)));
    values
}

/// The directory of the program that sends the file.
fn sender<'a>(audit: &Audit, dirs: &'a Dirs) -> &'a Path {
    if audit.transfer == Direction::Upload { &dirs.client } else { &dirs.server }
}

/// The directory of the program that receives it.
pub(super) fn receiver<'a>(audit: &Audit, dirs: &'a Dirs) -> &'a Path {
    if audit.transfer == Direction::Upload { &dirs.server } else { &dirs.client }
}

/// Where the received file is looked for: a pattern, in which what comes from placeholders stands for itself.
pub(super) fn pattern(audit: &Audit, values: &Values, dirs: &Dirs) -> String {
    let escaped = values.iter().map(|(name, value)| (*name, glob::Pattern::escape(value))).collect();
    let pattern = audit.received.fill(&escaped);
    if Path::new(&pattern).is_absolute() {
        return pattern;
    }
    format!("{}/{pattern}", glob::Pattern::escape(&receiver(audit, dirs).to_string_lossy()))
}

/// Whether a port that programs have written into them can be listened on.
///
/// # Errors
/// That somebody else does.
pub(super) fn check_free(port: u16) -> Result<(), String> {
    match TcpListener::bind((HOST, port)) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!(
            "port {port}, which the programs have written into them, cannot be had: {error}; end whoever listens \
             there, or say `isolate: true`"
        )),
    }
}

/// The same, with where to listen, or whom to call.
pub(super) fn with_address(values: &Values, host: &str, port: u16) -> Values {
    let mut values = values.clone();
    values.insert(Placeholder::Host, host.to_owned());
    values.insert(Placeholder::Port, port.to_string());
    values
}

/// The server of the audit, if one is to be started.
pub(super) fn server(audit: &Audit) -> Option<AuditProgram> {
    match &audit.server {
        AuditServer::Program(program) => Some(program.clone()),
        AuditServer::Own => Some(own("{sim} serve --dir {server}/store --listen {host}:{port} --quiet")),
        AuditServer::At(_) => None,
    }
}

/// The client of the audit.
pub(super) fn client(audit: &Audit) -> AuditProgram {
    let timeout = audit.deadline.as_secs_f64() / 2.0;
    let what = match audit.transfer {
        Direction::Upload => "put {host}:{port} {file}",
        Direction::Download => "get {host}:{port} {name} -o {received}",
    };
    audit.client.clone().unwrap_or_else(|| own(&format!("{{sim}} {what} --timeout {timeout}")))
}

/// What is run before the transfer, past the proxy.
pub(super) fn before(audit: &Audit) -> Vec<Template> {
    let mut commands = Vec::new();
    if matches!(audit.server, AuditServer::Own) && audit.transfer == Direction::Download {
        commands.push(Template::new("{sim} put {host}:{port} {file}"));
    }
    commands.extend(audit.before.iter().cloned());
    commands
}

impl Audit {
    /// The programs that it needs and that are not installed.
    #[must_use]
    pub fn missing(&self) -> Vec<&Need> {
        self.needs.iter().filter(|need| !is_installed(&need.program)).collect()
    }
}

fn own(run: &str) -> AuditProgram {
    AuditProgram { run: Template::new(run), env: Vec::new(), ready: Ready::Port }
}

/// The lines that say something of a transfer.
pub(super) fn telling(audit: &Audit) -> Vec<Pattern> {
    let signals = std::iter::once(&audit.success).chain(&audit.fail);
    let line = |signal: &Signal| match signal {
        Signal::Line(pattern) => Some(pattern.clone()),
        Signal::Exit(_) | Signal::File(_) => None,
    };
    signals.filter_map(line).collect()
}

/// The last lines of a program.
pub(super) fn last_words(from: Speaker, lines: &[Line]) -> Vec<OutputLine> {
    let last = last_lines(lines, LAST_LINES);
    last.into_iter().map(|line| OutputLine { from, text: visible(line) }).collect()
}
