//! Where the bytes of a scenario's files come from, and stage two for them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use protocol::FileName;
use ron::value::RawValue;
use serde::Deserialize;

use super::names;
use notation::error::Mistake;
use notation::piece::{Entries, Piece};
use notation::place::Located;
use notation::reader::Reader;
use notation::{read, suggest, syntax};

/// The largest file that [`Source::Noise`] makes, in bytes: 1 TiB.
pub const MAX_NOISE_BYTES: u64 = 1 << 40;

/// Where a file's bytes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `Text("hello")`: this text in UTF-8.
    Text(String),
    /// `Hex("d1 31 dd")`: these bytes.
    Hex(Vec<u8>),
    /// `Noise(123_456)`: so many pseudo-random bytes, made from the scenario's
    /// seed. At most [`MAX_NOISE_BYTES`].
    Noise(u64),
    /// `Path("photo.jpg")`: the content of a file on disk. In the scenario it
    /// stands relative to the folder of the file it is written in; here it is
    /// already joined to that folder.
    Path(PathBuf),
    /// `SameAs("my_file.jpg")`: the same bytes as another file of the scenario.
    /// The chain always ends at a file that has bytes of its own.
    SameAs(FileName),
}

/// How a source is written.
const FORMS: &str =
    "a source is Text(\"...\"), Hex(\"...\"), Noise(SIZE), Path(\"FILE\") or SameAs(\"NAME\")";

