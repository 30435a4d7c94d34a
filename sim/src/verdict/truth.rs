//! What really happened to the bytes of a transfer: the content at its source held against what stands at its
//! other end, byte by byte.

use std::fmt;
use std::io;

use protocol::FileName;

use super::Claim;
use crate::storage::{Content, Folder, Store, StoreError};
use crate::transcript::bytes_text;

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
    /// No file.
    Nothing,
}

impl fmt::Display for Truth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same => f.write_str("every byte arrived as it was sent"),
            Self::Different { first, arrived } => {
                write!(f, "{} arrived, different from offset {first} on", bytes_text(*arrived))
            }
            Self::Nothing => f.write_str("nothing is stored"),
        }
    }
}

/// Holds `content` against what the store has of the upload: under the id that the client was told, or else
/// under its name.
///
/// # Errors
/// If a file on disk cannot be read.
pub fn truth_of_upload(
    content: &Content,
    file: &FileName,
    claim: &Claim,
    store: &dyn Store,
) -> io::Result<Truth> {
    let id = match claim {
        Claim::Success(id) => Some(*id),
        _ => {
            let entries = store.list().map_err(unreadable)?;
            entries.into_iter().find(|entry| entry.name == *file).map(|entry| entry.id)
        }
    };
    let Some(id) = id else { return Ok(Truth::Nothing) };
    match store.open(id) {
        Ok(stored) => compare(content, &stored),
        Err(StoreError::NotFound) => Ok(Truth::Nothing),
        Err(error) => Err(unreadable(error)),
    }
}

/// Holds `content` against what the client has in its folder under `file`.
///
/// # Errors
/// If a file on disk cannot be read.
pub fn truth_of_download(content: &Content, file: &FileName, folder: &Folder) -> io::Result<Truth> {
    match folder.get(file)? {
        Some(arrived) => compare(content, &arrived),
        None => Ok(Truth::Nothing),
    }
}

fn compare(sent: &Content, arrived: &Content) -> io::Result<Truth> {
    Ok(match sent.first_difference(arrived)? {
        None => Truth::Same,
        Some(first) => Truth::Different { first, arrived: arrived.len() },
    })
}

fn unreadable(error: StoreError) -> io::Error {
    match error {
        StoreError::Io(kind) => kind.into(),
        error => io::Error::other(format!("the store cannot be read: {}", error.code())),
    }
}
