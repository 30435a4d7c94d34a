//! Puts the faults between other people's programs, and writes down what it did.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use faults::Fault;
use faults::proxy::{Connections, Event, EventKind, PlacedFault, Proxy, ProxyOutcome, Running, Settings};
use notation::{Located, Mistake, ScenarioError, load_faults, parse_fault};
use sim::report::Lines;
use sim::report::proxy::{json, last_json};

use super::args::{address, peer};
use super::record::Record;
use super::run::fail;
use super::{Exit, complain, print, signals};

/// What can be said to `sim proxy`.
#[derive(Debug, clap::Args)]
pub(super) struct ProxyArgs {
    /// Where to listen; port 0 is any free one. Can be repeated, each with its own `--to`
    #[arg(long, value_name = "HOST:PORT", required = true, value_parser = address)]
    listen: Vec<String>,

    /// Where to carry the connections
    #[arg(long, value_name = "HOST:PORT", required = true, value_parser = peer)]
    to: Vec<String>,

    /// What goes wrong, as in a scenario, `in: ToServer` or `ToClient`. Can be repeated
    #[arg(long, value_name = "FAULT")]
    fault: Vec<String>,

    /// A file with a list of faults: `[Flip(in: ToServer, at: 1_000, bit: 3)]`
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,

    /// Seed of everything left to chance
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// Which connection the faults strike, in the order of acceptance, or `all`
    #[arg(long, value_name = "NUMBER", default_value = "1")]
    connection: Connection,

    /// End when that connection has ended
    #[arg(long)]
    once: bool,

    /// Write the record to this file, not to standard output
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,

    /// Say nothing on standard error but errors
    #[arg(long)]
    quiet: bool,
}

/// The value of `--connection`.
#[derive(Clone, Copy, Debug)]
struct Connection(Connections);

impl FromStr for Connection {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(0) => Err("connections are numbered from 1".into()),
            Ok(number) => Ok(Self(Connections::Nth(number))),
            Err(_) if text == "all" => Ok(Self(Connections::All)),
            Err(_) => Err("this is the number of a connection, from 1, or `all`".into()),
        }
    }
}

