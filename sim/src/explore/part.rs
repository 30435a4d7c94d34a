//! What came of a sweep, or of a share of one, as a file of JSON lines: a header that says what was asked, then what each run
//! came to. It can be cut off at any line and gone on with, and the parts of a sweep make one whole again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::class::Class;
use super::pool::{MOST_SHARDS, Shard};
use super::space::{Message, Narrowing, Place, Space};
use super::sweep::Run;
use faults::Flow;

/// No stream of an exchange that is swept has more bytes, nor has a sweep more runs, than can be kept in memory.
const LARGEST: u64 = 1 << 30;
/// How many runs stand in one line.
const RUNS_IN_A_LINE: usize = 1_000;

/// What was asked: the first line of a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the program. Another one may number the faults otherwise.
    pub version: String,
    /// The scenario's file, as it was named.
    pub scenario: String,
    /// A hash of what happens without faults, and of what decides what happens with them: the file may be changed.
    pub exchange: String,
    /// How many clients there are: faults strike the first connection of the first.
    pub clients: usize,
    /// The mistake of the programs, if they were made to have one.
    pub mutant: Option<String>,
    /// The seed of everything that is left to chance.
    pub seed: u64,
    /// The size that every file of noise was given, if not its own.
    pub size: Option<u64>,
    /// Only these kinds of faults; all if there are none.
    pub kinds: Vec<String>,
    /// Only the messages of these steps.
    pub steps: Vec<usize>,
    /// Only what is there.
    pub places: Vec<String>,
    /// How many runs the whole has.
    pub total: u64,
    /// Which share this is, from 1.
    pub shard: u64,
    /// Of how many.
    pub shards: u64,
    /// The messages of the exchange.
    pub messages: Vec<MessageRecord>,
}

/// A message, as a part has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRecord {
    /// The step that sends it.
    pub step: Option<usize>,
    /// What it is.
    pub label: String,
    /// `to-server`, `to-client` or `disk`.
    pub place: String,
    /// Its first offset there.
    pub start: u64,
    /// How many bytes it has.
    pub bytes: u64,
}

/// A run that showed what a correct program does not show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingRecord {
    /// Its number, from 0.
    pub run: u64,
    /// What it came to.
    pub class: Class,
    /// Its fault.
    pub fault: String,
    /// What went wrong, in words.
    pub what: String,
}

/// A line of a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Record {
    /// The first.
    Sweep(Header),
    /// What the next runs of the share came to, a letter for each; see [`Class::letter`].
    Runs {
        /// The position of the first within the share, from 0.
        first: u64,
        /// The letters.
        classes: String,
    },
    /// One of them, in words.
    Finding(FindingRecord),
}

/// The name of a place in a part, and on the command line.
#[must_use]
pub const fn place_word(place: Place) -> &'static str {
    match place {
        Place::Stream(Flow::ToServer) => "to-server",
        Place::Stream(Flow::ToClient) => "to-client",
        Place::Disk => "disk",
    }
}

/// The place of this name.
#[must_use]
pub fn place_of(word: &str) -> Option<Place> {
    let all = [Place::Stream(Flow::ToServer), Place::Stream(Flow::ToClient), Place::Disk];
    all.into_iter().find(|place| place_word(*place) == word)
}

impl Header {
    /// The space that it speaks of. `None` if this version numbers the faults otherwise.
    #[must_use]
    pub fn space(&self) -> Option<Space> {
        let message = |record: &MessageRecord| {
            let place = place_of(&record.place)?;
            let (step, label) = (record.step, record.label.clone());
            let end = record.start.checked_add(record.bytes).filter(|end| *end <= LARGEST)?;
            Some(Message { step, label, place, range: record.start..end })
        };
        let messages: Option<Vec<Message>> = self.messages.iter().map(message).collect();
        let places: Option<Vec<Place>> = self.places.iter().map(|word| place_of(word)).collect();
        let narrowing = Narrowing { kinds: self.kinds.clone(), steps: self.steps.clone(), places: places? };
        let space = Space::new(messages?, &narrowing);
        (space.count() == self.total && self.version == env!("CARGO_PKG_VERSION")).then_some(space)
    }

    /// Whether it can be the header of a sweep.
    fn check(&self) -> Result<(), PartError> {
        if self.version != env!("CARGO_PKG_VERSION") {
            return Err(PartError::OtherVersion(self.version.clone()));
        }
        if !(1..=self.shards).contains(&self.shard) || self.shards > MOST_SHARDS {
            return Err(PartError::BadHeader("there is no such share"));
        }
        if self.total > LARGEST {
            return Err(PartError::BadHeader("it has too many runs"));
        }
        match self.space() {
            Some(_) => Ok(()),
            None => Err(PartError::BadHeader("its messages and its number of runs do not agree")),
        }
    }

    /// Its share.
    #[must_use]
    pub const fn share(&self) -> Shard {
        Shard { number: self.shard, of: self.shards }
    }

