//! Stage two for a whole file: from its fields, and its base's, to a
//! [`Scenario`].

use std::collections::BTreeMap;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use protocol::FileName;
use ron::error::{Error, SpannedError};
use ron::value::RawValue;

use super::base::{self, Chain};
use super::error::{Mistake, ScenarioError};
use super::piece::{Fields, Piece};
use super::place::{Located, Place, SourceFile};
use super::reader::Reader;
use super::source::{self, Files};
use super::transport::TransportKind;
use super::{Scenario, steps, suggest, syntax};

/// How long a run may take if its scenario does not say.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(30);

/// The longest deadline: a day.
pub const MAX_DEADLINE: Duration = Duration::from_secs(24 * 60 * 60);

/// What may stand in a scenario.
const FIELDS: [&str; 7] = ["about", "base", "transport", "seed", "deadline", "files", "steps"];

/// A scenario with what is needed to build another on it.
pub(super) struct Draft {
    scenario: Scenario,
    /// The file names that its steps mention.
    mentions: Vec<Located<FileName>>,
}

/// Reads `text`, which stands in the file `path`.
pub(super) fn scenario(path: &Path, text: String) -> Result<Scenario, ScenarioError> {
    let mut reader = Reader::default();
    let draft = read(&mut reader, &mut Chain::default(), &SourceFile::new(path, text));
    reader.mistakes.into_result()?;
    // Without a mistake there is a draft; this line is for the type only.
    draft.map(|draft| draft.scenario).ok_or_else(|| Mistake::of_file(path, "cannot be read").into())
}

/// Reads one file and, first, its base. `None` if there is no telling what the
/// file says; with mistakes in `reader` the draft is good only to find more.
pub(super) fn read(reader: &mut Reader, chain: &mut Chain, file: &Arc<SourceFile>) -> Option<Draft> {
    let whole = Piece::whole(file);
    let fields = match syntax::fields(file) {
        Ok(fields) => fields,
        Err(mistake) => {
            reader.mistakes.add(|| mistake);
            return None;
        }
    };
    let dir = file.path().parent().unwrap_or(Path::new(""));
    let from = reader.mistakes.len();
    let base = match fields.0.iter().find(|(name, _)| *name == "base") {
        Some((_, raw)) => chain.with(file.path(), |chain| Base::read(reader, chain, whole.inner(raw), dir)),
        None => Base::Absent,
    };
    let fields = Known::new(reader, whole, fields);
    let draft = Draft::fill(reader, &fields, base, dir);
    reader.mistakes.sort_from(from, file.path());
    Some(draft)
}

/// What the fields that are not given come from.
enum Base {
    /// The defaults.
    Absent,
    /// Another scenario, in which there is a mistake.
    Broken,
    /// Another scenario.
    Sound(Box<Draft>),
}

impl Base {
    fn read(reader: &mut Reader, chain: &mut Chain, piece: Piece<'_>, dir: &Path) -> Self {
        let before = reader.mistakes.len();
        match base::load(reader, chain, piece, dir) {
            Some(draft) if reader.mistakes.len() == before => Self::Sound(Box::new(draft)),
            _ => Self::Broken,
        }
    }
}

/// The fields that may stand in a scenario, each at most once.
struct Known<'a> {
    whole: Piece<'a>,
    pieces: BTreeMap<&'static str, Piece<'a>>,
}

impl<'a> Known<'a> {
    fn new(reader: &mut Reader, whole: Piece<'a>, fields: Fields<'a>) -> Self {
        let mut pieces = BTreeMap::new();
        for (name, raw) in fields.0 {
            let place = || whole.slice(name).place();
            let Some(known) = FIELDS.into_iter().find(|known| *known == name) else {
                reader.mistakes.add(|| Mistake::at(&place(), suggest::unknown("field", name, FIELDS)));
                continue;
            };
            if pieces.insert(known, whole.inner(raw)).is_some() {
                reader.mistakes.add(|| Mistake::at(&place(), format!("the field `{name}` is given twice")));
            }
        }
        Self { whole, pieces }
    }

    fn get(&self, name: &str) -> Option<Piece<'a>> {
        self.pieces.get(name).copied()
    }

    /// Notes that `name` has to be there and is not.
    fn miss(&self, reader: &mut Reader, name: &str, example: &str) {
        reader.mistakes.add(|| {
            let message = format!("this scenario has no `{name}`");
            Mistake::at(&self.opening(), message).help(format!("add {name}: {example}"))
        });
    }

    /// The `Scenario` with which the file begins, after its comments.
    fn opening(&self) -> Place {
        let trimmed = RawValue::from_ron(self.whole.text()).map(|raw| self.whole.inner(raw));
        let piece = trimmed.unwrap_or(self.whole);
        let word = piece.text().find('(').unwrap_or(0);
        piece.place_of(0..word.max(1))
    }
}

impl Draft {
    fn new() -> Self {
        let scenario = Scenario {
            path: PathBuf::new(),
            about: String::new(),
            transport: TransportKind::default(),
            seed: 0,
            deadline: DEFAULT_DEADLINE,
            files: BTreeMap::new(),
            steps: Vec::new(),
        };
        Self { scenario, mentions: Vec::new() }
    }

