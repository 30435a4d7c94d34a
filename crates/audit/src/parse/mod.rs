//! Audit files: from text to an [`Audit`], in the manner of scenarios. RON splits the text into pieces that know
//! where they stand; each is then parsed on its own, so that all mistakes are reported at once.

mod signals;
mod text;
mod trials;

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;

use ron::value::RawValue;

use super::spec::{
    Audit, AuditProgram, AuditServer, Check, DEFAULT_DEADLINE, DEFAULT_SIZE, Leftover, MAX_NEEDS, MAX_SIZE,
    MIN_SIZE, Need, Signal,
};
use faults::Direction;
use notation::error::{Mistake, ScenarioError};
use notation::loose::finish;
use notation::piece::{Entries, Item, Piece};
use notation::place::SourceFile;
use notation::reader::{Reader, SHORTEST};
use notation::{read, suggest, syntax};
use process::{Placeholder, Ready, Template};
use text::{before, command, env, path_of_file};

const SHAPE: &str = "an audit is written Audit(about: \"...\", transfer: Upload, server: Program(run: \"...\"), \
                     client: Program(run: \"...\"), received: \"...\")";
const PROGRAMS: &str = "a program is written Program(run: \"COMMAND {port}\"), or Own for ours";
const AUDIT: [&str; 21] = [
    "about",
    "needs",
    "transfer",
    "size",
    "name",
    "seed",
    "deadline",
    "server",
    "client",
    "before",
    "sent",
    "received",
    "success",
    "fail",
    "nth",
    "check",
    "leaves_no",
    "port",
    "data_port",
    "isolate",
    "faults",
];

impl Audit {
    /// Reads the audit at `path`.
    ///
    /// # Errors
    /// Every mistake that was found: in reading the file, in its form, or in what it says.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let text = read::text(path).map_err(|problem| problem.mistake(path))?;
        Self::parse(&text, path)
    }

    /// Reads an audit from `text`, as if it stood in the file `path`.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn parse(text: &str, path: &Path) -> Result<Self, ScenarioError> {
        let file = SourceFile::new(path, text.to_owned());
        let whole = syntax::value(&file, SHAPE)?;
        let mut reader = Reader::default();
        let audit = Given::new(&mut reader, whole, "Audit", &AUDIT, SHAPE)
            .and_then(|given| audit(&mut reader, &given, &file));
        finish(reader, &file, audit)
    }
}

/// The fields of a `Word(field: value)`.
struct Given<'a> {
    word: Piece<'a>,
    fields: BTreeMap<&'static str, Piece<'a>>,
    /// Those that were probably meant by a name that there is none of.
    meant: Vec<&'static str>,
}

impl<'a> Given<'a> {
    /// `None` if it is no such thing.
    fn new(
        reader: &mut Reader,
        piece: Piece<'a>,
        word: &str,
        known: &'static [&'static str],
        form: &str,
    ) -> Option<Self> {
        let item: Item<'a> = match piece.parse() {
            Ok(item) => item,
            Err(error) => {
                reader.mistakes.add(|| syntax::explain_item(piece, &error, &word.to_lowercase(), form));
                return None;
            }
        };
        if item.word != word {
            let message = suggest::unknown("word", item.word, [word]);
            let place = piece.slice(item.word).place();
            reader.mistakes.add(|| Mistake::at(&place, message).help(form.to_owned()));
            return None;
        }
        let mut given = Self { word: piece.slice(item.word), fields: BTreeMap::new(), meant: Vec::new() };
        for (name, raw) in item.fields.0 {
            given.insert(reader, piece.slice(name), piece.inner(raw), known);
        }
        Some(given)
    }

    fn insert(
        &mut self,
        reader: &mut Reader,
        name: Piece<'a>,
        value: Piece<'a>,
        known: &'static [&'static str],
    ) {
        let message = match known.iter().find(|known| **known == name.text()) {
            None => {
                self.meant.extend(suggest::nearest(name.text(), known));
                suggest::unknown("field", name.text(), known)
            }
            Some(known) if self.fields.insert(known, value).is_none() => return,
            Some(known) => format!("the field `{known}` is given twice"),
        };
        reader.mistakes.add(|| Mistake::at(&name.place(), message));
    }

    fn get(&self, name: &str) -> Option<Piece<'a>> {
        self.fields.get(name).copied()
    }

    fn miss(&self, reader: &mut Reader, name: &str, example: &str) {
        if self.meant.contains(&name) {
            return;
        }
        let message = format!("this `{}` has no `{name}`", self.word.text());
        let help = format!("add {name}: {example}");
        reader.mistakes.add(|| Mistake::at(&self.word.place(), message).help(help));
    }
}

