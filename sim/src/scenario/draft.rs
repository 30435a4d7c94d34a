//! Stage two for a whole file: from its fields, and its base's, to a
//! [`Scenario`].

use std::collections::BTreeMap;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use protocol::FileName;
use ron::value::RawValue;

use super::base::{self, Chain};
use super::source::{self, Files};
use super::step::Step;
use super::transport::TransportKind;
use super::{Scenario, command, expect, steps};
use faults::MAX_FAULTS;
use notation::error::{Mistake, ScenarioError};
use notation::piece::{Fields, Piece};
use notation::place::{Located, Place, SourceFile};
use notation::reader::{Reader, SHORTEST};
use notation::{fault, suggest, syntax};

/// How long a run may take if its scenario does not say.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(30);

/// The most retries a scenario can ask for.
pub const MAX_RETRIES: u32 = 100;

/// What may stand in a scenario.
const FIELDS: [&str; 11] = [
    "about",
    "base",
    "transport",
    "seed",
    "deadline",
    "files",
    "steps",
    "clients",
    "faults",
    "expect",
    "retries",
];

/// A scenario with what is needed to build another on it.
pub(super) struct Draft {
    scenario: Scenario,
    /// The file names that its steps or its clients mention.
    mentions: Vec<Located<String>>,
    /// The numbers of the steps that its faults name.
    steps_named: Vec<Located<usize>>,
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
    let from = reader.mistakes.count();
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
        let before = reader.mistakes.count();
        match base::load(reader, chain, piece, dir) {
            Some(draft) if reader.mistakes.count() == before => Self::Sound(Box::new(draft)),
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

    /// Whether this file says itself what happens.
    fn has_course(&self) -> bool {
        self.get("steps").or(self.get("clients")).is_some()
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
            clients: Vec::new(),
            faults: Vec::new(),
            expect: Vec::new(),
            retries: 0,
        };
        Self { scenario, mentions: Vec::new(), steps_named: Vec::new() }
    }

