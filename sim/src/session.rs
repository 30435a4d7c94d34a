//! The 22 steps of the specification against a server that is running, told as the client sees them.

use protocol::{Compared, Entry, FileId, FileName};

use crate::scenario::{ClientStep, ServerStep, Step, StepClaim};
use crate::transcript::{Deviation, Line, check, seen_by_client};
use faults::Content;
use notation::{Located, Place};
use transfer::endpoint::{ClientCommand, Script, md5_of};
use transfer::live::{Peer, Trouble};
use transfer::record::{Action, Event, Failure, Kind, Message, Recorder};
use transfer::storage::Folder;

/// What came of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionReport {
    /// What happened, numbered by the steps.
    pub lines: Vec<Line>,
    /// The first step that went otherwise.
    pub deviation: Option<Deviation>,
    /// Whether digests differed: the check failed.
    pub differs: bool,
    /// Why it broke off, if it did.
    pub broken: Option<Failure>,
}

impl SessionReport {
    /// Whether every step went as it should.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.deviation.is_none() && !self.differs && self.broken.is_none()
    }
}

/// Carries out the 22 steps of `peer` with this file. The download goes to `folder`.
///
/// # Errors
/// If the server cannot be reached or the file cannot be read. What goes otherwise in the session is part of the
/// report.
pub fn session(
    peer: &Peer,
    name: &FileName,
    content: &Content,
    folder: Folder,
) -> Result<SessionReport, Trouble> {
    let id = md5_of(content).map_err(Trouble::Here)?;
    let script = Steps { name: name.clone(), content: content.clone(), id, next: 0 };
    let record = Recorder::default();
    peer.drive(Box::new(script), folder, record.clone())?;
    Ok(report(name, id, &record.take()))
}

/// The client's part of the 22 steps.
struct Steps {
    name: FileName,
    content: Content,
    id: FileId,
    next: usize,
}

impl Script for Steps {
    fn next(&mut self, _listed: &[Entry]) -> Option<ClientCommand> {
        self.next += 1;
        let name = self.name.clone();
        match self.next {
            1 | 3 => Some(ClientCommand::ListFiles),
            2 => Some(ClientCommand::Upload { name, content: self.content.clone() }),
            // The one that was just uploaded is meant, and no other that may be called so.
            4 => Some(ClientCommand::DownloadId { id: self.id, name }),
            _ => None,
        }
    }
}

fn report(name: &FileName, id: FileId, events: &[Event]) -> SessionReport {
    let mut lines = seen_by_client(events);
    let steps = steps(name, &listings(events, name, id));
    let deviation = check(&steps, &mut lines);
    let differs = |event: &Event| matches!(event.action, Action::Compared(_, Compared::Different { .. }));
    let broken = events.iter().find_map(|event| match &event.action {
        Action::Failed(failure) => Some(failure.clone()),
        _ => None,
    });
    SessionReport { lines, deviation, differs: events.iter().any(differs), broken }
}

/// What the two listings may be: the server can have had files before, and the second has to have ours too.
fn listings(events: &[Event], name: &FileName, id: FileId) -> [Vec<FileName>; 2] {
    let ours = format!("{id};{name};");
    let mut came = events.iter().filter_map(|event| match &event.action {
        Action::Received(Message::Text { kind: Kind::Listing(names), text }) => Some((names, text)),
        _ => None,
    });
    let first = came.next().map(|(names, _)| names.clone()).unwrap_or_default();
    let second = match came.next() {
        Some((names, text)) if text.lines().any(|line| line.starts_with(&ours)) => names.clone(),
        // Others may be called so, too: ours is missing.
        Some((names, _)) => names.iter().chain([name]).cloned().collect(),
        None => vec![name.clone()],
    };
    [first, second]
}

/// The 22 steps with a file of this name, if the server lists `before` first and `after` later.
#[must_use]
pub fn steps(name: &FileName, [before, after]: &[Vec<FileName>; 2]) -> Vec<Located<Step>> {
    let listed = |names: &Vec<FileName>| match &names[..] {
        [] => ServerStep::NoFiles,
        names => ServerStep::Files(names.to_vec()),
    };
    let steps = [
        Step::Server(ServerStep::Listen),
        Step::Client(ClientStep::Start),
        Step::Client(ClientStep::Connect),
        Step::Client(ClientStep::ListFiles),
        Step::Server(listed(before)),
        Step::Client(ClientStep::Upload(name.clone())),
        Step::Server(ServerStep::AskDetails),
        Step::Client(ClientStep::Details),
        Step::Server(ServerStep::Ready),
        Step::Client(ClientStep::SendFile),
        Step::Server(ServerStep::ReceiveFile),
        Step::Server(ServerStep::SaveFile),
        Step::Server(ServerStep::SendHash),
        Step::Client(ClientStep::Compare(StepClaim::Success)),
        Step::Client(ClientStep::ListFiles),
        Step::Server(listed(after)),
        Step::Client(ClientStep::Download(name.clone())),
        Step::Server(ServerStep::AskId),
        Step::Client(ClientStep::SendId),
        Step::Server(ServerStep::SendFile),
        Step::Client(ClientStep::ReceiveFile(StepClaim::Success)),
        Step::Client(ClientStep::Disconnect),
    ];
    steps.into_iter().map(|value| Located { value, place: Place::outside("the 22 steps") }).collect()
}
