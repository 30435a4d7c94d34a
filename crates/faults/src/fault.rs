//! The faults: what can go wrong in a run, and where. Nothing here makes
//! anything go wrong.

use std::fmt;
use std::time::Duration;

use crate::Flow;

/// How many faults a scenario can have.
pub const MAX_FAULTS: usize = 16;

/// How many bytes a fault may hold back or take away at once: 16 MiB.
pub const MAX_WINDOW: u64 = 16 << 20;

/// One thing that goes wrong, and where.
///
/// Displayed as it is written in a scenario file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub effect: Effect,
    /// The part of the run that `at` counts in. [`Region::Upload`] for every
    /// fault of the disk; [`Region::ToServer`] for [`Effect::Latency`], which is everywhere.
    pub region: Region,
    /// Where in the region. Offset 0 for an effect that has no place of its own.
    pub at: At,
}

/// A part of the run, in the bytes of which a fault has its place.
///
/// Displayed as it is written in a scenario file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Region {
    /// All that the first connection carries to the server.
    ToServer,
    /// All that the first connection carries to the client.
    ToClient,
    /// The payload of the first upload.
    Upload,
    /// The payload of the first download.
    Download,
    /// The bytes of the message that a step sends. Steps are numbered from 1,
    /// and in a scenario that was read there is a step with this number.
    Step(usize),
}

/// Where in its region a fault is.
///
/// Displayed as it is written in a scenario file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// So many bytes after the first.
    Offset(u64),
    /// This share of the way from the first place where the fault fits to the last, from 0 to 100.
    Percent(u8),
    /// At the last byte.
    Last,
    /// Anywhere, as the scenario's seed decides.
    Random,
}

/// What goes wrong.
///
/// Lengths, durations and rates are more than zero, durations at most
/// a day, in a file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// One bit of one byte is the opposite.
    Flip {
        /// Which, from 0, the least, to 7.
        bit: u8,
    },
    /// The bytes from here on are combined with a mask, by exclusive or.
    Xor {
        /// Not all zero.
        mask: Vec<u8>,
    },
    /// Bytes disappear.
    Drop {
        /// How many, at most [`MAX_WINDOW`].
        bytes: u64,
    },
    /// Nothing comes from here on: the stream ends.
    Truncate,
    /// Bytes appear before the one that is here.
    Insert {
        /// Which.
        bytes: Vec<u8>,
    },
    /// The bytes from here on come twice.
    Duplicate {
        /// How many, at most [`MAX_WINDOW`].
        bytes: u64,
    },
    /// Two ranges of the same length change places.
    Reorder {
        /// The length of each.
        bytes: u64,
        /// The offset, in the region, of the other range. It begins at the
        /// end of the range at `at` or later, and ends at most [`MAX_WINDOW`] after
        /// the beginning of that. Where `at` is [`At::Random`] or
        /// [`At::Percent`], both hold for offset 0.
        with: u64,
    },
    /// The bytes from here on are replaced.
    Overwrite {
        /// What stands there instead.
        bytes: Vec<u8>,
    },
    /// Nothing comes from here on, and the stream stays open.
    Stall,
    /// Nothing comes for a while.
    Delay {
        /// How long.
        lasts: Duration,
    },
    /// The bytes come slowly from here on.
    Throttle {
        /// Bytes per second.
        rate: u64,
    },
    /// The reader gets the bytes in small portions from here on.
    Slice {
        /// The most that one portion has.
        bytes: u64,
    },
    /// What comes within a while reaches the reader in one portion.
    Coalesce {
        /// How long bytes are collected.
        lasts: Duration,
    },
    /// The connection breaks.
    Reset,
    /// This direction of the connection is closed, the other stays open.
    HalfClose,
    /// Every packet takes a while, each its own.
    Latency {
        /// The shortest, which may be zero.
        min: Duration,
        /// The longest.
        max: Duration,
    },
    /// The two hosts do not reach each other; packets are lost.
    Partition {
        /// Until it is repaired.
        lasts: Duration,
    },
    /// The two hosts do not reach each other; packets wait.
    Hold {
        /// Until they are released.
        lasts: Duration,
    },
    /// The server's host goes down, and is then restarted.
    Crash {
        /// How long it is down.
        lasts: Duration,
    },
    /// The disk is full.
    NoSpace,
    /// The disk refuses to write.
    WriteError,
    /// The disk says it has written everything and has not.
    ShortWrite {
        /// How many bytes it loses.
        bytes: u64,
    },
    /// The server's host goes down before the file is safe on disk.
    CrashBeforeSync,
    /// The server's host goes down before the file has its final name.
    CrashBeforeRename,
    /// The server's host goes down once the file has its final name.
    CrashAfterRename,
    /// A bit of the stored file changes, later.
    Rot {
        /// Which, from 0, the least, to 7.
        bit: u8,
    },
}

