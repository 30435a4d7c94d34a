//! Leaves a server running.

use std::sync::Arc;

use faults::{At, Layer, Ledger};
use notation::parse_fault;
use tokio::sync::Notify;
use tracing_subscriber::EnvFilter;
use transfer::endpoint::HashThreads;
use transfer::live::{LiveServer, ServerSettings};
use transfer::storage::FaultyStore;
use transfer::storage::{DiskStore, Limits, OpenError, Store};

use super::args::ServeArgs;
use super::run::fail;
use super::{Exit, complain, print, signals};

/// How many file descriptors a server needs besides those of its connections.
const DESCRIPTORS: u64 = 64;
/// How many more it asks for, and does without where it must: what is open for a moment only, while an upload is stored,
/// at as many of them as can be stored at once.
const MOMENTARY: u64 = 2_048;
/// How many file descriptors a connection needs: for itself, and for the file that it transfers.
const PER_CONNECTION: u64 = 2;

/// Serves until a signal comes.
pub(super) fn serve(args: &ServeArgs) -> Exit {
    log(args);
    let store = match open(args) {
        Ok(store) => store,
        Err(error) => return fail(&format!("--dir {}: {error}", args.dir.display())),
    };
    let settings = ServerSettings {
        max_connections: connections(args.max_connections),
        deadline: args.timeout,
        hash_threads: hash_threads(args.hash_threads),
        grace: args.grace,
        conduct: args.mutant.into(),
    };
    let served = match on_disk(args, &store) {
        Ok(served) => served,
        Err(exit) => return exit,
    };
    let stop = Arc::new(Notify::new());
    let told = Arc::clone(&stop);
    signals::on_first(move || told.notify_one());
    let server = match LiveServer::bind(&args.listen, served, settings) {
        Ok(server) => server,
        Err(error) => return fail(&format!("--listen {}: {error}", args.listen)),
    };
    match server.local_addr() {
        Ok(address) if args.json => {
            print::say(&sim::report::live::listening_json(address));
        }
        Ok(address) => print::say(&format!("listening on {address}\n")),
        Err(error) => return fail(&error.to_string()),
    }
    match server.run(stop.notified()) {
        Ok(stopped) => {
            tracing::info!(dropped = stopped.dropped, syncs = store.syncs(), "stopped");
            Exit::Met
        }
        Err(error) => fail(&error.to_string()),
    }
}

/// The threads that were asked for, or as many as are to spare.
pub(super) fn hash_threads(wanted: Option<u16>) -> HashThreads {
    wanted.map_or_else(HashThreads::spare, |limit| HashThreads::new(limit.into()))
}

/// Opens the store, and logs what is not as it was left.
fn open(args: &ServeArgs) -> Result<Arc<DiskStore>, OpenError> {
    let unlimited = Limits::default();
    let store = DiskStore::open_with(
        &args.dir,
        Limits {
            max_file_size: args.max_file_size.unwrap_or(unlimited.max_file_size),
            quota: args.quota.unwrap_or(unlimited.quota),
            ..unlimited
        },
    )?;
    let opening = store.opening();
    if opening.leftovers > 0 {
        tracing::info!(files = opening.leftovers, "removed what was left of uploads that never ended");
    }
    for path in &opening.stray_paths {
        tracing::warn!(?path, "not a file of this store: left alone and not listed");
    }
    Ok(Arc::new(store))
}

/// The store, on a disk with a fault if one was asked for.
fn on_disk(args: &ServeArgs, store: &Arc<DiskStore>) -> Result<Arc<dyn Store>, Exit> {
    const FLAG: &str = "--disk-fault";
    let Some(text) = &args.disk_fault else { return Ok(store.clone()) };
    let fault = parse_fault(text, FLAG).map_err(|error| complain(&error))?.value;
    match (fault.effect.layer(), fault.at) {
        (Layer::Disk, At::Offset(at)) => {
            let entry = Ledger::default().enter(fault, Some(at));
            Ok(Arc::new(FaultyStore::new(store.clone(), vec![(entry, at)])))
        }
        _ => Err(fail(&format!("{FLAG} {text}: this is no fault of a disk at an offset"))),
    }
}

/// Logs to standard error, as `RUST_LOG` says.
fn log(args: &ServeArgs) {
    let usual = if args.quiet { "error" } else { "info" };
    let filter = EnvFilter::builder().with_default_directive(level(usual)).from_env_lossy();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    // It is set once, here.
    let _ = if args.json {
        builder.json().flatten_event(true).try_init()
    } else {
        builder.with_ansi(is_terminal).with_target(false).try_init()
    };
}

fn level(text: &str) -> tracing_subscriber::filter::Directive {
    text.parse().unwrap_or_else(|_| tracing_subscriber::filter::LevelFilter::INFO.into())
}

/// How many connections the system lets us have, and at most as many as are wanted.
fn connections(wanted: u32) -> usize {
    let needed = u64::from(wanted) * PER_CONNECTION + DESCRIPTORS;
    let granted = rlimit::increase_nofile_limit(needed + MOMENTARY).unwrap_or(needed);
    let possible = granted.saturating_sub(DESCRIPTORS) / PER_CONNECTION;
    let possible = usize::try_from(possible).unwrap_or(usize::MAX).max(1);
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    if possible < wanted {
        tracing::warn!(wanted, possible, "the system grants fewer connections (see `ulimit -n`)");
    }
    possible.min(wanted)
}