/// A field that need not be there: what `parse` makes of it, or the default.
fn or<'a, T>(given: &Given<'a>, name: &str, default: T, parse: impl FnOnce(Piece<'a>) -> Option<T>) -> T {
    match given.get(name) {
        // With a mistake the value does not matter: no audit comes of it.
        Some(piece) => parse(piece).unwrap_or(default),
        None => default,
    }
}

/// Reads everything before giving up on anything, to find every mistake.
fn audit(reader: &mut Reader, given: &Given<'_>, file: &Arc<SourceFile>) -> Option<Audit> {
    let transfer = match given.get("transfer") {
        Some(piece) => direction(reader, piece),
        None => {
            given.miss(reader, "transfer", "Upload, or Download");
            None
        }
    };
    let server = required(reader, given, "server").and_then(|piece| server(reader, piece));
    let client = required(reader, given, "client").and_then(|piece| own_or(reader, piece, CLIENT));
    let ways = Ways::new(transfer.unwrap_or(Direction::Upload), server.as_ref(), client.as_ref());
    let sent = or(given, "sent", ways.sent(), |piece| path_of_file(reader, piece, "`sent`"));
    let received = received(reader, given, &ways);
    let audit = Audit {
        path: file.path().to_owned(),
        about: about(reader, given),
        needs: or(given, "needs", Vec::new(), |piece| needs(reader, piece)),
        transfer: transfer.unwrap_or(Direction::Upload),
        size: or(given, "size", DEFAULT_SIZE, |piece| reader.whole(piece, "`size`", MIN_SIZE..=MAX_SIZE)),
        name: or(given, "name", "payload.bin".into(), |piece| name(reader, piece)),
        seed: or(given, "seed", 1, |piece| reader.value(piece, "`seed`", "a whole number from 0 on")),
        deadline: or(given, "deadline", DEFAULT_DEADLINE, |piece| {
            reader.seconds(piece, "`deadline`", SHORTEST)
        }),
        server: server.unwrap_or(AuditServer::Own),
        client: client.unwrap_or(None),
        before: or(given, "before", Vec::new(), |piece| before(reader, piece)),
        sent,
        received: received.unwrap_or_default(),
        success: or(given, "success", Signal::Exit(vec![0]), |piece| signals::parse(reader, piece)),
        fail: or(given, "fail", ways.fail(), |piece| signals::parse(reader, piece).map(Some)),
        nth: or(given, "nth", None, |piece| {
            let nth = reader.whole(piece, "`nth`", 1..=1_000).and_then(|nth| usize::try_from(nth).ok());
            nth.map(NonZero::new)
        }),
        check: or(given, "check", ways.check(), |piece| check(reader, piece)),
        leaves_no: or(given, "leaves_no", Vec::new(), |piece| leaves_no(reader, piece)),
        port: or(given, "port", None, |piece| port(reader, piece).map(Some)),
        data_port: or(given, "data_port", false, |piece| reader.value(piece, "`data_port`", "true or false")),
        isolate: or(given, "isolate", false, |piece| reader.value(piece, "`isolate`", "true or false")),
        faults: or(given, "faults", Vec::new(), |piece| trials::parse(reader, piece, transfer)),
    };
    check_ports(reader, given, &audit);
    signals::check(reader, given, &audit);
    (reader.mistakes.count() == 0).then_some(audit)
}

/// Where the file is to be found.
fn received(reader: &mut Reader, given: &Given<'_>, ways: &Ways) -> Option<Template> {
    match (given.get("received"), ways.received()) {
        (Some(piece), _) => path_of_file(reader, piece, "`received`"),
        (None, Some(usual)) => Some(usual),
        (None, None) => {
            given.miss(reader, "received", "\"{server}/{name}\", where the file is to be found");
            None
        }
    }
}

fn required<'a>(reader: &mut Reader, given: &Given<'a>, name: &str) -> Option<Piece<'a>> {
    let piece = given.get(name);
    if piece.is_none() {
        given.miss(reader, name, "Program(run: \"COMMAND {port}\"), or Own for ours");
    }
    piece
}

/// What follows from which programs are ours.
struct Ways {
    transfer: Direction,
    own_server: bool,
    own_client: bool,
}

impl Ways {
    fn new(transfer: Direction, server: Option<&AuditServer>, client: Option<&Option<AuditProgram>>) -> Self {
        let own_server = matches!(server, Some(AuditServer::Own));
        Self { transfer, own_server, own_client: matches!(client, Some(None)) }
    }

    fn sent(&self) -> Template {
        let dir = if self.transfer == Direction::Upload { "client" } else { "server" };
        Template::new(match self.own_server && self.transfer == Direction::Download {
            // The store knows only what came to it as an upload.
            true => "{server}/sent/{name}".to_owned(),
            false => format!("{{{dir}}}/{{name}}"),
        })
    }

