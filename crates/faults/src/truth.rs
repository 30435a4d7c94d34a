//! What really happened to the bytes of a transfer: the content at its source held against what arrived at its
//! other end, byte by byte.

use std::fmt;
use std::io;

use crate::Content;
use crate::text::{bytes_text, number_text};

/// What the harness found at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// The same bytes.
    Same,
    /// Other bytes.
    Different {
        /// The offset of the first difference.
        first: u64,
        /// How many bytes arrived.
        arrived: u64,
    },
    /// No whole file.
    Nothing,
    /// A whole file that could not be read: whether it was the same is not known.
    Unreadable,
}

impl Truth {
    /// Holds `sent` against `arrived`.
    ///
    /// # Errors
    /// If a file on disk cannot be read.
    pub fn find(sent: Option<&Content>, arrived: Option<&Content>) -> io::Result<Self> {
        let Some(arrived) = arrived else { return Ok(Self::Nothing) };
        let first = sent.map_or(Ok(Some(0)), |sent| sent.first_difference(arrived))?;
        Ok(match first {
            None => Self::Same,
            Some(first) => Self::Different { first, arrived: arrived.len() },
        })
    }
}

impl fmt::Display for Truth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same => f.write_str("every byte arrived as it was sent"),
            Self::Different { first, arrived } => {
                write!(
                    f,
                    "{} arrived, the first difference at offset {}",
                    bytes_text(*arrived),
                    number_text(*first)
                )
            }
            Self::Nothing => f.write_str("no whole file arrived"),
            Self::Unreadable => f.write_str("a whole file arrived that could not be read"),
        }
    }
}
