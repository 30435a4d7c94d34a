//! The decision of every stream fault, in one place: what comes out in place of the bytes at its offset. Pure:
//! no clock, no randomness, no I/O. To add a fault, add its variant to [`Effect`] and its line here.

use std::ops::Range;
use std::time::Duration;

use super::held::Held;
use super::{Disturbance, FaultEntry, PhasePlace, Piece};
use crate::Effect;

/// How often a throttled stream moves, per second.
const THROTTLE_TICKS: u64 = 10;

/// One fault of a stream.
#[derive(Clone, Debug)]
pub struct Injector {
    /// Where it says what it did.
    fault: FaultEntry,
    effect: Effect,
    target: Target,
    /// The stream offset behind the last sent byte that it has seen.
    position: u64,
    held: Held,
    state: State,
}

/// Where it strikes.
#[derive(Clone, Debug)]
enum Target {
    /// In a phase that has not come yet.
    PhasePlace(PhasePlace),
    /// At a stream offset.
    Known {
        at: u64,
        /// For a reordering: the distance between its two ranges.
        distance: u64,
        /// The phase and the offset in it, if it was sought.
        within: Option<(PhasePlace, u64)>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Its place has not come yet, or not all of it.
    Waiting,
    /// It works on everything from its place on.
    Lasting(Lasting),
    /// It is done.
    Done,
}

/// What a fault goes on doing to everything from its place on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lasting {
    /// At most so many bytes are delivered at once.
    Slice(usize),
    /// What comes within this time is delivered at once.
    Coalesce(Duration),
    /// So many bytes pass per second.
    Throttle(u64),
}

/// What a fault does when its place has come.
enum Decision {
    /// The bytes of its window are replaced by as many others.
    Replace(Vec<u8>),
    /// The bytes of its window are taken away.
    Remove,
    /// These bytes are put behind its window.
    Add(Vec<u8>),
    /// Something happens before the next byte, once.
    Once(Piece),
    /// From here on, everything passes through this.
    Lasting(Lasting),
    /// Nothing: it is not done to this stream.
    Elsewhere,
}

impl Injector {
    /// This fault, to strike at stream offset `at`: before or at that byte as it was *sent*, whatever the faults before
    /// this one add or take away. For a reordering, `distance` is how far the second range is behind the first.
    #[must_use]
    pub fn new(fault: FaultEntry, at: u64, distance: u64) -> Self {
        Self::with_target(fault, Target::Known { at, distance, within: None })
    }

    /// This fault, to strike where `sought` says, once its phase has begun.
    #[must_use]
    pub fn seeking(fault: FaultEntry, sought: PhasePlace) -> Self {
        Self::with_target(fault, Target::PhasePlace(sought))
    }

    fn with_target(fault: FaultEntry, target: Target) -> Self {
        let effect = fault.record().fault.effect;
        Self { fault, effect, target, position: 0, held: Held::default(), state: State::Waiting }
    }

    /// How many bytes from here on it leaves alone, when `sent` bytes of the stream have come so far.
    pub(super) fn clear(&self, sent: u64) -> u64 {
        match (self.state, &self.target) {
            (State::Done, _) => u64::MAX,
            (State::Lasting(_), _) => 0,
            (State::Waiting, Target::Known { at, .. }) => at.saturating_sub(sent),
            (State::Waiting, Target::PhasePlace(sought)) => sought.clear(sent),
        }
    }

    /// The sent bytes up to this stream offset passed; it leaves them alone.
    pub(super) fn pass(&mut self, sent: u64) {
        self.position = sent;
    }

    /// Takes `bytes` and puts what comes out in their place into `out`. `source` is the stream offset at which the first
    /// of them was sent; none was, if another fault has added them.
    pub(super) fn push(&mut self, bytes: Vec<u8>, source: Option<u64>, out: &mut Vec<Piece>) {
        match (self.state, source) {
            (State::Done, _) => out.push(Piece::sent(bytes, source)),
            (State::Lasting(lasting), _) => self.transform(lasting, bytes, source, out),
            (State::Waiting, None) if self.held.is_empty() => out.push(Piece::sent(bytes, None)),
            (State::Waiting, None) => self.held.add(bytes, None),
            (State::Waiting, Some(source)) => self.push_sent(bytes, source, out),
        }
    }

    fn push_sent(&mut self, mut bytes: Vec<u8>, source: u64, out: &mut Vec<Piece>) {
        self.seek();
        let end = source + bytes.len() as u64;
        let seen = std::mem::replace(&mut self.position, end);
        let Target::Known { at, .. } = self.target else {
            return out.push(Piece::sent(bytes, Some(source)));
        };
        if self.state == State::Done || end <= at {
            return out.push(Piece::sent(bytes, Some(source)));
        }
        let before = usize::try_from(at.saturating_sub(source)).unwrap_or(usize::MAX);
        if before > 0 {
            let rest = bytes.split_off(before);
            out.push(Piece::sent(std::mem::replace(&mut bytes, rest), Some(source)));
        }
        self.position = source + before as u64;
        let next = if self.held.is_empty() { at } else { seen };
        self.gather(bytes, next, out);
    }

