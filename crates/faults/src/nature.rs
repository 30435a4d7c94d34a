//! What follows from the kind of an effect. Every `match` here names every effect, so that a new one does not compile
//! before somebody has decided what it is.

use crate::{Effect, Fault, Layer};

/// What place an effect has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// At an offset.
    Offset,
    /// At a moment that its name says.
    Moment,
    /// It has none: all meets it.
    Everywhere,
}

impl Effect {
    /// What it is done to.
    #[must_use]
    pub const fn layer(&self) -> Layer {
        match self {
            Self::Flip { .. }
            | Self::Xor { .. }
            | Self::Drop { .. }
            | Self::Truncate
            | Self::Insert { .. }
            | Self::Duplicate { .. }
            | Self::Reorder { .. }
            | Self::Overwrite { .. }
            | Self::Stall
            | Self::Delay { .. }
            | Self::Throttle { .. }
            | Self::Slice { .. }
            | Self::Coalesce { .. }
            | Self::Reset
            | Self::HalfClose => Layer::Stream,
            Self::Latency { .. } | Self::Partition { .. } | Self::Hold { .. } | Self::Crash { .. } => {
                Layer::Network
            }
            Self::NoSpace
            | Self::WriteError
            | Self::ShortWrite { .. }
            | Self::CrashBeforeSync
            | Self::CrashBeforeRename
            | Self::CrashAfterRename
            | Self::Rot { .. } => Layer::Disk,
        }
    }

    const fn place(&self) -> Place {
        match self {
            Self::Flip { .. }
            | Self::Xor { .. }
            | Self::Drop { .. }
            | Self::Truncate
            | Self::Insert { .. }
            | Self::Duplicate { .. }
            | Self::Reorder { .. }
            | Self::Overwrite { .. }
            | Self::Stall
            | Self::Delay { .. }
            | Self::Throttle { .. }
            | Self::Slice { .. }
            | Self::Coalesce { .. }
            | Self::Reset
            | Self::HalfClose
            | Self::Partition { .. }
            | Self::Hold { .. }
            | Self::Crash { .. }
            | Self::NoSpace
            | Self::WriteError
            | Self::ShortWrite { .. }
            | Self::Rot { .. } => Place::Offset,
            Self::CrashBeforeSync | Self::CrashBeforeRename | Self::CrashAfterRename => Place::Moment,
            Self::Latency { .. } => Place::Everywhere,
        }
    }

    /// Whether all meets it, so that it has no place.
    #[must_use]
    pub const fn is_everywhere(&self) -> bool {
        matches!(self.place(), Place::Everywhere)
    }

    /// Whether a scenario says in which region it is. The disk has only one.
    pub(crate) const fn takes_region(&self) -> bool {
        !self.is_everywhere() && !matches!(self.layer(), Layer::Disk)
    }

    /// Whether a scenario says at which offset it is.
    pub(crate) const fn takes_offset(&self) -> bool {
        matches!(self.place(), Place::Offset)
    }

    /// The offset in its region of its second range, if it has two.
    pub(crate) const fn second_range(&self) -> Option<u64> {
        if let Self::Reorder { with, .. } = self { Some(*with) } else { None }
    }

    /// What it makes of what a reader gets.
    #[must_use]
    pub const fn harm(&self) -> Harm {
        match self {
            Self::Flip { .. }
            | Self::Xor { .. }
            | Self::Drop { .. }
            | Self::Insert { .. }
            | Self::Duplicate { .. }
            | Self::Reorder { .. }
            | Self::Overwrite { .. }
            | Self::ShortWrite { .. }
            | Self::Rot { .. } => Harm::Changes,
            Self::Truncate => Harm::Shortens,
            Self::Stall
            | Self::Reset
            | Self::HalfClose
            | Self::Partition { .. }
            | Self::Crash { .. }
            | Self::NoSpace
            | Self::WriteError
            | Self::CrashBeforeSync
            | Self::CrashBeforeRename
            | Self::CrashAfterRename => Harm::Ends,
            Self::Delay { .. }
            | Self::Throttle { .. }
            | Self::Slice { .. }
            | Self::Coalesce { .. }
            | Self::Latency { .. }
            | Self::Hold { .. } => Harm::None,
        }
    }

    /// Whether the reader of a stream sees it as the end of that.
    #[must_use]
    pub const fn ends_stream(&self) -> bool {
        matches!(self, Self::Truncate | Self::HalfClose | Self::Reset)
    }
}

/// What an effect makes of the bytes that a reader gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// None: they come otherwise, but whole.
    None,
    /// They end, and the reader is told that they were cut off, or waits for more.
    Ends,
    /// They end as if that were all of them.
    Shortens,
    /// They are others than those that were sent or stored.
    Changes,
}

impl Fault {
    /// Whether it makes the bytes that a reader gets other than those that were
    /// sent or stored; else it can only delay or end them.
    #[must_use]
    pub const fn changes_bytes(&self) -> bool {
        matches!(self.effect.harm(), Harm::Changes | Harm::Shortens)
    }
}
