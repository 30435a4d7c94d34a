//! Where faults strike: from what a person thinks in (a phase and an offset in it) to an offset in a stream.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::Flow;
use super::injector::window;
use crate::text::{bytes_text, number_text};
use crate::{At, Effect, Fault, Layer, Region};

/// The stream offsets of every phase of the first connection, as a control run had them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PhaseMap {
    /// How many bytes the client sent.
    pub to_server: u64,
    /// How many bytes the server sent.
    pub to_client: u64,
    /// The payload of the first upload.
    pub upload: Option<Range<u64>>,
    /// The payload of the first download.
    pub download: Option<Range<u64>>,
    /// The bytes of the message of each step that sends one.
    pub steps: BTreeMap<usize, (Flow, Range<u64>)>,
}

/// Where a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strike {
    /// In which stream.
    pub flow: Flow,
    /// At which offset of that stream.
    pub at: u64,
    /// At which offset of the fault's region.
    pub offset: u64,
    /// For a reordering: how far its second range is behind the first.
    pub distance: u64,
}

/// Why a fault has no place in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoSuchPlace {
    /// The run has no such phase, or the step sends nothing.
    NoRegion(Region),
    /// The phase is too short: its length in bytes, and the first offset behind the fault's bytes.
    TooShort {
        /// The phase.
        region: Region,
        /// Its length in bytes.
        length: u64,
        /// How many bytes it would need.
        needed: u64,
    },
    /// It changes bytes that the fault with this number, from 1, changes too: the two could cancel out.
    Overlaps(usize),
}

impl std::error::Error for NoSuchPlace {}

impl fmt::Display for NoSuchPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overlaps(other) => {
                write!(f, "fault {other} changes the same bytes, and together they might change nothing")
            }
            Self::NoRegion(Region::Step(step)) => write!(f, "step {step} sends no bytes in this run"),
            Self::NoRegion(region) => write!(f, "this run has no bytes in {}", region_text(*region)),
            Self::TooShort { region, length, needed } => write!(
                f,
                "{} has {} in this run, but the fault needs {}",
                region_text(*region),
                bytes_text(*length),
                number_text(*needed)
            ),
        }
    }
}

/// A region in words.
pub(super) fn region_text(region: Region) -> String {
    match region {
        Region::ToServer => "the stream to the server".into(),
        Region::ToClient => "the stream to the client".into(),
        Region::Upload => "the upload".into(),
        Region::Download => "the download".into(),
        Region::Step(step) => format!("the message of step {step}"),
    }
}

/// How many bytes a connection carries, as a recording had it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lengths {
    /// How many the client sends.
    pub to_server: u64,
    /// How many the server sends.
    pub to_client: u64,
}

/// Why a fault has no place in a stream of which only the bytes are known.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoPlace {
    /// It is not done to a stream.
    NotOfStream(Layer),
    /// A stream has no such part.
    NoPhase(Region),
    /// Its place depends on the length of the stream, which is not known.
    NoLength(At),
    /// The recorded stream has no such place, or another fault has it.
    NoSuchPlace(NoSuchPlace),
}

impl fmt::Display for NoPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOfStream(Layer::Disk) => {
                f.write_str("this fault is one of the server's disk, which a proxy does not reach")
            }
            Self::NotOfStream(_) => {
                f.write_str("this fault is one of a simulated network; a proxy has only those of a stream")
            }
            Self::NoPhase(region) => {
                write!(f, "a proxy does not know where `{region}` is: that takes a scenario or an audit")
            }
            Self::NoLength(at) => {
                write!(f, "a proxy does not know how long a stream will be, so `{at}` is no place in it")
            }
            Self::NoSuchPlace(why) => why.fmt(f),
        }
    }
}

impl std::error::Error for NoPlace {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NoSuchPlace(why) => Some(why),
            Self::NotOfStream(_) | Self::NoPhase(_) | Self::NoLength(_) => None,
        }
    }
}

impl NoPlace {
    /// What to write instead, where that can be said.
    #[must_use]
    pub fn suggestion(&self) -> Option<&'static str> {
        match self {
            Self::NotOfStream(_) => Some("`Delay`, `Throttle`, `Stall` and `Reset` do the like to a stream"),
            Self::NoPhase(_) => Some("here `in` is ToServer or ToClient"),
            Self::NoLength(_) => Some("here `at` is an offset in bytes"),
            Self::NoSuchPlace(_) => None,
        }
    }
}

impl PhaseMap {
    /// Finds the place of `fault`. `seed` and `index`, the fault's number, decide where it is if it is random:
    /// every fault has randomness of its own, so that adding one does not move the others.
    ///
    /// # Errors
    /// [`NoSuchPlace`] if the run has no such place.
    pub fn place(&self, fault: &Fault, seed: u64, index: usize) -> Result<Strike, NoSuchPlace> {
        let (flow, range) = self.region(fault.region).ok_or(NoSuchPlace::NoRegion(fault.region))?;
        place_in(fault, flow, range, seed, index)
    }

    /// The range of `region`, and in which stream it is.
    #[must_use]
    pub fn region(&self, region: Region) -> Option<(Flow, Range<u64>)> {
        match region {
            Region::ToServer => Some((Flow::ToServer, 0..self.to_server)),
            Region::ToClient => Some((Flow::ToClient, 0..self.to_client)),
            Region::Upload => self.upload.clone().map(|range| (Flow::ToServer, range)),
            Region::Download => self.download.clone().map(|range| (Flow::ToClient, range)),
            Region::Step(step) => self.steps.get(&step).cloned(),
        }
    }
}

