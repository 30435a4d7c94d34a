//! A disk in memory that loses, when the power goes, what was not synchronised. Of a file that may be any part
//! of what was written since; of a directory, each name may be as it was at any moment since. Which, a seed
//! decides.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::device::{Disk, DiskFile, Kind, Lock};
use faults::Content;

/// The number of a file or directory, whatever names it has.
type Node = usize;
/// The root's.
const ROOT: Node = 0;

/// What changes the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// A directory is made.
    MakeDir,
    /// A file is made.
    Create,
    /// Bytes are appended.
    Append,
    /// A file is synchronised.
    SyncFile,
    /// A file is renamed.
    Rename,
    /// A file gets a further name.
    Link,
    /// A file's name is removed.
    Remove,
    /// A directory is removed.
    RemoveDir,
    /// A directory is synchronised.
    SyncDir,
}

/// A disk in memory. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct SimulatedDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    nodes: Vec<Contents>,
    operations: u64,
    /// The power goes at the operation with this number, from 0.
    last: Option<u64>,
    /// The power goes at the next operation of this kind.
    before: Option<Operation>,
    dead: bool,
    locked: BTreeSet<PathBuf>,
    /// How many names a file can have.
    max_names: usize,
}

#[derive(Debug)]
enum Contents {
    File {
        bytes: Vec<u8>,
        /// How many of them are durable.
        durable: usize,
    },
    Directory {
        names: BTreeMap<OsString, Node>,
        /// As it was when it was last synchronised.
        durable: BTreeMap<OsString, Node>,
        /// What each name has stood for since.
        since: BTreeMap<OsString, Vec<Option<Node>>>,
    },
}

impl Contents {
    fn directory(names: BTreeMap<OsString, Node>) -> Self {
        Self::Directory { durable: names.clone(), names, since: BTreeMap::new() }
    }
}

impl Default for State {
    fn default() -> Self {
        Self {
            nodes: vec![Contents::directory(BTreeMap::new())],
            operations: 0,
            last: None,
            before: None,
            dead: false,
            locked: BTreeSet::new(),
            max_names: usize::MAX,
        }
    }
}

impl SimulatedDisk {
    /// How many operations have changed it, or tried to.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Lets the power go at the operation with this number, from 0: it does nothing, and neither does any after it.
    pub fn lose_power_at(&self, operation: u64) {
        self.state().last = Some(operation);
    }

    /// Lets the power go at the next operation of this kind.
    pub fn lose_power_before(&self, operation: Operation) {
        self.state().before = Some(operation);
    }

    /// The disk as it is found when the machine is started again. This one is dead from now on.
    #[must_use]
    pub fn crash(&self, seed: u64) -> Self {
        let mut state = self.state();
        state.dead = true;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let nodes = state.nodes.iter().map(|node| surviving(node, &mut rng)).collect();
        Self::started_again(nodes, state.max_names)
    }

    /// The disk as it is found when only the program was killed: everything that was done is there, and what was not
    /// synchronised is still not durable. Locks are gone. This one is dead from now on.
    #[must_use]
    pub fn resume(&self) -> Self {
        let mut state = self.state();
        let State { nodes, max_names, .. } = std::mem::take(&mut *state);
        state.dead = true;
        Self::started_again(nodes, max_names)
    }

    /// Turns over a bit of a file that nobody is writing: bit rot.
    ///
    /// # Errors
    /// If it is not there, or has no such byte.
    pub fn rot(&self, path: &Path, at: usize, mask: u8) -> io::Result<()> {
        let mut state = self.state();
        let node = state.find(path)?;
        let byte = match &mut state.nodes[node] {
            Contents::File { bytes, .. } => bytes.get_mut(at),
            Contents::Directory { .. } => None,
        };
        *byte.ok_or(ErrorKind::InvalidInput)? ^= mask;
        Ok(())
    }

    /// A file can have so many names from now on: other file systems have a limit, too.
    pub fn limit_names(&self, max_names: usize) {
        self.state().max_names = max_names;
    }

    /// How many bytes all files have that have a name, each file counted once.
    #[must_use]
    pub fn used(&self) -> u64 {
        let state = self.state();
        let named: BTreeSet<Node> = state.named().collect();
        named.into_iter().map(|node| state.size(node)).sum()
    }

