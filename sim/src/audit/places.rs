//! Where the payload travelled in the control run, and where each fault strikes because of that.

use memchr::memmem;

use super::hash::DIGESTS;
use super::payload::BLOCK;
use super::trials::{Rung, Trial};
use crate::fault::{Flow, PhaseMap, Strike, overlapping};
use crate::proxy::locate::{Location, Search, Spot, Stream, locate};
use crate::proxy::{Placed, Recording, Which};
use crate::record::Direction;
use crate::scenario::{At, Effect, Fault, MAX_FAULTS, Region};

/// How many bytes of the file are rewritten together with its digest.
const REWRITTEN: u64 = 16;
/// How many bytes before and behind a place have to be as in the control run.
const AROUND: usize = 16;

/// Where the payload stands in the streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spread {
    /// It was found: in so many pieces.
    Found {
        /// How many.
        pieces: usize,
        /// On the connection with this number.
        connection: u64,
    },
    /// It was not: it is compressed or encrypted, so that faults are placed by share of the stream.
    Hidden {
        /// The connection.
        connection: u64,
        /// How many bytes its stream has.
        bytes: u64,
    },
}

/// What a control run showed.
pub(super) struct Ground {
    payload: Vec<u8>,
    transfer: Direction,
    location: Option<Location>,
    recordings: Vec<Recording>,
    /// The connection that carries the payload, or most.
    connection: u64,
}

/// A trial with its places.
#[derive(Clone, Debug, Default)]
pub(super) struct Struck {
    pub(super) placed: Vec<Placed>,
    /// For each fault inside the payload: where in it.
    pub(super) inside: Vec<Option<u64>>,
}

impl Struck {
    fn push(&mut self, placed: Placed, inside: Option<u64>) {
        self.placed.push(placed);
        self.inside.push(inside);
    }

    /// Whether every fault strikes inside the payload.
    pub(super) fn is_inside(&self) -> bool {
        self.inside.iter().all(Option::is_some)
    }
}

pub(super) fn bytes_of(recording: &Recording, flow: Flow) -> &[u8] {
    match flow {
        Flow::ToServer => &recording.to_server,
        Flow::ToClient => &recording.to_client,
    }
}

fn streams(recordings: &[Recording], flow: Flow) -> Vec<Stream<'_>> {
    recordings
        .iter()
        .map(|it| Stream { connection: it.connection, flow, bytes: bytes_of(it, flow) })
        .collect()
}

impl Ground {
    /// Looks for `payload` in what the control run carried: first the way that it should go, then the other.
    /// `None` if nothing was carried at all.
    pub(super) fn survey(payload: Vec<u8>, transfer: Direction, recordings: Vec<Recording>) -> Option<Self> {
        let flow = usual(transfer);
        let other = if flow == Flow::ToServer { Flow::ToClient } else { Flow::ToServer };
        let look = |flow| locate(&streams(&recordings, flow), &payload, &Search::default());
        let location = look(flow).or_else(|| look(other));
        let first = location.as_ref().and_then(|it| it.pieces().first()).map(|piece| piece.connection);
        // Of equals the first.
        let most = recordings.iter().rev().max_by_key(|it| bytes_of(it, flow).len());
        let connection =
            first.or(most.filter(|it| !bytes_of(it, flow).is_empty()).map(|it| it.connection))?;
        Some(Self { payload, transfer, location, recordings, connection })
    }

    pub(super) fn spread(&self) -> Spread {
        match &self.location {
            Some(location) => Spread::Found { pieces: location.pieces().len(), connection: self.connection },
            None => Spread::Hidden {
                connection: self.connection,
                bytes: self.stream(self.connection, usual(self.transfer)).len() as u64,
            },
        }
    }

    fn stream(&self, connection: u64, flow: Flow) -> &[u8] {
        let recording = self.recordings.iter().find(|it| it.connection == connection);
        recording.map_or(&[], |recording| bytes_of(recording, flow))
    }

