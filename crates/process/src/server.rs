//! Servers that are started here, on a port that is free.

use std::io;
use std::time::Duration;

use super::{Launch, Line, NotReady, Ready, Running, StartError, free_port};

/// How often a server is started: the port that was free a moment ago may be taken.
const STARTS: usize = 4;

/// A server that is to be started.
#[derive(Clone, Debug)]
pub struct ServerLaunch {
    /// When it is ready.
    pub ready: Ready,
    /// Its port, if it can have no other.
    pub port: Option<u16>,
    /// How long it has to end if it is told to because it does not become ready.
    pub grace: Duration,
}

/// A server that is ready.
pub struct StartedServer<T> {
    /// It.
    pub running: Running,
    /// What was made for it beside its command line.
    pub made: T,
}

/// Why a server is not there. `E` is why its command line could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ServerStartError<E> {
    /// There is no port for it.
    #[error("there is no free port")]
    NoPort(#[source] io::Error),
    /// There is no command line for it.
    #[error("{0}")]
    NoLaunch(E),
    /// It could not be started.
    #[error(transparent)]
    NoStart(StartError),
    /// It was started and did not become ready.
    #[error("{why}")]
    NotReady {
        /// Why not.
        #[source]
        why: NotReady,
        /// What it had put out when it was ended.
        lines: Vec<Line>,
    },
}

impl ServerLaunch {
    /// Starts it and waits until it is ready. `launch` makes its command line for a port, and what else it needs, such as a
    /// directory. Somebody else may take its port before it does: one that ends at once gets another chance on another port.
    ///
    /// # Errors
    /// Why it is not there, at the last start.
    pub fn start<T, E>(
        &self,
        mut launch: impl FnMut(u16) -> Result<(Launch, T), E>,
    ) -> Result<StartedServer<T>, ServerStartError<E>> {
        let mut lost = Vec::new();
        loop {
            let port = self.port.map_or_else(|| other_port(&lost), Ok).map_err(ServerStartError::NoPort)?;
            let (launch, made) = launch(port).map_err(ServerStartError::NoLaunch)?;
            let failed = match self.start_on(port, launch) {
                Ok(running) => return Ok(StartedServer { running, made }),
                Err(failed) => failed,
            };
            let may_be_the_port =
                matches!(&failed, ServerStartError::NotReady { why, .. } if why.may_be_the_port());
            lost.push(port);
            if !may_be_the_port || self.port.is_some() || lost.len() == STARTS {
                return Err(failed);
            }
        }
    }

    fn start_on<E>(&self, port: u16, mut launch: Launch) -> Result<Running, ServerStartError<E>> {
        if let Ready::Line(pattern) = &self.ready {
            launch.keep.push(pattern.clone());
        }
        let mut running = launch.spawn().map_err(ServerStartError::NoStart)?;
        match running.wait_ready(&self.ready, port) {
            Ok(()) => Ok(running),
            Err(why) => {
                // What it says when it is told to end may be the reason.
                let lines =
                    running.wait(Duration::ZERO, self.grace).map_or_else(|_| Vec::new(), |it| it.lines);
                Err(ServerStartError::NotReady { why, lines })
            }
        }
    }
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
