//! A client's errands: `ls`, `put`, `get` and `session`.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use faults::Content;
use faults::text::visible;
use protocol::FileName;
use sim::report::{self, Lines};
use transfer::endpoint::FileQuery;
use transfer::live::{Peer, PeerSettings, Trouble};
use transfer::record::TransferOutcome;
use transfer::record::{Failure, Progress};
use transfer::storage::{Folder, StoreError, Target};

use super::args::{ClientArgs, GetArgs, LsArgs, PutArgs, SessionArgs};
use super::run::fail;
use super::serve::hash_threads;
use super::{Exit, print, progress, signals};

/// What `session` sends when it is given no file: as many bytes as in `scenarios/basic.ron`.
const NOISE: Content = Content::Noise { seed: 1, len: 123_456 };

/// Lists the files of a server.
pub(super) fn ls(args: &LsArgs) -> Exit {
    let (peer, _) = peer(&args.client);
    match peer.list() {
        Ok(_) if args.client.quiet => Exit::Met,
        Ok(entries) => {
            let render = if args.client.json { report::live::listing_json } else { report::live::listing };
            print::say(&render(&entries));
            Exit::Met
        }
        Err(trouble) => complain(&trouble, json_lines(&args.client).as_ref()),
    }
}

/// Uploads files.
pub(super) fn put(args: &PutArgs) -> Exit {
    let (files, wrong) = named(args);
    if !wrong.is_empty() {
        return wrong.iter().fold(Exit::Usage, |exit, message| exit.max(fail(message)));
    }
    let (peer, progress) = peer(&args.client);
    let bar = progress::watch(progress, args.client.quiet);
    let (exit, left) = (Shared::new(Exit::Met), Shared::new(files.len()));
    let (in_files, in_each) = (exit.clone(), exit.clone());
    let not_sent = left.clone();
    let files = files.into_iter().filter_map(move |(name, path)| match open(&path) {
        Ok(content) => Some((name, content)),
        Err(why) => {
            not_sent.change(|left| left - 1);
            in_files.change(|exit| exit.max(fail(&why)));
            None
        }
    });
    let (quiet, over) = (args.client.quiet, left.clone());
    let lines = json_lines(&args.client).map(Arc::new);
    let in_lines = lines.clone();
    let shown = bar.as_ref().map(progress::Watch::bar);
    let ended = peer.put(files, move |done| {
        over.change(|left| left - 1);
        if let Some(bar) = &shown {
            bar.clear();
        }
        let text = report::live::transferred(&done, None, in_lines.as_deref());
        in_each.change(|exit| exit.max(tell(&done.outcome, &text, quiet)));
    });
    drop(bar);
    let mut exit = exit.get();
    if let Err(trouble) = ended {
        exit = exit.max(complain(&trouble, lines.as_deref()));
    }
    match left.get() {
        0 => exit,
        1 => exit.max(refused("1 file was not sent")),
        left => exit.max(refused(&format!("{left} files were not sent"))),
    }
}

/// Downloads a file.
pub(super) fn get(args: &GetArgs) -> Exit {
    let target = match &args.output {
        Some(path) if path.as_os_str() == "-" => {
            return fail("-o -: a download is a file that is renamed once it is verified; name one");
        }
        Some(path) if !path.is_dir() && !ends_in_separator(path) => Target::File(path.clone()),
        Some(directory) => Target::Directory(directory.clone()),
        None => Target::Directory(PathBuf::new()),
    };
    let folder = Folder::Disk { target, replace: args.force };
    let (peer, progress) = peer(&args.client);
    let bar = progress::watch(progress, args.client.quiet);
    let ended = peer.get(&FileQuery::parse(&args.wanted), &folder);
    drop(bar);
    match ended {
        Ok((done, path)) => {
            let text = report::live::transferred(&done, path.as_deref(), json_lines(&args.client).as_ref());
            tell(&done.outcome, &text, args.client.quiet)
        }
        Err(Trouble::Broken(Failure::Storage(error))) => {
            let target = args.output.clone().unwrap_or_else(|| PathBuf::from("."));
            let trouble = Trouble::Here(io::Error::other(format!("{}: {}", target.display(), here(error))));
            complain(&trouble, json_lines(&args.client).as_ref())
        }
        Err(trouble) => complain(&trouble, json_lines(&args.client).as_ref()),
    }
}

/// Why a file here could not be written. Of a server, "not found" would be the id.
fn here(error: StoreError) -> String {
    match error {
        StoreError::NotFound => "no file can be made there".into(),
        StoreError::Io(ErrorKind::AlreadyExists) => {
            "it is there by now; --force replaces it, -o puts the download elsewhere".into()
        }
        other => other.to_string(),
    }
}