    /// Overwrites what comes from the base with what `fields` say.
    fn fill(reader: &mut Reader, fields: &Known<'_>, base: Base, dir: &Path) -> Self {
        let broken = matches!(base, Base::Broken);
        let needs_steps = matches!(base, Base::Absent);
        let mut draft = match base {
            Base::Sound(draft) => *draft,
            Base::Absent | Base::Broken => Self::new(),
        };
        let files = fields.get("files").map(|piece| source::parse_files(reader, piece, dir));
        draft.fill_settings(reader, fields);
        draft.fill_steps(reader, fields, needs_steps);
        // With a broken base there is no telling which names are declared.
        if !broken {
            draft.check_mentions(reader, fields, files.as_ref());
        }
        if let Some(files) = files {
            draft.scenario.files = files.sources;
        }
        draft
    }

    fn fill_settings(&mut self, reader: &mut Reader, fields: &Known<'_>) {
        let scenario = &mut self.scenario;
        scenario.path = fields.whole.place().path().to_owned();
        match fields.get("about") {
            Some(piece) => scenario.about = about(reader, piece).unwrap_or_default(),
            None => fields.miss(reader, "about", "\"what this scenario shows\""),
        }
        if let Some(value) = fields.get("transport").and_then(|piece| transport(reader, piece)) {
            scenario.transport = value;
        }
        let seed = fields.get("seed");
        if let Some(value) = seed.and_then(|piece| reader.value(piece, "`seed`", "a whole number from 0 on"))
        {
            scenario.seed = value;
        }
        if let Some(value) = fields.get("deadline").and_then(|piece| deadline(reader, piece)) {
            scenario.deadline = value;
        }
    }

    fn fill_steps(&mut self, reader: &mut Reader, fields: &Known<'_>, needed: bool) {
        let Some(piece) = fields.get("steps") else {
            if needed {
                fields.miss(reader, "steps", "[Server(Listen), ...], or base: \"basic.ron\"");
            }
            return;
        };
        reader.mentions.clear();
        let steps = reader.list(piece, "`steps`", steps::parse);
        if steps.as_ref().is_some_and(Vec::is_empty) {
            reader.mistakes.add(|| Mistake::at(&piece.place(), "a scenario has at least one step"));
        }
        self.scenario.steps = steps.unwrap_or_default();
        self.mentions = mem::take(&mut reader.mentions);
    }

    /// Every name in a step has to be declared. Without steps or files of its
    /// own a scenario has nothing that its base did not check already.
    fn check_mentions(&self, reader: &mut Reader, fields: &Known<'_>, files: Option<&Files>) {
        let inherited = &self.scenario.files;
        if files.is_some_and(|files| files.incomplete) || (files.is_none() && fields.get("steps").is_none()) {
            return;
        }
        let declared = |name: &FileName| match files {
            Some(files) => files.declared.contains(name),
            None => inherited.contains_key(name),
        };
        let names = || files.map_or_else(|| inherited.keys().map(FileName::as_str).collect(), Files::names);
        for mention in self.mentions.iter().filter(|mention| !declared(&mention.value)) {
            reader.mistakes.add(|| {
                let note = self.inheritance_note(&mention.place);
                source::undeclared(mention, &names()).note(note)
            });
        }
    }

    /// Why a step in another file matters here.
    fn inheritance_note(&self, place: &Place) -> Option<String> {
        let heir = &self.scenario.path;
        (place.path() != heir)
            .then(|| format!("{} takes its steps from here, but has `files` of its own", heir.display()))
    }
}

fn about(reader: &mut Reader, piece: Piece<'_>) -> Option<String> {
    let text: String = reader.value(piece, "`about`", "text in double quotes")?;
    if text.trim().is_empty() {
        reader.mistakes.add(|| Mistake::at(&piece.place(), "`about` says nothing"));
    }
    Some(text)
}

fn transport(reader: &mut Reader, piece: Piece<'_>) -> Option<TransportKind> {
    if let Err(SpannedError { code: Error::NoSuchEnumVariant { expected, found, .. }, .. }) =
        piece.parse::<TransportKind>()
    {
        reader.mistakes.add(|| Mistake::at(&piece.place(), suggest::unknown("transport", &found, expected)));
        return None;
    }
    reader.value(piece, "`transport`", "Memory, Turmoil or Tcp")
}

fn deadline(reader: &mut Reader, piece: Piece<'_>) -> Option<Duration> {
    let deadline = match piece.parse() {
        Ok(whole) => Some(Duration::from_secs(whole)),
        Err(_) => Duration::try_from_secs_f64(reader.value(piece, "`deadline`", "a number of seconds")?).ok(),
    };
    let deadline = deadline.filter(|deadline| !deadline.is_zero() && *deadline <= MAX_DEADLINE);
    if deadline.is_none() {
        let most = MAX_DEADLINE.as_secs();
        let message = format!("`deadline` must be more than 0 and at most {most} seconds");
        reader.mistakes.add(|| Mistake::at(&piece.place(), message));
    }
    deadline
}
