//! Stage two for faults: from one piece of a file to one [`Fault`]. To add a
//! fault, add a line to `KINDS`.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use ron::error::SpannedError;
use ron::value::RawValue;
use serde::Deserialize;

use super::error::Mistake;
use super::piece::{Item, Piece};
use super::place::{Located, Place};
use super::reader::{Reader, SHORTEST};
use super::{suggest, syntax};
use faults::{At, Effect, Fault, Layer, MAX_WINDOW, Region, grouped};

/// One kind of fault: how it is written, and what it means.
struct Kind {
    name: &'static str,
    /// All its fields. Of `hex` and `text` exactly one is given, of the others each.
    fields: &'static [&'static str],
    /// Reads the fields except `in` and `at`.
    build: fn(&mut Given<'_, '_>) -> Option<Effect>,
}

const fn kind(
    name: &'static str,
    fields: &'static [&'static str],
    build: fn(&mut Given<'_, '_>) -> Option<Effect>,
) -> Kind {
    Kind { name, fields, build }
}

#[rustfmt::skip] // A table: one line for each.
static KINDS: [Kind; 26] = [
    kind("Flip", &["in", "at", "bit"], |given| Some(Effect::Flip { bit: given.bit()? })),
    kind("Xor", &["in", "at", "hex", "text"], |given| Some(Effect::Xor { mask: given.mask()? })),
    kind("Drop", &["in", "at", "bytes"], |given| Some(Effect::Drop { bytes: given.window()? })),
    kind("Truncate", &["in", "at"], |_| Some(Effect::Truncate)),
    kind("Insert", &["in", "at", "hex", "text"], |given| Some(Effect::Insert { bytes: given.data()? })),
    kind("Duplicate", &["in", "at", "bytes"], |given| Some(Effect::Duplicate { bytes: given.window()? })),
    kind("Reorder", &["in", "at", "bytes", "with"], reorder),
    kind("Overwrite", &["in", "at", "hex", "text"], |given| Some(Effect::Overwrite { bytes: given.data()? })),
    kind("Stall", &["in", "at"], |_| Some(Effect::Stall)),
    kind("Delay", &["in", "at", "lasts"], |given| Some(Effect::Delay { lasts: given.lasts()? })),
    kind("Throttle", &["in", "at", "rate"], |given| Some(Effect::Throttle { rate: given.positive("rate")? })),
    kind("Slice", &["in", "at", "bytes"], |given| Some(Effect::Slice { bytes: given.positive("bytes")? })),
    kind("Coalesce", &["in", "at", "lasts"], |given| Some(Effect::Coalesce { lasts: given.lasts()? })),
    kind("Reset", &["in", "at"], |_| Some(Effect::Reset)),
    kind("HalfClose", &["in", "at"], |_| Some(Effect::HalfClose)),
    kind("Latency", &["min", "max"], latency),
    kind("Partition", &["in", "at", "lasts"], |given| Some(Effect::Partition { lasts: given.lasts()? })),
    kind("Hold", &["in", "at", "lasts"], |given| Some(Effect::Hold { lasts: given.lasts()? })),
    kind("Crash", &["in", "at", "lasts"], |given| Some(Effect::Crash { lasts: given.lasts()? })),
    kind("NoSpace", &["at"], |_| Some(Effect::NoSpace)),
    kind("WriteError", &["at"], |_| Some(Effect::WriteError)),
    kind("ShortWrite", &["at", "bytes"], |given| Some(Effect::ShortWrite { bytes: given.positive("bytes")? })),
    kind("CrashBeforeSync", &[], |_| Some(Effect::CrashBeforeSync)),
    kind("CrashBeforeRename", &[], |_| Some(Effect::CrashBeforeRename)),
    kind("CrashAfterRename", &[], |_| Some(Effect::CrashAfterRename)),
    kind("Rot", &["at", "bit"], |given| Some(Effect::Rot { bit: given.bit()? })),
];

/// The name of every kind of fault, in the order of the documentation.
pub fn fault_names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name)
}

