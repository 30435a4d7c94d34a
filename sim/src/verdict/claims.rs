//! What a client said of each of its transfers, read off the transcript, and the evidence that goes with it.

use protocol::{Error, ErrorCode, FileId, FileName};

use crate::transcript::{Line, Side};
use faults::Direction;
use transfer::record::{Action, Evidence, Failure, Kind, Message, TransferEvent, TransferOutcome};

/// A transfer, what was said of it in the end, and what had arrived by then.
#[derive(Clone, Debug)]
pub struct ClaimedTransfer {
    /// Which way the file went.
    pub direction: Direction,
    /// Its name.
    pub file: FileName,
    /// What the client said.
    pub outcome: TransferOutcome,
    /// Whether it had tried again.
    pub retried: bool,
    /// The file as the receiver had it when it was whole, if it ever was; or why that could not be read.
    pub evidence: Option<Evidence>,
    /// The id that the client asked for, of a download.
    pub asked: Option<FileId>,
}

/// Every transfer that the client began, in order.
#[must_use]
pub fn claims(lines: &[Line]) -> Vec<ClaimedTransfer> {
    let mut reader = Reader::default();
    lines.iter().for_each(|line| reader.read(line));
    reader.claims
}

#[derive(Default)]
struct Reader {
    claims: Vec<ClaimedTransfer>,
    /// Whether the last claim can still change.
    open: bool,
    /// Whether what begins next is the last transfer again.
    again: bool,
}

impl Reader {
    fn read(&mut self, line: &Line) {
        match (line.side, &line.action) {
            (Side::Server, Action::Received(Message::Payload { .. })) => {
                self.take_evidence(Direction::Upload, line.file.as_ref());
            }
            (Side::Client, Action::Received(Message::Payload { .. })) => {
                self.take_evidence(Direction::Download, line.file.as_ref());
            }
            (Side::Server, Action::Sent(Message::Text { kind: Kind::Refusal(code), .. })) => {
                self.refuse(*code);
            }
            (Side::Client, action) => self.read_client(action),
            _ => {}
        }
    }

    fn read_client(&mut self, action: &Action) {
        match TransferEvent::of(action) {
            Some(TransferEvent::Retries) => self.again = true,
            // What was tried again is no transfer, and the last one is over.
            Some(TransferEvent::Leaves) => (self.again, self.open) = (false, false),
            Some(TransferEvent::Begins(direction, file)) => self.begin(direction, file),
            Some(TransferEvent::Asks(id)) => self.ask(id),
            Some(TransferEvent::Ends(outcome)) => self.end(outcome),
            Some(TransferEvent::Moved(_)) | None => {}
        }
    }

    fn begin(&mut self, direction: Direction, file: &FileName) {
        self.open = true;
        match self.claims.last_mut().filter(|_| std::mem::take(&mut self.again)) {
            Some(last) => {
                last.retried = true;
                last.evidence = None;
            }
            None => self.claims.push(ClaimedTransfer {
                direction,
                file: file.clone(),
                outcome: TransferOutcome::Broken(Failure::Broken),
                retried: false,
                evidence: None,
                asked: None,
            }),
        }
    }

    fn ask(&mut self, id: Option<FileId>) {
        if let Some(last) = self.claims.last_mut() {
            last.asked = id;
        }
    }

    fn end(&mut self, outcome: TransferOutcome) {
        if let (true, Some(last)) = (self.open, self.claims.last_mut()) {
            last.outcome = outcome;
            self.open = false;
        }
    }

    /// The server refuses. If that does not reach the client as it was sent, the client still has its say.
    fn refuse(&mut self, code: ErrorCode) {
        if let Some(last) = self.claims.last_mut().filter(|_| self.open) {
            last.outcome = TransferOutcome::Broken(Failure::Protocol(Error::Refused(code)));
        }
    }

    /// What arrived belongs to the transfer under way. Of one that is over, only what had not arrived before does:
    /// of what comes later, the client said nothing.
    fn take_evidence(&mut self, direction: Direction, file: Option<&Evidence>) {
        let open = self.open;
        let takes =
            |last: &&mut ClaimedTransfer| last.direction == direction && (open || last.evidence.is_none());
        if let Some(last) = self.claims.last_mut().filter(takes) {
            last.evidence = file.cloned();
        }
    }
}
