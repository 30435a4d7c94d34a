//! Holds a transcript against the steps of its scenario, and gives each line the number of its step.

use protocol::{Compared, Entry};

use super::{Line, Side};
use crate::scenario::{ClientStep, ServerStep, Step, StepClaim};
use faults::Direction;
use notation::Located;
use transfer::record::{Action, Kind, Message};

/// The first place where a run did not go as its scenario says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// The number of the expected step, from 1; one more than there are steps if all were done.
    pub step: usize,
    /// The expected step, unless all were done.
    pub expected: Option<Step>,
    /// The line that came in its place, if any did.
    pub came: Option<Line>,
    /// In which way.
    pub cause: Cause,
}

/// In which way a run deviated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Something else came.
    Otherwise,
    /// A later step came too early: its number.
    TooEarly(usize),
    /// The run ended without it.
    NotAtAll,
    /// All steps were done, and something else came.
    TooMuch,
}

/// Numbers `lines` by `steps` and finds the first deviation.
pub fn check(steps: &[Located<Step>], lines: &mut [Line]) -> Option<Deviation> {
    let (mut done, mut deviation) = (0, None);
    let mut first_open = 0;
    for index in 0..lines.len() {
        let Some(step) = step_of(&lines[index]) else { continue };
        let begun_only = matches!(lines[index].action, Action::Sending(_));
        let exact = steps[done..].iter().position(|expected| expected.value == step);
        // With another result it is not the step that was expected, but it stands in its place.
        let found =
            exact.or_else(|| steps[done..].iter().position(|expected| is_like(&expected.value, &step)));
        if (exact != Some(0) || begun_only) && deviation.is_none() {
            let later = exact.filter(|skipped| *skipped > 0).map(|skipped| done + skipped + 1);
            deviation = Some(deviate(steps, done, &lines[first_open..=index], later));
        }
        if let Some(skipped) = found {
            done += skipped + 1;
            number(&mut lines[first_open..=index], done);
            first_open = index + 1;
        }
    }
    if deviation.is_none() && done < steps.len() {
        deviation = Some(deviate(steps, done, &lines[first_open..], None));
    }
    deviation
}

fn deviate(steps: &[Located<Step>], done: usize, open: &[Line], later: Option<usize>) -> Deviation {
    let expected = steps.get(done).map(|step| step.value.clone());
    let came = open.iter().find(|line| !leads_in(line)).or(open.first()).cloned();
    let cause = match (&expected, &came, later) {
        (None, ..) => Cause::TooMuch,
        (_, None, _) => Cause::NotAtAll,
        (_, _, Some(later)) => Cause::TooEarly(later),
        _ => Cause::Otherwise,
    };
    Deviation { step: done + 1, expected, came, cause }
}

/// Whether two steps are the same but for what came of them.
fn is_like(expected: &Step, step: &Step) -> bool {
    match (expected, step) {
        (Step::Client(expected), Step::Client(step)) => match (expected, step) {
            (ClientStep::Compare(_), ClientStep::Compare(_))
            | (ClientStep::ReceiveFile(_), ClientStep::ReceiveFile(_)) => true,
            _ => expected == step,
        },
        (Step::Server(expected), Step::Server(step)) => match (expected, step) {
            (ServerStep::Files(_), ServerStep::NoFiles | ServerStep::Files(_))
            | (ServerStep::NoFiles, ServerStep::Files(_)) => true,
            _ => expected == step,
        },
        _ => false,
    }
}

/// Numbers the last line, and those before it that lead into the same step.
fn number(lines: &mut [Line], step: usize) {
    let Some((last, before)) = lines.split_last_mut() else { return };
    last.step = Some(step);
    for line in before.iter_mut().rev().take_while(|line| leads_in(line)) {
        line.step = Some(step);
    }
}

/// Whether a line is the first half of a step: the size that announces a payload, or the payload that is
/// about to be compared.
fn leads_in(line: &Line) -> bool {
    matches!(
        (line.side, &line.action),
        (Side::Server, Action::Sent(Message::Text { kind: Kind::Size, .. }))
            | (Side::Client, Action::Received(Message::Payload { .. }))
    )
}

/// The step that a line completes, if it completes any.
fn step_of(line: &Line) -> Option<Step> {
    match line.side {
        Side::Client => client_step(&line.action).map(Step::Client),
        Side::Server => server_step(&line.action).map(Step::Server),
    }
}

fn client_step(action: &Action) -> Option<ClientStep> {
    Some(match action {
        Action::Started => ClientStep::Start,
        Action::Connected => ClientStep::Connect,
        Action::Sending(_) | Action::Sent(Message::Payload { .. }) => ClientStep::SendFile,
        Action::Sent(Message::Text { kind, .. }) => match kind {
            Kind::ListFiles => ClientStep::ListFiles,
            Kind::Upload(Some(name)) => ClientStep::Upload(name.clone()),
            Kind::Download(Some(name)) => ClientStep::Download(name.clone()),
            Kind::Details => ClientStep::Details,
            Kind::Id => ClientStep::SendId,
            _ => return None,
        },
        Action::Compared(Direction::Upload, compared) => ClientStep::Compare(claim_of(*compared)),
        Action::Compared(Direction::Download, compared) => ClientStep::ReceiveFile(claim_of(*compared)),
        Action::Disconnected => ClientStep::Disconnect,
        _ => return None,
    })
}

fn server_step(action: &Action) -> Option<ServerStep> {
    Some(match action {
        Action::Listened => ServerStep::Listen,
        Action::Received(Message::Payload { .. }) => ServerStep::ReceiveFile,
        Action::Saved(Entry { .. }) => ServerStep::SaveFile,
        Action::Sending(_) | Action::Sent(Message::Payload { .. }) => ServerStep::SendFile,
        Action::Sent(Message::Text { kind, .. }) => match kind {
            Kind::Listing(names) if names.is_empty() => ServerStep::NoFiles,
            Kind::Listing(names) => ServerStep::Files(names.clone()),
            Kind::AskDetails => ServerStep::AskDetails,
            Kind::Ready => ServerStep::Ready,
            Kind::Hash => ServerStep::SendHash,
            Kind::AskId => ServerStep::AskId,
            _ => return None,
        },
        _ => return None,
    })
}

fn claim_of(compared: Compared) -> StepClaim {
    match compared {
        Compared::Same(_) => StepClaim::Success,
        Compared::Different { .. } => StepClaim::Fail,
    }
}
