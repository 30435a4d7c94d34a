//! Finds a payload in recorded streams by its content: whole, or in pieces with foreign bytes between them, as
//! rsync or chunked HTTP send it. Pure. What was compressed or encrypted is not found.
//!
//! The payload is noise that nobody else sends. So a block of it stands in the streams where the payload does, and
//! nowhere else; a payload that repeats itself is found only whole.
//!
//! ```
//! use faults::Flow;
//! use faults::proxy::locate::{Search, Stream, locate};
//! use faults::proxy::{Connections, PlacedFault};
//! use faults::{At, Effect, Fault, Region};
//!
//! let payload: Vec<u8> = (0..100).map(|i: u8| i.wrapping_mul(37)).collect();
//! let recorded = [&b"PUT /file\r\n\r\n"[..], &payload].concat();
//! let streams = [Stream { connection: 1, flow: Flow::ToServer, bytes: &recorded }];
//! let spot = locate(&streams, &payload, &Search::default()).unwrap().spot(50).unwrap();
//! let flip = Fault { effect: Effect::Flip { bit: 3 }, region: Region::ToServer, at: At::Offset(0) };
//! let placed = PlacedFault::new(Connections::Nth(spot.connection), spot.flow, spot.offset, flip).unwrap();
//! assert_eq!(placed.strike.at, 13 + 50);
//! ```

use std::ops::Range;

use memchr::memmem;

use crate::Flow;

/// The shortest block by which a piece is recognised: eight bytes of noise could stand anywhere by chance.
const LEAST_BLOCK: usize = 16;

/// What is given up at an end of a piece that no other piece confirms: there, foreign bytes can look like the
/// payload's next ones by chance.
const GUARD: u64 = 8;

/// How many bits there are in the filter for each block.
const FILTER_BITS: usize = 16;

/// One direction of one connection, as it was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream<'a> {
    /// The number of the connection.
    pub connection: u64,
    /// Which way.
    pub flow: Flow,
    /// What was sent, from the first byte on.
    pub bytes: &'a [u8],
}

/// When a payload counts as found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Search {
    /// The shortest piece that counts, in bytes; at least 32.
    pub min_piece: usize,
    /// How much of the payload has to be in pieces, in percent.
    pub coverage: u8,
}

impl Default for Search {
    fn default() -> Self {
        Self { min_piece: 64, coverage: 90 }
    }
}

/// A part of the payload, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayloadPiece {
    /// The number of the connection.
    pub connection: u64,
    /// Which way.
    pub flow: Flow,
    /// Its offsets in that stream.
    pub stream: Range<u64>,
    /// Its offsets in the payload; as many.
    pub payload: Range<u64>,
}

/// A byte of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The number of the connection.
    pub connection: u64,
    /// Which way.
    pub flow: Flow,
    /// The offset in that stream.
    pub offset: u64,
}

/// Where a payload stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    pieces: Vec<PayloadPiece>,
}

impl Location {
    /// Its pieces, in the order of the payload. No two share a byte of it.
    #[must_use]
    pub fn pieces(&self) -> &[PayloadPiece] {
        &self.pieces
    }

    /// How many bytes of the payload are in pieces.
    #[must_use]
    pub fn covered(&self) -> u64 {
        self.pieces.iter().map(|piece| length(&piece.payload)).sum()
    }

    /// Where the byte at `offset` of the payload stands. `None` if it is in no piece.
    #[must_use]
    pub fn spot(&self, offset: u64) -> Option<Spot> {
        let behind = self.pieces.partition_point(|piece| piece.payload.end <= offset);
        let piece = self.pieces.get(behind).filter(|piece| piece.payload.start <= offset)?;
        let offset = piece.stream.start + (offset - piece.payload.start);
        Some(Spot { connection: piece.connection, flow: piece.flow, offset })
    }

    /// The first byte of the payload from `offset` on of which it is known where it stands.
    #[must_use]
    pub fn known_from(&self, offset: u64) -> Option<u64> {
        let behind = self.pieces.partition_point(|piece| piece.payload.end <= offset);
        self.pieces.get(behind).map(|piece| piece.payload.start.max(offset))
    }
}

