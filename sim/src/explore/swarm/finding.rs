//! What a run can show, as values; their sentences are for people.

use std::fmt;
use std::mem::discriminant;

use faults::Direction;
use faults::text::visible;
use protocol::FileName;

use crate::scenario::TransportKind;

/// One thing that a run shows of which no program may be guilty. Displayed as a sentence without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// A damaged file was taken for a good one.
    Silent {
        /// The number of the client, from 1.
        client: usize,
        /// Which way the file went.
        direction: Direction,
        /// Its name.
        file: FileName,
    },
    /// The server goes on listing a damaged file, and nobody was told of it, or who was did not ask to have it discarded.
    StaysListed(FileName),
    /// A client keeps a damaged file under its final name.
    KeptByClient(FileName),
    /// The server lists a good file under a name of which nobody sent it, nobody was told of it, and no line with that name
    /// was changed on the way.
    Misnamed(FileName),
    /// The run did not come to an end.
    Endless,
    /// The harness or a program panicked; the message.
    Panicked(String),
    /// The run failed for a reason of its own; which.
    Failed(String),
    /// The same run again had another trace.
    Unrepeatable,
    /// Another lane told another story.
    LanesPart {
        /// One lane.
        lane: TransportKind,
        /// The other.
        other: TransportKind,
    },
}

impl Finding {
    /// Whether `other` is of the same kind: it may be about another client, file or message, but not about the other
    /// direction.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Silent { direction, .. }, Self::Silent { direction: theirs, .. }) => direction == theirs,
            _ => discriminant(self) == discriminant(other),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent { client, direction, file } => {
                let file = visible(file.as_str());
                write!(f, "client {client} takes the {direction} of {file} for good, and it is damaged")
            }
            Self::StaysListed(file) => {
                let file = visible(file.as_str());
                write!(f, "the server goes on listing {file}, which is damaged, and nobody saw to it")
            }
            Self::KeptByClient(file) => {
                write!(f, "a client keeps {} under its name, and it is damaged", visible(file.as_str()))
            }
            Self::Misnamed(file) => {
                let file = visible(file.as_str());
                write!(f, "the server lists a file as {file} that nobody sent by this name")
            }
            Self::Endless => f.write_str("the run does not come to an end"),
            Self::Panicked(message) => write!(f, "something panicked: {message}"),
            Self::Failed(why) => write!(f, "the run failed: {why}"),
            Self::Unrepeatable => f.write_str("the same run again goes otherwise"),
            Self::LanesPart { lane, other } => write!(f, "it goes otherwise on {other} than on {lane}"),
        }
    }
}

/// What the specification itself does not protect, so that no program is to blame: see `docs/ladder.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum KnownLimit {
    /// Rung 4: what was sent and what arrived are different and have one MD5.
    DigestCollision,
    /// Rung 5: the file was changed, and so was the line with the digest that it is held against.
    FileAndDigest,
    /// Rung 6: a listing was changed, and the file that came is whole, but not the one that was meant.
    Listing,
    /// Rung 6: the line with the name was changed on the way up, and the file is listed under another.
    NameOnTheWayUp,
}

impl fmt::Display for KnownLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DigestCollision => "two files have one MD5",
            Self::FileAndDigest => "a file and its digest were both changed",
            Self::Listing => "a listing was changed",
            Self::NameOnTheWayUp => "a name was changed on the way up",
        })
    }
}