impl Kind {
    fn find(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name)
    }

    fn takes(&self, field: &str) -> bool {
        self.fields.contains(&field)
    }

    /// How it is written, with an example for each field.
    fn form(&self, is_live: bool) -> String {
        let fields = self.fields.iter().filter(|field| **field != "hex").map(|field| example(field, is_live));
        format!("{}({})", self.name, fields.collect::<Vec<&str>>().join(", "))
    }
}

/// How a fault is written, with an example.
pub(super) fn shape(is_live: bool) -> String {
    format!("a fault is written as in Flip({}, at: 1_000, bit: 3)", example("in", is_live))
}

fn example(field: &str, is_live: bool) -> &'static str {
    match field {
        "in" if is_live => "in: ToServer",
        "in" => "in: Upload",
        "at" => "at: 1_000",
        "bit" => "bit: 3",
        "bytes" => "bytes: 100",
        "with" => "with: 5_000",
        "lasts" => "lasts: 5",
        "rate" => "rate: 10_000",
        "min" => "min: 0.001",
        "max" => "max: 0.1",
        _ => "text: \"...\"",
    }
}

/// One item of the field `faults`. The steps that it names are added to the
/// reader's.
pub fn parse(reader: &mut Reader, piece: Piece<'_>) -> Option<Fault> {
    let item: Item<'_> = match piece.parse() {
        Ok(item) => item,
        Err(error) => {
            let is_live = reader.is_live;
            reader.mistakes.add(|| explain(piece, &error, is_live));
            return None;
        }
    };
    let Some(kind) = Kind::find(item.word) else {
        let is_live = reader.is_live;
        reader.mistakes.add(|| unknown(&piece.slice(item.word).place(), item.word, is_live));
        return None;
    };
    Given::new(reader, piece, kind, item).fault()
}

fn explain(piece: Piece<'_>, error: &SpannedError, is_live: bool) -> Mistake {
    let word = piece.text().split('(').next().unwrap_or("").trim_end();
    let written = match Kind::find(word) {
        Some(kind) => format!("it is written {}", kind.form(is_live)),
        None if word.chars().all(|c| c.is_alphanumeric() || c == '_')
            && word.starts_with(char::is_alphabetic) =>
        {
            return unknown(&piece.slice(word).place(), word, is_live);
        }
        None => shape(is_live),
    };
    syntax::explain_item(piece, error, "fault", &written)
}

fn unknown(place: &Place, name: &str, is_live: bool) -> Mistake {
    let names = KINDS.each_ref().map(|kind| kind.name);
    let near = suggest::nearest(name, names).and_then(Kind::find);
    Mistake::at(place, suggest::unknown("fault", name, names))
        .help(near.map(|kind| format!("it is written {}", kind.form(is_live))))
}

/// The mirror of [`Region`], so that the number of a step has a place.
#[derive(Deserialize)]
#[serde(rename = "region")]
enum RawRegion<'a> {
    ToServer,
    ToClient,
    Upload,
    Download,
    #[serde(borrow)]
    Step(&'a RawValue),
}

/// The mirror of [`At`], where it is not a number.
#[derive(Deserialize)]
#[serde(rename = "place")]
enum RawAt<'a> {
    #[serde(borrow)]
    Percent(&'a RawValue),
    Last,
    Random,
}

/// The fields that are given for one fault. Reading one that is not given
/// yields `None`, without another mistake: it was noted at once.
struct Given<'r, 'a> {
    reader: &'r mut Reader,
    kind: &'static Kind,
    /// The name of the fault.
    word: Piece<'a>,
    fields: BTreeMap<&'static str, Piece<'a>>,
}

impl<'r, 'a> Given<'r, 'a> {
    fn new(reader: &'r mut Reader, piece: Piece<'a>, kind: &'static Kind, item: Item<'a>) -> Self {
        let mut given = Self { reader, kind, word: piece.slice(item.word), fields: BTreeMap::new() };
        let mut meant = Vec::new();
        for (name, raw) in item.fields.0 {
            match kind.fields.iter().find(|field| **field == name) {
                Some(known) => given.insert(known, piece.slice(name), piece.inner(raw)),
                None => meant.extend(given.unknown_field(piece.slice(name))),
            }
        }
        given.check_missing(&meant);
        given
    }

