//! The power goes at every operation of a workload, and any part of what was not synchronised survives: what is
//! found then is complete, and nothing that was acknowledged is lost. Each synchronisation is left out in turn, to
//! see that the test would notice.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use faults::{At, Content, Effect, Fault, Ledger, Region};
use protocol::{FileId, FileName};
use sim::run::{Plan, RunOptions, Site, run, transport};
use sim::scenario::TransportKind;
use transfer::endpoint::{ServerConfig, Service, Sessions, md5_of};
use transfer::storage::FaultyStore;
use transfer::storage::disk::{Disk, DiskFile, Kind, Lock, SimulatedDisk};
use transfer::storage::{DiskStore, Incoming, Limits, RestartingStore, Store, StoreError};

use super::scenarios::scenario_files;
use super::{load, text_of};

/// How many different survivals are tried of each crash.
const SEEDS: u64 = 64;

type File = (FileId, FileName);

/// What the store's users were told.
#[derive(Clone, Debug, Default)]
struct ExpectedFiles {
    /// Stored, and not taken back.
    stored: BTreeMap<File, u32>,
    /// Files of which it was asked to do something without an answer: they may be there or not.
    open: BTreeSet<File>,
}

fn content(text: &str) -> Content {
    Content::Memory(text.as_bytes().into())
}

fn file(file: &str, text: &str) -> File {
    (md5_of(&content(text)).unwrap(), FileName::parse(file).unwrap())
}

/// A session of the workload, which notes what it is told.
struct Session<'a> {
    store: &'a DiskStore,
    expected: &'a Mutex<ExpectedFiles>,
}

impl Session<'_> {
    fn begin(&self, text: &str) -> Result<Box<dyn Incoming>, StoreError> {
        let mut incoming = self.store.create(text.len() as u64)?;
        let (front, back) = text.split_at(text.len() / 2);
        incoming.write(front.as_bytes())?;
        incoming.write(back.as_bytes())?;
        Ok(incoming)
    }

    fn end(&self, incoming: Box<dyn Incoming>, name: &str, text: &str) -> Result<(), StoreError> {
        let file = file(name, text);
        self.expected.lock().unwrap().open.insert(file.clone());
        incoming.commit(&file.1, file.0)?;
        *self.expected.lock().unwrap().stored.entry(file).or_default() += 1;
        Ok(())
    }

    fn upload(&self, name: &str, text: &str) -> Result<(), StoreError> {
        self.end(self.begin(text)?, name, text)
    }

    fn discard(&self, name: &str, text: &str) -> Result<(), StoreError> {
        let file = file(name, text);
        let mut expected = self.expected.lock().unwrap();
        let claims = expected.stored.get_mut(&file).unwrap();
        *claims -= 1;
        let last = *claims == 0;
        if last {
            // Until the answer, it may be there or not.
            expected.stored.remove(&file);
        }
        drop(expected);
        self.store.discard(file.0, &file.1)?;
        if last {
            self.expected.lock().unwrap().open.remove(&file);
        }
        Ok(())
    }
}

/// Two sessions in turns: the same content twice, under two names, taken back, and uploaded again.
fn workload(store: &DiskStore, expected: &Mutex<ExpectedFiles>) -> Result<(), StoreError> {
    let (a, b) = (Session { store, expected }, Session { store, expected });
    a.upload("one", "first content")?;
    let (ours, theirs) = (a.begin("second content")?, b.begin("second content")?);
    b.end(theirs, "b", "second content")?;
    a.end(ours, "a", "second content")?;
    b.upload("one", "first content")?;
    a.discard("one", "first content")?;
    a.upload("three", "third content")?;
    a.discard("three", "third content")?;
    b.upload("three", "third content")?;
    b.discard("b", "second content")?;
    b.upload("one", "another under the same name")?;
    b.upload("empty", "")
}

