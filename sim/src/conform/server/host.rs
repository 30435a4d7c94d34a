//! Servers that are started here: each in a directory of its own, on a free port, and ended when they are dropped.

use std::io;
use std::net::SocketAddr;

use tempfile::TempDir;

use crate::conform::client::last_words;
use crate::conform::{Command, QUIET};
use crate::process::{How, Ready, Running, free_port};

/// A server that runs.
pub(super) struct Host {
    pub(super) address: SocketAddr,
    running: Running,
    // Dropped behind the program that lives in it.
    _dir: TempDir,
}

impl Host {
    /// Starts one and waits until it listens, which is asked of the system where that can be: a server may serve one
    /// connection and end.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub(super) fn start(command: &Command) -> Result<Self, String> {
        let failed = |error: io::Error| format!("the server cannot be started: {error}");
        let dir = tempfile::Builder::new().prefix("sim-conform-").tempdir().map_err(failed)?;
        let address = SocketAddr::from(([127, 0, 0, 1], free_port().map_err(failed)?));
        let mut running =
            command.launch_server(address, dir.path()).spawn().map_err(|error| error.to_string())?;
        let ready = running.wait_ready(&Ready::Port, address.port());
        ready.map_err(|why| {
            let words = last_words(&running.lines()).map(|words| format!("; its last words: {words}"));
            format!("{why}{}; it has to listen on {{port}} and gets no input", words.unwrap_or_default())
        })?;
        Ok(Self { address, running, _dir: dir })
    }

    /// What may help who looks for a mistake: how it ended, and the last that it said.
    pub(super) fn hints(&mut self) -> Vec<String> {
        // Its connections end before it does.
        std::thread::sleep(QUIET);
        let ended = match self.running.poll() {
            Ok(Some(How::Exited(code))) => Some(format!("the server ended with exit code {code}")),
            Ok(Some(How::Signalled(signal))) => Some(format!("signal {signal} ended the server")),
            _ => None,
        };
        let words =
            last_words(&self.running.lines()).map(|words| format!("the server's last words: {words}"));
        ended.into_iter().chain(words).collect()
    }
}
