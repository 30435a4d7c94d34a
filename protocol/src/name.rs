//! File names as they may stand on the wire. A [`FileName`] is parsed once and is from then on safe to join
//! to a directory: it cannot name a place outside it. Nothing here touches a file system.

use std::fmt;
use std::sync::Arc;

/// The longest file name, in bytes of UTF-8.
pub const MAX_NAME: usize = 255;

/// A file name that has passed every rule of the protocol: 1 to [`MAX_NAME`] bytes, no `/`, `\`, NUL or
/// control character, not `.` or `..`. Cheap to clone: every record of a run names its file.
///
/// ```
/// use protocol::{FileName, NameError};
/// assert_eq!(FileName::parse("my_file.jpg").unwrap().as_str(), "my_file.jpg");
/// assert_eq!(FileName::parse("../etc/passwd"), Err(NameError::Separator));
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName(Arc<str>);

impl FileName {
    /// Checks `text` against the rules.
    ///
    /// # Errors
    /// The first rule that `text` breaks.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        match text {
            "" => Err(NameError::Empty),
            "." | ".." => Err(NameError::Dots),
            _ if text.len() > MAX_NAME => Err(NameError::TooLong),
            _ if text.contains(['/', '\\']) => Err(NameError::Separator),
            _ if text.chars().any(char::is_control) => Err(NameError::Control),
            _ => Ok(Self(text.into())),
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for FileName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Which rule a file name breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NameError {
    /// It has no characters.
    Empty,
    /// It is `.` or `..`, which name directories.
    Dots,
    /// It is longer than [`MAX_NAME`] bytes.
    TooLong,
    /// It holds `/` or `\`.
    Separator,
    /// It holds NUL or another control character.
    Control,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "a file name cannot be empty",
            Self::Dots => "`.` and `..` name directories, not files",
            Self::TooLong => "a file name has at most 255 bytes",
            Self::Separator => "a file name cannot hold `/` or `\\`",
            Self::Control => "a file name cannot hold control characters",
        })
    }
}

impl std::error::Error for NameError {}

impl From<crate::FileId> for FileName {
    /// An id is a name that breaks no rule.
    fn from(id: crate::FileId) -> Self {
        Self(id.to_string().into())
    }
}
