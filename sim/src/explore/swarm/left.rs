//! What a run leaves behind, and whether anybody was told of it.

use faults::{Effect, FaultRecord, Flow};
use protocol::{Compared, FileName};
use transfer::record::{Action, Kind, Message};

use super::limits::was_struck;
use super::{Finding, KnownLimit};
use crate::run::{RunOutcome, UnmetExpectation};
use crate::transcript::{Line, Side};
use crate::verdict::Condition;

/// What is left where somebody would use it, and is not what it should be.
pub(super) fn findings(outcome: &RunOutcome) -> (Vec<Finding>, Vec<KnownLimit>) {
    let (mut findings, mut limits) = (Vec::new(), Vec::new());
    for unmet in &outcome.unmet {
        match unmet {
            UnmetExpectation::StaysListed(left) if !was_told(outcome, &left.name) => {
                findings.push(Finding::StaysListed(left.name.clone()));
            }
            UnmetExpectation::KeptByClient(left) => findings.push(Finding::KeptByClient(left.name.clone())),
            _ => {}
        }
    }
    for left in outcome.aftermath.server.iter().filter(|left| left.condition == Condition::Misnamed) {
        if was_renamed(outcome, &left.name) {
            limits.push(KnownLimit::NameOnTheWayUp);
        } else if !was_told(outcome, &left.name) {
            findings.push(Finding::Misnamed(left.name.clone()));
        }
    }
    (findings, limits)
}

/// Whether the server was told this name in a line that no client sent so, and a fault is to blame.
fn was_renamed(outcome: &RunOutcome, name: &FileName) -> bool {
    let details = |line: &Line| match (line.side, &line.action) {
        (Side::Client, Action::Sent(Message::Text { kind: Kind::Details, text })) => {
            Some((true, text.clone()))
        }
        (Side::Server, Action::Received(Message::Text { kind: Kind::Details, text })) => {
            Some((false, text.clone()))
        }
        _ => None,
    };
    let told: Vec<(bool, String)> = outcome.conversations.iter().flatten().filter_map(details).collect();
    let was_sent = |text: &String| told.iter().any(|(is_sent, other)| *is_sent && other == text);
    let names_it = |text: &String| text.rsplit_once(';').is_some_and(|(named, _)| named == name.as_str());
    let is_changed = told.iter().any(|(is_sent, text)| !is_sent && names_it(text) && !was_sent(text));
    is_changed && was_struck(outcome, Flow::ToServer)
}

/// Whether a bit turned over on the disk that somebody read, and somebody said so: it was good when it came.
fn was_rot_told(outcome: &RunOutcome) -> bool {
    let rots = |record: &FaultRecord| record.reached && matches!(record.fault.effect, Effect::Rot { .. });
    outcome.faults.iter().any(rots) && outcome.conversations.iter().flatten().any(tells)
}

/// Whether the machine went down under a session, and its client said so: what it had brought may be listed all the same,
/// and no event says that it was saved.
fn was_crash_told(outcome: &RunOutcome) -> bool {
    let is_told = |lines: &Vec<Line>| {
        let crashed = lines.iter().any(|line| line.action == Action::Crashed);
        crashed && lines.iter().any(|line| line.side == Side::Client && tells(line))
    };
    outcome.conversations.iter().any(is_told)
}

/// Whether something was done about what the server saved under `name`, by its client or by the server: in the attempt that
/// brought it, or anywhere in a session that had to begin again.
fn was_told(outcome: &RunOutcome, name: &FileName) -> bool {
    if was_rot_told(outcome) || was_crash_told(outcome) {
        return true;
    }
    for lines in &outcome.conversations {
        let saved = |line: &Line| matches!(&line.action, Action::Saved(entry) if entry.name == *name);
        for at in (0..lines.len()).filter(|at| saved(&lines[*at])) {
            let begins = |line: &Line| {
                matches!(&line.action, Action::Sent(Message::Text { kind: Kind::Upload(Some(_)), .. }))
            };
            let start = lines[..at].iter().rposition(begins).unwrap_or(0);
            let end = lines[at..].iter().position(is_command).map_or(lines.len(), |end| at + end);
            let again = |line: &Line| matches!(line.action, Action::Retried(_));
            if lines[start..end].iter().any(acts) || lines.iter().any(again) {
                return true;
            }
        }
    }
    false
}

/// Whether more was done about it than to say that it went wrong: it was refused, or the client asked to have it discarded,
/// or could not do so any more.
fn acts(line: &Line) -> bool {
    let asks = |kind: &Kind| matches!(kind, Kind::Discard | Kind::Refusal(_) | Kind::Rejected);
    match &line.action {
        Action::Failed(_) | Action::Crashed => true,
        Action::Sent(Message::Text { kind, .. }) | Action::Received(Message::Text { kind, .. }) => asks(kind),
        _ => false,
    }
}

/// Whether a client goes on to something else.
fn is_command(line: &Line) -> bool {
    let is_command = |kind: &Kind| matches!(kind, Kind::ListFiles | Kind::Upload(_) | Kind::Download(_));
    line.side == Side::Client
        && matches!(&line.action, Action::Sent(Message::Text { kind, .. }) if is_command(kind))
}

/// Whether it is said here that something went wrong.
fn tells(line: &Line) -> bool {
    match &line.action {
        Action::Compared(_, Compared::Different { .. }) | Action::Failed(_) | Action::Crashed => true,
        Action::Sent(Message::Text { kind, .. }) | Action::Received(Message::Text { kind, .. }) => {
            matches!(kind, Kind::Refusal(_) | Kind::Rejected)
        }
        _ => false,
    }
}