    /// The places of `trial`.
    ///
    /// # Errors
    /// Why it has none.
    pub(super) fn place(&self, trial: &Trial, seed: u64) -> Result<Struck, String> {
        if trial.rung == Some(Rung::FileAndHash) {
            return self.file_and_hash();
        }
        let mut struck = Struck::default();
        for (index, fault) in trial.faults.iter().enumerate() {
            let index = trial.number * MAX_FAULTS + index;
            let (placed, inside) = match (fault.region, &self.location) {
                (Region::Upload | Region::Download, Some(location)) => {
                    self.in_payload(location, fault, seed, index, trial.rung)?
                }
                (Region::Upload | Region::Download, None) => (self.by_share(fault, seed, index)?, None),
                _ => (self.in_stream(fault, seed, index)?, None),
            };
            struck.push(placed, inside);
        }
        self.check_overlaps(&struck)?;
        Ok(struck)
    }

    fn check_overlaps(&self, struck: &Struck) -> Result<(), String> {
        let faults: Vec<&Fault> = struck.placed.iter().map(|it| &it.fault).collect();
        let strikes: Vec<Strike> = struck.placed.iter().map(|it| it.strike).collect();
        match overlapping(&faults, &strikes) {
            Some((one, other)) => {
                Err(format!("faults {} and {} of it change the same bytes", one + 1, other + 1))
            }
            None => Ok(()),
        }
    }

    fn in_payload(
        &self,
        location: &Location,
        fault: &Fault,
        seed: u64,
        index: usize,
        rung: Option<Rung>,
    ) -> Result<(Placed, Option<u64>), String> {
        let range = Some(0..self.payload.len() as u64);
        let map = PhaseMap { upload: range.clone(), download: range, ..PhaseMap::default() };
        let strike = map.place(fault, seed, index).map_err(|why| why.to_string())?;
        let window = window(&fault.effect, strike.distance);
        let movable = rung != Some(Rung::Md5Collision);
        let (spot, offset) = fit(location, strike.offset, window, movable)
            .ok_or("the payload is in pieces in the stream, and none of them is large enough")?;
        let placed = placed_at(fault, spot, strike.distance)?;
        Ok((placed, Some(offset)))
    }

    /// The payload cannot be seen: a place in it is one in the stream that carries it.
    fn by_share(&self, fault: &Fault, seed: u64, index: usize) -> Result<Placed, String> {
        if let At::Offset(offset) = fault.at
            && offset > 0
        {
            return Err("the payload is not to be found in the stream, so no offset in it is known".into());
        }
        let flow = usual(self.transfer);
        let range = Some(0..self.stream(self.connection, flow).len() as u64);
        let map = match self.transfer {
            Direction::Upload => PhaseMap { upload: range, ..PhaseMap::default() },
            Direction::Download => PhaseMap { download: range, ..PhaseMap::default() },
        };
        let strike = map.place(fault, seed, index).map_err(|why| why.to_string())?;
        placed_at(fault, Spot { connection: self.connection, flow, offset: strike.at }, strike.distance)
    }

    fn in_stream(&self, fault: &Fault, seed: u64, index: usize) -> Result<Placed, String> {
        let length = |flow| self.stream(self.connection, flow).len() as u64;
        let map = PhaseMap {
            to_server: length(Flow::ToServer),
            to_client: length(Flow::ToClient),
            ..PhaseMap::default()
        };
        let strike = map.place(fault, seed, index).map_err(|why| why.to_string())?;
        let spot = Spot { connection: self.connection, flow: strike.flow, offset: strike.at };
        placed_at(fault, spot, strike.distance)
    }