/// What is wrong with what is found on `disk`, if anything.
fn check(disk: &SimulatedDisk, expected: &ExpectedFiles) -> Result<(), String> {
    let store = DiskStore::open_on(Arc::new(disk.clone()), Limits::default()).map_err(|it| it.to_string())?;
    let listing = store.list().unwrap();
    for entry in listing.iter() {
        let content = store.open_named(entry.id, &entry.name).map_err(|error| format!("{error:?}"))?;
        if md5_of(&content).unwrap() != entry.id || content.len() != entry.size {
            return Err(format!("{} is not what its id says", entry.name));
        }
    }
    let found: BTreeSet<File> = listing.iter().map(|entry| (entry.id, entry.name.clone())).collect();
    if let Some((_, lost)) = expected.stored.keys().find(|file| !found.contains(file)) {
        return Err(format!("{lost} was acknowledged and is lost"));
    }
    let allowed = |file: &&File| expected.stored.contains_key(*file) || expected.open.contains(*file);
    if let Some((_, back)) = found.iter().find(|file| !allowed(file)) {
        return Err(format!("{back} was taken back and is there"));
    }
    if !disk.list_dir(Path::new(".incoming")).unwrap().is_empty() {
        return Err("leftovers are left".into());
    }
    Ok(())
}

/// Opens the store on `disk` behind `wrap` and works until the power goes.
fn work(disk: &SimulatedDisk, wrap: &dyn Fn(SimulatedDisk) -> Arc<dyn Disk>) -> ExpectedFiles {
    let expected = Mutex::default();
    if let Ok(store) = DiskStore::open_on(wrap(disk.clone()), Limits::default()) {
        let _ = workload(&store, &expected);
    }
    expected.into_inner().unwrap()
}

/// Everything that goes wrong when the power goes at any operation.
fn convictions(wrap: &dyn Fn(SimulatedDisk) -> Arc<dyn Disk>) -> Vec<String> {
    let whole = SimulatedDisk::default();
    work(&whole, wrap);
    assert!(whole.operations() > 50, "the workload does too little: {}", whole.operations());
    let mut convictions = Vec::new();
    for operation in 0..=whole.operations() {
        let disk = SimulatedDisk::default();
        disk.lose_power_at(operation);
        let expected = work(&disk, wrap);
        for seed in 0..SEEDS {
            if let Err(why) = check(&disk.crash(seed), &expected) {
                convictions.push(format!("operation {operation}, seed {seed}: {why}"));
            }
        }
    }
    convictions
}

#[test]
fn nothing_acknowledged_is_lost_wherever_the_power_goes() {
    let convictions = convictions(&|disk| Arc::new(disk));
    assert!(convictions.is_empty(), "{}: {:#?}", convictions.len(), convictions.first());
}

/// A second loss of power while the store is being opened again, and what is done after it, lose nothing either.
#[test]
fn nothing_is_lost_when_the_power_goes_again() {
    let whole = SimulatedDisk::default();
    work(&whole, &|disk| Arc::new(disk));
    for operation in (0..whole.operations()).step_by(3) {
        let disk = SimulatedDisk::default();
        disk.lose_power_at(operation);
        let expected = work(&disk, &|disk| Arc::new(disk));
        for again in 0..12 {
            let disk = disk.crash(operation);
            disk.lose_power_at(again);
            if let Ok(store) = DiskStore::open_on(Arc::new(disk.clone()), Limits::default()) {
                // The session's own files are new to it; what was told before still holds.
                let _ = workload(&store, &Mutex::default());
            }
            let survived = disk.crash(again);
            let store = DiskStore::open_on(Arc::new(survived), Limits::default()).unwrap();
            let found: BTreeSet<File> =
                store.list().unwrap().iter().map(|entry| (entry.id, entry.name.clone())).collect();
            assert!(
                expected.stored.keys().all(|file| found.contains(file)),
                "operation {operation}, then {again}"
            );
        }
    }
}

/// After `kill -9` the system still has what was not synchronised: the store finds it, and must not acknowledge
/// it again without making it durable.
#[test]
fn what_a_killed_server_left_is_durable_before_it_is_acknowledged() {
    let whole = SimulatedDisk::default();
    work(&whole, &|disk| Arc::new(disk));
    for killed in 0..whole.operations() {
        let first = SimulatedDisk::default();
        first.lose_power_at(killed);
        work(&first, &|disk| Arc::new(disk));
        let expected = Mutex::default();
        // The process is gone, and its lock with it; the disk goes on.
        let disk = first.resume();
        let store = DiskStore::open_on(Arc::new(disk.clone()), Limits::default()).unwrap();
        let session = Session { store: &store, expected: &expected };
        for entry in store.list().unwrap().iter() {
            expected.lock().unwrap().open.insert((entry.id, entry.name.clone()));
        }
        session.upload("one", "first content").unwrap();
        session.upload("a", "second content").unwrap();
        drop(store);
        for seed in 0..SEEDS {
            check(&disk.crash(seed), &expected.lock().unwrap())
                .unwrap_or_else(|why| panic!("{killed}, {seed}: {why}"));
        }
    }
}