/// Finds `payload` in `streams`. Where it stands more than once, the stream that has most of it counts, of equals
/// the first. `None` if less than [`Search::coverage`] of it is found.
#[must_use]
pub fn locate(streams: &[Stream<'_>], payload: &[u8], search: &Search) -> Option<Location> {
    if payload.is_empty() {
        return None;
    }
    let whole = streams.iter().find_map(|stream| {
        let at = memmem::find(stream.bytes, payload)?;
        Some(vec![Match { at, from: 0, count: payload.len() }.piece(stream)])
    });
    let pieces = whole.unwrap_or_else(|| in_pieces(streams, payload, search));
    let location = Location { pieces };
    let needed = payload.len() as u64 * u64::from(search.coverage.min(100)) / 100;
    (location.covered() >= needed.max(1)).then_some(location)
}

/// A part of the payload in one stream.
#[derive(Clone, Copy, Debug)]
struct Match {
    /// Where in the stream.
    at: usize,
    /// Where in the payload.
    from: usize,
    count: usize,
}

impl Match {
    fn piece(self, stream: &Stream<'_>) -> PayloadPiece {
        let range = |start: usize| start as u64..(start + self.count) as u64;
        PayloadPiece {
            connection: stream.connection,
            flow: stream.flow,
            stream: range(self.at),
            payload: range(self.from),
        }
    }
}

fn in_pieces(streams: &[Stream<'_>], payload: &[u8], search: &Search) -> Vec<PayloadPiece> {
    let min_piece = search.min_piece.max(2 * LEAST_BLOCK);
    let index = Index::new(payload, min_piece / 2);
    let mut finds: Vec<Vec<PayloadPiece>> = Vec::new();
    for stream in streams {
        let found = index.scan(stream.bytes);
        let pieces = found.into_iter().filter(|found| found.count >= min_piece);
        finds.push(pieces.map(|found| found.piece(stream)).collect());
    }
    // A stable sort: of equals the first.
    finds.sort_by_key(|pieces| std::cmp::Reverse(pieces.iter().map(|it| length(&it.payload)).sum::<u64>()));
    let mut all: Vec<PayloadPiece> = Vec::new();
    for pieces in finds {
        add(&mut all, pieces, min_piece as u64);
    }
    guard(&mut all, payload.len() as u64);
    all.retain(|piece| !piece.payload.is_empty());
    all
}

/// Adds `pieces` to those that were found before, which have precedence.
fn add(all: &mut Vec<PayloadPiece>, pieces: Vec<PayloadPiece>, min_piece: u64) {
    for mut piece in pieces {
        let before = all.partition_point(|other| other.payload.start < piece.payload.start);
        if let Some(previous) = before.checked_sub(1).map(|index| &mut all[index]) {
            settle(previous, &mut piece, min_piece);
        }
        if let Some(next) = all.get_mut(before) {
            settle_behind(&mut piece, next, min_piece);
        }
        if length(&piece.payload) >= min_piece {
            all.insert(before, piece);
        }
    }
}

/// Where two pieces share bytes of the payload, these could stand in either. A few are there by chance: foreign
/// bytes that look alike; neither keeps them. More are a second copy: `later`, which came later, gives them up.
fn settle(previous: &mut PayloadPiece, later: &mut PayloadPiece, min_piece: u64) {
    let shared = previous.payload.end.saturating_sub(later.payload.start);
    cut_front(later, shared);
    if shared < min_piece {
        cut_back(previous, shared);
    }
}

fn settle_behind(later: &mut PayloadPiece, next: &mut PayloadPiece, min_piece: u64) {
    let shared = later.payload.end.saturating_sub(next.payload.start);
    cut_back(later, shared);
    if shared < min_piece {
        cut_front(next, shared);
    }
}

/// Cuts off what could be chance at every end that neither a neighbour nor the payload's own end confirms: only one that
/// meets the other exactly does. Between ends that nearly meet, a short piece can be missing, and be what was taken by chance.
fn guard(pieces: &mut [PayloadPiece], payload: u64) {
    let starts: Vec<u64> = pieces.iter().map(|piece| piece.payload.start).collect();
    let ends: Vec<u64> = pieces.iter().map(|piece| piece.payload.end).collect();
    for (index, piece) in pieces.iter_mut().enumerate() {
        let before = index.checked_sub(1).map_or(0, |previous| ends[previous]);
        let behind = starts.get(index + 1).copied().unwrap_or(payload);
        if starts[index] != before {
            cut_front(piece, GUARD);
        }
        if ends[index] != behind {
            cut_back(piece, GUARD);
        }
    }
}

fn cut_front(piece: &mut PayloadPiece, count: u64) {
    let count = count.min(length(&piece.payload));
    piece.payload.start += count;
    piece.stream.start += count;
}

fn cut_back(piece: &mut PayloadPiece, count: u64) {
    let count = count.min(length(&piece.payload));
    piece.payload.end -= count;
    piece.stream.end -= count;
}

fn length(range: &Range<u64>) -> u64 {
    range.end.saturating_sub(range.start)
}

/// The payload's blocks by their hash. Every piece of twice the length of a block, less one, has a whole block in it.
struct Index<'a> {
    payload: &'a [u8],
    block: usize,
    /// The hash and the offset of every block whose hash no other has, sorted.
    blocks: Vec<(u64, usize)>,
    /// A bit for the hash of each: most bytes of a foreign stream are ruled out by it.
    filter: Vec<u64>,
}

impl<'a> Index<'a> {
    fn new(payload: &'a [u8], block: usize) -> Self {
        let blocks = payload.chunks_exact(block).enumerate();
        let mut blocks: Vec<(u64, usize)> =
            blocks.map(|(number, bytes)| (hash(bytes), number * block)).collect();
        blocks.sort_unstable();
        let twice: Vec<u64> =
            blocks.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| pair[0].0).collect();
        blocks.retain(|(hash, _)| twice.binary_search(hash).is_err());
        let words = (blocks.len() * FILTER_BITS / 64).next_power_of_two();
        let mut index = Self { payload, block, blocks, filter: vec![0; words] };
        for number in 0..index.blocks.len() {
            let (word, bit) = index.bit(index.blocks[number].0);
            index.filter[word] |= bit;
        }
        index
    }

    /// The word and the bit of the filter for `hash`.
    fn bit(&self, hash: u64) -> (usize, u64) {
        // The upper bits of the product depend on all bits of the hash.
        let mixed = hash.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        let word = usize::try_from(mixed >> 6).unwrap_or(0) & (self.filter.len() - 1);
        (word, 1 << (mixed & 63))
    }

    /// The offset of the block with this hash.
    fn find(&self, hash: u64) -> Option<usize> {
        let (word, bit) = self.bit(hash);
        if self.filter[word] & bit == 0 {
            return None;
        }
        let found = self.blocks.binary_search_by_key(&hash, |(hash, _)| *hash).ok()?;
        Some(self.blocks[found].1)
    }

    /// Every part of the payload in `stream`, in the order of the stream.
    fn scan(&self, stream: &[u8]) -> Vec<Match> {
        let mut found: Vec<Match> = Vec::new();
        if stream.len() < self.block || self.blocks.is_empty() {
            return found;
        }
        let mut at = 0;
        let mut rolling = Rolling::new(&stream[..self.block]);
        loop {
            let block = self.find(rolling.hash).filter(|from| self.stands(stream, at, *from));
            let next = match block {
                Some(from) => {
                    let low = found.last().map_or(0, |last| last.at + last.count);
                    let part = self.extend(stream, at, from, low);
                    found.push(part);
                    part.at + part.count
                }
                None => at + 1,
            };
            if next + self.block > stream.len() {
                return found;
            }
            if next == at + 1 {
                rolling.slide(stream[at], stream[at + self.block]);
            } else {
                rolling = Rolling::new(&stream[next..next + self.block]);
            }
            at = next;
        }
    }

    fn stands(&self, stream: &[u8], at: usize, from: usize) -> bool {
        stream[at..at + self.block] == self.payload[from..from + self.block]
    }

    /// The block at `from`, which stands at `at`, with all that agrees before and behind it, not before `low`.
    fn extend(&self, stream: &[u8], at: usize, from: usize, low: usize) -> Match {
        let before = stream[low..at].iter().rev().zip(self.payload[..from].iter().rev());
        let before = before.take_while(|(one, other)| one == other).count();
        let behind = stream[at + self.block..].iter().zip(&self.payload[from + self.block..]);
        let behind = behind.take_while(|(one, other)| one == other).count();
        Match { at: at - before, from: from - before, count: before + self.block + behind }
    }
}

/// The base of the polynomial: odd, so that no bit is lost by multiplying.
const BASE: u64 = 0x0100_0000_01B3;

fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |hash: u64, byte| hash.wrapping_mul(BASE).wrapping_add(u64::from(*byte) + 1))
}

/// The hash of a block that slides over a stream.
struct Rolling {
    hash: u64,
    /// What the oldest byte of the block is multiplied by.
    oldest: u64,
}

impl Rolling {
    fn new(block: &[u8]) -> Self {
        let oldest = block.iter().skip(1).fold(1, |power: u64, _| power.wrapping_mul(BASE));
        Self { hash: hash(block), oldest }
    }

    fn slide(&mut self, out: u8, new: u8) {
        let without = self.hash.wrapping_sub((u64::from(out) + 1).wrapping_mul(self.oldest));
        self.hash = without.wrapping_mul(BASE).wrapping_add(u64::from(new) + 1);
    }
}