/// What a fault is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The byte stream, above the transport.
    Stream,
    /// The network between the hosts.
    Network,
    /// The disk of the server.
    Disk,
}

impl Effect {
    /// Its name in a scenario file.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Flip { .. } => "Flip",
            Self::Xor { .. } => "Xor",
            Self::Drop { .. } => "Drop",
            Self::Truncate => "Truncate",
            Self::Insert { .. } => "Insert",
            Self::Duplicate { .. } => "Duplicate",
            Self::Reorder { .. } => "Reorder",
            Self::Overwrite { .. } => "Overwrite",
            Self::Stall => "Stall",
            Self::Delay { .. } => "Delay",
            Self::Throttle { .. } => "Throttle",
            Self::Slice { .. } => "Slice",
            Self::Coalesce { .. } => "Coalesce",
            Self::Reset => "Reset",
            Self::HalfClose => "HalfClose",
            Self::Latency { .. } => "Latency",
            Self::Partition { .. } => "Partition",
            Self::Hold { .. } => "Hold",
            Self::Crash { .. } => "Crash",
            Self::NoSpace => "NoSpace",
            Self::WriteError => "WriteError",
            Self::ShortWrite { .. } => "ShortWrite",
            Self::CrashBeforeSync => "CrashBeforeSync",
            Self::CrashBeforeRename => "CrashBeforeRename",
            Self::CrashAfterRename => "CrashAfterRename",
            Self::Rot { .. } => "Rot",
        }
    }

    /// The fields of its own, as they are written. Empty if it has none.
    fn own_fields(&self) -> String {
        match self {
            Self::Flip { bit } | Self::Rot { bit } => format!("bit: {bit}"),
            Self::Xor { mask } => hex_field(mask),
            Self::Insert { bytes } | Self::Overwrite { bytes } => {
                text_field(bytes).unwrap_or_else(|| hex_field(bytes))
            }
            Self::Drop { bytes }
            | Self::Duplicate { bytes }
            | Self::Slice { bytes }
            | Self::ShortWrite { bytes } => format!("bytes: {}", grouped(*bytes)),
            Self::Reorder { bytes, with } => format!("bytes: {}, with: {}", grouped(*bytes), grouped(*with)),
            Self::Throttle { rate } => format!("rate: {}", grouped(*rate)),
            Self::Latency { min, max } => format!("min: {}, max: {}", seconds(*min), seconds(*max)),
            Self::Delay { lasts }
            | Self::Coalesce { lasts }
            | Self::Partition { lasts }
            | Self::Hold { lasts }
            | Self::Crash { lasts } => format!("lasts: {}", seconds(*lasts)),
            Self::Truncate
            | Self::Stall
            | Self::Reset
            | Self::HalfClose
            | Self::NoSpace
            | Self::WriteError
            | Self::CrashBeforeSync
            | Self::CrashBeforeRename
            | Self::CrashAfterRename => String::new(),
        }
    }
}

impl Fault {
    /// What goes wrong at this offset, from 0, of what the first connection carries in one direction.
    #[must_use]
    pub const fn at(flow: Flow, offset: u64, effect: Effect) -> Self {
        let region = match flow {
            Flow::ToServer => Region::ToServer,
            Flow::ToClient => Region::ToClient,
        };
        Self { effect, region, at: At::Offset(offset) }
    }

    /// Which way the bytes go that it strikes. `None` for a step, which only its scenario knows.
    #[must_use]
    pub const fn flow(&self) -> Option<Flow> {
        match self.region {
            Region::ToServer | Region::Upload => Some(Flow::ToServer),
            Region::ToClient | Region::Download => Some(Flow::ToClient),
            Region::Step(_) => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let region = self.effect.takes_region().then(|| format!("in: {}", self.region));
        let at = self.effect.takes_offset().then(|| format!("at: {}", self.at));
        let own = Some(self.effect.own_fields()).filter(|own| !own.is_empty());
        let fields: Vec<String> = [region, at, own].into_iter().flatten().collect();
        write!(f, "{}({})", self.effect.name(), fields.join(", "))
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Offset(offset) => f.write_str(&grouped(*offset)),
            Self::Percent(percent) => write!(f, "Percent({percent})"),
            Self::Last => f.write_str("Last"),
            Self::Random => f.write_str("Random"),
        }
    }
}

/// `1_000` for 1000.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join("_")
}

/// `0.05` for 50 ms: no digit more than it needs.
fn seconds(duration: Duration) -> String {
    let fraction = format!(".{:09}", duration.subsec_nanos());
    format!("{}{}", duration.as_secs(), fraction.trim_end_matches('0').trim_end_matches('.'))
}

fn hex_field(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("hex: \"{digits}\"")
}

/// `bytes` as text that can be read by a person and by RON, if they are such.
fn text_field(bytes: &[u8]) -> Option<String> {
    let text = str::from_utf8(bytes).ok()?;
    let readable = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    text.chars().all(readable).then(|| format!("text: {text:?}"))
}
