//! Why a case could not be played: as a value where another case decides by it, and always in words.

use std::fmt;

use protocol::ErrorCode;

/// Why a case could not be played. Displayed as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// The server refused for want of room or the like: with this code, in this line.
    Refused(ErrorCode, String),
    /// The server's patience was over: its line.
    GaveUp(String),
    /// The client never came to what the case is about, and how it ended.
    NeverCame(String),
    /// Nothing by which anybody decides.
    Other(String),
}

impl Obstacle {
    /// Whether the server has no room for a file, or none for one so large.
    pub(crate) const fn is_want_of_room(&self) -> bool {
        matches!(self, Self::Refused(ErrorCode::TooLarge | ErrorCode::NoSpace, _))
    }

    /// Whether the server ended the session because it had waited too long.
    pub(crate) const fn is_timeout(&self) -> bool {
        matches!(self, Self::GaveUp(_) | Self::Refused(ErrorCode::Timeout, _))
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(_, line) => write!(f, "the server refused it: {line}"),
            Self::GaveUp(line) => write!(f, "the server gave up: {line}"),
            Self::NeverCame(how) => write!(f, "the client never came to it: {how}"),
            Self::Other(why) => f.write_str(why),
        }
    }
}

impl From<String> for Obstacle {
    fn from(why: String) -> Self {
        Self::Other(why)
    }
}

impl From<&str> for Obstacle {
    fn from(why: &str) -> Self {
        Self::Other(why.into())
    }
}