    /// Looks whether the phase that it waits for has begun.
    fn seek(&mut self) {
        let Target::PhasePlace(sought) = &self.target else { return };
        match sought.place() {
            None => {}
            Some(Ok(strike)) if strike.at >= self.position => {
                let within = Some((sought.clone(), strike.offset));
                self.target = Target::Known { at: strike.at, distance: strike.distance, within };
            }
            // The phase has no such place, or the place was behind it before its offset could be told.
            Some(_) => self.state = State::Done,
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
            self.held.wait(event);
        }
    }

    /// The sender has ended: what is held back will not get any more.
    pub(super) fn finish(&mut self, out: &mut Vec<Piece>) {
        if !self.held.is_empty() {
            self.held.release(out);
            self.state = State::Done;
        }
    }

    /// Takes bytes, which were sent from its position on, into the window until it is full, and then strikes. `next` is the
    /// offset of those that it waits for.
    fn gather(&mut self, mut bytes: Vec<u8>, next: u64, out: &mut Vec<Piece>) {
        let Target::Known { at, distance, .. } = self.target else { return };
        let end = at + window(&self.effect, distance);
        // Other faults may take bytes away. What strikes before a byte then does so before the next that is left; what
        // changes bytes never comes to it.
        if at < end && self.position > next && !self.spares(next..self.position) {
            self.held.release(out);
            self.state = State::Done;
            return self.push(bytes, Some(self.position), out);
        }
        let missing = end.saturating_sub(self.position);
        let taken = usize::try_from(missing).unwrap_or(usize::MAX).min(bytes.len());
        let rest = bytes.split_off(taken);
        self.held.add(bytes, Some(self.position));
        self.position += taken as u64;
        if self.position >= end {
            self.strike(out);
        }
        if !rest.is_empty() {
            let source = self.position;
            self.push(rest, Some(source), out);
        }
    }

    /// Whether it leaves these bytes of its window as they are: those between the two ranges of a reordering.
    fn spares(&self, range: Range<u64>) -> bool {
        let Target::Known { at, distance, .. } = self.target else { return false };
        let Effect::Reorder { bytes, .. } = self.effect else { return false };
        at + bytes <= range.start && range.end <= at + distance
    }

    fn strike(&mut self, out: &mut Vec<Piece>) {
        let Target::Known { at, distance, within } = &self.target else { return };
        let (at, distance) = (*at, *distance);
        self.state = State::Done;
        if within
            .as_ref()
            .is_some_and(|(sought, _)| !sought.holds(at + window(&self.effect, distance).max(1)))
        {
            return self.held.release(out);
        }
        let offset = within.as_ref().map(|(_, offset)| *offset);
        let (fault, old) = (self.fault.clone(), self.held.bytes());
        // Of what is between two ranges, another fault may have taken some away.
        let gone = window(&self.effect, distance).saturating_sub(old.len() as u64);
        let reaches = Piece::Reaches(fault.clone());
        let fired = |new: Vec<u8>| Piece::Fired { fault, at, offset, old: old.clone(), new };
        match decide(&self.effect, &old, distance - gone.min(distance)) {
            Decision::Replace(new) => {
                // Where the new bytes are the old ones, there is no change that could reach anybody.
                let reaches = (old != new).then_some(reaches);
                out.push(fired(new.clone()));
                self.held.replace(&new, reaches, out);
            }
            Decision::Remove => {
                out.push(fired(Vec::new()));
                self.held.remove(reaches, out);
            }
            Decision::Add(added) => {
                out.push(fired([&old[..], &added].concat()));
                self.held.add(added, None);
                self.held.replace(&old, Some(reaches), out);
            }
            Decision::Once(piece) => {
                out.push(fired(Vec::new()));
                // A pause has reached the reader when it begins, and the reader may not live to see its end;
                // what is an event of its own has reached it after that.
                let rest = after(&piece);
                if matches!(piece, Piece::Stall | Piece::Wait(_)) {
                    out.extend([reaches, piece]);
                } else {
                    out.extend([piece, reaches]);
                }
                out.extend(rest);
            }
            Decision::Elsewhere => self.held.release(out),
            Decision::Lasting(lasting) => {
                self.state = State::Lasting(lasting);
                out.push(fired(Vec::new()));
            }
        }
    }