/// Finds the place of `fault` in this range of a stream, which is its region; see [`PhaseMap::place`].
pub(super) fn place_in(
    fault: &Fault,
    flow: Flow,
    range: Range<u64>,
    seed: u64,
    index: usize,
) -> Result<Strike, NoSuchPlace> {
    let length = range.end - range.start;
    let Extent { first, needed } = extent(fault);
    if needed > length {
        return Err(NoSuchPlace::TooShort { region: fault.region, length, needed });
    }
    let second = fault.effect.second_range();
    let offset = match (fault.at, second) {
        (At::Offset(offset), _) => offset,
        (At::Last, _) => length - first,
        // The second range of a reordering stands where it is written.
        (At::Percent(share), Some(with)) => percent(share, with - first),
        (At::Percent(share), None) => percent(share, length - first),
        (At::Random, Some(with)) => random(seed, flow, index, with - first),
        (At::Random, None) => random(seed, flow, index, length - first),
    };
    let distance = second.map_or(0, |with| with.saturating_sub(offset));
    Ok(Strike { flow, at: range.start + offset, offset, distance })
}

/// Where a fault strikes in a stream of which only the bytes are known. Without `lengths`, only an offset is a place.
pub(crate) fn strike(
    fault: &Fault,
    lengths: Option<Lengths>,
    seed: u64,
    index: usize,
) -> Result<Strike, NoPlace> {
    if fault.effect.layer() != Layer::Stream {
        return Err(NoPlace::NotOfStream(fault.effect.layer()));
    }
    if !matches!(fault.region, Region::ToServer | Region::ToClient) {
        return Err(NoPlace::NoPhase(fault.region));
    }
    if lengths.is_none() && !matches!(fault.at, At::Offset(_)) {
        return Err(NoPlace::NoLength(fault.at));
    }
    let Lengths { to_server, to_client } =
        lengths.unwrap_or(Lengths { to_server: u64::MAX, to_client: u64::MAX });
    let map = PhaseMap { to_server, to_client, ..PhaseMap::default() };
    map.place(fault, seed, index).map_err(NoPlace::NoSuchPlace)
}

impl Strike {
    /// Whether two faults of a stream change a byte in common.
    #[must_use]
    pub fn overlaps(&self, effect: &Effect, other: &Self, other_effect: &Effect) -> bool {
        let theirs = other.changed(other_effect);
        let meets = |mine: &Range<u64>| theirs.iter().any(|it| mine.start < it.end && it.start < mine.end);
        self.flow == other.flow && self.changed(effect).iter().any(meets)
    }

    /// How many bytes from its place on the fault has to see: all that it changes or takes away, and what is between.
    #[must_use]
    pub fn width(&self, effect: &Effect) -> u64 {
        window(effect, self.distance)
    }

    /// The offsets in the stream of what the fault changes or takes away. What only adds or ends has none.
    fn changed(&self, effect: &Effect) -> Vec<Range<u64>> {
        let first = window(effect, 0);
        let second = effect.second_range().map(|_| self.at + self.distance);
        let starts = std::iter::once(self.at).chain(second);
        starts.map(|start| start..start + first).filter(|range| !range.is_empty()).collect()
    }
}

/// The numbers, from 0, of the first two faults of a stream that change a byte in common when they strike at
/// these places, in the same order: the earlier, then the later.
#[must_use]
pub fn overlapping(faults: &[&Fault], strikes: &[Strike]) -> Option<(usize, usize)> {
    let is_stream = |index: usize| faults[index].effect.layer() == Layer::Stream;
    let rots = |index: usize| matches!(faults[index].effect, Effect::Rot { .. });
    let overlaps = |later: usize, other: usize| match (is_stream(later), is_stream(other)) {
        (true, true) => {
            strikes[later].overlaps(&faults[later].effect, &strikes[other], &faults[other].effect)
        }
        // What turns over on the disk can turn back.
        (false, false) => rots(later) && rots(other) && strikes[later].at == strikes[other].at,
        (true, false) | (false, true) => false,
    };
    (0..strikes.len()).find_map(|later| {
        let earlier = (0..later).find(|other| overlaps(later, *other))?;
        Some((earlier, later))
    })
}

/// How much of its region a fault takes.
struct Extent {
    /// The length of its range, or of its first one. One that takes none needs a byte that it can strike before.
    first: u64,
    /// The first offset behind all that it takes.
    needed: u64,
}

fn extent(fault: &Fault) -> Extent {
    let at = if let At::Offset(offset) = fault.at { offset } else { 0 };
    if fault.effect.is_everywhere() {
        return Extent { first: 0, needed: 0 };
    }
    let first = window(&fault.effect, 0);
    match fault.effect.second_range() {
        Some(with) => Extent { first, needed: with.saturating_add(first) },
        None => Extent { first: first.max(1), needed: at.saturating_add(first.max(1)) },
    }
}

/// So many percent of `most`, rounded down.
fn percent(share: u8, most: u64) -> u64 {
    let part = u128::from(most) * u128::from(share.min(100)) / 100;
    u64::try_from(part).unwrap_or(most)
}

/// A number from 0 to `most`, the same for the same fault of the same run on every machine.
fn random(seed: u64, flow: Flow, index: usize, most: u64) -> u64 {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(index as u64 * 2 + u64::from(flow == Flow::ToClient) + 1);
    rng.random_range(0..=most)
}