    fn received(&self) -> Option<Template> {
        match self.transfer {
            Direction::Upload if self.own_server => Some(Template::new("{server}/store/*/{name}")),
            Direction::Download if self.own_client => Some(Template::new("{client}/{name}")),
            _ => None,
        }
    }

    /// Our client says by its exit code that the digests differ.
    fn fail(&self) -> Option<Signal> {
        self.own_client.then(|| Signal::Exit(vec![1]))
    }

    fn check(&self) -> Check {
        if self.own_server || self.own_client { Check::Md5 } else { Check::default() }
    }
}

fn about(reader: &mut Reader, given: &Given<'_>) -> String {
    let Some(piece) = given.get("about") else {
        given.miss(reader, "about", "\"what is audited\"");
        return String::new();
    };
    reader.value(piece, "`about`", "text in double quotes").unwrap_or_default()
}

/// The programs that have to be there, and the packages that have them.
fn needs(reader: &mut Reader, piece: Piece<'_>) -> Option<Vec<Need>> {
    let Entries(entries) = reader.value(piece, "`needs`", "a map, as in { \"PROGRAM\": \"PACKAGE\" }")?;
    if entries.len() > MAX_NEEDS {
        let message = format!("`needs` has at most {MAX_NEEDS} programs");
        reader.mistakes.add(|| Mistake::at(&piece.place(), message));
    }
    let need = |(program, package): (&RawValue, &RawValue)| {
        let program = word(reader, piece.inner(program), "a program of `needs`");
        let package = word(reader, piece.inner(package), "a package of `needs`");
        Some(Need { program: program?, package: package? })
    };
    let needs: Vec<_> = entries.into_iter().map(need).collect();
    needs.into_iter().collect()
}

/// Text that is not empty and has no blank.
fn word(reader: &mut Reader, piece: Piece<'_>, what: &str) -> Option<String> {
    let text: String = reader.value(piece, what, "text in double quotes")?;
    if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        reader.mistakes.add(|| Mistake::at(&piece.place(), format!("{what} is one word")));
        return None;
    }
    Some(text)
}

fn direction(reader: &mut Reader, piece: Piece<'_>) -> Option<Direction> {
    choose(reader, piece, "transfer", &[("Upload", Direction::Upload), ("Download", Direction::Download)])
}

fn check(reader: &mut Reader, piece: Piece<'_>) -> Option<Check> {
    let checks =
        [("Crc32", Check::Crc32), ("Md5", Check::Md5), ("Digest", Check::Digest), ("Keyed", Check::Keyed)];
    choose(reader, piece, "check", &checks)
}

fn leaves_no(reader: &mut Reader, piece: Piece<'_>) -> Option<Vec<Leftover>> {
    let words =
        [("Rejected", Leftover::Rejected), ("Incomplete", Leftover::Incomplete), ("Wrong", Leftover::Wrong)];
    let leftovers = reader.at_most(words.len(), piece, "`leaves_no`", |reader, piece| {
        choose(reader, piece, "leftover", &words)
    })?;
    Some(leftovers.into_iter().map(|leftover| leftover.value).collect())
}

/// How long a file name can be on any system, in bytes.
const MAX_NAME: usize = 255;

/// One of several words.
fn choose<T: Copy>(reader: &mut Reader, piece: Piece<'_>, kind: &str, words: &[(&str, T)]) -> Option<T> {
    let found = words.iter().find(|(word, _)| *word == piece.text());
    if found.is_none() {
        let message = suggest::unknown(kind, piece.text(), words.iter().map(|(word, _)| *word));
        reader.mistakes.add(|| Mistake::at(&piece.place(), message));
    }
    found.map(|(_, value)| *value)
}

/// It becomes a word of a command line and part of a path, so it is one that no program stumbles over.
fn name(reader: &mut Reader, piece: Piece<'_>) -> Option<String> {
    reader.checked(piece, "a file name", |text| match text {
        "" => Err("a file name cannot be empty"),
        "." | ".." => Err("`.` and `..` name directories, not files"),
        _ if text.len() > MAX_NAME => Err("a file name has at most 255 bytes"),
        _ if text.contains(['/', '\\']) => Err("a file name cannot hold `/` or `\\`"),
        _ if text.chars().any(char::is_control) => Err("a file name cannot hold control characters"),
        _ => Ok(text.to_owned()),
    })
}

fn port(reader: &mut Reader, piece: Piece<'_>) -> Option<u16> {
    reader.whole(piece, "`port`", 1..=u64::from(u16::MAX)).and_then(|port| port.try_into().ok())
}

const SERVER: &[&str] = &["run", "env", "ready"];
const CLIENT: &[&str] = &["run", "env"];

