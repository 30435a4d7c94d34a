//! Whether a silent acceptance is a limit of the specification. It is told from what arrived and what the lines were on both
//! sides, and only where these leave no doubt: a program that checks badly must never hide behind a fault.

use faults::{Content, Direction, Flow};
use protocol::FileId;
use transfer::endpoint::md5_of;
use transfer::record::{Action, Kind, Message, TransferOutcome};

use super::KnownLimit;
use crate::run::{Plan, RunOutcome};
use crate::transcript::{Line, Side};
use crate::verdict::ClaimedTransfer;

/// The limit that lets the transfer `claimed` of the client with these `lines` be accepted, if it surely is one.
pub(super) fn of_silent(
    plan: &Plan,
    outcome: &RunOutcome,
    lines: &[Line],
    claimed: &ClaimedTransfer,
) -> Option<KnownLimit> {
    let TransferOutcome::Success { id } = claimed.outcome else { return None };
    let Some(Ok(arrived)) = &claimed.evidence else { return None };
    let digest = md5_of(arrived).ok()?;
    match claimed.direction {
        Direction::Upload if digest == id => collides(&plan.uploaded_as(&claimed.file), id, arrived),
        // The client has seen a digest that the server did not send for these bytes.
        Direction::Upload => {
            let [sent, received] = [Side::Server, Side::Client].map(|side| texts(lines, side, &Kind::Hash));
            let is_honest = sent.contains(&digest.to_string()) && received.contains(&id.to_string());
            (is_honest && was_changed_down(outcome, &sent, &received)).then_some(KnownLimit::FileAndDigest)
        }
        // It is not what its id says: the client has not looked.
        Direction::Download if digest != id => None,
        Direction::Download => of_download(plan, outcome, lines, id, arrived),
    }
}

/// The limit of a download whose bytes are what the id says by which the client asked.
fn of_download(
    plan: &Plan,
    outcome: &RunOutcome,
    lines: &[Line],
    id: FileId,
    arrived: &Content,
) -> Option<KnownLimit> {
    let uploads = plan.uploads();
    if let Some(limit) = collides(&uploads, id, arrived) {
        return Some(limit);
    }
    let sent: Vec<&str> = outcome.conversations.iter().flat_map(|it| listings(it, Side::Server)).collect();
    let received = listings(lines, Side::Client);
    if !received.iter().any(|text| !sent.contains(text)) || !was_struck(outcome, Flow::ToClient) {
        return None;
    }
    let is_stored = is_among(arrived, &uploads) || outcome.conversations.iter().any(|it| saved(it, id));
    Some(if is_stored { KnownLimit::Listing } else { KnownLimit::FileAndDigest })
}

/// Whether one of `contents` has this MD5 and other bytes than `arrived`, which has it too.
fn collides(contents: &[Content], id: FileId, arrived: &Content) -> Option<KnownLimit> {
    let collides = |content: &&Content| {
        md5_of(content).ok() == Some(id)
            && content.first_difference(arrived).is_ok_and(|first| first.is_some())
    };
    contents.iter().find(collides).map(|_| KnownLimit::DigestCollision)
}

fn is_among(arrived: &Content, contents: &[Content]) -> bool {
    contents.iter().any(|it| it.first_difference(arrived).is_ok_and(|first| first.is_none()))
}

/// Whether the server saved something under this id.
fn saved(lines: &[Line], id: FileId) -> bool {
    lines.iter().any(|line| matches!(&line.action, Action::Saved(entry) if entry.id == id))
}

/// Whether the client was shown other lines than the server sent, and a fault is to blame.
fn was_changed_down(outcome: &RunOutcome, sent: &[String], received: &[String]) -> bool {
    !sent.starts_with(received) && was_struck(outcome, Flow::ToClient)
}

/// Whether a fault that changes bytes reached the reader of this direction.
pub(super) fn was_struck(outcome: &RunOutcome, flow: Flow) -> bool {
    let struck = |record: &faults::FaultRecord| {
        record.reached && record.fault.changes_bytes() && record.fault.flow().is_none_or(|it| it == flow)
    };
    outcome.faults.iter().any(struck)
}

/// The texts of this kind that the server sent, or the client received.
fn texts(lines: &[Line], side: Side, kind: &Kind) -> Vec<String> {
    let text = |line: &Line| match &line.action {
        Action::Sent(Message::Text { kind: it, text }) if side == Side::Server && it == kind => {
            Some(text.clone())
        }
        Action::Received(Message::Text { kind: it, text }) if side == Side::Client && it == kind => {
            Some(text.clone())
        }
        _ => None,
    };
    lines.iter().filter(|line| line.side == side).filter_map(text).collect()
}

/// The listings that the server sent, or the client received.
fn listings(lines: &[Line], side: Side) -> Vec<&str> {
    let text = |line| listing(line, side == Side::Server);
    lines.iter().filter(|line| line.side == side).filter_map(text).collect()
}

fn listing(line: &Line, is_sent: bool) -> Option<&str> {
    match &line.action {
        Action::Sent(Message::Text { kind: Kind::Listing(_), text }) if is_sent => Some(text),
        Action::Received(Message::Text { kind: Kind::Listing(_), text }) if !is_sent => Some(text),
        _ => None,
    }
}
