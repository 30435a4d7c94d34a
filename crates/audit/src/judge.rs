//! From what the program said and what is true to a verdict. Nobody is accused without proof: where the fault did not
//! reach the reader, or did not reach the file, nothing is concluded.

use std::fmt;

use super::places::ControlRun;
use super::spec::{Audit, AuditServer};
use super::strike::Placement;
use super::transfer::TransferRun;
use super::trials::Trial;
use super::why::Why;
use faults::{Claim, Truth, Verdict};
use process::EndKind;

/// What the program said of the transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientClaim {
    /// Success.
    Success,
    /// That the check failed.
    Fail,
    /// Something else went wrong, or it ended without a word on the transfer: its exit code.
    Error(i32),
    /// Nothing: its time was up.
    Nothing,
    /// Nothing: this signal ended it.
    Died(i32),
}

impl ClientClaim {
    /// The claim without what belongs to it.
    const fn kind(&self) -> Claim {
        match self {
            Self::Success => Claim::Success,
            Self::Fail => Claim::Fail,
            Self::Error(_) => Claim::Error,
            Self::Nothing => Claim::Hung,
            Self::Died(_) => Claim::Crashed,
        }
    }
}

impl fmt::Display for ClientClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Success => f.write_str("Success"),
            Self::Fail => f.write_str("Fail"),
            Self::Error(code) => write!(f, "{}", EndKind::Exited(*code)),
            Self::Nothing => f.write_str("nothing in its time"),
            Self::Died(signal) => write!(f, "nothing: signal {signal} ended it"),
        }
    }
}

/// What the client said, from the signals that it gave and how it ended.
pub(super) fn client_claim(is_success: bool, is_fail: bool, how: EndKind) -> ClientClaim {
    match (is_success, is_fail, how) {
        (true, false, _) => ClientClaim::Success,
        (_, true, _) => ClientClaim::Fail,
        (false, false, EndKind::Hung) => ClientClaim::Nothing,
        (false, false, EndKind::Signalled(signal)) => ClientClaim::Died(signal),
        (false, false, EndKind::Exited(code)) => ClientClaim::Error(code),
    }
}

/// The verdict on a run with faults; for one that proves nothing, why. `connections` is how many the control run had.
pub(super) fn judge(
    trial: &Trial,
    control_run: &ControlRun,
    placement: &Placement,
    ran: &TransferRun,
    connections: u64,
) -> (Verdict, Option<Why>) {
    if let Some(index) = ran.outcome.unproved() {
        // Of several parts, the others may have struck.
        let parts = ran.outcome.faults.len();
        let (part, seen) = ((parts > 1).then_some((index + 1, parts)), ran.in_words());
        let why = match ran.outcome.faults[index].fired {
            0 => Why::NotFired { part, seen },
            _ => Why::NotReached { part, seen },
        };
        return (Verdict::Inconclusive, Some(why));
    }
    if let Some(targeted) = control_run.missed(placement, &ran.outcome) {
        let miss = control_run.whereabouts(targeted, &ran.outcome.recordings);
        return (Verdict::Inconclusive, Some(Why::Missed(miss)));
    }
    match (&ran.claim, ran.truth) {
        (ClientClaim::Success, Truth::Same) => spared(trial, control_run, placement, ran, connections),
        (claim, truth) => (Verdict::of(claim.kind(), truth, false), None),
    }
}

/// Success, and the file is right.
fn spared(
    trial: &Trial,
    control_run: &ControlRun,
    placement: &Placement,
    ran: &TransferRun,
    connections: u64,
) -> (Verdict, Option<Why>) {
    let again = ran.outcome.connections > connections
        || control_run.is_sent_again(placement, &ran.outcome.recordings);
    if ran.stale && !trial.is_benign() {
        return (Verdict::Inconclusive, Some(Why::Stale));
    }
    let why = if !trial.env.is_empty() {
        Why::EnvironmentHarmless
    } else if placement.is_by_share() {
        Why::PlaceUnknown
    } else {
        Why::NotInFile
    };
    let is_at_file = !trial.env.is_empty() || placement.is_at_file();
    match (trial.is_benign(), is_at_file, again) {
        (true, ..) | (false, false, false) => (Verdict::Intact, None),
        (false, _, true) => (Verdict::Recovered, None),
        (false, true, false) => (Verdict::Inconclusive, Some(why)),
    }
}

/// Why a control run proves nothing, if it does not.
pub(super) fn control_trouble(audit: &Audit, ran: &TransferRun) -> Option<Why> {
    let (seen, looked_for) = (ran.in_words(), ran.looked_for.clone());
    match (&ran.claim, ran.truth) {
        (ClientClaim::Success, Truth::Same) => None,
        (ClientClaim::Success, Truth::Nothing) => {
            Some(Why::NoFile { looked_for, lies_there: ran.lies_there.clone() })
        }
        (ClientClaim::Success, _) if ran.is_of_transfer => Some(Why::AcceptedUnharmed(seen)),
        (ClientClaim::Success, _) => Some(Why::OtherFile { looked_for, seen }),
        _ if ran.outcome.refused > 0 => {
            let address = match &audit.server {
                AuditServer::At(address) => address.clone(),
                AuditServer::Program(_) | AuditServer::Own => "its port".into(),
            };
            Some(Why::Unreachable { address, seen })
        }
        _ => Some(Why::ControlFailed(seen)),
    }
}
