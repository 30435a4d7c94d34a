//! Reading a scenario file from disk: a regular file, of bounded size, in
//! UTF-8. Nothing that a path can name makes this hang or fill the memory.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::error::Mistake;
use super::suggest;

/// The largest scenario file, in bytes; and the largest of any file that is read as one is.
pub const MAX_SCENARIO_BYTES: u64 = 1 << 20;

/// How many neighbours are compared when a file is missing.
const MAX_NEIGHBOURS: usize = 1_000;

/// How many folders deep scenario files are looked for: a link can lead round in a circle.
const MAX_DEPTH: usize = 8;

/// Why a file cannot be used. The message continues "the file ".
#[derive(Debug)]
pub struct Unusable {
    /// Why, as the end of a sentence that begins with "the file".
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    too_large: bool,
}

impl Unusable {
    const fn new(message: String) -> Self {
        Self { message, help: None, too_large: false }
    }

    /// The same, known to be of a scenario: there, what is large need not stand in the file.
    pub fn in_scenario(mut self) -> Self {
        if self.too_large {
            let help =
                "large content goes beside the scenario, as Path(\"FILE\"), or is made up, as Noise(SIZE)";
            self.help = Some(help.to_owned());
        }
        self
    }

    /// The mistake of having named this file.
    pub fn mistake(self, path: &Path) -> Mistake {
        Mistake::of_file(path, format!("the file {}", self.message)).help(self.help)
    }
}

/// The text of the scenario at `path`.
pub fn scenario(path: &Path) -> Result<String, Unusable> {
    text(path).map_err(Unusable::in_scenario)
}

/// The text of the file at `path`.
pub fn text(path: &Path) -> Result<String, Unusable> {
    check_size(regular_file(path)?.len())?;
    String::from_utf8(bytes(path)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let byte = error.as_bytes()[at];
        Unusable::new(format!("is not text: its byte {at} (0x{byte:02X}) is not UTF-8"))
    })
}

/// Checks before opening, because opening a named pipe waits for its writer.
pub fn regular_file(path: &Path) -> Result<Metadata, Unusable> {
    let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    match metadata.file_type() {
        kind if kind.is_file() => Ok(metadata),
        kind if kind.is_dir() => Err(Unusable::new("is a directory".to_owned())),
        _ => Err(Unusable::new("is not a regular file".to_owned())),
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, Unusable> {
    let mut bytes = Vec::new();
    // The size is checked again while reading: a file can grow, and some
    // special files say they are empty.
    let read = File::open(path).and_then(|file| file.take(MAX_SCENARIO_BYTES + 1).read_to_end(&mut bytes));
    match read {
        Ok(count) => check_size(count as u64).map(|()| bytes),
        Err(error) => Err(unreadable(path, &error)),
    }
}

/// Refuses more than [`MAX_SCENARIO_BYTES`].
pub fn check_size(bytes: u64) -> Result<(), Unusable> {
    if bytes <= MAX_SCENARIO_BYTES {
        return Ok(());
    }
    let message = format!("has {bytes} bytes, and at most {MAX_SCENARIO_BYTES} are read");
    Err(Unusable { too_large: true, ..Unusable::new(message) })
}

/// The kinds are named here, because the wording of the system differs from
/// one machine to the next.
fn unreadable(path: &Path, error: &io::Error) -> Unusable {
    match error.kind() {
        ErrorKind::NotFound => {
            Unusable { help: neighbour(path), ..Unusable::new("does not exist".to_owned()) }
        }
        ErrorKind::PermissionDenied => Unusable::new("may not be read: permission denied".to_owned()),
        kind => Unusable::new(format!("cannot be read: {kind}")),
    }
}

/// The file in the same folder with the most similar name.
fn neighbour(path: &Path) -> Option<String> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = fs::read_dir(folder).ok()?.take(MAX_NEIGHBOURS);
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    let near = suggest::nearest(path.file_name()?.to_str()?, names)?;
    Some(format!("there is a {near:?} in the same folder"))
}

/// Every scenario file in the folder `path` and the folders in it, sorted; or `path` itself, if it is a file.
///
/// # Errors
/// If it cannot be read.
pub fn scenario_files(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if path.is_dir() {
        collect(path, MAX_DEPTH, &mut files)?;
    } else {
        files.push(path.to_owned());
    }
    files.sort();
    Ok(files)
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if depth > 0 {
                collect(&path, depth - 1, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "ron") {
            files.push(path);
        }
    }
    Ok(())
}