    fn insert(&mut self, field: &'static str, name: Piece<'a>, value: Piece<'a>) {
        if self.fields.insert(field, value).is_some() {
            self.mistake(name, format!("the field `{field}` is given twice"));
        }
    }

    /// Returns the field that was probably meant.
    fn unknown_field(&mut self, name: Piece<'a>) -> Option<&'static str> {
        let (kind, found) = (self.kind, name.text());
        if matches!(found, "in" | "at") {
            let message = format!("`{}` takes no `{found}`: its place is fixed", kind.name);
            self.mistake_with_form(name, message);
            return None;
        }
        self.mistake_with_form(name, suggest::unknown("field", found, kind.fields));
        suggest::nearest(found, kind.fields).copied()
    }

    /// Notes all the fields that are missing, except those that were meant.
    fn check_missing(&mut self, meant: &[&str]) {
        let has = |field: &str| self.fields.contains_key(field) || meant.contains(&field);
        let data = |field: &str| matches!(field, "hex" | "text");
        let data_is_missing = self.kind.takes("text") && !has("hex") && !has("text");
        let each = self.kind.fields.iter().filter(|field| !data(field) && !has(field));
        let mut missing: Vec<String> = each.map(|field| format!("`{field}`")).collect();
        missing.extend(data_is_missing.then(|| "`hex` or `text`".to_owned()));
        if !missing.is_empty() {
            let message = format!("this `{}` has no {}", self.kind.name, missing.join(", no "));
            self.mistake_with_form(self.word, message);
        }
    }

    fn mistake(&mut self, at: Piece<'a>, message: impl Into<String>) {
        self.reader.mistakes.add(|| Mistake::at(&at.place(), message));
    }

    fn mistake_with_form(&mut self, at: Piece<'a>, message: String) {
        let form = self.kind.form(self.reader.is_live);
        self.reader.mistakes.add(|| Mistake::at(&at.place(), message).help(format!("it is written {form}")));
    }

    /// Reads everything before giving up on anything, to find every mistake.
    fn fault(&mut self) -> Option<Fault> {
        let effect = (self.kind.build)(self);
        let region = match self.kind.takes("in") {
            true => self.region(),
            false => effect.as_ref().map(fixed_region),
        };
        let at = if self.kind.takes("at") { self.at() } else { Some(At::Offset(0)) };
        let fault = Fault { effect: effect?, region: region?, at: at? };
        if let Effect::Reorder { bytes, with } = fault.effect {
            self.check_reorder(fault.at, bytes, with);
        }
        Some(fault)
    }

    fn get(&self, field: &str) -> Option<Piece<'a>> {
        self.fields.get(field).copied()
    }

    fn region(&mut self) -> Option<Region> {
        let piece = self.get("in")?;
        let wanted = "ToServer, ToClient, Upload, Download or Step(NUMBER)";
        Some(match self.reader.word(piece, "region", "`in`", wanted)? {
            RawRegion::ToServer => Region::ToServer,
            RawRegion::ToClient => Region::ToClient,
            RawRegion::Upload => Region::Upload,
            RawRegion::Download => Region::Download,
            RawRegion::Step(number) => Region::Step(self.step(piece.inner(number))?),
        })
    }

    /// Whether there is such a step is for later: a base may have it.
    fn step(&mut self, piece: Piece<'a>) -> Option<usize> {
        let number = self.reader.whole(piece, "the number of a step", 1..=u64::MAX)?;
        let value = usize::try_from(number).unwrap_or(usize::MAX);
        self.reader.steps_named.push(Located { value, place: piece.place() });
        Some(value)
    }

    fn at(&mut self) -> Option<At> {
        let piece = self.get("at")?;
        if let Ok(offset) = piece.parse() {
            return Some(At::Offset(offset));
        }
        let wanted = "an offset in bytes, Percent(NUMBER), Last or Random";
        Some(match self.reader.word(piece, "place", "`at`", wanted)? {
            RawAt::Percent(number) => At::Percent(self.percent(piece.inner(number))?),
            RawAt::Last => At::Last,
            RawAt::Random => At::Random,
        })
    }