    /// Overwrites what comes from the base with what `fields` say.
    fn fill(reader: &mut Reader, fields: &Known<'_>, base: Base, dir: &Path) -> Self {
        let broken = matches!(base, Base::Broken);
        let alone = matches!(base, Base::Absent);
        let mut draft = match base {
            Base::Sound(draft) => *draft,
            Base::Absent | Base::Broken => Self::new(),
        };
        let files = fields.get("files").map(|piece| source::parse_files(reader, piece, dir));
        draft.fill_settings(reader, fields);
        let course_is_known = draft.fill_course(reader, fields, alone);
        draft.fill_faults(reader, fields);
        // With a broken base there is no telling which names are declared.
        if !broken {
            draft.check_mentions(reader, fields, files.as_ref());
        }
        if !broken && course_is_known {
            draft.check_steps_named(reader, fields);
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
        if let Some(value) = fields
            .get("transport")
            .and_then(|piece| reader.word(piece, "transport", "`transport`", "Memory, Turmoil or Tcp"))
        {
            scenario.transport = value;
        }
        let seed = fields.get("seed");
        if let Some(value) = seed.and_then(|piece| reader.value(piece, "`seed`", "a whole number from 0 on"))
        {
            scenario.seed = value;
        }
        if let Some(value) =
            fields.get("deadline").and_then(|piece| reader.seconds(piece, "`deadline`", SHORTEST))
        {
            scenario.deadline = value;
        }
    }

    /// What happens: the steps, or what the clients do. Giving the one does away
    /// with the other of the base. Returns whether it is known now.
    fn fill_course(&mut self, reader: &mut Reader, fields: &Known<'_>, alone: bool) -> bool {
        let (steps, clients) = (fields.get("steps"), fields.get("clients"));
        if steps.is_none() && clients.is_none() {
            if alone {
                fields.miss(reader, "steps", "[Server(Listen), ...], or base: \"basic.ron\"");
            }
            return !alone;
        }
        let before = reader.mistakes.count();
        reader.mentions.clear();
        self.scenario.steps = steps.and_then(|piece| parse_steps(reader, piece)).unwrap_or_default();
        let commands = clients.and_then(|piece| command::parse_clients(reader, piece));
        self.scenario.clients = commands.unwrap_or_default();
        self.mentions = mem::take(&mut reader.mentions);
        if let (Some(_), Some(clients)) = (steps, clients) {
            let message = "a scenario has `steps` or `clients`, not both";
            reader.mistakes.add(|| Mistake::at(&clients.place(), message));
        }
        reader.mistakes.count() == before
    }

    fn fill_faults(&mut self, reader: &mut Reader, fields: &Known<'_>) {
        let scenario = &mut self.scenario;
        if let Some(piece) = fields.get("faults") {
            reader.steps_named.clear();
            let faults = reader.at_most(MAX_FAULTS, piece, "`faults`", fault::parse);
            scenario.faults = faults.unwrap_or_default();
            self.steps_named = mem::take(&mut reader.steps_named);
        }
        if let Some(piece) = fields.get("expect") {
            scenario.expect = reader.list(piece, "`expect`", expect::parse).unwrap_or_default();
        }
        if let Some(piece) = fields.get("retries") {
            let retries = reader.whole(piece, "`retries`", 0..=MAX_RETRIES.into());
            scenario.retries = retries.and_then(|retries| retries.try_into().ok()).unwrap_or_default();
        }
    }

    /// Every name in a step or an upload has to be declared. Without steps, clients
    /// or files of its own a scenario has nothing that its base did not check already.
    fn check_mentions(&self, reader: &mut Reader, fields: &Known<'_>, files: Option<&Files>) {
        let inherited = &self.scenario.files;
        if files.is_some_and(|files| files.incomplete) || (files.is_none() && !fields.has_course()) {
            return;
        }
        let declared = |name: &str| match files {
            Some(files) => files.declared.iter().any(|declared| declared.as_str() == name),
            None => inherited.keys().any(|declared| declared.as_str() == name),
        };
        let names = || files.map_or_else(|| inherited.keys().map(FileName::as_str).collect(), Files::names);
        for mention in self.mentions.iter().filter(|mention| !declared(&mention.value)) {
            reader.mistakes.add(|| {
                let course = if self.scenario.clients.is_empty() { "steps" } else { "clients" };
                let note = self.inheritance_note(&mention.place, course, "files");
                source::undeclared(mention, &names()).note(note)
            });
        }
    }

    /// Every step that a fault names has to be there. As with names, what comes
    /// from the base was checked there.
    fn check_steps_named(&self, reader: &mut Reader, fields: &Known<'_>) {
        if !fields.has_course() && fields.get("faults").is_none() {
            return;
        }
        let count = self.scenario.steps.len();
        for step in self.steps_named.iter().filter(|step| step.value > count) {
            let course = if count == 0 { "clients" } else { "steps" };
            let note = || self.inheritance_note(&step.place, "faults", course);
            reader.mistakes.add(|| no_step(&step.place, step.value, count).note(note()));
        }
    }

    /// Why something in another file matters here.
    fn inheritance_note(&self, place: &Place, inherited: &str, own: &str) -> Option<String> {
        let heir = &self.scenario.path;
        (place.path() != heir).then(|| {
            format!("{} takes its {inherited} from here, but has `{own}` of its own", heir.display())
        })
    }
}

/// A fault names a step that a scenario with `count` steps does not have.
pub(super) fn no_step(place: &Place, step: usize, count: usize) -> Mistake {
    let there_are = match count {
        0 => "`clients`".to_owned(),
        1 => "one".to_owned(),
        _ => count.to_string(),
    };
    Mistake::at(place, format!("there is no step {step}: this scenario has {there_are}"))
}

fn about(reader: &mut Reader, piece: Piece<'_>) -> Option<String> {
    let text: String = reader.value(piece, "`about`", "text in double quotes")?;
    if text.trim().is_empty() {
        reader.mistakes.add(|| Mistake::at(&piece.place(), "`about` says nothing"));
    }
    Some(text)
}

fn parse_steps(reader: &mut Reader, piece: Piece<'_>) -> Option<Vec<Located<Step>>> {
    let steps = reader.list(piece, "`steps`", steps::parse)?;
    if steps.is_empty() {
        reader.mistakes.add(|| Mistake::at(&piece.place(), "a scenario has at least one step"));
    }
    Some(steps)
}
