//! The decision of every stream fault, in one place: what comes out in place of the bytes at its offset. Pure:
//! no clock, no randomness, no I/O. To add a fault, add its variant to `scenario::Effect` and its line here.

use std::time::Duration;

use super::Piece;
use crate::scenario::Effect;

/// How often a throttled stream moves, per second.
const THROTTLE_TICKS: u64 = 10;

/// One fault of a stream.
#[derive(Clone, Debug)]
pub struct Injector {
    /// Its number in the ledger.
    fault: usize,
    effect: Effect,
    /// The stream offset where it strikes.
    at: u64,
    /// For a reordering: the distance between its two ranges.
    distance: u64,
    /// The stream offset that it has come to.
    position: u64,
    /// The bytes of its window that it has seen.
    held: Vec<u8>,
    /// What happened between them.
    between: Vec<Piece>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Its place has not come yet, or not all of it.
    Waiting,
    /// It works on everything from its place on.
    Lasting,
    /// It is done.
    Done,
}

/// What a fault does when its place has come.
enum Decision {
    /// Its window is replaced by these bytes.
    Replace(Vec<u8>),
    /// Something happens before the next byte, once.
    Once(Piece),
    /// From here on, everything passes through [`Injector::transform`].
    Lasting,
}

impl Injector {
    /// The fault with number `fault`, to strike at stream offset `at`. For a reordering, `distance` is how far
    /// the second range is behind the first.
    #[must_use]
    pub fn new(fault: usize, effect: Effect, at: u64, distance: u64) -> Self {
        Self {
            fault,
            effect,
            at,
            distance,
            position: 0,
            held: Vec::new(),
            between: Vec::new(),
            state: State::Waiting,
        }
    }

    /// How many bytes from here on it leaves alone.
    pub(super) fn clear(&self) -> u64 {
        match self.state {
            State::Done => u64::MAX,
            State::Waiting => self.at.saturating_sub(self.position),
            State::Lasting => 0,
        }
    }

    /// `count` bytes passed that it leaves alone.
    pub(super) fn pass(&mut self, count: u64) {
        self.position += count;
    }

    /// Takes `bytes` and puts what comes out in their place into `out`.
    pub(super) fn push(&mut self, mut bytes: Vec<u8>, out: &mut Vec<Piece>) {
        while !bytes.is_empty() {
            let clear = usize::try_from(self.clear()).unwrap_or(usize::MAX).min(bytes.len());
            if clear > 0 {
                let rest = bytes.split_off(clear);
                self.position += bytes.len() as u64;
                out.push(Piece::bytes(std::mem::replace(&mut bytes, rest)));
            } else if self.state == State::Lasting {
                self.position += bytes.len() as u64;
                self.transform(std::mem::take(&mut bytes), out);
            } else {
                self.gather(&mut bytes, out);
            }
        }
    }

    /// Takes what the faults before it do. Between the bytes that it holds back this waits for them: otherwise a
    /// change would have reached the reader before its bytes have.
    pub(super) fn push_event(&mut self, event: Piece, out: &mut Vec<Piece>) {
        let ends = matches!(event, Piece::Stall | Piece::End | Piece::Cut | Piece::Reset);
        if ends {
            self.finish(out);
        }
        if self.held.is_empty() {
            out.push(event);
        } else {
            self.between.push(event);
        }
    }

    /// The sender has ended: what is held back will not get any more.
    pub(super) fn finish(&mut self, out: &mut Vec<Piece>) {
        if !self.held.is_empty() {
            out.push(Piece::bytes(std::mem::take(&mut self.held)));
            out.append(&mut self.between);
            self.state = State::Done;
        }
    }

    /// Takes bytes into the window until it is full, and then strikes.
    fn gather(&mut self, bytes: &mut Vec<u8>, out: &mut Vec<Piece>) {
        let window = usize::try_from(window(&self.effect, self.distance)).unwrap_or(usize::MAX);
        let missing = (window - self.held.len()).min(bytes.len());
        let rest = bytes.split_off(missing);
        self.position += missing as u64;
        self.held.append(bytes);
        *bytes = rest;
        if self.held.len() == window {
            self.strike(out);
        }
    }

    fn strike(&mut self, out: &mut Vec<Piece>) {
        let old = std::mem::take(&mut self.held);
        self.state = State::Done;
        match decide(&self.effect, &old, self.distance) {
            Decision::Replace(new) => {
                // Where the new bytes are the old ones, there is no change that could reach anybody.
                let reaches = (old != new).then_some(Piece::Reaches(self.fault));
                out.push(Piece::Fired { fault: self.fault, old, new: new.clone() });
                out.push(Piece::bytes(new));
                out.extend(reaches);
                out.append(&mut self.between);
            }
            Decision::Once(piece) => {
                let pauses = matches!(piece, Piece::Stall | Piece::Wait(_));
                out.push(Piece::Fired { fault: self.fault, old, new: Vec::new() });
                // A pause has reached the reader when it begins, and the reader may not live to see its end;
                // what is an event of its own has reached it after that.
                let rest = after(&piece);
                if pauses {
                    out.extend([Piece::Reaches(self.fault), piece]);
                } else {
                    out.extend([piece, Piece::Reaches(self.fault)]);
                }
                out.extend(rest);
            }
            Decision::Lasting => {
                self.state = State::Lasting;
                out.push(Piece::Fired { fault: self.fault, old, new: Vec::new() });
            }
        }
    }