/// Runs the proxy until it is interrupted, or with `--once` until the connection has ended.
pub(super) fn proxy(options: &ProxyArgs) -> Exit {
    match prepare(options).and_then(|(proxy, placed, record)| run(options, proxy, &placed, record)) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn prepare(options: &ProxyArgs) -> Result<(Proxy, Vec<PlacedFault>, Record), Exit> {
    let faults = read_faults(options)?;
    let which = options.connection.0;
    let placed = place_written(&faults, which, options.seed).map_err(|error| complain(&error))?;
    let settings =
        Settings { faults: placed.clone(), once: options.once.then_some(which), ..Settings::default() };
    let proxy = bind(options, &settings)?;
    let record = Record::open(options.record.as_deref())?;
    Ok((proxy, placed, record))
}

/// The faults of all options; or the complaints about all that cannot be read.
fn read_faults(options: &ProxyArgs) -> Result<Vec<Located<Fault>>, Exit> {
    let (mut faults, mut exit) = (Vec::new(), None);
    for text in &options.fault {
        match parse_fault(text, "--fault") {
            Ok(fault) => faults.push(fault),
            Err(error) => exit = Some(complain(&error)),
        }
    }
    match options.faults.as_deref().map(load_faults) {
        Some(Ok(more)) => faults.extend(more),
        Some(Err(error)) => exit = Some(complain(&error)),
        None => {}
    }
    exit.map_or(Ok(faults), Err)
}

fn bind(options: &ProxyArgs, settings: &Settings) -> Result<Proxy, Exit> {
    if options.listen.len() != options.to.len() {
        return Err(fail("there must be as many `--to` as `--listen`: each pair is a way through the proxy"));
    }
    let mut pairs = Vec::new();
    for (listen, to) in options.listen.iter().zip(&options.to) {
        pairs.push((listen, resolve("--listen", listen)?, resolve("--to", to)?));
    }
    let mut proxy: Option<Proxy> = None;
    for (listen, from, to) in pairs {
        let bound = match &mut proxy {
            None => Proxy::bind(&*from, &*to, settings.clone()).map(|bound| proxy = Some(bound)),
            Some(proxy) => proxy.also(&*from, &*to).map(drop),
        };
        bound.map_err(|error| unreachable(&format!("cannot listen at {listen}: {error}")))?;
    }
    proxy.ok_or_else(|| fail("`--listen` is missing"))
}

fn resolve(option: &str, address: &str) -> Result<Vec<SocketAddr>, Exit> {
    let addresses = address.to_socket_addrs();
    let addresses = addresses.map_err(|error| unreachable(&format!("{option} {address}: {error}")))?;
    Ok(addresses.collect())
}

fn unreachable(message: &str) -> Exit {
    print::warn(&format!("error: {message}"));
    Exit::NoPeer
}

fn run(options: &ProxyArgs, proxy: Proxy, placed: &[PlacedFault], record: Record) -> Result<Exit, Exit> {
    let (stopper, give_up) = (proxy.stopper(), record.when_to_end());
    signals::on_first(move || {
        stopper.stop(Duration::ZERO);
        give_up();
    });
    // The outcome names only the first that were refused, and the one that is meant may be a later one.
    let (which, refused) = (options.connection.0, Arc::new(AtomicBool::new(false)));
    let meant_was_refused = Arc::clone(&refused);
    let lines = Arc::new(Lines::default());
    let (events, of_events) = (record.sender(), Arc::clone(&lines));
    let running = proxy.spawn(move |event: Event| {
        if let EventKind::Refused { error, .. } = &event.what {
            let number = event.connection;
            refused.fetch_or(which.is(number), Ordering::Relaxed);
            print::warn(&format!("error: connection {number} could not reach its target: {error}"));
        }
        events.write(json(&event, &of_events));
    });
    let running = running.map_err(|error| unreachable(&error.to_string()))?;
    if !options.quiet {
        announce(&running);
    }
    let outcome = running.wait().map_err(|error| unreachable(&error.to_string()))?;
    conclude(options, placed, &outcome, record, &lines);
    Ok(judge(meant_was_refused.load(Ordering::Relaxed), &outcome))
}

fn announce(running: &Running) {
    for address in running.local_addrs() {
        print::warn(&format!("listening on {address}"));
    }
}

fn conclude(
    options: &ProxyArgs,
    placed: &[PlacedFault],
    outcome: &ProxyOutcome,
    record: Record,
    lines: &Lines,
) {
    for ((number, placed), proof) in (1..).zip(placed).zip(&outcome.faults) {
        if proof.delivered == 0 && !options.quiet {
            let what = if proof.fired == 0 { "never fired" } else { "fired but never reached the reader" };
            print::warn(&format!("fault {number}, {}, {what}: nothing is proved", placed.fault));
        }
    }
    let pen = record.sender();
    last_json(placed, outcome, lines).into_iter().for_each(|line| pen.write(line));
    drop(pen);
    record.finish();
}

fn judge(meant_was_refused: bool, outcome: &ProxyOutcome) -> Exit {
    let unproved = outcome.unproved().is_some();
    if meant_was_refused && (unproved || outcome.faults.is_empty()) {
        Exit::NoPeer
    } else if unproved {
        Exit::Inconclusive
    } else {
        Exit::Met
    }
}

/// Places faults that were read from text, all on `connection`, without knowing how long its streams will be.
///
/// # Errors
/// The first fault that has no place, shown where it stands.
fn place_written(
    faults: &[Located<Fault>],
    connection: Connections,
    seed: u64,
) -> Result<Vec<PlacedFault>, ScenarioError> {
    let on: Vec<_> = faults.iter().map(|fault| (connection, fault.value.clone())).collect();
    faults::proxy::place(&on, None, seed).map_err(|(index, why)| {
        let help = why.suggestion().map(str::to_owned);
        Mistake::at(&faults[index].place, why.to_string()).help(help).into()
    })
}
