//! What was expected of a run and did not come, or came and was not expected: as values, whose sentences are for
//! people alone.

use std::fmt;

use protocol::FileName;

use crate::scenario::Expect;
use crate::verdict::{Aftermath, Condition, LeftoverFile};
use faults::text::visible;
use faults::{Direction, Verdict};

/// An expectation that was not met. Displayed as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnmetExpectation {
    /// A transfer came to another verdict than the scenario expects.
    Otherwise {
        /// The expectation.
        expected: Expect,
        /// The verdict that it came to.
        came: Verdict,
    },
    /// The scenario expects something of a transfer that there was not.
    NoTransfer {
        /// The expectation.
        expected: Expect,
        /// Which way the file was to go.
        direction: Direction,
    },
    /// The server lists other files than the scenario expects.
    Listing {
        /// The expectation.
        expected: Expect,
        /// What was left behind in its place.
        came: Aftermath,
    },
    /// A transfer came to a bad end of which no expectation speaks.
    Unexpected {
        /// Which way the file went.
        direction: Direction,
        /// Its name.
        file: FileName,
        /// The verdict that it came to.
        verdict: Verdict,
    },
    /// In a run without faults, a download did not come about: its client had asked for no listing before.
    NeverBegun {
        /// The client's number, from 1.
        client: usize,
        /// What it was to download.
        file: FileName,
    },
    /// The server goes on listing a damaged file of which no expectation speaks.
    StaysListed(LeftoverFile),
    /// A client keeps a damaged file under its final name, and no expectation speaks of it.
    KeptByClient(LeftoverFile),
}

impl UnmetExpectation {
    /// Whether a damaged file was taken for a good one, or left as one.
    #[must_use]
    pub fn is_grave(&self) -> bool {
        let is_damaged = |left: &LeftoverFile| left.condition == Condition::Damaged;
        match self {
            Self::Otherwise { came: verdict, .. } | Self::Unexpected { verdict, .. } => {
                *verdict == Verdict::Silent
            }
            Self::NoTransfer { .. } | Self::NeverBegun { .. } => false,
            Self::Listing { came, .. } => came.server.iter().chain(&came.clients).any(is_damaged),
            Self::StaysListed(left) | Self::KeptByClient(left) => is_damaged(left),
        }
    }
}

impl fmt::Display for UnmetExpectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Otherwise { expected, came } => write!(f, "expected {expected}, but it was {came}"),
            Self::NoTransfer { expected, direction } => {
                write!(f, "expected {expected}, but there was no such {direction}")
            }
            Self::Listing { expected, came } => write!(f, "expected {expected}, but {came}"),
            Self::Unexpected { direction, file, verdict } => {
                write!(f, "nobody expected the {direction} of {} to be {verdict}", visible(file.as_str()))
            }
            Self::NeverBegun { client, file } => write!(
                f,
                "client {client} could not download {}: before, it has to ask for the listing (`ListFiles`)",
                visible(file.as_str())
            ),
            Self::StaysListed(left) => {
                write!(f, "nobody expected that the server goes on listing {left}")
            }
            Self::KeptByClient(left) => {
                write!(f, "nobody expected that the client keeps {left} under its final name")
            }
        }
    }
}