    /// The same of the whole, so that parts can be compared.
    #[must_use]
    pub fn whole(&self) -> Self {
        Self { shard: 1, shards: 1, ..self.clone() }
    }
}

/// The messages of a space, for a header.
#[must_use]
pub fn message_records(space: &Space) -> Vec<MessageRecord> {
    let record = |message: &Message| MessageRecord {
        step: message.step,
        label: message.label.clone(),
        place: place_word(message.place).into(),
        start: message.range.start,
        bytes: message.range.end - message.range.start,
    };
    space.messages().iter().map(record).collect()
}

/// Gathers what comes of the runs of a share into lines.
#[derive(Debug, Default)]
pub struct Lines {
    first: u64,
    classes: String,
    findings: Vec<Record>,
}

impl Lines {
    /// The next line is of the run at this position of the share, and those behind it.
    #[must_use]
    pub fn from(first: u64) -> Self {
        Self { first, ..Self::default() }
    }

    /// Takes the next run. Returns the lines that are full now.
    pub fn add(&mut self, number: u64, space: &Space, run: &Run) -> Vec<Record> {
        self.classes.push(run.class.letter());
        if let (Some(what), Some(point)) = (&run.finding, space.point(number)) {
            let (class, fault) = (run.class, point.fault.to_string());
            self.findings.push(Record::Finding(FindingRecord {
                run: number,
                class,
                fault,
                what: what.clone(),
            }));
        }
        if self.classes.len() < RUNS_IN_A_LINE { Vec::new() } else { self.finish() }
    }

    /// The lines of what has come since the last ones. Findings stand before the line that counts them: what is cut off
    /// between the two is carried out again.
    pub fn finish(&mut self) -> Vec<Record> {
        let mut records = std::mem::take(&mut self.findings);
        if !self.classes.is_empty() {
            let (first, classes) = (self.first, std::mem::take(&mut self.classes));
            self.first += classes.len() as u64;
            records.push(Record::Runs { first, classes });
        }
        records
    }
}

/// Why parts make no whole.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PartError {
    /// There is nothing in it, or no header.
    #[error("its first line is no header of a sweep")]
    NoHeader,
    /// The header contradicts itself.
    #[error("its header is none of a sweep: {0}")]
    BadHeader(&'static str),
    /// A finding has no letter, or a letter no finding.
    #[error("line {0} tells of other findings than the lines before it")]
    OtherFindings(usize),
    /// A line is not one of a part.
    #[error("line {0} is no line of a part")]
    BadLine(usize),
    /// A run is told twice, or one before it is missing.
    #[error("line {0} does not go on where the one before it ends, or goes beyond the share")]
    Gap(usize),
    /// It was made by another version of the program.
    #[error("version {0} made it, which may number the faults otherwise: this is {this}", this = env!("CARGO_PKG_VERSION"))]
    OtherVersion(String),
    /// It belongs to another sweep, and in what it differs.
    #[error("it belongs to another sweep: its {0} is another")]
    Other(&'static str),
    /// A share comes twice.
    #[error("share {0} came before")]
    Twice(Shard),
}

/// What came of a sweep, as far as it was walked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepResult {
    /// What was asked, of the whole.
    pub header: Header,
    /// What each run came to; none where it was not carried out.
    pub classes: Vec<Option<Class>>,
    /// What was found, by the number of the run.
    pub findings: BTreeMap<u64, FindingRecord>,
    /// The shares that are in it, and how many of their runs.
    pub shares: Vec<(Shard, u64)>,
}

impl SweepResult {
    /// Nothing of it is carried out yet.
    #[must_use]
    pub fn new(header: &Header) -> Self {
        let classes = vec![None; usize::try_from(header.total).unwrap_or(0)];
        Self { header: header.whole(), classes, findings: BTreeMap::new(), shares: Vec::new() }
    }

    /// How many runs were carried out.
    #[must_use]
    pub fn walked(&self) -> u64 {
        self.shares.iter().map(|(_, runs)| runs).sum()
    }

