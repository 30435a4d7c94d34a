//! What lies where the file is received, and what of it came in this run: a server that runs already may have it from
//! a run before.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::judge::ClientClaim;
use faults::{Content, Excerpt, Truth};

/// How many files that may be the received one are looked at.
const MAX_RECEIVED: usize = 64;
/// How deep directories are looked into.
const MAX_DEPTH: usize = 4;

/// Where the file is received, as it was before the client started.
pub(super) struct Destination {
    pattern: String,
    before: BTreeMap<PathBuf, Stamp>,
    /// The directory of the program that receives it, and the files that were there. `None` if there were too many.
    dir: PathBuf,
    there: Option<Vec<PathBuf>>,
}

/// What changes when a file is written.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self { bytes: metadata.len(), modified: metadata.modified().ok(), inode: inode(metadata) }
    }
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_metadata: &Metadata) -> u64 {
    0
}

/// The received file, held against the sent one.
pub(super) struct ReceivedFile {
    pub(super) truth: Truth,
    pub(super) excerpt: Option<Excerpt>,
    /// Where it is, if there is one.
    pub(super) path: Option<PathBuf>,
    /// Whether it lay there before.
    pub(super) stale: bool,
    /// How many more files there are.
    pub(super) others: usize,
    /// What may be the received file and cannot be looked at, and why.
    pub(super) unreadable: Option<String>,
}

impl Destination {
    /// What lies at `pattern` now: a path, perhaps with `*`. `dir` is the directory, made for this run, of the program
    /// that receives.
    pub(super) fn survey(pattern: String, dir: &Path) -> io::Result<Self> {
        let paths = paths(&pattern)?;
        let stamp = |path: PathBuf| Some((path.clone(), Stamp::of(&fs::metadata(path).ok()?)));
        let before = paths.into_iter().filter_map(stamp).collect();
        Ok(Self { pattern, before, dir: dir.to_owned(), there: files(dir, MAX_DEPTH) })
    }

    /// Whether `path` is the one file that came since into the directory of the program that receives, and too short to be
    /// a file of `bytes` bytes of noise in another form: encrypted, say.
    pub(super) fn is_only_file(&self, path: &Path, bytes: u64) -> bool {
        let (Some(there), Some(now)) = (&self.there, files(&self.dir, MAX_DEPTH)) else { return false };
        let is_short = fs::metadata(path).is_ok_and(|found| found.len() <= bytes);
        let mut came = now.iter().filter(|file| !there.contains(file));
        is_short && came.next().is_some_and(|file| file == path) && came.next().is_none()
    }

