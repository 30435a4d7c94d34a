//! What is tried: the faults of the default set, or those that the audit lists.

use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::hash::prefix_kept;
use super::payload::{BLOCK, payload};
use super::spec::{Audit, Check, ExtraEnv, FaultItem};
use faults::Direction;
use faults::collision::COLLIDING;
use faults::{At, Effect, Fault, Harm, Region};

/// How many faults an audit file can list. What bounds a run is time; this bounds only the memory for what is to be tried.
pub const MAX_TRIALS: usize = 65_536;
/// How many faults the default set has.
pub const DEFAULT_TRIALS: usize = 34;

/// The divisor of CRC-32, in the order in which it reads bits: added to a file it keeps its CRC (docs/ladder.md).
const CRC_DIVISOR: [u8; 5] = [0x41, 0x06, 0x71, 0xdb, 0x01];
/// How many bytes are dropped, doubled or moved.
const SOME: u64 = 100;
/// How far apart two words are that change places: a whole number of words of 16 bits.
const APART: u64 = 16;
/// How long a delay is, and how long bytes are collected: less than any deadline.
const A_WHILE: Duration = Duration::from_millis(100);

/// A rung of the ladder that some checks are known to be blind to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rung {
    /// A change that keeps the CRC-32.
    CrcKept,
    /// The two bits that keep the MD5.
    Md5Collision,
    /// The file and its digest both rewritten.
    FileAndHash,
}

impl Rung {
    /// Whether it is a known limit of `check` to be blind to this.
    #[must_use]
    pub const fn is_limit_of(self, check: Check) -> bool {
        match self {
            Self::CrcKept => matches!(check, Check::Crc32),
            Self::Md5Collision => matches!(check, Check::Md5),
            Self::FileAndHash => !matches!(check, Check::Keyed),
        }
    }

    /// Why a check may be blind to it.
    #[must_use]
    pub const fn why(self) -> &'static str {
        match self {
            Self::CrcKept => "no CRC-32 can notice it",
            Self::Md5Collision => "no MD5 can notice it",
            Self::FileAndHash => "no digest without a key can notice it",
        }
    }
}

/// One fault, or several in one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trial {
    /// From 1, in the whole list.
    pub number: usize,
    /// Its name, in kebab-case; unique in the list.
    pub name: String,
    /// The faults. Empty for [`Rung::FileAndHash`], which depends on what the control run shows, and if `env` makes them.
    pub faults: Vec<Fault>,
    /// The rung of the ladder that it is.
    pub rung: Option<Rung>,
    /// What makes the programs cause a fault themselves.
    pub env: ExtraEnv,
}

impl Trial {
    /// Whether it changes, adds or takes away bytes; else it can only delay them or end the connection.
    #[must_use]
    pub fn changes_bytes(&self) -> bool {
        self.rung.is_some() || !self.env.is_empty() || self.faults.iter().any(Fault::changes_bytes)
    }

    /// Whether a file can arrive as it was sent in spite of it: all it does is to bring the bytes otherwise.
    #[must_use]
    pub fn is_benign(&self) -> bool {
        let is_benign = |fault: &Fault| fault.effect.harm() == Harm::None;
        self.rung.is_none() && self.env.is_empty() && self.faults.iter().all(is_benign)
    }

    /// What it does, as it is written in a file.
    #[must_use]
    pub fn what(&self) -> String {
        match &self.faults[..] {
            [] if !self.env.is_empty() => self.env.to_string(),
            [] => "the file and its digest, both rewritten".into(),
            [fault] => fault.to_string(),
            faults => {
                let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
                format!("Together([{}])", faults.join(", "))
            }
        }
    }
}

/// Something that names no trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownTrial {
    /// What was asked for.
    pub wanted: String,
    /// The name that was probably meant.
    pub nearest: Option<String>,
}