    /// What a lasting fault makes of `bytes`.
    fn transform(&self, lasting: Lasting, mut bytes: Vec<u8>, source: Option<u64>, out: &mut Vec<Piece>) {
        let reaches = Piece::Reaches(self.fault.clone());
        match lasting {
            Lasting::Slice(most) => {
                // It has reached the reader with the first slice.
                let rest = bytes.split_off(most.min(bytes.len()));
                let behind = source.map(|source| source + bytes.len() as u64);
                let first = Piece::Bytes { bytes, most, source };
                out.extend([first, reaches, Piece::Bytes { bytes: rest, most, source: behind }]);
            }
            // A pause has reached the reader when it begins.
            Lasting::Coalesce(lasts) => {
                out.extend([reaches, Piece::Wait(lasts), Piece::sent(bytes, source)]);
            }
            Lasting::Throttle(rate) => {
                out.push(reaches);
                throttle(&bytes, source, rate, out);
            }
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
        // These strike before a byte, whichever it is.
        Effect::Truncate
        | Effect::Insert { .. }
        | Effect::Stall
        | Effect::Delay { .. }
        | Effect::Throttle { .. }
        | Effect::Slice { .. }
        | Effect::Coalesce { .. }
        | Effect::Reset
        | Effect::HalfClose
        | Effect::Latency { .. }
        | Effect::Partition { .. }
        | Effect::Hold { .. }
        | Effect::Crash { .. }
        | Effect::NoSpace
        | Effect::WriteError
        | Effect::ShortWrite { .. }
        | Effect::CrashBeforeSync
        | Effect::CrashBeforeRename
        | Effect::CrashAfterRename
        | Effect::Rot { .. } => 0,
    }
}

/// What happens to the window `old`.
fn decide(effect: &Effect, old: &[u8], distance: u64) -> Decision {
    match effect {
        Effect::Flip { bit } => Decision::Replace(old.iter().map(|byte| byte ^ (1 << (bit & 7))).collect()),
        Effect::Xor { mask } => {
            Decision::Replace(old.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect())
        }
        Effect::Drop { .. } => Decision::Remove,
        Effect::Insert { bytes } => Decision::Add(bytes.clone()),
        Effect::Overwrite { bytes } => Decision::Replace(bytes.clone()),
        Effect::Duplicate { .. } => Decision::Add(old.to_vec()),
        Effect::Reorder { bytes, .. } => Decision::Replace(reorder(old, *bytes, distance)),
        Effect::Truncate => Decision::Once(Piece::Cut),
        Effect::HalfClose => Decision::Once(Piece::End),
        Effect::Reset => Decision::Once(Piece::Reset),
        Effect::Stall => Decision::Once(Piece::Stall),
        Effect::Delay { lasts } => Decision::Once(Piece::Wait(*lasts)),
        Effect::Throttle { rate } => Decision::Lasting(Lasting::Throttle(*rate)),
        Effect::Slice { bytes } => {
            Decision::Lasting(Lasting::Slice(usize::try_from(*bytes).unwrap_or(usize::MAX).max(1)))
        }
        Effect::Coalesce { lasts } => Decision::Lasting(Lasting::Coalesce(*lasts)),
        Effect::Partition { lasts } => signal(Disturbance::Partition, *lasts),
        Effect::Hold { lasts } => signal(Disturbance::Hold, *lasts),
        Effect::Crash { lasts } => signal(Disturbance::Crash, *lasts),
        // The latency is a setting of the whole run, and the disk is not this stream.
        Effect::Latency { .. }
        | Effect::NoSpace
        | Effect::WriteError
        | Effect::ShortWrite { .. }
        | Effect::CrashBeforeSync
        | Effect::CrashBeforeRename
        | Effect::CrashAfterRename
        | Effect::Rot { .. } => Decision::Elsewhere,
    }
}

fn signal(disturbance: Disturbance, lasts: Duration) -> Decision {
    Decision::Once(Piece::Signal(disturbance, lasts))
}

/// What becomes of the bytes behind `piece`. Those on the way are past the network when it is told what shall
/// happen to it; but they come after the fault, and share the fate of all that does.
const fn after(piece: &Piece) -> Option<Piece> {
    match piece {
        Piece::Signal(Disturbance::Hold, lasts) => Some(Piece::Wait(*lasts)),
        Piece::Signal(Disturbance::Partition | Disturbance::Crash, _) => Some(Piece::Stall),
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
fn throttle(bytes: &[u8], source: Option<u64>, rate: u64, out: &mut Vec<Piece>) {
    let portion = usize::try_from((rate / THROTTLE_TICKS).max(1)).unwrap_or(usize::MAX);
    for (number, part) in (0..).zip(bytes.chunks(portion)) {
        let nanos = (part.len() as u64).saturating_mul(1_000_000_000) / rate.max(1);
        let source = source.map(|source| source + number * portion as u64);
        out.extend([Piece::Wait(Duration::from_nanos(nanos)), Piece::sent(part.to_vec(), source)]);
    }
}
