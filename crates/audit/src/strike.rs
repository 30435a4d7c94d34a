//! What the faults of a trial are meant to strike, and whether in a run they did. A place is known from the control
//! run; in another run the same offset may be another byte, because the programs sent more before it, or in another
//! order. So what the senders sent in that very run is looked at, and what the faults took there.

use memchr::memmem;

use super::places::{ControlRun, bytes_of, placed_at, streams};
use super::why::Miss;
use faults::proxy::locate::{Location, PayloadPiece, Search, Spot, locate};
use faults::proxy::{Connections, PlacedFault, ProxyOutcome, Recording};
use faults::{Flow, MAX_FAULTS};

/// How many bytes before and behind a place are looked at.
const AROUND: usize = 16;
/// How many bytes there have to be those of the file: fewer could be by chance.
const CONFIRMED: u64 = 8;

/// What a fault is meant to strike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// The byte of the file at this offset.
    File(u64),
    /// A digest that stands in the stream as text: one of these.
    Digest(Vec<String>),
    /// The byte of the stream with that number, whatever it is.
    Stream,
    /// A share of a stream in which the file cannot be seen: which of its bytes that is, nobody knows.
    Share,
}

/// A fault, its place, and what it is meant to strike there, the first time that it is sent.
#[derive(Clone, Debug)]
pub(super) struct TargetedFault {
    pub(super) placed: PlacedFault,
    pub(super) target: Target,
}

/// The faults of a trial, each with its place.
#[derive(Clone, Debug, Default)]
pub(super) struct Placement {
    pub(super) faults: Vec<TargetedFault>,
}

impl Placement {
    pub(super) fn push(&mut self, placed: PlacedFault, target: Target) {
        self.faults.push(TargetedFault { placed, target });
    }

    pub(super) fn placed(&self) -> Vec<PlacedFault> {
        self.faults.iter().map(|targeted| targeted.placed.clone()).collect()
    }

    /// Whether one of them is to change the file.
    pub(super) fn is_at_file(&self) -> bool {
        self.faults.iter().any(|targeted| matches!(targeted.target, Target::File(_) | Target::Share))
    }

    /// Whether it is not known of one of them where in the file it strikes.
    pub(super) fn is_by_share(&self) -> bool {
        self.faults.iter().any(|targeted| targeted.target == Target::Share)
    }
}

impl TargetedFault {
    fn offset(&self) -> Option<u64> {
        if let Target::File(offset) = self.target { Some(offset) } else { None }
    }

    /// How many bytes from its place on it is about.
    fn window(&self) -> u64 {
        self.placed.strike.width(&self.placed.fault.effect).max(1)
    }

    /// What was sent where it strikes, from there on and before it.
    fn sides<'a>(&self, recordings: &'a [Recording]) -> Option<(&'a [u8], &'a [u8])> {
        let recording =
            recordings.iter().find(|it| self.placed.connection == Connections::Nth(it.connection))?;
        let at = usize::try_from(self.placed.strike.at).ok()?;
        let (before, behind) = bytes_of(recording, self.placed.strike.flow).split_at_checked(at)?;
        Some((behind, before))
    }

    /// Whether there stood what it is meant to strike, and whether that is what it `took`.
    fn has_struck(&self, payload: &[u8], recordings: &[Recording], took: Option<&[u8]>) -> bool {
        let took = took.unwrap_or_default();
        match &self.target {
            Target::Stream | Target::Share => true,
            Target::Digest(texts) => self.sides(recordings).is_some_and(|(behind, _)| {
                let is_it = |text: &&String| behind.starts_with(text.as_bytes());
                texts.iter().find(is_it).is_some_and(|text| text.as_bytes().starts_with(took))
            }),
            Target::File(offset) => {
                let Some((behind, before)) = self.sides(recordings) else { return false };
                let Some((front, rest)) =
                    usize::try_from(*offset).ok().and_then(|offset| payload.split_at_checked(offset))
                else {
                    return false;
                };
                let window = self.window();
                let most = usize::try_from(window).unwrap_or(AROUND).max(AROUND);
                let same = alike(behind.iter().zip(rest), most);
                let around = same + alike(before.iter().rev().zip(front.iter().rev()), AROUND);
                same >= window && around >= CONFIRMED && rest.starts_with(took)
            }
        }
    }
}

/// How many pairs of bytes are alike until two differ, `most` at most.
fn alike<'a>(pairs: impl Iterator<Item = (&'a u8, &'a u8)>, most: usize) -> u64 {
    pairs.take(most).take_while(|(one, other)| one == other).count() as u64
}

