//! What each fault did: the proof that a verdict speaks of it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::place::region_text;
use crate::text::{bytes_text, number_text};
use crate::{Effect, Fault};

/// The attempt at a transfer that faults strike: the first. A later one shall have the chance to succeed.
pub const ATTEMPT: u32 = 1;

/// How many of the old and of the new bytes are kept.
pub const MAX_SHOWN: usize = 32;

/// What one fault did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultRecord {
    /// The fault.
    pub fault: Fault,
    /// Where it struck: the offset in its region. `None` if it has no place in a stream.
    pub offset: Option<u64>,
    /// The stream offset where it struck, as its sender counts. `None` if it did not strike in a stream.
    pub struck: Option<u64>,
    /// Whether it fired.
    pub fired: bool,
    /// The first of the bytes that it took away or changed, at most [`MAX_SHOWN`].
    pub old: Vec<u8>,
    /// The first of the bytes that it put in their place, at most [`MAX_SHOWN`].
    pub new: Vec<u8>,
    /// How many bytes the reader had to take for the change to have reached it, as delivered to it.
    pub reaches_at: Option<u64>,
    /// Whether the change reached the reader.
    pub reached: bool,
}

impl FaultRecord {
    /// What the fault does, and where, in words.
    #[must_use]
    pub fn describe(&self) -> String {
        let region = region_text(self.fault.region);
        let at = self
            .offset
            .map_or(String::new(), |offset| format!("at offset {} of {region}", number_text(offset)));
        let did = effect_text(&self.fault.effect, &self.old, &self.new);
        if self.fault.effect.is_everywhere() { did } else { format!("{did} {at}").trim_end().into() }
    }
}

/// What an effect does, as a sentence without subject and place.
fn effect_text(effect: &Effect, old: &[u8], new: &[u8]) -> String {
    let (seconds, hex) = (|lasts: &Duration| format!("{} s", lasts.as_secs_f64()), hex_text);
    match effect {
        Effect::Flip { bit } => format!("flips bit {bit} ({} → {})", hex(old), hex(new)),
        Effect::Xor { .. } | Effect::Overwrite { .. } => match (text_in(old), text_in(new)) {
            (Some(old), Some(new)) => format!("changes {old:?} to {new:?}"),
            _ => format!("changes {} to {}", hex(old), hex(new)),
        },
        Effect::Drop { bytes } => format!("drops {}", bytes_text(*bytes)),
        Effect::Truncate => "cuts the connection".into(),
        Effect::Insert { bytes } => format!("inserts {}", bytes_text(bytes.len() as u64)),
        Effect::Duplicate { bytes } => format!("repeats {}", bytes_text(*bytes)),
        Effect::Reorder { bytes, with } => {
            format!("swaps the {} at offset {} with those", bytes_text(*bytes), number_text(*with))
        }
        Effect::Stall => "lets nothing through any more, from here on,".into(),
        Effect::Delay { lasts } => format!("holds everything back for {}", seconds(lasts)),
        Effect::Throttle { rate } => format!("slows down to {} per second", bytes_text(*rate)),
        Effect::Slice { bytes } => format!("delivers {} at a time, from here on,", bytes_text(*bytes)),
        Effect::Coalesce { lasts } => format!("gathers for {} what comes, from here on,", seconds(lasts)),
        Effect::Reset => "resets the connection".into(),
        Effect::HalfClose => "ends this direction".into(),
        Effect::Latency { min, max } => {
            format!("delays each message by {} to {}", seconds(min), seconds(max))
        }
        Effect::Partition { lasts } => format!("loses every message for {}", seconds(lasts)),
        Effect::Hold { lasts } => format!("holds every message back for {}", seconds(lasts)),
        Effect::Crash { lasts } => format!("takes the server down for {}", seconds(lasts)),
        Effect::NoSpace => "leaves no space on the disk".into(),
        Effect::WriteError => "fails a write".into(),
        Effect::ShortWrite { bytes } => format!("loses {} on the way to the disk", bytes_text(*bytes)),
        Effect::CrashBeforeSync => "takes the server down before the file is synchronised".into(),
        Effect::CrashBeforeRename => "takes the server down before the file has its name".into(),
        Effect::CrashAfterRename => "takes the server down after the file has its name".into(),
        Effect::Rot { bit } => format!("lets bit {bit} turn over on the disk ({} → {})", hex(old), hex(new)),
    }
}

/// The bytes as text, if they are such.
fn text_in(bytes: &[u8]) -> Option<&str> {
    let readable = bytes.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    str::from_utf8(bytes).ok().filter(|_| readable)
}

/// The first bytes as hex digits.
fn hex_text(bytes: &[u8]) -> String {
    const MOST: usize = 8;
    let text: String = bytes.iter().take(MOST).map(|byte| format!("{byte:02x}")).collect();
    if bytes.len() > MOST { text + "…" } else { text }
}

/// The records of all faults of a run. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    records: Arc<Mutex<Vec<FaultRecord>>>,
}

impl Ledger {
    /// Enters a fault, with the offset in its region where it shall strike, if that is known. Faults are numbered in the
    /// order in which they are entered.
    #[must_use]
    pub fn enter(&self, fault: Fault, offset: Option<u64>) -> FaultEntry {
        let mut records = self.lock();
        let number = records.len();
        records.push(FaultRecord {
            fault,
            offset,
            struck: None,
            fired: false,
            old: Vec::new(),
            new: Vec::new(),
            reaches_at: None,
            reached: false,
        });
        FaultEntry { ledger: self.clone(), number }
    }

    /// The records as they are now, in the order in which the faults were entered.
    #[must_use]
    pub fn records(&self) -> Vec<FaultRecord> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<FaultRecord>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The record of one fault in its [`Ledger`]: who carries the fault out writes here what it did. Clones are the same entry.
#[derive(Clone)]
pub struct FaultEntry {
    ledger: Ledger,
    number: usize,
}

impl FaultEntry {
    /// Its number in the ledger, from 0.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

    /// The record as it is now.
    #[must_use]
    pub fn record(&self) -> FaultRecord {
        self.ledger.lock()[self.number].clone()
    }

    /// It strikes at this offset of the stream; and of its phase, if that is known only now.
    pub fn struck(&self, at: u64, offset: Option<u64>) {
        self.update(|record| {
            record.struck = Some(at);
            record.offset = offset.or(record.offset);
        });
    }

    /// It fired, and put `new` in the place of `old`. Returns what it did, in words.
    pub fn fired(&self, old: &[u8], new: &[u8]) -> String {
        let mut text = String::new();
        self.update(|record| {
            record.fired = true;
            record.old = old[..old.len().min(MAX_SHOWN)].to_vec();
            record.new = new[..new.len().min(MAX_SHOWN)].to_vec();
            text = record.describe();
        });
        text
    }

    /// Its change has reached the reader once that has taken `bytes` bytes.
    pub fn reaches_at(&self, bytes: u64) {
        self.update(|record| record.reaches_at = record.reaches_at.or(Some(bytes)));
    }

    /// Its change has reached the reader.
    pub fn reached(&self) {
        self.update(|record| record.reached = true);
    }

    fn update(&self, change: impl FnOnce(&mut FaultRecord)) {
        // An entry is never taken out again.
        change(&mut self.ledger.lock()[self.number]);
    }
}

impl PartialEq for FaultEntry {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number && Arc::ptr_eq(&self.ledger.records, &other.ledger.records)
    }
}

impl Eq for FaultEntry {}

impl fmt::Debug for FaultEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaultEntry({})", self.number)
    }
}