    /// What a lasting fault makes of `bytes`.
    fn transform(&mut self, mut bytes: Vec<u8>, out: &mut Vec<Piece>) {
        let reaches = Piece::Reaches(self.fault);
        match &self.effect {
            Effect::Slice { bytes: size } => {
                // It has reached the reader with the first slice.
                let most = usize::try_from(*size).unwrap_or(usize::MAX).max(1);
                let rest = bytes.split_off(most.min(bytes.len()));
                out.extend([Piece::Bytes { bytes, most }, reaches, Piece::Bytes { bytes: rest, most }]);
            }
            // A pause has reached the reader when it begins.
            Effect::Coalesce { lasts } => out.extend([reaches, Piece::Wait(*lasts), Piece::bytes(bytes)]),
            Effect::Throttle { rate } => {
                out.push(reaches);
                throttle(&bytes, *rate, out);
            }
            _ => out.push(Piece::bytes(bytes)),
        }
    }
}

/// How many bytes of the stream a fault has to see before it can strike.
pub(super) fn window(effect: &Effect, distance: u64) -> u64 {
    match effect {
        Effect::Flip { .. } => 1,
        Effect::Xor { mask: bytes } | Effect::Overwrite { bytes } => bytes.len() as u64,
        Effect::Drop { bytes } | Effect::Duplicate { bytes } => *bytes,
        Effect::Reorder { bytes, .. } => distance + bytes,
        _ => 0,
    }
}

/// What happens to the window `old`.
fn decide(effect: &Effect, old: &[u8], distance: u64) -> Decision {
    match effect {
        Effect::Flip { bit } => Decision::Replace(old.iter().map(|byte| byte ^ (1 << (bit & 7))).collect()),
        Effect::Xor { mask } => {
            Decision::Replace(old.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect())
        }
        Effect::Drop { .. } => Decision::Replace(Vec::new()),
        Effect::Insert { bytes } | Effect::Overwrite { bytes } => Decision::Replace(bytes.clone()),
        Effect::Duplicate { .. } => Decision::Replace(old.repeat(2)),
        Effect::Reorder { bytes, .. } => Decision::Replace(reorder(old, *bytes, distance)),
        Effect::Truncate => Decision::Once(Piece::Cut),
        Effect::HalfClose => Decision::Once(Piece::End),
        Effect::Reset => Decision::Once(Piece::Reset),
        Effect::Stall => Decision::Once(Piece::Stall),
        Effect::Delay { lasts } => Decision::Once(Piece::Wait(*lasts)),
        Effect::Throttle { .. } | Effect::Slice { .. } | Effect::Coalesce { .. } => Decision::Lasting,
        // The network and the disk are not this stream: the one is signalled, the other never gets here.
        other => Decision::Once(Piece::Signal(other.clone())),
    }
}

/// What becomes of the bytes behind `piece`. Those on the way are past the network when it is told what shall
/// happen to it; but they come after the fault, and share the fate of all that does.
fn after(piece: &Piece) -> Option<Piece> {
    match piece {
        Piece::Signal(Effect::Hold { lasts }) => Some(Piece::Wait(*lasts)),
        Piece::Signal(Effect::Partition { .. } | Effect::Crash { .. }) => Some(Piece::Stall),
        _ => None,
    }
}

/// Swaps the first and the last `count` bytes of a window, the second of which begins at `distance`.
fn reorder(window: &[u8], count: u64, distance: u64) -> Vec<u8> {
    let (count, distance) = (usize::try_from(count).unwrap_or(0), usize::try_from(distance).unwrap_or(0));
    let (first, rest) = window.split_at(count.min(window.len()));
    let (between, second) = rest.split_at((distance - first.len()).min(rest.len()));
    [second, between, first].concat()
}

/// Cuts `bytes` into what passes at each tick at this rate, with the wait for it before it.
fn throttle(bytes: &[u8], rate: u64, out: &mut Vec<Piece>) {
    let portion = usize::try_from((rate / THROTTLE_TICKS).max(1)).unwrap_or(usize::MAX);
    for part in bytes.chunks(portion) {
        let nanos = (part.len() as u64).saturating_mul(1_000_000_000) / rate.max(1);
        out.extend([Piece::Wait(Duration::from_nanos(nanos)), Piece::bytes(part.to_vec())]);
    }
}
