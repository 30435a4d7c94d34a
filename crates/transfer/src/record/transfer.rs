//! What the events of a client mean to its transfers: the one reading of them, for who judges and for who reports.

use std::fmt;

use protocol::{Compared, Error, ErrorCode, FileId, FileName};

use super::{Action, Failure, Kind, Message};
use faults::{Claim, Direction};

/// What a client said of a transfer when it was over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferOutcome {
    /// The digests are equal.
    Success {
        /// The MD5, which is the file's id.
        id: FileId,
    },
    /// The digests differ.
    Fail {
        /// The MD5 that this side computed.
        own: FileId,
        /// The one that it should be.
        peer: FileId,
    },
    /// The server refused.
    Refused {
        /// Why, for programs.
        code: ErrorCode,
        /// Why, in the server's words.
        text: String,
    },
    /// The session broke off before it was decided.
    Broken(Failure),
}

impl TransferOutcome {
    /// Whether a file on this side is to blame.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Broken(Failure::Storage(_)))
    }

    /// Why the server refused, if that is what ended it.
    #[must_use]
    pub const fn refusal(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused { code, .. } | Self::Broken(Failure::Protocol(Error::Refused(code))) => Some(*code),
            _ => None,
        }
    }

    /// What it claims of the file.
    #[must_use]
    pub const fn claim(&self) -> Claim {
        match self {
            Self::Success { .. } => Claim::Success,
            Self::Fail { .. } => Claim::Fail,
            Self::Refused { .. } | Self::Broken(_) => Claim::Error,
        }
    }
}

impl fmt::Display for TransferOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.refusal()) {
            (Self::Success { .. }, _) => f.write_str("Success"),
            (Self::Fail { .. }, _) => f.write_str("Fail"),
            (_, Some(code)) => write!(f, "Refused ({code})"),
            _ => f.write_str("Error"),
        }
    }
}

/// What an event of a client means to its transfers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferEvent<'a> {
    /// One begins, or the one before begins again.
    Begins(Direction, &'a FileName),
    /// The download under way asks for the content with this id, or with none.
    Asks(Option<FileId>),
    /// So many bytes of the file came or went: all there are.
    Moved(u64),
    /// It is decided. Of several of these the first counts: what comes after it, say of a discard, does not change it.
    Ends(TransferOutcome),
    /// What begins next is the last one again.
    Retries,
    /// The client has gone on to something that is no transfer.
    Leaves,
}

impl<'a> TransferEvent<'a> {
    /// What `action` of a client means, if it means anything to its transfers.
    #[must_use]
    pub fn of(action: &'a Action) -> Option<Self> {
        Some(match action {
            Action::Sent(Message::Text { kind: Kind::Upload(Some(name)), .. }) => {
                Self::Begins(Direction::Upload, name)
            }
            Action::Sent(Message::Text { kind: Kind::Download(Some(name)), .. }) => {
                Self::Begins(Direction::Download, name)
            }
            Action::Sent(Message::Text { kind: Kind::Id, text }) => Self::Asks(FileId::parse(text)),
            Action::Sent(Message::Payload { bytes, .. })
            | Action::Received(Message::Payload { bytes, .. }) => Self::Moved(*bytes),
            Action::Received(Message::Text { kind: Kind::Refusal(code), text }) => {
                let text = text.splitn(3, ' ').nth(2).unwrap_or_default().to_owned();
                Self::Ends(TransferOutcome::Refused { code: *code, text })
            }
            Action::Compared(_, Compared::Same(id)) => Self::Ends(TransferOutcome::Success { id: *id }),
            Action::Compared(_, Compared::Different { own, peer }) => {
                Self::Ends(TransferOutcome::Fail { own: *own, peer: *peer })
            }
            Action::Failed(failure) => Self::Ends(TransferOutcome::Broken(failure.clone())),
            Action::Retried(_) => Self::Retries,
            Action::Sent(Message::Text { kind: Kind::ListFiles, .. })
            | Action::Unlisted(_)
            | Action::Ambiguous(..) => Self::Leaves,
            _ => return None,
        })
    }
}
