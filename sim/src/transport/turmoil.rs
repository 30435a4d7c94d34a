//! The deterministic network: hosts, latency and virtual time by [turmoil](::turmoil). No other file names it.
//!
//! Its TCP does no retransmission and cannot damage a stream: a lost message stays lost, and what changes bytes
//! is our own layer above it. What it adds is the network itself: partitions, held messages, hosts that go down.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use ::turmoil::net::{TcpListener, TcpStream};
use ::turmoil::{Builder, Sim, sim_elapsed};
use tokio::sync::watch;

use super::{Job, LATENCY, Transport};
use faults::{Disturbance, Signal, Wires};
use transfer::driver::{Active, ConnectResult, Ending, Listener, run_clients, serve};
use transfer::endpoint::Service;

/// The hosts' names in the simulated network, and the port that the specification's programs use.
const SERVER: &str = "server";
const CLIENTS: &str = "clients";
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
            .min_message_latency(job.latency.0)
            .max_message_latency(job.latency.1)
            .simulation_duration(MAX_DURATION)
            .build();
        let active = Active::default();
        let host = Host { service: job.service.clone(), wires: job.wires.clone(), active: active.clone() };
        sim.host(SERVER, move || host.clone().listen());
        let (clients, wires) = (job.clients, job.wires.clone());
        let (down, seen_down) = watch::channel(false);
        sim.client(CLIENTS, async move {
            run_clients(clients, wires, clock, move || open(seen_down.clone())).await;
            Ok(())
        });
        let mut network = Network { wires: job.wires, service: job.service, down, agenda: Vec::new() };
        // Steps go on after the last client has ended: the server may still have something to say, or be about to
        // come up again.
        let (mut clients_done, mut acts) = (false, false);
        while !clients_done || acts || !active.is_none() {
            clients_done = sim.step().map_err(|error| io::Error::other(error.to_string()))?;
            acts = network.act(&mut sim);
        }
        Ok(())
    }
}

fn clock() -> Duration {
    sim_elapsed().unwrap_or_default()
}

/// Connects to the server. Turmoil would keep the request until a server that is down is up again, and refuse it then.
async fn open(mut down: watch::Receiver<bool>) -> ConnectResult<TcpStream> {
    tokio::select! {
        biased;
        Ok(_) = down.wait_for(|down| *down) => Err(io::ErrorKind::ConnectionRefused.into()),
        connected = TcpStream::connect((SERVER, PORT)) => {
            let connection = connected?;
            let local = connection.local_addr()?;
            Ok((connection, local.into()))
        }
    }
}

#[derive(Clone)]
struct Host {
    service: Arc<dyn Service>,
    wires: Wires,
    active: Active,
}

impl Host {
    /// Runs again from here after a crash, and ends with the simulation.
    async fn listen(self) -> ::turmoil::Result {
        let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
        serve(Simulated(listener), self.service, self.wires, self.active, clock, pending(), Ending::Wait)
            .await?;
        Ok(())
    }
}

/// Carries out the faults of the network, from outside the hosts.
struct Network {
    wires: Wires,
    service: Arc<dyn Service>,
    /// Whether the server is down.
    down: watch::Sender<bool>,
    /// What has to be undone, and when.
    agenda: Vec<(Duration, Disturbance)>,
}

impl Network {
    /// Begins what was asked for since the last step, and undoes what has lasted long enough. Says whether the
    /// server is down, or coming up: that is worth waiting for.
    fn act(&mut self, sim: &mut Sim<'_>) -> bool {
        for signal in self.wires.take_signals() {
            self.begin(sim, &signal);
            signal.fault.reached();
        }
        let now = sim.elapsed();
        let (due, later) = self.agenda.drain(..).partition(|(until, _)| *until <= now);
        self.agenda = later;
        let due: Vec<(Duration, Disturbance)> = due;
        due.iter().for_each(|(_, disturbance)| self.undo(sim, *disturbance));
        due.iter().chain(&self.agenda).any(|(_, disturbance)| *disturbance == Disturbance::Crash)
    }

    fn begin(&mut self, sim: &mut Sim<'_>, signal: &Signal) {
        match signal.disturbance {
            Disturbance::Partition => sim.partition(CLIENTS, SERVER),
            Disturbance::Hold => sim.hold(CLIENTS, SERVER),
            Disturbance::Crash => {
                self.service.handle_crash(sim.elapsed());
                sim.crash(SERVER);
                self.down.send_replace(true);
            }
        }
        self.agenda.push((sim.elapsed() + signal.lasts, signal.disturbance));
    }

    fn undo(&self, sim: &mut Sim<'_>, disturbance: Disturbance) {
        match disturbance {
            Disturbance::Partition => sim.repair(CLIENTS, SERVER),
            Disturbance::Hold => sim.release(CLIENTS, SERVER),
            Disturbance::Crash => {
                sim.bounce(SERVER);
                self.down.send_replace(false);
            }
        }
    }
}

/// A listener of the simulated network.
struct Simulated(TcpListener);

impl Listener for Simulated {
    type Connection = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        self.0.accept().await
    }
}
