//! What a client said of each of its transfers, read off the transcript, and the evidence that goes with it.

use std::fmt;

use protocol::{Compared, Error, ErrorCode, FileId, FileName};

use crate::transcript::{Line, Side};
use faults::Direction;
use transfer::record::{Action, Evidence, Failure, Kind, Message};

/// What the client said of one transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferClaim {
    /// Success, with the file's id.
    Success(FileId),
    /// Fail: the digests differ.
    Fail,
    /// The transfer came to no comparison.
    Error(Failure),
}

impl TransferClaim {
    /// The claim without what belongs to it.
    #[must_use]
    pub const fn word(&self) -> faults::Claim {
        match self {
            Self::Success(_) => faults::Claim::Success,
            Self::Fail => faults::Claim::Fail,
            Self::Error(_) => faults::Claim::Error,
        }
    }
}

impl fmt::Display for TransferClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Success(_) => f.write_str("Success"),
            Self::Fail => f.write_str("Fail"),
            Self::Error(Failure::Protocol(Error::Refused(code))) => write!(f, "Refused ({code})"),
            Self::Error(_) => f.write_str("Error"),
        }
    }
}

/// A transfer, what was said of it in the end, and what had arrived by then.
#[derive(Clone, Debug)]
pub struct ClaimedTransfer {
    /// Which way the file went.
    pub direction: Direction,
    /// Its name.
    pub file: FileName,
    /// What the client said.
    pub claim: TransferClaim,
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
        match action {
            Action::Retried(_) => self.again = true,
            // What was tried again is no transfer, and the last one is over: the client goes on to something else.
            Action::Sent(Message::Text { kind: Kind::ListFiles, .. })
            | Action::Unlisted(_)
            | Action::Ambiguous(..) => (self.again, self.open) = (false, false),
            Action::Sent(Message::Text { kind: Kind::Upload(Some(file)), .. }) => {
                self.begin(Direction::Upload, file);
            }
            Action::Sent(Message::Text { kind: Kind::Download(Some(file)), .. }) => {
                self.begin(Direction::Download, file);
            }
            Action::Sent(Message::Text { kind: Kind::Id, text }) => self.ask(FileId::parse(text)),
            action => self.claim(claim_in(action)),
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
                claim: TransferClaim::Error(Failure::Broken),
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

    fn claim(&mut self, claim: Option<TransferClaim>) {
        if let (true, Some(claim), Some(last)) = (self.open, claim, self.claims.last_mut()) {
            last.claim = claim;
            self.open = false;
        }
    }

    /// The server refuses. If that does not reach the client as it was sent, the client still has its say.
    fn refuse(&mut self, code: ErrorCode) {
        if let Some(last) = self.claims.last_mut().filter(|_| self.open) {
            last.claim = TransferClaim::Error(Failure::Protocol(Error::Refused(code)));
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

fn claim_in(action: &Action) -> Option<TransferClaim> {
    match action {
        Action::Compared(_, Compared::Same(id)) => Some(TransferClaim::Success(*id)),
        Action::Compared(_, Compared::Different { .. }) => Some(TransferClaim::Fail),
        Action::Failed(failure) => Some(TransferClaim::Error(failure.clone())),
        Action::Received(Message::Text { kind: Kind::Refusal(code), .. }) => {
            Some(TransferClaim::Error(Failure::Protocol(Error::Refused(*code))))
        }
        _ => None,
    }
}
