//! Where the payload travelled in the control run, and where each fault strikes because of that.

use super::hash::DIGESTS;
use super::payload::BLOCK;
use super::strike::{Placement, Target, found, holds};
use super::trials::{Rung, Trial};
use faults::Direction;
use faults::proxy::locate::{Location, Search, Spot, Stream, locate};
use faults::proxy::{Connections, PlacedFault, Recording, clash};
use faults::{At, Effect, Fault, Flow, MAX_FAULTS, PhaseMap, Region};

/// How many bytes of the file are rewritten together with its digest.
const REWRITTEN: u64 = 16;

/// Where the payload stands in the streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayloadPlace {
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
pub(super) struct ControlRun {
    pub(super) payload: Vec<u8>,
    transfer: Direction,
    location: Option<Location>,
    pub(super) recordings: Vec<Recording>,
    /// The connection that carries the payload, or most.
    connection: u64,
}

pub(super) fn bytes_of(recording: &Recording, flow: Flow) -> &[u8] {
    match flow {
        Flow::ToServer => &recording.to_server,
        Flow::ToClient => &recording.to_client,
    }
}

pub(super) fn streams(recordings: &[Recording], flow: Flow) -> Vec<Stream<'_>> {
    recordings
        .iter()
        .map(|it| Stream { connection: it.connection, flow, bytes: bytes_of(it, flow) })
        .collect()
}

impl ControlRun {
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

    pub(super) fn spread(&self) -> PayloadPlace {
        match &self.location {
            Some(location) => {
                PayloadPlace::Found { pieces: location.pieces().len(), connection: self.connection }
            }
            None => PayloadPlace::Hidden {
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
    pub(super) fn place(&self, trial: &Trial, seed: u64) -> Result<Placement, String> {
        if trial.rung == Some(Rung::FileAndHash) {
            return self.file_and_hash();
        }
        let mut placement = Placement::default();
        for (index, fault) in trial.faults.iter().enumerate() {
            let index = trial.number * MAX_FAULTS + index;
            let (placed, target) = match (fault.region, &self.location) {
                (Region::Upload | Region::Download, Some(location)) => {
                    self.in_payload(location, fault, seed, index, trial.rung)?
                }
                (Region::Upload | Region::Download, None) => {
                    (self.by_share(fault, seed, index)?, Target::Share)
                }
                (Region::ToServer | Region::ToClient | Region::Step(_), _) => {
                    (self.in_stream(fault, seed, index)?, Target::Stream)
                }
            };
            placement.push(placed, target);
        }
        match clash(&placement.placed()) {
            Some((one, other)) => {
                Err(format!("faults {} and {} of it change the same bytes", one + 1, other + 1))
            }
            None => Ok(placement),
        }
    }

    fn in_payload(
        &self,
        location: &Location,
        fault: &Fault,
        seed: u64,
        index: usize,
        rung: Option<Rung>,
    ) -> Result<(PlacedFault, Target), String> {
        let range = Some(0..self.payload.len() as u64);
        let map = PhaseMap { upload: range.clone(), download: range, ..PhaseMap::default() };
        let strike = map.place(fault, seed, index).map_err(|why| why.to_string())?;
        let window = strike.width(&fault.effect).max(1);
        let movable = rung != Some(Rung::Md5Collision);
        let (spot, offset) = fit(location, strike.offset, window, movable)
            .ok_or("the payload is in pieces in the stream, and none of them is large enough")?;
        let placed = placed_at(fault, spot, strike.distance)?;
        Ok((placed, Target::File(offset)))
    }

    /// The payload cannot be seen: a place in it is one in the stream that carries it.
    fn by_share(&self, fault: &Fault, seed: u64, index: usize) -> Result<PlacedFault, String> {
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

    fn in_stream(&self, fault: &Fault, seed: u64, index: usize) -> Result<PlacedFault, String> {
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
    fn file_and_hash(&self) -> Result<Placement, String> {
        let location = self.location.as_ref().ok_or("the payload is not to be found in the stream")?;
        let (spot, offset) = fit(location, BLOCK, REWRITTEN, true)
            .ok_or("the payload is in pieces in the stream, and none of them is large enough")?;
        let at = usize::try_from(offset).unwrap_or_default();
        let mut forged = self.payload.clone();
        let rewritten = &mut forged[at..at + usize::try_from(REWRITTEN).unwrap_or_default()];
        rewritten.iter_mut().for_each(|byte| *byte = !*byte);
        let mut placement = Placement::default();
        let overwrite = |bytes: &[u8]| Effect::Overwrite { bytes: bytes.to_vec() };
        placement.push(placed_at(&of(overwrite(rewritten)), spot, 0)?, Target::File(offset));
        for digest in DIGESTS {
            let (own, other) = (digest(&self.payload), digest(&forged));
            for found in found(&self.recordings, own.as_bytes()) {
                // Whoever received the other file sends back its digest.
                let (text, there) = match found.flow == spot.flow {
                    true => (&other, vec![own.clone()]),
                    false => (&own, vec![own.clone(), other.clone()]),
                };
                placement.push(placed_at(&of(overwrite(text.as_bytes())), found, 0)?, Target::Digest(there));
            }
        }
        if placement.faults.len() == 1 {
            return Err("no digest of the file stands in the stream as text".into());
        }
        Ok(placement)
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

pub(super) fn placed_at(fault: &Fault, spot: Spot, distance: u64) -> Result<PlacedFault, String> {
    let mut fault = fault.clone();
    if let Effect::Reorder { with, .. } = &mut fault.effect {
        *with = spot.offset + distance;
    }
    PlacedFault::new(Connections::Nth(spot.connection), spot.flow, spot.offset, fault)
        .ok_or_else(|| "this is no fault of a stream".to_owned())
}

/// The spot of `offset` of the payload, if `window` bytes of it stand there in one piece; else, if it may be moved,
/// the beginning of the first piece that is large enough, from there on or from the front.
fn fit(location: &Location, offset: u64, window: u64, movable: bool) -> Option<(Spot, u64)> {
    let holds = |offset: u64| Some((holds(location, offset, window)?, offset));
    let fits =
        |piece: &&faults::proxy::locate::PayloadPiece| piece.payload.end - piece.payload.start >= window;
    let elsewhere = || {
        let pieces = location.pieces();
        let behind = pieces.iter().filter(fits).find(|piece| piece.payload.start >= offset);
        let piece = behind.or_else(|| pieces.iter().find(fits))?;
        holds(piece.payload.start)
    };
    holds(offset).or_else(|| if movable { elsewhere() } else { None })
}
