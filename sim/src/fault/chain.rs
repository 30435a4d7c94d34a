//! The faults of one direction, one behind the other: each one's output feeds the next.

use std::time::Duration;

use super::Injector;
use crate::scenario::Effect;

/// What comes out of a chain, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Bytes for the reader, at most `most` of them at a time.
    Bytes {
        /// The bytes.
        bytes: Vec<u8>,
        /// The most that may be delivered at once.
        most: usize,
    },
    /// Nothing passes for so long.
    Wait(Duration),
    /// Nothing passes any more, but the connection stands.
    Stall,
    /// This direction ends.
    End,
    /// Both directions end.
    Cut,
    /// The connection breaks.
    Reset,
    /// Something happens to the network.
    Signal(Effect),
    /// The fault with this number struck here.
    Fired {
        /// Its number.
        fault: usize,
        /// The bytes it took.
        old: Vec<u8>,
        /// The bytes it gave.
        new: Vec<u8>,
    },
    /// When the reader has taken everything before this, the fault with this number has reached it.
    Reaches(usize),
}

impl Piece {
    pub(super) fn bytes(bytes: Vec<u8>) -> Self {
        Self::Bytes { bytes, most: usize::MAX }
    }
}

/// The faults of one direction.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    injectors: Vec<Injector>,
}

impl Chain {
    /// A chain of these faults, the first one nearest to the sender.
    #[must_use]
    pub fn new(injectors: Vec<Injector>) -> Self {
        Self { injectors }
    }

    /// How many bytes from here on no fault touches.
    #[must_use]
    pub fn clear(&self) -> u64 {
        self.injectors.iter().map(Injector::clear).min().unwrap_or(u64::MAX)
    }

    /// `count` bytes passed, at most as many as are [`clear`](Self::clear).
    pub fn pass(&mut self, count: u64) {
        for injector in &mut self.injectors {
            injector.pass(count);
        }
    }

    /// Takes `bytes` and returns what comes out in their place.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Piece> {
        self.run(vec![Piece::bytes(bytes.to_vec())], false)
    }

    /// The sender has ended: returns what was held back.
    pub fn finish(&mut self) -> Vec<Piece> {
        self.run(Vec::new(), true)
    }

    fn run(&mut self, mut pieces: Vec<Piece>, ended: bool) -> Vec<Piece> {
        for injector in &mut self.injectors {
            let mut out = Vec::new();
            for piece in pieces {
                match piece {
                    Piece::Bytes { bytes, most: usize::MAX } => injector.push(bytes, &mut out),
                    Piece::Bytes { bytes, most } => {
                        let first = out.len();
                        injector.push(bytes, &mut out);
                        limit(&mut out[first..], most);
                    }
                    event => injector.push_event(event, &mut out),
                }
            }
            if ended {
                injector.finish(&mut out);
            }
            pieces = out;
        }
        pieces
    }
}

/// Slicing survives the faults behind it.
fn limit(pieces: &mut [Piece], limit: usize) {
    for piece in pieces {
        if let Piece::Bytes { most, .. } = piece {
            *most = limit.min(*most);
        }
    }
}
