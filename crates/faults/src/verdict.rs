//! What comes of a transfer: what a program *claims* of it, held against what *really happened* to the bytes.

use std::fmt;

use crate::Truth;

/// The judgement on one transfer. The names are those of the table in the documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

/// What a program says of a transfer that it was to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// That the file is good.
    Success,
    /// That the check failed: the file is damaged.
    Fail,
    /// That something else went wrong, or it ended without a word on the file.
    Error,
    /// Nothing: its time was up.
    Hung,
    /// Nothing: it died.
    Crashed,
}

impl Verdict {
    /// The judgement on one transfer, from `claim` and `truth` alone. `retried` says whether the claim came after
    /// another attempt.
    #[must_use]
    pub const fn of(claim: Claim, truth: Truth, retried: bool) -> Self {
        match (claim, truth) {
            (Claim::Success | Claim::Fail, Truth::Unreadable) => Self::Inconclusive,
            (Claim::Success, Truth::Same) if retried => Self::Recovered,
            (Claim::Success, Truth::Same) => Self::Intact,
            (Claim::Success, _) => Self::Silent,
            (Claim::Fail, Truth::Same) => Self::FalseAlarm,
            (Claim::Fail, _) => Self::Detected,
            (Claim::Error, _) => Self::Aborted,
            (Claim::Hung, _) => Self::Hung,
            (Claim::Crashed, _) => Self::Crashed,
        }
    }
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