fn server(reader: &mut Reader, piece: Piece<'_>) -> Option<AuditServer> {
    if !piece.text().starts_with("At") {
        let program = own_or(reader, piece, SERVER)?;
        return Some(program.map_or(AuditServer::Own, AuditServer::Program));
    }
    let address = text_in(reader, piece, "At(\"HOST:PORT\")")?;
    let is_address = address
        .rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0));
    if !is_address {
        reader
            .mistakes
            .add(|| Mistake::at(&piece.place(), "a server that runs already is written At(\"HOST:PORT\")"));
    }
    Some(AuditServer::At(address))
}

/// `Own`, or a program.
fn own_or(
    reader: &mut Reader,
    piece: Piece<'_>,
    fields: &'static [&'static str],
) -> Option<Option<AuditProgram>> {
    if piece.text() == "Own" {
        return Some(None);
    }
    let given = Given::new(reader, piece, "Program", fields, PROGRAMS)?;
    let run = match given.get("run") {
        Some(piece) => command(reader, piece, "`run`"),
        None => {
            given.miss(reader, "run", "\"COMMAND {port}\"");
            None
        }
    };
    let env = or(&given, "env", Vec::new(), |piece| env(reader, piece));
    let ready = or(&given, "ready", Ready::Port, |piece| ready(reader, piece));
    Some(Some(AuditProgram { run: run?, env, ready }))
}

fn ready(reader: &mut Reader, piece: Piece<'_>) -> Option<Ready> {
    if piece.text() == "Port" {
        return Some(Ready::Port);
    }
    signals::pattern(reader, piece, "`ready` is Port or Line(\"PATTERN\")").map(Ready::Line)
}

/// The one value in `Word(value)`.
fn inside<'a>(piece: Piece<'a>) -> Option<Piece<'a>> {
    let open = piece.text().find('(')?;
    let inner = piece.text()[open + 1..].trim_end().strip_suffix(')')?;
    let inner = inner.trim_end().strip_suffix(',').unwrap_or(inner);
    let raw = RawValue::from_ron(inner).ok()?;
    Some(piece.inner(raw))
}

fn text_in(reader: &mut Reader, piece: Piece<'_>, form: &str) -> Option<String> {
    let text = inside(piece).and_then(|inner| inner.parse().ok());
    if text.is_none() {
        reader.mistakes.add(|| Mistake::at(&piece.place(), format!("this is written {form}")));
    }
    text
}

fn word_of<'a>(piece: Piece<'a>) -> &'a str {
    piece.text().split('(').next().unwrap_or("").trim_end()
}

/// The proxy can stand between the programs only if they can be told where it is, or cannot see past it.
fn check_ports(reader: &mut Reader, given: &Given<'_>, audit: &Audit) {
    let has = |program: &AuditProgram, name: Placeholder| {
        program.run.tells(name) || program.env.iter().any(|(_, value)| value.has(name))
    };
    if let (Some(client), Some(piece), false) = (&audit.client, given.get("client"), audit.isolate)
        && !has(client, Placeholder::Port)
    {
        let message = "the client is not told on which port the proxy listens";
        let help = "say {port} in `run`; or, if its port cannot be changed, `port: 9999, isolate: true`";
        reader.mistakes.add(|| Mistake::at(&piece.place(), message).help(help.to_owned()));
    }
    if let (true, Some(piece)) = (audit.data_port, given.get("data_port"))
        && !matches!(&audit.server, AuditServer::Program(server) if has(server, Placeholder::Data) && !audit.isolate)
    {
        let message = "`data_port` is for a server that is started here, not isolated, and told the port: say {data} \
                       in its `run`";
        reader.mistakes.add(|| Mistake::at(&piece.place(), message));
    }
    if let (AuditServer::Program(server), Some(piece), None) =
        (&audit.server, given.get("server"), audit.port)
        && !has(server, Placeholder::Port)
    {
        let message = "the server is not told on which port to listen";
        let help = "say {port} in `run`; or, if its port cannot be changed, say it in `port`";
        reader.mistakes.add(|| Mistake::at(&piece.place(), message).help(help.to_owned()));
    }
    audit.faults.iter().for_each(|wanted| trials::check_env(reader, &audit.server, wanted));
    let message = match (&audit.server, audit.isolate, audit.port) {
        (AuditServer::At(_), true, _) => "a server that runs already cannot be given a network of its own",
        (AuditServer::At(_), _, Some(_)) => "the port of a server that runs already stands in its address",
        (_, true, None) => "`isolate` needs `port`: the port that the programs have written into them",
        _ => return,
    };
    if let Some(piece) = given.get("isolate").or(given.get("port")) {
        reader.mistakes.add(|| Mistake::at(&piece.place(), message));
    }
}
