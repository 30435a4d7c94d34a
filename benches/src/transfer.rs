//! One large file on disk, verified on its way up or down.
//!
//! A transfer is the run of the transport alone: from the connection to the end of the session, digests
//! compared and the file in its place. What the harness does besides, the comparison of every byte and the
//! check of the steps, is not part of it.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use faults::{At, CHUNK, Chain, Content, Direction, Effect, Fault, Injector, Ledger, Region, Wires};
use protocol::{Compared, FileName};
use sim::scenario::TransportKind;
use sim::transport::{Job, LATENCY, Memory, Tcp, Transport, Turmoil};
use tempfile::TempDir;
use transfer::endpoint::{Client, ClientCommand, ClientConfig, Endpoint, ServerConfig, Sessions};
use transfer::record::{Action, Recorder};
use transfer::storage::{DiskStore, Folder, Incoming, Store};

use crate::bare::{failed, md5};

/// The size of the file.
const SIZE: u64 = 64 * 1024 * 1024;
/// Its size if [`LARGE`] is set.
const LARGE_SIZE: u64 = 1024 * 1024 * 1024;
/// The variable of the environment that asks for the large file.
const LARGE: &str = "SIM_BENCH_LARGE";
/// Longer than a slow disk needs to make the file durable.
const DEADLINE: Duration = Duration::from_secs(600);

/// How large the file is to be: 64 MiB, or 1 GiB if `SIM_BENCH_LARGE` is set.
#[must_use]
pub fn size() -> u64 {
    if env::var_os(LARGE).is_some() { LARGE_SIZE } else { SIZE }
}

/// The transport of a lane, fit for large files.
///
/// # Errors
/// If a socket or a thread cannot be made.
pub fn transport(kind: TransportKind) -> io::Result<Box<dyn Transport>> {
    Ok(match kind {
        TransportKind::Memory => Box::new(Memory::default()),
        TransportKind::Turmoil => Box::new(Turmoil),
        TransportKind::Tcp => Box::new(Tcp::with_threads()?),
    })
}

/// What is in the way of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Faults {
    /// Nothing: the connection is not wrapped.
    None,
    /// The fault layer, with a fault in each direction whose place does not come.
    Idle,
    /// The fault layer, with one flipped bit in the middle of the file: the digests will differ.
    OneFlip,
}

impl Faults {
    /// The wires of a transfer of `size` bytes.
    fn wires(self, direction: Direction, size: u64) -> Wires {
        let at = match self {
            Self::None => return Wires::default(),
            Self::Idle => u64::MAX,
            Self::OneFlip => size / 2,
        };
        let effect = Effect::Flip { bit: 0 };
        let region = if direction == Direction::Upload { Region::Upload } else { Region::Download };
        let fault = Fault { effect, region, at: At::Offset(at) };
        let entry = Ledger::default().enter(fault, None);
        let (struck, other) =
            (vec![Injector::new(entry.clone(), at, 0)], vec![Injector::new(entry, u64::MAX, 0)]);
        let (up, down) = if direction == Direction::Upload { (struck, other) } else { (other, struck) };
        Wires::new(Chain::new(up), Chain::new(down))
    }
}

/// A large file, and a server's store that holds it. Both are on disk, in a directory that goes when this is
/// dropped.
pub struct Workload {
    directory: TempDir,
    source: PathBuf,
    content: Content,
    name: FileName,
    store: Arc<dyn Store>,
}