    /// A disk with these files, on which nothing has happened yet.
    fn started_again(nodes: Vec<Contents>, max_names: usize) -> Self {
        Self { state: Arc::new(Mutex::new(State { nodes, max_names, ..State::default() })) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, for an operation that changes it.
    fn change(&self, operation: Operation) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        let number = state.operations;
        state.operations += 1;
        if state.last.is_some_and(|last| number >= last) || state.before == Some(operation) {
            state.dead = true;
        }
        state.check()?;
        Ok(state)
    }

    fn look(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.state();
        state.check()?;
        Ok(state)
    }
}

/// What is left of a file or directory.
fn surviving(node: &Contents, rng: &mut ChaCha8Rng) -> Contents {
    match node {
        Contents::File { bytes, durable } => {
            let mut bytes = bytes.clone();
            bytes.truncate(rng.random_range(*durable..=bytes.len()));
            // The length may be there before the bytes are.
            let written = rng.random_range(*durable..=bytes.len());
            bytes[written..].fill(0);
            Contents::File { durable: bytes.len(), bytes }
        }
        Contents::Directory { durable, since, .. } => {
            let mut names = durable.clone();
            for (name, stood_for) in since {
                let moment = rng.random_range(0..=stood_for.len());
                let Some(last) = moment.checked_sub(1) else { continue };
                match stood_for[last] {
                    Some(node) => names.insert(name.clone(), node),
                    None => names.remove(name),
                };
            }
            Contents::directory(names)
        }
    }
}

impl State {
    fn check(&self) -> io::Result<()> {
        if self.dead { Err(io::Error::other("the power is gone")) } else { Ok(()) }
    }

    /// What each name stands for, in all directories.
    fn named(&self) -> impl Iterator<Item = Node> {
        let names = self.nodes.iter().filter_map(|node| match node {
            Contents::Directory { names, .. } => Some(names.values().copied()),
            Contents::File { .. } => None,
        });
        names.flatten()
    }

    /// Whether the file can have a further name.
    fn check_names(&self, node: Node) -> io::Result<()> {
        let is_full = self.max_names < usize::MAX
            && self.named().filter(|named| *named == node).count() >= self.max_names;
        if is_full { Err(ErrorKind::TooManyLinks.into()) } else { Ok(()) }
    }

    fn size(&self, node: Node) -> u64 {
        match self.kind(node) {
            Kind::File { size, .. } => size,
            _ => 0,
        }
    }

    fn names(&mut self, directory: Node) -> io::Result<&mut BTreeMap<OsString, Node>> {
        match &mut self.nodes[directory] {
            Contents::Directory { names, .. } => Ok(names),
            Contents::File { .. } => Err(ErrorKind::NotADirectory.into()),
        }
    }

    fn find(&mut self, path: &Path) -> io::Result<Node> {
        path.components().try_fold(ROOT, |directory, name| {
            let found = self.names(directory)?.get(name.as_os_str());
            found.copied().ok_or_else(|| ErrorKind::NotFound.into())
        })
    }

    /// The directory of `path` and the name in it.
    fn split<'a>(&mut self, path: &'a Path) -> io::Result<(Node, &'a OsStr)> {
        let name = path.file_name().ok_or(ErrorKind::InvalidInput)?;
        let directory = self.find(path.parent().unwrap_or(Path::new("")))?;
        Ok((directory, name))
    }

    /// Lets the name stand for `node`.
    fn set(&mut self, path: &Path, node: Option<Node>) -> io::Result<()> {
        let (directory, name) = self.split(path)?;
        match &mut self.nodes[directory] {
            Contents::Directory { names, since, .. } => {
                match node {
                    Some(node) => names.insert(name.to_owned(), node),
                    None => names.remove(name),
                };
                since.entry(name.to_owned()).or_default().push(node);
                Ok(())
            }
            Contents::File { .. } => Err(ErrorKind::NotADirectory.into()),
        }
    }