impl fmt::Display for UnknownTrial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "this audit tries no fault {:?}", self.wanted)?;
        match &self.nearest {
            Some(nearest) => write!(f, ": did you mean {nearest:?}?"),
            None => f.write_str("; --list shows them all"),
        }
    }
}

impl std::error::Error for UnknownTrial {}

impl Audit {
    /// All that it tries, with `seed` in place of its own if there is one.
    #[must_use]
    pub fn trials(&self, seed: Option<u64>) -> Vec<Trial> {
        let region = match self.transfer {
            Direction::Upload => Region::Upload,
            Direction::Download => Region::Download,
        };
        let default = LazyCell::new(|| default_set(region, &payload(seed.unwrap_or(self.seed), self.size)));
        let mut trials = Vec::new();
        if self.faults.is_empty() {
            trials.clone_from(&default);
        }
        for wanted in &self.faults {
            match &wanted.value {
                FaultItem::Default => trials.extend_from_slice(&default),
                FaultItem::Faults(faults) => trials.push(listed(faults)),
                FaultItem::Env(env) => {
                    trials.push(Trial { name: "env".into(), env: env.clone(), ..Trial::default() });
                }
            }
        }
        number(&mut trials);
        trials
    }

    /// The trials that `only` names, by name, by number or as they are written; all if it is empty.
    ///
    /// # Errors
    /// The first name that there is none of.
    pub fn select(&self, only: &[String], seed: Option<u64>) -> Result<Vec<Trial>, UnknownTrial> {
        let trials = self.trials(seed);
        if only.is_empty() {
            return Ok(trials);
        }
        let mut selected = Vec::new();
        for wanted in only {
            let is_it = |trial: &&Trial| {
                trial.name == *wanted || trial.number.to_string() == *wanted || trial.what() == *wanted
            };
            match trials.iter().find(is_it) {
                Some(trial) if selected.contains(trial) => {}
                Some(trial) => selected.push(trial.clone()),
                None => return Err(unknown(wanted, &trials)),
            }
        }
        Ok(selected)
    }
}

fn unknown(wanted: &str, trials: &[Trial]) -> UnknownTrial {
    let names = trials.iter().map(|trial| trial.name.as_str());
    let nearest = notation::suggest::nearest(wanted, names).map(str::to_owned);
    UnknownTrial { wanted: wanted.to_owned(), nearest }
}

/// Numbers them, and makes their names unique.
fn number(trials: &mut [Trial]) {
    // How often each name was there, with a number behind it or without.
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (index, trial) in trials.iter_mut().enumerate() {
        trial.number = index + 1;
        let before = seen.get(&trial.name).copied().unwrap_or_default();
        if before > 0 {
            *seen.entry(trial.name.clone()).or_default() += 1;
            trial.name = format!("{}-{}", trial.name, before + 1);
        }
        *seen.entry(trial.name.clone()).or_default() += 1;
    }
}

fn listed(faults: &[Fault]) -> Trial {
    let names: Vec<String> = faults.iter().map(|fault| kebab(fault.effect.name())).collect();
    Trial { name: names.join("-and-"), faults: faults.to_vec(), ..Trial::default() }
}

/// `half-close` for `HalfClose`.
fn kebab(name: &str) -> String {
    let mut kebab = String::new();
    for (index, c) in name.char_indices() {
        if index > 0 && c.is_ascii_uppercase() {
            kebab.push('-');
        }
        kebab.push(c.to_ascii_lowercase());
    }
    kebab
}