impl Workload {
    /// A file of `size` bytes of noise.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn new(size: u64) -> io::Result<Self> {
        let directory = TempDir::with_prefix("sim-bench-")?;
        let source = directory.path().join("source");
        write_noise(&source, size)?;
        let (content, id) = (Content::open(&source)?, md5(&source)?);
        let name = FileName::parse("large.bin").map_err(io::Error::other)?;
        let store = DiskStore::open(&directory.path().join("store"))?;
        let mut incoming = store.create(size).map_err(failed)?;
        for_each_chunk(&content, |bytes| incoming.write(bytes).map_err(failed))?;
        incoming.commit(&name, id).map_err(failed)?;
        Ok(Self { directory, source, content, name, store: Arc::new(store) })
    }

    /// The file.
    #[must_use]
    pub fn source(&self) -> &Path {
        &self.source
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &FileName {
        &self.name
    }

    /// Prepares a transfer of the file to an empty place.
    ///
    /// # Errors
    /// If the place cannot be made.
    pub fn prepare(&self, direction: Direction) -> io::Result<Transfer> {
        self.prepare_with(direction, Faults::None)
    }

    /// The same with these faults in the way.
    ///
    /// # Errors
    /// If the place cannot be made.
    pub fn prepare_with(&self, direction: Direction, faults: Faults) -> io::Result<Transfer> {
        let (place, name) = (self.place()?, self.name.clone());
        let (store, commands) = match direction {
            Direction::Upload => {
                let store: Arc<dyn Store> = Arc::new(DiskStore::open(place.path())?);
                (store, vec![ClientCommand::Upload { name, content: self.content.clone() }])
            }
            Direction::Download => {
                (Arc::clone(&self.store), vec![ClientCommand::ListFiles, ClientCommand::Download { name }])
            }
        };
        let wires = faults.wires(direction, self.content.len());
        let record = Recorder::default();
        let folder = Folder::on_disk(place.path())?;
        let client = ClientConfig { record: record.clone(), ..ClientConfig::new(commands, folder, DEADLINE) };
        let service = Arc::new(Sessions::new(ServerConfig::new(store, DEADLINE)));
        let clients: Vec<Box<dyn Endpoint>> = vec![Box::new(Client::new(client))];
        let job = Job { seed: 1, service, clients, wires, latency: (LATENCY, LATENCY) };
        Ok(Transfer { job, direction, faults, record, place })
    }

    /// Prepares what the bare pipeline writes to: an upload's file is made durable, as the server does; a
    /// download's is only written, as the client does.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn sink(&self, direction: Direction) -> io::Result<(Box<dyn Incoming>, TempDir)> {
        let place = self.place()?;
        let sink = match direction {
            Direction::Upload => DiskStore::open(place.path())?.create(0),
            Direction::Download => Folder::on_disk(place.path())?.create(),
        };
        Ok((sink.map_err(failed)?, place))
    }

    fn place(&self) -> io::Result<TempDir> {
        TempDir::new_in(self.directory.path())
    }
}

/// A transfer that is ready to run.
pub struct Transfer {
    job: Job,
    direction: Direction,
    faults: Faults,
    record: Recorder,
    place: TempDir,
}

impl Transfer {
    /// Carries it, and makes sure that it was verified, or that the flipped bit was noticed. What is returned holds the file until it is dropped:
    /// deleting it is no part of the transfer.
    ///
    /// # Errors
    /// If the lane failed or the client did not say "Success".
    pub fn run(self, transport: &mut dyn Transport) -> io::Result<TempDir> {
        transport.run(self.job)?;
        let verified = |action: &Action| match action {
            Action::Compared(_, Compared::Same(_)) => self.faults != Faults::OneFlip,
            Action::Compared(_, Compared::Different { .. }) => self.faults == Faults::OneFlip,
            _ => false,
        };
        let events = self.record.take();
        if events.iter().any(|event| verified(&event.action)) {
            Ok(self.place)
        } else {
            Err(io::Error::other(format!("the {:?} was not verified", self.direction)))
        }
    }
}

/// Writes noise, which no layer below can compress, and waits until it is on disk, so that writing it back
/// does not disturb the measurements.
fn write_noise(path: &Path, len: u64) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    for_each_chunk(&Content::Noise { seed: 1, len }, |bytes| file.write_all(bytes))?;
    file.sync_data()
}

fn for_each_chunk(content: &Content, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let (mut chunk, mut offset) = (vec![0; CHUNK], 0);
    while offset < content.len() {
        let count = content.read_at(offset, &mut chunk)?;
        each(&chunk[..count])?;
        offset += count as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lane_and_the_bare_pipeline_carry_the_file_both_ways() {
        let workload = Workload::new(1_000_000).unwrap();
        for direction in [Direction::Upload, Direction::Download] {
            for kind in TransportKind::ALL {
                workload.prepare(direction).unwrap().run(&mut *transport(kind).unwrap()).unwrap();
            }
            let (sink, _place) = workload.sink(direction).unwrap();
            crate::bare::Bare::new().unwrap().run(workload.source(), sink, workload.name()).unwrap();
        }
    }
}
