//! What went wrong in a run, for programs: each thing with a word for what it is, the values that belong to it, and the
//! sentence for people beside them.

use serde::Serialize;

use super::words::{condition_word, verdict_word};
use crate::mutants::Charge;
use crate::run::{Inconclusive, UnmetExpectation};
use crate::scenario::Expect;
use crate::transcript::{Cause, Deviation};
use crate::verdict::LeftoverFile;

/// A file that was left behind.
#[derive(Serialize)]
pub(super) struct LeftRecord {
    file: String,
    condition: &'static str,
}

impl From<&LeftoverFile> for LeftRecord {
    fn from(left: &LeftoverFile) -> Self {
        Self { file: left.name.to_string(), condition: condition_word(left.condition) }
    }
}

/// Something that went wrong.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Problem {
    Deviation {
        reason: &'static str,
        step: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        expected: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        later: Option<usize>,
        message: String,
    },
    Inconclusive {
        reason: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        fault: Option<usize>,
        #[serde(skip_serializing_if = "Option::is_none")]
        file: Option<String>,
        message: String,
    },
    Unmet(UnmetRecord),
}

/// An expectation that was not met. Fields that do not apply are left out.
#[derive(Default, Serialize)]
pub(super) struct UnmetRecord {
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    transfer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_files: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<Vec<LeftRecord>>,
    message: String,
}

impl From<&Deviation> for Problem {
    fn from(deviation: &Deviation) -> Self {
        let (reason, later) = match deviation.cause {
            Cause::Otherwise => ("otherwise", None),
            Cause::TooEarly(later) => ("too-early", Some(later)),
            Cause::NotAtAll => ("not-at-all", None),
            Cause::TooMuch => ("too-much", None),
        };
        Self::Deviation {
            reason,
            step: deviation.step,
            expected: deviation.expected.as_ref().map(ToString::to_string),
            later,
            message: deviation.to_string(),
        }
    }
}

impl From<&Inconclusive> for Problem {
    fn from(why: &Inconclusive) -> Self {
        let (reason, fault, file) = match why {
            Inconclusive::ControlFailed(_) => ("control-failed", None, None),
            Inconclusive::NotFired(fault) => ("not-fired", Some(*fault), None),
            Inconclusive::NotReached(fault) => ("not-reached", Some(*fault), None),
            Inconclusive::Misplaced(fault) => ("misplaced", Some(*fault), None),
            Inconclusive::Undone(fault) => ("undone", Some(*fault), None),
            Inconclusive::Unowned(_) => ("unowned", None, None),
            Inconclusive::Unreadable(file) => ("unreadable", None, Some(file.to_string())),
        };
        Self::Inconclusive { reason, fault, file, message: why.to_string() }
    }
}

impl From<&UnmetExpectation> for Problem {
    fn from(unmet: &UnmetExpectation) -> Self {
        let message = unmet.to_string();
        Self::Unmet(match unmet {
            UnmetExpectation::Otherwise { expected, came } => UnmetRecord {
                verdict: Some(verdict_word(*came)),
                message,
                ..expecting("otherwise", expected)
            },
            UnmetExpectation::NoTransfer { expected, .. } => {
                UnmetRecord { message, ..expecting("no-transfer", expected) }
            }
            UnmetExpectation::NeverBegun { file, .. } => UnmetRecord {
                reason: "never-begun",
                transfer: Some("download".into()),
                file: Some(file.to_string()),
                message,
                ..UnmetRecord::default()
            },
            UnmetExpectation::Listing { expected, came } => UnmetRecord {
                server: Some(came.server.iter().map(LeftRecord::from).collect()),
                message,
                ..expecting("listing", expected)
            },
            UnmetExpectation::Unexpected { direction, file, verdict } => UnmetRecord {
                reason: "unexpected",
                transfer: Some(direction.to_string()),
                file: Some(file.to_string()),
                verdict: Some(verdict_word(*verdict)),
                message,
                ..UnmetRecord::default()
            },
            UnmetExpectation::StaysListed(left) => UnmetRecord { message, ..of_left("stays-listed", left) },
            UnmetExpectation::KeptByClient(left) => {
                UnmetRecord { message, ..of_left("kept-by-client", left) }
            }
        })
    }
}

impl From<&Charge> for Problem {
    fn from(charge: &Charge) -> Self {
        match charge {
            Charge::Deviation(deviation) => deviation.into(),
            Charge::Unmet(unmet) => unmet.into(),
        }
    }
}

fn expecting(reason: &'static str, expected: &Expect) -> UnmetRecord {
    let of = |transfer: &str, verdict| UnmetRecord {
        reason,
        transfer: Some(transfer.into()),
        expected: Some(verdict_word(verdict)),
        ..UnmetRecord::default()
    };
    match expected {
        Expect::Upload(verdict) => of("upload", *verdict),
        Expect::Download(verdict) => of("download", *verdict),
        Expect::Lists(names) => UnmetRecord {
            reason,
            expected_files: Some(names.iter().map(ToString::to_string).collect()),
            ..UnmetRecord::default()
        },
    }
}

fn of_left(reason: &'static str, left: &LeftoverFile) -> UnmetRecord {
    let LeftRecord { file, condition } = left.into();
    UnmetRecord { reason, file: Some(file), condition: Some(condition), ..UnmetRecord::default() }
}