    fn percent(&mut self, piece: Piece<'a>) -> Option<u8> {
        let number = self.reader.whole(piece, "a percentage", 0..=100)?;
        u8::try_from(number).ok()
    }

    fn whole(&mut self, field: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let piece = self.get(field)?;
        self.reader.whole(piece, &format!("`{field}`"), range)
    }

    fn positive(&mut self, field: &str) -> Option<u64> {
        self.whole(field, 1..=u64::MAX)
    }

    fn bit(&mut self) -> Option<u8> {
        self.whole("bit", 0..=7).and_then(|bit| u8::try_from(bit).ok())
    }

    fn window(&mut self) -> Option<u64> {
        self.whole("bytes", 1..=MAX_WINDOW)
    }

    fn seconds(&mut self, field: &str, least: Duration) -> Option<Duration> {
        let piece = self.get(field)?;
        self.reader.seconds(piece, &format!("`{field}`"), least)
    }

    fn lasts(&mut self) -> Option<Duration> {
        self.seconds("lasts", SHORTEST)
    }

    fn mask(&mut self) -> Option<Vec<u8>> {
        let mask = self.data()?;
        if mask.iter().all(|byte| *byte == 0) {
            let piece = self.get("hex").or(self.get("text"))?;
            self.mistake(piece, "a mask of zeros changes nothing");
        }
        Some(mask)
    }

    /// The bytes that `hex` or `text` give.
    fn data(&mut self) -> Option<Vec<u8>> {
        let (piece, bytes) = match (self.get("hex"), self.get("text")) {
            (Some(_), Some(text)) => {
                self.mistake(text, "the bytes are given by `hex` or by `text`, not by both");
                return None;
            }
            (Some(hex), None) => (hex, self.reader.hex(hex, "`hex`")?),
            (None, text) => {
                let text = text?;
                let wanted = "text in double quotes";
                (text, self.reader.value::<String>(text, "`text`", wanted)?.into_bytes())
            }
        };
        if bytes.is_empty() {
            self.mistake(piece, "there must be at least one byte");
            return None;
        }
        Some(bytes)
    }

    /// A place that is left to chance may be the very first.
    fn check_reorder(&mut self, at: At, bytes: u64, with: u64) {
        let (Some(at_piece), Some(with_piece)) = (self.get("at"), self.get("with")) else { return };
        let start = match at {
            At::Offset(offset) => offset,
            At::Random | At::Percent(_) => 0,
            At::Last => {
                return self
                    .mistake(at_piece, "no bytes come after the last with which it could change places");
            }
        };
        let least = start.checked_add(bytes);
        if least.is_none_or(|least| with < least) {
            let help = least.map(|least| format!("here `with` is at least {}", grouped(least)));
            let message = "these bytes overlap those at `at`";
            self.reader.mistakes.add(|| Mistake::at(&with_piece.place(), message).help(help));
        } else if (with - start).saturating_add(bytes) > MAX_WINDOW {
            let most = grouped(MAX_WINDOW);
            let message = format!("the bytes that change places must lie within {most} bytes");
            self.mistake(with_piece, message);
        }
    }
}

fn latency(given: &mut Given<'_, '_>) -> Option<Effect> {
    let (min, max) = (given.seconds("min", Duration::ZERO), given.seconds("max", SHORTEST));
    let (min, max) = (min?, max?);
    if min > max {
        given.mistake(given.get("min")?, "`min` is more than `max`");
    }
    Some(Effect::Latency { min, max })
}

fn reorder(given: &mut Given<'_, '_>) -> Option<Effect> {
    let (bytes, with) = (given.window(), given.whole("with", 0..=u64::MAX));
    Some(Effect::Reorder { bytes: bytes?, with: with? })
}

/// The region of an effect for which a scenario does not say one.
const fn fixed_region(effect: &Effect) -> Region {
    match effect.layer() {
        Layer::Disk => Region::Upload,
        Layer::Stream | Layer::Network => Region::ToServer,
    }
}
