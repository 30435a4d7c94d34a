//! Servers that are started here: each in a directory of its own, on a free port, and ended when they are dropped.

use std::io;
use std::net::SocketAddr;

use tempfile::TempDir;

use crate::client::{GRACE, last_words};
use crate::{ProgramCommand, QUIET};
use process::{EndKind, Ready, Running, ServerLaunch, ServerStartError, StartedServer, TemplateError};

/// A server that runs.
pub(super) struct StartedHost {
    pub(super) address: SocketAddr,
    running: Running,
    // Dropped behind the program that lives in it.
    _dir: TempDir,
}

/// Why there is no server.
pub(super) type HostError = ServerStartError<LaunchError>;

/// Why a server cannot even be tried.
#[derive(Debug, thiserror::Error)]
pub(super) enum LaunchError {
    /// There is no directory for it.
    #[error("the server cannot be started: {0}")]
    Dir(#[from] io::Error),
    /// There is no command line.
    #[error(transparent)]
    ProgramCommand(#[from] TemplateError),
}

impl StartedHost {
    /// Starts one and waits until it listens, which is asked of the system where that can be: a server may serve one
    /// connection and end.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn start(command: &ProgramCommand) -> Result<Self, HostError> {
        let listener = ServerLaunch { ready: Ready::Port, port: None, grace: GRACE };
        let started = listener.start(|port| {
            let dir = tempfile::Builder::new().prefix("sim-conform-").tempdir()?;
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            Ok((command.launch_server(address, dir.path())?, (address, dir)))
        });
        let StartedServer { running, made: (address, dir) } = started?;
        Ok(Self { address, running, _dir: dir })
    }

    /// What may help who looks for a mistake: how it ended, and the last that it said.
    pub(super) fn hints(&mut self) -> Vec<String> {
        // Its connections end before it does.
        std::thread::sleep(QUIET);
        let ended = match self.running.poll() {
            Ok(Some(how @ (EndKind::Exited(_) | EndKind::Signalled(_)))) => Some(how.of("the server")),
            _ => None,
        };
        let words =
            last_words(&self.running.lines()).map(|words| format!("the server's last words: {words}"));
        ended.into_iter().chain(words).collect()
    }
}

/// Why there is no server, in words.
pub(super) fn in_words(failed: &HostError) -> String {
    match failed {
        ServerStartError::NoPort(error) => format!("the server cannot be started: {error}"),
        ServerStartError::NotReady { why, lines } => {
            let words = last_words(lines).map(|words| format!("; its last words: {words}"));
            let advice = "it has to listen on {port} and gets no input";
            format!("{why}{}; {advice}", words.unwrap_or_default())
        }
        ServerStartError::NoLaunch(_) | ServerStartError::NoStart(_) => failed.to_string(),
    }
}