    /// Whether what lies there is the very file `path`.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        let Ok(path) = path.canonicalize() else { return false };
        self.before.keys().any(|other| other.canonicalize().is_ok_and(|other| other == path))
    }

    /// As it is written, with its placeholders replaced.
    pub(super) fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Why it cannot be said what lies there: a directory on the way that nobody may look into, or something that is no
    /// file in the place of one.
    fn closed(&self) -> Option<String> {
        let explain = |path: &Path, why: &dyn std::fmt::Display| Some(format!("{}: {why}", path.display()));
        let path = Path::new(&self.pattern);
        let is_one = !self.pattern.contains(['*', '?', '[']);
        if is_one {
            return match (fs::symlink_metadata(path), fs::metadata(path)) {
                (Ok(_), Ok(found)) if found.is_dir() => explain(path, &"this is a directory"),
                (Ok(_), Err(error)) => explain(path, &error),
                (Err(error), _) if !is_missing(&error) => explain(path, &error),
                _ => None,
            };
        }
        let is_plain = |path: &&Path| !path.to_string_lossy().contains(['*', '?', '[']);
        let (path, error) = closed_directory(path.ancestors().find(is_plain)?, MAX_DEPTH)?;
        explain(&path, &error)
    }

    /// What of it is `payload`; of several files the one that is, of others one that came since.
    pub(super) fn find(&self, payload: &Content) -> io::Result<ReceivedFile> {
        let nothing = ReceivedFile {
            truth: Truth::Nothing,
            excerpt: None,
            path: None,
            stale: false,
            others: 0,
            unreadable: None,
        };
        let (mut best, mut unreadable) = (nothing, self.closed());
        let paths = paths(&self.pattern)?;
        let mut seen = 0_usize;
        for path in paths {
            // What is gone again is no received file, and neither is a directory.
            let Ok(metadata) = fs::metadata(&path) else { continue };
            if metadata.is_dir() {
                continue;
            }
            let stale = self.before.get(&path) == Some(&Stamp::of(&metadata));
            let content = if metadata.is_file() { Content::open(&path) } else { Err(irregular()) };
            seen += usize::from(!stale);
            match content {
                Ok(content) => {
                    let found = one(payload, &content, path, stale)?;
                    if rank(&found) > rank(&best) {
                        best = found;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => unreadable = Some(format!("{}: {error}", path.display())),
            }
        }
        best.others = seen.saturating_sub(1);
        best.unreadable = unreadable.filter(|_| best.truth != Truth::Same);
        Ok(best)
    }
}

impl ReceivedFile {
    /// Whether it is as it should be after this claim of the program, so that nothing has to be waited for.
    pub(super) fn is_settled(&self, claim: &ClientClaim) -> bool {
        match claim {
            ClientClaim::Success => self.truth == Truth::Same,
            _ => self.truth == Truth::Nothing || self.stale,
        }
    }

    /// What a run brought, if this is what the program claims. Whoever says Success means the file that is there,
    /// since when soever; what a failure left there is only what came with it.
    pub(super) fn after(self, claim: &ClientClaim) -> Self {
        if self.stale && *claim != ClientClaim::Success {
            return Self { truth: Truth::Nothing, excerpt: None, path: None, stale: false, ..self };
        }
        self
    }
}

/// Whether an error says that there is nothing.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// The first directory from `path` on that nobody may look into.
fn closed_directory(path: &Path, depth: usize) -> Option<(PathBuf, io::Error)> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if is_missing(&error) => return None,
        Err(error) => return Some((path.to_owned(), error)),
    };
    let is_directory = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
    let directories = entries.filter_map(Result::ok).filter(is_directory).take(MAX_RECEIVED);
    if depth == 0 {
        return None;
    }
    directories.filter_map(|entry| closed_directory(&entry.path(), depth - 1)).next()
}

/// All that lies in `dir` and is no directory. `None` if that cannot be said, or is too much.
fn files(dir: &Path, depth: usize) -> Option<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).ok()? {
        let entry = entry.ok()?;
        if entry.file_type().ok()?.is_dir() {
            found.extend(files(&entry.path(), depth.checked_sub(1)?)?);
        } else {
            found.push(entry.path());
        }
        if found.len() > MAX_RECEIVED {
            return None;
        }
    }
    Some(found)
}

fn irregular() -> io::Error {
    io::Error::other("this is no regular file")
}

fn one(payload: &Content, arrived: &Content, path: PathBuf, stale: bool) -> io::Result<ReceivedFile> {
    let truth = Truth::find(Some(payload), Some(arrived))?;
    let excerpt = match truth {
        Truth::Different { first, .. } => Some(Excerpt::around(first, payload, arrived)?),
        Truth::Same | Truth::Nothing | Truth::Unreadable => None,
    };
    Ok(ReceivedFile { truth, excerpt, path: Some(path), stale, others: 0, unreadable: None })
}

/// What came in this run counts more than what did not; and the right file more than another.
fn rank(found: &ReceivedFile) -> u8 {
    let came = if found.stale { 0 } else { 2 };
    match found.truth {
        Truth::Nothing | Truth::Unreadable => 0,
        Truth::Different { .. } => 1 + came,
        Truth::Same => 2 + came,
    }
}

fn paths(pattern: &str) -> io::Result<Vec<PathBuf>> {
    let paths = glob::glob(pattern).map_err(io::Error::other)?;
    Ok(paths.filter_map(Result::ok).take(MAX_RECEIVED).collect())
}

/// The names of what lies in `dir`, for a message: a few, and only on the surface.
pub(super) fn listing(dir: &Path) -> String {
    const SHOWN: usize = 6;
    let entries = fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
    let name = |entry: fs::DirEntry| {
        let slash = if entry.path().is_dir() { "/" } else { "" };
        format!("{}{slash}", faults::text::visible(&entry.file_name().to_string_lossy()))
    };
    let mut names: Vec<String> = entries.map(name).take(MAX_RECEIVED).collect();
    names.sort();
    let more = names.len().saturating_sub(SHOWN);
    names.truncate(SHOWN);
    match (names.is_empty(), more) {
        (true, _) => "nothing".into(),
        (_, 0) => names.join(", "),
        (_, more) => format!("{} and {more} more", names.join(", ")),
    }
}