#[derive(Deserialize)]
#[serde(rename = "source")]
enum RawSource<'a> {
    Text(String),
    #[serde(borrow)]
    Hex(&'a RawValue),
    Noise(&'a RawValue),
    Path(&'a RawValue),
    SameAs(&'a RawValue),
}

/// The files of a scenario, while mistakes may still be among them.
#[derive(Default)]
pub(super) struct Files {
    pub(super) sources: BTreeMap<FileName, Located<Source>>,
    /// Every declared name, also of files whose source is wrong.
    pub(super) declared: BTreeSet<FileName>,
    /// Whether some name could not be read, so that any may be missing.
    pub(super) incomplete: bool,
}

impl Files {
    pub(super) fn names(&self) -> Vec<&str> {
        self.declared.iter().map(FileName::as_str).collect()
    }
}

/// The value of the field `files`. `dir` is the folder of the scenario file.
pub(super) fn parse_files(reader: &mut Reader, piece: Piece<'_>, dir: &Path) -> Files {
    let mut files = Files::default();
    let wanted = "a map, as in { \"my_file.jpg\": Noise(1_000) }";
    let Some(Entries(entries)) = reader.value(piece, "`files`", wanted) else {
        return Files { incomplete: true, ..files };
    };
    let mut links = Vec::new();
    for (name, source) in entries {
        let source = piece.inner(source);
        let name = declare(reader, &mut files, piece.inner(name));
        let value = parse(reader, source, dir, &mut links);
        if let (Some(name), Some(value)) = (name, value) {
            files.sources.insert(name, Located { value, place: source.place() });
        }
    }
    check_links(reader, &files, &links);
    check_rings(reader, &files.sources);
    files
}

/// Reads the name of a file; `None` if it is bad or was declared before.
fn declare(reader: &mut Reader, files: &mut Files, piece: Piece<'_>) -> Option<FileName> {
    let Some(name) = names::name(reader, piece) else {
        files.incomplete = true;
        return None;
    };
    if files.declared.insert(name.clone()) {
        return Some(name);
    }
    let message = || format!("{} is declared twice", suggest::quoted(name.as_str()));
    reader.mistakes.add(|| Mistake::at(&piece.place(), message()));
    None
}

/// One source. The names that `SameAs` points to are added to `links`.
fn parse(
    reader: &mut Reader,
    piece: Piece<'_>,
    dir: &Path,
    links: &mut Vec<Located<FileName>>,
) -> Option<Source> {
    let raw = match piece.parse() {
        Ok(raw) => raw,
        Err(error) => {
            reader.mistakes.add(|| syntax::explain_item(piece, &error, "source", FORMS));
            return None;
        }
    };
    match raw {
        RawSource::Text(text) => Some(Source::Text(text)),
        RawSource::Hex(digits) => reader.hex(piece.inner(digits), "`Hex`").map(Source::Hex),
        RawSource::Noise(size) => noise(reader, piece.inner(size)).map(Source::Noise),
        RawSource::Path(path) => path_on_disk(reader, piece.inner(path), dir).map(Source::Path),
        RawSource::SameAs(name) => {
            let piece = piece.inner(name);
            let name = names::name(reader, piece)?;
            links.push(Located { value: name.clone(), place: piece.place() });
            Some(Source::SameAs(name))
        }
    }
}

fn noise(reader: &mut Reader, piece: Piece<'_>) -> Option<u64> {
    let size = reader.value(piece, "the size of `Noise`", "a whole number of bytes")?;
    if size <= MAX_NOISE_BYTES {
        return Some(size);
    }
    let message = format!("`Noise` makes at most {MAX_NOISE_BYTES} bytes");
    reader.mistakes.add(|| Mistake::at(&piece.place(), message));
    None
}

fn path_on_disk(reader: &mut Reader, piece: Piece<'_>, dir: &Path) -> Option<PathBuf> {
    let text: String = reader.value(piece, "`Path`", "text in double quotes")?;
    let path = dir.join(&text);
    if let Err(problem) = read::regular_file(&path) {
        let message = format!("the file {} {}", suggest::quoted(&text), problem.message);
        reader.mistakes.add(|| Mistake::at(&piece.place(), message).help(problem.help));
        return None;
    }
    Some(path)
}

fn check_links(reader: &mut Reader, files: &Files, links: &[Located<FileName>]) {
    if files.incomplete {
        return;
    }
    for link in links.iter().filter(|link| !files.declared.contains(&link.value)) {
        reader.mistakes.add(|| undeclared(link, &files.names()));
    }
}

/// The mistake of naming a file that is not among `names`.
pub(super) fn undeclared(mention: &Located<impl AsRef<str>>, names: &[&str]) -> Mistake {
    let name = suggest::quoted(mention.value.as_ref());
    let near = suggest::nearest(mention.value.as_ref(), names.iter().copied());
    let question = near.map_or_else(String::new, |near| format!(", did you mean {}?", suggest::quoted(near)));
    Mistake::at(&mention.place, format!("`files` declares no {name}{question}"))
        .help(format!("a file is declared as in files: {{ {name}: Noise(1_000) }}"))
}

/// Every ring of `SameAs` is one mistake, at the file of it that comes first
/// in the order of names. Each file is visited once.
fn check_rings(reader: &mut Reader, sources: &BTreeMap<FileName, Located<Source>>) {
    let mut done = BTreeSet::new();
    for start in sources.keys() {
        let mut trail: Vec<&FileName> = Vec::new();
        let mut on_trail = BTreeSet::new();
        let mut next = Some(start);
        while let Some(name) = next.filter(|name| !done.contains(name)) {
            if !on_trail.insert(name) {
                reader.mistakes.add(|| ring(sources, &trail, name));
                break;
            }
            trail.push(name);
            next = target(sources, name);
        }
        done.extend(trail);
    }
}

fn target<'a>(sources: &'a BTreeMap<FileName, Located<Source>>, name: &FileName) -> Option<&'a FileName> {
    match &sources.get(name)?.value {
        Source::SameAs(other) => Some(other),
        _ => None,
    }
}

fn ring(sources: &BTreeMap<FileName, Located<Source>>, trail: &[&FileName], again: &FileName) -> Mistake {
    let members = trail.iter().copied().skip_while(|&name| name != again).chain([again]);
    let members: Vec<String> = members.map(|name| suggest::quoted(name.as_str())).collect();
    let shown = suggest::list(&members, " -> ");
    let message = format!("these files go round in a ring and none has bytes of its own: {shown}");
    Mistake::at(&sources[again].place, message)
}