    /// Whether all runs were carried out.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.walked() == self.header.total
    }

    /// Adds the share that the lines of this text are. What stands behind the last whole line was cut off, and does not
    /// count.
    ///
    /// # Errors
    /// If it is no part, or one of another sweep.
    pub fn add(&mut self, text: &str) -> Result<(), PartError> {
        let Part { header, records, .. } = Part::read(text)?;
        self.header.belongs(&header)?;
        let shard = header.share();
        if self.shares.iter().any(|(other, _)| *other == shard) {
            return Err(PartError::Twice(shard));
        }
        let mut runs = 0;
        for record in records {
            match record {
                Record::Runs { classes, .. } => {
                    for class in classes.chars().filter_map(Class::from_letter) {
                        let at = usize::try_from(shard.run(runs)).ok();
                        if let Some(slot) = at.and_then(|at| self.classes.get_mut(at)) {
                            *slot = Some(class);
                        }
                        runs += 1;
                    }
                }
                Record::Finding(finding) => {
                    self.findings.insert(finding.run, finding);
                }
                Record::Sweep(_) => {}
            }
        }
        self.shares.push((shard, runs));
        self.shares.sort_by_key(|(shard, _)| (shard.of, shard.number));
        Ok(())
    }

    /// The shares of which nothing, or not all, is there.
    #[must_use]
    pub fn missing(&self) -> Vec<Shard> {
        let of = self.shares.first().map_or(1, |(shard, _)| shard.of);
        let whole = |shard: Shard| self.shares.contains(&(shard, shard.share(self.header.total)));
        (1..=of).map(|number| Shard { number, of }).filter(|shard| !whole(*shard)).collect()
    }
}

impl Header {
    /// Whether something of the whole space was left out on purpose.
    #[must_use]
    pub fn narrows(&self) -> bool {
        !(self.kinds.is_empty() && self.steps.is_empty() && self.places.is_empty())
    }

    /// Whether `other` is a part of the same sweep.
    fn belongs(&self, other: &Self) -> Result<(), PartError> {
        if other.version != env!("CARGO_PKG_VERSION") {
            return Err(PartError::OtherVersion(other.version.clone()));
        }
        let differences = [
            (self.scenario != other.scenario, "scenario"),
            (self.mutant != other.mutant, "mutant"),
            (self.seed != other.seed, "seed"),
            (self.size != other.size, "size"),
            (self.exchange != other.exchange || self.clients != other.clients, "exchange"),
            (self.kinds != other.kinds, "choice of kinds"),
            (self.steps != other.steps, "choice of steps"),
            (self.places != other.places, "choice of places"),
            (self.messages != other.messages, "list of messages"),
            (self.total != other.total, "number of runs"),
        ];
        match differences.into_iter().find(|(differs, _)| *differs) {
            Some((_, what)) => Err(PartError::Other(what)),
            None => Ok(()),
        }
    }
}

/// A part that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its first line.
    pub header: Header,
    /// Those behind it.
    pub records: Vec<Record>,
    /// How many bytes of the text these are: what is behind them was cut off, or counts for nothing.
    pub bytes: usize,
    /// How many runs they tell of.
    pub runs: u64,
}

impl Part {
    /// Reads the lines of a part, up to the last whole one that counts runs.
    ///
    /// # Errors
    /// If a line in it is not one of a part.
    pub fn read(text: &str) -> Result<Self, PartError> {
        let (mut part, mut at, mut waiting): (Option<Self>, usize, Vec<Record>) = (None, 0, Vec::new());
        for (line, number) in text.split_inclusive('\n').filter(|line| line.ends_with('\n')).zip(1..) {
            at += line.len();
            let record = serde_json::from_str(line).map_err(|_| PartError::BadLine(number));
            match (record, &mut part) {
                (Ok(Record::Sweep(header)), None) => {
                    header.check()?;
                    part = Some(Self { header, records: Vec::new(), bytes: at, runs: 0 });
                }
                (_, None) => return Err(PartError::NoHeader),
                (Ok(Record::Runs { first, classes }), Some(part)) => {
                    if first != part.runs {
                        return Err(PartError::Gap(number));
                    }
                    let known = classes.chars().all(|letter| Class::from_letter(letter).is_some());
                    if !known || classes.is_empty() {
                        return Err(PartError::BadLine(number));
                    }
                    let share = part.header.share();
                    if classes.len() as u64 > share.share(part.header.total).saturating_sub(first) {
                        return Err(PartError::Gap(number));
                    }
                    if !tell_the_same(share, first, &classes, &waiting) {
                        return Err(PartError::OtherFindings(number));
                    }
                    part.runs += classes.len() as u64;
                    part.bytes = at;
                    part.records.append(&mut waiting);
                    part.records.push(Record::Runs { first, classes });
                }
                (Ok(record @ Record::Finding(_)), Some(_)) => waiting.push(record),
                (Ok(Record::Sweep(_)) | Err(_), Some(_)) => return Err(PartError::BadLine(number)),
            }
        }
        part.ok_or(PartError::NoHeader)
    }
}

/// Whether these are the findings of the runs with these letters, from the one at this position of the share on: one for
/// each that is one.
fn tell_the_same(share: Shard, first: u64, classes: &str, findings: &[Record]) -> bool {
    let found = (first..).zip(classes.chars()).filter_map(|(nth, letter)| {
        let class = Class::from_letter(letter).filter(|class| class.is_finding())?;
        Some((share.run(nth), class))
    });
    let told = findings.iter().filter_map(|record| match record {
        Record::Finding(finding) => Some((finding.run, finding.class)),
        Record::Sweep(_) | Record::Runs { .. } => None,
    });
    found.eq(told)
}
