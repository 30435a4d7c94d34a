//! Holds what the client *claims* of each transfer against what *really happened* to its bytes, which it
//! compares itself, byte by byte. It does not know the protocol's digests and does not trust them.

mod claims;
mod truth;

use std::fmt;
use std::io;

use protocol::FileName;

pub use crate::scenario::Verdict;
pub use claims::{Claim, Claimed, claims};
pub use truth::{Truth, truth_of_download, truth_of_upload};

use crate::record::{Direction, Event};
use crate::storage::{Content, Folder, Store};
use crate::transcript::bytes_text;

impl Verdict {
    /// The judgement on one attempt, from `claim` and `truth` alone.
    #[must_use]
    pub fn judge(claim: &Claim, truth: Truth) -> Self {
        match (claim, truth) {
            (Claim::Success(_), Truth::Same) => Self::Intact,
            (Claim::Success(_), _) => Self::Silent,
            (Claim::Fail, Truth::Same) => Self::FalseAlarm,
            (Claim::Fail, _) => Self::Detected,
            (Claim::Error(_), _) => Self::Aborted,
        }
    }
}

/// One transfer, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Which way the file went.
    pub direction: Direction,
    /// Its name.
    pub file: FileName,
    /// Its size in bytes where it came from.
    pub size: u64,
    /// What the client said.
    pub claim: Claim,
    /// What the harness found.
    pub truth: Truth,
    /// The verdict.
    pub verdict: Verdict,
}

/// Judges every transfer of a client. `source` gives the content that a name stood for at the start.
///
/// # Errors
/// If a file on disk cannot be read.
pub fn judge(
    events: &[Event],
    source: impl Fn(&FileName) -> Option<Content>,
    store: &dyn Store,
    folder: &Folder,
) -> io::Result<Vec<Judgement>> {
    let mut judgements = Vec::new();
    for Claimed { direction, file, claim } in claims(events) {
        let Some(content) = source(&file) else { continue };
        let truth = match direction {
            Direction::Upload => truth_of_upload(&content, &file, &claim, store)?,
            Direction::Download => truth_of_download(&content, &file, folder)?,
        };
        let verdict = Verdict::judge(&claim, truth);
        judgements.push(Judgement { direction, file, size: content.len(), claim, truth, verdict });
    }
    Ok(judgements)
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = match self.direction {
            Direction::Upload => "upload",
            Direction::Download => "download",
        };
        let Self { file, size, claim, truth, verdict, .. } = self;
        let size = bytes_text(*size);
        write!(f, "{direction:<8}  {file}  {verdict}: the client said {claim}; of {size}, {truth}")
    }
}