/// Goes through the 22 steps.
pub(super) fn session(args: &SessionArgs) -> Exit {
    let (name, content) = match to_send(args.file.as_deref()) {
        Ok(file) => file,
        Err(message) => return fail(&message),
    };
    // What comes down is compared and dropped: the file is here already.
    let folder = match tempfile::tempdir() {
        Ok(folder) => folder,
        Err(error) => return fail(&error.to_string()),
    };
    let down = Folder::Disk { target: Target::Directory(folder.path().to_owned()), replace: false };
    let (peer, progress) = peer(&args.client);
    let bar = progress::watch(progress, args.client.quiet);
    let ended = sim::session::session(&peer, &name, &content, down);
    drop(bar);
    match ended {
        Ok(report) => {
            let lines = json_lines(&args.client);
            if !args.client.quiet {
                print::say(&report::live::session(&report, lines.as_ref()));
            }
            match &report.broken {
                // The steps tell it as every lane does, without the reason.
                Some(Failure::Storage(error)) => {
                    complain(&Trouble::Broken(Failure::Storage(*error)), lines.as_ref())
                }
                Some(_) if !report.differs => Exit::NoPeer,
                _ if report.is_good() => Exit::Met,
                _ => Exit::NotMet,
            }
        }
        Err(trouble) => complain(&trouble, json_lines(&args.client).as_ref()),
    }
}

/// The server, and the counters for a progress bar. A signal ends what is under way.
fn peer(args: &ClientArgs) -> (Peer, Arc<Progress>) {
    let progress = Arc::new(Progress::default());
    let settings = PeerSettings {
        deadline: args.timeout,
        retries: args.retries,
        hash_threads: hash_threads(args.hash_threads),
        conduct: args.mutant.into(),
        progress: Some(Arc::clone(&progress)),
    };
    let peer = Peer::new(&args.server, settings);
    let interrupt = peer.interrupt();
    signals::on_first(move || interrupt.interrupt());
    (peer, progress)
}

/// The files to upload and their names, and what is wrong with the others: that one of them cannot be read is better known
/// before the first is sent.
fn named(args: &PutArgs) -> (Vec<(FileName, PathBuf)>, Vec<String>) {
    if args.name.is_some() && args.files.len() > 1 {
        return (Vec::new(), vec!["--name is for a single file".into()]);
    }
    let (mut files, mut wrong) = (Vec::new(), Vec::new());
    for path in &args.files {
        match named_file(args, path) {
            Ok(name) => files.push((name, path.clone())),
            Err(why) => wrong.push(why),
        }
    }
    (files, wrong)
}

/// The name of a file that can be read.
fn named_file(args: &PutArgs, path: &Path) -> Result<FileName, String> {
    let name = match &args.name {
        Some(name) => FileName::parse(name).map_err(|error| format!("--name: {error}"))?,
        None => name_of(path)?,
    };
    if path.is_dir() {
        return Err(format!(
            "{}: is a directory; name the files in it",
            visible(&path.display().to_string())
        ));
    }
    // It is opened again when its turn comes: so many could not all be open at once.
    open(path)?;
    Ok(name)
}

fn open(path: &Path) -> Result<Content, String> {
    Content::open(path).map_err(|error| format!("{}: {error}", visible(&path.display().to_string())))
}

fn ends_in_separator(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().last().is_some_and(|last| std::path::is_separator(char::from(*last)))
}

/// The file of `session`.
fn to_send(path: Option<&Path>) -> Result<(FileName, Content), String> {
    let Some(path) = path else { return Ok((name_of(Path::new("my_file.jpg"))?, NOISE)) };
    Ok((name_of(path)?, open(path)?))
}

/// The name of a file here, as far as it may stand on the wire.
fn name_of(path: &Path) -> Result<FileName, String> {
    let name = path.file_name().unwrap_or_default().to_str().ok_or("its name is not UTF-8".to_owned());
    let name = name.and_then(|name| FileName::parse(name).map_err(|error| error.to_string()));
    name.map_err(|error| {
        format!("{}: {error}; choose another name with --name", visible(&path.display().to_string()))
    })
}

/// Says what came of a transfer.
fn tell(outcome: &TransferOutcome, text: &str, quiet: bool) -> Exit {
    let exit = match outcome {
        outcome if outcome.is_ours() => Exit::Usage,
        TransferOutcome::Success { .. } => Exit::Met,
        TransferOutcome::Fail { .. } => Exit::NotMet,
        TransferOutcome::Refused { .. } | TransferOutcome::Broken(_) => Exit::NoPeer,
    };
    if !quiet || exit != Exit::Met {
        print::say(text);
    }
    exit
}

fn refused(message: &str) -> Exit {
    fail(message);
    Exit::NoPeer
}

/// What writes the JSON lines, if it is they that are wanted.
fn json_lines(args: &ClientArgs) -> Option<Lines> {
    args.json.then(Lines::default)
}

fn complain(trouble: &Trouble, lines: Option<&Lines>) -> Exit {
    if let Some(lines) = lines {
        print::say(&report::live::trouble_json(trouble, lines));
    }
    match trouble {
        Trouble::Here(error) if error.kind() == ErrorKind::AlreadyExists => {
            fail(&format!("{trouble}; --force replaces it, -o puts the download elsewhere"))
        }
        Trouble::Here(_) | Trouble::Broken(Failure::Storage(_)) | Trouble::Ambiguous(..) => {
            fail(&trouble.to_string())
        }
        Trouble::Interrupted => {
            fail(&trouble.to_string());
            Exit::Interrupted
        }
        _ => refused(&trouble.to_string()),
    }
}

/// A value that a callback changes.
#[derive(Clone)]
struct Shared<T>(Arc<Mutex<T>>);

impl<T: Copy> Shared<T> {
    fn new(value: T) -> Self {
        Self(Arc::new(Mutex::new(value)))
    }

    fn get(&self) -> T {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(T) -> T) {
        let mut value = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *value = change(*value);
    }
}
