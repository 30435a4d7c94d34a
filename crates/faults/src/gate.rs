//! One reader's end of a faulty stream: queues what the chain gives, and says what the reader may have now.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::comparison::Comparison;
use super::{Chain, Disturbance, FaultEntry, Piece, Signal, Wires};
use crate::Reader;

/// What a reader may have now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// So many bytes were put into its buffer.
    Delivered(usize),
    /// The gate is empty: it needs more of the stream.
    Hungry,
    /// Nothing before this time.
    Wait(Duration),
    /// Nothing, ever.
    Never,
    /// The end of this direction.
    End,
    /// The end of both directions.
    Cut,
    /// An error: the connection is broken.
    Reset,
}

/// The faults between a stream and its reader.
#[derive(Debug)]
pub struct Gate {
    chain: Chain,
    pieces: VecDeque<Piece>,
    /// The end of the wait at the front.
    wait: Option<Duration>,
    /// How many bytes the reader was given.
    delivered: u64,
    /// The faults whose change is in what the reader was given, and of which that is not confirmed.
    reaching: Vec<FaultEntry>,
    /// What was sent beside what the reader was given.
    comparison: Arc<Mutex<Comparison>>,
    reader: Arc<dyn Reader>,
    wires: Wires,
}

impl Gate {
    /// A gate with these faults. `reader` is told of each that strikes.
    #[must_use]
    pub fn new(chain: Chain, wires: Wires, reader: Arc<dyn Reader>) -> Self {
        Self {
            chain,
            pieces: VecDeque::new(),
            wait: None,
            delivered: 0,
            reaching: Vec::new(),
            comparison: Arc::default(),
            reader,
            wires,
        }
    }

    /// Whether its reader is there to be struck.
    #[must_use]
    pub fn has_reader(&self) -> bool {
        !self.reader.has_left()
    }

    /// How many bytes of the stream may go to the reader past the gate. Say so with [`pass`](Self::pass).
    #[must_use]
    pub fn clear(&self) -> usize {
        if !self.pieces.is_empty() || !self.comparison().is_settled() {
            return 0;
        }
        usize::try_from(self.chain.clear()).unwrap_or(usize::MAX)
    }

    /// So many bytes went past the gate.
    pub fn pass(&mut self, count: usize) {
        self.chain.pass(count as u64);
        self.delivered += count as u64;
    }

    /// The next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.comparison().send(bytes);
        self.pieces.extend(self.chain.push(bytes));
    }

    /// The stream has ended.
    pub fn finish(&mut self) {
        self.pieces.extend(self.chain.finish());
        self.pieces.push_back(Piece::End);
    }

    /// What the reader may have now; bytes are put into the front of `out`.
    pub fn next(&mut self, now: Duration, out: &mut [u8]) -> Next {
        loop {
            match self.pieces.front_mut() {
                None => return Next::Hungry,
                Some(Piece::Bytes { bytes, .. }) if bytes.is_empty() => self.drop_front(),
                Some(Piece::Bytes { bytes, most, .. }) => {
                    let count = bytes.len().min(*most).min(out.len());
                    out[..count].copy_from_slice(&bytes[..count]);
                    bytes.drain(..count);
                    self.comparison().give(&out[..count]);
                    self.delivered += count as u64;
                    self.settle();
                    return Next::Delivered(count);
                }
                Some(Piece::Wait(lasts)) => {
                    let until = *self.wait.get_or_insert(now + *lasts);
                    if now < until {
                        return Next::Wait(until);
                    }
                    self.wait = None;
                    self.drop_front();
                }
                Some(Piece::Stall) => return Next::Never,
                Some(Piece::End | Piece::Cut | Piece::Reset) => return self.end(),
                Some(_) => self.note(now),
            }
        }
    }

    /// The reader has taken all that it was given so far: what is changed in it has reached the reader.
    pub fn confirm(&mut self) {
        self.reaching.drain(..).for_each(|fault| fault.reached());
    }

    /// The comparison that this gate goes on with.
    pub(super) fn shared_comparison(&self) -> Arc<Mutex<Comparison>> {
        Arc::clone(&self.comparison)
    }

    fn comparison(&self) -> MutexGuard<'_, Comparison> {
        self.comparison.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was given last may be the end of a change.
    fn settle(&mut self) {
        while let Some(piece) = self.pieces.front() {
            match piece {
                Piece::Bytes { bytes, .. } if bytes.is_empty() => {}
                Piece::Reaches(fault) => {
                    let fault = fault.clone();
                    self.reaches(fault);
                }
                _ => return,
            }
            self.drop_front();
        }
    }

    /// The change of this fault is in what the reader was given.
    fn reaches(&mut self, fault: FaultEntry) {
        fault.reaches_at(self.delivered);
        if !self.reaching.contains(&fault) {
            self.reaching.push(fault);
        }
    }

    fn drop_front(&mut self) {
        self.pieces.pop_front();
    }

    /// The last piece that matters stays at the front: an end does not pass.
    fn end(&mut self) -> Next {
        // A fault that ends the stream has reached the reader with that end.
        if let Some(Piece::Reaches(fault)) = self.pieces.get(1) {
            let fault = fault.clone();
            self.reaches(fault);
        }
        match self.pieces.front() {
            Some(Piece::Cut) => Next::Cut,
            Some(Piece::Reset) => Next::Reset,
            _ => Next::End,
        }
    }

    /// Carries out a piece that is not for the reader.
    fn note(&mut self, now: Duration) {
        match self.pieces.pop_front() {
            Some(Piece::Fired { fault, at, offset, old, new }) => {
                fault.struck(at, offset);
                let text = fault.fired(&old, &new);
                self.reader.struck(now, fault.number(), text);
            }
            Some(Piece::Reaches(fault)) => self.reaches(fault),
            Some(Piece::Signal(disturbance, lasts)) => self.signal(disturbance, lasts),
            _ => {}
        }
    }

    fn signal(&mut self, disturbance: Disturbance, lasts: Duration) {
        if let Some(Piece::Reaches(fault)) = self.pieces.front() {
            self.wires.signal(Signal { fault: fault.clone(), disturbance, lasts });
        }
    }
}
