//! How client and server reach each other: over the loopback of this machine, or each from a network of its own. The
//! proxy stands between them in both.

use std::io;
#[cfg(target_os = "linux")]
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::time::Duration;

use std::time::Instant;

#[cfg(target_os = "linux")]
use super::isolate::{self, Side};
use super::outcome::Trouble;
use super::programs::{Dirs, GRACE, OTHER_HOST};
use faults::proxy::{Proxy, ProxyOutcome, Settings};
use process::{HOST, Launch, ProgramEnd};

/// How long connections may go on when the client has ended: what is on its way to the server shall arrive.
const PATIENCE: Duration = Duration::from_secs(1);

/// How a server is reached.
#[derive(Clone, Debug)]
pub(super) enum Route {
    /// At this address.
    Direct {
        /// `HOST:PORT`.
        address: String,
        /// The port that the server tells the client.
        data: Option<u16>,
    },
    /// It is in a network of its own.
    Isolated {
        /// The port that both programs have written into them.
        port: u16,
        /// Where the harness asks for connections to the server.
        server: PathBuf,
        /// This program.
        sim: PathBuf,
    },
}

/// Makes a command line for a host and a port to connect to.
pub(super) type Launcher<'a> = dyn Fn(&str, u16) -> Result<Launch, Trouble> + 'a;

/// How a client ended, how long it ran, and what the proxy did.
type ClientRun = (ProgramEnd, Duration, ProxyOutcome);

impl Route {
    /// The server's command line, in its network.
    pub(super) fn server(&self, launch: Launch) -> Launch {
        match self {
            Self::Direct { .. } => launch,
            #[cfg(target_os = "linux")]
            Self::Isolated { port, server, sim } => {
                isolate::wrapped(launch, Side::Server, *port, server, sim)
            }
            #[cfg(not(target_os = "linux"))]
            Self::Isolated { .. } => launch,
        }
    }

    /// Runs a client through a proxy. `launch` makes its command line for the port on which that listens.
    pub(super) fn run(
        &self,
        dirs: &Dirs,
        settings: Settings,
        deadline: Duration,
        launch: &Launcher<'_>,
    ) -> Result<ClientRun, Trouble> {
        match self {
            Self::Direct { address, data } => direct(address, *data, settings, deadline, launch),
            #[cfg(target_os = "linux")]
            Self::Isolated { .. } => self.isolated(dirs, settings, deadline, launch),
            #[cfg(not(target_os = "linux"))]
            Self::Isolated { .. } => {
                let _ = dirs;
                Err("programs can be isolated on Linux only".to_owned().into())
            }
        }
    }

    /// Runs a client past the proxy, as far as that can be.
    pub(super) fn run_past(
        &self,
        dirs: &Dirs,
        deadline: Duration,
        launch: &Launcher<'_>,
    ) -> Result<ProgramEnd, Trouble> {
        match self {
            Self::Direct { address, .. } => {
                let port =
                    address.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or_default();
                Ok(launch(HOST, port)?.spawn()?.wait(deadline, GRACE)?)
            }
            // There is no way but through one: it has no faults.
            Self::Isolated { .. } => {
                self.run(dirs, Settings::default(), deadline, launch).map(|(ended, ..)| ended)
            }
        }
    }

    #[cfg(target_os = "linux")]
    fn isolated(
        &self,
        dirs: &Dirs,
        settings: Settings,
        deadline: Duration,
        launch: &Launcher<'_>,
    ) -> Result<ClientRun, Trouble> {
        let Self::Isolated { port, server, sim } = self else {
            return Err("it is not apart".to_owned().into());
        };
        let socket = dirs.meeting("client");
        // The one of a client before this is done with.
        let _ = std::fs::remove_file(&socket);
        let meeting = UnixListener::bind(&socket)?;
        let client = isolate::wrapped(launch(HOST, *port)?, Side::Client, *port, &socket, sim);
        let mut client = client.spawn()?;
        let (listener, ready) = match isolate::listener(&meeting, &mut client) {
            Ok(met) => met,
            Err(error) => {
                let last = client.lines().pop().map(|line| format!(": {}", line.text)).unwrap_or_default();
                return Err(format!("the client cannot be isolated: {error}{last}").into());
            }
        };
        let proxy = Proxy::between(listener, isolate::dial(server), settings)?;
        let proxy = proxy.spawn(|_| {})?;
        let began = Instant::now();
        isolate::begin(ready)?;
        let ended = client.wait(deadline, GRACE)?;
        let took = began.elapsed();
        Ok((ended, took, proxy.finish(PATIENCE)?))
    }
}

fn direct(
    address: &str,
    data: Option<u16>,
    settings: Settings,
    deadline: Duration,
    launch: &Launcher<'_>,
) -> Result<ClientRun, Trouble> {
    let host = if data.is_some() { OTHER_HOST } else { HOST };
    let named = |error: io::Error| Trouble::from(format!("{address}: {error}"));
    let mut proxy = Proxy::bind((host, 0), address, settings).map_err(named)?;
    if let Some(data) = data {
        proxy.also((OTHER_HOST, data), (HOST, data))?;
    }
    let proxy = proxy.spawn(|_| {})?;
    let began = Instant::now();
    let client = launch(host, proxy.local_addr().port())?.spawn()?;
    let ended = client.wait(deadline, GRACE)?;
    let took = began.elapsed();
    Ok((ended, took, proxy.finish(PATIENCE)?))
}