    /// Rewrites some bytes of the file, and its digest wherever it stands in a stream as text. On its way with the
    /// file it becomes the digest of the other file; on its way back, where it would tell, that of the true one.
    fn file_and_hash(&self) -> Result<Struck, String> {
        let location = self.location.as_ref().ok_or("the payload is not to be found in the stream")?;
        let (spot, offset) = fit(location, BLOCK, REWRITTEN, true)
            .ok_or("the payload is in pieces in the stream, and none of them is large enough")?;
        let at = usize::try_from(offset).unwrap_or_default();
        let mut forged = self.payload.clone();
        let rewritten = &mut forged[at..at + usize::try_from(REWRITTEN).unwrap_or_default()];
        rewritten.iter_mut().for_each(|byte| *byte = !*byte);
        let mut struck = Struck::default();
        let overwrite = |bytes: &[u8]| Effect::Overwrite { bytes: bytes.to_vec() };
        struck.push(placed_at(&of(overwrite(rewritten)), spot, 0)?, Some(offset));
        for digest in DIGESTS {
            let (own, other) = (digest(&self.payload), digest(&forged));
            for found in self.texts(&own) {
                let text = if found.flow == spot.flow { &other } else { &own };
                struck.push(placed_at(&of(overwrite(text.as_bytes())), found, 0)?, None);
            }
        }
        if struck.placed.len() == 1 {
            return Err("no digest of the file stands in the stream as text".into());
        }
        Ok(struck)
    }

    fn texts(&self, text: &str) -> Vec<Spot> {
        let mut spots = Vec::new();
        for recording in &self.recordings {
            for flow in [Flow::ToServer, Flow::ToClient] {
                let found = memmem::find_iter(bytes_of(recording, flow), text.as_bytes());
                let spot = |at| Spot { connection: recording.connection, flow, offset: at as u64 };
                spots.extend(found.take(MAX_FAULTS).map(spot));
            }
        }
        spots
    }

    /// Whether every place in the payload had, in a run with faults, the bytes of the payload that it had without.
    pub(super) fn is_as_before(&self, struck: &Struck, recordings: &[Recording]) -> bool {
        let is_same = |(placed, inside): (&Placed, &Option<u64>)| {
            let (Which::Nth(number), Some(offset)) = (placed.connection, *inside) else { return true };
            let recording = recordings.iter().find(|it| it.connection == number);
            recording.is_some_and(|recording| {
                self.is_payload(bytes_of(recording, placed.strike.flow), placed.strike.at, offset)
            })
        };
        struck.placed.iter().zip(&struck.inside).all(is_same)
    }