    fn add(&mut self, path: &Path, contents: Contents) -> io::Result<Node> {
        self.check_free(path)?;
        self.nodes.push(contents);
        let node = self.nodes.len() - 1;
        self.set(path, Some(node))?;
        Ok(node)
    }

    fn check_free(&mut self, path: &Path) -> io::Result<()> {
        let (directory, name) = self.split(path)?;
        if self.names(directory)?.contains_key(name) { Err(ErrorKind::AlreadyExists.into()) } else { Ok(()) }
    }

    fn kind(&self, node: Node) -> Kind {
        match &self.nodes[node] {
            Contents::File { bytes, .. } => Kind::File { size: bytes.len() as u64, node: node as u64 },
            Contents::Directory { .. } => Kind::Directory,
        }
    }

    fn content(&self, node: Node) -> io::Result<Content> {
        match &self.nodes[node] {
            Contents::File { bytes, .. } => Ok(Content::Memory(bytes.as_slice().into())),
            Contents::Directory { .. } => Err(ErrorKind::IsADirectory.into()),
        }
    }
}

impl Disk for SimulatedDisk {
    fn full(&self, path: &Path) -> PathBuf {
        Path::new("(simulated)").join(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Lock> {
        let taken = self.look()?.locked.insert(path.to_owned());
        if !taken {
            return Err(ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(SimulatedLock { disk: self.clone(), path: path.to_owned() }))
    }

    fn make_dir(&self, path: &Path) -> io::Result<()> {
        self.change(Operation::MakeDir)?.add(path, Contents::directory(BTreeMap::new())).map(|_| ())
    }

    fn list_dir(&self, path: &Path) -> io::Result<Vec<(OsString, Kind)>> {
        let mut state = self.look()?;
        let directory = state.find(path)?;
        let names = state.names(directory)?.clone();
        Ok(names.into_iter().map(|(name, node)| (name, state.kind(node))).collect())
    }

    fn kind(&self, path: &Path) -> io::Result<Kind> {
        let mut state = self.look()?;
        let node = state.find(path)?;
        Ok(state.kind(node))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = Contents::File { bytes: Vec::new(), durable: 0 };
        let node = self.change(Operation::Create)?.add(path, file)?;
        Ok(Box::new(SimulatedFile { disk: self.clone(), node }))
    }

    fn open(&self, path: &Path) -> io::Result<Content> {
        let mut state = self.look()?;
        let node = state.find(path)?;
        state.content(node)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.change(Operation::Rename)?;
        let node = state.find(from)?;
        state.set(to, Some(node))?;
        state.set(from, None)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.change(Operation::Link)?;
        let node = state.find(from)?;
        state.check_free(to)?;
        state.check_names(node)?;
        state.set(to, Some(node))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.change(Operation::Remove)?;
        let node = state.find(path)?;
        if state.kind(node) == Kind::Directory {
            return Err(ErrorKind::IsADirectory.into());
        }
        state.set(path, None)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.change(Operation::RemoveDir)?;
        let node = state.find(path)?;
        if !state.names(node)?.is_empty() {
            return Err(ErrorKind::DirectoryNotEmpty.into());
        }
        state.set(path, None)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.change(Operation::SyncDir)?;
        let node = state.find(path)?;
        let names = state.names(node)?.clone();
        state.nodes[node] = Contents::directory(names);
        Ok(())
    }
}

struct SimulatedLock {
    disk: SimulatedDisk,
    path: PathBuf,
}

impl Drop for SimulatedLock {
    fn drop(&mut self) {
        self.disk.state().locked.remove(&self.path);
    }
}

struct SimulatedFile {
    disk: SimulatedDisk,
    node: Node,
}

impl DiskFile for SimulatedFile {
    fn append(&mut self, new: &[u8]) -> io::Result<()> {
        if let Contents::File { bytes, .. } = &mut self.disk.change(Operation::Append)?.nodes[self.node] {
            bytes.extend_from_slice(new);
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        if let Contents::File { bytes, durable } =
            &mut self.disk.change(Operation::SyncFile)?.nodes[self.node]
        {
            *durable = bytes.len();
        }
        Ok(())
    }

    fn content(&self) -> io::Result<Content> {
        self.disk.look()?.content(self.node)
    }
}