#[test]
fn sessions_on_threads_lose_nothing_either() {
    for seed in 0..40 {
        let disk = SimulatedDisk::default();
        disk.lose_power_at(10 + seed * 5);
        let expected = Mutex::default();
        let store = DiskStore::open_on(Arc::new(disk.clone()), Limits::default()).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let (store, expected) = (&store, &expected);
                scope.spawn(move || {
                    let session = Session { store, expected };
                    for round in 0..6 {
                        let text = format!("content {round}");
                        if session.upload("file", &text).is_err() {
                            break;
                        }
                    }
                });
            }
        });
        check(&disk.crash(seed), &expected.into_inner().unwrap())
            .unwrap_or_else(|why| panic!("{seed}: {why}"));
    }
}

/// The scenarios that strike the disk or the machine say the same of a store in memory, where what is not committed
/// is never there, and of the real store's code on a disk that loses what was not synchronised, whatever survives.
#[test]
fn scenarios_go_the_same_on_the_real_stores_code() {
    let mut struck = 0;
    for path in scenario_files() {
        let scenario = load(&path);
        let plan = Plan::new(&scenario).unwrap();
        if !plan.needs_disk() {
            continue;
        }
        struck += 1;
        let kind = if plan.needs_network() { TransportKind::Turmoil } else { TransportKind::Memory };
        let mut lane = transport(kind, &plan).unwrap();
        let mut on = |site: Site| {
            let outcome = run(&plan, &mut *lane, site, &RunOptions::default()).unwrap();
            text_of(&scenario, &outcome)
        };
        let expected = on(Site::in_memory());
        for seed in 0..4 {
            assert_eq!(on(Site::simulated(seed).unwrap()), expected, "{} with seed {seed}", path.display());
        }
    }
    assert!(struck >= 11, "only {struck} scenarios strike the disk");
}

/// What a simulated store loses when its machine goes down, and what not.
#[test]
fn a_restart_keeps_what_was_acknowledged_only() {
    let lost_of = |seed: u64| {
        let store = RestartingStore::new(seed).unwrap();
        let put = |name: &str, text: &str| {
            let (id, name) = file(name, text);
            let mut incoming = store.create(text.len() as u64)?;
            incoming.write(text.as_bytes())?;
            incoming.commit(&name, id)
        };
        put("kept", "bytes").unwrap();
        assert!(store.lose_power_before_rename());
        put("lost", "other bytes").unwrap_err();
        assert!(put("too late", "bytes").is_err(), "the power is gone");
        let arriving = store.create(1);
        store.restart();
        drop(arriving);
        let names: Vec<String> = store.list().unwrap().iter().map(|entry| entry.name.to_string()).collect();
        assert_eq!(names, ["kept"]);
        put("new", "bytes").unwrap();
    };
    (0..SEEDS).for_each(lost_of);
}

/// What brings the machine down in a scenario brings the store down: what was arriving is gone.
#[test]
fn every_simulated_crash_reaches_the_store() {
    let struck_by = |effect: &Effect| {
        let store = Arc::new(RestartingStore::new(1).unwrap());
        let mut arriving = store.create(2).unwrap();
        arriving.write(b"x").unwrap();
        if let Effect::Crash { .. } = effect {
            let deadline = Duration::from_secs(1);
            Sessions::new(ServerConfig::new(store, deadline)).handle_crash(Duration::ZERO);
        } else {
            let fault = Fault { effect: effect.clone(), region: Region::Upload, at: At::Last };
            let faulty = FaultyStore::new(store, vec![(Ledger::default().enter(fault, None), 0)]);
            let (id, name) = file("file", "");
            assert_eq!(faulty.create(0).unwrap().commit(&name, id), Err(StoreError::Crashed));
        }
        assert!(arriving.write(b"y").is_err(), "{effect:?} left the store as it was");
    };
    let lasts = Duration::from_secs(1);
    let before = [Effect::CrashBeforeSync, Effect::CrashBeforeRename];
    before.iter().chain(&[Effect::CrashAfterRename, Effect::Crash { lasts }]).for_each(struck_by);
}