    /// Whether the bytes around `at` of the stream are those around `offset` of the payload, as far as its piece goes.
    fn is_payload(&self, stream: &[u8], at: u64, offset: u64) -> bool {
        let pieces = self.location.iter().flat_map(Location::pieces);
        let Some(piece) = pieces.map(|piece| &piece.payload).find(|piece| piece.contains(&offset)) else {
            return false;
        };
        let before = (offset - piece.start).min(AROUND as u64).min(at);
        // Where the stream was broken there may be nothing behind.
        let left = (stream.len() as u64).saturating_sub(at);
        let behind = (piece.end - offset).min(AROUND as u64).min(left);
        let part = |bytes: &'_ [u8], at: u64| -> Option<Vec<u8>> {
            let (start, end) = (usize::try_from(at - before).ok()?, usize::try_from(at + behind).ok()?);
            bytes.get(start..end).map(<[u8]>::to_vec)
        };
        behind > 0 && part(stream, at) == part(&self.payload, offset)
    }

    /// Whether the bytes around a place in the payload were sent more often than without faults.
    pub(super) fn is_sent_again(&self, struck: &Struck, recordings: &[Recording]) -> bool {
        let places = struck.placed.iter().zip(&struck.inside);
        places.filter_map(|(placed, inside)| Some((placed.strike.flow, (*inside)?))).any(|(flow, offset)| {
            let count = |recordings: &[Recording]| self.sent(recordings, flow, offset).len();
            count(recordings) > count(&self.recordings)
        })
    }

    /// Where `recordings` have the bytes around `offset` of the payload: the spots of that offset.
    fn sent(&self, recordings: &[Recording], flow: Flow, offset: u64) -> Vec<Spot> {
        let offset = usize::try_from(offset).unwrap_or_default();
        let start = offset.saturating_sub(AROUND);
        let needle = &self.payload[start..(offset + AROUND).min(self.payload.len())];
        let spots = |recording: &Recording| {
            let connection = recording.connection;
            let spot = move |at: usize| Spot { connection, flow, offset: (at + offset - start) as u64 };
            memmem::find_iter(bytes_of(recording, flow), needle).map(spot).collect::<Vec<_>>()
        };
        recordings.iter().flat_map(spots).collect()
    }

    /// The same faults, also wherever `recordings` have the same bytes of the payload once more. `None` if they have
    /// them nowhere else, or if not all places are in the payload.
    pub(super) fn once_more(&self, struck: &Struck, recordings: &[Recording]) -> Option<Struck> {
        if !struck.is_inside() {
            return None;
        }
        let mut more = struck.clone();
        for (placed, inside) in struck.placed.iter().zip(&struck.inside) {
            let flow = placed.strike.flow;
            for spot in self.sent(recordings, flow, (*inside)?) {
                let is_it = |other: &Placed| {
                    let place = (other.connection, other.strike.flow, other.strike.at);
                    place == (Which::Nth(spot.connection), flow, spot.offset)
                };
                if !more.placed.iter().any(is_it) && more.placed.len() < MAX_FAULTS {
                    more.push(placed_at(&placed.fault, spot, placed.strike.distance).ok()?, *inside);
                }
            }
        }
        (more.placed.len() > struck.placed.len()).then_some(more)
    }
}

/// Which way the payload should go.
fn usual(transfer: Direction) -> Flow {
    match transfer {
        Direction::Upload => Flow::ToServer,
        Direction::Download => Flow::ToClient,
    }
}

/// An effect whose region and place do not matter any more.
fn of(effect: Effect) -> Fault {
    Fault { effect, region: Region::ToServer, at: At::Offset(0) }
}

fn placed_at(fault: &Fault, spot: Spot, distance: u64) -> Result<Placed, String> {
    let mut fault = fault.clone();
    if let Effect::Reorder { with, .. } = &mut fault.effect {
        *with = spot.offset + distance;
    }
    Placed::new(Which::Nth(spot.connection), spot.flow, spot.offset, fault)
        .ok_or_else(|| "this is no fault of a stream".to_owned())
}

/// How many bytes from its place on a fault needs.
fn window(effect: &Effect, distance: u64) -> u64 {
    match effect {
        Effect::Reorder { bytes, .. } => distance + bytes,
        Effect::Drop { bytes } | Effect::Duplicate { bytes } => *bytes,
        Effect::Xor { mask } => mask.len() as u64,
        Effect::Overwrite { bytes } => bytes.len() as u64,
        _ => 1,
    }
}

/// The spot of `offset` of the payload, if `window` bytes of it stand there in one piece; else, if it may be moved,
/// the beginning of the first piece that is large enough, from there on or from the front.
fn fit(location: &Location, offset: u64, window: u64, movable: bool) -> Option<(Spot, u64)> {
    let holds = |offset: u64| {
        let (first, last) = (location.spot(offset)?, location.spot(offset + window - 1)?);
        let is_whole = first.connection == last.connection && last.offset == first.offset + window - 1;
        is_whole.then_some((first, offset))
    };
    let fits = |piece: &&crate::proxy::locate::Piece| piece.payload.end - piece.payload.start >= window;
    let elsewhere = || {
        let pieces = location.pieces();
        let behind = pieces.iter().filter(fits).find(|piece| piece.payload.start >= offset);
        let piece = behind.or_else(|| pieces.iter().find(fits))?;
        holds(piece.payload.start)
    };
    holds(offset).or_else(|| if movable { elsewhere() } else { None })
}
