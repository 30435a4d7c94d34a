//! The verdicts: what can come of a transfer. A scenario says which one it
//! expects; how one is reached is not told here.

use std::fmt;

use serde::Deserialize;

/// The judgement on one transfer. The names are those of the table in the documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename = "verdict")]
pub enum Verdict {
    /// Success was claimed and the bytes are the same.
    Intact,
    /// The digests differed, and so do the bytes.
    Detected,
    /// Success was claimed after another attempt, and the bytes are the same.
    Recovered,
    /// The transfer ended with an error or a deadline, whatever arrived.
    Aborted,
    /// The digests differed, but the bytes are the same.
    FalseAlarm,
    /// Success was claimed, but the bytes differ: the one that must never be.
    Silent,
    /// Nothing was claimed: the program never ended.
    Hung,
    /// Nothing was claimed: the program died.
    Crashed,
    /// Nothing is proved: a fault did not fire or did not reach the reader, or the control run failed.
    Inconclusive,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Intact => "Intact",
            Self::Detected => "Detected",
            Self::Recovered => "Recovered",
            Self::Aborted => "Aborted",
            Self::FalseAlarm => "FalseAlarm",
            Self::Silent => "Silent",
            Self::Hung => "Hung",
            Self::Crashed => "Crashed",
            Self::Inconclusive => "Inconclusive",
        })
    }
}
