//! Where the phases of a connection are in its streams, told *while it runs* by whoever knows the protocol. So a place is
//! the n-th byte of a phase in this very run, whatever other faults have done to its course before. Nothing here knows
//! what a phase is; it only has a name and a range.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Flow;
use super::place::{NoSuchPlace, Strike, place_in};
use crate::{At, Fault, Region};

/// The phases that have begun. Clones share them.
///
/// The sender tells of a phase before any byte of it can come to the reader, so that a fault that does not find its
/// phase knows that the bytes before it are of another.
#[derive(Clone, Debug, Default)]
pub struct Phases {
    known: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    begun: BTreeMap<Region, PhaseRange>,
    /// Up to which offset each stream has been told of.
    told: BTreeMap<Flow, u64>,
}

/// A phase that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PhaseRange {
    start: u64,
    /// The offset behind its last byte, once that is known.
    end: Option<u64>,
}

impl Phases {
    /// `region` begins at this offset of the stream, and ends before `end`, if that is known. Only its first beginning counts.
    pub fn begin(&self, region: Region, start: u64, end: Option<u64>) {
        self.known().begun.entry(region).or_insert(PhaseRange { start, end });
    }

    /// `region`, which has begun, ends before this offset.
    pub fn end(&self, region: Region, end: u64) {
        if let Some(begun) = self.known().begun.get_mut(&region) {
            begun.end = Some(end);
        }
    }

    /// All phases that begin before this offset have been told.
    pub fn tell(&self, flow: Flow, offset: u64) {
        let mut known = self.known();
        let told = known.told.entry(flow).or_default();
        *told = offset.max(*told);
    }

    fn told(&self, flow: Flow) -> u64 {
        self.known().told.get(&flow).copied().unwrap_or_default()
    }

    fn begun(&self, region: Region) -> Option<PhaseRange> {
        self.known().begun.get(&region).copied()
    }

    fn known(&self) -> MutexGuard<'_, State> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in a phase that may not have begun.
#[derive(Clone, Debug)]
pub struct PhasePlace {
    /// The phases of the connection.
    pub phases: Phases,
    /// The fault, whose region is the phase.
    pub fault: Fault,
    /// The stream in which the phase is.
    pub flow: Flow,
    /// Decides where in the phase the fault is, if that is left to chance.
    pub seed: u64,
    /// The fault's number, which decides it too.
    pub index: usize,
}

impl PhasePlace {
    /// Where it is. `None` while that cannot be told: the phase has not begun, or its length matters and is not known.
    pub(super) fn place(&self) -> Option<Result<Strike, NoSuchPlace>> {
        let PhaseRange { start, end } = self.phases.begun(self.fault.region)?;
        if end.is_none() && !matches!(self.fault.at, At::Offset(_)) {
            return None;
        }
        Some(place_in(&self.fault, self.flow, start..end.unwrap_or(u64::MAX), self.seed, self.index))
    }

    /// How many bytes behind the first `sent` are certainly not of the phase.
    pub(super) fn clear(&self, sent: u64) -> u64 {
        match self.phases.begun(self.fault.region) {
            Some(PhaseRange { start, .. }) => start.saturating_sub(sent),
            None => self.phases.told(self.flow).saturating_sub(sent),
        }
    }

    /// Whether the phase goes on to the byte before `end`, as far as is known.
    pub(super) fn holds(&self, end: u64) -> bool {
        self.phases.begun(self.fault.region).is_some_and(|begun| begun.end.is_none_or(|its| end <= its))
    }
}
