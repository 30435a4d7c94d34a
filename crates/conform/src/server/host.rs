//! Servers that are started here: each in a directory of its own, on a free port, and ended when they are dropped.

use std::io;
use std::net::SocketAddr;

use tempfile::TempDir;

use crate::client::last_words;
use crate::{Command, QUIET};
use process::{How, NotReady, Ready, Running, free_port};

/// How often a server is started for a case: the port that was free a moment ago may be taken.
const STARTS: usize = 4;

/// Why there is no server.
struct NotStarted {
    why: String,
    /// Whether it ended at once: only then may somebody else have had its port.
    may_be_the_port: bool,
}

/// A port that is free, and none of these.
fn other_port(lost: &[u16]) -> io::Result<u16> {
    let mut port = free_port()?;
    // The system hands out others in turn: it comes to one.
    for _ in 0..STARTS {
        if !lost.contains(&port) {
            break;
        }
        port = free_port()?;
    }
    Ok(port)
}

/// A server that runs.
pub(super) struct Host {
    pub(super) address: SocketAddr,
    running: Running,
    // Dropped behind the program that lives in it.
    _dir: TempDir,
}

impl Host {
    /// Starts one and waits until it listens, which is asked of the system where that can be: a server may serve one
    /// connection and end. Somebody else may take its port before it does, so that it gets another chance, on another
    /// port.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub(super) fn start(command: &Command) -> Result<Self, String> {
        let mut lost = Vec::new();
        loop {
            let port = other_port(&lost).map_err(|error| format!("the server cannot be started: {error}"))?;
            match Self::start_on(command, port) {
                Ok(host) => return Ok(host),
                Err(failed) if failed.may_be_the_port && lost.len() + 1 < STARTS => lost.push(port),
                Err(failed) => return Err(failed.why),
            }
        }
    }

    fn start_on(command: &Command, port: u16) -> Result<Self, NotStarted> {
        let failed = |error: io::Error| NotStarted {
            why: format!("the server cannot be started: {error}"),
            may_be_the_port: false,
        };
        let dir = tempfile::Builder::new().prefix("sim-conform-").tempdir().map_err(failed)?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let spawned = command.launch_server(address, dir.path()).spawn();
        let mut running =
            spawned.map_err(|error| NotStarted { why: error.to_string(), may_be_the_port: false })?;
        match running.wait_ready(&Ready::Port, port) {
            Ok(()) => Ok(Self { address, running, _dir: dir }),
            Err(why) => {
                let words = last_words(&running.lines()).map(|words| format!("; its last words: {words}"));
                let advice = "it has to listen on {port} and gets no input";
                Err(NotStarted {
                    may_be_the_port: matches!(why, NotReady::Ended(_)),
                    why: format!("{why}{}; {advice}", words.unwrap_or_default()),
                })
            }
        }
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