/// Which mistake a disk makes, or a store on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mistake {
    NoFileSync,
    /// The file is synchronised only when its name is.
    FileSyncAfterRename,
    NoSyncOfRoot,
    NoSyncOfIds,
    /// It knows no hard links. That is no mistake: the store has to do without.
    NoLinks,
}

/// A disk that leaves out a synchronisation, as a store would that did not ask for it.
#[derive(Debug)]
struct Careless {
    disk: SimulatedDisk,
    mistake: Mistake,
    late: Arc<Mutex<Vec<Late>>>,
}

/// A file that is still to be synchronised.
type Shared = Arc<Mutex<Box<dyn DiskFile>>>;

struct Late(Shared);

impl std::fmt::Debug for Late {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Late")
    }
}

struct CarelessFile {
    file: Shared,
    mistake: Mistake,
    late: Arc<Mutex<Vec<Late>>>,
}

impl DiskFile for CarelessFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.lock().unwrap().append(bytes)
    }
    fn sync(&mut self) -> io::Result<()> {
        match self.mistake {
            Mistake::NoFileSync => Ok(()),
            Mistake::FileSyncAfterRename => {
                self.late.lock().unwrap().push(Late(Arc::clone(&self.file)));
                Ok(())
            }
            _ => self.file.lock().unwrap().sync(),
        }
    }
    fn content(&self) -> io::Result<Content> {
        self.file.lock().unwrap().content()
    }
}

impl Disk for Careless {
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        for Late(file) in self.late.lock().unwrap().drain(..) {
            file.lock().unwrap().sync()?;
        }
        let left_out = if path.as_os_str().is_empty() { Mistake::NoSyncOfRoot } else { Mistake::NoSyncOfIds };
        if self.mistake == left_out { Ok(()) } else { self.disk.sync_dir(path) }
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = Arc::new(Mutex::new(self.disk.create(path)?));
        Ok(Box::new(CarelessFile { file, mistake: self.mistake, late: Arc::clone(&self.late) }))
    }
    fn full(&self, path: &Path) -> PathBuf {
        self.disk.full(path)
    }
    fn lock(&self, path: &Path) -> io::Result<Lock> {
        self.disk.lock(path)
    }
    fn make_dir(&self, path: &Path) -> io::Result<()> {
        self.disk.make_dir(path)
    }
    fn list_dir(&self, path: &Path) -> io::Result<Vec<(OsString, Kind)>> {
        self.disk.list_dir(path)
    }
    fn kind(&self, path: &Path) -> io::Result<Kind> {
        self.disk.kind(path)
    }
    fn open(&self, path: &Path) -> io::Result<Content> {
        self.disk.open(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }
    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        match self.mistake {
            Mistake::NoLinks => Err(io::ErrorKind::Unsupported.into()),
            _ => self.disk.link(from, to),
        }
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)
    }
    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.disk.remove_dir(path)
    }
}

fn careless(mistake: Mistake) -> impl Fn(SimulatedDisk) -> Arc<dyn Disk> {
    move |disk| Arc::new(Careless { disk, mistake, late: Arc::default() })
}

#[test]
fn nothing_acknowledged_is_lost_without_hard_links() {
    let convictions = convictions(&careless(Mistake::NoLinks));
    assert!(convictions.is_empty(), "{}: {:#?}", convictions.len(), convictions.first());
}

#[test]
fn every_synchronisation_that_is_left_out_is_noticed() {
    use Mistake::{FileSyncAfterRename, NoFileSync, NoSyncOfIds, NoSyncOfRoot};
    for (mistake, consequence) in [
        (NoFileSync, "is not what its id says"),
        (FileSyncAfterRename, "is not what its id says"),
        (NoSyncOfRoot, "is lost"),
        (NoSyncOfIds, "is lost"),
        (NoSyncOfIds, "was taken back and is there"),
    ] {
        let convictions = convictions(&careless(mistake));
        assert!(
            convictions.iter().any(|it| it.ends_with(consequence)),
            "{mistake:?}: {:#?}",
            convictions.first()
        );
    }
}
