//! The faults of one direction, one behind the other: each one's output feeds the next.

use std::time::Duration;

use super::{Disturbance, FaultEntry, Injector};

/// What comes out of a chain, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Bytes for the reader, at most `most` of them at a time.
    Bytes {
        /// The bytes.
        bytes: Vec<u8>,
        /// The most that may be delivered at once.
        most: usize,
        /// The stream offset at which the first of them was sent. `None` if a fault has added them.
        source: Option<u64>,
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
    /// This happens to the network for so long.
    Signal(Disturbance, Duration),
    /// A fault struck here.
    Fired {
        /// Which.
        fault: FaultEntry,
        /// The stream offset where it struck: of the first byte that it took, or before which it acted, as it was sent.
        at: u64,
        /// The offset in its phase, if it had to wait for that to begin.
        offset: Option<u64>,
        /// The bytes it took.
        old: Vec<u8>,
        /// The bytes it gave.
        new: Vec<u8>,
    },
    /// When the reader has taken everything before this, the fault has reached it.
    Reaches(FaultEntry),
}

impl Piece {
    pub(super) fn sent(bytes: Vec<u8>, source: Option<u64>) -> Self {
        Self::Bytes { bytes, most: usize::MAX, source }
    }
}

/// The faults of one direction.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    injectors: Vec<Injector>,
    /// How many bytes of the stream have come so far.
    sent: u64,
}

impl Chain {
    /// A chain of these faults, the first one nearest to the sender.
    #[must_use]
    pub fn new(injectors: Vec<Injector>) -> Self {
        Self { injectors, sent: 0 }
    }

    /// How many bytes from here on no fault touches.
    #[must_use]
    pub fn clear(&self) -> u64 {
        self.injectors.iter().map(|injector| injector.clear(self.sent)).min().unwrap_or(u64::MAX)
    }

    /// `count` bytes passed, at most as many as are [`clear`](Self::clear).
    pub fn pass(&mut self, count: u64) {
        self.sent += count;
        for injector in &mut self.injectors {
            injector.pass(self.sent);
        }
    }

    /// Takes `bytes` and returns what comes out in their place.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Piece> {
        let source = self.sent;
        self.sent += bytes.len() as u64;
        self.run(vec![Piece::sent(bytes.to_vec(), Some(source))], false)
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
                    Piece::Bytes { bytes, most: usize::MAX, source } => {
                        injector.push(bytes, source, &mut out);
                    }
                    Piece::Bytes { bytes, most, source } => {
                        let first = out.len();
                        injector.push(bytes, source, &mut out);
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