impl ControlRun {
    /// The first fault that did not strike in a run what it is meant to.
    pub(super) fn missed<'a>(
        &self,
        placement: &'a Placement,
        outcome: &ProxyOutcome,
    ) -> Option<&'a TargetedFault> {
        let proofs = outcome.faults.iter().map(|proof| proof.took.as_deref());
        let has_missed = |(targeted, took): &(&TargetedFault, Option<&[u8]>)| {
            !targeted.has_struck(&self.payload, &outcome.recordings, *took)
        };
        placement.faults.iter().zip(proofs).find(has_missed).map(|(targeted, _)| targeted)
    }

    /// What can be said of where one struck that missed.
    pub(super) fn whereabouts(&self, targeted: &TargetedFault, recordings: &[Recording]) -> Miss {
        let PlacedFault { connection, strike, .. } = targeted.placed;
        let is_there = |piece: &&PayloadPiece| {
            connection == Connections::Nth(piece.connection) && piece.stream.contains(&strike.at)
        };
        let location = self.pieces(recordings, strike.flow);
        let piece = location.as_ref().and_then(|it| it.pieces().iter().find(is_there));
        let actual = piece.map(|piece| piece.payload.start + (strike.at - piece.stream.start));
        Miss { intended: targeted.offset(), actual }
    }

    /// As much of the payload as there is in what a run carried one way.
    fn pieces(&self, recordings: &[Recording], flow: Flow) -> Option<Location> {
        locate(&streams(recordings, flow), &self.payload, &Search { coverage: 0, ..Search::default() })
    }

    /// The same faults, where a run with them had what they are meant to strike. `None` if that cannot be told of all.
    pub(super) fn corrected(&self, placement: &Placement, recordings: &[Recording]) -> Option<Placement> {
        let mut corrected = Placement::default();
        let mut taken: Vec<Spot> = Vec::new();
        let located = [Flow::ToServer, Flow::ToClient].map(|flow| (flow, self.pieces(recordings, flow)));
        for targeted in &placement.faults {
            let PlacedFault { fault, strike, .. } = &targeted.placed;
            let spot = match &targeted.target {
                Target::File(offset) => {
                    let location = located.iter().find(|(flow, _)| *flow == strike.flow)?.1.as_ref()?;
                    holds(location, *offset, targeted.window())?
                }
                Target::Digest(texts) => {
                    let spots = texts.iter().flat_map(|text| found(recordings, text.as_bytes()));
                    let mut free = spots.filter(|it| it.flow == strike.flow && !taken.contains(it));
                    free.next()?
                }
                Target::Stream | Target::Share => {
                    corrected.push(targeted.placed.clone(), targeted.target.clone());
                    continue;
                }
            };
            // Two that are meant for the same byte, each time that it is sent, are not to be told apart.
            if taken.contains(&spot) {
                return None;
            }
            taken.push(spot);
            corrected.push(placed_at(fault, spot, strike.distance).ok()?, targeted.target.clone());
        }
        Some(corrected)
    }

    /// Whether the bytes around a place in the payload were sent more often than without faults.
    pub(super) fn is_sent_again(&self, placement: &Placement, recordings: &[Recording]) -> bool {
        let places = placement
            .faults
            .iter()
            .filter_map(|targeted| Some((targeted.placed.strike.flow, targeted.offset()?)));
        places.into_iter().any(|(flow, offset)| {
            let count = |recordings: &[Recording]| self.sent(recordings, flow, offset).len();
            count(recordings) > count(&self.recordings)
        })
    }

    /// Where `recordings` have the bytes around `offset` of the payload: the spots of that offset.
    fn sent(&self, recordings: &[Recording], flow: Flow, offset: u64) -> Vec<Spot> {
        let offset = usize::try_from(offset).unwrap_or_default();
        let start = offset.saturating_sub(AROUND);
        let needle = &self.payload[start..(offset + AROUND).min(self.payload.len())];
        let moved = |spot: Spot| Spot { offset: spot.offset + (offset - start) as u64, ..spot };
        found(recordings, needle).filter(|spot| spot.flow == flow).map(moved).collect()
    }

    /// The same faults, also wherever `recordings` have the same bytes of the payload once more. `None` if they have
    /// them nowhere else, or if not all places are in the payload.
    pub(super) fn once_more(&self, placement: &Placement, recordings: &[Recording]) -> Option<Placement> {
        let mut more = placement.clone();
        for targeted in &placement.faults {
            let PlacedFault { fault, strike, .. } = &targeted.placed;
            let offset = targeted.offset()?;
            for spot in self.sent(recordings, strike.flow, offset) {
                let is_it = |other: &TargetedFault| {
                    let PlacedFault { connection, strike, .. } = other.placed;
                    (connection, strike.flow, strike.at)
                        == (Connections::Nth(spot.connection), spot.flow, spot.offset)
                };
                if !more.faults.iter().any(is_it) && more.faults.len() < MAX_FAULTS {
                    more.push(placed_at(fault, spot, strike.distance).ok()?, targeted.target.clone());
                }
            }
        }
        (more.faults.len() > placement.faults.len()).then_some(more)
    }
}

/// Where `text` stands in what was carried, a limited number of times in each stream.
pub(super) fn found<'a>(recordings: &'a [Recording], text: &'a [u8]) -> impl Iterator<Item = Spot> {
    let flows = |recording: &'a Recording| [(recording, Flow::ToServer), (recording, Flow::ToClient)];
    recordings.iter().flat_map(flows).flat_map(move |(recording, flow)| {
        let connection = recording.connection;
        let spot = move |at| Spot { connection, flow, offset: at as u64 };
        memmem::find_iter(bytes_of(recording, flow), text).take(MAX_FAULTS).map(spot)
    })
}

/// The spot of `offset` of the payload, if `window` bytes of it stand there in one piece.
pub(super) fn holds(location: &Location, offset: u64, window: u64) -> Option<Spot> {
    let (first, last) = (location.spot(offset)?, location.spot(offset + window - 1)?);
    let is_whole = first.connection == last.connection && last.offset == first.offset + window - 1;
    is_whole.then_some(first)
}
