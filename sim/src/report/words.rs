//! The words of the JSON lines: values in kebab-case, each of a closed set that `docs/json.md` lists.

use crate::verdict::{Condition, TransferClaim};
use faults::{Flow, Truth, Verdict};
use protocol::Error;
use transfer::record::Failure;

/// A verdict.
pub(super) const fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Intact => "intact",
        Verdict::Detected => "detected",
        Verdict::Recovered => "recovered",
        Verdict::Aborted => "aborted",
        Verdict::FalseAlarm => "false-alarm",
        Verdict::Silent => "silent",
        Verdict::Hung => "hung",
        Verdict::Crashed => "crashed",
        Verdict::Inconclusive => "inconclusive",
    }
}

/// How a file is that was left behind.
pub(super) const fn condition_word(condition: Condition) -> &'static str {
    match condition {
        Condition::Good => "good",
        Condition::Misnamed => "misnamed",
        Condition::Damaged => "damaged",
        Condition::Unreadable => "unreadable",
    }
}

/// What a client of ours said of a transfer, and the code if it was refused.
pub(super) fn claim_words(claim: &TransferClaim) -> (&'static str, Option<&'static str>) {
    match claim {
        TransferClaim::Success(_) => ("success", None),
        TransferClaim::Fail => ("fail", None),
        TransferClaim::Error(Failure::Protocol(Error::Refused(code))) => ("refused", Some(code.as_str())),
        TransferClaim::Error(_) => ("error", None),
    }
}

/// What became of the bytes.
pub(super) const fn truth_word(truth: Truth) -> &'static str {
    match truth {
        Truth::Same => "same",
        Truth::Different { .. } => "different",
        Truth::Nothing => "nothing",
        Truth::Unreadable => "unreadable",
    }
}

/// Which way bytes go.
pub(super) const fn flow_word(flow: Flow) -> &'static str {
    match flow {
        Flow::ToServer => "to-server",
        Flow::ToClient => "to-client",
    }
}
