//! From what the program said and what is true to a verdict. Nobody is accused without proof: where the fault did not
//! reach the reader, or did not reach the file, nothing is concluded.

use std::fmt;

use super::places::Ground;
use super::spec::{Audit, Server};
use super::strike::Struck;
use super::transfer::Ran;
use super::trials::Trial;
use faults::{Truth, Verdict};
use process::How;

/// What the program said of the transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Success.
    Success,
    /// That the check failed.
    Fail,
    /// Something else went wrong, or it ended without a word on the transfer: how it ended.
    Error(String),
    /// Nothing: its time was up.
    Nothing,
    /// Nothing: this signal ended it.
    Died(i32),
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Success => f.write_str("Success"),
            Self::Fail => f.write_str("Fail"),
            Self::Error(how) => f.write_str(how),
            Self::Nothing => f.write_str("nothing in its time"),
            Self::Died(signal) => write!(f, "nothing: signal {signal} ended it"),
        }
    }
}

/// What the client said, from the signals that it gave and how it ended.
pub(super) fn said(is_success: bool, is_fail: bool, how: How) -> Said {
    match (is_success, is_fail, how) {
        (true, false, _) => Said::Success,
        (_, true, _) => Said::Fail,
        (false, false, How::Hung) => Said::Nothing,
        (false, false, How::Signalled(signal)) => Said::Died(signal),
        (false, false, How::Exited(code)) => Said::Error(format!("exit code {code}")),
    }
}

/// The verdict on a run with faults; for one that proves nothing, why. `connections` is how many the control run had.
pub(super) fn judge(
    trial: &Trial,
    ground: &Ground,
    struck: &Struck,
    ran: &Ran,
    connections: u64,
) -> (Verdict, Option<String>) {
    if let Some(index) = ran.outcome.unproved() {
        let what = if ran.outcome.faults[index].fired == 0 {
            "never fired"
        } else {
            "fired but did not reach the reader"
        };
        // Of several parts, the others may have struck.
        let which = match ran.outcome.faults.len() {
            1 => "the fault".to_owned(),
            count => format!("part {} of {count} of the fault", index + 1),
        };
        return (Verdict::Inconclusive, Some(format!("{which} {what}; {}", ran.in_words())));
    }
    if let Some(aim) = ground.missed(struck, &ran.outcome) {
        let where_it_was = ground.whereabouts(aim, &ran.outcome.recordings);
        let why = format!(
            "what the programs sent was not what they had sent without faults, so that the fault missed: {where_it_was}"
        );
        return (Verdict::Inconclusive, Some(why));
    }
    match (&ran.said, ran.truth) {
        (Said::Success, Truth::Same) => spared(trial, ground, struck, ran, connections),
        (Said::Success, _) => (Verdict::Silent, None),
        (Said::Fail, Truth::Same) => (Verdict::FalseAlarm, None),
        (Said::Fail, _) => (Verdict::Detected, None),
        (Said::Error(_), _) => (Verdict::Aborted, None),
        (Said::Nothing, _) => (Verdict::Hung, None),
        (Said::Died(_), _) => (Verdict::Crashed, None),
    }
}

/// Success, and the file is right.
fn spared(
    trial: &Trial,
    ground: &Ground,
    struck: &Struck,
    ran: &Ran,
    connections: u64,
) -> (Verdict, Option<String>) {
    let again =
        ran.outcome.connections > connections || ground.is_sent_again(struck, &ran.outcome.recordings);
    if ran.stale && !trial.is_benign() {
        let why = "the right file lies there from an earlier run, so that it is not known what this one would have left";
        return (Verdict::Inconclusive, Some(why.into()));
    }
    let why = if !trial.env.is_empty() {
        "the file arrived as it was sent: the environment made no fault that reached it"
    } else if struck.is_by_share() {
        "the file arrived as it was sent, and where in it the fault struck is not known: it cannot be seen in the stream"
    } else {
        "the change was delivered, but did not reach the file"
    };
    let is_at_file = !trial.env.is_empty() || struck.is_at_file();
    match (trial.is_benign(), is_at_file, again) {
        (true, ..) | (false, false, false) => (Verdict::Intact, None),
        (false, _, true) => (Verdict::Recovered, None),
        (false, true, false) => (Verdict::Inconclusive, Some(why.into())),
    }
}

/// Why a control run proves nothing, if it does not; and whether a wrong file was taken for good in it.
pub(super) fn control_trouble(audit: &Audit, ran: &Ran) -> Option<(String, bool)> {
    let words = ran.in_words();
    match (&ran.said, ran.truth) {
        (Said::Success, Truth::Same) => None,
        (Said::Success, Truth::Nothing) => Some((
            format!(
                "without any fault the program said Success, but no file came to {}: does `received` say where it \
                 is? It can have `*`; in the directory of the program that receives there is {}",
                ran.looked_for, ran.lies_there
            ),
            false,
        )),
        (Said::Success, _) if ran.is_of_transfer => {
            Some((format!("without any fault a wrong file was reported as Success: {words}"), true))
        }
        (Said::Success, _) => Some((
            format!("without any fault another file came to {} than the one sent: {words}", ran.looked_for),
            false,
        )),
        _ if ran.outcome.refused > 0 => {
            let server = match &audit.server {
                Server::At(address) => address.as_str(),
                Server::Program(_) | Server::Own => "its port",
            };
            Some((
                format!("the server could not be reached at {server}: does it listen there? {words}"),
                false,
            ))
        }
        _ => Some((format!("without any fault the transfer did not succeed: {words}"), false)),
    }
}
