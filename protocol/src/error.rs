//! What can go wrong, sorted by whose fault it was, and the one function that decides what the wire hears of
//! it. There are no strings and no `io::Error` here: what the operating system says is the driver's affair.

use std::fmt;

use crate::wire::ErrorCode;
use crate::{FileId, NameError};

/// Why a transfer or a session failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Error {
    /// The peer broke the protocol.
    Peer(Violation),
    /// The caller called what the state does not allow. The state is unchanged.
    Caller(Misuse),
    /// The peer refused, in good order. The session goes on, unless the code
    /// [ends it](ErrorCode::ends_session).
    Refused(ErrorCode),
    /// The two digests of one transfer differ.
    DigestDiffers {
        /// What this side computed.
        own: FileId,
        /// What the peer said.
        peer: FileId,
    },
    /// The peer's stream ended where more had to come.
    Ended(Ended),
}

/// How the peer broke the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Violation {
    /// No LF within [`MAX_LINE`](crate::wire::MAX_LINE) bytes.
    LineTooLong,
    /// A control line that is not UTF-8.
    NotUtf8,
    /// A command that the server does not know.
    UnknownCommand,
    /// Details that are not `name;size`.
    BadDetails,
    /// Details with a name that breaks a rule.
    BadName(NameError),
    /// A size that is not a plain decimal number up to [`MAX_SIZE`](crate::wire::MAX_SIZE).
    BadSize,
    /// An id or hash that is not 32 lowercase hex digits.
    BadId,
    /// A line of the listing that is not `id;name;size`.
    BadEntry,
    /// A listing of more than [`MAX_ENTRIES`](crate::wire::MAX_ENTRIES) files, or longer than
    /// [`MAX_LISTING`](crate::wire::MAX_LISTING).
    ListTooLong,
    /// A line where none may come.
    UnexpectedLine,
}

/// How the caller misused a state machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Misuse {
    /// The call is not allowed in this state.
    NotNow,
    /// A line is waiting in `poll_transmit` and has to be taken first.
    PollFirst,
    /// More payload was reported as sent than was left.
    TooMuchPayload,
}

/// What was missing when the stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ended {
    /// A line was due.
    AwaitingLine,
    /// This many payload bytes were still to come.
    InPayload {
        /// The number of missing bytes.
        missing: u64,
    },
    /// The peer left while this side was still sending payload.
    WhileSending,
}

/// What the wire hears of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WireAnswer {
    /// `ERROR <code>`, and the session goes on.
    Refuse(ErrorCode),
    /// `ERROR <code>`, and the connection is closed: where the next message starts is no longer known.
    Close(ErrorCode),
    /// The connection is closed without a word.
    Hangup,
}

impl Error {
    /// What a server puts on the wire for this error. A client never answers; it goes on after
    /// [`Refuse`](WireAnswer::Refuse) and leaves otherwise.
    #[must_use]
    pub fn wire_answer(&self) -> WireAnswer {
        use WireAnswer::{Close, Hangup, Refuse};
        match self {
            Self::Peer(violation) => match violation {
                Violation::LineTooLong | Violation::NotUtf8 => Close(ErrorCode::BadLine),
                Violation::UnexpectedLine | Violation::ListTooLong | Violation::BadEntry => Hangup,
                Violation::UnknownCommand => Refuse(ErrorCode::UnknownCommand),
                Violation::BadDetails => Refuse(ErrorCode::BadDetails),
                Violation::BadName(_) => Refuse(ErrorCode::BadName),
                Violation::BadSize => Refuse(ErrorCode::BadSize),
                Violation::BadId => Refuse(ErrorCode::BadId),
            },
            Self::Refused(code) if code.ends_session() => Close(*code),
            Self::Refused(code) => Refuse(*code),
            Self::Caller(_) | Self::DigestDiffers { .. } | Self::Ended(_) => Hangup,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer(violation) => write!(f, "the peer broke the protocol: {violation}"),
            Self::Caller(misuse) => write!(f, "the caller misused the API: {misuse}"),
            Self::Refused(code) => write!(f, "the peer refused: {code}"),
            Self::DigestDiffers { own, peer } => write!(f, "the digests differ: own {own}, peer {peer}"),
            Self::Ended(ended) => write!(f, "the stream ended early: {ended}"),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LineTooLong => "a line is longer than 1024 bytes",
            Self::NotUtf8 => "a line is not UTF-8",
            Self::UnknownCommand => "unknown command",
            Self::BadDetails => "the details are not `name;size`",
            Self::BadName(rule) => return rule.fmt(f),
            Self::BadSize => "the size is not a decimal number",
            Self::BadId => "not an id of 32 lowercase hex digits",
            Self::BadEntry => "a line of the listing is not `id;name;size`",
            Self::ListTooLong => "the listing is too long",
            Self::UnexpectedLine => "a line came where none may come",
        })
    }
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotNow => "the call is not allowed in this state",
            Self::PollFirst => "take the waiting line from `poll_transmit` first",
            Self::TooMuchPayload => "more payload was sent than was left",
        })
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AwaitingLine => f.write_str("a line was due"),
            Self::InPayload { missing } => write!(f, "{missing} bytes of the file are missing"),
            Self::WhileSending => f.write_str("the peer left before it had the whole file"),
        }
    }
}

impl std::error::Error for Error {}
impl std::error::Error for Misuse {}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Self {
        Self::Peer(violation)
    }
}

impl From<Misuse> for Error {
    fn from(misuse: Misuse) -> Self {
        Self::Caller(misuse)
    }
}

impl From<Ended> for Error {
    fn from(ended: Ended) -> Self {
        Self::Ended(ended)
    }
}