fn default_set(region: Region, payload: &[u8]) -> Vec<Trial> {
    let trial = |name: &str, faults: Vec<(Effect, At)>, rung| {
        let fault = |(effect, at)| Fault { effect, region, at };
        let faults = faults.into_iter().map(fault).collect();
        Trial { name: name.to_owned(), faults, rung, ..Trial::default() }
    };
    let flip = |bit| Effect::Flip { bit };
    let words = words(payload);
    let swap = Effect::Reorder { bytes: 2, with: words + APART };
    let prefix = Effect::Xor { mask: prefix_kept(payload) };
    let crc = Effect::Xor { mask: CRC_DIVISOR.to_vec() };
    let collision = COLLIDING.map(|(byte, bit)| (flip(bit), At::Offset(byte as u64))).to_vec();
    let mut trials: Vec<Trial> = spread("flip", &flip(3), &PLACES, region);
    trials.extend([
        trial("words-swapped", vec![(swap, At::Offset(words))], None),
        trial("prefix-kept", vec![(prefix, At::Last)], None),
        trial("crc-kept", vec![(crc, At::Percent(50))], Some(Rung::CrcKept)),
        trial("md5-collision", collision, Some(Rung::Md5Collision)),
        trial("file-and-hash", Vec::new(), Some(Rung::FileAndHash)),
    ]);
    trials.extend(lengths(region, payload.len() as u64));
    trials.extend(deliveries(region));
    trials
}

/// Faults that make the file longer or shorter, or move parts of it.
fn lengths(region: Region, size: u64) -> Vec<Trial> {
    let [first, middle, last, random] = PLACES;
    let reorder = Effect::Reorder { bytes: SOME, with: size / 2 + 2 * SOME };
    [
        spread("drop", &Effect::Drop { bytes: SOME }, &[first, middle, last, random], region),
        spread("truncate", &Effect::Truncate, &[first, middle, last], region),
        spread("reorder", &reorder, &[("", At::Offset(size / 2)), random], region),
        // Behind the last bytes of the file their duplicates are no part of it.
        spread("duplicate", &Effect::Duplicate { bytes: SOME }, &[first, middle, random], region),
        spread(
            "insert",
            &Effect::Insert { bytes: b"0123456789abcdef".to_vec() },
            &[first, middle, last],
            region,
        ),
        spread("overwrite", &Effect::Overwrite { bytes: vec![0; 64] }, &[middle, random], region),
    ]
    .concat()
}

/// Faults that change no byte: they end the stream, or bring it otherwise.
fn deliveries(region: Region) -> Vec<Trial> {
    let [first, middle, last, _] = PLACES;
    [
        spread("stall", &Effect::Stall, &[middle, last], region),
        spread("reset", &Effect::Reset, &[first, middle, last], region),
        spread("slice", &Effect::Slice { bytes: 1 }, &[("", At::Percent(0))], region),
        spread("coalesce", &Effect::Coalesce { lasts: A_WHILE }, &[("", At::Percent(0))], region),
        spread("delay", &Effect::Delay { lasts: A_WHILE }, &[("", At::Percent(50))], region),
    ]
    .concat()
}

const PLACES: [(&str, At); 4] =
    [("first", At::Percent(0)), ("middle", At::Percent(50)), ("last", At::Last), ("random", At::Random)];

fn spread(name: &str, effect: &Effect, places: &[(&str, At)], region: Region) -> Vec<Trial> {
    let one = |(place, at): &(&str, At)| {
        let name = if place.is_empty() { name.to_owned() } else { format!("{name}-{place}") };
        let faults = vec![Fault { effect: effect.clone(), region, at: *at }];
        Trial { name, faults, ..Trial::default() }
    };
    places.iter().map(one).collect()
}

/// Where, from the middle on, two words of 16 bits stand [`APART`] that are not the same.
fn words(payload: &[u8]) -> u64 {
    let apart = usize::try_from(APART).unwrap_or_default();
    let block = usize::try_from(BLOCK).unwrap_or_default();
    let middle = (payload.len() / 2).max(block) & !1;
    let differ = |at: &usize| payload[*at..*at + 2] != payload[*at + apart..*at + apart + 2];
    let ends = payload.len().saturating_sub(apart + 2);
    (middle..ends).step_by(2).find(differ).unwrap_or(middle) as u64
}
