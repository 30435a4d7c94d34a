//! The deterministic network: hosts, latency and virtual time by [turmoil](::turmoil). No other file names it.
//!
//! Its TCP does no retransmission and cannot damage a stream; what it does is told apart in the documentation
//! of the faults.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use ::turmoil::net::{TcpListener, TcpStream};
use ::turmoil::{Builder, sim_elapsed};
use tokio::sync::{mpsc, watch};

use super::driver::{Listener, connect, serve};
use super::{Job, LATENCY, Transport};
use crate::endpoint::{Endpoint, Service};

/// The server's name in the simulated network, and the port that the specification's programs use.
const SERVER: &str = "server";
const PORT: u16 = 9999;
/// A run that takes longer in virtual time is broken off: no deadline worked.
const MAX_DURATION: Duration = Duration::from_secs(24 * 60 * 60);

/// The lane over a simulated network.
#[derive(Debug, Default)]
pub struct Turmoil;

impl Transport for Turmoil {
    fn run(&mut self, job: Job) -> io::Result<()> {
        let mut sim = Builder::new()
            .epoch(UNIX_EPOCH)
            .rng_seed(job.seed)
            .tick_duration(LATENCY)
            .min_message_latency(LATENCY)
            .max_message_latency(LATENCY)
            .simulation_duration(MAX_DURATION)
            .build();
        // The server stops when every client has dropped its end of `running`; each client stays until then,
        // because the simulation ends with its last client and the server's last events would be lost.
        let (running, stop) = mpsc::channel::<()>(1);
        let (stopped, until_stopped) = watch::channel(());
        let host = Host { service: job.service, stop: Arc::new(Mutex::new(Some((stop, stopped)))) };
        sim.host(SERVER, move || host.clone().listen());
        for (index, endpoint) in job.clients.into_iter().enumerate() {
            let (running, until_stopped) = (running.clone(), until_stopped.clone());
            sim.client(format!("client-{index}"), client(endpoint, running, until_stopped));
        }
        drop(running);
        sim.run().map_err(|error| io::Error::other(error.to_string()))
    }
}

fn clock() -> Duration {
    sim_elapsed().unwrap_or_default()
}

#[derive(Clone)]
struct Host {
    service: Arc<dyn Service>,
    stop: Arc<Mutex<Option<Stop>>>,
}

/// When to stop, and whom to tell.
type Stop = (mpsc::Receiver<()>, watch::Sender<()>);

impl Host {
    async fn listen(self) -> ::turmoil::Result {
        let taken = self.stop.lock().unwrap_or_else(PoisonError::into_inner).take();
        let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
        let Some((mut stop, stopped)) = taken else { return Ok(()) };
        let stop = async { while stop.recv().await.is_some() {} };
        serve(listener, self.service, clock, stop).await?;
        drop(stopped);
        Ok(())
    }
}

async fn client(
    endpoint: Box<dyn Endpoint>,
    running: mpsc::Sender<()>,
    mut until_stopped: watch::Receiver<()>,
) -> ::turmoil::Result {
    connect(TcpStream::connect((SERVER, PORT)), endpoint, clock).await;
    drop(running);
    // An error is what is waited for: the server has dropped its end.
    let _ = until_stopped.changed().await;
    Ok(())
}

impl Listener for TcpListener {
    type Connection = TcpStream;

    async fn accept(&mut self) -> io::Result<TcpStream> {
        Ok(TcpListener::accept(self).await?.0)
    }
}
